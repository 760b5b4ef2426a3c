//! The state of one object at the end of a second.

use jiff::SignedDuration;
use serde::Serialize;
use serde_json::Value;
use shared::aws::StoreError;
use shared::erasure;
use shared::event::EventId;
use shared::kind::{self, Effect, Kind};
use shared::ledger::{EventListing, LedgerRow};
use shared::order::{Snapshot, Winner, latest};
use shared::page::MAX_LIMIT;
use shared::records::{Provenance, Record, made_at};
use shared::unix_time::UnixSeconds;

use super::PointInTime;
use crate::deps::Deps;
use crate::snapshots::read_snapshots;
use crate::view::LoadedRecord;

/// Events that are read of an object at first. Few seconds have more than some.
const FIRST_EVENTS: usize = 10;

const READING: &str = "reading a state that has passed";

/// What an object was at the end of a second.
#[derive(Debug)]
pub(super) enum PastObject {
    /// It was so.
    Known(Box<LoadedRecord>),
    /// Stripe had not made it yet.
    NotMade,
    /// Nobody can say what it was.
    Unknown {
        /// Whether Stripe had made it by then; none if that is not known either.
        existed: Option<bool>,
        /// Why.
        reason: UnknownReason,
    },
}

/// Why nobody can say what an object was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum UnknownReason {
    /// It has changed since, and the ledger does not reach back so far.
    BeforeLedger,
    /// It has changed since, and the ledger has no event of it up to then: it was imported, for one.
    NoEvent,
    /// It has changed since, and the events of then are erased.
    Erased,
    /// It has changed since, and the payload of an event of then is damaged.
    PayloadMissing,
    /// It has changed since, and there are too many events to be looked at.
    TooManyEvents,
    /// It was found deleted at Stripe, and nothing says since when it was.
    DeletionUndated,
    /// It was found gone at Stripe, and nothing says since when it was.
    GoneUndated,
    /// Its id was another object's then, of which no event up to then is here.
    IdUsedBefore,
}

/// Tells what the object of a record was.
///
/// # Errors
/// If the ledger cannot be read, or the record is damaged.
pub(super) async fn past_object(
    deps: &Deps,
    at: &PointInTime,
    record: Record,
) -> Result<PastObject, StoreError> {
    if record.as_of <= at.second {
        return Ok(match undated_end(&record).filter(|_| !at.is_present()) {
            Some(reason) => PastObject::Unknown { existed: Some(true), reason },
            None => PastObject::Known(Box::new(LoadedRecord::new(record)?)),
        });
    }
    let events = PastEvents { deps, at, record: &record };
    let rows = match events.latest().await? {
        Some(rows) if !rows.is_empty() => rows,
        Some(_) => return events.state_without_event().await,
        None => return Ok(PastObject::of_existing(UnknownReason::TooManyEvents)),
    };
    let snapshots = read_snapshots(deps, &record.key, &rows).await?;
    if let Some(missing) = rows.iter().find(|row| !snapshots.iter().any(|snapshot| snapshot.id == row.id)) {
        let is_erased = missing.erased || record.erased;
        let reason = if is_erased { UnknownReason::Erased } else { UnknownReason::PayloadMissing };
        return Ok(PastObject::of_existing(reason));
    }
    let Some(winner) = latest(&snapshots) else { return events.state_without_event().await };
    let Some(shown) = snapshots.iter().find(|snapshot| snapshot.id == winner.id) else {
        return Ok(PastObject::of_existing(UnknownReason::PayloadMissing));
    };
    let of_second = snapshots.iter().filter(|snapshot| snapshot.created == shown.created);
    let of_second: Vec<EventId> = of_second.map(|snapshot| snapshot.id.clone()).collect();
    let past = if winner.uncertain && events.were_settled_by_stripe(&of_second).await? {
        as_answered(&record, shown.created)?
    } else {
        as_shown(&record, shown, &winner, of_second)?
    };
    Ok(PastObject::Known(Box::new(LoadedRecord::new(past)?.into_past())))
}

impl PastObject {
    fn of_existing(reason: UnknownReason) -> Self {
        Self::Unknown { existed: Some(true), reason }
    }
}

/// Why it is not known when an object ended, where Stripe was asked and said that it had. The record stands
/// for the second of before.
fn undated_end(record: &Record) -> Option<UnknownReason> {
    if record.deleted && record.fetched {
        Some(UnknownReason::DeletionUndated)
    } else if record.gone_at_stripe {
        Some(UnknownReason::GoneUndated)
    } else {
        None
    }
}

/// The record as an event showed it.
fn as_shown(
    record: &Record,
    shown: &Snapshot,
    winner: &Winner,
    events: Vec<EventId>,
) -> Result<Record, StoreError> {
    let provenance = Provenance {
        as_of: shown.created,
        event: Some(shown.id.clone()),
        events,
        deleted: shown.is_deletion(),
        order_uncertain: winner.uncertain,
        fetched: false,
    };
    past_record(record, provenance, shown.raw.as_bytes(), &shown.object)
}

/// The record as Stripe answered when the events of a second had no order: as of that second, because nothing
/// has come between the two.
fn as_answered(record: &Record, second: UnixSeconds) -> Result<Record, StoreError> {
    let raw = record.object().map_err(StoreError::doing(READING))?;
    let object = record.parsed().unwrap_or_default();
    let provenance = Provenance {
        as_of: second,
        event: record.event.clone(),
        events: record.events.clone(),
        deleted: record.deleted,
        order_uncertain: false,
        fetched: true,
    };
    past_record(record, provenance, &raw, &object)
}

/// What is erased from the record is erased from what it was.
fn past_record(
    record: &Record,
    provenance: Provenance,
    raw: &[u8],
    object: &Value,
) -> Result<Record, StoreError> {
    let past = if record.erased {
        let object = erasure::reduced(object);
        Record::new(record.key.clone(), provenance, object.to_string().as_bytes(), &object)
            .and_then(|past| past.erased())
    } else {
        Record::new(record.key.clone(), provenance, raw, object)
    };
    past.map_err(StoreError::doing(READING))
}

/// The applied events of a record that has changed since.
struct PastEvents<'a> {
    deps: &'a Deps,
    at: &'a PointInTime,
    record: &'a Record,
}

impl PastEvents<'_> {
    /// The events that decide what the object was: those of the latest second, and where ids are used again
    /// those of before, which may be of another object. None if they are too many.
    async fn latest(&self) -> Result<Option<Vec<LedgerRow>>, StoreError> {
        let is_used_again = self.record.key.kind().is_some_and(Kind::ids_are_used_again);
        let listing = self.between(self.at.known_since, self.at.second);
        let at_first = if is_used_again { MAX_LIMIT } else { FIRST_EVENTS };
        let (mut rows, mut from) = (Vec::new(), None);
        for limit in [at_first, MAX_LIMIT] {
            let is_applied = |row: &LedgerRow| self.is_applied(row);
            let page = self.deps.ledger.list(&listing, from, limit, self.at.now, is_applied).await?;
            rows.extend(page.rows);
            from = page.next;
            let second = rows.first().and_then(|row: &LedgerRow| row.created);
            let is_whole = rows.last().is_some_and(|last| last.created != second);
            if from.is_none() || is_whole {
                rows.retain(|row| is_used_again || row.created == second);
                return Ok(Some(rows));
            }
        }
        Ok(None)
    }

    /// What the object was, of which there is no event of up to then.
    async fn state_without_event(&self) -> Result<PastObject, StoreError> {
        let Self { at, record, .. } = self;
        let reason = if at.is_before_ledger() { UnknownReason::BeforeLedger } else { UnknownReason::NoEvent };
        let object = record.parsed().unwrap_or_default();
        let is_used_again = record.key.kind().is_some_and(Kind::ids_are_used_again);
        Ok(match made_at(&object) {
            Some(made) if made > at.second && !is_used_again => PastObject::NotMade,
            Some(made) if made > at.second && at.is_before_ledger() => {
                PastObject::Unknown { existed: None, reason }
            }
            Some(made) if made > at.second => {
                if self.was_id_used_then().await? {
                    PastObject::of_existing(UnknownReason::IdUsedBefore)
                } else {
                    PastObject::NotMade
                }
            }
            Some(_) => PastObject::of_existing(reason),
            None => {
                let is_creation = |row: &LedgerRow| {
                    row.event_type.as_deref().and_then(kind::effect) == Some(Effect::Creation)
                };
                if !is_used_again && self.is_any_later(is_creation).await? {
                    PastObject::NotMade
                } else {
                    PastObject::Unknown { existed: None, reason }
                }
            }
        })
    }

    /// Whether Stripe was asked about these events of one second, and its answer is what the record shows; if
    /// no event came between the two, it is also what the object was in between.
    async fn were_settled_by_stripe(&self, second: &[EventId]) -> Result<bool, StoreError> {
        let is_answer = self.record.fetched
            && self.record.event.is_some()
            && second.iter().any(|event| self.record.events.contains(event));
        Ok(is_answer && !self.is_any_later(|row| !second.contains(&row.id)).await?)
    }

    /// Whether another object had the id at that second: later events are of one that was made by then, such
    /// as its deletion.
    async fn was_id_used_then(&self) -> Result<bool, StoreError> {
        let is_applied = |row: &LedgerRow| self.is_applied(row);
        let listing = self.later();
        let page = self.deps.ledger.list(&listing, None, MAX_LIMIT, self.at.now, is_applied).await?;
        let snapshots = read_snapshots(self.deps, &self.record.key, &page.rows).await?;
        let is_readable = snapshots.len() == page.rows.len() && page.next.is_none();
        let is_of_then =
            |snapshot: &Snapshot| snapshot.version().made.is_none_or(|made| made <= self.at.second);
        Ok(!is_readable || snapshots.iter().any(is_of_then))
    }

    /// Whether there is such an event between then and what the record shows.
    async fn is_any_later(&self, is_such: impl Fn(&LedgerRow) -> bool) -> Result<bool, StoreError> {
        let is_wanted = |row: &LedgerRow| self.is_applied(row) && is_such(row);
        let page = self.deps.ledger.list(&self.later(), None, 1, self.at.now, is_wanted).await?;
        // A page that is short has looked at very many; what it did not see may be such a one.
        Ok(!page.rows.is_empty() || page.next.is_some())
    }

    /// The events after that second, up to what the record shows.
    fn later(&self) -> EventListing {
        self.between(self.at.second + SignedDuration::from_secs(1), self.record.as_of)
    }

    fn between(&self, since: UnixSeconds, until: UnixSeconds) -> EventListing {
        EventListing::ObjectBetween { object: self.record.key.clone(), since, until }
    }

    fn is_applied(&self, row: &LedgerRow) -> bool {
        row.was_applied() || self.record.events.contains(&row.id)
    }
}
