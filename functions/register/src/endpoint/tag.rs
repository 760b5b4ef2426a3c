//! The owner tag: what marks an endpoint at Stripe as created by one attempt of this stack.
//!
//! By it, what an attempt created is found where the answer that names Stripe's id was lost.

use shared::endpoint::EndpointRow;
use shared::stripe::{OwnerTag, Session, StripeError};

use crate::deps::Deps;

/// The tag of what the attempt `registration` at this endpoint creates.
pub(super) fn owner_tag(deps: &Deps, row: &EndpointRow, registration: &str) -> OwnerTag {
    OwnerTag { stack: deps.stack.clone(), name: row.name.to_string(), registration: registration.to_owned() }
}

/// Deletes all endpoints at Stripe that carry the tag.
pub(super) async fn delete_tagged(session: &Session<'_>, tag: &OwnerTag) -> Result<(), StripeError> {
    for endpoint in session.endpoints().await?.value {
        if endpoint.owner_tag().as_ref() == Some(tag) {
            session.delete_endpoint(&endpoint.id).await?;
        }
    }
    Ok(())
}
