//! `POST /events/replay` and `POST /events/discard`: all events that match a filter, up to a limit.
//!
//! The filters are those of `GET /events`, and a state is required, as nobody means the whole ledger. Events
//! are changed page by page, but for those whose payload is erased. When the time is up, the cursor says
//! where to continue. After an error the same request is sent again: changing an event twice does no harm.

use futures::StreamExt;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::json;
use shared::audit::AuditDetails;
use shared::aws::{StoreError, error_chain};
use shared::event_view::EventFilter;
use shared::http::{self, ApiError, Fields, Query};
use shared::ledger::{EventPosition, EventState, Transitioned};

use crate::action::{Action, ActionRequest};

/// Most events of one request, and the limit of one that gives none.
const MAX_EVENTS: u32 = 1_000;
/// Events listed and changed at a time. A page takes as long as its slowest change, so the time is checked
/// often enough.
const PAGE: usize = 32;

/// What a request did.
#[derive(Debug, Default, Serialize)]
struct BulkResult {
    /// How many events matched.
    matching: usize,
    /// How many were changed.
    changed: usize,
    /// How many others changed meanwhile; they were left as they are.
    #[serde(rename = "overtaken")]
    conflicts: usize,
    /// How many could not be changed; the same request again finds them.
    failed: usize,
    /// Whether events were only counted.
    dry_run: bool,
    /// The cursor to continue with; null if there are no more.
    next_cursor: Option<String>,
}

/// Returns whether a request only asks how many events match.
pub(crate) fn only_counts(request: &Request) -> bool {
    Fields::read(request.body(), &fields_known()).is_ok_and(|fields| fields.flag("dry_run") == Ok(Some(true)))
}

fn fields_known() -> Vec<&'static str> {
    [&EventFilter::PARAMETERS[..], &["why", "limit", "cursor", "dry_run"]].concat()
}

/// Does the action to all events that match. `details` gets the filter and what was done so far.
pub(crate) async fn apply(
    action_request: ActionRequest<'_>,
    details: &mut AuditDetails,
) -> Result<Response<Body>, ApiError> {
    let ActionRequest { deps, request, action, now, deadline, .. } = action_request;
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &fields_known())?;
    let query = fields.query(&[&EventFilter::PARAMETERS[..], &["cursor"]].concat())?;
    let filter = EventFilter::read(&query)?;
    require_state(action, &filter)?;
    let limit = fields.number("limit", 1, MAX_EVENTS)?.unwrap_or(MAX_EVENTS);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let dry_run = fields.flag("dry_run")?.unwrap_or(false);
    let reason = if dry_run { None } else { action.read_reason(&fields)? };
    details.before = Some(json!({ "filter": query.to_json(), "why": reason }));

    // Nothing can have come in before the first Stripe key was set.
    let since = deps.registry.settings().await?.map_or(now, |settings| settings.since());
    let listing = filter.listing(since, now);
    let list_name = format!("{} {}", deps.mode, action.audit_name());
    let mut from: Option<EventPosition> = query.cursor(&list_name)?;
    if from.as_ref().is_some_and(|from| !listing.can_contain(from)) {
        return Err(query.invalid_cursor());
    }
    let mut result = BulkResult { dry_run, ..BulkResult::default() };
    let actor = action_request.actor(reason);
    loop {
        let page_size = (limit - result.matching).min(PAGE);
        let page =
            deps.ledger.list(&listing, from, page_size, now, |row| filter.fits(row) && !row.erased).await?;
        result.matching += page.rows.len();
        if !dry_run {
            let changes =
                page.rows.into_iter().map(async |row| action.apply_to(&row, deps, actor, now).await);
            let mut changes = futures::stream::iter(changes).buffer_unordered(PAGE);
            while let Some(change) = changes.next().await {
                result.count(change);
                details.after = Some(json!(result));
            }
        }
        from = page.next;
        if from.is_none() || result.matching >= limit || deadline.has_passed() {
            result.next_cursor = from.map(|position| query.next_cursor(&list_name, position));
            return result.into_response();
        }
    }
}

impl BulkResult {
    fn count(&mut self, change: Result<Transitioned, StoreError>) {
        match change {
            Ok(Transitioned::Done) => self.changed += 1,
            Ok(Transitioned::Conflict) => self.conflicts += 1,
            // One that cannot be changed does not hold the others back.
            Err(error) => {
                tracing::error!(error = error_chain(&error), "an event could not be replayed or discarded");
                self.failed += 1;
            }
        }
    }

    /// Failures are answered as an outage only if nothing at all could be changed.
    fn into_response(self) -> Result<Response<Body>, ApiError> {
        if self.failed > 0 && self.changed == 0 {
            let message = format!("DynamoDB accepted none of {} changes", self.failed);
            return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", message)
                .remedy("send the same request again shortly"));
        }
        Ok(http::json(StatusCode::OK, &self))
    }
}

/// Checks that the filter has a state, and one in which the action is allowed.
fn require_state(action: Action, filter: &EventFilter) -> Result<(), ApiError> {
    let allowed: Vec<_> = EventState::ALL
        .into_iter()
        .filter(|state| action.is_allowed_in(*state))
        .map(EventState::as_str)
        .collect();
    let remedy = format!("give one of {}", allowed.join(", "));
    match filter.state {
        None => {
            let message = "`state` is missing: the events to change must be named by their state";
            Err(ApiError::new(StatusCode::BAD_REQUEST, "parameter_missing", message)
                .field("state")
                .remedy(remedy))
        }
        Some(state) if action.is_allowed_in(state) => Ok(()),
        Some(state) => {
            let message = match action {
                Action::Replay => format!("events that are {state} cannot be replayed"),
                Action::Discard => format!("events that are {state} cannot be discarded"),
            };
            Err(ApiError::invalid("state", message).remedy(remedy))
        }
    }
}
