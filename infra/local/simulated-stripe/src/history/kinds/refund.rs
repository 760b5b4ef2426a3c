//! Refunds: on their way, arrived, and now and then sent back after they had arrived.

use serde_json::{Value, json};

use super::status;
use crate::history::change::{Change, pick};

const UPDATED: &str = "refund.updated";

pub(super) fn born(birth: u8) -> (Value, &'static [&'static str]) {
    let object = json!({
        "charge": "ch_1", "payment_intent": "pi_1", "amount": 100, "currency": "eur",
        "status": pick(birth, ["pending", "succeeded", "requires_action"]), "failure_reason": null,
        "destination_details": { "type": "card", "card": { "reference": null, "reference_status": "pending" } },
    });
    (object, &["refund.created"])
}

pub(super) fn changes(object: &Value, value: u8) -> Vec<Change> {
    let reference = pick(value, ["", "0001", "0002"]);
    let changed = |set| Change::of(set).updated(UPDATED);
    let card = json!({ "destination_details": { "card": { "reference": reference } } });
    let mut possible = vec![
        Change::metadata(value).updated(UPDATED),
        // Told of some payment methods, and then twice.
        changed(card.clone()).own(&["charge.refund.updated"]),
        changed(card),
    ];
    let failed = json!({ "status": "failed", "failure_reason": "declined" });
    let failed = || changed(failed.clone()).own(&["refund.failed"]);
    match status(object) {
        "requires_action" => possible.extend([
            changed(json!({ "status": "pending" })),
            changed(json!({ "status": "canceled" })),
            failed(),
        ]),
        "pending" => possible.extend([
            changed(json!({ "status": "succeeded" })).own(&["charge.refund.updated"]),
            changed(json!({ "status": "canceled" })),
            failed(),
        ]),
        "succeeded" => possible.push(failed()),
        _ => {}
    }
    possible
}
