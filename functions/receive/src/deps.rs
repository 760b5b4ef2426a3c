//! What the function works with: made once a process, shared by all its requests.

use jiff::Timestamp;
use shared::aws::CallLimits;
use shared::env::EnvError;
use shared::ledger::Ledger;
use shared::payload;
use shared::registry::Registry;
use shared::secret_store::SecretStore;

use crate::config::Config;
use crate::delivery_metrics::DeliveryMetrics;
use crate::endpoint_activity::ActivityLog;
use crate::endpoint_cache::EndpointCache;
use crate::refusal_log::RefusalLog;

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    pub(crate) endpoints: EndpointCache,
    pub(crate) ledger: Ledger,
    pub(crate) activity: ActivityLog,
    pub(crate) refusals: RefusalLog,
    pub(crate) metrics: DeliveryMetrics,
}

impl Deps {
    /// Reads the configuration, opens the connection and reads the endpoints. A store that is down does not
    /// stop the start: the first delivery tries again.
    ///
    /// # Errors
    /// A missing or wrong environment variable.
    pub async fn start(now: Timestamp) -> Result<Self, EnvError> {
        let deps = Self::new(Config::from_env()?);
        payload::warm_up();
        deps.endpoints.warm_up(now).await;
        Ok(deps)
    }

    /// Wires the function, with nothing read yet.
    pub fn new(config: Config) -> Self {
        let dynamodb = config.aws.dynamodb(CallLimits::RECEIVE);
        let registry = Registry::new(dynamodb.clone(), config.registry_table);
        let secret_store = SecretStore::new(config.aws.secrets_manager(CallLimits::RECEIVE));
        Self {
            endpoints: EndpointCache::new(registry.clone(), secret_store),
            ledger: Ledger::new(dynamodb, config.ledger_table),
            activity: ActivityLog::new(registry),
            refusals: RefusalLog::default(),
            metrics: DeliveryMetrics::new(config.metrics),
        }
    }
}
