//! Invoice payments: Stripe tells only that one has been paid.

use serde_json::{Value, json};

pub(super) fn born(birth: u8) -> (Value, &'static [&'static str]) {
    let object = json!({
        "invoice": "in_1", "status": "paid", "amount_paid": birth, "is_default": true,
        "payment": { "type": "payment_intent", "payment_intent": "pi_1" },
    });
    (object, &["invoice_payment.paid"])
}
