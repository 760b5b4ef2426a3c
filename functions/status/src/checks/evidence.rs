//! Evidence that several checks show, in one form.

use serde_json::{Value, json};

/// The id of the request that Stripe answered.
pub(super) fn stripe_request(request_id: Option<&String>) -> Value {
    json!({ "stripe_request": request_id })
}
