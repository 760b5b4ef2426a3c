//! The log of API calls, by which a test asserts which calls were made.

use serde::Serialize;

/// One call as it came in, whether it succeeded or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoggedRequest {
    /// The answer's `Request-Id`.
    pub request_id: String,
    /// The time, in unix seconds of the simulated clock.
    pub at: i64,
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The decoded query and body, in the order sent: `("enabled_events[0]", "invoice.paid")`.
    pub params: Vec<(String, String)>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The last four characters of the API key.
    pub key_hint: Option<String>,
    /// The `Stripe-Version` header.
    pub stripe_version: Option<String>,
    /// The `Stripe-Account` header.
    pub stripe_account: Option<String>,
    /// The status of the answer; `None` while it is held, or when the connection was cut.
    pub status: Option<u16>,
}

impl LoggedRequest {
    /// Returns the value of a parameter, if it was sent.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }
}
