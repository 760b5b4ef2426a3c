//! The function's configuration, read from environment variables.

use shared::access::Access;
use shared::aws::AwsEnv;
use shared::env::{self, EnvError};
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::stripe::ApiBase;

/// The function's settings.
#[derive(Clone)]
pub struct Config {
    /// Where AWS is and who we are to it.
    pub aws: AwsEnv,
    /// The stack's mode.
    pub mode: Mode,
    /// Where metrics go.
    pub metrics: Metrics,
    /// Who may do what.
    pub access: Access,
    /// The table of events.
    pub ledger_table: String,
    /// The table of records.
    pub records_table: String,
    /// The table of endpoints and settings.
    pub registry_table: String,
    /// The table of the audit.
    pub audit_table: String,
    /// The address that Stripe sends to.
    pub public_url: String,
    /// Where Stripe's API is.
    pub stripe_api_base: ApiBase,
    /// The secret that holds the Stripe key.
    pub stripe_key_secret: String,
}

impl Config {
    /// Reads `STACK_NAME`, the four tables' variables, `PUBLIC_URL`, `STRIPE_API_BASE`, `STRIPE_KEY_SECRET`,
    /// those of [`Access`] and AWS's own.
    ///
    /// # Errors
    /// The first that is missing or wrong.
    pub fn from_env() -> Result<Self, EnvError> {
        Ok(Self {
            aws: AwsEnv::from_env()?,
            mode: env::value("MODE")?,
            metrics: Metrics::logged(env::text("STACK_NAME")?),
            access: Access::from_env()?,
            ledger_table: env::text("LEDGER_TABLE")?,
            records_table: env::text("RECORDS_TABLE")?,
            registry_table: env::text("REGISTRY_TABLE")?,
            audit_table: env::text("AUDIT_TABLE")?,
            public_url: env::text("PUBLIC_URL")?,
            stripe_api_base: env::value("STRIPE_API_BASE")?,
            stripe_key_secret: env::text("STRIPE_KEY_SECRET")?,
        })
    }
}
