//! Invoices: drafts that change, are deleted or are finalized; payments that fail or succeed; uncollectible
//! ones; paid ones that are open again because their payment was detached. Once finalized they have addresses
//! that each rendering signs anew.

use serde_json::{Value, json};

use super::{Notice, status};
use crate::history::change::{Existence, ObjectChange, pick};
use crate::history::rendering::{UNSIGNED_INVOICE, UNSIGNED_PDF};

const UPDATED: &str = "invoice.updated";

pub(super) fn initial(variant: u8) -> (Value, Vec<&'static str>) {
    let status = pick(variant, ["draft", "draft", "draft", "open", "paid"]);
    let object = json!({
        "customer": "cus_1", "status": status, "number": null, "amount_due": 0, "amount_paid": 0, "amount_overpaid": 0,
        "attempt_count": 0, "attempted": false, "description": null, "due_date": null, "last_finalization_error": null,
        "lines": { "object": "list", "data": [] }, "status_transitions": { "finalized_at": null, "paid_at": null },
        "parent": { "type": "subscription_details", "subscription_details": { "subscription": "sub_1", "metadata": {} } },
        "hosted_invoice_url": if status == "draft" { Value::Null } else { UNSIGNED_INVOICE.into() },
        "invoice_pdf": if status == "draft" { Value::Null } else { UNSIGNED_PDF.into() },
        "footer": null, "shipping_details": null, "custom_fields": null, "default_payment_method": null,
    });
    (object, vec!["invoice.created"])
}

pub(super) fn changes(object: &Value, value: u8) -> Vec<ObjectChange> {
    let changed = |set| ObjectChange::new(set).updated(UPDATED);
    let pick_value = |values: [Value; 3]| values[usize::from(value)].clone();
    let fields = pick_value([json!(null), json!([{ "name": "a", "value": "1" }]), json!([])]);
    let shipping = pick_value([json!(null), json!({ "name": "A" }), json!({ "name": "A", "phone": "1" })]);
    let mut possible = vec![
        ObjectChange::metadata(value).updated(UPDATED),
        changed(json!({ "description": pick(value, ["", "a", "b"]) })),
        changed(
            json!({ "parent": { "subscription_details": { "metadata": { "k": pick(value, ["", "1", "2"]) } } } }),
        ),
        changed(json!({ "footer": pick(value, ["", "a", "b"]) })),
        changed(json!({ "custom_fields": fields })),
        changed(json!({ "default_payment_method": pick(value, ["", "pm_1", "pm_2"]) })),
        changed(json!({ "shipping_details": shipping })),
    ];
    match status(object) {
        "draft" => possible.extend(draft_changes(value)),
        "open" => possible.extend(open_changes(object, value)),
        "uncollectible" => possible.extend([paid(), voided()]),
        "paid" => possible.extend([
            changed(json!({ "amount_overpaid": value })).own(&["invoice.overpaid"]),
            payment_detached(),
        ]),
        _ => {}
    }
    possible
}

fn draft_changes(value: u8) -> Vec<ObjectChange> {
    let changed = |set| ObjectChange::new(set).updated(UPDATED);
    let lines: Vec<Value> =
        (0..value).map(|line| json!({ "id": format!("il_{line}"), "amount": 5 })).collect();
    let error =
        [json!(null), json!({ "code": "tax" }), json!({ "code": "address" })][usize::from(value)].clone();
    let finalized = json!({ "status": "open", "number": "A-1", "status_transitions": { "finalized_at": 1_785_000_100 },
        "hosted_invoice_url": UNSIGNED_INVOICE, "invoice_pdf": UNSIGNED_PDF });
    let finalized = || changed(finalized.clone()).own(&["invoice.finalized"]);
    vec![
        changed(json!({ "amount_due": value })),
        changed(json!({ "amount_due": 5 * value, "lines": { "data": lines } })),
        changed(json!({ "last_finalization_error": error })).own(&["invoice.finalization_failed"]),
        finalized(),
        finalized(),
        ObjectChange::new(json!({})).own(&["invoice.deleted"]).ends(Existence::Gone),
    ]
}

fn open_changes(object: &Value, value: u8) -> Vec<ObjectChange> {
    let changed = |set| ObjectChange::new(set).updated(UPDATED);
    let attempts = object["attempt_count"].as_i64().unwrap_or_default() + 1;
    vec![
        changed(json!({ "attempt_count": attempts, "attempted": true })).own(&["invoice.payment_failed"]),
        ObjectChange::new(json!({ "attempted": true }))
            .own(&["invoice.payment_action_required"])
            .always_sent(),
        ObjectChange::new(json!({})).own(&["invoice.payment_attempt_required"]).always_sent(),
        changed(json!({ "due_date": 1_786_000_000 + i64::from(value) })).own(&["invoice.sent"]).always_sent(),
        paid(),
        paid(),
        voided(),
        changed(json!({ "status": "uncollectible" })).own(&["invoice.marked_uncollectible"]),
    ]
}

fn paid() -> ObjectChange {
    ObjectChange::new(
        json!({ "status": "paid", "amount_paid": 5, "status_transitions": { "paid_at": 1_785_000_200 } }),
    )
    .updated(UPDATED)
    .own(&["invoice.paid", "invoice.payment_succeeded"])
}

/// Its payment was detached, which opens it again (Stripe's changelog of 2026-01-28.preview).
fn payment_detached() -> ObjectChange {
    ObjectChange::new(
        json!({ "status": "open", "amount_paid": 0, "status_transitions": { "paid_at": null } }),
    )
    .updated(UPDATED)
}

fn voided() -> ObjectChange {
    ObjectChange::new(json!({ "status": "void" })).updated(UPDATED).own(&["invoice.voided"])
}

pub(super) fn notices(object: &Value) -> Vec<Notice> {
    match status(object) {
        "open" => vec![Notice::SameObject("invoice.will_be_due"), Notice::SameObject("invoice.overdue")],
        _ => Vec::new(),
    }
}

/// Renders the legacy format: the subscription, and whether it is paid, are fields of the invoice itself.
pub(super) fn to_legacy(object: &mut Value) {
    object["paid"] = (status(object) == "paid").into();
    object["subscription"] = object["parent"]["subscription_details"]["subscription"].clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("parent");
    }
}
