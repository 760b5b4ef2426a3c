//! Refunds: pending, succeeded, and sometimes failed after they had succeeded.

use serde_json::{Value, json};

use super::status;
use crate::history::change::{ObjectChange, pick};

const UPDATED: &str = "refund.updated";

pub(super) fn initial(variant: u8) -> (Value, Vec<&'static str>) {
    let object = json!({
        "charge": "ch_1", "payment_intent": "pi_1", "amount": 100, "currency": "eur",
        "status": pick(variant, ["pending", "succeeded", "requires_action"]), "failure_reason": null,
        "destination_details": { "type": "card", "card": { "reference": null, "reference_status": "pending" } },
    });
    (object, vec!["refund.created"])
}

pub(super) fn changes(object: &Value, value: u8) -> Vec<ObjectChange> {
    let reference = pick(value, ["", "0001", "0002"]);
    let changed = |set| ObjectChange::new(set).updated(UPDATED);
    let card = json!({ "destination_details": { "card": { "reference": reference } } });
    let mut possible = vec![
        ObjectChange::metadata(value).updated(UPDATED),
        // Sent for some payment methods, and then in two types.
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
