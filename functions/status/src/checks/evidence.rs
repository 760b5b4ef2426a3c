//! Evidence that several checks show, each in one form.

use serde_json::{Value, json};
use shared::stripe::StripeFailure;

/// Stripe's words, and the id under which its support finds the request.
pub(super) fn stripe_failure(failure: &StripeFailure) -> Value {
    json!({
        "stripe_status": failure.status,
        "stripe_message": failure.message,
        "stripe_request": failure.request_id,
    })
}

/// The id of the request that Stripe answered.
pub(super) fn stripe_request(request_id: Option<&String>) -> Value {
    json!({ "stripe_request": request_id })
}
