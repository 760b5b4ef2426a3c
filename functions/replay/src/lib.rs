//! Lets an admin have events applied again (replay), or close them without applying them (discard).
//!
//! - `POST /events/{id}/replay` and `POST /events/{id}/discard` (`single`);
//! - `POST /events/replay` and `POST /events/discard`, with filters (`bulk`).
//!
//! Each action is written to the audit, refused ones too. Counting is none: it changes nothing, like a list.
//!
//! Rules: an event is changed under the condition that it has not changed since it was read. So of two
//! admins, or an admin and the program, one wins and the other is refused. A replayed event is pending like a
//! new one: the ledger's stream invokes `process`, which decides again. Nothing is applied here.

mod action;
mod bulk;
mod config;
mod deps;
mod single;

use jiff::Timestamp;
use lambda_http::{Body, Request, Response};
use shared::access::Role;
use shared::audit::AuditDetails;
use shared::deadline::Deadline;
use shared::http::{ApiError, request_id};

use self::action::{ActionRequest, Target, route};
pub use self::config::{Config, WORK_WITHIN};
pub use self::deps::Deps;

/// Answers one request. After `deadline` no further page of events is changed.
pub async fn handle(deps: &Deps, request: Request, now: Timestamp, deadline: Deadline) -> Response<Body> {
    let response = respond(deps, &request, now, deadline).await;
    response.unwrap_or_else(|error| error.into_response(&request_id(&request)))
}

async fn respond(
    deps: &Deps,
    request: &Request,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Response<Body>, ApiError> {
    let caller = deps.access.caller(request)?;
    let (action, target) = route(request)?;
    let mut details = AuditDetails::default();
    let action_request = ActionRequest { deps, request, action, caller: &caller, now, deadline };
    let allowed = deps.access.require(request, Role::Admin);
    if allowed.is_ok() && target == Target::Matching && bulk::only_counts(request) {
        return bulk::apply(action_request, &mut details).await;
    }
    let result = match allowed {
        Ok(_) => match &target {
            Target::Event(id) => single::apply(action_request, id, &mut details).await,
            Target::Matching => bulk::apply(action_request, &mut details).await,
        },
        Err(forbidden) => Err(forbidden),
    };
    let target = target.for_audit();
    deps.audit.record_result(&caller, action.audit_name(), &target, details, &result, now).await;
    result
}
