//! The records that belong to a customer, also through their payments and charges.

use serde_json::{Value, json};
use shared::page::write_cursor;

use crate::support::{Stack, ids};

fn payment(i: usize) -> Value {
    json!({"object": "payment_intent", "id": format!("pi_{i:02}"), "created": 100 + i, "customer": "cus_1", "status": "succeeded", "amount": 9, "amount_received": 9})
}

fn charge(id: &str, created: i64, intent: Option<&str>) -> Value {
    json!({"object": "charge", "id": id, "created": created, "customer": "cus_1", "payment_intent": intent, "status": "succeeded", "captured": true, "amount": 9})
}

fn refund(id: &str, created: i64, intent: Option<&str>, charge: Option<&str>) -> Value {
    json!({"object": "refund", "id": id, "created": created, "payment_intent": intent, "charge": charge, "amount": 1, "status": if id.ends_with('f') { "failed" } else { "succeeded" }})
}

/// 30 payments of which some have refunds, a charge without a PaymentIntent with two, and another customer's.
async fn shop() -> Stack {
    let stack = Stack::start().await;
    stack.record(&json!({"object": "customer", "id": "cus_1", "created": 1})).await;
    for i in 0..30 {
        stack.record(&payment(i)).await;
    }
    let mut of_another = payment(40);
    of_another["customer"] = json!("cus_2");
    for object in [
        of_another,
        charge("ch_01", 150, Some("pi_01")),
        charge("ch_99", 50, None),
        refund("re_29", 300, Some("pi_29"), None),
        refund("re_29b", 301, Some("pi_29"), Some("ch_29")),
        refund("re_29f", 299, Some("pi_29"), None),
        // Through its charge alone.
        refund("re_01", 400, None, Some("ch_01")),
        refund("re_99", 200, None, Some("ch_99")),
        refund("re_99f", 201, None, Some("ch_99")),
        refund("re_40", 500, Some("pi_40"), None),
        json!({"object": "dispute", "id": "dp_1", "created": 210, "payment_intent": "pi_03", "charge": "ch_03", "amount": 9, "status": "lost"}),
        json!({"object": "invoice_payment", "id": "inpay_1", "created": 220, "invoice": "in_1", "status": "paid", "payment": {"type": "payment_intent", "payment_intent": "pi_04"}}),
    ] {
        stack.record(&object).await;
    }
    stack
}

/// A declined try, then one that went well.
#[tokio::test]
async fn a_customer_with_two_charges_of_one_payment_can_be_read_and_listed() {
    let stack = Stack::start().await;
    stack.record(&json!({"object": "customer", "id": "cus_1", "created": 1})).await;
    let mut declined = charge("ch_1", 101, Some("pi_01"));
    declined["status"] = json!("failed");
    for object in [
        payment(1),
        declined,
        charge("ch_2", 102, Some("pi_01")),
        refund("re_1", 103, Some("pi_01"), Some("ch_2")),
    ] {
        stack.record(&object).await;
    }
    let customer = stack.ok("/records/customers/cus_1").await;
    assert_eq!((ids(&customer["charges"]), ids(&customer["refunds"])), (vec!["ch_2", "ch_1"], vec!["re_1"]));
    for (kind, expected) in [("refunds", vec!["re_1"]), ("disputes", vec![]), ("invoice_payments", vec![])] {
        let list = stack.ok(&format!("/records/{kind}?customer=cus_1")).await;
        assert_eq!(ids(&list["data"]), expected, "{kind}");
    }
}

#[tokio::test]
async fn a_customer_has_a_list_of_each_kind_that_is_said_to_be_a_customers_and_of_no_other() {
    let stack = Stack::start().await;
    stack.record(&json!({"object": "customer", "id": "cus_1", "created": 1})).await;
    let customer = stack.ok("/records/customers/cus_1").await;
    let kinds = stack.ok("/records").await["data"].clone();
    for kind in kinds.as_array().unwrap().iter().filter(|kind| kind["kind"] != "customers") {
        let name = kind["kind"].as_str().unwrap();
        let list = customer.get(name).map(|list| list.as_array().map(Vec::len));
        assert_eq!(list, (kind["by_customer"] == true).then_some(Some(0)), "{name}");
    }
}

#[tokio::test]
async fn a_customer_shows_what_names_their_payments_and_charges_the_newest_first() {
    let stack = shop().await;
    let customer = stack.ok("/records/customers/cus_1").await;
    assert_eq!(ids(&customer["refunds"]), ["re_01", "re_29b", "re_29", "re_29f", "re_99f", "re_99"]);
    assert_eq!(
        (ids(&customer["disputes"]), ids(&customer["invoice_payments"])),
        (vec!["dp_1"], vec!["inpay_1"])
    );
    assert_eq!(customer["payments"].as_array().unwrap().len(), 25);
    for i in 0..30 {
        stack.record(&refund(&format!("re_more_{i:02}"), 1_000 + i, Some("pi_02"), None)).await;
    }
    let customer = stack.ok("/records/customers/cus_1").await;
    let refunds = ids(&customer["refunds"]);
    assert_eq!((refunds.len(), refunds[0], refunds[24]), (25, "re_more_29", "re_more_05"));
}

#[tokio::test]
async fn records_that_name_no_customer_are_listed_payment_by_payment_whatever_the_page() {
    let stack = shop().await;
    let all = ["re_29b", "re_29", "re_29f", "re_01", "re_99f", "re_99"];
    for limit in [1, 2, 3, 5, 6, 100] {
        assert_eq!(stack.ids_of_all_pages("/records/refunds?customer=cus_1", limit).await, all, "by {limit}");
    }
    assert_eq!(
        stack.ids_of_all_pages("/records/refunds?customer=cus_1&status=failed", 1).await,
        ["re_29f", "re_99f"]
    );
    assert_eq!(stack.ids_of_all_pages("/records/disputes?customer=cus_1", 1).await, ["dp_1"]);
    assert_eq!(stack.ids_of_all_pages("/records/disputes?customer=cus_1&status=won", 1).await, [""; 0]);
    assert_eq!(stack.ids_of_all_pages("/records/invoice_payments?customer=cus_1", 1).await, ["inpay_1"]);
    assert_eq!(stack.ids_of_all_pages("/records/refunds?customer=cus_1&account=acct_1", 5).await, [""; 0]);
    stack.record_in(Some("acct_1"), &payment(1)).await;
    stack.record_in(Some("acct_1"), &refund("re_1", 5, Some("pi_01"), None)).await;
    assert_eq!(stack.ids_of_all_pages("/records/refunds?customer=cus_1&account=acct_1", 5).await, ["re_1"]);
}

#[tokio::test]
async fn a_list_continues_where_it_was_while_payments_come_in() {
    let stack = shop().await;
    let first = stack.ok("/records/refunds?customer=cus_1&limit=1").await;
    stack.record(&payment(35)).await;
    stack.record(&refund("re_35", 600, Some("pi_35"), None)).await;
    stack.record(&refund("re_29x", 601, Some("pi_29"), None)).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = stack.ok(&format!("/records/refunds?customer=cus_1&cursor={cursor}")).await;
    assert_eq!(ids(&rest["data"]), ["re_29", "re_29f", "re_01", "re_99f", "re_99"]);
}

#[tokio::test]
async fn a_request_searches_only_so_far_and_says_where_to_continue() {
    let stack = Stack::start().await;
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    for i in 0..260 {
        stack.record(&payment(i)).await;
    }
    stack.record(&refund("re_1", 300, Some("pi_00"), None)).await;
    stack.cloud.clear_calls();
    let first = stack.ok("/records/refunds?customer=cus_1").await;
    assert_eq!((ids(&first["data"]).len(), first["next_cursor"].is_string()), (0, true));
    assert!(stack.cloud.calls().len() < 120, "{}", stack.cloud.calls().len());
    assert_eq!(stack.ids_of_all_pages("/records/refunds?customer=cus_1", 25).await, ["re_1"]);
}

#[tokio::test]
async fn a_forged_cursor_is_refused() {
    let stack = shop().await;
    let list_name = "test records refunds&customer=cus_1";
    let (owner, item) = ("payment_intent#000000000129#-/pi_29", "refund#000000000300#-/re_29");
    let genuine = json!({"of": "payments", "owner": owner, "item": item});
    let get = async |position: Value| {
        stack
            .get(&format!("/records/refunds?customer=cus_1&cursor={}", write_cursor(list_name, position)))
            .await
    };
    let (status, page) = get(genuine.clone()).await;
    assert_eq!((status, ids(&page["data"])[0]), (200, "re_29f"));
    for (field, value) in [
        ("of", json!("charges")),
        ("of", json!("customers")),
        ("owner", json!("x")),
        ("owner", json!(item)),
        ("owner", Value::Null),
        ("item", json!(owner)),
        ("item", json!(7)),
    ] {
        let mut forged = genuine.clone();
        forged[field] = value;
        assert_eq!(get(forged.clone()).await.0, 400, "{forged}");
    }
    assert_eq!(get(json!("refund#000000000300#-/re_29")).await.0, 400);
    let of_another = write_cursor("test records refunds&customer=cus_2", genuine);
    assert_eq!(stack.get(&format!("/records/refunds?customer=cus_1&cursor={of_another}")).await.0, 400);
}

#[tokio::test]
async fn the_customers_of_a_customer_are_that_one() {
    let stack = shop().await;
    stack.record(&json!({"object": "customer", "id": "cus_2", "created": 2})).await;
    assert_eq!(stack.ids_of_all_pages("/records/customers?customer=cus_1", 1).await, ["cus_1"]);
    for none in ["customer=cus_9", "customer=cus_1&account=acct_1", "customer=cus_1&status=active"] {
        let page = stack.ok(&format!("/records/customers?{none}")).await;
        assert_eq!(page, json!({"data": [], "next_cursor": null}), "{none}");
    }
}

#[tokio::test]
async fn refunds_of_a_charge_whose_payment_is_missing_or_names_no_customer_are_the_customers() {
    let stack = Stack::start().await;
    stack.record(&json!({"object": "customer", "id": "cus_1", "created": 1})).await;
    stack.record(&charge("ch_1", 50, Some("pi_gone"))).await;
    stack.record(&refund("re_1", 60, Some("pi_gone"), Some("ch_1"))).await;
    stack.record(&refund("re_other", 61, Some("pi_gone"), Some("ch_other"))).await;
    let refunds_shown = async || {
        let customer = stack.ok("/records/customers/cus_1").await;
        let listed = stack.ids_of_all_pages("/records/refunds?customer=cus_1", 10).await;
        (ids(&customer["refunds"]).join(" "), listed.join(" "))
    };
    assert_eq!(refunds_shown().await, ("re_1".to_owned(), "re_1".to_owned()));
    let mut unowned = payment(1);
    unowned["id"] = "pi_gone".into();
    unowned["customer"] = Value::Null;
    stack.record(&unowned).await;
    assert_eq!(refunds_shown().await, ("re_1".to_owned(), "re_1".to_owned()));
}

#[tokio::test]
async fn pages_of_one_lose_nothing_when_payments_of_one_page_have_newer_parts() {
    let stack = shop().await;
    // Of an older payment on the same page, and newer than what was returned before.
    stack.record(&refund("re_28", 900, Some("pi_28"), None)).await;
    let all = ["re_29b", "re_29", "re_29f", "re_28", "re_01", "re_99f", "re_99"];
    for limit in [1, 2, 4] {
        assert_eq!(stack.ids_of_all_pages("/records/refunds?customer=cus_1", limit).await, all, "by {limit}");
    }
}

#[tokio::test]
async fn one_record_that_is_too_large_does_not_hide_the_others() {
    let stack = Stack::start().await;
    stack.record(&json!({"object": "customer", "id": "cus_1", "created": 1})).await;
    for (i, size) in [(1, 10), (2, 700_000), (3, 10), (4, 500_000), (5, 150_000)] {
        let note = "x".repeat(size);
        stack
            .record(&json!({"object": "invoice", "id": format!("in_{i}"), "created": i, "customer": "cus_1", "note": note}))
            .await;
    }
    let customer = stack.ok("/records/customers/cus_1").await;
    assert_eq!(
        ids(&customer["invoices"]),
        ["in_5", "in_3", "in_1"],
        "no more than a share of the answer, so not in_4 beside in_5"
    );
}

#[tokio::test]
async fn sums_are_of_all_parts_however_many_and_a_hundred_are_shown() {
    let stack = Stack::start().await;
    let mut intent = payment(1);
    intent["amount"] = 5_000.into();
    intent["amount_received"] = 5_000.into();
    stack.record(&intent).await;
    for i in 0..230 {
        stack.record(&refund(&format!("re_{i:03}"), 300 + i, Some("pi_01"), None)).await;
    }
    let shown = stack.ok("/records/payments/pi_01").await;
    assert_eq!((shown["amount_refunded"].as_i64(), ids(&shown["refunds"]).len()), (Some(230), 100));
    assert_eq!(shown["history"], json!([]), "a payment of so many parts has no history");
}

#[tokio::test]
async fn an_invoice_that_was_paid_late_is_found_among_many_later_payments() {
    let stack = Stack::start().await;
    stack
        .record(
            &json!({"object": "invoice", "id": "in_1", "created": 90, "customer": "cus_1", "status": "open"}),
        )
        .await;
    for i in 0..40 {
        stack.record(&payment(i)).await;
    }
    let joint = json!({"object": "invoice_payment", "id": "inpay_1", "created": 101, "invoice": "in_1", "status": "open", "payment": {"type": "payment_intent", "payment_intent": "pi_00"}});
    stack.record(&joint).await;
    assert_eq!(stack.ok("/records/invoices/in_1").await["payments"], json!(["pi_00"]));
}
