//! What can go wrong with a run. What Stripe refuses is no error of the run: it is what was seen.

use lambda_runtime::Diagnostic;
use shared::aws::{StoreError, error_chain};
use shared::http::UnknownTrigger;
use shared::registry::Halt;
use shared::secret_store::SecretStoreError;

/// Why a run did not come to its end. The next one begins where it had last kept how far it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Neither a request nor a schedule.
    #[error(transparent)]
    Input(#[from] UnknownTrigger),
    /// DynamoDB.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The Stripe key cannot be read.
    #[error(transparent)]
    SecretStore(#[from] SecretStoreError),
    /// zstd, short of memory.
    #[error("an object cannot be packed")]
    Packing(#[source] std::io::Error),
}

impl From<ImportError> for Diagnostic {
    fn from(error: ImportError) -> Self {
        let error_type = match &error {
            ImportError::Input(_) => "Input",
            ImportError::Store(_) => "Store",
            ImportError::SecretStore(_) => "Vault",
            ImportError::Packing(_) => "Packing",
        };
        Self { error_type: error_type.to_owned(), error_message: error_chain(&error) }
    }
}

/// Why work stopped before its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Stripe was not to be asked: that is something seen, and no error of the run.
    Halted(Halt),
    Broken(ImportError),
}

impl From<Halt> for Stopped {
    fn from(halt: Halt) -> Self {
        Self::Halted(halt)
    }
}

impl<E: Into<ImportError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}
