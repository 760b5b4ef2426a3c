//! Which snapshot wins: the order of one object's events.
//!
//! Stripe promises no order, sends twice, and stamps `created` in whole seconds; several changes of one
//! object in one second are normal (a subscription's creation and its update on first payment). So:
//!
//! 1. The later second wins.
//! 2. Within a second, **all** its events are looked at together, not the stored one and the new one, so that
//!    the order of arrival cannot matter. Two snapshots are one state where they differ only in how they are
//!    rendered (`comparable`). Notices, which report no change, are struck out, as long as an event is left.
//!
//! 3. What the events replaced, what their types can report, creations, and statuses that Stripe never leaves
//!    (unless an event of the second says that it was left) allow only some courses of events. If all of
//!    those end in one state, it wins (`walk`). If they allow none, because events are missing, creations are
//!    struck out and then, when one has a status that is never left, those whose status can be left.
//!
//! 4. Events that still differ cannot be put in order by what they hold, and the object is fetched from
//!    Stripe (by `process`). Its answer stands for the last second that had wholly passed when it was asked:
//!    events stamped up to then are older than it, later ones newer.
//!
//! Where the key may not read the object, the greatest event id wins, which is the same whatever came first,
//! and the record is marked uncertain.
//!
//! Final whatever the times: a deletion. Stripe never uses an id again, but merchants may use one of theirs
//! again (a coupon's): what was made later, by its `created`, is then another object, and goes before
//! whatever is known of the one before it. What is deleted in the second in which it was made may have been
//! made again in that second, so such a deletion is final within its second alone.
//!
//! The module is pure: the winner is a function of the set of events.

mod comparable;
mod course;
mod snapshot;
mod version;
mod walk;

use std::collections::BTreeSet;

use serde_json::Value;

pub use self::comparable::comparable;
pub use self::course::latest;
pub use self::snapshot::{Snapshot, SnapshotError};
pub use self::version::{Comparison, RecordVersion, compare, fetched_is_newer, made};
use self::walk::Ends;
use crate::event::EventId;

/// Who wins a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winner {
    /// The event whose snapshot the record shows.
    pub id: EventId,
    /// Whether the events could not tell, and the greatest id was taken.
    pub uncertain: bool,
}

/// Rules 2 and 3 and what follows them: decides between all events of one object and one second. None for no
/// events.
pub fn winner<'a>(events: impl IntoIterator<Item = &'a Snapshot>) -> Option<Winner> {
    let mut events: Vec<&Snapshot> = events.into_iter().collect();
    events.sort_by(|a, b| a.id.cmp(&b.id));
    events.dedup_by(|a, b| a.id == b.id);
    // Of several objects of one id, the one that was made last.
    let made = events.iter().filter_map(|event| event.made()).max();
    events.retain(|event| made <= event.made().or(made));
    // Two events can report one deletion, in different shapes; either is right.
    if let Some(deletion) = events.iter().rev().find(|event| event.is_deletion()) {
        // Which of the others are of the object that is left, nothing says.
        let left = events.iter().rev().find(|event| !event.is_deletion() && is_made_again(&events));
        let id = left.map_or(&deletion.id, |left| &left.id).clone();
        return Some(Winner { id, uncertain: left.is_some() });
    }
    let left: BTreeSet<&str> = events.iter().filter_map(|event| event.status_left()).collect();
    strike(&mut events, |event| event.is_notice());
    let mut ends = walk::ends(&events, &left);
    if ends == Ends::None {
        strike(&mut events, |event| event.is_creation());
        if events.iter().any(|event| event.is_settled(&left)) {
            events.retain(|event| event.is_settled(&left));
        }
        ends = walk::ends(&events, &left);
    }
    let (shown, uncertain) = match ends {
        Ends::One(end) => (vec![end], false),
        Ends::None => ((0..events.len()).collect(), true),
        Ends::Several(ends) => (ends, true),
    };
    let shown: Vec<Value> = shown.into_iter().map(|end| comparable(&events[end].object)).collect();
    // The greatest id of those that show one of these states.
    let shows = events.iter().rev().find(|event| shown.contains(&comparable(&event.object)));
    shows.map(|event| Winner { id: event.id.clone(), uncertain })
}

/// Whether these events of one second made an object of their id once more than they deleted one.
fn is_made_again(events: &[&Snapshot]) -> bool {
    let of_its_first_second = || events.iter().filter(|event| event.made() == Some(event.created));
    let made = of_its_first_second().filter(|event| event.is_creation()).count();
    made > of_its_first_second().filter(|event| event.is_deletion()).count()
}

/// Strikes out events, unless none would be left.
fn strike(events: &mut Vec<&Snapshot>, out: impl Fn(&Snapshot) -> bool) {
    if events.iter().any(|event| !out(event)) {
        events.retain(|event| !out(event));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::object_key::ObjectKey;
    use crate::unix_time::UnixSeconds;

    fn snapshot(id: &str, event_type: &str, kind: &str, object: Value) -> Snapshot {
        Snapshot {
            id: id.parse().unwrap(),
            event_type: event_type.into(),
            created: UnixSeconds::new(5),
            key: ObjectKey::new(None, kind, "x_1").unwrap(),
            api_version: Some("2026-10-28.endive".into()),
            previous_attributes: None,
            raw: object.to_string(),
            object,
        }
    }

    fn subscription(id: &str, event_type: &str, status: &str) -> Snapshot {
        snapshot(
            id,
            &format!("customer.subscription.{event_type}"),
            "subscription",
            json!({ "status": status }),
        )
    }

    fn wins(events: &[Snapshot]) -> (String, bool) {
        let winner = winner(events).unwrap();
        (winner.id.to_string(), winner.uncertain)
    }

    fn coupon(id: &str, event_type: &str, created: i64, percent: i64) -> Snapshot {
        let object = json!({ "created": created, "percent_off": percent });
        snapshot(id, &format!("coupon.{event_type}"), "coupon", object)
    }

    #[test]
    fn a_second_in_which_a_coupon_is_deleted_and_made_again_ends_with_the_new_one() {
        let old = coupon("evt_9", "deleted", 1, 10);
        let new = coupon("evt_1", "created", 5, 20);
        assert_eq!(wins(&[old.clone(), new.clone()]), ("evt_1".into(), false));
        assert_eq!(wins(&[new, old]), ("evt_1".into(), false));
        // All of it in one second: what is said last is what was done once more.
        let (made, gone) = (coupon("evt_1", "created", 5, 10), coupon("evt_2", "deleted", 5, 10));
        let (again, at_last) = (coupon("evt_3", "created", 5, 20), coupon("evt_4", "deleted", 5, 20));
        assert_eq!(wins(&[made.clone(), gone.clone()]), ("evt_2".into(), false));
        let (shown, uncertain) = wins(&[gone.clone(), made.clone(), again.clone()]);
        assert!(uncertain && shown != "evt_2", "Stripe is asked which of the two is the second: {shown}");
        assert_eq!(wins(&[gone, made, again, at_last]), ("evt_4".into(), false));
    }

    #[test]
    fn an_update_of_the_second_of_creation_wins() {
        let events =
            [subscription("evt_9", "created", "incomplete"), subscription("evt_1", "updated", "active")];
        assert_eq!(wins(&events), ("evt_1".into(), false));
    }

    #[test]
    fn a_notice_never_beats_a_change() {
        let events =
            [subscription("evt_9", "trial_will_end", "trialing"), subscription("evt_1", "updated", "active")];
        assert_eq!(wins(&events), ("evt_1".into(), false));
        let events = [
            subscription("evt_9", "trial_will_end", "trialing"),
            subscription("evt_1", "created", "incomplete"),
        ];
        assert_eq!(wins(&events), ("evt_1".into(), false));
    }

    #[test]
    fn a_status_that_stripe_never_leaves_wins() {
        let events =
            [subscription("evt_9", "updated", "past_due"), subscription("evt_1", "deleted", "canceled")];
        assert_eq!(wins(&events), ("evt_1".into(), false));
        let paid = snapshot("evt_1", "invoice.paid", "invoice", json!({"status": "paid"}));
        let open = snapshot("evt_9", "invoice.finalized", "invoice", json!({"status": "open"}));
        assert_eq!(wins(&[open, paid]), ("evt_1".into(), false));
        // A refund that succeeded can still fail.
        let succeeded = snapshot("evt_9", "refund.updated", "refund", json!({"status": "succeeded"}));
        let failed = snapshot("evt_1", "refund.failed", "refund", json!({"status": "failed"}));
        assert_eq!(wins(&[succeeded, failed]), ("evt_1".into(), false));
    }

    #[test]
    fn equal_snapshots_are_one() {
        let paid =
            |id, event_type| snapshot(id, event_type, "invoice", json!({"status": "paid", "amount_paid": 5}));
        assert_eq!(
            wins(&[paid("evt_1", "invoice.paid"), paid("evt_2", "invoice.payment_succeeded")]),
            ("evt_2".into(), false)
        );
        // An update that confirms the creation keeps it from being struck out.
        let events = [
            subscription("evt_1", "created", "active"),
            subscription("evt_2", "updated", "active"),
            subscription("evt_3", "trial_will_end", "trialing"),
        ];
        assert_eq!(wins(&events), ("evt_2".into(), false));
    }

    #[test]
    fn what_cannot_be_told_apart_is_chosen_by_id_and_said_to_be_uncertain() {
        let events =
            [subscription("evt_1", "updated", "past_due"), subscription("evt_2", "updated", "active")];
        assert_eq!(wins(&events), ("evt_2".into(), true));
    }

    #[test]
    fn two_updates_that_join_into_a_chain_end_in_its_last_state() {
        let mut first = subscription("evt_9", "updated", "past_due");
        first.previous_attributes = Some(json!({"status": "active"}));
        let mut second = subscription("evt_1", "updated", "unpaid");
        second.previous_attributes = Some(json!({"status": "past_due"}));
        assert_eq!(wins(&[first.clone(), second.clone()]), ("evt_1".into(), false));
        assert_eq!(wins(&[second, first]), ("evt_1".into(), false));
    }

    #[test]
    fn an_old_invoice_that_is_paid_wins_although_it_has_no_status() {
        let updated =
            snapshot("evt_9", "invoice.updated", "invoice", json!({"paid": false, "closed": false}));
        let paid =
            snapshot("evt_1", "invoice.payment_succeeded", "invoice", json!({"paid": true, "closed": true}));
        assert_eq!(wins(&[updated, paid]), ("evt_1".into(), false));
    }

    #[test]
    fn a_deletion_wins_its_second_in_either_shape() {
        let updated = snapshot("evt_9", "customer.updated", "customer", json!({"email": "a"}));
        let deleted = snapshot("evt_1", "customer.deleted", "customer", json!({"deleted": true}));
        assert_eq!(wins(&[updated.clone(), deleted.clone()]), ("evt_1".into(), false));
        let again = snapshot("evt_2", "customer.deleted", "customer", json!({"email": "a"}));
        assert_eq!(wins(&[updated, deleted, again]), ("evt_2".into(), false));
    }

    fn any_event() -> impl Strategy<Value = Snapshot> {
        let types = prop::sample::select(vec!["created", "updated", "deleted", "trial_will_end"]);
        let statuses = prop::sample::select(vec!["incomplete", "active", "past_due", "canceled"]);
        (0..8_u8, types, statuses)
            .prop_map(|(id, event_type, status)| subscription(&format!("evt_{id}"), event_type, status))
    }

    proptest! {
        #[test]
        fn the_winner_does_not_depend_on_the_order_or_on_repeats(events in proptest::collection::vec(any_event(), 1..7), seed in any::<u64>()) {
            // One id is one event.
            let mut events: Vec<_> = events;
            events.sort_by(|a, b| a.id.cmp(&b.id));
            events.dedup_by(|a, b| a.id == b.id);
            let expected = winner(&events);
            let turn = usize::try_from(seed % events.len() as u64).unwrap();
            let mut shuffled = events.clone();
            shuffled.rotate_left(turn);
            shuffled.extend(events.iter().take(turn).cloned());
            prop_assert_eq!(winner(&shuffled), expected.clone());
            shuffled.reverse();
            prop_assert_eq!(winner(&shuffled), expected);
        }
    }
}
