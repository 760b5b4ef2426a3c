//! One event, from its row to its record and back.
//!
//! Why doing it again is harmless, at each place where it can stop:
//!
//! ```text
//! read row ─ put record (condition: older, or as read) ─ mark row (condition: not final, same attempts)
//!          │                                           │
//!          └ stopped here: nothing was done            └ stopped here: done again, the record has seen the event already
//!                                                        (its id is in `events`, or the record is newer), so nothing is
//!                                                        written and the row is marked
//! ```

use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use shared::aws::error_chain;
use shared::event::{self, Event, EventId, ParsedEvent};
use shared::ledger::{EventState, LedgerRow, Transition, Transitioned};
use shared::order::{Comparison, RecordVersion, Snapshot, SnapshotError, compare, winner};
use shared::records::{Provenance, Put, Record};

use crate::admit::{Admission, admit, reasons};
use crate::ask::{Answer, ask};
use crate::error::ApplyError;
use crate::{AT_ONCE, Invocation};

/// Even packed, the object is over what one item of DynamoDB can hold. Stripe's own bounds on its fields keep real ones far below.
const TOO_LARGE: &str =
    "the object is too large to be kept as a record: packed it is over 380 kB; its payload is kept";

/// Writers of one record are few; more rounds than this mean that something else is wrong.
const ROUNDS: u32 = 10;

/// Applies an event and marks its row. Gives the state it was put into; none if somebody else has settled it, or if not even
/// the mark could be written, and then the sweep comes back to it.
pub(crate) async fn settle(invocation: Invocation<'_>, row: &LedgerRow) -> Option<EventState> {
    let Invocation { deps, now, .. } = invocation;
    let mark = match apply(invocation, row).await {
        Ok(mark) => mark,
        Err(error) => {
            tracing::error!(error = error_chain(&error), event.id = %row.id, event.attempts = row.attempts, "an event could not be applied");
            failed(invocation, row, &error)
        }
    };
    match deps.ledger.transition(row, &mark, deps.retention, now).await {
        Ok(Transitioned::Done) => Some(mark.state),
        Ok(Transitioned::Conflict) => None,
        Err(error) => {
            tracing::error!(error = error_chain(&error), event.id = %row.id, "an event could not be marked; the sweep will come back to it");
            None
        }
    }
}

fn failed(invocation: Invocation<'_>, row: &LedgerRow, error: &ApplyError) -> Transition {
    let retry = invocation.rules.retry;
    if retry.used_up(row.attempts) || error.is_lasting() {
        return Transition::because(EventState::Dead, error_chain(error));
    }
    let due_at = Some(retry.due_at(&row.id, row.attempts, invocation.now));
    Transition { due_at, ..Transition::because(EventState::Failed, error_chain(error)) }
}

/// Applies an event. Gives what its row is to say.
async fn apply(invocation: Invocation<'_>, row: &LedgerRow) -> Result<Transition, ApplyError> {
    let Invocation { deps, rules, .. } = invocation;
    let body = match deps.ledger.body(row).await? {
        Ok(body) => body,
        Err(damaged) => return Ok(Transition::because(EventState::Quarantined, error_chain(&damaged))),
    };
    let event = match event::read(&body) {
        ParsedEvent::Event(event) => event,
        ParsedEvent::Unreadable { reason, .. } => {
            return Ok(Transition::because(EventState::Quarantined, reason));
        }
        ParsedEvent::EventError(why) => {
            return Ok(Transition::because(EventState::Quarantined, why.to_string()));
        }
    };
    match admit(&event, deps.mode, &rules.ignore) {
        Admission::Apply => {}
        Admission::Ignore(reason) => return ignored(invocation, row, &event, reason).await,
        Admission::Quarantine(reason) => return Ok(Transition::because(EventState::Quarantined, reason)),
    }
    match Snapshot::of(&event) {
        Ok(snapshot) => store(invocation, snapshot).await,
        Err(SnapshotError::NoRecord) => ignored(invocation, row, &event, reasons::NO_RECORD).await,
        Err(SnapshotError::Unreadable(reason)) => Ok(Transition::because(EventState::Quarantined, reason)),
    }
}

/// An event that changes no record. A preview is found under its subscription; so that it is under its customer as well, it is
/// listed there.
async fn ignored(
    invocation: Invocation<'_>,
    row: &LedgerRow,
    event: &Event<'_>,
    reason: &str,
) -> Result<Transition, ApplyError> {
    let Invocation { deps, now, .. } = invocation;
    if let Some(customer) = event.also_listed_under() {
        deps.ledger.list_also_under(row, &customer, deps.retention, now).await?;
    }
    Ok(Transition::because(EventState::Ignored, reason))
}

/// Gives the record the snapshot, if the order says so. The first write is blind: most events are the newest of their object,
/// and one that is not gets the record with the refusal, so nothing is read beforehand.
async fn store(invocation: Invocation<'_>, snapshot: Snapshot) -> Result<Transition, ApplyError> {
    let records = &invocation.deps.records;
    let fresh = alone(&snapshot)?;
    if fresh.is_too_large() {
        return Ok(Transition::because(EventState::Quarantined, TOO_LARGE));
    }
    let mut put = records.put_newer(&fresh).await?;
    // Stripe is asked once, however often others write the record meanwhile.
    let mut answer = None;
    for _ in 0..ROUNDS {
        let old = match put {
            Put::Done => return Ok(Transition::plain(EventState::Processed)),
            Put::Conflict(old) => old,
        };
        if seen(&old, &snapshot) {
            return Ok(ended(&old, &snapshot));
        }
        let shown = RecordVersion { as_of: old.as_of, deleted: old.deleted, fetched: old.fetched };
        let new = match compare(snapshot.created, snapshot.is_deletion(), shown) {
            Comparison::Older => (*old).clone(),
            Comparison::Newer => fresh.clone(),
            Comparison::SameSecond => together(invocation, &old, &snapshot, &mut answer).await?,
        }
        .with_earlier_position(&fresh);
        // An older event changes the record only where it alone knows when the object was made.
        if new == *old {
            return Ok(ended(&old, &snapshot));
        }
        put = records.put_over(&old, &new).await?;
        if put == Put::Done {
            return Ok(ended(&new, &snapshot));
        }
    }
    Err(ApplyError::Contended(ROUNDS))
}

/// Has the record looked at this event already? Where its second could not be put in order, it is worth looking again: by now
/// Stripe may be asked.
fn seen(old: &Record, snapshot: &Snapshot) -> bool {
    let of_its_second = old.fetched || old.as_of == snapshot.created && old.deleted == snapshot.is_deletion();
    of_its_second && !old.order_uncertain && old.events.contains(&snapshot.id)
}

/// What the row of an event says, once the record is as it is.
fn ended(record: &Record, snapshot: &Snapshot) -> Transition {
    let won = record.event.as_ref() == Some(&snapshot.id);
    let state = if won { EventState::Processed } else { EventState::Superseded };
    let looked_at = record.events.contains(&snapshot.id);
    if record.order_uncertain && looked_at {
        Transition::because(state, reasons::ORDER_UNCERTAIN)
    } else if record.fetched && looked_at {
        Transition::because(state, "the events of this second have no order, so Stripe was asked")
    } else if won {
        Transition::plain(state)
    } else if let Some(shown) = &record.event {
        Transition::because(state, format!("the record shows {shown}"))
    } else {
        Transition::because(state, "the record shows what Stripe answered later")
    }
}

/// The record if this is the only event of its second.
fn alone(snapshot: &Snapshot) -> Result<Record, ApplyError> {
    record(snapshot, vec![snapshot.id.clone()], false)
}

/// The record when the second holds other events too.
async fn together(
    invocation: Invocation<'_>,
    old: &Record,
    snapshot: &Snapshot,
    answer: &mut Option<Answer>,
) -> Result<Record, ApplyError> {
    let mut second = vec![snapshot.clone()];
    let others = old.events.iter().filter(|id| **id != snapshot.id).map(|id| of_ledger(invocation, id));
    let others: Vec<Option<Snapshot>> = futures::stream::iter(others).buffered(AT_ONCE).try_collect().await?;
    // What the ledger no longer holds cannot be put in order with the rest.
    let forgotten = others.iter().any(Option::is_none);
    second.extend(others.into_iter().flatten());
    // There is at least the snapshot itself.
    let Some(best) = winner(&second) else { return alone(snapshot) };
    let uncertain = best.uncertain || forgotten && !snapshot.is_deletion();
    let ids: Vec<EventId> =
        second.iter().map(|one| one.id.clone()).chain(old.events.iter().cloned()).collect();
    if uncertain && let Some(answered) = asked(invocation, &second, snapshot, &ids, answer).await? {
        return Ok(answered);
    }
    let is_shown = |id: &EventId| old.event.as_ref() == Some(id);
    let shown_is_forgotten = !second.iter().any(|one| is_shown(&one.id));
    if is_shown(&best.id) || uncertain && shown_is_forgotten {
        return Ok(old.with_event_seen(&snapshot.id, uncertain));
    }
    let shown = second.iter().find(|one| one.id == best.id).unwrap_or(snapshot);
    record(shown, ids, uncertain)
}

fn record(shown: &Snapshot, events: Vec<EventId>, order_uncertain: bool) -> Result<Record, ApplyError> {
    let standing = Provenance {
        as_of: shown.created,
        event: Some(shown.id.clone()),
        events,
        deleted: shown.is_deletion(),
        order_uncertain,
        fetched: false,
    };
    Record::new(shown.key.clone(), standing, shown.raw.as_bytes(), &shown.object).map_err(ApplyError::Packing)
}

/// The record as Stripe says it is, when the second's events cannot tell. None: the key may not ask.
async fn asked(
    invocation: Invocation<'_>,
    second: &[Snapshot],
    snapshot: &Snapshot,
    ids: &[EventId],
    answer: &mut Option<Answer>,
) -> Result<Option<Record>, ApplyError> {
    let was_draft = second.iter().all(|one| one.object["status"] == "draft");
    let answer = match answer {
        Some(answer) => &*answer,
        None => answer.insert(ask(invocation, &snapshot.key, snapshot.created, was_draft).await?),
    };
    let (raw, as_of) = match answer {
        Answer::MayNot => return Ok(None),
        Answer::Object { raw, as_of } => (raw.get().to_owned(), *as_of),
        Answer::Gone => {
            let gone = json!({ "id": snapshot.key.id(), "object": snapshot.key.object(), "deleted": true });
            (gone.to_string(), snapshot.created)
        }
    };
    let object: Value = serde_json::from_str(&raw).map_err(ApplyError::Answer)?;
    let standing = Provenance {
        as_of,
        event: Some(snapshot.id.clone()),
        events: ids.to_vec(),
        deleted: object["deleted"] == true,
        order_uncertain: false,
        fetched: true,
    };
    Record::new(snapshot.key.clone(), standing, raw.as_bytes(), &object)
        .map(Some)
        .map_err(ApplyError::Packing)
}

/// The snapshot of another event. None if the ledger no longer holds it, or what it holds is damaged.
async fn of_ledger(invocation: Invocation<'_>, id: &EventId) -> Result<Option<Snapshot>, ApplyError> {
    let Invocation { deps, now, .. } = invocation;
    let Some(row) = deps.ledger.get(id, now).await? else { return Ok(None) };
    let Ok(body) = deps.ledger.body(&row).await? else { return Ok(None) };
    let ParsedEvent::Event(event) = event::read(&body) else { return Ok(None) };
    Ok(Snapshot::of(&event).ok())
}
