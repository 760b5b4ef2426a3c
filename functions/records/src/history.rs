//! How a payment came to be what it is: its states and sums, the earliest first.
//!
//! Derived when it is read, like the payment itself, and by the same order of events as its records: second by second as Stripe
//! stamped them, never by arrival. So an event that came late, twice or after a newer one makes the same history.
//!
//! The rule: an object's record closes its life. What an event says beyond the record is not told yet, and at the record's own
//! second the object is what the record shows. So the history always ends in the present state, also where the ledger has
//! forgotten the events, or where Stripe was asked and no event has the answer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::event::EventId;
use shared::object_key::Kind;
use shared::order::{Snapshot, winner};
use shared::records::Record;

use crate::payment::{Payment, PaymentState, derive};
use crate::view::seconds;

/// One object of a payment: what its record shows, and what the ledger's events said of it.
#[derive(Debug)]
pub(crate) struct Life<'a> {
    pub(crate) kind: Kind,
    pub(crate) record: &'a Record,
    /// What the record shows.
    pub(crate) object: &'a Value,
    /// In any order.
    pub(crate) snapshots: Vec<Snapshot>,
}

/// What a payment came to be at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    at: Option<Timestamp>,
    state: PaymentState,
    amount_captured: i64,
    amount_refunded: i64,
    amount_disputed: i64,
    /// The payment's events of that second; none if the ledger does not hold them any more, or Stripe was asked.
    events: Vec<EventId>,
}

/// What is known of an object from a second on, and by which events.
struct Step<'a> {
    object: &'a Value,
    events: Vec<&'a EventId>,
}

/// The history of a payment, from the first second in which its PaymentIntent is known.
pub(crate) fn history(lives: &[Life<'_>]) -> Vec<Entry> {
    let mut steps: Vec<BTreeMap<i64, Step<'_>>> = lives.iter().map(steps).collect();
    begin_earlier(lives, &mut steps);
    let seconds: BTreeSet<i64> = steps.iter().flat_map(|steps| steps.keys().copied()).collect();
    let mut entries: Vec<Entry> = Vec::new();
    for second in seconds {
        let Some(payment) = as_of(second, lives, &steps) else { continue };
        let of_second = steps.iter().filter_map(|steps| steps.get(&second));
        let events: BTreeSet<&EventId> = of_second.flat_map(|step| step.events.iter().copied()).collect();
        if entries.last().is_none_or(|last| !last.says(&payment)) {
            entries.push(Entry::new(second, &payment, events.into_iter().cloned().collect()));
        }
    }
    entries
}

/// The payment as it was at the end of a second; none before its PaymentIntent is known.
fn as_of(second: i64, lives: &[Life<'_>], steps: &[BTreeMap<i64, Step<'_>>]) -> Option<Payment> {
    let known = |kind: Kind| {
        let of_kind = lives.iter().zip(steps).filter(move |(life, _)| life.kind == kind);
        of_kind.filter_map(move |(_, steps)| steps.range(..=second).next_back().map(|(_, step)| step.object))
    };
    let intent = known(Kind::Payment).next()?;
    Some(derive(intent, known(Kind::Charge), known(Kind::Refund), known(Kind::Dispute)))
}

/// A PaymentIntent of which no event tells was there, and paid, when the first of its refunds or disputes was made. So it counts
/// from there as its record shows it.
fn begin_earlier<'a>(lives: &'a [Life<'_>], steps: &mut [BTreeMap<i64, Step<'a>>]) {
    let of_paid = lives.iter().zip(steps.iter()).filter(|(life, _)| life.comes_after_payment());
    let first = of_paid.filter_map(|(_, steps)| steps.keys().next().copied()).min();
    let of_intent = lives.iter().zip(steps.iter_mut()).find(|(life, _)| life.kind == Kind::Payment);
    if let (Some(first), Some((life, steps))) = (first, of_intent)
        && steps.values().all(|step| step.events.is_empty())
    {
        steps.entry(first).or_insert(Step { object: life.object, events: Vec::new() });
    }
}

/// An object's states by second: each second's winner, and at last what the record shows. A refund or dispute of which no event
/// tells counts as its record shows it from when it was made.
fn steps<'a>(life: &'a Life<'_>) -> BTreeMap<i64, Step<'a>> {
    let Record { as_of, events: seen, fetched, .. } = life.record;
    let mut by_second: BTreeMap<i64, Vec<&Snapshot>> = BTreeMap::from([(*as_of, Vec::new())]);
    for snapshot in &life.snapshots {
        let told = snapshot.created < *as_of
            || snapshot.created == *as_of && (*fetched || seen.contains(&snapshot.id));
        if told {
            by_second.entry(snapshot.created).or_default().push(snapshot);
        }
    }
    let last_told = by_second.iter().rev().find(|(_, told)| !told.is_empty()).map(|(second, _)| *second);
    let made = life.object["created"].as_i64().filter(|made| 0 < *made && made < as_of);
    if let (Some(made), None, true) = (made, last_told, life.comes_after_payment()) {
        by_second.insert(made, Vec::new());
    }
    by_second
        .into_iter()
        .map(|(second, snapshots)| {
            // Where events could not tell and Stripe was asked, its answer decides their second too, unless others followed:
            // then it is of what came of those.
            let answered = *fetched
                && last_told == Some(second)
                && snapshots.iter().any(|snapshot| seen.contains(&snapshot.id));
            let best = winner(snapshots.iter().copied()).filter(|_| second != *as_of && !answered);
            let best = best.and_then(|best| snapshots.iter().find(|snapshot| snapshot.id == best.id));
            let object = best.map_or(life.object, |best| &best.object);
            (second, Step { object, events: snapshots.iter().map(|snapshot| &snapshot.id).collect() })
        })
        .collect()
}

impl Life<'_> {
    /// Can it be made only of a payment that was paid?
    fn comes_after_payment(&self) -> bool {
        matches!(self.kind, Kind::Refund | Kind::Dispute)
    }
}

impl Entry {
    fn new(second: i64, payment: &Payment, events: Vec<EventId>) -> Self {
        Self {
            at: seconds(second),
            state: payment.state,
            amount_captured: payment.amount_captured,
            amount_refunded: payment.amount_refunded,
            amount_disputed: payment.amount_disputed,
            events,
        }
    }

    fn says(&self, payment: &Payment) -> bool {
        self.state == payment.state
            && self.amount_captured == payment.amount_captured
            && self.amount_refunded == payment.amount_refunded
            && self.amount_disputed == payment.amount_disputed
    }
}

#[cfg(test)]
mod tests;
