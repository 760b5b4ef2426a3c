//! What the function is told by its environment.

use std::time::Duration;

use shared::access::Access;
use shared::aws::AwsEnv;
use shared::env::{self, EnvError};
use shared::stripe::ApiBase;

/// A run ends after this, of the 300 s that the function has, and the next one carries on.
pub const RUN_WITHIN: Duration = Duration::from_secs(240);

/// The function's settings.
#[derive(Clone)]
pub struct Config {
    /// Where AWS is and who we are to it.
    pub aws: AwsEnv,
    /// Who may do what.
    pub access: Access,
    /// The table of events.
    pub ledger_table: String,
    /// The table of records.
    pub records_table: String,
    /// The table of settings, and of how far the work is.
    pub registry_table: String,
    /// The table of acts.
    pub audit_table: String,
    /// Where Stripe's API is.
    pub stripe_api_base: ApiBase,
    /// The secret that holds the Stripe key.
    pub stripe_key_secret: String,
    /// How long a run goes on.
    pub run_within: Duration,
}

impl Config {
    /// Reads the four tables' variables, `STRIPE_API_BASE`, `STRIPE_KEY_SECRET`, those of [`Access`] and AWS's own.
    ///
    /// # Errors
    /// The first that is missing or wrong.
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
            run_within: RUN_WITHIN,
        })
    }
}
