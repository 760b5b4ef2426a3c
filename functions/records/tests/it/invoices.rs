//! An invoice and its payments name each other, by the invoice payment that joins them.

use serde_json::{Value, json};

use crate::support::{Stack, provenance};

fn invoice(created: i64, customer: Option<&str>) -> Value {
    json!({"object": "invoice", "id": "in_1", "created": created, "customer": customer, "status": "paid", "status_transitions": {"paid_at": created + 5}})
}

fn payment(id: &str, created: i64, customer: Option<&str>) -> Value {
    json!({"object": "payment_intent", "id": id, "created": created, "customer": customer, "status": "succeeded", "amount": 9, "amount_received": 9})
}

fn joint(id: &str, invoice: &str, payment: &str, status: &str) -> Value {
    json!({"object": "invoice_payment", "id": id, "created": 101, "invoice": invoice, "status": status, "payment": {"type": "payment_intent", "payment_intent": payment}, "status_transitions": {"canceled_at": null, "paid_at": 5}})
}

#[tokio::test]
async fn its_payments_are_found_whenever_they_were_made_and_whosever_they_are() {
    for (what, invoice, payment) in [
        (
            "made in real time under a test clock of the past",
            invoice(1_000, Some("cus_1")),
            payment("pi_1", 900_000_000, Some("cus_1")),
        ),
        (
            "made long before the invoice",
            invoice(900_000_000, Some("cus_1")),
            payment("pi_1", 5, Some("cus_1")),
        ),
        ("of no customer", invoice(100, Some("cus_1")), payment("pi_1", 101, None)),
        ("of another customer", invoice(100, Some("cus_1")), payment("pi_1", 101, Some("cus_2"))),
        ("an invoice of no customer", invoice(100, None), payment("pi_1", 101, Some("cus_1"))),
    ] {
        let stack = Stack::start().await;
        for object in [&invoice, &payment, &joint("inpay_1", "in_1", "pi_1", "paid")] {
            stack.record(object).await;
        }
        assert_eq!(stack.ok("/records/invoices/in_1").await["payments"], json!(["pi_1"]), "{what}");
        assert_eq!(stack.ok("/records/payments/pi_1").await["invoice"], "in_1", "{what}");
    }
}

#[tokio::test]
async fn a_payment_older_than_many_others_is_found_by_one_read() {
    let stack = Stack::start().await;
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    stack.record(&invoice(100, Some("cus_1"))).await;
    for i in 0..60 {
        stack.record(&payment(&format!("pi_{i:02}"), 100 + i, Some("cus_1"))).await;
    }
    stack.record(&joint("inpay_1", "in_1", "pi_00", "paid")).await;
    stack.cloud.clear_calls();
    assert_eq!(stack.ok("/records/invoices/in_1").await["payments"], json!(["pi_00"]));
    let of_records = stack.cloud.calls().iter().filter(|call| call.table == "RecordsTable").count();
    assert_eq!(of_records, 4, "the invoice, the list of what names it, what is in the list, its customer");
}

#[tokio::test]
async fn all_that_paid_it_are_named_each_once() {
    let stack = Stack::start().await;
    stack.record(&invoice(100, Some("cus_1"))).await;
    let of_charge = json!({"object": "invoice_payment", "id": "inpay_3", "created": 103, "invoice": {"id": "in_1", "object": "invoice"}, "status": "open", "payment": {"type": "charge", "charge": "ch_3"}});
    // Objects of an API version in which payments named their invoice themselves.
    let mut of_old_version = payment("pi_4", 104, Some("cus_1"));
    of_old_version["invoice"] = "in_1".into();
    let its_charge = json!({"object": "charge", "id": "ch_4", "created": 104, "payment_intent": "pi_4", "invoice": "in_1"});
    for object in [
        &joint("inpay_1", "in_1", "pi_1", "paid"),
        &joint("inpay_2", "in_1", "pi_2", "canceled"),
        &joint("inpay_9", "in_2", "pi_9", "paid"),
        &of_charge,
        &of_old_version,
        &its_charge,
    ] {
        stack.record(object).await;
    }
    let mut payments: Vec<String> =
        serde_json::from_value(stack.ok("/records/invoices/in_1").await["payments"].clone()).unwrap();
    payments.sort();
    assert_eq!(payments, ["ch_3", "pi_1", "pi_4"]);
}

#[tokio::test]
async fn one_that_was_detached_or_canceled_joins_them_no_more() {
    for ended in [
        json!({"status": "canceled"}),
        json!({"status": "detached"}),
        json!({"status": "paid", "status_transitions": {"canceled_at": 7, "paid_at": 5}}),
        json!({"status": "paid", "status_transitions": {"detached_at": 7, "paid_at": 5}}),
        json!({"invoice": null}),
    ] {
        let stack = Stack::start().await;
        let joined = joint("inpay_1", "in_1", "pi_1", "paid");
        for object in [&invoice(100, Some("cus_1")), &payment("pi_1", 101, Some("cus_1")), &joined] {
            stack.record(object).await;
        }
        assert_eq!(stack.ok("/records/payments/pi_1").await["invoice"], "in_1");
        let mut after = joined.clone();
        after.as_object_mut().unwrap().extend(ended.as_object().unwrap().clone());
        stack.record_raw(None, &after.to_string(), provenance("evt_2", 1_785_000_001)).await;
        assert_eq!(stack.ok("/records/invoices/in_1").await["payments"], json!([]), "{ended}");
        assert_eq!(stack.ok("/records/payments/pi_1").await["invoice"], Value::Null, "{ended}");
    }
}
