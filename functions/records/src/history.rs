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
    let steps: Vec<BTreeMap<i64, Step<'_>>> = lives.iter().map(steps).collect();
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

/// An object's states by second: each second's winner, and at last what the record shows.
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
    by_second
        .into_iter()
        .map(|(second, snapshots)| {
            // Where events could not tell and Stripe was asked, its answer decides their second too.
            let answered = *fetched && snapshots.iter().any(|snapshot| seen.contains(&snapshot.id));
            let best = winner(snapshots.iter().copied()).filter(|_| second != *as_of && !answered);
            let best = best.and_then(|best| snapshots.iter().find(|snapshot| snapshot.id == best.id));
            let object = best.map_or(life.object, |best| &best.object);
            (second, Step { object, events: snapshots.iter().map(|snapshot| &snapshot.id).collect() })
        })
        .collect()
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
mod tests {
    use serde_json::json;
    use shared::object_key::ObjectKey;
    use shared::records::Standing;

    use super::*;

    fn event(id: &str, event_type: &str, created: i64, object: &Value) -> Snapshot {
        let text = |field: &str| object[field].as_str().unwrap();
        Snapshot {
            id: id.parse().unwrap(),
            event_type: event_type.to_owned(),
            created,
            key: ObjectKey::new(None, text("object"), text("id")).unwrap(),
            api_version: Some("2026-07-29.dahlia".into()),
            previous_attributes: None,
            raw: object.to_string(),
            object: object.clone(),
        }
    }

    fn record(as_of: i64, events: &[&str], object: &Value) -> Record {
        let events: Vec<EventId> = events.iter().map(|id| id.parse().unwrap()).collect();
        let standing = Standing {
            as_of,
            event: events[0].clone(),
            events,
            deleted: false,
            order_uncertain: false,
            fetched: false,
        };
        let text = |field: &str| object[field].as_str().unwrap();
        let key = ObjectKey::new(None, text("object"), text("id")).unwrap();
        Record::new(key, standing, object.to_string().as_bytes(), object).unwrap()
    }

    fn asked(mut record: Record) -> Record {
        record.fetched = true;
        record
    }

    fn intent(status: &str) -> Value {
        let received = if status == "succeeded" { 2000 } else { 0 };
        json!({"object": "payment_intent", "id": "pi_1", "status": status, "amount": 2000, "amount_received": received})
    }

    fn refund(id: &str, amount: i64, status: &str) -> Value {
        json!({"object": "refund", "id": id, "amount": amount, "status": status})
    }

    fn dispute(status: &str) -> Value {
        json!({"object": "dispute", "id": "dp_1", "amount": 2000, "status": status})
    }

    /// One line an entry: second, state, captured, refunded, disputed, events.
    fn told(lives: &[(&Record, &Value, Vec<Snapshot>)]) -> Vec<String> {
        let lives: Vec<Life<'_>> = lives
            .iter()
            .map(|(record, object, snapshots)| Life {
                kind: record.key.kind().unwrap(),
                record,
                object,
                snapshots: snapshots.clone(),
            })
            .collect();
        let line = |entry: Entry| {
            let events: Vec<_> = entry.events.iter().map(EventId::as_str).collect();
            let (at, state) = (entry.at.unwrap().as_second(), serde_json::to_value(entry.state).unwrap());
            let sums =
                format!("{} {} {}", entry.amount_captured, entry.amount_refunded, entry.amount_disputed);
            format!("{at} {} {sums} {}", state.as_str().unwrap(), events.join(" ")).trim_end().to_owned()
        };
        history(&lives).into_iter().map(line).collect()
    }

    #[test]
    fn each_change_of_state_or_sum_is_told_once_whatever_the_order_of_arrival() {
        let (paid, part, rest, won) = (
            intent("succeeded"),
            refund("re_1", 500, "succeeded"),
            refund("re_2", 1500, "failed"),
            dispute("won"),
        );
        let mut of_intent = vec![
            event("evt_1", "payment_intent.created", 10, &intent("requires_payment_method")),
            event("evt_3", "payment_intent.succeeded", 12, &paid),
            // The same second as the success: decided by the order of events, not by the greater id.
            event("evt_9", "payment_intent.created", 12, &intent("requires_action")),
            event("evt_c", "payment_intent.succeeded", 13, &paid),
        ];
        let of_part =
            vec![event("evt_4", "refund.created", 20, &part), event("evt_5", "refund.updated", 21, &part)];
        let mut of_rest = vec![
            event("evt_6", "refund.created", 30, &refund("re_2", 1500, "pending")),
            event("evt_7", "refund.failed", 35, &rest),
        ];
        let mut of_dispute = vec![
            event("evt_a", "charge.dispute.created", 30, &dispute("needs_response")),
            event("evt_b", "charge.dispute.closed", 40, &won),
        ];
        let records = [
            record(13, &["evt_c"], &paid),
            record(21, &["evt_5"], &part),
            record(35, &["evt_7"], &rest),
            record(40, &["evt_b"], &won),
        ];
        for _ in 0..2 {
            let told = told(&[
                (&records[3], &won, of_dispute.clone()),
                (&records[1], &part, of_part.clone()),
                (&records[0], &paid, of_intent.clone()),
                (&records[2], &rest, of_rest.clone()),
            ]);
            assert_eq!(
                told,
                [
                    "10 pending 0 0 0 evt_1",
                    "12 completed 2000 0 0 evt_3 evt_9",
                    "20 partially_refunded 2000 500 0 evt_4",
                    "30 disputed 2000 2000 2000 evt_6 evt_a",
                    "35 disputed 2000 500 2000 evt_7",
                    "40 partially_refunded 2000 500 0 evt_b",
                ]
            );
            of_intent.reverse();
            of_rest.reverse();
            of_dispute.reverse();
        }
    }

    #[test]
    fn a_state_that_comes_again_is_told_again() {
        let mut declined = intent("requires_payment_method");
        declined["last_payment_error"] = json!({"code": "card_declined"});
        let events = vec![
            event("evt_1", "payment_intent.payment_failed", 10, &declined),
            event("evt_2", "payment_intent.processing", 11, &intent("processing")),
            event("evt_3", "payment_intent.payment_failed", 12, &declined),
        ];
        let told = told(&[(&record(12, &["evt_3"], &declined), &declined, events)]);
        assert_eq!(told, ["10 failed 0 0 0 evt_1", "11 pending 0 0 0 evt_2", "12 failed 0 0 0 evt_3"]);
    }

    #[test]
    fn it_ends_in_the_present_state_where_the_ledger_has_forgotten() {
        let (paid, back) = (intent("succeeded"), refund("re_1", 2000, "succeeded"));
        let records = [record(12, &["evt_3"], &paid), record(20, &["evt_4"], &back)];
        let told_of = |of_intent| told(&[(&records[0], &paid, of_intent), (&records[1], &back, vec![])]);
        assert_eq!(told_of(vec![]), ["12 completed 2000 0 0", "20 refunded 2000 2000 0"]);
        let begin = event("evt_1", "payment_intent.created", 10, &intent("requires_action"));
        assert_eq!(told_of(vec![begin])[..2], ["10 pending 0 0 0 evt_1", "12 completed 2000 0 0"]);
    }

    #[test]
    fn it_begins_when_the_payment_intent_is_known() {
        let (paid, back) = (intent("succeeded"), refund("re_1", 2000, "succeeded"));
        let told = told(&[
            (
                &record(12, &["evt_3"], &paid),
                &paid,
                vec![event("evt_3", "payment_intent.succeeded", 12, &paid)],
            ),
            (&record(9, &["evt_2"], &back), &back, vec![event("evt_2", "refund.created", 9, &back)]),
        ]);
        assert_eq!(told, ["12 refunded 2000 2000 0 evt_3"]);
    }

    #[test]
    fn what_the_record_has_not_looked_at_is_not_told_yet() {
        let pending = intent("processing");
        let events = vec![
            event("evt_1", "payment_intent.processing", 10, &pending),
            event("evt_2", "payment_intent.succeeded", 10, &intent("succeeded")),
            event("evt_3", "payment_intent.succeeded", 11, &intent("succeeded")),
        ];
        let told = told(&[(&record(10, &["evt_1"], &pending), &pending, events)]);
        assert_eq!(told, ["10 pending 0 0 0 evt_1"]);
    }

    #[test]
    fn stripes_answer_stands_for_the_second_that_could_not_tell_and_for_what_came_until_it_was_asked() {
        let answer = intent("succeeded");
        let answered = asked(record(15, &["evt_1", "evt_2"], &answer));
        let tie = vec![
            event("evt_1", "payment_intent.processing", 10, &intent("processing")),
            event("evt_2", "payment_intent.requires_action", 10, &intent("requires_action")),
        ];
        assert_eq!(told(&[(&answered, &answer, tie)]), ["10 completed 2000 0 0 evt_1 evt_2"]);
        let answered = asked(record(15, &["evt_0"], &answer));
        let before = vec![event("evt_1", "payment_intent.processing", 10, &intent("processing"))];
        assert_eq!(
            told(&[(&answered, &answer, before)]),
            ["10 pending 0 0 0 evt_1", "15 completed 2000 0 0"]
        );
    }
}
