//! What can go wrong with a run. What Stripe refuses is no error of the run: it is what was seen.

use lambda_runtime::Diagnostic;
use shared::aws::{StoreError, error_chain};
use shared::http::{ApiError, UnknownTrigger};
use shared::secret_store::SecretStoreError;

/// Why a run did not come to its end. The next one begins where it ended.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Neither a request nor a schedule.
    #[error(transparent)]
    Input(#[from] UnknownTrigger),
    /// DynamoDB.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The Stripe key cannot be read.
    #[error(transparent)]
    SecretStore(#[from] SecretStoreError),
    /// Stripe's list holds something without id and time.
    #[error("Stripe's list of events holds something that is no event")]
    Listed,
    /// zstd, short of memory.
    #[error("an event cannot be packed")]
    Packing(#[source] std::io::Error),
}

impl From<ReconcileError> for Diagnostic {
    fn from(error: ReconcileError) -> Self {
        let error_type = match &error {
            ReconcileError::Input(_) => "Input",
            ReconcileError::Store(_) => "Store",
            ReconcileError::SecretStore(_) => "Vault",
            ReconcileError::Listed => "Listed",
            ReconcileError::Packing(_) => "Packing",
        };
        Self { error_type: error_type.to_owned(), error_message: error_chain(&error) }
    }
}

impl From<ReconcileError> for ApiError {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Store(error) => error.into(),
            ReconcileError::SecretStore(error) => error.into(),
            ReconcileError::Input(_) | ReconcileError::Listed | ReconcileError::Packing(_) => {
                Self::unavailable("reconciling", &error)
            }
        }
    }
}
