//! All rules together: what an object's record shows once all these events are applied, whatever the order in
//! which they came.

use super::version::{Comparison, compare};
use super::{Snapshot, Winner, winner};

/// The event whose snapshot shows the object after all these events of it, of any seconds, in any order; none
/// for no events.
pub fn latest<'a>(events: impl IntoIterator<Item = &'a Snapshot>) -> Option<Winner> {
    let mut events: Vec<&Snapshot> = events.into_iter().collect();
    events.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    let mut second: Vec<&Snapshot> = Vec::new();
    let mut shown: Option<(&Snapshot, Winner)> = None;
    for event in events {
        match shown.as_ref().map(|(shown, _)| compare(event.version(), shown.version())) {
            None | Some(Comparison::Newer) => second = vec![event],
            Some(Comparison::SameSecond) => second.push(event),
            Some(Comparison::Older) => continue,
        }
        // There is at least the event itself.
        shown = winner(second.iter().copied()).and_then(|winner| {
            let snapshot = second.iter().copied().find(|snapshot| snapshot.id == winner.id)?;
            Some((snapshot, winner))
        });
    }
    shown.map(|(_, winner)| winner)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::object_key::ObjectKey;
    use crate::unix_time::UnixSeconds;

    fn snapshot(id: &str, event_type: &str, kind: &str, created: i64, object: Value) -> Snapshot {
        Snapshot {
            id: id.parse().unwrap(),
            event_type: event_type.into(),
            created: UnixSeconds::new(created),
            key: ObjectKey::new(None, kind, "x_1").unwrap(),
            api_version: Some("2026-10-28.endive".into()),
            previous_attributes: None,
            raw: object.to_string(),
            object,
        }
    }

    /// The one that is shown, in whatever order the events are given.
    fn shown(events: &[Snapshot]) -> (String, bool) {
        let shown = latest(events).unwrap();
        for turn in 0..events.len() {
            let (front, back) = events.split_at(turn);
            assert_eq!(latest(back.iter().chain(front)), Some(shown.clone()));
            assert_eq!(latest(front.iter().rev().chain(back)), Some(shown.clone()));
        }
        (shown.id.to_string(), shown.uncertain)
    }

    #[test]
    fn the_later_second_is_shown_and_a_deletion_stays() {
        let customer = |id: &str, event_type: &str, created: i64| {
            snapshot(id, &format!("customer.{event_type}"), "customer", created, json!({ "email": id }))
        };
        let mut events = vec![customer("evt_9", "created", 1), customer("evt_1", "updated", 4)];
        assert_eq!(shown(&events), ("evt_1".into(), false));
        events.push(customer("evt_5", "deleted", 6));
        events.push(customer("evt_7", "updated", 8));
        assert_eq!(shown(&events), ("evt_5".into(), false), "an update cannot undo a deletion");
        assert_eq!(latest(&[]), None);
    }

    #[test]
    fn what_is_made_again_under_its_old_id_is_another_object() {
        let coupon = |id: &str, event_type: &str, created: i64, made: i64| {
            let object = json!({ "created": made, "percent_off": created });
            snapshot(id, &format!("coupon.{event_type}"), "coupon", created, object)
        };
        let mut events = vec![coupon("evt_1", "created", 1, 1), coupon("evt_2", "deleted", 5, 1)];
        assert_eq!(shown(&events), ("evt_2".into(), false));
        events.push(coupon("evt_3", "updated", 6, 1));
        assert_eq!(shown(&events), ("evt_2".into(), false), "it is of the one that is deleted");
        events.push(coupon("evt_4", "created", 7, 7));
        assert_eq!(shown(&events), ("evt_4".into(), false));
    }

    #[test]
    fn a_second_that_has_no_order_is_uncertain_until_a_later_one() {
        let subscription = |id: &str, created: i64, status: &str| {
            let object = json!({ "status": status });
            snapshot(id, "customer.subscription.updated", "subscription", created, object)
        };
        let mut events = vec![subscription("evt_1", 3, "active"), subscription("evt_2", 3, "past_due")];
        assert_eq!(shown(&events), ("evt_2".into(), true));
        events.push(subscription("evt_0", 4, "active"));
        assert_eq!(shown(&events), ("evt_0".into(), false));
    }
}
