//! Writing an endpoint's row under the condition that nobody else has.

use shared::registry::{Endpoint, Written};

use crate::error::RegisterError;
use crate::{Deps, Moment};

/// Writes the row changed, if it still is as it was read.
pub(crate) async fn write(
    deps: &Deps,
    row: &Endpoint,
    moment: Moment,
    edit: impl FnOnce(&mut Endpoint),
) -> Result<Endpoint, RegisterError> {
    let mut new = Endpoint { state_since: moment.now.as_millisecond(), ..row.clone() };
    edit(&mut new);
    match deps.registry.replace(row, &mut new).await? {
        Written::Done => Ok(new),
        Written::Overtaken => Err(RegisterError::EndpointOvertaken(row.name.to_string())),
    }
}
