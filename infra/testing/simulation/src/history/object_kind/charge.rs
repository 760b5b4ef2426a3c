//! Charges: pending, succeeded or failed; then captured, refunded in parts, or expired. Their receipt has an
//! address that each rendering signs anew, and what a merchant or a bank reports comes and goes.

use serde_json::{Value, json};

use super::status;
use crate::history::change::{ObjectChange, pick};
use crate::history::rendering::UNSIGNED_RECEIPT;

const UPDATED: &str = "charge.updated";

pub(super) fn initial(variant: u8) -> (Value, Vec<&'static str>) {
    let (status, event_type) = match variant % 4 {
        0 | 1 => ("succeeded", "charge.succeeded"),
        2 => ("pending", "charge.pending"),
        _ => ("failed", "charge.failed"),
    };
    let object = json!({
        "customer": "cus_1", "payment_intent": "pi_1", "status": status, "amount": 500, "amount_refunded": 0,
        "captured": variant.is_multiple_of(4), "refunded": false, "disputed": false, "description": null, "balance_transaction": null,
        "fraud_details": {}, "shipping": null, "receipt_email": null, "receipt_url": UNSIGNED_RECEIPT,
        "billing_details": { "email": null, "address": { "city": null, "country": "FR" } },
        "payment_method_details": { "type": "card", "card": { "brand": "visa", "checks": {} } },
    });
    (object, vec![event_type])
}

pub(super) fn changes(object: &Value, value: u8) -> Vec<ObjectChange> {
    let mut possible = vec![
        ObjectChange::new(json!({ "description": pick(value, ["", "a", "b"]) })).updated(UPDATED),
        ObjectChange::metadata(value).updated(UPDATED),
        ObjectChange::new(
            json!({ "fraud_details": { "user_report": pick(value, ["", "safe", "fraudulent"]) } }),
        )
        .updated(UPDATED),
        ObjectChange::new(json!({ "shipping": shipping(value) })).updated(UPDATED),
        ObjectChange::new(json!({ "receipt_email": pick(value, ["", "a@example.com", "b@example.com"]) }))
            .updated(UPDATED),
        ObjectChange::new(json!({ "balance_transaction": format!("txn_{value}") })).updated(UPDATED),
        ObjectChange::new(
            json!({ "billing_details": { "address": { "city": pick(value, ["", "Paris", "Lyon"]) } } }),
        )
        .updated(UPDATED),
        ObjectChange::new(json!({ "payment_method_details": { "card": { "checks": {
            "cvc_check": pick(value, ["", "pass", "fail"]) } } } }))
        .updated(UPDATED),
    ];
    match (status(object), object["captured"] == true) {
        ("pending", _) => possible.extend([
            ObjectChange::new(json!({ "status": "succeeded" })).own(&["charge.succeeded"]),
            ObjectChange::new(json!({ "status": "failed" })).own(&["charge.failed"]),
        ]),
        ("succeeded", false) if object["refunded"] == false => possible.extend([
            ObjectChange::new(json!({ "captured": true })).own(&["charge.captured"]),
            ObjectChange::new(json!({ "refunded": true })).own(&["charge.expired"]),
        ]),
        ("succeeded", true) => possible.extend(refunds(object, value)),
        _ => {}
    }
    possible
}

fn shipping(value: u8) -> Value {
    match value {
        0 => Value::Null,
        1 => json!({ "name": "A", "address": { "city": "Paris" } }),
        _ => json!({ "name": "A", "tracking_number": "T1", "address": { "city": "Lyon", "line1": "1" } }),
    }
}

fn refunds(object: &Value, value: u8) -> Vec<ObjectChange> {
    let refunded = object["amount_refunded"].as_i64().unwrap_or_default();
    // A refund that fails reduces it again.
    let now = (refunded + 100 * (i64::from(value) - 1)).clamp(0, 500);
    vec![
        ObjectChange::new(json!({ "amount_refunded": now, "refunded": now == 500 }))
            .updated(UPDATED)
            .own(&["charge.refunded"]),
        ObjectChange::new(json!({ "disputed": true, "balance_transaction": "txn_1" })).updated(UPDATED),
    ]
}
