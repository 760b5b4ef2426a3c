//! The function's configuration, read from environment variables.

use std::time::Duration;

use shared::access::Access;
use shared::aws::AwsEnv;
use shared::env::{self, EnvError};
use shared::ledger::Retention;
use shared::mode::Mode;

/// A request over many events returns with what it has done by then, of the function's timeout of 29 s.
pub const WORK_WITHIN: Duration = Duration::from_secs(18);

/// The function's configuration.
#[derive(Clone)]
pub struct Config {
    /// AWS's endpoint, region and credentials.
    pub aws: AwsEnv,
    /// The stack's mode.
    pub mode: Mode,
    /// Which group may do what.
    pub access: Access,
    /// The table of events.
    pub ledger_table: String,
    /// The table of settings.
    pub registry_table: String,
    /// The table of audited actions.
    pub audit_table: String,
    /// How long final events are kept.
    pub retention: Retention,
}

impl Config {
    /// Reads `MODE`, the three tables' variables, `RETENTION_DAYS`, those of [`Access`] and AWS's own.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, EnvError> {
        Ok(Self {
            aws: AwsEnv::from_env()?,
            mode: env::value("MODE")?,
            access: Access::from_env()?,
            ledger_table: env::text("LEDGER_TABLE")?,
            registry_table: env::text("REGISTRY_TABLE")?,
            audit_table: env::text("AUDIT_TABLE")?,
            retention: env::value("RETENTION_DAYS")?,
        })
    }
}
