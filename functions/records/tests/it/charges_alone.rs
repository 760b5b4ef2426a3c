//! Charges without a PaymentIntent are payments, and refunds of a cash balance are their customer's.

use serde_json::{Value, json};

use crate::support::{Stack, ago, ids, provenance};

fn intent(id: &str, created: i64) -> Value {
    json!({"object": "payment_intent", "id": id, "created": created, "customer": "cus_1", "status": "succeeded", "amount": 9, "amount_received": 9})
}

fn charge(id: &str, created: i64, intent: Option<&str>) -> Value {
    json!({"object": "charge", "id": id, "created": created, "customer": "cus_1", "payment_intent": intent, "status": "succeeded", "paid": true, "captured": true, "amount": 9, "amount_captured": 9, "amount_refunded": 0, "currency": "eur"})
}

#[tokio::test]
async fn a_charge_without_a_payment_intent_has_state_and_sums_and_is_listed_among_payments() {
    let stack = Stack::start().await;
    let refund = json!({"object": "refund", "id": "re_1", "created": 12, "charge": "ch_1", "payment_intent": null, "amount": 4, "status": "succeeded"});
    let mut failed = charge("ch_0", 5, None);
    failed["status"] = "failed".into();
    failed["paid"] = false.into();
    let joint = json!({"object": "invoice_payment", "id": "inpay_1", "created": 11, "invoice": "in_1", "status": "paid", "payment": {"type": "charge", "charge": "ch_1"}});
    for object in [
        &charge("ch_1", 10, None),
        &refund,
        &failed,
        &joint,
        &intent("pi_2", 8),
        &charge("ch_2", 9, Some("pi_2")),
    ] {
        stack.record(object).await;
    }
    let page = stack.ok("/records/payments").await;
    assert_eq!(ids(&page["data"]), ["ch_1", "pi_2", "ch_0"], "no charge of a PaymentIntent");
    let listed = &page["data"][0];
    let own = stack.ok("/records/payments/ch_1").await;
    for payment in [listed, &own] {
        assert_eq!(payment["kind"], "payments");
        assert_eq!(payment["state"], "partially_refunded");
        let sums = ["amount", "amount_captured", "amount_refunded", "amount_disputed"];
        assert_eq!(sums.map(|sum| payment[sum].as_i64()), [Some(9), Some(9), Some(4), Some(0)]);
        assert_eq!((ids(&payment["charges"]), ids(&payment["refunds"])), (vec!["ch_1"], vec!["re_1"]));
        assert_eq!((&payment["invoice"], &payment["object"]["object"]), (&json!("in_1"), &json!("charge")));
    }
    assert_eq!(page["data"][2]["state"], "failed");
    assert_eq!(stack.ids_of_all_pages("/records/payments?status=failed", 1).await, ["ch_0"]);
    // As a charge it is shown as Stripe shows it.
    let as_charge = stack.ok("/records/charges/ch_1").await;
    assert_eq!((&as_charge["kind"], &as_charge["state"]), (&json!("charges"), &Value::Null));
    // One with a PaymentIntent is that payment's.
    let (status, refusal) = stack.get("/records/payments/ch_2").await;
    assert_eq!(status, 404);
    assert!(refusal["error"]["remedy"].as_str().unwrap().contains("/records/payments/pi_2"), "{refusal}");
    let customer = {
        stack.record(&json!({"object": "customer", "id": "cus_1", "created": 1})).await;
        stack.ok("/records/customers/cus_1").await
    };
    assert_eq!(ids(&customer["payments"]), ["ch_1", "pi_2", "ch_0"]);
    assert_eq!(ids(&customer["charges"]), ["ch_1", "ch_2", "ch_0"]);
}

#[tokio::test]
async fn its_history_is_that_of_its_charge_and_refunds() {
    let stack = Stack::start().await;
    let charge_then = |refunded: i64| {
        let mut charge = charge("ch_1", 1_784_000_000, None);
        charge["amount_refunded"] = refunded.into();
        charge
    };
    let at = |seconds: i64| ago(seconds).as_second();
    stack.event("evt_1", "charge.succeeded", &charge_then(0), ago(60)).await;
    stack.event("evt_2", "charge.refunded", &charge_then(9), ago(30)).await;
    let now = charge_then(9);
    stack.record_raw(None, &now.to_string(), provenance("evt_2", at(30))).await;
    let payment = stack.ok("/records/payments/ch_1").await;
    let history = payment["history"].as_array().unwrap();
    let states: Vec<_> = history.iter().map(|entry| entry["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["completed", "refunded"]);
    assert_eq!(history[1]["order_uncertain"], false);
}

#[tokio::test]
async fn pages_of_payments_hold_each_once_whatever_is_between() {
    let stack = Stack::start().await;
    let mut expected = Vec::new();
    for i in 0..24_i64 {
        if i % 3 == 0 {
            stack.record(&charge(&format!("ch_{i:02}"), 100 + i / 2, None)).await;
            expected.push((100 + i / 2, format!("ch_{i:02}")));
        } else {
            stack.record(&intent(&format!("pi_{i:02}"), 100 + i / 2)).await;
            expected.push((100 + i / 2, format!("pi_{i:02}")));
            for attempt in 0..2 {
                let of_intent =
                    charge(&format!("py_{i:02}_{attempt}"), 100 + i / 2, Some(&format!("pi_{i:02}")));
                stack.record(&of_intent).await;
            }
        }
    }
    expected.sort();
    expected.reverse();
    let expected: Vec<String> = expected.into_iter().map(|(_, id)| id).collect();
    for path in
        ["/records/payments", "/records/payments?customer=cus_1", "/records/payments?status=succeeded"]
    {
        for limit in [1, 7, 100] {
            assert_eq!(stack.ids_of_all_pages(path, limit).await, expected, "{path} by {limit}");
        }
    }
}

#[tokio::test]
async fn charges_of_payment_intents_beyond_the_page_are_not_read() {
    let stack = Stack::start().await;
    for i in 0..120_i64 {
        stack.record(&intent(&format!("pi_{i:03}"), 100 + i)).await;
        stack.record(&charge(&format!("ch_{i:03}"), 100 + i, Some(&format!("pi_{i:03}")))).await;
    }
    stack.cloud.clear_calls();
    assert_eq!(ids(&stack.ok("/records/payments?limit=5").await["data"]).len(), 5);
    let batches = stack.cloud.calls().iter().filter(|call| call.operation == "BatchGetItem").count();
    assert!(batches <= 2 + 2 * 5, "{batches}");
}

#[tokio::test]
async fn a_refund_of_a_cash_balance_is_listed_under_its_customer() {
    let stack = Stack::start().await;
    stack.record(&json!({"object": "customer", "id": "cus_1", "created": 1})).await;
    let of_balance = |id: &str, created: i64, customer: Value| json!({"object": "refund", "id": id, "created": created, "customer": customer, "payment_intent": null, "charge": null, "amount": 5, "status": "pending"});
    stack.record(&intent("pi_1", 10)).await;
    for object in [
        json!({"object": "refund", "id": "re_p", "created": 20, "payment_intent": "pi_1", "charge": "ch_1", "customer": "cus_1", "amount": 1, "status": "succeeded"}),
        of_balance("re_1", 30, json!("cus_1")),
        of_balance("re_2", 31, json!({"object": "customer", "id": "cus_1"})),
        of_balance("re_3", 32, json!("cus_1")),
        of_balance("re_other", 33, json!("cus_2")),
    ] {
        stack.record(&object).await;
    }
    let customer = stack.ok("/records/customers/cus_1").await;
    assert_eq!(ids(&customer["refunds"]), ["re_3", "re_2", "re_1", "re_p"]);
    for limit in [1, 2, 3, 4, 100] {
        let listed = stack.ids_of_all_pages("/records/refunds?customer=cus_1", limit).await;
        assert_eq!(
            listed,
            ["re_p", "re_3", "re_2", "re_1"],
            "by {limit}: those of payments first, each once"
        );
    }
    assert_eq!(
        stack.ids_of_all_pages("/records/refunds?customer=cus_1&status=pending", 2).await,
        ["re_3", "re_2", "re_1"]
    );
    assert_eq!(stack.ids_of_all_pages("/records/refunds?customer=cus_2", 1).await, ["re_other"]);
}
