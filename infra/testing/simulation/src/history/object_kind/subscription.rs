//! Subscriptions: trial, first payment, dunning, pause, end, and the changes after the end.

use serde_json::{Value, json};

use super::{Notice, status};
use crate::history::change::{ObjectChange, pick};

const UPDATED: &str = "customer.subscription.updated";
const MONTH: i64 = 2_592_000;

pub(super) fn initial(variant: u8, at: i64) -> (Value, Vec<&'static str>) {
    let object = json!({
        "customer": "cus_1", "status": pick(variant, ["incomplete", "active", "trialing"]), "quantity": 0,
        "items": { "object": "list", "data": [{
            "id": "si_1", "quantity": 0, "price": { "id": "price_1" },
            "current_period_start": at, "current_period_end": at + MONTH,
        }] },
        "cancel_at_period_end": false, "pause_collection": null, "pending_update": null, "ended_at": null,
        "application_fee_percent": null,
        "cancellation_details": { "comment": null, "feedback": null, "reason": null },
    });
    (object, vec!["customer.subscription.created"])
}

pub(super) fn changes(object: &Value, value: u8) -> Vec<ObjectChange> {
    let changed = |set| ObjectChange::new(set).updated(UPDATED);
    let comment = pick(value, ["", "too dear", "moved"]);
    let mut possible = vec![ObjectChange::metadata(value).updated(UPDATED)];
    if matches!(status(object), "canceled" | "incomplete_expired") {
        possible.push(changed(json!({ "cancellation_details": { "comment": comment } })));
        return possible;
    }
    let paused = match value {
        0 => Value::Null,
        _ => json!({ "behavior": pick(value, ["", "void", "keep_as_draft"]), "resumes_at": null }),
    };
    let fee_percent = match value {
        0 => Value::Null,
        1 => json!(2.5),
        _ => json!(8.875),
    };
    possible.extend([
        changed(with_item(object, json!({ "quantity": value }), json!({ "quantity": value }))),
        changed(with_item(object, json!({ "quantity": value }), json!({ "quantity": value }))),
        changed(json!({ "cancel_at_period_end": value == 1 })),
        changed(json!({ "pause_collection": paused })),
        // A number that is not whole, and comes and goes.
        changed(json!({ "application_fee_percent": fee_percent })),
        renewed(object).updated(UPDATED),
        pending_update(object, value),
    ]);
    let statuses: &[&str] = match status(object) {
        "incomplete" => &["active", "active", "incomplete_expired"],
        "trialing" => &["active", "past_due", "paused", "canceled"],
        "active" => &["past_due", "past_due", "canceled"],
        "past_due" => &["active", "unpaid", "canceled"],
        "unpaid" => &["active", "canceled"],
        "paused" => &["active", "canceled"],
        _ => &[],
    };
    possible.extend(statuses.iter().map(|to| {
        let change = changed(json!({ "status": to }));
        match (status(object), *to) {
            (_, "canceled") => changed(json!({ "status": to, "ended_at": 1_785_999_999 }))
                .own(&["customer.subscription.deleted"]),
            (_, "paused") => change.own(&["customer.subscription.paused"]),
            ("paused", _) => change.own(&["customer.subscription.resumed"]),
            (_, _) => change,
        }
    }));
    possible
}

/// Returns the fields to set, with those of the object's only item.
fn with_item(object: &Value, mut set: Value, item_fields: Value) -> Value {
    let mut item = object["items"]["data"][0].clone();
    if let (Some(item), Some(set)) = (item.as_object_mut(), item_fields.as_object()) {
        item.extend(set.clone());
    }
    set["items"] = json!({ "data": [item] });
    set
}

fn renewed(object: &Value) -> ObjectChange {
    let start = object["items"]["data"][0]["current_period_end"].as_i64().unwrap_or_default();
    let period = json!({ "current_period_start": start, "current_period_end": start + MONTH });
    ObjectChange::new(with_item(object, json!({}), period))
}

/// Returns the change by which a pending update is added, expires or is applied.
fn pending_update(object: &Value, value: u8) -> ObjectChange {
    let none = json!({ "pending_update": null });
    match (object["pending_update"].is_null(), value) {
        (true, _) => {
            ObjectChange::new(json!({ "pending_update": { "expires_at": 1_786_000_000, "trial_end": null } }))
                .updated(UPDATED)
        }
        (false, 0) => {
            ObjectChange::new(none).updated(UPDATED).own(&["customer.subscription.pending_update_expired"])
        }
        (false, _) => {
            ObjectChange::new(with_item(object, none, json!({ "price": { "id": format!("price_{value}") } })))
                .updated(UPDATED)
                .own(&["customer.subscription.pending_update_applied"])
        }
    }
}

/// Returns the events without a change: a trial that ends soon, and a preview of the next invoice.
pub(super) fn notices(id: &str, object: &Value) -> Vec<Notice> {
    let preview = json!({
        "object": "invoice", "customer": "cus_1", "amount_due": 5, "status": "draft",
        "parent": { "type": "subscription_details", "subscription_details": { "subscription": id } },
    });
    let mut notices = vec![Notice::OtherObject("invoice.upcoming", preview)];
    if status(object) == "trialing" {
        notices.insert(0, Notice::SameObject("customer.subscription.trial_will_end"));
    }
    notices
}

/// Renders the legacy format: the period is in the subscription itself.
pub(super) fn to_legacy(object: &mut Value) {
    for field in ["current_period_start", "current_period_end"] {
        let value = object["items"]["data"][0].as_object_mut().and_then(|item| item.remove(field));
        object[field] = value.unwrap_or_default();
    }
}
