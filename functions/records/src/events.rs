//! `GET /events` and `GET /events/{id}`: the ledger.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use shared::event::EventId;
use shared::http::{ApiError, EventFilter, EventView, PastStateView, Query, json};
use shared::ledger::{EventPosition, EventState};
use shared::page::Page;

use crate::Deps;

#[derive(Serialize)]
struct WholeEvent {
    #[serde(flatten)]
    event: EventView,
    /// Why the last attempt failed; the same as `reason` while it is failed or dead.
    last_error: Option<String>,
    /// All its states, the earliest first.
    history: Vec<PastStateView>,
    /// As Stripe sent it.
    payload: Payload,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Payload {
    Json(Box<RawValue>),
    /// What is no JSON is shown as text.
    Text(String),
    /// The stored bytes are damaged: null, and the reason of its state says so.
    Lost,
}

pub(crate) async fn list(deps: &Deps, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
    let known = [&EventFilter::PARAMETERS[..], &["limit", "cursor"]].concat();
    let query = Query::read(request, &known)?;
    let (limit, list) = (query.limit()?, format!("{} events", deps.mode));
    let filter = EventFilter::read(&query)?;
    let Some(settings) = deps.registry.settings().await? else {
        // Before the first Stripe key nothing can have come in.
        return Ok(json(StatusCode::OK, &Page::<EventView> { data: Vec::new(), next_cursor: None }));
    };
    let listing = filter.listing(settings.since(), now);
    let from: Option<EventPosition> = query.cursor(&list)?;
    if from.as_ref().is_some_and(|from| !listing.may_hold(from)) {
        return Err(query.not_our_cursor());
    }
    let page = deps.ledger.list(&listing, from, limit, now, |row| filter.fits(row)).await?;
    let next_cursor = page.next.map(|at| query.next_cursor(&list, at));
    Ok(json(
        StatusCode::OK,
        &Page { data: page.rows.into_iter().map(EventView::from).collect(), next_cursor },
    ))
}

pub(crate) async fn one(
    deps: &Deps,
    request: &Request,
    id: &str,
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    Query::read(request, &[])?;
    let missing = || ApiError::not_found(format!("there is no event `{id}` in the ledger"));
    let id: EventId = id.parse().map_err(|_| missing())?;
    let row = deps.ledger.get(&id, now).await?.ok_or_else(missing)?;
    let body = deps.ledger.body(&row).await?;
    let payload = match body.as_deref().map(serde_json::from_slice) {
        Ok(Ok(payload)) => Payload::Json(payload),
        Ok(Err(_)) => {
            Payload::Text(String::from_utf8_lossy(body.as_deref().unwrap_or_default()).into_owned())
        }
        Err(_) => Payload::Lost,
    };
    let failed = matches!(row.state, EventState::Failed | EventState::Dead);
    let last_error = row.reason.clone().filter(|_| failed);
    let history = PastStateView::history(&row);
    Ok(json(StatusCode::OK, &WholeEvent { event: row.into(), last_error, history, payload }))
}
