//! Charges: pending, succeeded or failed; then captured, refunded in parts, or expired.

use serde_json::{Value, json};

use super::status;
use crate::history::change::{ObjectChange, pick};

const UPDATED: &str = "charge.updated";

pub(super) fn initial(variant: u8) -> (Value, &'static [&'static str]) {
    let (status, types): (_, &'static [&'static str]) = match variant % 4 {
        0 | 1 => ("succeeded", &["charge.succeeded"]),
        2 => ("pending", &["charge.pending"]),
        _ => ("failed", &["charge.failed"]),
    };
    let object = json!({
        "customer": "cus_1", "payment_intent": "pi_1", "status": status, "amount": 500, "amount_refunded": 0,
        "captured": variant.is_multiple_of(4), "refunded": false, "disputed": false, "description": null, "balance_transaction": null,
    });
    (object, types)
}

pub(super) fn changes(object: &Value, value: u8) -> Vec<ObjectChange> {
    let mut possible = vec![
        ObjectChange::new(json!({ "description": pick(value, ["", "a", "b"]) })).updated(UPDATED),
        ObjectChange::metadata(value).updated(UPDATED),
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
