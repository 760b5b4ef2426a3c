//! A payment's history: its states and sums, the earliest first.
//!
//! Derived when it is read, like the payment itself, and by the same order of events as its records: second
//! by second as Stripe stamped them, never by arrival. So an event that came late, twice or after a newer one
//! makes the same history.
//!
//! The rule: an object's history ends with its record. An event beyond the record is not applied yet, and at
//! the record's own second the object is what the record shows. So the history always ends in the present
//! state, also where the ledger's events have expired, or where the object was fetched from Stripe and no
//! event shows that state.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::event::EventId;
use shared::kind::Kind;
use shared::order::{Snapshot, winner};
use shared::records::Record;
use shared::unix_time::UnixSeconds;

use super::charge_alone::as_payment_intent;
use super::{Payment, PaymentState, derive};

/// One object of a payment: what its record shows, and what the ledger's events show of it.
#[derive(Debug)]
pub(crate) struct ObjectTimeline<'a> {
    pub(crate) kind: Kind,
    pub(crate) record: &'a Record,
    /// What the record shows.
    pub(crate) object: &'a Value,
    /// In any order.
    pub(crate) snapshots: Vec<Snapshot>,
}

/// A payment's state and sums from a time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HistoryEntry {
    at: Option<Timestamp>,
    state: PaymentState,
    amount_captured: i64,
    amount_refunded: i64,
    amount_disputed: i64,
    /// Whether events of one of its objects could not be put in order, so that it may have been otherwise.
    order_uncertain: bool,
    /// The payment's events of that second; none if they have expired, or the object was fetched from Stripe.
    events: Vec<EventId>,
}

/// An object's state from a second on, and the events of that second.
struct ObjectState<'a> {
    object: &'a Value,
    order_uncertain: bool,
    events: Vec<&'a EventId>,
}

/// The states of one object, by the second from which each holds.
type StatesBySecond<'a> = BTreeMap<UnixSeconds, ObjectState<'a>>;

/// Derives the history of a payment, from the first second in which its PaymentIntent is known, or the charge
/// that has none.
pub(crate) fn history(timelines: &[ObjectTimeline<'_>]) -> Vec<HistoryEntry> {
    let mut states: Vec<StatesBySecond<'_>> = timelines.iter().map(states_by_second).collect();
    let main = main_kind(timelines);
    begin_earlier(main, timelines, &mut states);
    let seconds: BTreeSet<UnixSeconds> = states.iter().flat_map(|states| states.keys().copied()).collect();
    let mut entries: Vec<HistoryEntry> = Vec::new();
    for second in seconds {
        let Some(payment) = payment_at(second, main, timelines, &states) else { continue };
        let order_uncertain = states
            .iter()
            .filter_map(|states| states.range(..=second).next_back())
            .any(|(_, state)| state.order_uncertain);
        let of_second = states.iter().filter_map(|states| states.get(&second));
        let events: BTreeSet<&EventId> = of_second.flat_map(|state| state.events.iter().copied()).collect();
        if entries.last().is_none_or(|last| !last.equals(&payment)) {
            let events = events.into_iter().cloned().collect();
            entries.push(HistoryEntry::new(second, &payment, order_uncertain, events));
        }
    }
    entries
}

/// The kind of what the payment is: a PaymentIntent, or a charge without one.
fn main_kind(timelines: &[ObjectTimeline<'_>]) -> Kind {
    let has_intent = timelines.iter().any(|timeline| timeline.kind == Kind::PAYMENT);
    if has_intent { Kind::PAYMENT } else { Kind::CHARGE }
}

/// Derives the payment at the end of a second; none before what it is is known.
fn payment_at(
    second: UnixSeconds,
    main: Kind,
    timelines: &[ObjectTimeline<'_>],
    states: &[StatesBySecond<'_>],
) -> Option<Payment> {
    let objects = |kind: Kind| {
        let of_kind = timelines.iter().zip(states).filter(move |(timeline, _)| timeline.kind == kind);
        of_kind
            .filter_map(move |(_, states)| states.range(..=second).next_back().map(|(_, state)| state.object))
    };
    let object = objects(main).next()?;
    let of_charge = (main == Kind::CHARGE).then(|| as_payment_intent(object));
    let intent = of_charge.as_ref().unwrap_or(object);
    Some(derive(intent, objects(Kind::CHARGE), objects(Kind::REFUND), objects(Kind::DISPUTE)))
}

/// A payment without events existed, and was paid, when the first of its refunds or disputes was created. So
/// it counts from there on as its record shows it.
fn begin_earlier<'a>(main: Kind, timelines: &'a [ObjectTimeline<'a>], states: &mut [StatesBySecond<'a>]) {
    let after_payment =
        timelines.iter().zip(states.iter()).filter(|(timeline, _)| timeline.is_after_payment());
    let first = after_payment.filter_map(|(_, states)| states.keys().next().copied()).min();
    let of_main = timelines.iter().zip(states.iter_mut()).find(|(timeline, _)| timeline.kind == main);
    if let (Some(first), Some((timeline, states))) = (first, of_main)
        && states.values().all(|state| state.events.is_empty())
    {
        let order_uncertain = timeline.record.order_uncertain;
        let object = timeline.object;
        states.entry(first).or_insert(ObjectState { object, order_uncertain, events: Vec::new() });
    }
}

/// An object's states by second: each second's winner, and in the end what the record shows. A refund or
/// dispute without events counts as its record shows it from when it was created.
fn states_by_second<'a>(timeline: &'a ObjectTimeline<'_>) -> StatesBySecond<'a> {
    let Record { as_of, events: decided, fetched, .. } = timeline.record;
    let mut by_second: BTreeMap<UnixSeconds, Vec<&Snapshot>> = BTreeMap::from([(*as_of, Vec::new())]);
    for snapshot in &timeline.snapshots {
        let is_applied = snapshot.created < *as_of
            || snapshot.created == *as_of && (*fetched || decided.contains(&snapshot.id));
        if is_applied {
            by_second.entry(snapshot.created).or_default().push(snapshot);
        }
    }
    let last_with_events =
        by_second.iter().rev().find(|(_, snapshots)| !snapshots.is_empty()).map(|(second, _)| *second);
    let created = timeline.object["created"].as_i64().map(UnixSeconds::new);
    let created = created.filter(|created| UnixSeconds::new(0) < *created && created < as_of);
    if let (Some(created), None, true) = (created, last_with_events, timeline.is_after_payment()) {
        by_second.insert(created, Vec::new());
    }
    by_second
        .into_iter()
        .map(|(second, snapshots)| {
            // Where events had no order and Stripe was asked, its answer decides their second too, unless
            // other events followed: then it shows what came of those.
            let is_decided_by_stripe = *fetched
                && last_with_events == Some(second)
                && snapshots.iter().any(|snapshot| decided.contains(&snapshot.id));
            let winner =
                winner(snapshots.iter().copied()).filter(|_| second != *as_of && !is_decided_by_stripe);
            let won = winner.and_then(|winner| {
                let snapshot = snapshots.iter().find(|snapshot| snapshot.id == winner.id)?;
                Some((&snapshot.object, winner.uncertain))
            });
            let (object, order_uncertain) = won.unwrap_or((timeline.object, timeline.record.order_uncertain));
            let events = snapshots.iter().map(|snapshot| &snapshot.id).collect();
            (second, ObjectState { object, order_uncertain, events })
        })
        .collect()
}

impl ObjectTimeline<'_> {
    /// Whether such an object can be created only after the payment was paid.
    fn is_after_payment(&self) -> bool {
        matches!(self.kind, Kind::REFUND | Kind::DISPUTE)
    }
}

impl HistoryEntry {
    fn new(second: UnixSeconds, payment: &Payment, order_uncertain: bool, events: Vec<EventId>) -> Self {
        Self {
            at: second.to_timestamp(),
            state: payment.state,
            amount_captured: payment.amount_captured,
            amount_refunded: payment.amount_refunded,
            amount_disputed: payment.amount_disputed,
            order_uncertain,
            events,
        }
    }

    /// Whether the payment has the same state and sums.
    fn equals(&self, payment: &Payment) -> bool {
        self.state == payment.state
            && self.amount_captured == payment.amount_captured
            && self.amount_refunded == payment.amount_refunded
            && self.amount_disputed == payment.amount_disputed
    }
}

#[cfg(test)]
mod tests;
