//! Finding and removing what an attempt has made, by the mark it left at Stripe and by the name of its secret.
//!
//! Needed where the answer that told Stripe's id was lost.

use shared::endpoint::EndpointRow;
use shared::stripe::{OwnerTag, Session, StripeError};

use crate::Deps;

impl Deps {
    /// What marks an endpoint at Stripe as made by this row's attempt.
    pub(crate) fn owner_tag(&self, row: &EndpointRow) -> OwnerTag {
        OwnerTag {
            stack: self.stack.clone(),
            name: row.name.to_string(),
            registration: row.registration.clone(),
        }
    }

    /// The name of the attempt's entry in Secrets Manager. A new attempt has a new one, because Secrets Manager holds on to the
    /// name of what was deleted.
    pub(crate) fn secret_name(&self, row: &EndpointRow) -> String {
        match &row.secret {
            Some(version) => version.name.clone(),
            None => format!("{}{}/{}", self.secret_prefix, row.name, row.registration),
        }
    }
}

/// Deletes all endpoints at Stripe that carry the mark.
pub(crate) async fn remove_marked(session: &Session<'_>, mark: &OwnerTag) -> Result<(), StripeError> {
    for endpoint in session.endpoints().await?.value {
        if endpoint.owner_tag().as_ref() == Some(mark) {
            session.delete_endpoint(&endpoint.id).await?;
        }
    }
    Ok(())
}
