//! One event, from its row to its record and back.
//!
//! Why doing it again is harmless, at each place where it can stop:
//!
//! ```text
//! read row ─ put record ────────────────── set the row's state
//!          │ (condition: older, or as read)│ (condition: not final, same attempts)
//!          │                               │
//!          │                               └ stopped here: done again, the record holds the event already
//!          │                                 (its id is in `events`, or the record is newer), so only the
//!          │                                 state is set
//!          └ stopped here: nothing was done
//! ```

use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use shared::aws::error_chain;
use shared::event::{self, Event, EventId, ParsedEvent};
use shared::kind::Kind;
use shared::ledger::{EventState, LedgerRow, Transition, Transitioned};
use shared::lossy_json;
use shared::order::{Comparison, Snapshot, SnapshotError, compare, winner};
use shared::records::{Provenance, Put, Record, as_deleted, says_only_deleted};

use crate::admission::{Admission, reasons};
use crate::error::ApplyError;
use crate::fetch_object::{FetchOutcome, fetch_object};
use crate::invocation::{CONCURRENCY, Invocation};

/// Even packed, the object is over what one item of DynamoDB can hold. Stripe's own bounds on its fields keep
/// real ones far below.
const TOO_LARGE: &str =
    "the object is too large to be kept as a record: packed it is over 380 kB; its payload is kept";

/// Writers of one record are few; more rounds than this mean that something else is wrong.
const ROUNDS: u32 = 10;

/// Applies an event and sets the state of its row. Returns that state; none if another attempt has set one,
/// or if it could not be written, and then the sweep tries the row again.
pub(crate) async fn apply(invocation: Invocation<'_>, row: &LedgerRow) -> Option<EventState> {
    let Invocation { deps, now, .. } = invocation;
    let transition = match try_apply(invocation, row).await {
        Ok(transition) => transition,
        Err(error) => {
            tracing::error!(error = error_chain(&error), event.id = %row.id, event.attempts = row.attempts, "an event could not be applied");
            transition_after_failure(invocation, row, &error)
        }
    };
    match deps.ledger.transition(row, &transition, deps.retention, now).await {
        Ok(Transitioned::Done) => Some(transition.state),
        Ok(Transitioned::Conflict) => None,
        Err(error) => {
            tracing::error!(error = error_chain(&error), event.id = %row.id, "the state of an event could not be written; the sweep tries the event again");
            None
        }
    }
}

fn transition_after_failure(invocation: Invocation<'_>, row: &LedgerRow, error: &ApplyError) -> Transition {
    let retry = invocation.rules.retry;
    if retry.used_up(row.attempts) || error.is_permanent() {
        return Transition::with_reason(EventState::Dead, error_chain(error));
    }
    let due_at = Some(retry.due_at(&row.id, row.attempts, invocation.now));
    Transition { due_at, ..Transition::with_reason(EventState::Failed, error_chain(error)) }
}

/// Applies an event. Returns what its row is to become.
async fn try_apply(invocation: Invocation<'_>, row: &LedgerRow) -> Result<Transition, ApplyError> {
    let Invocation { deps, rules, .. } = invocation;
    let body = match deps.ledger.body(row).await? {
        Ok(body) => body,
        Err(damaged) => return Ok(Transition::with_reason(EventState::Quarantined, error_chain(&damaged))),
    };
    let event = match event::read(&body) {
        ParsedEvent::Event(event) => event,
        ParsedEvent::Unreadable { reason, .. } => {
            return Ok(Transition::with_reason(EventState::Quarantined, reason));
        }
        ParsedEvent::NotAnEvent(error) => {
            return Ok(Transition::with_reason(EventState::Quarantined, error.to_string()));
        }
    };
    match Admission::decide(&event, deps.mode, &rules.ignore) {
        Admission::Apply => {}
        Admission::Ignore(reason) => return ignore(invocation, row, &event, reason).await,
        Admission::Quarantine(reason) => return Ok(Transition::with_reason(EventState::Quarantined, reason)),
    }
    match Snapshot::from_event(&event) {
        Ok(snapshot) => put_record(invocation, snapshot).await,
        Err(SnapshotError::NoRecord) => ignore(invocation, row, &event, reasons::NO_RECORD).await,
        Err(SnapshotError::Unreadable(reason)) => {
            Ok(Transition::with_reason(EventState::Quarantined, reason))
        }
    }
}

/// An event that changes no record. A preview is listed under its subscription, and here under its customer
/// as well.
async fn ignore(
    invocation: Invocation<'_>,
    row: &LedgerRow,
    event: &Event<'_>,
    reason: &str,
) -> Result<Transition, ApplyError> {
    let Invocation { deps, now, .. } = invocation;
    if let Some(customer) = event.also_listed_under() {
        deps.ledger.list_also_under(row, &customer, deps.retention, now).await?;
    }
    Ok(Transition::with_reason(EventState::Ignored, reason))
}

/// Puts the snapshot into the record, if the order says so. The first write is blind: most events are the
/// newest of their object, and one that is not gets the record with the conflict, so nothing is read
/// beforehand.
async fn put_record(invocation: Invocation<'_>, snapshot: Snapshot) -> Result<Transition, ApplyError> {
    let records = &invocation.deps.records;
    let fresh = record_of_one_event(&snapshot)?;
    if fresh.is_too_large() {
        return Ok(Transition::with_reason(EventState::Quarantined, TOO_LARGE));
    }
    let mut put = records.put_if_newer(&fresh).await?;
    // Stripe is asked once, however often others write the record meanwhile.
    let mut fetched = None;
    for _ in 0..ROUNDS {
        let old = match put {
            Put::Done => return Ok(Transition::to(EventState::Processed)),
            Put::Conflict(old) => old,
        };
        if is_considered(&old, &snapshot) {
            return Ok(transition_for(&old, &snapshot));
        }
        let new = match compare(snapshot.version(), old.version()) {
            Comparison::Older => old.with_listing_of(&fresh),
            Comparison::Newer => fresh.clone(),
            Comparison::SameSecond => {
                let new = record_of_second(invocation, &old, &snapshot, &mut fetched).await?;
                new.with_listing_of(&fresh)
            }
        };
        // An older event changes the record only where it alone knows when the object was made, whose it was,
        // or that a balance changed.
        if new == *old {
            return Ok(transition_for(&old, &snapshot));
        }
        put = records.replace(&old, &new).await?;
        if put == Put::Done {
            return Ok(transition_for(&new, &snapshot));
        }
    }
    Err(ApplyError::Contended(ROUNDS))
}

/// Whether the record has taken this event into account. Where its second could not be put in order, it is
/// worth another look, unless the object is gone: by now the Stripe key may read it.
fn is_considered(old: &Record, snapshot: &Snapshot) -> bool {
    let is_same_second =
        old.fetched || old.as_of == snapshot.created && old.deleted == snapshot.is_deletion();
    is_same_second && (!old.order_uncertain || old.gone_at_stripe) && old.events.contains(&snapshot.id)
}

/// Returns what the row of an event becomes, once the record is as it is.
fn transition_for(record: &Record, snapshot: &Snapshot) -> Transition {
    let is_shown = record.event.as_ref() == Some(&snapshot.id);
    let state = if is_shown { EventState::Processed } else { EventState::Superseded };
    let is_of_its_second = record.events.contains(&snapshot.id);
    if record.order_uncertain && record.gone_at_stripe && is_of_its_second {
        Transition::with_reason(state, reasons::GONE_AT_STRIPE)
    } else if record.order_uncertain && is_of_its_second {
        Transition::with_reason(state, reasons::ORDER_UNCERTAIN)
    } else if record.fetched && is_of_its_second {
        Transition::with_reason(state, "the events of this second have no order, so Stripe was asked")
    } else if is_shown {
        Transition::to(state)
    } else if let Some(shown) = &record.event {
        Transition::with_reason(state, format!("the record shows {shown}"))
    } else {
        Transition::with_reason(state, "the record shows what Stripe answered later")
    }
}

/// Returns the record if this is the only event of its second.
fn record_of_one_event(snapshot: &Snapshot) -> Result<Record, ApplyError> {
    record_from(snapshot, vec![snapshot.id.clone()], false)
}

/// Returns the record when the second holds other events too.
async fn record_of_second(
    invocation: Invocation<'_>,
    old: &Record,
    snapshot: &Snapshot,
    fetched: &mut Option<FetchOutcome>,
) -> Result<Record, ApplyError> {
    let mut second = vec![snapshot.clone()];
    let others = old.events.iter().filter(|id| **id != snapshot.id);
    let others = others.map(|id| read_snapshot(invocation, id));
    let others: Vec<Option<Snapshot>> =
        futures::stream::iter(others).buffered(CONCURRENCY).try_collect().await?;
    // What the ledger no longer holds cannot be put in order with the rest.
    let any_expired = others.iter().any(Option::is_none);
    second.extend(others.into_iter().flatten());
    // There is at least the snapshot itself.
    let Some(best) = winner(&second) else { return record_of_one_event(snapshot) };
    let uncertain = best.uncertain || any_expired && !snapshot.is_deletion();
    let ids: Vec<EventId> =
        second.iter().map(|snapshot| snapshot.id.clone()).chain(old.events.iter().cloned()).collect();
    if uncertain
        && let Some(record) =
            record_from_stripe(invocation, &second, &best.id, snapshot, &ids, fetched).await?
    {
        return Ok(record);
    }
    // An event of a second that the record has reached already does not show that Stripe has the object.
    let gone_at_stripe = old.gone_at_stripe || uncertain && matches!(fetched, Some(FetchOutcome::Gone));
    let is_shown = |id: &EventId| old.event.as_ref() == Some(id);
    let shown_has_expired = !second.iter().any(|snapshot| is_shown(&snapshot.id));
    if is_shown(&best.id) || uncertain && shown_has_expired {
        return Ok(old.with_event_seen(&snapshot.id, uncertain).with_gone_at_stripe(gone_at_stripe));
    }
    let shown = second.iter().find(|snapshot| snapshot.id == best.id).unwrap_or(snapshot);
    Ok(record_from(shown, ids, uncertain)?.with_gone_at_stripe(gone_at_stripe))
}

fn record_from(shown: &Snapshot, events: Vec<EventId>, order_uncertain: bool) -> Result<Record, ApplyError> {
    let provenance = Provenance {
        as_of: shown.created,
        event: Some(shown.id.clone()),
        events,
        deleted: shown.is_deletion(),
        order_uncertain,
        fetched: false,
    };
    let record = Record::new(shown.key.clone(), provenance, shown.raw.as_bytes(), &shown.object)
        .map_err(ApplyError::Packing)?;
    Ok(match &shown.previous_attributes {
        Some(replaced) => record.with_replaced(replaced),
        None => record,
    })
}

/// Returns the record as Stripe has it, for a second whose events cannot be put in order; none if the key may
/// not read it, or Stripe no longer has it. Of what is deleted there, the snapshot of the event `best` stays.
async fn record_from_stripe(
    invocation: Invocation<'_>,
    second: &[Snapshot],
    best: &EventId,
    snapshot: &Snapshot,
    ids: &[EventId],
    fetched: &mut Option<FetchOutcome>,
) -> Result<Option<Record>, ApplyError> {
    let deletion = snapshot.key.kind().map(Kind::deletion);
    let deletion =
        deletion.filter(|deletion| second.iter().all(|snapshot| deletion.can_follow(&snapshot.object)));
    let fetched = match fetched {
        Some(fetched) => &*fetched,
        None => fetched.insert(fetch_object(invocation, &snapshot.key, snapshot.created, deletion).await?),
    };
    let (mut raw, as_of) = match fetched {
        FetchOutcome::NotReadable | FetchOutcome::Gone => return Ok(None),
        FetchOutcome::Fetched { raw, as_of } => (raw.get().to_owned(), *as_of),
        FetchOutcome::Deleted => {
            let named = json!({ "id": snapshot.key.id(), "object": snapshot.key.object(), "deleted": true });
            (named.to_string(), snapshot.created)
        }
    };
    let mut object: Value = lossy_json::from_str(&raw).map_err(ApplyError::UnreadableObject)?;
    let known = second.iter().find(|snapshot| snapshot.id == *best).unwrap_or(snapshot);
    if says_only_deleted(&object)
        && let Some(known) = as_deleted(known.raw.as_bytes())
    {
        object = lossy_json::from_str(&known).map_err(ApplyError::UnreadableObject)?;
        raw = known;
    }
    let provenance = Provenance {
        as_of,
        event: Some(snapshot.id.clone()),
        events: ids.to_vec(),
        deleted: object["deleted"] == true,
        order_uncertain: false,
        fetched: true,
    };
    Record::new(snapshot.key.clone(), provenance, raw.as_bytes(), &object)
        .map(Some)
        .map_err(ApplyError::Packing)
}

/// Reads the snapshot of another event from the ledger. None if the ledger no longer holds it, or what it
/// holds is damaged.
async fn read_snapshot(invocation: Invocation<'_>, id: &EventId) -> Result<Option<Snapshot>, ApplyError> {
    let Invocation { deps, now, .. } = invocation;
    let Some(row) = deps.ledger.get(id, now).await? else { return Ok(None) };
    let Ok(body) = deps.ledger.body(&row).await? else { return Ok(None) };
    let ParsedEvent::Event(event) = event::read(&body) else { return Ok(None) };
    Ok(Snapshot::from_event(&event).ok())
}
