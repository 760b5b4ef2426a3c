//! What the function works with: made once a process, shared by all its invocations.

use std::time::Duration;

use shared::aws::CallLimits;
use shared::ledger::{Ledger, Retention};
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::records::Records;
use shared::registry::Registry;
use shared::secret_store::SecretStore;
use shared::stripe::{Stripe, StripeKeys, TlsError};

use crate::config::Config;
use crate::connected_accounts::ConnectedAccounts;
use crate::rules_cache::RulesCache;

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    pub(crate) mode: Mode,
    pub(crate) ledger: Ledger,
    pub(crate) records: Records,
    pub(crate) registry: Registry,
    pub(crate) rules: RulesCache,
    pub(crate) connected_accounts: ConnectedAccounts,
    pub(crate) retention: Retention,
    pub(crate) stripe: Stripe,
    pub(crate) ask_again_after: Duration,
    pub(crate) metrics: Metrics,
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
        let secret_store = SecretStore::new(config.aws.secrets_manager(CallLimits::PATIENT));
        let keys = StripeKeys::new(secret_store, config.stripe_key_secret);
        let dynamodb = config.aws.dynamodb(CallLimits::PATIENT);
        Ok(Self {
            mode: config.mode,
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table).in_background(),
            records: Records::new(dynamodb.clone(), config.records_table).in_background(),
            registry: Registry::new(dynamodb, config.registry_table).in_background(),
            rules: RulesCache::default(),
            connected_accounts: ConnectedAccounts::default(),
            retention: config.retention,
            stripe: Stripe::new(config.stripe_api_base, keys)?,
            ask_again_after: config.ask_again_after,
            metrics: config.metrics,
        })
    }
}
