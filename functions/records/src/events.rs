//! `GET /events` and `GET /events/{id}`: the ledger.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use shared::event::EventId;
use shared::http::{ApiError, Query, json};
use shared::ledger::{Listing, Position, Row, State};
use shared::object_key::{Kind, ObjectKey};
use shared::page::Page;

use crate::Deps;
use crate::view::{millis, seconds};

/// One event as lists show it.
#[derive(Serialize)]
pub(crate) struct EventView {
    id: String,
    r#type: Option<String>,
    state: &'static str,
    reason: Option<String>,
    account: Option<String>,
    object: Option<String>,
    endpoint: String,
    created: Option<Timestamp>,
    received_at: Option<Timestamp>,
    /// When the state was last changed.
    marked_at: Option<Timestamp>,
    attempts: u32,
    /// When it will be tried again; only for what will.
    due_at: Option<Timestamp>,
}

impl From<Row> for EventView {
    fn from(row: Row) -> Self {
        let tried = matches!(row.state, State::Pending | State::Failed);
        Self {
            id: row.id.to_string(),
            r#type: row.event_type,
            state: row.state.as_str(),
            reason: row.reason,
            account: row.object.as_ref().and_then(|key| key.account().map(str::to_owned)),
            object: row.object.as_ref().map(|key| key.id().to_owned()),
            endpoint: row.endpoint,
            created: row.created.and_then(seconds),
            received_at: millis(row.received_at),
            marked_at: row.marked_at.and_then(millis),
            attempts: row.attempts,
            due_at: row.due_at.filter(|_| tried).and_then(millis),
        }
    }
}

#[derive(Serialize)]
struct WholeEvent {
    #[serde(flatten)]
    event: EventView,
    /// Why the last attempt failed; the same as `reason` while it is failed or dead.
    last_error: Option<String>,
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

const FILTERS: [&str; 8] = ["state", "type", "endpoint", "object", "account", "since", "limit", "cursor"];

pub(crate) async fn list(deps: &Deps, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
    let query = Query::read(request, &FILTERS)?;
    let (limit, list) = (query.limit()?, format!("{} events", deps.mode));
    let state: Option<State> = query.parsed("state")?;
    let since = query.time("since")?;
    let object = query.get("object").map(|text| object(text, query.get("account"))).transpose()?;
    let listing = match (object, state.filter(|state| state.is_open())) {
        (Some(key), _) => Listing::Object(key),
        (None, Some(state)) => Listing::Open(state),
        (None, None) => match deps.registry.settings().await? {
            Some(settings) => {
                // Before the first Stripe key nothing can have come in.
                let beginning = millis(settings.since).unwrap_or(now);
                Listing::Received { since: since.unwrap_or(beginning).max(beginning), until: now }
            }
            None => {
                return Ok(json(StatusCode::OK, &Page::<EventView> { data: Vec::new(), next_cursor: None }));
            }
        },
    };
    let (event_type, endpoint, account) = (query.get("type"), query.get("endpoint"), query.get("account"));
    let wanted = |row: &Row| {
        state.is_none_or(|state| row.state == state)
            && event_type.is_none_or(|wanted| {
                row.event_type.as_deref().is_some_and(|is| shared::event_type::matches(wanted, is))
            })
            && endpoint.is_none_or(|wanted| row.endpoint == wanted)
            && account.is_none_or(|wanted| row.object.as_ref().and_then(ObjectKey::account) == Some(wanted))
            && since.is_none_or(|since| row.received_at >= since.as_millisecond())
    };
    let from: Option<Position> = query.cursor(&list)?;
    if from.as_ref().is_some_and(|from| !listing.may_hold(from)) {
        return Err(query.not_our_cursor());
    }
    let page = deps.ledger.list(&listing, from, limit, now, wanted).await?;
    let next_cursor = page.next.map(|at| query.next_cursor(&list, at));
    Ok(json(
        StatusCode::OK,
        &Page { data: page.rows.into_iter().map(EventView::from).collect(), next_cursor },
    ))
}

/// `object` is an id whose prefix tells its kind, or `object/id` in Stripe's words.
fn object(text: &str, account: Option<&str>) -> Result<ObjectKey, ApiError> {
    let (object, id) = match (text.split_once('/'), Kind::of_id(text)) {
        (Some((object, id)), _) => (object, id),
        (None, Some(kind)) => (kind.object(), text),
        (None, None) => {
            return Err(ApiError::invalid(
                "object",
                format!("the prefix of `{text}` tells no kind of object"),
            )
            .remedy(format!("name the kind too, in Stripe's word: `customer/{text}`")));
        }
    };
    ObjectKey::new(account, object, id).map_err(|error| ApiError::invalid("object", error.to_string()))
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
    let failed = matches!(row.state, State::Failed | State::Dead);
    let last_error = row.reason.clone().filter(|_| failed);
    Ok(json(StatusCode::OK, &WholeEvent { event: row.into(), last_error, payload }))
}
