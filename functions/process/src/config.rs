//! The function's settings, from its environment.

use std::time::Duration;

use shared::aws::AwsEnv;
use shared::env::{self, EnvError};
use shared::ledger::Retention;
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::stripe::ApiBase;

/// The function's settings.
#[derive(Clone)]
pub struct Config {
    /// AWS's region, address and credentials.
    pub aws: AwsEnv,
    /// The stack's mode.
    pub mode: Mode,
    /// The table of events.
    pub ledger_table: String,
    /// The table of records.
    pub records_table: String,
    /// The table of settings and of the counts by the hour.
    pub registry_table: String,
    /// How long final events are kept.
    pub retention: Retention,
    /// Where Stripe's API is.
    pub stripe_api_base: ApiBase,
    /// The secret that holds the Stripe key.
    pub stripe_key_secret: String,
    /// How long to wait before Stripe is asked for an object, or asked again, while its second is not over.
    pub ask_again_after: Duration,
    /// Where metrics go.
    pub metrics: Metrics,
}

impl Config {
    /// Reads `MODE`, `LEDGER_TABLE`, `RECORDS_TABLE`, `REGISTRY_TABLE`, `RETENTION_DAYS`,
    /// `STRIPE_API_BASE`, `STRIPE_KEY_SECRET`, `STACK_NAME` and AWS's own variables.
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
            retention: env::value("RETENTION_DAYS")?,
            stripe_api_base: env::value("STRIPE_API_BASE")?,
            stripe_key_secret: env::text("STRIPE_KEY_SECRET")?,
            ask_again_after: Duration::from_secs(2),
            metrics: Metrics::logged(env::text("STACK_NAME")?),
        })
    }
}
