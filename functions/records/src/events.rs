//! `GET /events` and `GET /events/{id}`: the ledger.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use shared::event::{EventId, without_byte_order_mark};
use shared::event_view::{EventFilter, EventView, PastStateView};
use shared::http::{ApiError, Query, json};
use shared::ledger::{EventPosition, EventState};
use shared::page::Page;

use crate::deps::Deps;

/// An event on its own.
#[derive(Serialize)]
struct FullEvent {
    #[serde(flatten)]
    event: EventView,
    /// Why the last attempt failed; the same as `reason` while it is failed or dead.
    last_error: Option<String>,
    /// All its states, the earliest first.
    history: Vec<PastStateView>,
    /// As Stripe sent it.
    payload: PayloadView,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PayloadView {
    Json(Box<RawValue>),
    /// A payload that is not JSON is shown as text.
    Text(String),
    /// The stored bytes are erased or damaged: null, and `erased` or the reason of the event's state says so.
    Missing,
}

pub(crate) async fn list(deps: &Deps, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
    let parameters = [&EventFilter::PARAMETERS[..], &["limit", "cursor"]].concat();
    let query = Query::read(request, &parameters)?;
    let (limit, list_name) = (query.limit()?, format!("{} events", deps.mode));
    let filter = EventFilter::read(&query)?;
    let Some(settings) = deps.registry.settings().await? else {
        // Nothing can have come in before the first Stripe key was set.
        return Ok(json(StatusCode::OK, &Page::<EventView> { data: Vec::new(), next_cursor: None }));
    };
    let listing = filter.listing(settings.since(), now);
    let from: Option<EventPosition> = query.cursor(&list_name)?;
    if from.as_ref().is_some_and(|from| !listing.can_contain(from)) {
        return Err(query.invalid_cursor());
    }
    let page = deps.ledger.list(&listing, from, limit, now, |row| filter.fits(row)).await?;
    let next_cursor = page.next.map(|position| query.next_cursor(&list_name, position));
    let data = page.rows.into_iter().map(EventView::from).collect();
    Ok(json(StatusCode::OK, &Page { data, next_cursor }))
}

pub(crate) async fn get(
    deps: &Deps,
    request: &Request,
    id: &str,
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    Query::read(request, &[])?;
    let not_found = || ApiError::not_found(format!("there is no event `{id}` in the ledger"));
    let id: EventId = id.parse().map_err(|_| not_found())?;
    let row = deps.ledger.get(&id, now).await?.ok_or_else(not_found)?;
    let body = deps.ledger.body(&row).await?;
    let parsed = body.as_deref().map(|body| serde_json::from_slice(without_byte_order_mark(body)));
    let payload = match parsed {
        Ok(Ok(json)) => PayloadView::Json(json),
        Ok(Err(_)) => {
            PayloadView::Text(String::from_utf8_lossy(body.as_deref().unwrap_or_default()).into_owned())
        }
        Err(_) => PayloadView::Missing,
    };
    let has_failed = matches!(row.state, EventState::Failed | EventState::Dead);
    let last_error = row.reason.clone().filter(|_| has_failed);
    let history = PastStateView::history(&row);
    Ok(json(StatusCode::OK, &FullEvent { event: row.into(), last_error, history, payload }))
}
