//! Rule 3: the events of a second, joined into one chain of states.
//!
//! An event carries the state after its change, and in `previous_attributes` what the change replaced. Undone
//! on the event's own snapshot, that gives the whole state before it. When each event but one begins where
//! another ended, and no state comes twice, there is one order in which they can have happened, and its last
//! state is the present one.
//!
//! Why only whole states, all events at once, and no state twice: a value that goes 0, 1, 2, 0 in one second
//! makes the events 0→1, 1→2, 2→0. Compared in pairs, 2→0 and 0→1 look like a chain that ends in 1; compared
//! in parts, an unrelated field hides the difference. All three together are a circle, which has no end, and
//! then the events cannot tell.
//!
//! An event that does not say what it replaced, such as the `charge.dispute.closed` of a dispute that an
//! appeal has taken up and that is lost again, may have come back to a state of before. So such a one can
//! stand only where the chain ends anyway.
//!
//! Only within one API version, because another renders the same state otherwise, and only since 2017-05-25,
//! before which `previous_attributes` left out parts of lists (Stripe's API changelog).

use serde_json::Value;

use super::comparable::comparable;

/// The first version in which `previous_attributes` gives lists whole.
const SINCE: &str = "2017-05-25";

/// One state that events of the second ended in.
#[derive(Debug)]
pub(super) struct Step<'a> {
    /// The state.
    pub(super) after: &'a Value,
    /// What the changes that led to it replaced, of each event that says so.
    pub(super) replaced: Vec<&'a Value>,
    /// Whether each of its events that can report a change says what it replaced.
    pub(super) all_say: bool,
    /// The versions its events are rendered in.
    pub(super) versions: Vec<Option<&'a str>>,
}

/// The place in `steps` of the state that a chain of all of them ends in. None if they make no single chain.
pub(super) fn end(steps: &[Step<'_>]) -> Option<usize> {
    let version = steps.first()?.versions.first().copied().flatten()?;
    let one_version = steps.iter().flat_map(|step| &step.versions).all(|of| *of == Some(version));
    if !one_version || version < SINCE {
        return None;
    }
    let befores = steps.iter().map(before).collect::<Option<Vec<_>>>()?;
    let states: Vec<Value> = steps.iter().map(|step| comparable(step.after)).collect();
    // Who begins where this one ended?
    let mut follows: Vec<Option<usize>> = vec![None; steps.len()];
    let mut starts = Vec::new();
    for (i, before) in befores.iter().enumerate() {
        let origin = before.as_ref().and_then(|before| states.iter().position(|state| state == before));
        match origin {
            // An event that changed nothing, or two that begin at one state: no chain.
            Some(from) if from == i || follows[from].is_some() => return None,
            Some(from) => follows[from] = Some(i),
            None => starts.push(i),
        }
    }
    let [start] = starts[..] else { return None };
    let (mut at, mut length) = (start, 1);
    while let Some(next) = follows[at] {
        // One of its events may have come later than the change that begins here, and then the chain ends in
        // it.
        if !steps[at].all_say {
            return None;
        }
        at = next;
        length += 1;
    }
    // What the chain does not reach is a circle of its own.
    (length == steps.len()).then_some(at)
}

/// The state before a step: none inside if no event says what it replaced; none at all if two events
/// disagree.
#[allow(
    clippy::option_option,
    reason = "the two mean different things, and the difference is used once, right above"
)]
fn before(step: &Step<'_>) -> Option<Option<Value>> {
    let mut befores = step.replaced.iter().map(|replaced| comparable(&undo(step.after, replaced)));
    let Some(first) = befores.next() else { return Some(None) };
    befores.all(|other| other == first).then_some(Some(first))
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

    /// Which of `changes` (before, after) the chain ends in; unchanged fields are left out of what was
    /// replaced.
    fn end_of(changes: &[(i64, i64)]) -> Option<i64> {
        let states: Vec<_> = changes
            .iter()
            .map(|(before, after)| (json!({"n": after, "k": 1}), json!({"n": before})))
            .collect();
        let mut steps: Vec<Step<'_>> = Vec::new();
        for (after, replaced) in &states {
            match steps.iter_mut().find(|step| step.after == after) {
                Some(step) => step.replaced.push(replaced),
                None => steps.push(Step {
                    after,
                    replaced: vec![replaced],
                    all_say: true,
                    versions: vec![Some("2026-07-29.dahlia")],
                }),
            }
        }
        end(&steps).and_then(|at| steps[at].after["n"].as_i64())
    }

    #[test]
    fn a_chain_ends_in_its_last_state_whatever_the_order() {
        for changes in [[(0, 1), (1, 2), (2, 3)], [(2, 3), (0, 1), (1, 2)], [(1, 2), (2, 3), (0, 1)]] {
            assert_eq!(end_of(&changes), Some(3));
        }
    }

    #[test]
    fn a_value_that_goes_0_1_2_0_has_no_end_although_two_of_its_events_look_like_a_chain() {
        assert_eq!(end_of(&[(2, 0), (0, 1)]), Some(1), "so far, nothing says otherwise");
        assert_eq!(end_of(&[(0, 1), (1, 2), (2, 0)]), None);
    }

    #[test]
    fn what_does_not_join_into_one_chain_has_no_end() {
        assert_eq!(end_of(&[(0, 1), (5, 6)]), None, "two pieces");
        assert_eq!(end_of(&[(0, 1), (0, 2)]), None, "a fork");
        assert_eq!(end_of(&[(0, 1), (1, 0)]), None, "there and back");
        assert_eq!(end_of(&[(0, 1), (1, 2), (2, 1)]), None, "one state twice");
        assert_eq!(end_of(&[(9, 1), (2, 3), (3, 2)]), None, "a piece and a circle");
    }

    #[test]
    fn versions_must_be_one_and_not_older_than_whole_lists() {
        let (a, b) = (json!({"n": 1}), json!({"n": 2}));
        let (to_a, to_b) = (json!({"n": 0}), json!({"n": 1}));
        let end_at = |first, second| {
            end(&[
                Step { after: &a, replaced: vec![&to_a], all_say: true, versions: vec![first] },
                Step { after: &b, replaced: vec![&to_b], all_say: true, versions: vec![second] },
            ])
        };
        assert_eq!(end_at(Some("2020-08-27"), Some("2020-08-27")), Some(1));
        assert_eq!(end_at(Some("2020-08-27"), Some("2022-11-15")), None);
        assert_eq!(end_at(Some("2017-04-06"), Some("2017-04-06")), None);
        assert_eq!(end_at(None, None), None);
    }

    #[test]
    fn an_event_that_does_not_say_what_it_replaced_can_only_confirm_the_end_of_a_chain() {
        let (a, b) = (json!({"n": 1}), json!({"n": 2}));
        let (to_a, to_b) = (json!({"n": 0}), json!({"n": 1}));
        let end_of = |a_says: Vec<&Value>, a_all_say, b_all_say| {
            let versions = || vec![Some("2026-07-29.dahlia")];
            let first = Step { after: &a, replaced: a_says, all_say: a_all_say, versions: versions() };
            let then = Step { after: &b, replaced: vec![&to_b], all_say: b_all_say, versions: versions() };
            end(&[then, first])
        };
        assert_eq!(
            end_of(vec![&to_a], true, false),
            Some(0),
            "2 is told twice, and once without what it replaced"
        );
        assert_eq!(end_of(vec![], false, true), None, "1 may have been before 2 or after it");
        assert_eq!(end_of(vec![&to_a], false, true), None, "1 may have been before 2 and after it");
    }

    #[test]
    fn changes_inside_objects_are_undone_field_by_field_and_lists_whole() {
        let after =
            json!({"a": {"x": 2, "y": 1}, "list": [1, 2], "gone": null, "metadata": {"k": "v", "new": "n"}});
        let replaced = json!({"a": {"x": 1}, "list": [1], "gone": {"z": 1}, "metadata": {"new": null}});
        let before = json!({"a": {"x": 1, "y": 1}, "list": [1], "gone": {"z": 1}, "metadata": {"k": "v"}});
        assert_eq!(comparable(&undo(&after, &replaced)), before);
        assert_eq!(comparable(&json!({"metadata": {"a": null}})), comparable(&json!({})));
    }
}
