//! The function's settings, from its environment.

use shared::aws::AwsEnv;
use shared::env::{self, EnvError};
use shared::metrics::Metrics;

/// The function's settings.
#[derive(Clone)]
pub struct Config {
    /// AWS's region, address and credentials.
    pub aws: AwsEnv,
    /// The table of events.
    pub ledger_table: String,
    /// The table of endpoints.
    pub registry_table: String,
    /// Where metrics go.
    pub metrics: Metrics,
}

impl Config {
    /// Reads `LEDGER_TABLE`, `REGISTRY_TABLE`, `STACK_NAME` and AWS's own variables.
    ///
    /// # Errors
    /// The first that is missing or wrong.
    pub fn from_env() -> Result<Self, EnvError> {
        Ok(Self {
            aws: AwsEnv::from_env()?,
            ledger_table: env::text("LEDGER_TABLE")?,
            registry_table: env::text("REGISTRY_TABLE")?,
            metrics: Metrics::logged(env::text("STACK_NAME")?),
        })
    }
}
