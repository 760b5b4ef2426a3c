//! What the function is told by its environment.

use shared::aws::AwsEnv;
use shared::env::{self, EnvError};
use shared::mode::Mode;

/// The function's settings.
#[derive(Clone)]
pub struct Config {
    /// Where AWS is and who we are to it.
    pub aws: AwsEnv,
    /// The stack's mode.
    pub mode: Mode,
    /// The table of events.
    pub ledger_table: String,
    /// The table of records.
    pub records_table: String,
    /// The table that holds the counts by the hour.
    pub registry_table: String,
}

impl Config {
    /// Reads `MODE`, `LEDGER_TABLE`, `RECORDS_TABLE`, `REGISTRY_TABLE` and AWS's own variables.
    ///
    /// # Errors
    /// The first that is missing or wrong.
    pub fn from_env() -> Result<Self, EnvError> {
        Ok(Self {
            aws: AwsEnv::from_env()?,
            mode: env::value("MODE")?,
            ledger_table: env::text("LEDGER_TABLE")?,
            records_table: env::text("RECORDS_TABLE")?,
            registry_table: env::text("REGISTRY_TABLE")?,
        })
    }
}
