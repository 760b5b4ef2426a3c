//! The owner tag: what marks an endpoint at Stripe as created by one attempt of this stack.
//!
//! By it, what an attempt created is found where the answer that names Stripe's id was lost. It carries the
//! stack's id, because another account, region or developer may have a stack of the same name.

use shared::endpoint::EndpointRow;
use shared::stripe::{OwnerTag, Session, StripeError};

use crate::deps::Deps;

/// The tag of what the attempt `registration` at this endpoint creates.
pub(super) fn owner_tag(deps: &Deps, stack_id: &str, row: &EndpointRow, registration: &str) -> OwnerTag {
    OwnerTag {
        stack: deps.stack.clone(),
        stack_id: Some(stack_id.to_owned()),
        name: row.name.to_string(),
        registration: registration.to_owned(),
    }
}

/// Deletes all endpoints at Stripe that the attempt `registration` of a row here created. Its id is random,
/// so no other stack has one like it; what earlier versions marked without the stack's id is found too.
pub(super) async fn delete_created_by(session: &Session<'_>, registration: &str) -> Result<(), StripeError> {
    for endpoint in session.endpoints().await?.value {
        if endpoint.owner_tag().is_some_and(|tag| tag.registration == registration) {
            session.delete_endpoint(&endpoint.id).await?;
        }
    }
    Ok(())
}
