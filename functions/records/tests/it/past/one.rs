//! One record as it was.

use serde_json::{Value, json};
use shared::ledger::EventState;
use test_cloud::fixtures::event;

use super::{KNOWN_SINCE, Past, QUARTER, fetched, noon, subscription, time};

#[tokio::test]
async fn a_record_is_what_its_events_said_at_each_second() {
    let past = Past::start().await;
    // The later one arrives first.
    past.apply(
        "evt_3",
        "customer.subscription.deleted",
        "11-10",
        &subscription("sub_1", "09-01", "canceled"),
    )
    .await;
    past.apply(
        "evt_1",
        "customer.subscription.created",
        "09-01",
        &subscription("sub_1", "09-01", "trialing"),
    )
    .await;
    past.apply("evt_2", "customer.subscription.updated", "10-01", &subscription("sub_1", "09-01", "active"))
        .await;
    for (at, status, event) in [
        ("2026-09-01T12:00:00Z", "trialing", "evt_1"),
        (QUARTER, "trialing", "evt_1"),
        ("2026-10-01T11:59:59Z", "trialing", "evt_1"),
        ("2026-10-01T12:00:00Z", "active", "evt_2"),
        ("2026-10-01T14:00:00%2B02:00", "active", "evt_2"),
        ("2026-10-01T12:00:00.000Z", "active", "evt_2"),
        ("2026-11-10T12:00:00Z", "canceled", "evt_3"),
        ("2026-11-24T12:00:00Z", "canceled", "evt_3"),
    ] {
        let answer = past.at("subscriptions/sub_1", at).await;
        let record = &answer["record"];
        assert_eq!((&record["status"], &record["event"]), (&json!(status), &json!(event)), "{at}: {answer}");
        assert_eq!((&answer["known"], &answer["existed"]), (&json!(true), &json!(true)), "{at}");
        assert_eq!(record["object"]["status"], status, "{at}");
    }
    let before = past.at("subscriptions/sub_1", "2026-09-01T11:59:59Z").await;
    let expected = json!({
        "id": "sub_1", "kind": "subscriptions", "account": null, "at": "2026-09-01T11:59:59Z",
        "known_since": KNOWN_SINCE, "known": true, "unknown_reason": null, "existed": false, "record": null,
        "events_not_applied": [], "timeline": [],
    });
    assert_eq!(before, expected);
    // The timeline is that of then.
    let timeline = past.at("subscriptions/sub_1", QUARTER).await["timeline"].clone();
    assert_eq!(timeline.as_array().unwrap().iter().map(|row| &row["id"]).collect::<Vec<_>>(), ["evt_1"]);
}

#[tokio::test]
async fn at_now_a_record_is_what_it_is() {
    let past = Past::start().await;
    past.apply("evt_1", "customer.subscription.created", "09-01", &subscription("sub_1", "09-01", "active"))
        .await;
    past.import("10-01", &subscription("sub_2", "05-01", "active")).await;
    past.apply(
        "evt_2",
        "customer.deleted",
        "09-01",
        &json!({"object": "customer", "id": "cus_1", "deleted": true}),
    )
    .await;
    for record in ["subscriptions/sub_1", "subscriptions/sub_2", "customers/cus_1"] {
        let present = past.stack.ok(&format!("/records/{record}")).await;
        let answer = past.at(record, "2026-11-24T12:00:00Z").await;
        for (field, value) in answer["record"].as_object().unwrap() {
            assert_eq!(*value, present[field], "{record} {field}");
        }
        assert_eq!(answer["timeline"], present["timeline"], "{record}");
    }
}

#[tokio::test]
async fn what_has_not_changed_since_is_known_however_old_it_is_and_without_the_ledger() {
    let past = Past::start().await;
    past.import("02-01", &subscription("sub_1", "01-01", "active")).await;
    for at in ["2026-02-01T12:00:00Z", "2026-03-31T23:59:59Z", QUARTER] {
        let answer = past.at("subscriptions/sub_1", at).await;
        assert_eq!((&answer["known"], &answer["record"]["status"]), (&json!(true), &json!("active")), "{at}");
    }
    // Before it was made there was none, which its object says.
    let answer = past.at("subscriptions/sub_1", "2025-12-31T23:59:59Z").await;
    assert_eq!((&answer["known"], &answer["existed"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn an_event_counts_once_it_is_applied_and_is_named_until_then() {
    let past = Past::start().await;
    past.apply(
        "evt_1",
        "customer.subscription.created",
        "09-01",
        &subscription("sub_1", "09-01", "trialing"),
    )
    .await;
    past.apply("evt_9", "customer.subscription.updated", "11-01", &subscription("sub_1", "09-01", "active"))
        .await;
    let update = |id: &str, day: &str| {
        event(id, "customer.subscription.updated", noon(day), &subscription("sub_1", "09-01", "past_due"))
    };
    past.store(&update("evt_2", "09-02")).await;
    past.leave(&update("evt_3", "09-03"), EventState::Failed).await;
    past.leave(&update("evt_4", "09-04"), EventState::Dead).await;
    past.leave(&update("evt_5", "09-05"), EventState::Quarantined).await;
    // What the settings ignore changed no record.
    past.leave(&update("evt_6", "09-06"), EventState::Ignored).await;
    past.store(&update("evt_7", "10-07")).await;
    let answer = past.at("subscriptions/sub_1", QUARTER).await;
    assert_eq!(answer["record"]["event"], "evt_1", "{answer}");
    assert_eq!(answer["events_not_applied"], json!(["evt_5", "evt_4", "evt_3", "evt_2"]));
    assert_eq!(answer["timeline"][0]["id"], "evt_6");
    // Also where the record has not changed since.
    let answer = past.at("subscriptions/sub_1", "2026-11-20T00:00:00Z").await;
    assert_eq!(answer["record"]["event"], "evt_9");
    assert_eq!(answer["events_not_applied"].as_array().unwrap().len(), 5);
    // What is tried again was applied all the same.
    let applied = past.row("evt_1").await;
    let actor = shared::ledger::Actor { by: "a@example.com", why: None };
    past.stack.ledger().replay(&applied, actor, time("2026-11-24T12:00:00Z")).await.unwrap();
    let answer = past.at("subscriptions/sub_1", QUARTER).await;
    assert_eq!(answer["record"]["event"], "evt_1", "{answer}");
    assert_eq!(answer["events_not_applied"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_notice_and_a_preview_change_nothing() {
    let past = Past::start().await;
    past.apply(
        "evt_1",
        "customer.subscription.created",
        "09-01",
        &subscription("sub_1", "09-01", "trialing"),
    )
    .await;
    let second = subscription("sub_1", "09-01", "active");
    past.apply("evt_2", "customer.subscription.updated", "09-10", &second).await;
    past.apply(
        "evt_8",
        "customer.subscription.trial_will_end",
        "09-10",
        &subscription("sub_1", "09-01", "trialing"),
    )
    .await;
    let preview =
        json!({ "object": "invoice", "customer": "cus_1", "subscription": "sub_1", "status": "draft" });
    past.apply("evt_3", "invoice.upcoming", "09-20", &preview).await;
    past.apply(
        "evt_4",
        "customer.subscription.deleted",
        "11-01",
        &subscription("sub_1", "09-01", "canceled"),
    )
    .await;
    let answer = past.at("subscriptions/sub_1", QUARTER).await;
    assert_eq!(
        (&answer["record"]["event"], &answer["record"]["status"]),
        (&json!("evt_2"), &json!("active"))
    );
    assert_eq!(answer["timeline"][0]["type"], "invoice.upcoming");
    assert_eq!(answer["events_not_applied"], json!([]));
}

#[tokio::test]
async fn a_second_without_an_order_says_so() {
    let past = Past::start().await;
    for (id, status) in [("evt_1", "past_due"), ("evt_2", "active")] {
        past.apply(id, "customer.subscription.updated", "09-10", &subscription("sub_1", "09-01", status))
            .await;
    }
    past.apply("evt_3", "customer.subscription.updated", "11-01", &subscription("sub_1", "09-01", "active"))
        .await;
    let answer = past.at("subscriptions/sub_1", QUARTER).await;
    let record = &answer["record"];
    assert_eq!((&record["event"], &record["order_uncertain"]), (&json!("evt_2"), &json!(true)));
    assert_eq!(
        past.at("subscriptions/sub_1", "2026-11-01T12:00:00Z").await["record"]["order_uncertain"],
        false
    );
}

#[tokio::test]
async fn what_is_deleted_since_was_there_and_what_was_deleted_by_then_was_deleted() {
    let past = Past::start().await;
    let customer = |email: &str| json!({ "object": "customer", "id": "cus_1", "created": noon("09-01"), "email": email });
    past.apply("evt_1", "customer.created", "09-01", &customer("a@example.com")).await;
    past.apply(
        "evt_2",
        "customer.deleted",
        "10-05",
        &json!({ "object": "customer", "id": "cus_1", "deleted": true }),
    )
    .await;
    let answer = past.at("customers/cus_1", QUARTER).await;
    assert_eq!(
        (&answer["record"]["deleted"], &answer["record"]["object"]["email"]),
        (&json!(false), &json!("a@example.com"))
    );
    for at in ["2026-10-05T12:00:00Z", "2026-11-01T00:00:00Z"] {
        let answer = past.at("customers/cus_1", at).await;
        assert_eq!((&answer["existed"], &answer["record"]["deleted"]), (&json!(true), &json!(true)), "{at}");
    }
}

#[tokio::test]
async fn an_id_that_is_used_again_was_the_object_of_then() {
    let past = Past::start().await;
    let coupon = |made: &str, percent: i64| json!({ "object": "coupon", "id": "SUMMER", "created": noon(made), "percent_off": percent });
    past.apply("evt_1", "coupon.created", "09-01", &coupon("09-01", 10)).await;
    past.apply("evt_2", "coupon.deleted", "09-20", &coupon("09-01", 10)).await;
    past.apply("evt_3", "coupon.created", "10-10", &coupon("10-10", 20)).await;
    past.apply("evt_4", "coupon.updated", "10-20", &coupon("10-10", 30)).await;
    for (at, deleted, percent) in [
        ("2026-09-10T00:00:00Z", false, 10),
        ("2026-09-30T00:00:00Z", true, 10),
        ("2026-10-15T00:00:00Z", false, 20),
        ("2026-10-25T00:00:00Z", false, 30),
    ] {
        let answer = past.at("coupons/SUMMER", at).await;
        let record = &answer["record"];
        assert_eq!(
            (&record["deleted"], &record["object"]["percent_off"]),
            (&json!(deleted), &json!(percent)),
            "{at}: {answer}"
        );
    }
    assert_eq!(past.at("coupons/SUMMER", "2026-08-31T00:00:00Z").await["existed"], false);
    // The one of then is only known by its deletion.
    past.apply(
        "evt_5",
        "coupon.deleted",
        "10-05",
        &json!({ "object": "coupon", "id": "OLD", "created": noon("08-01") }),
    )
    .await;
    past.apply(
        "evt_6",
        "coupon.created",
        "10-10",
        &json!({ "object": "coupon", "id": "OLD", "created": noon("10-10") }),
    )
    .await;
    let answer = past.at("coupons/OLD", QUARTER).await;
    assert_eq!(
        (&answer["known"], &answer["existed"], &answer["unknown_reason"]),
        (&json!(false), &json!(true), &json!("id_used_before"))
    );
}

#[tokio::test]
async fn of_a_long_list_only_what_the_event_showed_is_known() {
    let past = Past::start().await;
    let invoice = |status: &str, has_more: bool| {
        json!({ "object": "invoice", "id": "in_1", "created": noon("09-01"), "status": status,
                "lines": { "object": "list", "data": [{ "id": "il_1" }], "has_more": has_more } })
    };
    past.apply("evt_1", "invoice.finalized", "09-01", &invoice("open", true)).await;
    past.apply("evt_2", "invoice.paid", "10-01", &invoice("paid", true)).await;
    let answer = past.at("invoices/in_1", QUARTER).await;
    let record = &answer["record"];
    assert_eq!((&record["complete"], &record["incomplete_reason"]), (&json!(false), &json!("not_kept")));
    assert_eq!(record["object"], invoice("open", true));
    // What the record itself shows is as complete as the record.
    let answer = past.at("invoices/in_1", "2026-10-01T12:00:00Z").await;
    assert_eq!(answer["record"]["incomplete_reason"], "fetching");
}

#[tokio::test]
async fn what_is_kept_beside_stripes_objects_is_of_now_and_left_out() {
    let past = Past::start().await;
    let payout = |status: &str| json!({ "object": "payout", "id": "po_1", "created": noon("09-01"), "status": status, "amount": 5, "currency": "eur", "arrival_date": noon("09-05") });
    past.apply("evt_1", "payout.created", "09-01", &payout("pending")).await;
    past.apply("evt_2", "payout.paid", "10-05", &payout("paid")).await;
    for at in [QUARTER, "2026-10-06T00:00:00Z"] {
        let record = past.at("payouts/po_1", at).await["record"].clone();
        for field in ["transactions", "links", "settlement", "references", "history"] {
            assert_eq!(record.get(field), None, "{at} {field}");
        }
    }
}

#[tokio::test]
async fn an_object_of_a_connected_account_is_found_by_it() {
    let past = Past::start().await;
    for (id, day, status) in [("evt_1", "09-01", "trialing"), ("evt_2", "10-01", "active")] {
        let body =
            event(id, "customer.subscription.updated", noon(day), &subscription("sub_1", "09-01", status));
        let mut body: Value = serde_json::from_str(&body).unwrap();
        body["account"] = "acct_1".into();
        past.apply_body(&body.to_string()).await;
    }
    let answer = past.stack.ok(&format!("/records/subscriptions/sub_1?account=acct_1&at={QUARTER}")).await;
    assert_eq!((&answer["account"], &answer["record"]["status"]), (&json!("acct_1"), &json!("trialing")));
    assert_eq!(past.stack.get(&format!("/records/subscriptions/sub_1?at={QUARTER}")).await.0, 404);
}

#[tokio::test]
async fn what_does_not_say_when_it_was_made_is_known_by_its_creation() {
    let past = Past::start().await;
    let link = |active: bool| json!({ "object": "payment_link", "id": "plink_1", "active": active });
    past.apply("evt_1", "payment_link.created", "10-01", &link(true)).await;
    past.apply("evt_2", "payment_link.updated", "10-20", &link(false)).await;
    assert_eq!(past.at("payment_links/plink_1", QUARTER).await["existed"], false);
    assert_eq!(
        past.at("payment_links/plink_1", "2026-10-10T00:00:00Z").await["record"]["object"],
        link(true)
    );
    // Of one that was imported nothing says so.
    past.stack.record_raw(None, r#"{"object":"payment_link","id":"plink_2"}"#, fetched("11-01")).await;
    let answer = past.at("payment_links/plink_2", QUARTER).await;
    assert_eq!(
        (&answer["known"], &answer["existed"], &answer["unknown_reason"]),
        (&json!(false), &Value::Null, &json!("no_event"))
    );
}
