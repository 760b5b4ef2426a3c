//! Writing an endpoint's row under the condition that nobody else has.

use shared::endpoint::EndpointRow;
use shared::registry::Written;

use crate::error::RegisterError;
use crate::{Deps, Moment};

/// Writes the row changed, if it still is as it was read.
pub(crate) async fn write(
    deps: &Deps,
    row: &EndpointRow,
    moment: Moment,
    edit: impl FnOnce(&mut EndpointRow),
) -> Result<EndpointRow, RegisterError> {
    let mut new = EndpointRow { state_since: moment.now.as_millisecond(), ..row.clone() };
    edit(&mut new);
    match deps.registry.replace(row, &mut new).await? {
        Written::Done => Ok(new),
        Written::Conflict => Err(RegisterError::EndpointOvertaken(row.name.to_string())),
    }
}
