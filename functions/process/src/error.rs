//! What can fail: an invocation, and the work on one event.

use lambda_runtime::Diagnostic;
use shared::aws::{StoreError, error_chain};
use shared::lossy_json::LossyJsonError;
use shared::secret_store::SecretStoreError;
use shared::stripe::StripeError;

/// Why an invocation did nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// Neither records of a stream nor a schedule.
    #[error("the input is neither a batch of the ledger's stream nor the sweep's schedule: {0}")]
    Input(String),
    /// The ledger cannot be read; the next sweep tries again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ProcessError> for Diagnostic {
    fn from(error: ProcessError) -> Self {
        let error_type = match &error {
            ProcessError::Input(_) => "Input",
            ProcessError::Store(_) => "Store",
        };
        Self { error_type: error_type.to_owned(), error_message: error_chain(&error) }
    }
}

/// Why one event could not be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// A table or index; another attempt may succeed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others wrote the record each time between reading and writing it; another attempt may succeed.
    #[error("the record was written by others {0} times in a row")]
    Contended(u32),
    /// The Stripe key cannot be read.
    #[error(transparent)]
    SecretStore(#[from] SecretStoreError),
    /// Stripe was asked and did not answer with the object.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// Stripe does not know an object of our own account that an event is about, and the key is not found to
    /// be of that account.
    // The object stands after the colon: what stands before it is what events are grouped and replayed by.
    #[error(
        "Stripe does not know the object, as the key is of another account, or it is not known of which: {0}"
    )]
    NotAtStripe(String),
    /// The second is not over by Stripe's clock.
    #[error("the second of the event is not over by Stripe's clock, so Stripe's answer could miss a change")]
    TooEarly,
    /// Something between us and Stripe removes the header.
    #[error("Stripe's answer has no `Date`, so it is unknown which events it includes")]
    NoDate,
    /// Stripe's answer is no JSON object.
    #[error("Stripe's answer cannot be read")]
    UnreadableObject(#[source] LossyJsonError),
    /// zstd is short of memory.
    #[error("the object cannot be packed")]
    Packing(#[source] std::io::Error),
}

impl ApplyError {
    /// Whether every further attempt would fail the same way, until somebody changes something.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::Store(error) => error.is_permanent(),
            Self::Stripe(StripeError::Refused(failure)) => !failure.is_rate_limit(),
            // A key can be replaced, and an outage ends.
            Self::Stripe(
                StripeError::Unauthorized(_)
                | StripeError::Forbidden(_)
                | StripeError::IdempotencyKeySpent(_)
                | StripeError::NoAnswer(_),
            )
            | Self::Contended(_)
            | Self::SecretStore(_)
            | Self::NotAtStripe(_)
            | Self::TooEarly
            | Self::NoDate
            | Self::UnreadableObject(_)
            | Self::Packing(_) => false,
        }
    }
}
