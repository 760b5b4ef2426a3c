//! What the function works with: the tables and Stripe.

use std::time::Duration;

use shared::access::Access;
use shared::audit::Audit;
use shared::aws::CallLimits;
use shared::ledger::Ledger;
use shared::records::Records;
use shared::registry::Registry;
use shared::secret_store::SecretStore;
use shared::stripe::{Stripe, StripeKeys, TlsError};

use crate::config::Config;

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    pub(crate) access: Access,
    pub(crate) ledger: Ledger,
    pub(crate) records: Records,
    pub(crate) registry: Registry,
    pub(crate) audit: Audit,
    pub(crate) stripe: Stripe,
    pub(crate) stripe_call_interval: Duration,
}

impl Deps {
    /// Reads the configuration and wires the function.
    ///
    /// # Errors
    /// A missing or wrong environment variable, or TLS that cannot be set up.
    pub fn start() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self::new(Config::from_env()?)?)
    }

    /// Wires the function.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(config: Config) -> Result<Self, TlsError> {
        let dynamodb = config.aws.dynamodb(CallLimits::PATIENT);
        let secret_store = SecretStore::new(config.aws.secrets_manager(CallLimits::PATIENT));
        let keys = StripeKeys::new(secret_store, config.stripe_key_secret);
        Ok(Self {
            access: config.access,
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table).in_background(),
            records: Records::new(dynamodb.clone(), config.records_table).in_background(),
            registry: Registry::new(dynamodb.clone(), config.registry_table).in_background(),
            audit: Audit::new(dynamodb, config.audit_table),
            stripe: Stripe::new(config.stripe_api_base, keys)?,
            stripe_call_interval: config.stripe_call_interval,
        })
    }
}
