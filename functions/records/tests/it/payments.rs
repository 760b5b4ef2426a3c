//! A payment's history, derived from the ledger; and which event a record shows.

use serde_json::{Value, json};
use shared::ledger::{EventState, Transition};
use shared::records::Provenance;
use test_cloud::fixtures::{now, retention};

use crate::support::{Stack, ago, ids, provenance};

fn intent(status: &str) -> Value {
    let received = if status == "succeeded" { 2000 } else { 0 };
    json!({"object": "payment_intent", "id": "pi_1", "created": 10, "status": status, "amount": 2000, "amount_received": received})
}

/// One tuple an entry: how many seconds ago, state, amount refunded, events.
fn entries(payment: &Value) -> Vec<(i64, &str, i64, Value)> {
    let history = payment["history"].as_array().unwrap().iter();
    history
        .map(|entry| {
            let at: jiff::Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
            let refunded = entry["amount_refunded"].as_i64().unwrap();
            let ago = now().as_second() - at.as_second();
            (ago, entry["state"].as_str().unwrap(), refunded, entry["events"].clone())
        })
        .collect()
}

/// A payment that was paid, then refunded by a refund of an old API version, which names only the charge.
async fn refunded_payment(stack: &Stack, late_first: bool) {
    let (first, last) = (intent("requires_payment_method"), intent("succeeded"));
    let charge = json!({"object": "charge", "id": "ch_1", "created": 11, "payment_intent": "pi_1", "status": "succeeded", "captured": true, "amount": 2000});
    let refund = json!({"object": "refund", "id": "re_1", "created": 12, "charge": "ch_1", "amount": 500, "status": "succeeded"});
    let mut events = [
        ("evt_1", "payment_intent.created", &first, 90),
        ("evt_2", "payment_intent.succeeded", &last, 80),
        ("evt_3", "charge.succeeded", &charge, 80),
        ("evt_4", "refund.created", &refund, 70),
    ];
    if late_first {
        events.reverse();
    }
    for (id, event_type, object, seconds) in events {
        stack.event(id, event_type, object, ago(seconds)).await;
    }
    for (event, object, seconds) in [("evt_2", &last, 80), ("evt_3", &charge, 80), ("evt_4", &refund, 70)] {
        stack.record_raw(None, &object.to_string(), provenance(event, ago(seconds).as_second())).await;
    }
}

#[tokio::test]
async fn a_payments_history_is_that_of_all_its_objects_whatever_came_first() {
    for late_first in [false, true] {
        let stack = Stack::start().await;
        refunded_payment(&stack, late_first).await;
        let payment = stack.ok("/records/payments/pi_1").await;
        assert_eq!(
            entries(&payment),
            [
                (90, "pending", 0, json!(["evt_1"])),
                (80, "completed", 0, json!(["evt_2", "evt_3"])),
                (70, "partially_refunded", 500, json!(["evt_4"])),
            ]
        );
        assert_eq!(payment["history"][1]["amount_captured"], 2000);
        assert_eq!(payment["history"][2]["amount_disputed"], 0);
        let listed = stack.ok("/records/payments").await;
        assert_eq!(listed["data"][0]["state"], "partially_refunded");
        assert!(listed["data"][0].get("history").is_none(), "a list has no history: each would cost reads");
    }
}

#[tokio::test]
async fn events_that_were_discarded_or_quarantined_are_no_part_of_the_history() {
    let stack = Stack::start().await;
    refunded_payment(&stack, false).await;
    for (id, event_type, state) in [
        ("evt_7", "payment_intent.canceled", EventState::Ignored),
        ("evt_8", "payment_intent.canceled", EventState::Quarantined),
    ] {
        let row = stack.event(id, event_type, &intent("canceled"), ago(85)).await;
        stack.ledger().transition(&row, &Transition::to(state), retention(), now()).await.unwrap();
    }
    let payment = stack.ok("/records/payments/pi_1").await;
    assert_eq!(entries(&payment).len(), 3, "{payment}");
    assert_eq!(payment["timeline"].as_array().unwrap().len(), 4, "the timeline shows them");
    let row = stack.event("evt_9", "payment_intent.canceled", &intent("processing"), ago(84)).await;
    stack
        .ledger()
        .transition(&row, &Transition::to(EventState::Superseded), retention(), now())
        .await
        .unwrap();
    assert_eq!(entries(&stack.ok("/records/payments/pi_1").await).len(), 3, "it changed nothing");
    let row = stack.event("evt_a", "payment_intent.canceled", &intent("canceled"), ago(83)).await;
    stack
        .ledger()
        .transition(&row, &Transition::to(EventState::Superseded), retention(), now())
        .await
        .unwrap();
    assert_eq!(entries(&stack.ok("/records/payments/pi_1").await)[1], (83, "canceled", 0, json!(["evt_a"])));
}

#[tokio::test]
async fn a_history_reads_no_more_than_the_latest_hundred_events_of_an_object_and_large_payloads_too() {
    let stack = Stack::start().await;
    for i in 0..120 {
        let status = if i % 2 == 0 { "processing" } else { "requires_action" };
        stack
            .event(&format!("evt_{i:03}"), "payment_intent.processing", &intent(status), ago(1_000 - i))
            .await;
    }
    // Too large for one row, even compressed.
    let noise: String =
        (0..70_000_u64).map(|i| format!("{:016x}", i.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    let mut last = intent("succeeded");
    last["description"] = noise.into();
    let row = stack.event("evt_x", "payment_intent.succeeded", &last, ago(10)).await;
    let stored = stack.ledger().get(&row.id, now()).await.unwrap().unwrap();
    assert!(stored.parts.is_some_and(|parts| parts > 1));
    stack.record_raw(None, &intent("succeeded").to_string(), provenance("evt_y", ago(5).as_second())).await;
    let payment = stack.ok("/records/payments/pi_1").await;
    assert_eq!(entries(&payment).last().unwrap(), &(10, "completed", 0, json!(["evt_x"])));
    assert_eq!(entries(&payment)[0], (1_000 - 21, "pending", 0, json!(["evt_021"])));
}

#[tokio::test]
async fn a_record_shows_its_event_or_that_it_was_fetched_from_stripe() {
    let stack = Stack::start().await;
    stack.record_raw(None, &intent("processing").to_string(), provenance("evt_7", 50)).await;
    let refund = json!({"object": "refund", "id": "re_1", "created": 12, "payment_intent": "pi_1", "amount": 5, "status": "succeeded"});
    let fetched = Provenance { fetched: true, ..provenance("evt_8", 60) };
    stack.record_raw(None, &refund.to_string(), fetched).await;
    let payment = stack.ok("/records/payments/pi_1").await;
    assert_eq!((payment["event"].as_str(), payment["fetched"].as_bool()), (Some("evt_7"), Some(false)));
    let refund = &payment["refunds"][0];
    assert_eq!((refund["event"].as_str(), refund["fetched"].as_bool()), (Some("evt_8"), Some(true)));
    assert_eq!(stack.ok("/records/refunds").await["data"][0]["fetched"], true);
}

#[tokio::test]
async fn refunds_of_charges_that_only_the_payment_intent_names_are_shown() {
    let stack = Stack::start().await;
    let refund = |id: &str, charge: &str| json!({"object": "refund", "id": id, "created": 20, "charge": charge, "amount": 300, "status": "succeeded"});
    let mut old = intent("succeeded");
    old["charges"] = json!({"data": [{"object": "charge", "id": "ch_1", "status": "succeeded", "captured": true, "amount": 2000}]});
    let mut newer = intent("succeeded");
    (newer["id"], newer["latest_charge"]) = (json!("pi_2"), json!("ch_2"));
    for object in [old, newer, refund("re_1", "ch_1"), refund("re_2", "ch_2")] {
        stack.record(&object).await;
    }
    for (payment, expected) in [("pi_1", "re_1"), ("pi_2", "re_2")] {
        let payment = stack.ok(&format!("/records/payments/{payment}")).await;
        assert_eq!(
            (ids(&payment["refunds"]), payment["amount_refunded"].as_i64()),
            (vec![expected], Some(300))
        );
    }
}

#[tokio::test]
async fn an_object_fetched_because_of_an_earlier_tie_does_not_date_the_payment_back() {
    let stack = Stack::start().await;
    let mut declined = intent("requires_payment_method");
    declined["last_payment_error"] = json!({"code": "card_declined"});
    for (id, event_type, object, seconds) in [
        ("evt_1", "payment_intent.processing", intent("processing"), 500),
        ("evt_2", "payment_intent.requires_action", intent("requires_action"), 500),
        ("evt_3", "payment_intent.payment_failed", declined, 400),
        ("evt_4", "payment_intent.succeeded", intent("succeeded"), 100),
    ] {
        stack.event(id, event_type, &object, ago(seconds)).await;
    }
    let events = vec!["evt_1".parse().unwrap(), "evt_2".parse().unwrap()];
    let fetched = Provenance { fetched: true, events, ..provenance("evt_1", ago(10).as_second()) };
    stack.record_raw(None, &intent("succeeded").to_string(), fetched).await;
    assert_eq!(
        entries(&stack.ok("/records/payments/pi_1").await),
        [
            (500, "pending", 0, json!(["evt_1", "evt_2"])),
            (400, "failed", 0, json!(["evt_3"])),
            (100, "completed", 0, json!(["evt_4"])),
        ]
    );
}

#[tokio::test]
async fn a_refund_that_was_imported_is_dated_by_when_it_was_created() {
    let stack = Stack::start().await;
    let refund = json!({"object": "refund", "id": "re_1", "created": ago(8_000_000).as_second(), "payment_intent": "pi_1", "amount": 2000, "status": "succeeded"});
    for (object, seconds) in [(intent("succeeded"), 50), (refund, 40)] {
        let second = ago(seconds).as_second();
        let fetched =
            Provenance { fetched: true, event: None, events: vec![], ..provenance("evt_1", second) };
        stack.record_raw(None, &object.to_string(), fetched).await;
    }
    let payment = stack.ok("/records/payments/pi_1").await;
    assert_eq!(entries(&payment), [(8_000_000, "refunded", 2000, json!([]))]);
    assert_eq!(
        (&payment["event"], &payment["fetched"]),
        (&Value::Null, &json!(true)),
        "no event was the reason"
    );
}

#[tokio::test]
async fn a_hundred_later_events_do_not_displace_those_that_were_applied() {
    let stack = Stack::start().await;
    stack.event("evt_1", "payment_intent.processing", &intent("processing"), ago(900)).await;
    stack.event("evt_2", "payment_intent.succeeded", &intent("succeeded"), ago(800)).await;
    for i in 0..100 {
        let id = format!("evt_later_{i:03}");
        stack.event(&id, "payment_intent.canceled", &intent("canceled"), ago(700 - i)).await;
    }
    stack.record_raw(None, &intent("succeeded").to_string(), provenance("evt_2", ago(800).as_second())).await;
    assert_eq!(
        entries(&stack.ok("/records/payments/pi_1").await),
        [(900, "pending", 0, json!(["evt_1"])), (800, "completed", 0, json!(["evt_2"]))]
    );
}
