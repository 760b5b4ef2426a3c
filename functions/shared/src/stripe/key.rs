//! The key that a process calls Stripe with: read from Secrets Manager once, and again when it is out of
//! date.
//!
//! Out of date is: the settings say that a key was set since, or Stripe does not know the key any more. The
//! second is looked into once a minute at most, so that a revoked key does not cost a read of it with
//! every call.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::aws::error_chain;
use crate::secret::StripeKey;
use crate::secret_store::{SecretStore, SecretStoreError};
use crate::unix_time::UnixMillis;

const LOOKED_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The stack's Stripe key, as this process knows it.
#[derive(Debug)]
pub struct StripeKeys {
    secret_store: SecretStore,
    secret: String,
    /// Locked while reading, so that many calls at once make one read.
    held: Mutex<CachedKey>,
}

#[derive(Debug, Default)]
struct CachedKey {
    key: Option<StripeKey>,
    set_at: Option<UnixMillis>,
    looked_again_at: Option<Instant>,
}

impl StripeKeys {
    /// The key in this secret. Nothing is read yet.
    pub fn new(secret_store: SecretStore, secret: impl Into<String>) -> Self {
        Self { secret_store, secret: secret.into(), held: Mutex::default() }
    }

    /// The key that was set at `set_at`, or later.
    pub(super) async fn current(&self, set_at: UnixMillis) -> Result<Option<StripeKey>, SecretStoreError> {
        let mut held = self.held.lock().await;
        if held.key.is_none() || held.set_at != Some(set_at) {
            held.key = self.secret_store.stripe_key(&self.secret).await?;
            held.set_at = Some(set_at);
        }
        Ok(held.key.clone())
    }

    /// Another key than this one, which Stripe does not know, if there is one.
    pub(super) async fn replacement_for(&self, refused: &StripeKey) -> Option<StripeKey> {
        let mut held = self.held.lock().await;
        let just_looked = held.looked_again_at.is_some_and(|at| at.elapsed() < LOOKED_AGAIN_AFTER);
        if held.key.as_ref() == Some(refused) && !just_looked {
            held.looked_again_at = Some(Instant::now());
            match self.secret_store.stripe_key(&self.secret).await {
                Ok(key) => held.key = key,
                Err(error) => {
                    tracing::warn!(error = error_chain(&error), "the Stripe key could not be read again")
                }
            }
        }
        held.key.clone().filter(|key| key != refused)
    }
}
