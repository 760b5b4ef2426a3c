//! What can go wrong: with an invocation, and with one event.

use lambda_runtime::Diagnostic;
use shared::aws::{StoreError, chain};

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
        Self { error_type: error_type.to_owned(), error_message: chain(&error) }
    }
}

/// Why one event could not be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// It may go better next time.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others wrote the record each time between reading and writing it; it goes better when they are done.
    #[error("the record was written by others {0} times in a row")]
    Contended(u32),
    /// zstd, short of memory.
    #[error("the object cannot be packed")]
    Packing(#[source] std::io::Error),
}
