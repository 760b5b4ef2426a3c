//! The answer to a call, before it becomes HTTP.

use serde_json::Value;

use super::error::ApiError;
use crate::faults::Answer;

/// A status, a body, and the headers that advise a client about trying again.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, body, headers: Vec::new() }
    }

    /// Returns a stored answer, marked as such.
    pub(crate) fn replayed(mut self, original_request: String) -> Self {
        self.headers.push(("idempotent-replayed", "true".to_owned()));
        self.headers.push(("original-request", original_request));
        self
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, body: error.body(), headers: Vec::new() }
    }
}

impl From<&Answer> for Reply {
    fn from(answer: &Answer) -> Self {
        let mut headers = Vec::new();
        headers.extend(answer.should_retry.map(|retry| ("stripe-should-retry", retry.to_string())));
        headers.extend(answer.retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        if answer.status == 429 {
            headers.push(("stripe-rate-limited-reason", "global-rate".to_owned()));
        }
        Self { status: answer.status, body: answer.body(), headers }
    }
}
