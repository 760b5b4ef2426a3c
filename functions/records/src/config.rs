//! The function's configuration, read from environment variables.

use shared::access::Access;
use shared::aws::AwsEnv;
use shared::env::{self, EnvError};
use shared::ledger::Retention;
use shared::mode::Mode;

/// The function's configuration.
#[derive(Clone)]
pub struct Config {
    /// AWS's endpoint, region and credentials.
    pub aws: AwsEnv,
    /// The stack's mode.
    pub mode: Mode,
    /// Which group may do what.
    pub access: Access,
    /// How long final events are kept.
    pub retention: Retention,
    /// The table of events.
    pub ledger_table: String,
    /// The table of records.
    pub records_table: String,
    /// The table of settings.
    pub registry_table: String,
    /// The table of audited actions.
    pub audit_table: String,
}

impl Config {
    /// Reads `MODE`, `RETENTION_DAYS`, the four tables' variables, those of [`Access`] and AWS's own.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, EnvError> {
        Ok(Self {
            aws: AwsEnv::from_env()?,
            mode: env::value("MODE")?,
            access: Access::from_env()?,
            retention: env::value("RETENTION_DAYS")?,
            ledger_table: env::text("LEDGER_TABLE")?,
            records_table: env::text("RECORDS_TABLE")?,
            registry_table: env::text("REGISTRY_TABLE")?,
            audit_table: env::text("AUDIT_TABLE")?,
        })
    }
}
