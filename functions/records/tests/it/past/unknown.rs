//! What nobody can say is said to be unknown, with the reason.

use serde_json::{Value, json};
use shared::records::Provenance;
use test_cloud::fixtures::event;

use super::{KNOWN_SINCE, Past, QUARTER, fetched, noon, subscription};

fn unknown(answer: &Value) -> (&Value, &str) {
    assert_eq!((&answer["known"], &answer["record"]), (&json!(false), &Value::Null), "{answer}");
    (&answer["existed"], answer["unknown_reason"].as_str().unwrap())
}

#[tokio::test]
async fn what_was_imported_and_changed_since_is_not_known_before_the_change() {
    let past = Past::start().await;
    past.import("09-10", &subscription("sub_1", "05-01", "active")).await;
    past.apply(
        "evt_1",
        "customer.subscription.updated",
        "10-10",
        &subscription("sub_1", "05-01", "past_due"),
    )
    .await;
    assert_eq!(unknown(&past.at("subscriptions/sub_1", QUARTER).await), (&json!(true), "no_event"));
    // Imported after that second: it existed, and what it was nothing says.
    past.import("11-01", &subscription("sub_2", "05-01", "active")).await;
    assert_eq!(unknown(&past.at("subscriptions/sub_2", QUARTER).await), (&json!(true), "no_event"));
    // Imported after, and made after.
    past.import("11-01", &subscription("sub_3", "10-20", "active")).await;
    assert_eq!(past.at("subscriptions/sub_3", QUARTER).await["existed"], false);
}

#[tokio::test]
async fn before_the_ledger_what_changed_since_is_not_known_and_the_earliest_time_is_told() {
    let past = Past::start().await;
    past.apply("evt_1", "customer.subscription.updated", "10-10", &subscription("sub_1", "05-01", "active"))
        .await;
    for at in ["2026-06-30T23:59:59Z", "2026-08-26T12:00:00Z"] {
        let answer = past.at("subscriptions/sub_1", at).await;
        assert_eq!(unknown(&answer), (&json!(true), "before_ledger"), "{at}");
        assert_eq!(answer["known_since"], KNOWN_SINCE, "{at}");
    }
    assert_eq!(unknown(&past.at("subscriptions/sub_1", KNOWN_SINCE).await), (&json!(true), "no_event"));
}

#[tokio::test]
async fn an_event_that_is_older_than_the_ledger_surely_is_does_not_count() {
    let past = Past::start().await;
    // It came late, so it is still here; one after it may have been there and be gone.
    past.apply("evt_1", "customer.subscription.updated", "06-10", &subscription("sub_1", "05-01", "active"))
        .await;
    past.apply(
        "evt_2",
        "customer.subscription.updated",
        "10-10",
        &subscription("sub_1", "05-01", "past_due"),
    )
    .await;
    assert_eq!(unknown(&past.at("subscriptions/sub_1", QUARTER).await), (&json!(true), "no_event"));
}

#[tokio::test]
async fn a_stack_knows_nothing_of_before_it_was_set_up() {
    let stack = crate::support::Stack::start().await;
    let object = subscription("sub_1", "05-01", "active");
    stack.record_raw(None, &object.to_string(), fetched("11-20")).await;
    let answer = stack.ok("/records/subscriptions/sub_1?at=2026-11-14T11:59:59Z").await;
    assert_eq!(
        (unknown(&answer), &answer["known_since"]),
        ((&json!(true), "before_ledger"), &json!("2026-11-14T12:00:00Z"))
    );
}

#[tokio::test]
async fn a_damaged_payload_is_named_and_hides_no_other_record() {
    let past = Past::start().await;
    let body = |id: &str, status: &str| {
        event(id, "customer.subscription.updated", noon("09-10"), &subscription("sub_1", "09-01", status))
    };
    let row = test_cloud::fixtures::ledger_row(&body("evt_1", "active"), super::time(QUARTER));
    // In the table it has the payload of another event.
    let mut damaged = row.clone();
    damaged.body = test_cloud::fixtures::ledger_row(&body("evt_0", "past_due"), super::time(QUARTER)).body;
    past.stack.ledger().record(&damaged).await.unwrap();
    past.ring(&[row]).await;
    past.apply("evt_2", "customer.subscription.updated", "10-10", &subscription("sub_1", "09-01", "active"))
        .await;
    past.apply("evt_3", "customer.subscription.created", "09-02", &subscription("sub_2", "09-02", "active"))
        .await;
    assert_eq!(unknown(&past.at("subscriptions/sub_1", QUARTER).await), (&json!(true), "payload_missing"));
    let listed = past.list("subscriptions", QUARTER, "&status=active").await;
    assert_eq!(listed, [("sub_2".to_owned(), true), ("sub_1".to_owned(), false)]);
    assert_eq!(past.at("subscriptions/sub_1", "2026-10-10T12:00:00Z").await["known"], true);
}

#[tokio::test]
async fn when_something_ended_that_was_found_deleted_or_gone_is_not_known() {
    let past = Past::start().await;
    let customer = json!({ "object": "customer", "id": "cus_1", "created": noon("09-01"), "deleted": true });
    let found = Provenance { deleted: true, ..fetched("09-05") };
    past.stack.record_raw(None, &customer.to_string(), found).await;
    past.apply("evt_1", "customer.subscription.created", "09-05", &subscription("sub_1", "09-01", "active"))
        .await;
    past.find_gone("-/subscription/sub_1").await;
    for (record, reason) in [("customers/cus_1", "deletion_undated"), ("subscriptions/sub_1", "gone_undated")]
    {
        assert_eq!(unknown(&past.at(record, QUARTER).await), (&json!(true), reason));
        // Now it is known.
        assert_eq!(past.at(record, "2026-11-24T12:00:00Z").await["known"], true, "{record}");
    }
}

#[tokio::test]
async fn a_second_of_very_many_events_is_read_to_its_end() {
    let past = Past::start().await;
    let mut rows = Vec::new();
    for i in 0..30 {
        let subscription = subscription("sub_1", "09-01", if i == 0 { "trialing" } else { "active" });
        rows.push(
            past.store(&event(
                &format!("evt_{i:02}"),
                "customer.subscription.updated",
                noon("09-10"),
                &subscription,
            ))
            .await,
        );
    }
    past.ring(&rows).await;
    past.apply(
        "evt_99",
        "customer.subscription.deleted",
        "10-10",
        &subscription("sub_1", "09-01", "canceled"),
    )
    .await;
    let answer = past.at("subscriptions/sub_1", QUARTER).await;
    assert_eq!(
        (&answer["record"]["status"], &answer["record"]["order_uncertain"]),
        (&json!("active"), &json!(true))
    );
}
