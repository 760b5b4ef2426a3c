//! `GET /records/{kind}/{id}?at=`: one record as it was, with its events of up to then.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use serde::Serialize;
use shared::event::EventId;
use shared::event_view::EventView;
use shared::http::{ApiError, json};
use shared::kind::Kind;
use shared::ledger::{EventListing, LedgerRow};
use shared::page::MAX_LIMIT;
use shared::records::Record;
use shared::unix_time::UnixSeconds;

use super::PointInTime;
use super::state::past_object;
use super::view::PastRecord;
use crate::deps::Deps;

/// A record as it was.
#[derive(Serialize)]
struct WholePastRecord {
    at: Option<Timestamp>,
    /// From when on the ledger holds every event that came.
    known_since: Option<Timestamp>,
    #[serde(flatten)]
    past: PastRecord,
    /// Its events of up to then that are not applied, and so do not count.
    events_not_applied: Vec<EventId>,
    /// Its events of up to then, the latest first.
    timeline: Vec<EventView>,
}

/// Answers what the record of an object was, in a list of `kind`.
pub(crate) async fn get(
    deps: &Deps,
    at: &PointInTime,
    kind: Kind,
    record: Record,
) -> Result<Response<Body>, ApiError> {
    let key = record.key.clone();
    let listing =
        EventListing::ObjectBetween { object: key.clone(), since: UnixSeconds::MIN, until: at.second };
    let timeline = deps.ledger.list(&listing, None, MAX_LIMIT, at.now, |_| true).await?.rows;
    let waits = |row: &&LedgerRow| row.state.is_open() && !row.was_applied();
    let waiting = timeline.iter().filter(waits).filter(|row| !record.events.contains(&row.id));
    let events_not_applied = waiting.map(|row| row.id.clone()).collect();
    let state = past_object(deps, at, record).await?;
    let body = WholePastRecord {
        at: at.second.to_timestamp(),
        known_since: at.known_since.to_timestamp(),
        past: PastRecord::load(deps, at, kind, &key, state).await?,
        events_not_applied,
        timeline: timeline.into_iter().map(EventView::from).collect(),
    };
    Ok(json(StatusCode::OK, &body))
}
