//! Charges: pending, succeeded or failed; then captured, given back in parts, or let go.

use serde_json::{Value, json};

use super::status;
use crate::history::change::{Change, pick};

const UPDATED: &str = "charge.updated";

pub(super) fn born(birth: u8) -> (Value, &'static [&'static str]) {
    let (status, types): (_, &'static [&'static str]) = match birth % 4 {
        0 | 1 => ("succeeded", &["charge.succeeded"]),
        2 => ("pending", &["charge.pending"]),
        _ => ("failed", &["charge.failed"]),
    };
    let object = json!({
        "customer": "cus_1", "payment_intent": "pi_1", "status": status, "amount": 500, "amount_refunded": 0,
        "captured": birth.is_multiple_of(4), "refunded": false, "disputed": false, "description": null, "balance_transaction": null,
    });
    (object, types)
}

pub(super) fn changes(object: &Value, value: u8) -> Vec<Change> {
    let mut possible = vec![
        Change::of(json!({ "description": pick(value, ["", "a", "b"]) })).updated(UPDATED),
        Change::metadata(value).updated(UPDATED),
    ];
    match (status(object), object["captured"] == true) {
        ("pending", _) => possible.extend([
            Change::of(json!({ "status": "succeeded" })).own(&["charge.succeeded"]),
            Change::of(json!({ "status": "failed" })).own(&["charge.failed"]),
        ]),
        ("succeeded", false) if object["refunded"] == false => possible.extend([
            Change::of(json!({ "captured": true })).own(&["charge.captured"]),
            Change::of(json!({ "refunded": true })).own(&["charge.expired"]),
        ]),
        ("succeeded", true) => possible.extend(given_back(object, value)),
        _ => {}
    }
    possible
}

fn given_back(object: &Value, value: u8) -> Vec<Change> {
    let refunded = object["amount_refunded"].as_i64().unwrap_or_default();
    // A refund that fails makes it less again.
    let now = (refunded + 100 * (i64::from(value) - 1)).clamp(0, 500);
    vec![
        Change::of(json!({ "amount_refunded": now, "refunded": now == 500 }))
            .updated(UPDATED)
            .own(&["charge.refunded"]),
        Change::of(json!({ "disputed": true, "balance_transaction": "txn_1" })).updated(UPDATED),
    ]
}
