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
        Written::Conflict => Err(RegisterError::EndpointConflict(row.name.to_string())),
    }
}

/// Says, where another request has written the row at the same moment, what that one is doing.
pub(super) async fn explain_conflict(
    context: RequestContext<'_>,
    written: Result<EndpointRow, RegisterError>,
) -> Result<EndpointRow, RegisterError> {
    let name = match written {
        Err(RegisterError::EndpointConflict(name)) => name,
        written => return written,
    };
    Err(match load(context, &name).await?.state {
        EndpointState::Rotating => RegisterError::RotationInProgress(name),
        EndpointState::Changing => RegisterError::ChangeInProgress(name),
        state @ (EndpointState::Registering | EndpointState::Deregistering) => {
            RegisterError::EndpointNotActive { name, state }
        }
        EndpointState::Active | EndpointState::Disabled => RegisterError::EndpointConflict(name),
    })
}
