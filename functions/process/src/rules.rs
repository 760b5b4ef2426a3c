//! The stack's rules (what is ignored, how failures are retried), as this process knows them.
//!
//! Read once and then every 10 seconds, so that a change holds everywhere after that. When they cannot be read, those known hold
//! on; a process that knows none does nothing, and the sweep finds what that leaves undone.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, error_chain};
use shared::registry::{Registry, Rules};

const FRESH_FOR: SignedDuration = SignedDuration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct KnownRules(Mutex<Option<(Timestamp, Arc<Rules>)>>);

impl KnownRules {
    /// The rules that hold now.
    pub(crate) async fn at(&self, registry: &Registry, now: Timestamp) -> Result<Arc<Rules>, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read_at, rules)) = &known
            && now.duration_since(*read_at) < FRESH_FOR
        {
            return Ok(Arc::clone(rules));
        }
        match (registry.rules().await, known) {
            (Ok(rules), _) => {
                let rules = Arc::new(rules);
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&rules)));
                Ok(rules)
            }
            (Err(error), Some((_, rules))) => {
                tracing::warn!(error = error_chain(&error), "the rules cannot be read; those known hold on");
                Ok(rules)
            }
            (Err(error), None) => Err(error),
        }
    }
}
