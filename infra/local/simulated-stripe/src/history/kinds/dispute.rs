//! Disputes: an inquiry or a claim, evidence, a verdict; a lost one can be taken up again by an appeal.

use serde_json::{Value, json};

use super::status;
use crate::history::change::{Change, pick};

const UPDATED: &str = "charge.dispute.updated";

pub(super) fn born(birth: u8) -> (Value, &'static [&'static str]) {
    let object = json!({
        "charge": "ch_1", "payment_intent": "pi_1", "amount": 500, "reason": "fraudulent",
        "status": pick(birth, ["needs_response", "warning_needs_response"]), "balance_transactions": [],
        "evidence": { "customer_name": null }, "evidence_details": { "has_evidence": false, "submission_count": 0 },
    });
    (object, &["charge.dispute.created"])
}

pub(super) fn changes(object: &Value, value: u8) -> Vec<Change> {
    let changed = |set| Change::of(set).updated(UPDATED);
    let name = pick(value, ["", "A", "B"]);
    let mut possible = vec![
        Change::metadata(value).updated(UPDATED),
        changed(
            json!({ "evidence": { "customer_name": name }, "evidence_details": { "has_evidence": value > 0 } }),
        ),
    ];
    let booked = object["balance_transactions"].as_array().cloned().unwrap_or_default();
    if booked.len() < 4 {
        let taken = booked.len().is_multiple_of(2);
        let entry = json!({ "id": format!("txn_{}", booked.len()), "net": if taken { -500 } else { 500 } });
        let entries = [booked, vec![entry]].concat();
        let set = json!({ "balance_transactions": entries });
        possible.push(if taken {
            Change::of(set).own(&["charge.dispute.funds_withdrawn"])
        } else {
            Change::of(set).own(&["charge.dispute.funds_reinstated"])
        });
    }
    let statuses: &[&str] = match status(object) {
        "warning_needs_response" => &["warning_under_review", "needs_response", "warning_closed"],
        "warning_under_review" => &["warning_closed", "needs_response"],
        "needs_response" => &["under_review", "under_review", "lost", "prevented"],
        "under_review" => &["won", "lost", "lost"],
        "lost" => &["appeal_needs_response"],
        "appeal_needs_response" => &["appeal_under_review", "lost"],
        "appeal_under_review" => &["won", "lost"],
        _ => &[],
    };
    possible.extend(statuses.iter().map(|to| {
        let change = changed(json!({ "status": to }));
        if matches!(*to, "won" | "lost" | "warning_closed" | "prevented") {
            change.own(&["charge.dispute.closed"])
        } else {
            change
        }
    }));
    possible
}
