//! What makes a run fail. A refusal by Stripe does not: it is stored and shown with the progress.

use lambda_runtime::Diagnostic;
use shared::aws::{StoreError, error_chain};
use shared::http::UnknownTrigger;
use shared::registry::Halt;
use shared::secret_store::SecretStoreError;

/// Why a run failed. The next one continues from the progress that was stored last.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The input is neither a request nor the schedule's.
    #[error(transparent)]
    Input(#[from] UnknownTrigger),
    /// DynamoDB could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The Stripe key cannot be read from Secrets Manager.
    #[error(transparent)]
    SecretStore(#[from] SecretStoreError),
    /// Compression failed, which means that memory is short.
    #[error("an object cannot be compressed")]
    Compression(#[source] std::io::Error),
    /// Others kept writing a record.
    #[error("the record `{0}` was written by others again and again")]
    Contended(String),
}

impl From<ImportError> for Diagnostic {
    fn from(error: ImportError) -> Self {
        // Lambda reports these as the error's type. They are stable, whatever the variants are called.
        let error_type = match &error {
            ImportError::Input(_) => "Input",
            ImportError::Store(_) => "Store",
            ImportError::SecretStore(_) => "Vault",
            ImportError::Compression(_) => "Packing",
            ImportError::Contended(_) => "Contended",
        };
        Self { error_type: error_type.to_owned(), error_message: error_chain(&error) }
    }
}

/// Why work stopped before its end.
#[derive(Debug)]
pub(crate) enum Interruption {
    /// Stripe cannot be used right now. The run ends early, and the next one tries again.
    Halted(Halt),
    /// The run failed.
    Failed(ImportError),
}

impl From<Halt> for Interruption {
    fn from(halt: Halt) -> Self {
        Self::Halted(halt)
    }
}

impl<E: Into<ImportError>> From<E> for Interruption {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
