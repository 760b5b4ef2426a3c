//! The function's configuration, read from environment variables.

use shared::access::Access;
use shared::aws::{AwsEnv, CallLimits};
use shared::env::{self, EnvError};
use shared::mode::Mode;
use shared::stripe::ApiBase;

/// The function's settings.
#[derive(Clone)]
pub struct Config {
    /// Where AWS is and who we are to it.
    pub aws: AwsEnv,
    /// How long AWS may take to answer.
    pub call_limits: CallLimits,
    /// The stack's mode.
    pub mode: Mode,
    /// The table of endpoints and settings.
    pub registry_table: String,
    /// The table of events.
    pub ledger_table: String,
    /// The table of records.
    pub records_table: String,
    /// The address that Stripe sends to.
    pub public_url: String,
    /// Where Stripe's API is.
    pub stripe_api_base: ApiBase,
    /// The secret that holds the Stripe key.
    pub stripe_key_secret: String,
    /// Who may do what.
    pub access: Access,
    /// After how many days signing secrets are to be rotated; 0 is never.
    pub rotate_days: i64,
}

impl Config {
    /// Reads the variables that `template.yaml` sets, and AWS's own.
    ///
    /// # Errors
    /// The first that is missing or wrong.
    pub fn from_env() -> Result<Self, EnvError> {
        Ok(Self {
            aws: AwsEnv::from_env()?,
            // Those of the receive path: this too answers within 3 s.
            call_limits: CallLimits::RECEIVE,
            mode: env::value("MODE")?,
            registry_table: env::text("REGISTRY_TABLE")?,
            ledger_table: env::text("LEDGER_TABLE")?,
            records_table: env::text("RECORDS_TABLE")?,
            public_url: env::text("PUBLIC_URL")?,
            stripe_api_base: env::value("STRIPE_API_BASE")?,
            stripe_key_secret: env::text("STRIPE_KEY_SECRET")?,
            access: Access::from_env()?,
            rotate_days: env::value("ROTATE_DAYS")?,
        })
    }
}
