//! What the function works with: the four tables.

use shared::access::Access;
use shared::audit::Audit;
use shared::aws::CallLimits;
use shared::env::EnvError;
use shared::ledger::{Ledger, Retention};
use shared::mode::Mode;
use shared::records::Records;
use shared::registry::Registry;

use crate::config::Config;

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    pub(crate) mode: Mode,
    pub(crate) access: Access,
    pub(crate) retention: Retention,
    pub(crate) ledger: Ledger,
    pub(crate) records: Records,
    pub(crate) registry: Registry,
    pub(crate) audit: Audit,
}

impl Deps {
    /// Reads the configuration and wires the function.
    ///
    /// # Errors
    /// A missing or wrong environment variable.
    pub fn start() -> Result<Self, EnvError> {
        Ok(Self::new(Config::from_env()?))
    }

    /// Wires the function.
    pub fn new(config: Config) -> Self {
        let dynamodb = config.aws.dynamodb(CallLimits::PATIENT);
        Self {
            mode: config.mode,
            access: config.access.for_reading(),
            retention: config.retention,
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table),
            records: Records::new(dynamodb.clone(), config.records_table),
            registry: Registry::new(dynamodb.clone(), config.registry_table),
            audit: Audit::new(dynamodb, config.audit_table),
        }
    }
}
