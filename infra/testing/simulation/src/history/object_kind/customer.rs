//! Customers: fields that come and go, and perhaps a deletion in the end.

use serde_json::{Value, json};

use super::Notice;
use crate::history::change::{Existence, ObjectChange, pick};

pub(super) fn initial() -> (Value, Vec<&'static str>) {
    let object = json!({
        "email": "0@example.com", "name": null, "phone": null, "balance": 0, "currency": null, "delinquent": false,
        "address": { "city": "Paris", "country": "FR", "line1": null },
        "invoice_settings": { "default_payment_method": null, "footer": null }, "default_source": null,
        "preferred_locales": [],
    });
    (object, vec!["customer.created"])
}

pub(super) fn changes(value: u8) -> Vec<ObjectChange> {
    let card = pick(value, ["", "pm_1", "pm_2"]);
    let locales = [json!([]), json!(["fr"]), json!(["fr", "en"])][usize::from(value)].clone();
    let changed = |set| ObjectChange::new(set).updated("customer.updated");
    vec![
        changed(json!({ "balance": value })),
        changed(json!({ "balance": value })),
        ObjectChange::metadata(value).updated("customer.updated"),
        changed(json!({ "email": format!("{value}@example.com") })),
        changed(json!({ "address": { "city": pick(value, ["Paris", "Lyon", "Lille"]) } })),
        changed(json!({ "invoice_settings": { "default_payment_method": card } })),
        changed(json!({ "preferred_locales": locales, "delinquent": value == 1 })),
        ObjectChange::new(json!({})).own(&["customer.deleted"]).ends(Existence::Deleted),
    ]
}

/// Returns an event of a type that the program does not apply.
pub(super) fn notices(id: &str) -> Vec<Notice> {
    let discount = json!({ "object": "discount", "id": format!("di_{id}"), "customer": id });
    vec![Notice::OtherObject("customer.discount.created", discount)]
}
