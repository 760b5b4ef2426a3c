//! The row of an endpoint in the registry: read by name, and written under the condition that nobody else
//! has.

use lambda_http::Request;
use shared::endpoint::{EndpointName, EndpointRow, EndpointState, GivenUpRotation};
use shared::http::Query;
use shared::registry::Written;

use crate::audit::ChangeDetails;
use crate::context::RequestContext;
use crate::endpoint::view::EndpointView;
use crate::error::RegisterError;

/// Reads the endpoint of this name.
pub(super) async fn load(context: RequestContext<'_>, name: &str) -> Result<EndpointRow, RegisterError> {
    let row = context.deps.registry.endpoint(&parse_name(name)?).await?;
    row.ok_or_else(|| RegisterError::EndpointNotFound(name.to_owned()))
}

/// Reads the endpoint that a request without a query is to change, and keeps for the audit how it was.
pub(super) async fn load_to_change(
    context: RequestContext<'_>,
    request: &Request,
    name: &str,
    details: &mut ChangeDetails,
) -> Result<EndpointRow, RegisterError> {
    Query::read(request, &[])?;
    let row = load(context, name).await?;
    details.before = serde_json::to_value(EndpointView::new(&row, context.deps.mode)).ok();
    Ok(row)
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

/// What the row keeps, for the status, of a rotation that did not come to its end for this reason. Nothing,
/// if somebody wanted it so or is told by an answer.
pub(super) fn given_up(context: RequestContext<'_>, reason: Option<&str>) -> Option<GivenUpRotation> {
    reason.map(|reason| GivenUpRotation { at: context.now.into(), reason: reason.to_owned() })
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
    let Some(row) = row else { return RegisterError::EndpointRemoved(name) };
    match row.state {
        EndpointState::Rotating => RegisterError::rotation_under_way(&row),
        EndpointState::Changing => RegisterError::ChangeInProgress(name),
        EndpointState::Registering | EndpointState::Deregistering => {
            RegisterError::EndpointNotActive { name, state: row.state }
        }
        EndpointState::Active | EndpointState::Disabled => RegisterError::EndpointConflict(name),
    }
}
