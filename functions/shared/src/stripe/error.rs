//! What a failed call means to the caller: the stage decides what to do, so the stage is the type.
//!
//! The rule: where it is not known whether the call was done, it is [`StripeError::NoAnswer`], never a
//! refusal.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::AccountKey;
use crate::lossy_json;
use crate::secret::StripeKey;

/// Stripe's messages may have 40,000 characters; people read this many.
const LONGEST_MESSAGE: usize = 1_000;
/// The code of an answer that is too large to be read. It is not Stripe's.
const TOO_LARGE: &str = "answer_too_large";

/// Why a call did not give what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// Stripe refused, and nothing was done.
    #[error("Stripe refused: {0}")]
    Refused(Box<StripeFailure>),
    /// Stripe does not know the key, or it has been revoked.
    #[error("Stripe does not accept the key: {0}")]
    Unauthorized(Box<StripeFailure>),
    /// The key may not make this call.
    #[error("the key may not do this: {0}")]
    Forbidden(Box<StripeFailure>),
    /// The answer kept under the idempotency key is of no use and will not change: a server error, or the key
    /// was used for something else. Something may have been done under it.
    #[error("the idempotency key is used up: {0}")]
    IdempotencyKeySpent(Box<StripeFailure>),
    /// No answer that says whether it was done: a timeout, a broken connection, a server error, a call of the
    /// same idempotency key still running.
    #[error("Stripe gave no answer that counts: {0}")]
    NoAnswer(Box<StripeFailure>),
}

impl StripeError {
    /// Stripe's error, or what happened instead of an answer.
    pub fn failure(&self) -> &StripeFailure {
        match self {
            Self::Refused(failure)
            | Self::Unauthorized(failure)
            | Self::Forbidden(failure)
            | Self::IdempotencyKeySpent(failure)
            | Self::NoAnswer(failure) => failure,
        }
    }

    /// Returns whether Stripe says that the object after which a list should continue does not exist any
    /// more.
    pub fn is_gone_cursor(&self) -> bool {
        self.is_missing() && self.failure().param.as_deref() == Some("starting_after")
    }

    /// Returns whether Stripe says that there is no object of this id.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Refused(failure) => failure.is_missing(),
            Self::Unauthorized(_) | Self::Forbidden(_) | Self::IdempotencyKeySpent(_) | Self::NoAnswer(_) => {
                false
            }
        }
    }
}

/// Stripe's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct StripeFailure {
    /// The HTTP status; none if there was no answer.
    pub status: Option<u16>,
    /// Stripe's `type`, such as `invalid_request_error`.
    pub kind: Option<String>,
    /// Stripe's `code`, such as `resource_missing`; many errors have none. `answer_too_large` where there was
    /// an answer of which only a part could be read.
    pub code: Option<String>,
    /// Stripe's message, or what happened instead of an answer.
    pub message: String,
    /// The parameter at fault.
    pub param: Option<String>,
    /// Stripe's `Request-Id`, by which its dashboard and its support find the call.
    pub request_id: Option<String>,
}

impl StripeFailure {
    /// Returns whether they are Stripe's: each of its errors names its `type`, and what is in between does
    /// not.
    pub(super) fn is_stripes(&self) -> bool {
        self.kind.is_some()
    }

    /// Returns whether Stripe only said "not now": too many calls, or another call is changing the same
    /// object. It comes as 429, and for some calls as 400. Nothing was done, and it is not kept under the
    /// idempotency key.
    pub fn is_rate_limit(&self) -> bool {
        self.status == Some(429) || matches!(self.code.as_deref(), Some("rate_limit" | "lock_timeout"))
    }

    /// Returns whether Stripe says that it does not know what was asked for.
    pub(super) fn is_missing(&self) -> bool {
        self.code.as_deref() == Some("resource_missing")
    }

    /// Returns whether Stripe says that a connected account is not, or no longer, connected. Our own cannot
    /// leave.
    pub fn says_account_left(&self, account: &AccountKey) -> bool {
        account.connected().is_some() && self.code.as_deref() == Some("account_invalid")
    }

    /// Returns whether there was an answer that is too large to be read. The same call gets it again.
    pub fn is_too_large(&self) -> bool {
        self.status.is_none() && self.code.as_deref() == Some(TOO_LARGE)
    }

    /// Returns it as answers and the evidence of checks show it: Stripe's status, words and request id.
    pub fn to_evidence(&self) -> Value {
        json!({
            "stripe_status": self.status,
            "stripe_message": self.message,
            "stripe_request": self.request_id,
        })
    }

    /// What happened instead of an answer.
    pub fn happened(message: impl Into<String>) -> Self {
        Self { status: None, kind: None, code: None, message: message.into(), param: None, request_id: None }
    }

    /// An answer of more than this many bytes.
    pub(super) fn too_large(bytes: usize) -> Self {
        let code = Some(TOO_LARGE.to_owned());
        Self { code, ..Self::happened(format!("an answer of more than {bytes} bytes")) }
    }

    /// Reads an error in Stripe's shape; what is in between may answer in its own.
    pub(super) fn read(status: u16, body: &[u8], request_id: Option<String>, key: &StripeKey) -> Self {
        #[derive(Deserialize)]
        struct StripeErrorBody {
            error: StripeErrorFields,
        }
        #[derive(Deserialize, Default)]
        struct StripeErrorFields {
            #[serde(rename = "type")]
            kind: Option<String>,
            code: Option<String>,
            message: Option<String>,
            param: Option<String>,
        }
        let error =
            lossy_json::from_slice::<StripeErrorBody>(body).map(|body| body.error).unwrap_or_default();
        let message =
            error.message.unwrap_or_else(|| format!("an answer with status {status} that is not Stripe's"));
        // Stripe masks keys in its messages. Something in between might not.
        let message = message.replace(key.reveal(), &key.hint());
        Self {
            status: Some(status),
            kind: error.kind,
            code: error.code,
            message: message.chars().take(LONGEST_MESSAGE).collect(),
            param: error.param,
            request_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> StripeKey {
        "sk_test_verysecret".parse().unwrap()
    }

    #[test]
    fn stripes_words_are_kept_and_a_key_in_them_is_not() {
        let body = br#"{"error":{"type":"invalid_request_error","code":"url_invalid","param":"url",
            "message":"bad url, sent with sk_test_verysecret","doc_url":"https://x"}}"#;
        let failure = StripeFailure::read(400, body, Some("req_1".into()), &key());
        assert_eq!(failure.code.as_deref(), Some("url_invalid"));
        assert_eq!(failure.param.as_deref(), Some("url"));
        assert_eq!(failure.message, "bad url, sent with sk_test_…cret");
    }

    #[test]
    fn a_limit_is_known_by_its_status_or_its_code() {
        let limit = |status, code: &str| {
            let body = format!(r#"{{"error":{{"code":"{code}"}}}}"#);
            StripeFailure::read(status, body.as_bytes(), None, &key()).is_rate_limit()
        };
        assert!(
            limit(429, "")
                && limit(429, "lock_timeout")
                && limit(400, "rate_limit")
                && limit(400, "lock_timeout")
        );
        assert!(!limit(400, "url_invalid"));
    }

    #[test]
    fn an_answer_in_another_shape_still_says_its_status() {
        for body in ["", "<html>", "[]", r#"{"error":"invalid_grant"}"#] {
            assert_eq!(
                StripeFailure::read(404, body.as_bytes(), None, &key()).message,
                "an answer with status 404 that is not Stripe's"
            );
        }
    }
}
