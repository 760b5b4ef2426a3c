//! Invoice payments: Stripe sends an event when one is paid, and when it is detached from its invoice.

use serde_json::{Value, json};

use super::status;
use crate::history::change::ObjectChange;

pub(super) fn initial(variant: u8) -> (Value, Vec<&'static str>) {
    let object = json!({
        "invoice": "in_1", "status": "paid", "amount_paid": variant, "is_default": true,
        "payment": { "type": "payment_intent", "payment_intent": "pi_1" },
    });
    (object, vec!["invoice_payment.paid"])
}

pub(super) fn changes(object: &Value) -> Vec<ObjectChange> {
    match status(object) {
        "paid" => vec![ObjectChange::new(json!({ "status": "canceled" })).own(&["invoice_payment.detached"])],
        _ => Vec::new(),
    }
}
