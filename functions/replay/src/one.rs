//! One event.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::access::Caller;
use shared::event::EventId;
use shared::http::{self, ApiError, EventView, Fields, Query};
use shared::ledger::{Actor, EventState, LedgerRow, Transitioned};

use crate::act::{Act, name};
use crate::{Deps, Trace};

pub(crate) async fn steer(
    deps: &Deps,
    request: &Request,
    act: Act,
    id: &str,
    caller: &Caller,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<Response<Body>, ApiError> {
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &["why"])?;
    let why = act.why(&fields)?;
    let missing = || ApiError::not_found(format!("there is no event `{id}` in the ledger"));
    let id: EventId = id.parse().map_err(|_| missing())?;
    let row = deps.ledger.get(&id, now).await?.ok_or_else(missing)?;
    trace.before = Some(for_audit(&row));
    if !act.is_for(row.state) {
        return already(act, row);
    }
    match act.on(deps, &row, Actor { by: name(caller), why }, now).await? {
        Transitioned::Done => {
            trace.after = Some(json!({ "state": act.leads_to(), "why": why }));
            // It may have been applied since; what is shown is what is.
            let row = deps.ledger.get(&id, now).await.map_err(|error| {
                ApiError::from(error).remedy(format!("it was done; GET /events/{id} shows it"))
            })?;
            Ok(http::json(StatusCode::OK, &EventView::from(row.ok_or_else(missing)?)))
        }
        Transitioned::Conflict => {
            let row = deps.ledger.get(&id, now).await?.ok_or_else(missing)?;
            let message =
                format!("the event has changed meanwhile and is {} now; nothing was done", row.state);
            Err(ApiError::new(StatusCode::CONFLICT, "event_changed", message)
                .remedy(format!("look at GET /events/{id}, then decide again")))
        }
    }
}

/// An event that is so already is answered as it is; one that cannot be closed, or not yet, is a refusal.
fn already(act: Act, row: LedgerRow) -> Result<Response<Body>, ApiError> {
    if act == Act::Replay || row.state == EventState::Ignored {
        return Ok(http::json(StatusCode::OK, &EventView::from(row)));
    }
    if row.state.is_open() {
        let message =
            format!("the event is {}: it is about to be applied, or will be tried again", row.state);
        return Err(ApiError::new(StatusCode::CONFLICT, "event_open", message)
            .remedy("wait until it is dead or quarantined; to leave events of its type alone, add it to `ignore` with PATCH /settings"));
    }
    let message = format!("the event is {}: there is nothing left to discard", row.state);
    Err(ApiError::new(StatusCode::CONFLICT, "event_final", message)
        .remedy("a record is never taken back; what Stripe changes later comes as a later event"))
}

fn for_audit(row: &LedgerRow) -> serde_json::Value {
    json!({ "state": row.state, "reason": row.reason, "attempts": row.attempts })
}
