//! What makes a run fail. A refusal by Stripe is no failure of the run: it is stored in the snapshot.

use lambda_runtime::Diagnostic;
use shared::aws::{StoreError, error_chain};
use shared::http::{ApiError, UnknownTrigger};
use shared::secret_store::SecretStoreError;

/// Why a run failed. The next one continues where it ended.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The input is neither a request nor the schedule's.
    #[error(transparent)]
    Input(#[from] UnknownTrigger),
    /// DynamoDB could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The Stripe key cannot be read from Secrets Manager.
    #[error(transparent)]
    SecretStore(#[from] SecretStoreError),
    /// Stripe's list holds something without id and time.
    #[error("Stripe's list of events holds something that is no event")]
    NotAnEvent,
    /// Compression failed, which means that memory is short.
    #[error("an event cannot be compressed")]
    Compression(#[source] std::io::Error),
}

impl From<ReconcileError> for Diagnostic {
    fn from(error: ReconcileError) -> Self {
        // Lambda reports these as the error's type. They are stable, whatever the variants are called.
        let error_type = match &error {
            ReconcileError::Input(_) => "Input",
            ReconcileError::Store(_) => "Store",
            ReconcileError::SecretStore(_) => "Vault",
            ReconcileError::NotAnEvent => "Listed",
            ReconcileError::Compression(_) => "Packing",
        };
        Self { error_type: error_type.to_owned(), error_message: error_chain(&error) }
    }
}

impl From<ReconcileError> for ApiError {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Store(error) => error.into(),
            ReconcileError::SecretStore(error) => error.into(),
            ReconcileError::Input(_) | ReconcileError::NotAnEvent | ReconcileError::Compression(_) => {
                Self::unavailable("reconciling", &error)
            }
        }
    }
}
