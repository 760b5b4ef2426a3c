//! Rules 2 and 3: the courses that the events of one second can have come from, and where those end.
//!
//! An event carries the state after its change, and in `previous_attributes` what the change replaced. Undone
//! on the event's own snapshot, that gives the whole state before it. So the events of a second are steps
//! between states, and what happened is a walk that makes each step. All walks are tried, and the second is
//! decided if they all end in one state. What a walk may do:
//!
//! - It begins in any state; if the second holds a creation, with that.
//! - An event that says what it replaced is a step from the state before to the state after. Two events of
//!   one such step (`invoice.updated` and `invoice.paid`) are one change, or two where the walk comes by
//!   again.
//! - An event that says nothing (`charge.dispute.closed`) is of the change that led to its state, or a step
//!   there from any other state, if its type can report that (`Snapshot::can_report`) and the status before
//!   is not one that Stripe never leaves.
//! - A status counts as one that is left if another event of the second says so: a detached payment opens a
//!   paid invoice again.
//!
//! Why whole states and all events at once: a value that goes 0, 1, 2, 0 in one second makes the events 0→1,
//! 1→2 and 2→0. Compared in pairs, 2→0 and 0→1 look like a course that ends in 1; compared in parts, an
//! unrelated field hides the difference. All three together are a circle, which can have begun anywhere.
//!
//! What an event replaced counts only within one API version, because another renders the same state
//! otherwise, and only since 2017-05-25, before which `previous_attributes` left out parts of lists (Stripe's
//! API changelog). Else the events are read as if they did not say it.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::Snapshot;
use super::comparable::comparable;

/// The first version in which `previous_attributes` gives lists whole.
const SINCE: &str = "2017-05-25";

/// So many different steps are tried in all orders: at most 12 × 2^12 places. More in one second of one
/// object are not decided.
const MOST_STEPS: usize = 12;

/// The states in which the events of a second can have ended.
#[derive(Debug, PartialEq)]
pub(super) enum Ends {
    /// No walk makes all the steps: events are missing, or say what cannot be.
    None,
    /// All walks end in the state of this event (its place in the list).
    One(usize),
    /// Walks end in the states of these events, one event a state; or all, where there are too many to try.
    Several(Vec<usize>),
}

/// Returns where the events can have ended. `left` are the statuses that one of the second's events says
/// were left.
pub(super) fn ends(events: &[&Snapshot], left: &BTreeSet<&str>) -> Ends {
    let second = Second::new(events, left);
    if second.steps.len() > MOST_STEPS {
        return Ends::Several((0..events.len()).collect());
    }
    let any_creation = second.steps.iter().any(|step| step.is_creation);
    let mut ends = second.walk(any_creation);
    // A creation can be rendered after the next change, and is then no beginning.
    if ends.is_empty() && any_creation {
        ends = second.walk(false);
    }
    let mut ends: Vec<usize> = ends
        .into_iter()
        .filter_map(|end| second.steps.iter().find(|step| step.after == end).map(|step| step.event))
        .collect();
    match (ends.pop(), ends.is_empty()) {
        (None, _) => Ends::None,
        (Some(end), true) => Ends::One(end),
        (Some(end), false) => Ends::Several(ends.into_iter().chain([end]).collect()),
    }
}

/// The states and steps of one second.
struct Second<'a> {
    states: Vec<Value>,
    steps: Vec<Step<'a>>,
    left: &'a BTreeSet<&'a str>,
}

/// Events of one step.
struct Step<'a> {
    /// The state before, if they say it.
    before: Option<usize>,
    /// The state after.
    after: usize,
    /// The first of its events, and its place.
    snapshot: &'a Snapshot,
    event: usize,
    /// Whether they report that the object was made.
    is_creation: bool,
    /// Whether there are several, so that the step can have been made again.
    is_repeated: bool,
}

impl<'a> Second<'a> {
    fn new(events: &[&'a Snapshot], left: &'a BTreeSet<&'a str>) -> Self {
        let version = events.first().and_then(|event| event.api_version.as_deref());
        let is_one_version = events.iter().all(|event| event.api_version.as_deref() == version);
        let are_told = is_one_version && version.is_some_and(|version| version >= SINCE);
        let mut second = Self { states: Vec::new(), steps: Vec::new(), left };
        for (event, snapshot) in events.iter().copied().enumerate() {
            let replaced = snapshot.previous_attributes.as_ref().filter(|_| are_told);
            let before = replaced.map(|replaced| second.state(&undo(&snapshot.object, replaced)));
            let after = second.state(&snapshot.object);
            second.add(Step {
                before,
                after,
                snapshot,
                event,
                is_creation: before.is_none() && snapshot.is_creation(),
                is_repeated: false,
            });
        }
        second
    }

    fn state(&mut self, object: &Value) -> usize {
        let state = comparable(object);
        self.states.iter().position(|known| *known == state).unwrap_or_else(|| {
            self.states.push(state);
            self.states.len() - 1
        })
    }

    fn add(&mut self, step: Step<'a>) {
        let known = self.steps.iter_mut().find(|known| {
            let is_same_type = known.snapshot.event_type == step.snapshot.event_type;
            known.before == step.before
                && known.after == step.after
                && (known.before.is_some() || is_same_type)
        });
        match known {
            Some(known) => known.is_repeated = true,
            None => self.steps.push(step),
        }
    }

    /// Returns the states in which walks that make all steps end.
    fn walk(&self, from_creation: bool) -> BTreeSet<usize> {
        let all = (1_u32 << self.steps.len()) - 1;
        let mut ends = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut open: Vec<(Option<usize>, u32)> = vec![(None, 0)];
        while let Some((at, made)) = open.pop() {
            if made == all {
                ends.extend(at);
            }
            for (number, step) in self.steps.iter().enumerate() {
                let bit = 1 << number;
                let may_be_made = made & bit == 0 || step.is_repeated;
                let may_begin = at.is_some() || !from_creation || step.is_creation;
                let next = (Some(step.after), made | bit);
                if may_be_made && may_begin && self.leads_from(at, step) && seen.insert(next) {
                    open.push(next);
                }
            }
        }
        ends
    }

    /// Returns whether a walk that is at a state can make a step; it has not begun if it is at none.
    fn leads_from(&self, at: Option<usize>, step: &Step<'_>) -> bool {
        let Some(at) = at else { return true };
        match step.before {
            Some(before) => at == before,
            None if at == step.after => true,
            None => self.may_jump(at, step),
        }
    }

    /// Returns whether an event that does not say what it replaced can have come from this state.
    fn may_jump(&self, from: usize, step: &Step<'_>) -> bool {
        let (before, after) = (&self.states[from], &self.states[step.after]);
        let kind = step.snapshot.key.kind();
        let is_final = self.steps.iter().any(|other| other.after == from && other.snapshot.is_detachment());
        let stays = Snapshot::settled_status(kind, before).is_some_and(|status| {
            !self.left.contains(status) && Snapshot::settled_status(kind, after) != Some(status)
        });
        !is_final && (!stays || step.snapshot.is_detachment()) && step.snapshot.can_report(before, after)
    }
}

/// Puts back what a change replaced. Objects hold only the fields that changed; everything else is given
/// whole.
fn undo(after: &Value, replaced: &Value) -> Value {
    match (after, replaced) {
        (Value::Object(after), Value::Object(replaced)) => {
            let mut before = after.clone();
            for (field, value) in replaced {
                let undone = before.get(field).map_or_else(|| value.clone(), |after| undo(after, value));
                before.insert(field.clone(), undone);
            }
            Value::Object(before)
        }
        _ => replaced.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::object_key::ObjectKey;
    use crate::unix_time::UnixSeconds;

    const VERSION: &str = "2026-10-28.endive";

    fn event(event_type: &str, object: Value, replaced: Option<Value>) -> Snapshot {
        let kind = object["object"].as_str().unwrap_or("customer").to_owned();
        Snapshot {
            id: "evt_1".parse().unwrap(),
            event_type: event_type.into(),
            created: UnixSeconds::new(5),
            key: ObjectKey::new(None, &kind, "x_1").unwrap(),
            api_version: Some(VERSION.into()),
            previous_attributes: replaced,
            raw: object.to_string(),
            object,
        }
    }

    fn change(before: i64, after: i64) -> Snapshot {
        event("customer.updated", json!({ "n": after, "k": 1 }), Some(json!({ "n": before })))
    }

    fn ends_of(events: &[Snapshot]) -> Ends {
        ends(&events.iter().collect::<Vec<_>>(), &BTreeSet::new())
    }

    /// The end of changes (before, after), if there is one.
    fn end_of(changes: &[(i64, i64)]) -> Option<i64> {
        let events: Vec<Snapshot> = changes.iter().map(|(before, after)| change(*before, *after)).collect();
        match ends_of(&events) {
            Ends::One(end) => events[end].object["n"].as_i64(),
            Ends::None | Ends::Several(_) => None,
        }
    }

    #[test]
    fn a_walk_ends_in_its_last_state_whatever_the_order_of_its_events() {
        for changes in [[(0, 1), (1, 2), (2, 3)], [(2, 3), (0, 1), (1, 2)], [(1, 2), (2, 3), (0, 1)]] {
            assert_eq!(end_of(&changes), Some(3));
        }
        assert_eq!(end_of(&[(0, 1), (1, 0), (0, 2)]), Some(2), "a value that came back on the way");
        assert_eq!(end_of(&[(0, 1), (0, 1)]), Some(1), "two events of one change");
    }

    #[test]
    fn a_circle_can_have_begun_anywhere() {
        assert_eq!(end_of(&[(2, 0), (0, 1)]), Some(1), "so far, nothing says otherwise");
        assert_eq!(end_of(&[(0, 1), (1, 2), (2, 0)]), None);
        assert_eq!(end_of(&[(0, 1), (1, 0)]), None, "there and back");
        assert_eq!(end_of(&[(0, 1), (1, 0), (0, 1)]), None, "there and back, with two events or again");
    }

    #[test]
    fn a_circle_after_a_creation_ends_where_it_began() {
        let created = event("customer.created", json!({ "n": 0, "k": 1 }), None);
        let events = [change(1, 0), created, change(0, 1)];
        assert_eq!(ends_of(&events), Ends::One(0));
    }

    #[test]
    fn what_does_not_join_has_no_end() {
        assert_eq!(ends_of(&[change(0, 1), change(5, 6)]), Ends::None, "two pieces");
        assert_eq!(ends_of(&[change(0, 1), change(0, 2)]), Ends::None, "a fork");
        assert_eq!(ends_of(&[change(9, 1), change(2, 3), change(3, 2)]), Ends::None, "a piece and a circle");
    }

    #[test]
    fn versions_must_be_one_and_not_older_than_whole_lists() {
        let end_at = |first: Option<&str>, second: Option<&str>| {
            let version = |event: Snapshot, version: Option<&str>| Snapshot {
                api_version: version.map(str::to_owned),
                ..event
            };
            ends_of(&[version(change(0, 1), first), version(change(1, 2), second)])
        };
        assert_eq!(end_at(Some("2020-08-27"), Some("2020-08-27")), Ends::One(1));
        for (first, second) in
            [(Some("2020-08-27"), Some("2022-11-15")), (Some("2017-04-06"), Some("2017-04-06")), (None, None)]
        {
            assert_eq!(end_at(first, second), Ends::Several(vec![0, 1]));
        }
    }

    #[test]
    fn an_event_that_does_not_say_what_it_replaced_can_come_from_anywhere() {
        let silent = |n: i64| event("customer.updated", json!({ "n": n, "k": 1 }), None);
        assert_eq!(ends_of(&[change(0, 1), change(1, 2), silent(2)]), Ends::One(1), "it confirms the end");
        assert!(matches!(ends_of(&[change(0, 1), change(1, 2), silent(1)]), Ends::Several(_)));
        assert!(matches!(ends_of(&[change(0, 1), silent(0)]), Ends::Several(_)));
    }

    #[test]
    fn an_event_of_a_type_that_reports_one_thing_comes_only_from_where_that_was_otherwise() {
        let charge = |captured: bool, txn: Value| json!({ "object": "charge", "status": "succeeded", "captured": captured, "balance_transaction": txn });
        let captured = event("charge.captured", charge(true, json!(null)), None);
        let booked = event(
            "charge.updated",
            charge(true, json!("txn_1")),
            Some(json!({ "balance_transaction": null })),
        );
        assert_eq!(ends_of(&[booked, captured]), Ends::One(0));
    }

    #[test]
    fn more_steps_than_can_be_tried_are_not_decided() {
        let changes: Vec<Snapshot> = (0..13).map(|n| change(n, n + 1)).collect();
        assert!(matches!(ends_of(&changes), Ends::Several(_)));
        assert_eq!(ends_of(&changes[..12]), Ends::One(11));
    }

    #[test]
    fn changes_inside_objects_are_undone_field_by_field_and_lists_whole() {
        let after = json!({
            "a": {"x": 2, "y": 1}, "list": [1, 2], "gone": null, "metadata": {"k": "v", "new": "n"},
            "fraud_details": {"user_report": "safe"}, "pause": {"behavior": "void"},
        });
        let replaced = json!({
            "a": {"x": 1}, "list": [1], "gone": {"z": 1}, "metadata": {"new": null},
            "fraud_details": {"user_report": null}, "pause": null,
        });
        let before = json!({
            "a": {"x": 1, "y": 1}, "list": [1], "gone": {"z": 1}, "metadata": {"k": "v"}, "fraud_details": {},
            "pause": null,
        });
        assert_eq!(comparable(&undo(&after, &replaced)), comparable(&before));
    }
}
