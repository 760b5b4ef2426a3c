//! What the function works with: its settings and its clients.

use shared::access::Access;
use shared::ledger::Ledger;
use shared::mode::Mode;
use shared::records::Records;
use shared::registry::Registry;
use shared::secret_store::SecretStore;
use shared::stripe::{Stripe, StripeKeys, TlsError};

use crate::config::Config;

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    pub(crate) mode: Mode,
    pub(crate) access: Access,
    pub(crate) registry: Registry,
    pub(crate) ledger: Ledger,
    pub(crate) records: Records,
    pub(crate) secret_store: SecretStore,
    pub(crate) stripe: Stripe,
    pub(crate) public_url: String,
    pub(crate) rotate_days: i64,
}

impl Deps {
    /// Reads the configuration and wires the function. Nothing is called yet.
    ///
    /// # Errors
    /// A missing or wrong environment variable, or TLS that cannot be set up.
    pub fn start() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self::new(Config::from_env()?)?)
    }

    /// Wires the function. Nothing is called yet.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(config: Config) -> Result<Self, TlsError> {
        let dynamodb = config.aws.dynamodb(config.call_limits);
        let secret_store = SecretStore::new(config.aws.secrets_manager(config.call_limits));
        let keys = StripeKeys::new(secret_store.clone(), config.stripe_key_secret);
        Ok(Self {
            mode: config.mode,
            access: config.access.for_reading(),
            registry: Registry::new(dynamodb.clone(), config.registry_table),
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table),
            records: Records::new(dynamodb, config.records_table),
            secret_store,
            stripe: Stripe::new(config.stripe_api_base, keys)?,
            public_url: config.public_url.trim_end_matches('/').to_owned(),
            rotate_days: config.rotate_days,
        })
    }
}
