//! What had become of a payment.

use serde_json::{Value, json};

use super::{Past, QUARTER, noon};

fn intent(id: &str, status: &str) -> Value {
    json!({ "object": "payment_intent", "id": id, "created": noon("09-01"), "customer": "cus_1", "status": status,
            "amount": 1_000, "amount_received": if status == "succeeded" { 1_000 } else { 0 }, "currency": "eur" })
}

fn charge(refunded: i64) -> Value {
    json!({ "object": "charge", "id": "ch_1", "created": noon("09-02"), "payment_intent": "pi_1", "status": "succeeded",
            "captured": true, "amount": 1_000, "amount_captured": 1_000, "amount_refunded": refunded })
}

/// Paid in September, refunded in part in October, disputed in November.
async fn with_payment() -> Past {
    let past = Past::start().await;
    past.apply("evt_1", "payment_intent.created", "09-01", &intent("pi_1", "requires_payment_method")).await;
    past.apply("evt_2", "payment_intent.succeeded", "09-02", &intent("pi_1", "succeeded")).await;
    past.apply("evt_3", "charge.succeeded", "09-02", &charge(0)).await;
    past.apply("evt_4", "charge.refunded", "10-05", &charge(400)).await;
    let refund = json!({ "object": "refund", "id": "re_1", "created": noon("10-05"), "payment_intent": "pi_1", "charge": "ch_1", "amount": 400, "status": "succeeded" });
    past.apply("evt_5", "refund.created", "10-05", &refund).await;
    let dispute = |status: &str| json!({ "object": "dispute", "id": "dp_1", "created": noon("11-01"), "payment_intent": "pi_1", "charge": "ch_1", "amount": 600, "status": status });
    past.apply("evt_6", "charge.dispute.created", "11-01", &dispute("needs_response")).await;
    past.apply("evt_7", "charge.dispute.closed", "11-20", &dispute("won")).await;
    past
}

#[tokio::test]
async fn a_payment_had_the_state_and_the_sums_of_then() {
    let past = with_payment().await;
    for (at, state, captured, refunded, disputed, parts) in [
        ("2026-09-01T20:00:00Z", "pending", 0, 0, 0, [0, 0, 0]),
        (QUARTER, "completed", 1_000, 0, 0, [1, 0, 0]),
        ("2026-10-31T23:59:59Z", "partially_refunded", 1_000, 400, 0, [1, 1, 0]),
        ("2026-11-10T00:00:00Z", "disputed", 1_000, 400, 600, [1, 1, 1]),
        ("2026-11-24T12:00:00Z", "partially_refunded", 1_000, 400, 0, [1, 1, 1]),
    ] {
        let answer = past.at("payments/pi_1", at).await;
        let record = &answer["record"];
        assert_eq!(
            [
                &record["state"],
                &record["amount_captured"],
                &record["amount_refunded"],
                &record["amount_disputed"]
            ],
            [&json!(state), &json!(captured), &json!(refunded), &json!(disputed)],
            "{at}: {answer}"
        );
        let count = |field: &str| record[field].as_array().unwrap().len();
        assert_eq!([count("charges"), count("refunds"), count("disputes")], parts, "{at}");
        assert_eq!(answer["payment_unknown_reason"], Value::Null, "{at}");
        let listed = past.stack.ok(&format!("/records/payments?at={at}")).await;
        assert_eq!(listed["data"][0]["record"], *record, "{at}");
    }
    let charge = past.at("payments/pi_1", QUARTER).await["record"]["charges"][0].clone();
    assert_eq!(charge["object"]["amount_refunded"], 0, "the charge of then, not of now");
}

#[tokio::test]
async fn a_payment_of_which_a_part_is_not_known_has_no_state_of_then() {
    let past = with_payment().await;
    // A charge that was imported later, so what it was then nobody can say.
    let charge = json!({ "object": "charge", "id": "ch_2", "created": noon("09-01"), "payment_intent": "pi_1", "status": "failed" });
    past.import("11-10", &charge).await;
    let answer = past.at("payments/pi_1", QUARTER).await;
    assert_eq!((&answer["known"], &answer["payment_unknown_reason"]), (&json!(true), &json!("part_unknown")));
    assert_eq!((&answer["record"]["status"], answer["record"].get("state")), (&json!("succeeded"), None));
    assert_eq!(answer["record"]["kind"], "payments");
    assert_eq!(past.at("payments/pi_1", "2026-11-10T12:00:00Z").await["payment_unknown_reason"], Value::Null);
}

#[tokio::test]
async fn a_payment_of_very_many_parts_has_no_state_of_then() {
    let past = with_payment().await;
    for i in 0..20 {
        let refund = json!({ "object": "refund", "id": format!("re_{i:02}"), "created": noon("09-03"), "payment_intent": "pi_1", "charge": "ch_1", "amount": 1, "status": "succeeded" });
        past.import("09-04", &refund).await;
    }
    let answer = past.at("payments/pi_1", QUARTER).await;
    assert_eq!(answer["payment_unknown_reason"], "too_many_parts");
}

#[tokio::test]
async fn a_charge_without_a_payment_is_one() {
    let past = Past::start().await;
    let charge = |refunded: i64| {
        json!({ "object": "charge", "id": "ch_9", "created": noon("09-02"), "customer": "cus_1", "payment_intent": null, "status": "succeeded",
                "captured": true, "amount": 500, "amount_captured": 500, "amount_refunded": refunded, "refunded": refunded == 500 })
    };
    past.apply("evt_1", "charge.succeeded", "09-02", &charge(0)).await;
    past.apply("evt_2", "charge.refunded", "10-05", &charge(500)).await;
    for (at, state) in [(QUARTER, "completed"), ("2026-10-06T00:00:00Z", "refunded")] {
        let answer = past.at("payments/ch_9", at).await;
        assert_eq!(
            (&answer["kind"], &answer["record"]["state"]),
            (&json!("payments"), &json!(state)),
            "{answer}"
        );
        assert_eq!(answer["record"]["kind"], "payments");
        assert_eq!(past.list("payments", at, "&customer=cus_1").await, [("ch_9".to_owned(), true)]);
    }
    assert_eq!(past.list("payments", "2026-09-01T00:00:00Z", "").await, []);
}
