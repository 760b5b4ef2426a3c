//! Customers: fields that come and go, and in the end perhaps a deletion.

use serde_json::{Value, json};

use super::Notice;
use crate::history::change::{Change, Outcome, pick};

pub(super) fn born() -> (Value, &'static [&'static str]) {
    let object = json!({
        "email": "0@example.com", "name": null, "phone": null, "balance": 0, "currency": null, "delinquent": false,
        "address": { "city": "Paris", "country": "FR", "line1": null },
        "invoice_settings": { "default_payment_method": null, "footer": null }, "default_source": null,
        "preferred_locales": [],
    });
    (object, &["customer.created"])
}

pub(super) fn changes(value: u8) -> Vec<Change> {
    let card = pick(value, ["", "pm_1", "pm_2"]);
    let locales = [json!([]), json!(["fr"]), json!(["fr", "en"])][usize::from(value)].clone();
    let changed = |set| Change::of(set).updated("customer.updated");
    vec![
        changed(json!({ "balance": value })),
        changed(json!({ "balance": value })),
        Change::metadata(value).updated("customer.updated"),
        changed(json!({ "email": format!("{value}@example.com") })),
        changed(json!({ "address": { "city": pick(value, ["Paris", "Lyon", "Lille"]) } })),
        changed(json!({ "invoice_settings": { "default_payment_method": card } })),
        changed(json!({ "preferred_locales": locales, "delinquent": value == 1 })),
        Change::of(json!({})).own(&["customer.deleted"]).ends(Outcome::Deleted),
    ]
}

/// A type that nobody here applies.
pub(super) fn notices(id: &str) -> Vec<Notice> {
    let tax_id =
        json!({ "object": "tax_id", "id": format!("txi_{id}"), "customer": id, "value": "DE123456789" });
    vec![Notice::About("customer.tax_id.created", tax_id)]
}
