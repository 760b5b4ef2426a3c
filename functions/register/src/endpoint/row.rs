//! The row of an endpoint in the registry: read by name, and written under the condition that nobody else
//! has.

use shared::endpoint::{EndpointName, EndpointRow, EndpointState};
use shared::registry::Written;

use crate::context::RequestContext;
use crate::error::RegisterError;

/// Reads the endpoint of this name.
pub(super) async fn load(context: RequestContext<'_>, name: &str) -> Result<EndpointRow, RegisterError> {
    let row = context.deps.registry.endpoint(&parse_name(name)?).await?;
    row.ok_or_else(|| RegisterError::EndpointNotFound(name.to_owned()))
}

/// Reads the name in a path; a text that cannot be a name names no endpoint.
pub(super) fn parse_name(name: &str) -> Result<EndpointName, RegisterError> {
    name.parse().map_err(|_| RegisterError::EndpointNotFound(name.to_owned()))
}

/// Writes the row changed by `change`, if it still is as it was read.
pub(super) async fn edit(
    context: RequestContext<'_>,
    row: &EndpointRow,
    change: impl FnOnce(&mut EndpointRow),
) -> Result<EndpointRow, RegisterError> {
    let mut new = EndpointRow { state_since: context.now.into(), ..row.clone() };
    change(&mut new);
    match context.deps.registry.replace(row, &mut new).await? {
        Written::Done => Ok(new),
        Written::Conflict => Err(overtaken(context, &row.name).await),
    }
}

/// Refuses what needs an endpoint at Stripe, where the row has none: its replacement was refused.
pub(super) fn require_at_stripe(row: &EndpointRow) -> Result<(), RegisterError> {
    match row.stripe_id {
        Some(_) => Ok(()),
        None => Err(RegisterError::NotAtStripe(row.name.to_string())),
    }
}

/// Says, where another request has written or removed the row at the same moment, what that one does.
pub(super) async fn overtaken(context: RequestContext<'_>, name: &EndpointName) -> RegisterError {
    let row = match context.deps.registry.endpoint(name).await {
        Ok(row) => row,
        Err(error) => return error.into(),
    };
    let name = name.to_string();
    match row.map(|row| row.state) {
        None => RegisterError::EndpointRemoved(name),
        Some(EndpointState::Rotating) => RegisterError::RotationInProgress(name),
        Some(EndpointState::Changing) => RegisterError::ChangeInProgress(name),
        Some(state @ (EndpointState::Registering | EndpointState::Deregistering)) => {
            RegisterError::EndpointNotActive { name, state }
        }
        Some(EndpointState::Active | EndpointState::Disabled) => RegisterError::EndpointConflict(name),
    }
}
