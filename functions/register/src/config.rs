//! The configuration of the function, read from its environment.

use std::time::Duration;

use shared::access::Access;
use shared::aws::AwsEnv;
use shared::env::{self, EnvError};
use shared::mode::Mode;
use shared::registry::UNKNOWN_ENDPOINT_LOOKUP_INTERVAL;
use shared::stripe::ApiBase;

/// How long the work on one request may take. API Gateway gives up after 30 s and the function is stopped
/// after 29: what is left is for the audit (one write, 4 s at most) and the way back.
pub const WORK_WITHIN: Duration = Duration::from_secs(20);

/// The function's configuration.
#[derive(Clone)]
pub struct Config {
    /// The endpoint and the credentials of AWS.
    pub aws: AwsEnv,
    /// The stack's mode.
    pub mode: Mode,
    /// The stack's name, which tags its endpoints at Stripe.
    pub stack: String,
    /// The table of endpoints and settings.
    pub registry_table: String,
    /// The table of the audit.
    pub audit_table: String,
    /// The table of records.
    pub records_table: String,
    /// The address that Stripe sends to.
    pub public_url: String,
    /// The address of Stripe's API.
    pub stripe_api_base: ApiBase,
    /// The secret that holds the Stripe key.
    pub stripe_key_secret: String,
    /// What the names of signing secrets begin with.
    pub secret_prefix: String,
    /// The KMS key (an ARN) under which signing secrets are made; none is AWS's own.
    pub secret_kms_key: Option<String>,
    /// The API and its groups of users.
    pub access: Access,
    /// How long `receive` may still refuse what a new endpoint gets (see the registry's constant of this
    /// name).
    pub unknown_endpoint_lookup_interval: Duration,
    /// Whether endpoints that Stripe has disabled are enabled again.
    pub reenable: bool,
    /// The days after which a signing secret is rotated by itself; 0 is never.
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
            mode: env::value("MODE")?,
            stack: env::text("STACK_NAME")?,
            registry_table: env::text("REGISTRY_TABLE")?,
            audit_table: env::text("AUDIT_TABLE")?,
            records_table: env::text("RECORDS_TABLE")?,
            public_url: env::text("PUBLIC_URL")?,
            stripe_api_base: env::value("STRIPE_API_BASE")?,
            stripe_key_secret: env::text("STRIPE_KEY_SECRET")?,
            secret_prefix: env::text("SECRET_PREFIX")?,
            secret_kms_key: env::optional("SECRET_KMS_KEY"),
            access: Access::from_env()?,
            unknown_endpoint_lookup_interval: UNKNOWN_ENDPOINT_LOOKUP_INTERVAL,
            reenable: env::value("REENABLE_ENDPOINTS")?,
            rotate_days: env::value("ROTATE_DAYS")?,
        })
    }
}
