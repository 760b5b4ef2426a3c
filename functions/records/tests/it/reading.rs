//! Records are shown as Stripe's objects say, joined when they are read.

use serde_json::{Value, json};

use crate::support::{Stack, ago};

fn intent(id: &str, created: i64) -> Value {
    json!({
        "object": "payment_intent", "id": id, "created": created, "customer": "cus_1", "currency": "usd",
        "status": "succeeded", "amount": 2000, "amount_received": 2000, "last_payment_error": null,
    })
}

#[tokio::test]
async fn a_record_shows_its_fields_stripes_object_whole_and_its_events() {
    let stack = Stack::start().await;
    let object = json!({"object": "subscription", "id": "sub_1", "customer": {"id": "cus_1"}, "currency": "eur", "status": "a_new_one", "new_field": [1]});
    stack.record(&object).await;
    stack.event("evt_1", "customer.subscription.created", &object, ago(20)).await;
    stack.event("evt_2", "customer.subscription.updated", &object, ago(10)).await;
    let record = stack.ok("/records/subscriptions/sub_1").await;
    assert_eq!(record["object"], object);
    let shown =
        ["id", "kind", "account", "status", "customer", "currency", "deleted", "as_of", "order_uncertain"]
            .map(|field| record[field].clone());
    let expected = [
        json!("sub_1"),
        json!("subscriptions"),
        Value::Null,
        json!("a_new_one"),
        json!("cus_1"),
        json!("eur"),
        json!(false),
        json!("2026-07-25T17:20:00Z"),
        json!(false),
    ];
    assert_eq!(shown, expected);
    let timeline: Vec<_> =
        record["timeline"].as_array().unwrap().iter().map(|event| event["id"].clone()).collect();
    assert_eq!(timeline, ["evt_2", "evt_1"]);
}

#[tokio::test]
async fn a_payment_is_joined_with_its_charges_refunds_disputes_and_invoice() {
    let stack = Stack::start().await;
    for object in [
        intent("pi_1", 10),
        json!({"object": "charge", "id": "ch_1", "created": 11, "payment_intent": "pi_1", "customer": "cus_1", "amount_captured": 2000, "amount_refunded": 0}),
        // A refund as API versions before 2019 wrote it: it names only the charge.
        json!({"object": "refund", "id": "re_1", "created": 12, "charge": "ch_1", "amount": 500, "status": "succeeded"}),
        json!({"object": "refund", "id": "re_2", "created": 13, "charge": "ch_1", "payment_intent": "pi_1", "amount": 300, "status": "pending"}),
        json!({"object": "dispute", "id": "dp_1", "created": 14, "charge": "ch_1", "payment_intent": "pi_1", "amount": 2000, "status": "won"}),
        json!({"object": "invoice_payment", "id": "inpay_1", "created": 15, "invoice": "in_1", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}}),
        intent("pi_2", 20),
    ] {
        stack.record(&object).await;
    }
    let payment = stack.ok("/records/payments/pi_1").await;
    assert_eq!(payment["state"], "partially_refunded");
    assert_eq!(
        (payment["amount_captured"].as_i64(), payment["amount_refunded"].as_i64()),
        (Some(2000), Some(800))
    );
    let ids = |field: &str| {
        payment[field]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["id"].as_str().unwrap())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        (ids("charges"), ids("refunds"), ids("disputes")),
        ("ch_1".into(), "re_2 re_1".into(), "dp_1".into())
    );
    assert_eq!(payment["invoice"], "in_1");
    assert_eq!(stack.ok("/records/payments/pi_2").await["state"], "completed");

    let customer = stack.ok("/records/payments?customer=cus_1").await;
    assert_eq!(customer["data"][0]["id"], "pi_2");
    assert_eq!(customer["data"][1]["state"], "partially_refunded");
}

#[tokio::test]
async fn a_customer_shows_the_records_that_belong_to_them_and_a_deleted_one_is_still_shown() {
    let stack = Stack::start().await;
    stack.record(&json!({"object": "customer", "id": "cus_1", "deleted": true})).await;
    stack.record(&intent("pi_1", 10)).await;
    stack.record(&json!({"object": "invoice", "id": "in_1", "customer": "cus_1", "status": "paid"})).await;
    stack.record(&json!({"object": "invoice", "id": "in_2", "customer": "cus_2", "status": "paid"})).await;
    let customer = stack.ok("/records/customers/cus_1").await;
    assert_eq!((customer["deleted"].as_bool(), customer["customer"].as_str()), (Some(true), Some("cus_1")));
    assert_eq!(customer["payments"][0]["state"], "completed");
    assert_eq!(customer["invoices"].as_array().unwrap().len(), 1);
    assert_eq!(customer["subscriptions"], json!([]));
}

#[tokio::test]
async fn lists_are_newest_first_complete_and_free_of_repeats_while_records_come_in() {
    let stack = Stack::start().await;
    for i in 0..57 {
        // Ten share each second.
        stack.record(&intent(&format!("pi_{i:02}"), 1_000 + i / 10)).await;
    }
    let all = stack.ids_of_all_pages("/records/payments", 100).await;
    assert_eq!(all.len(), 57);
    assert!(all.is_sorted_by(|a, b| a > b), "{all:?}");
    for limit in [1, 7, 57] {
        assert_eq!(stack.ids_of_all_pages("/records/payments", limit).await, all, "by {limit}");
        assert_eq!(
            stack.ids_of_all_pages("/records/payments?customer=cus_1", limit).await,
            all,
            "by {limit}"
        );
    }
    let first = stack.ok("/records/payments?limit=10").await;
    stack.record(&intent("pi_99", 9_000)).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = stack.ok(&format!("/records/payments?limit=10&cursor={cursor}")).await;
    assert_eq!(second["data"][0]["id"], all[10].as_str());
}

#[tokio::test]
async fn status_and_account_filter() {
    let stack = Stack::start().await;
    for (id, status) in [("in_1", "paid"), ("in_2", "open"), ("in_3", "paid")] {
        stack.record(&json!({"object": "invoice", "id": id, "created": 5, "status": status})).await;
    }
    let connected = json!({"object": "invoice", "id": "in_4", "created": 5, "status": "paid"});
    stack.record_in(Some("acct_1"), &connected).await;
    assert_eq!(stack.ids_of_all_pages("/records/invoices?status=paid", 1).await, ["in_4", "in_3", "in_1"]);
    assert_eq!(stack.ids_of_all_pages("/records/invoices?status=paid&account=acct_1", 10).await, ["in_4"]);
    assert_eq!(stack.get("/records/invoices/in_4").await.0, 404);
    assert_eq!(stack.ok("/records/invoices/in_4?account=acct_1").await["account"], "acct_1");
}

#[tokio::test]
async fn an_empty_list_is_an_empty_list() {
    let stack = Stack::start().await;
    for path in
        ["/records/refunds", "/records/payments?customer=cus_x", "/events", "/events?state=dead", "/audit"]
    {
        assert_eq!(stack.ok(path).await, json!({"data": [], "next_cursor": null}), "{path}");
    }
}

#[tokio::test]
async fn records_of_different_accounts_with_one_id_and_second_are_each_listed() {
    let stack = Stack::start().await;
    for account in [None, Some("acct_1"), Some("acct_2")] {
        stack.record_in(account, &json!({"object": "customer", "id": "shop-17", "created": 5})).await;
    }
    assert_eq!(stack.ids_of_all_pages("/records/customers", 1).await, ["shop-17"; 3]);
}

#[tokio::test]
async fn a_page_ends_before_its_answer_is_too_large_for_lambda() {
    let stack = Stack::start().await;
    for i in 0..60 {
        let lines: Vec<_> = (0..100)
            .map(|line| json!({"id": format!("il_{line}"), "description": "x".repeat(1_000)}))
            .collect();
        let invoice = json!({"object": "invoice", "id": format!("in_{i:02}"), "created": i, "customer": "cus_1", "lines": {"data": lines}});
        stack.record(&invoice).await;
    }
    let page = stack.ok("/records/invoices?limit=100").await;
    let as_a_text = Value::from(page.to_string()).to_string();
    assert!(as_a_text.len() < 5_000_000, "what Lambda hands on is {} bytes", as_a_text.len());
    assert!(page["next_cursor"].is_string());
    assert_eq!(stack.ids_of_all_pages("/records/invoices", 100).await.len(), 60);
    stack.record(&json!({"object": "customer", "id": "cus_1"})).await;
    assert!(stack.ok("/records/customers/cus_1").await.to_string().len() < 4_000_000);
}

#[tokio::test]
async fn a_filter_that_matches_nothing_makes_few_calls_also_with_a_small_page() {
    let stack = Stack::start().await;
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    for i in 0..300 {
        stack
            .record(&json!({"object": "invoice", "id": format!("in_{i}"), "created": i, "status": "open"}))
            .await;
        stack
            .event(&format!("evt_{i}"), "invoice.paid", &json!({"object": "invoice", "id": "in_1"}), ago(i))
            .await;
    }
    for path in ["/records/invoices?status=paid&limit=1", "/events?type=charge.failed&limit=1"] {
        stack.cloud.clear_calls();
        stack.ok(path).await;
        // The end of the ledger is known only when all its days have been looked at.
        assert!(stack.cloud.calls().len() < 120, "{path}: {}", stack.cloud.calls().len());
    }
}
