//! `POST /events/{id}/replay` and `POST /events/{id}/discard`: one event.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use serde_json::{Value, json};
use shared::audit::AuditDetails;
use shared::event::EventId;
use shared::event_view::EventView;
use shared::http::{self, ApiError, Fields, Query};
use shared::ledger::{EventState, LedgerRow, Transitioned};

use crate::action::{Action, ActionRequest};

/// Does the action to the event with this id. `details` gets what it was and what it became.
pub(crate) async fn apply(
    action_request: ActionRequest<'_>,
    id: &str,
    details: &mut AuditDetails,
) -> Result<Response<Body>, ApiError> {
    let ActionRequest { deps, request, action, now, .. } = action_request;
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &["why"])?;
    let reason = action.read_reason(&fields)?;
    let not_found = || ApiError::not_found(format!("there is no event `{id}` in the ledger"));
    let id: EventId = id.parse().map_err(|_| not_found())?;
    let row = deps.ledger.get(&id, now).await?.ok_or_else(not_found)?;
    details.before = Some(state_for_audit(&row));
    if row.erased {
        return Err(erased());
    }
    if !action.is_allowed_in(row.state) {
        return respond_unchanged(action, row);
    }
    match action.apply_to(&row, deps, action_request.actor(reason), now).await? {
        Transitioned::Done => {
            details.after = Some(json!({ "state": action.resulting_state(), "why": reason }));
            // Read again: it may have been applied since.
            let row = deps.ledger.get(&id, now).await.map_err(|error| {
                ApiError::from(error).remedy(format!("it was done; GET /events/{id} shows it"))
            })?;
            Ok(http::json(StatusCode::OK, &EventView::from(row.ok_or_else(not_found)?)))
        }
        Transitioned::Conflict => {
            let row = deps.ledger.get(&id, now).await?.ok_or_else(not_found)?;
            if row.erased {
                return Err(erased());
            }
            let message =
                format!("the event has changed meanwhile and is {} now; nothing was done", row.state);
            Err(ApiError::new(StatusCode::CONFLICT, "event_changed", message)
                .remedy(format!("look at GET /events/{id}, then decide again")))
        }
    }
}

/// The answer about an event without its payload.
fn erased() -> ApiError {
    let message = "the event's payload is erased with its customer's personal data; the event stays as it is";
    ApiError::new(StatusCode::CONFLICT, "event_erased", message)
        .remedy("nothing is left to do: the record shows its last state, without personal data")
}

/// Answers an action that is not allowed in the event's state. An event that is already in the resulting
/// state is shown as it is; one that cannot be discarded, or not yet, is refused.
fn respond_unchanged(action: Action, row: LedgerRow) -> Result<Response<Body>, ApiError> {
    if action == Action::Replay || row.state == EventState::Ignored {
        return Ok(http::json(StatusCode::OK, &EventView::from(row)));
    }
    if row.state.is_open() {
        let message =
            format!("the event is {}: it is about to be applied, or will be tried again", row.state);
        let remedy = "wait until it is dead or quarantined; \
                      to ignore events of its type, add it to `ignore` with PATCH /settings";
        return Err(ApiError::new(StatusCode::CONFLICT, "event_open", message).remedy(remedy));
    }
    let message = format!("the event is {}: there is nothing left to discard", row.state);
    Err(ApiError::new(StatusCode::CONFLICT, "event_final", message)
        .remedy("a record is never reverted; what Stripe changes later comes as a later event"))
}

fn state_for_audit(row: &LedgerRow) -> Value {
    json!({ "state": row.state, "reason": row.reason, "attempts": row.attempts })
}
