//! Disputes: an inquiry or a claim, evidence, a decision; an appeal can reopen a lost one.

use serde_json::{Value, json};

use super::status;
use crate::history::change::{ObjectChange, pick};

const UPDATED: &str = "charge.dispute.updated";

pub(super) fn initial(variant: u8) -> (Value, Vec<&'static str>) {
    let object = json!({
        "charge": "ch_1", "payment_intent": "pi_1", "amount": 500, "reason": "fraudulent",
        "status": pick(variant, ["needs_response", "warning_needs_response"]), "balance_transactions": [],
        "evidence": { "customer_name": null }, "evidence_details": { "has_evidence": false, "submission_count": 0 },
    });
    (object, vec!["charge.dispute.created"])
}

pub(super) fn changes(object: &Value, value: u8) -> Vec<ObjectChange> {
    let changed = |set| ObjectChange::new(set).updated(UPDATED);
    let name = pick(value, ["", "A", "B"]);
    let mut possible = vec![
        ObjectChange::metadata(value).updated(UPDATED),
        changed(
            json!({ "evidence": { "customer_name": name }, "evidence_details": { "has_evidence": value > 0 } }),
        ),
    ];
    let transactions = object["balance_transactions"].as_array().cloned().unwrap_or_default();
    if transactions.len() < 4 {
        let is_withdrawal = transactions.len().is_multiple_of(2);
        let entry = json!({ "id": format!("txn_{}", transactions.len()), "net": if is_withdrawal { -500 } else { 500 } });
        let entries = [transactions, vec![entry]].concat();
        let set = json!({ "balance_transactions": entries });
        possible.push(if is_withdrawal {
            ObjectChange::new(set).own(&["charge.dispute.funds_withdrawn"])
        } else {
            ObjectChange::new(set).own(&["charge.dispute.funds_reinstated"])
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
