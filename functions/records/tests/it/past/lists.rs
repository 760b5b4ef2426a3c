//! Which records there were, and how each stood.

use serde_json::{Value, json};

use super::{Past, QUARTER, known, noon, subscription};

/// Three subscriptions of before the end of the quarter, of which one is unchanged, one active since and one
/// canceled since; and one that was made since.
async fn with_subscriptions() -> Past {
    let past = Past::start().await;
    let apply = async |id: &str, kind: &str, day: &str, object: Value| {
        past.apply(id, &format!("customer.subscription.{kind}"), day, &object).await;
    };
    apply("evt_1", "created", "09-01", subscription("sub_1", "09-01", "active")).await;
    apply("evt_2", "created", "09-02", subscription("sub_2", "09-02", "trialing")).await;
    apply("evt_3", "created", "09-03", subscription("sub_3", "09-03", "active")).await;
    apply("evt_4", "updated", "10-01", subscription("sub_2", "09-02", "active")).await;
    apply("evt_5", "deleted", "10-02", subscription("sub_3", "09-03", "canceled")).await;
    apply("evt_6", "created", "10-03", subscription("sub_4", "10-03", "active")).await;
    past
}

#[tokio::test]
async fn a_list_has_what_there_was_and_not_what_was_made_since() {
    let past = with_subscriptions().await;
    assert_eq!(known(&past.list("subscriptions", QUARTER, "").await), ["sub_3", "sub_2", "sub_1"]);
    assert_eq!(known(&past.list("subscriptions", "2026-09-02T12:00:00Z", "").await), ["sub_2", "sub_1"]);
    assert_eq!(
        known(&past.list("subscriptions", "2026-10-05T00:00:00Z", "").await),
        ["sub_4", "sub_3", "sub_2", "sub_1"]
    );
    let page = past.stack.ok(&format!("/records/subscriptions?at={QUARTER}")).await;
    assert_eq!((&page["at"], &page["known_since"]), (&json!(QUARTER), &json!(super::KNOWN_SINCE)));
    for entry in page["data"].as_array().unwrap() {
        let id = entry["id"].as_str().unwrap();
        assert_eq!(entry["record"], past.at(&format!("subscriptions/{id}"), QUARTER).await["record"]);
    }
}

#[tokio::test]
async fn filters_hold_for_the_state_of_then() {
    let past = with_subscriptions().await;
    for (filter, found) in [
        ("&status=active", &["sub_3", "sub_1"][..]),
        ("&status=trialing", &["sub_2"]),
        ("&status=canceled", &[]),
        ("&customer=cus_1&status=trialing", &["sub_2"]),
        ("&customer=cus_2", &[]),
        ("&account=acct_1", &[]),
        ("&search=SUB_3", &["sub_3"]),
    ] {
        assert_eq!(known(&past.list("subscriptions", QUARTER, filter).await), found, "{filter}");
    }
}

#[tokio::test]
async fn what_was_a_customers_then_is_in_their_list_and_what_became_so_since_is_not() {
    let past = Past::start().await;
    let card = |customer: Value| json!({ "object": "payment_method", "id": "pm_1", "created": noon("09-01"), "customer": customer });
    past.apply("evt_1", "payment_method.attached", "09-01", &card(json!("cus_1"))).await;
    past.apply("evt_2", "payment_method.detached", "10-01", &card(Value::Null)).await;
    let other = |customer: Value| json!({ "object": "payment_intent", "id": "pi_1", "created": noon("09-01"), "customer": customer, "status": "processing" });
    past.apply("evt_3", "payment_intent.created", "09-01", &other(Value::Null)).await;
    past.apply("evt_4", "payment_intent.processing", "10-01", &other(json!("cus_1"))).await;
    let of_customer = async |kind: &str, at: &str| past.list(kind, at, "&customer=cus_1").await;
    assert_eq!(known(&of_customer("payment_methods", QUARTER).await), ["pm_1"]);
    assert_eq!(known(&of_customer("payment_methods", "2026-10-01T12:00:00Z").await), [""; 0]);
    assert_eq!(known(&of_customer("payments", QUARTER).await), [""; 0]);
    assert_eq!(known(&of_customer("payments", "2026-10-01T12:00:00Z").await), ["pi_1"]);
    past.apply(
        "evt_5",
        "customer.created",
        "09-05",
        &json!({ "object": "customer", "id": "cus_1", "created": noon("09-05") }),
    )
    .await;
    assert_eq!(known(&of_customer("customers", QUARTER).await), ["cus_1"]);
    assert_eq!(known(&of_customer("customers", "2026-09-05T11:59:59Z").await), [""; 0]);
}

#[tokio::test]
async fn pages_go_on_where_they_ended_and_belong_to_their_time() {
    let past = with_subscriptions().await;
    for filter in ["", "&status=active", "&status=trialing"] {
        let whole = known(&past.list("subscriptions", QUARTER, filter).await)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        let path = format!("/records/subscriptions?at={QUARTER}{filter}");
        assert_eq!(past.stack.ids_of_all_pages(&path, 1).await, whole, "{filter}");
        assert_eq!(past.stack.ids_of_all_pages(&path, 2).await, whole, "{filter}");
    }
    let page = past.stack.ok(&format!("/records/subscriptions?limit=1&at={QUARTER}")).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    for path in [
        "/records/subscriptions?limit=1".to_owned(),
        "/records/subscriptions?limit=1&at=2026-09-30T23:59:58Z".to_owned(),
        format!("/records/invoices?limit=1&at={QUARTER}"),
    ] {
        let (status, refusal) = past.stack.get(&format!("{path}&cursor={cursor}")).await;
        assert_eq!((status, refusal["error"]["field"].as_str()), (400, Some("cursor")), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_known_is_in_the_list_whatever_it_asks_for() {
    let past = with_subscriptions().await;
    past.import("11-01", &subscription("sub_0", "05-01", "active")).await;
    for filter in ["", "&status=active", "&status=canceled", "&customer=cus_1", "&search=none"] {
        let listed = past.list("subscriptions", QUARTER, filter).await;
        assert!(listed.contains(&("sub_0".to_owned(), false)), "{filter}: {listed:?}");
    }
}

#[tokio::test]
async fn ids_that_are_used_again_are_listed_as_they_were() {
    let past = Past::start().await;
    let coupon = |id: &str, made: &str, percent: i64| json!({ "object": "coupon", "id": id, "created": noon(made), "percent_off": percent });
    past.apply("evt_1", "coupon.created", "09-01", &coupon("SUMMER", "09-01", 10)).await;
    past.apply("evt_2", "coupon.deleted", "10-01", &coupon("SUMMER", "09-01", 10)).await;
    past.apply("evt_3", "coupon.created", "10-02", &coupon("SUMMER", "10-02", 20)).await;
    past.apply("evt_4", "coupon.created", "10-02", &coupon("AUTUMN", "10-02", 30)).await;
    let page = past.stack.ok(&format!("/records/coupons?at={QUARTER}")).await;
    assert_eq!(page["data"].as_array().unwrap().len(), 1, "{page}");
    assert_eq!(page["data"][0]["record"]["object"]["percent_off"], 10);
}

#[tokio::test]
async fn a_page_reads_three_times_for_each_record_that_changed_since_and_a_bounded_number_of_them() {
    let past = Past::start().await;
    past.stack.cloud.answer_in_whole_pages();
    let count = async |path: &str| {
        past.stack.cloud.clear_calls();
        let page = past.stack.ok(path).await;
        let calls = past.stack.cloud.calls();
        let reads = ["GetItem", "Query", "BatchGetItem"];
        assert!(calls.iter().all(|call| reads.contains(&&*call.operation)), "nothing is written");
        (page, calls.len())
    };
    for i in 0..110 {
        past.import("09-10", &subscription(&format!("sub_{i:03}"), "09-05", "active")).await;
    }
    let (page, unchanged) = count(&format!("/records/subscriptions?limit=100&at={QUARTER}")).await;
    assert_eq!(
        (page["data"].as_array().unwrap().len(), unchanged),
        (100, 6),
        "the settings, four shards, the records"
    );
    for i in 100..110 {
        let id = format!("sub_{i:03}");
        past.apply(
            &format!("evt_{i}a"),
            "customer.subscription.updated",
            "09-20",
            &subscription(&id, "09-05", "active"),
        )
        .await;
        past.apply(
            &format!("evt_{i}b"),
            "customer.subscription.updated",
            "10-20",
            &subscription(&id, "09-05", "past_due"),
        )
        .await;
    }
    let (page, changed) = count(&format!("/records/subscriptions?limit=100&at={QUARTER}")).await;
    assert_eq!((page["data"].as_array().unwrap().len(), changed), (100, unchanged + 10 * 3));
    assert!(page["data"].as_array().unwrap().iter().all(|one| one["record"]["status"] == "active"));
    // A filter that fits none looks at a hundred, and says where to go on.
    let (page, filtered) = count(&format!("/records/subscriptions?status=none&at={QUARTER}")).await;
    assert_eq!(page["data"], json!([]));
    assert!(page["next_cursor"].is_string() && filtered <= unchanged * 4 + 10 * 3, "{filtered}");
    assert_eq!(
        past.stack
            .ids_of_all_pages(&format!("/records/subscriptions?at={QUARTER}&status=active"), 7)
            .await
            .len(),
        110
    );
}
