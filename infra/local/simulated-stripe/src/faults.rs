//! Faults to inject into the API.
//!
//! A fault waits for the next calls that match it and is used up by them. `before` means that nothing was
//! done; `after` means that the call took effect and only its answer went wrong, which is the case that makes
//! retries hard. An answer that goes wrong after the effect is kept under the idempotency key like any other,
//! and replayed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Whether the call takes effect before the fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// It does not (a held or delayed call does, once it goes on).
    #[default]
    Before,
    /// It does, and only the answer goes wrong.
    After,
}

/// An answer in place of the right one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; without one, an error in Stripe's shape that suits the status. A text is the page of whoever
    /// stands between: it is sent as it is, as HTML and without Stripe's headers.
    #[serde(default)]
    pub body: Option<Value>,
    /// The `Stripe-Should-Retry` header.
    #[serde(default)]
    pub should_retry: Option<bool>,
    /// The `Retry-After` header, in seconds. It is sent as such and as a date by turns: HTTP has both.
    #[serde(default)]
    pub retry_after: Option<u64>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Another answer.
    Answer(Answer),
    /// No answer until the faults are cleared or the client gives up.
    Hold,
    /// The connection is closed without an answer.
    Cut,
    /// The answer takes this many milliseconds longer, in real time.
    DelayMs(u64),
}

/// A fault, and the calls it waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only calls of this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only calls whose path begins so.
    #[serde(default)]
    pub path: String,
    /// How many calls.
    #[serde(default = "once")]
    pub times: u32,
    /// Before or after the call takes effect.
    #[serde(default)]
    pub when: When,
    /// What goes wrong.
    pub effect: Effect,
}

fn once() -> u32 {
    1
}

impl Fault {
    fn new(effect: Effect) -> Self {
        Self { method: None, path: String::new(), times: once(), when: When::Before, effect }
    }

    /// Returns a fault that answers this status to the next call.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::new(Effect::Answer(Answer { status, body: None, should_retry: None, retry_after: None }))
    }

    /// Returns a fault that answers 429 to the next call, with or without advice in `Stripe-Should-Retry`.
    #[must_use]
    pub fn rate_limit(should_retry: Option<bool>) -> Self {
        Self::new(Effect::Answer(Answer { status: 429, body: None, should_retry, retry_after: None }))
    }

    /// Returns a fault that gives the next call no answer: a timeout.
    #[must_use]
    pub fn hold() -> Self {
        Self::new(Effect::Hold)
    }

    /// Returns a fault that closes the connection of the next call.
    #[must_use]
    pub fn cut() -> Self {
        Self::new(Effect::Cut)
    }

    /// Returns a fault that makes the next call slower, in real time.
    #[must_use]
    pub fn delay_ms(milliseconds: u64) -> Self {
        Self::new(Effect::DelayMs(milliseconds))
    }

    /// Gives an answer that is not Stripe's: this body, whatever its shape; a text as it is.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        if let Effect::Answer(answer) = &mut self.effect {
            answer.body = Some(body);
        }
        self
    }

    /// Limits it to calls of this method whose path begins so.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        path.clone_into(&mut self.path);
        self
    }

    /// Repeats it for so many calls.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Lets the call take effect before the fault.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.when = When::After;
        self
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method) && path.starts_with(&self.path)
    }
}

/// Takes the fault that waits for this call, the oldest first.
pub(crate) fn take(faults: &mut Vec<Fault>, method: &str, path: &str) -> Option<Fault> {
    let index = faults.iter().position(|fault| fault.times > 0 && fault.matches(method, path))?;
    let fault = faults[index].clone();
    faults[index].times -= 1;
    faults.retain(|fault| fault.times > 0);
    Some(fault)
}

impl Answer {
    pub(crate) fn body(&self) -> Value {
        let (kind, code, message) = match self.status {
            401 => ("invalid_request_error", None, "Invalid API Key provided."),
            403 => {
                ("invalid_request_error", None, "The provided key does not have the required permissions.")
            }
            429 => ("invalid_request_error", Some("rate_limit"), "Request rate limit exceeded."),
            400..=499 => ("invalid_request_error", None, "The request was refused."),
            _ => ("api_error", None, "An unknown error occurred."),
        };
        self.body.clone().unwrap_or_else(|| match code {
            Some(code) => json!({ "error": { "type": kind, "code": code, "message": message } }),
            None => json!({ "error": { "type": kind, "message": message } }),
        })
    }
}
