//! What makes a run fail.

use lambda_runtime::Diagnostic;
use shared::aws::{StoreError, error_chain};
use shared::http::UnknownTrigger;

/// Why a run failed. The next one continues from the progress that was stored last.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The input is neither a request nor the schedule's.
    #[error(transparent)]
    Input(#[from] UnknownTrigger),
    /// DynamoDB could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Compression failed, which means that memory is short.
    #[error("an object cannot be compressed")]
    Compression(#[source] std::io::Error),
    /// Others write a record again and again.
    #[error("the record {0} was written by others each time that it was to be erased")]
    Contended(String),
}

impl From<EraseError> for Diagnostic {
    fn from(error: EraseError) -> Self {
        // Lambda reports these as the error's type. They are stable, whatever the variants are called.
        let error_type = match &error {
            EraseError::Input(_) => "Input",
            EraseError::Store(_) => "Store",
            EraseError::Compression(_) => "Packing",
            EraseError::Contended(_) => "Contended",
        };
        Self { error_type: error_type.to_owned(), error_message: error_chain(&error) }
    }
}
