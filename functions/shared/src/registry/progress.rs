//! What long work that goes through many objects keeps from one run to the next: why it halted, what Stripe
//! refuses, and samples of what there can be many of.

use serde::{Deserialize, Serialize};

use crate::kind::Kind;
use crate::stripe::{StripeError, StripeFailure};
use crate::unix_time::UnixSeconds;

/// So many are named of what there can be many of.
const NAMED: usize = 10;

/// Why a run ended before its end. The next one tries again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Halt {
    /// No Stripe key is set.
    NoKey,
    /// Stripe does not accept the key.
    #[serde(rename = "key_refused")]
    KeyRejected(Box<StripeFailure>),
    /// Stripe gave no answer that counts, or wants fewer calls.
    NoAnswer(Box<StripeFailure>),
}

impl TryFrom<StripeError> for Halt {
    /// The refusal: of what the key may not read, of an account that is not connected any more, or an answer
    /// too large to be read.
    type Error = Box<StripeFailure>;

    /// Says what a failed call means to work that goes through many objects: it halts, or only what was asked
    /// for is refused.
    fn try_from(error: StripeError) -> Result<Self, Self::Error> {
        match error {
            StripeError::Unauthorized(failure) => Ok(Self::KeyRejected(failure)),
            // The same call gets the same answer.
            StripeError::NoAnswer(failure) if failure.is_too_large() => Err(failure),
            StripeError::NoAnswer(failure) | StripeError::IdempotencyKeySpent(failure) => {
                Ok(Self::NoAnswer(failure))
            }
            StripeError::Refused(failure) if failure.is_rate_limit() => Ok(Self::NoAnswer(failure)),
            StripeError::Refused(failure) | StripeError::Forbidden(failure) => Err(failure),
        }
    }
}

/// How many there are, and the first ten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampled<T> {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<T>,
}

impl<T> Default for Sampled<T> {
    fn default() -> Self {
        Self { count: 0, first: Vec::new() }
    }
}

impl<T> Sampled<T> {
    /// Counts one more, and keeps it if it is among the first.
    pub fn add(&mut self, one: T) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(one);
        }
    }
}

/// A kind of an account that Stripe refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedKind {
    /// The connected account; none for our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The kind.
    pub kind: Kind,
    /// Stripe's words.
    #[serde(rename = "refusal")]
    pub failure: StripeFailure,
}

/// A place in one of Stripe's lists, which go from the newest to the oldest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPosition {
    /// The object that came last.
    pub id: String,
    /// When it was made: the object itself may be gone when the list is gone on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<UnixSeconds>,
}

/// How far a list is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// There is more to list, or nobody knows yet.
    #[default]
    GoingOn,
    /// All is listed.
    Done,
    /// Stripe refuses a list, or never answers its next page.
    Refused,
}

/// How far the list of connected accounts is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountList {
    /// Whether there is more to list.
    pub stage: Stage,
    /// The account that came last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Why Stripe refuses the list, or never answers it.
    #[serde(rename = "refusal", default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<StripeFailure>,
    /// So many runs have halted at the next page, because Stripe gave no answer to it.
    #[serde(default)]
    pub unanswered: u32,
}
