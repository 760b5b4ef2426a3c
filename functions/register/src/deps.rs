//! What the function works with: its configuration and its clients.

use std::time::Duration;

use jiff::SignedDuration;
use shared::access::Access;
use shared::audit::Audit;
use shared::aws::CallLimits;
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
    /// The stack's name, which tags its endpoints at Stripe.
    pub(crate) stack: String,
    /// Whether Stripe is a simulated one on this machine. Then endpoints may be on this machine too.
    pub(crate) local: bool,
    /// The address that Stripe sends to, without a slash at its end.
    pub(crate) public_url: String,
    pub(crate) secret_prefix: String,
    pub(crate) stripe_key_secret: String,
    pub(crate) unknown_endpoint_lookup_interval: Duration,
    pub(crate) reenable: bool,
    /// The age at which a signing secret is rotated by itself; none is never.
    pub(crate) rotate_after: Option<SignedDuration>,
    pub(crate) access: Access,
    pub(crate) registry: Registry,
    pub(crate) audit: Audit,
    pub(crate) records: Records,
    pub(crate) secret_store: SecretStore,
    pub(crate) stripe: Stripe,
}

impl Deps {
    /// Wires the function, with nothing read yet.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(config: Config) -> Result<Self, TlsError> {
        let dynamodb = config.aws.dynamodb(CallLimits::PATIENT);
        let secret_store = SecretStore::new(config.aws.secrets_manager(CallLimits::PATIENT))
            .encrypting_with(config.secret_kms_key);
        let keys = StripeKeys::new(secret_store.clone(), config.stripe_key_secret.clone());
        Ok(Self {
            mode: config.mode,
            stack: config.stack,
            local: config.stripe_api_base.is_local(),
            public_url: config.public_url.trim_end_matches('/').to_owned(),
            secret_prefix: config.secret_prefix,
            stripe_key_secret: config.stripe_key_secret,
            unknown_endpoint_lookup_interval: config.unknown_endpoint_lookup_interval,
            reenable: config.reenable,
            rotate_after: (config.rotate_days > 0)
                .then(|| SignedDuration::from_hours(24 * config.rotate_days)),
            access: config.access,
            registry: Registry::new(dynamodb.clone(), config.registry_table),
            audit: Audit::new(dynamodb.clone(), config.audit_table),
            records: Records::new(dynamodb, config.records_table),
            secret_store,
            stripe: Stripe::new(config.stripe_api_base, keys)?,
        })
    }
}
