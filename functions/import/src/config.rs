//! The function's configuration, read from environment variables.

use std::time::Duration;

use shared::access::Access;
use shared::aws::AwsEnv;
use shared::env::{self, EnvError};
use shared::stripe::ApiBase;

/// Under 20 calls a second: in a sandbox Stripe allows 25, of which others need some.
const CALL_INTERVAL: Duration = Duration::from_millis(52);

/// The function's configuration.
#[derive(Clone)]
pub struct Config {
    /// AWS's endpoint, region and credentials.
    pub aws: AwsEnv,
    /// Which group may do what.
    pub access: Access,
    /// The table of events.
    pub ledger_table: String,
    /// The table of records.
    pub records_table: String,
    /// The table of settings and progress.
    pub registry_table: String,
    /// The table of audited actions.
    pub audit_table: String,
    /// The base URL of Stripe's API.
    pub stripe_api_base: ApiBase,
    /// The name of the secret that holds the Stripe key.
    pub stripe_key_secret: String,
    /// At least so long from the beginning of one call to Stripe to that of the next.
    pub stripe_call_interval: Duration,
}

impl Config {
    /// Reads the four tables' variables, `STRIPE_API_BASE`, `STRIPE_KEY_SECRET`, those of [`Access`] and
    /// AWS's own.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, EnvError> {
        Ok(Self {
            aws: AwsEnv::from_env()?,
            access: Access::from_env()?,
            ledger_table: env::text("LEDGER_TABLE")?,
            records_table: env::text("RECORDS_TABLE")?,
            registry_table: env::text("REGISTRY_TABLE")?,
            audit_table: env::text("AUDIT_TABLE")?,
            stripe_api_base: env::value("STRIPE_API_BASE")?,
            stripe_key_secret: env::text("STRIPE_KEY_SECRET")?,
            stripe_call_interval: CALL_INTERVAL,
        })
    }
}
