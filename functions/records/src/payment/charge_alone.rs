//! A charge without a PaymentIntent, which is a payment of its own: imports and old integrations make such.

use serde_json::{Value, json};

use super::amounts::amount;
use super::charges::captured_amounts;

/// Describes a charge in the words of the PaymentIntent that it does not have, so that one derivation serves
/// both.
pub(super) fn as_payment_intent(charge: &Value) -> Value {
    let captured: i64 = captured_amounts(&Value::Null, &[charge]).into_iter().sum();
    // Charges of before API 2015-02-18 have no such status, but `paid`.
    let has_failed = match charge["status"].as_str() {
        Some(status) => status == "failed",
        None => charge["paid"] == false,
    };
    let status = if has_failed {
        "requires_payment_method"
    } else if charge["status"] == "pending" {
        "processing"
    } else if charge["captured"] != false {
        "succeeded"
    } else if charge["refunded"] == true {
        // The authorization was released, by the merchant or after seven days.
        "canceled"
    } else {
        "requires_capture"
    };
    json!({
        "status": status,
        "amount": amount(charge, "amount"),
        "amount_received": captured,
        "last_payment_error": if has_failed { json!({ "code": charge["failure_code"] }) } else { Value::Null },
        "invoice": charge["invoice"],
    })
}
