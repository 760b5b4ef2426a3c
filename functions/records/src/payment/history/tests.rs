//! Tests of a payment's history.

use serde_json::json;
use shared::object_key::ObjectKey;
use shared::records::Provenance;

use super::*;

fn event(id: &str, event_type: &str, created: i64, object: &Value) -> Snapshot {
    let text = |field: &str| object[field].as_str().unwrap();
    Snapshot {
        id: id.parse().unwrap(),
        event_type: event_type.to_owned(),
        created: UnixSeconds::new(created),
        key: ObjectKey::new(None, text("object"), text("id")).unwrap(),
        api_version: Some("2026-10-28.endive".into()),
        previous_attributes: None,
        raw: object.to_string(),
        object: object.clone(),
    }
}

fn record(as_of: i64, events: &[&str], object: &Value) -> Record {
    let events: Vec<EventId> = events.iter().map(|id| id.parse().unwrap()).collect();
    let provenance = Provenance {
        as_of: UnixSeconds::new(as_of),
        event: Some(events[0].clone()),
        events,
        deleted: false,
        order_uncertain: false,
        fetched: false,
    };
    let text = |field: &str| object[field].as_str().unwrap();
    let key = ObjectKey::new(None, text("object"), text("id")).unwrap();
    Record::new(key, provenance, object.to_string().as_bytes(), object).unwrap()
}

fn fetched(mut record: Record) -> Record {
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
fn lines(objects: &[(&Record, &Value, Vec<Snapshot>)]) -> Vec<String> {
    let timelines: Vec<ObjectTimeline<'_>> = objects
        .iter()
        .map(|(record, object, snapshots)| ObjectTimeline {
            kind: record.key.kind().unwrap(),
            record,
            object,
            snapshots: snapshots.clone(),
        })
        .collect();
    let line = |entry: HistoryEntry| {
        let events: Vec<_> = entry.events.iter().map(EventId::as_str).collect();
        let (at, state) = (entry.at.unwrap().as_second(), serde_json::to_value(entry.state).unwrap());
        let sums = format!("{} {} {}", entry.amount_captured, entry.amount_refunded, entry.amount_disputed);
        format!("{at} {} {sums} {}", state.as_str().unwrap(), events.join(" ")).trim_end().to_owned()
    };
    history(&timelines).into_iter().map(line).collect()
}

#[test]
fn each_change_of_state_or_sum_is_one_entry_whatever_the_order_of_arrival() {
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
        let lines = lines(&[
            (&records[3], &won, of_dispute.clone()),
            (&records[1], &part, of_part.clone()),
            (&records[0], &paid, of_intent.clone()),
            (&records[2], &rest, of_rest.clone()),
        ]);
        assert_eq!(
            lines,
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
fn a_state_that_comes_again_is_an_entry_again() {
    let mut declined = intent("requires_payment_method");
    declined["last_payment_error"] = json!({"code": "card_declined"});
    let events = vec![
        event("evt_1", "payment_intent.payment_failed", 10, &declined),
        event("evt_2", "payment_intent.processing", 11, &intent("processing")),
        event("evt_3", "payment_intent.payment_failed", 12, &declined),
    ];
    let lines = lines(&[(&record(12, &["evt_3"], &declined), &declined, events)]);
    assert_eq!(lines, ["10 failed 0 0 0 evt_1", "11 pending 0 0 0 evt_2", "12 failed 0 0 0 evt_3"]);
}

#[test]
fn it_ends_in_the_present_state_where_events_have_expired() {
    let (paid, back) = (intent("succeeded"), refund("re_1", 2000, "succeeded"));
    let records = [record(12, &["evt_3"], &paid), record(20, &["evt_4"], &back)];
    let lines_with = |of_intent| lines(&[(&records[0], &paid, of_intent), (&records[1], &back, vec![])]);
    assert_eq!(lines_with(vec![]), ["12 completed 2000 0 0", "20 refunded 2000 2000 0"]);
    let begin = event("evt_1", "payment_intent.created", 10, &intent("requires_action"));
    assert_eq!(lines_with(vec![begin])[..2], ["10 pending 0 0 0 evt_1", "12 completed 2000 0 0"]);
}

#[test]
fn it_begins_when_the_payment_intent_is_known() {
    let (paid, back) = (intent("succeeded"), refund("re_1", 2000, "succeeded"));
    let lines = lines(&[
        (&record(12, &["evt_3"], &paid), &paid, vec![event("evt_3", "payment_intent.succeeded", 12, &paid)]),
        (&record(9, &["evt_2"], &back), &back, vec![event("evt_2", "refund.created", 9, &back)]),
    ]);
    assert_eq!(lines, ["12 refunded 2000 2000 0 evt_3"]);
}

#[test]
fn events_that_are_not_applied_yet_are_left_out() {
    let pending = intent("processing");
    let events = vec![
        event("evt_1", "payment_intent.processing", 10, &pending),
        event("evt_2", "payment_intent.succeeded", 10, &intent("succeeded")),
        event("evt_3", "payment_intent.succeeded", 11, &intent("succeeded")),
    ];
    let lines = lines(&[(&record(10, &["evt_1"], &pending), &pending, events)]);
    assert_eq!(lines, ["10 pending 0 0 0 evt_1"]);
}

#[test]
fn a_fetched_object_decides_a_tie_and_what_came_until_it_was_fetched() {
    let answer = intent("succeeded");
    let fetched_record = fetched(record(15, &["evt_1", "evt_2"], &answer));
    let tie = vec![
        event("evt_1", "payment_intent.processing", 10, &intent("processing")),
        event("evt_2", "payment_intent.requires_action", 10, &intent("requires_action")),
    ];
    assert_eq!(lines(&[(&fetched_record, &answer, tie)]), ["10 completed 2000 0 0 evt_1 evt_2"]);
    let fetched_record = fetched(record(15, &["evt_0"], &answer));
    let before = vec![event("evt_1", "payment_intent.processing", 10, &intent("processing"))];
    assert_eq!(
        lines(&[(&fetched_record, &answer, before)]),
        ["10 pending 0 0 0 evt_1", "15 completed 2000 0 0"]
    );
}

#[test]
fn a_fetched_object_does_not_decide_a_tie_that_later_events_followed() {
    let answer = intent("succeeded");
    let fetched_record = fetched(record(15, &["evt_1", "evt_2"], &answer));
    let mut declined = intent("requires_payment_method");
    declined["last_payment_error"] = json!({"code": "card_declined"});
    let events = vec![
        event("evt_1", "payment_intent.processing", 10, &intent("processing")),
        event("evt_2", "payment_intent.requires_action", 10, &intent("requires_action")),
        event("evt_3", "payment_intent.payment_failed", 12, &declined),
    ];
    assert_eq!(
        lines(&[(&fetched_record, &answer, events)]),
        ["10 pending 0 0 0 evt_1 evt_2", "12 failed 0 0 0 evt_3", "15 completed 2000 0 0"]
    );
}

#[test]
fn objects_without_events_are_dated_by_when_they_were_created() {
    let made = |mut object: Value, created: i64| {
        object["created"] = created.into();
        object
    };
    let (paid, back, lost) =
        (made(intent("succeeded"), 5), made(refund("re_1", 500, "succeeded"), 20), made(dispute("lost"), 30));
    let records = [
        fetched(record(90, &["evt_x"], &paid)),
        fetched(record(91, &["evt_x"], &back)),
        record(92, &["evt_x"], &lost),
    ];
    let lines_with = |of_intent, of_refund| {
        lines(&[
            (&records[0], &paid, of_intent),
            (&records[1], &back, of_refund),
            (&records[2], &lost, vec![]),
        ])
    };
    // When it was paid is unknown, but it was when a part was refunded.
    let expected = ["20 partially_refunded 2000 500 0", "30 disputed 2000 500 2000"];
    assert_eq!(lines_with(vec![], vec![]), expected);
    let success = event("evt_1", "payment_intent.succeeded", 10, &paid);
    assert_eq!(
        lines_with(vec![success], vec![]),
        ["10 completed 2000 0 0 evt_1", "20 partially_refunded 2000 500 0", "30 disputed 2000 500 2000"]
    );
    // Where there are events of it, they say when.
    let later = event("evt_2", "refund.updated", 40, &back);
    assert_eq!(
        lines_with(vec![], vec![later]),
        ["30 disputed 2000 0 2000", "40 disputed 2000 500 2000 evt_2"]
    );
    // Created after it was fetched, or never: then by when it was fetched.
    for created in [0, -5, 93, i64::MAX] {
        let back = made(back.clone(), created);
        let lines = lines(&[(&records[0], &paid, vec![]), (&records[1], &back, vec![])]);
        assert_eq!(lines, ["90 completed 2000 0 0", "91 partially_refunded 2000 500 0"], "{created}");
    }
}

#[test]
fn what_rests_on_events_without_an_order_says_so() {
    // Two updates of one second that do not say what they replaced.
    let update = |id: &str, created: i64, amount: i64| {
        let mut object = intent("succeeded");
        object["amount_received"] = amount.into();
        event(id, "payment_intent.partially_funded", created, &object)
    };
    let now = intent("succeeded");
    let snapshots = vec![
        update("evt_1", 10, 500),
        update("evt_2", 20, 700),
        update("evt_3", 20, 900),
        update("evt_4", 30, 2000),
    ];
    let uncertain = |record: &Record| {
        let timeline =
            ObjectTimeline { kind: Kind::PAYMENT, record, object: &now, snapshots: snapshots.clone() };
        let entries = history(&[timeline]);
        entries.iter().map(|entry| (entry.amount_captured, entry.order_uncertain)).collect::<Vec<_>>()
    };
    let mut last = record(30, &["evt_4"], &now);
    assert_eq!(uncertain(&last), [(500, false), (900, true), (2000, false)]);
    last.order_uncertain = true;
    assert_eq!(uncertain(&last), [(500, false), (900, true), (2000, true)]);
}
