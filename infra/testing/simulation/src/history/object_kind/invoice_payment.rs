//! Invoice payments: Stripe sends an event only when one is paid.

use serde_json::{Value, json};

pub(super) fn initial(variant: u8) -> (Value, &'static [&'static str]) {
    let object = json!({
        "invoice": "in_1", "status": "paid", "amount_paid": variant, "is_default": true,
        "payment": { "type": "payment_intent", "payment_intent": "pi_1" },
    });
    (object, &["invoice_payment.paid"])
}
