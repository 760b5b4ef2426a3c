//! The stack's rules (what is ignored, how failures are retried), as this process has read them.
//!
//! Read once and then every 10 seconds, so that a change holds everywhere after that. When they cannot be
//! read, those read last stay in force; a process that has read none does nothing, and the sweep finds what
//! that leaves undone.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, error_chain};
use shared::registry::{Registry, Rules};

const FRESH_FOR: SignedDuration = SignedDuration::from_secs(10);

/// The rules read last, and when.
#[derive(Debug, Default)]
pub(crate) struct RulesCache(Mutex<Option<(Timestamp, Arc<Rules>)>>);

impl RulesCache {
    /// Returns the rules in force.
    pub(crate) async fn get(&self, registry: &Registry, now: Timestamp) -> Result<Arc<Rules>, StoreError> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read_at, rules)) = &cached
            && now.duration_since(*read_at) < FRESH_FOR
        {
            return Ok(Arc::clone(rules));
        }
        match (registry.rules().await, cached) {
            (Ok(rules), _) => {
                let rules = Arc::new(rules);
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&rules)));
                Ok(rules)
            }
            (Err(error), Some((_, rules))) => {
                tracing::warn!(
                    error = error_chain(&error),
                    "the rules cannot be read; those read last stay in force"
                );
                Ok(rules)
            }
            (Err(error), None) => Err(error),
        }
    }
}
