//! The endpoints and their signing secrets, as this process has read them.
//!
//! The endpoints are one small read of the registry: made in init; before a delivery is taken when the last
//! one is 10 s old, so that a change holds everywhere after 10 s, also in a process that was frozen; and, for
//! an unknown name or a signature that does not match, at most once a second, so that a new endpoint or
//! secret works at once and strangers cost nothing. Secrets Manager is asked only for a version that the
//! registry names and this process does not hold.
//!
//! Rules: no call to AWS for a header that is missing or malformed, at an endpoint that is known; an endpoint
//! whose secrets cannot be read is an outage, not a mismatch (also when the version before is held: it may be
//! the one that was taken away); while the registry cannot be read, the endpoints last read stay in force.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, error_chain};
use shared::endpoint::{EndpointName, SecretVersion};
use shared::registry::{Registry, UNKNOWN_ENDPOINT_LOOKUP_INTERVAL};
use shared::secret::{SigningSecret, SigningSecrets};
use shared::secret_store::SecretStore;
use shared::signature::{self, SignatureError};
use shared::unix_time::UnixSeconds;
use tokio::time::Instant;

use crate::delivery::Delivery;
use crate::error::ReceiveError;
use crate::once_a_minute::OnceAMinute;

/// What was read longer ago is read again before a delivery is taken.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(10);
/// A read of endpoints and secrets that takes longer is given up, so that time is left to store the delivery;
/// what has been read of the endpoints by then counts.
pub(crate) const READ_WITHIN: Duration = Duration::from_secs(1);

/// The endpoints, as last read.
#[derive(Debug)]
pub(crate) struct EndpointCache {
    registry: Registry,
    secret_store: SecretStore,
    cached: Mutex<Arc<Cached>>,
    /// Held while reading, so that many deliveries at once make one read.
    reading: tokio::sync::Mutex<()>,
    /// For the log: strangers can cause a read every second.
    secret_failure: Mutex<OnceAMinute>,
}

#[derive(Debug, Default)]
struct Cached {
    /// With none where the registry names a version that could not be read.
    endpoints: HashMap<EndpointName, Option<Arc<SigningSecrets>>>,
    secrets: HashMap<SecretVersion, Arc<SigningSecrets>>,
    /// When reading was last tried, successfully or not.
    tried_at: Option<Timestamp>,
    /// When it last succeeded.
    read_at: Option<Timestamp>,
}

impl EndpointCache {
    pub(crate) fn new(registry: Registry, secret_store: SecretStore) -> Self {
        Self {
            registry,
            secret_store,
            cached: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            secret_failure: Mutex::default(),
        }
    }

    /// Reads the endpoints in init, which also opens the connection. A failure is left to the first delivery.
    pub(crate) async fn warm_up(&self, now: Timestamp) {
        if let Err(error) = self.read(now).await {
            tracing::warn!(error = error_chain(&error), "the endpoints could not be read while starting");
        }
    }

    /// Checks a delivery against the secrets accepted now. Returns when it was signed.
    pub(crate) async fn verify(
        &self,
        delivery: &Delivery<'_>,
        now: Timestamp,
    ) -> Result<UnixSeconds, ReceiveError> {
        let cached = self.cached();
        let verified = cached.verify(delivery, now);
        let read_again = match &verified {
            Ok(_) => age(cached.read_at, now) >= FRESH_FOR && cached.may_read_again(now),
            Err(
                ReceiveError::UnknownEndpoint
                | ReceiveError::Signature(SignatureError::Mismatch)
                | ReceiveError::EndpointsUnavailable(_),
            ) => cached.may_read_again(now),
            Err(
                ReceiveError::TooLarge { .. }
                | ReceiveError::Signature(_)
                | ReceiveError::NoEvent(_)
                | ReceiveError::Store(_)
                | ReceiveError::Packing(_)
                | ReceiveError::TooSlow,
            ) => false,
        };
        if !read_again {
            return verified;
        }
        match (self.read_unless_changed(&cached, now).await, verified) {
            (Ok(cached), _) => cached.verify(delivery, now),
            // The registry is down, but the delivery is signed with a secret that was right seconds ago.
            (Err(_), Ok(signed_at)) => Ok(signed_at),
            (Err(error), Err(_)) => Err(error),
        }
    }

    fn cached(&self) -> Arc<Cached> {
        Arc::clone(&self.cached.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads, unless another request has done so since this one took `old`.
    async fn read_unless_changed(
        &self,
        old: &Arc<Cached>,
        now: Timestamp,
    ) -> Result<Arc<Cached>, ReceiveError> {
        let _one_at_a_time = self.reading.lock().await;
        let cached = self.cached();
        if Arc::ptr_eq(&cached, old) { self.read(now).await } else { Ok(cached) }
    }

    async fn read(&self, now: Timestamp) -> Result<Arc<Cached>, ReceiveError> {
        let old = self.cached();
        let until = Instant::now() + READ_WITHIN;
        let rows = tokio::time::timeout_at(until, self.registry.endpoints()).await;
        let rows = rows.map_err(|elapsed| StoreError::new("reading the endpoints", elapsed)).flatten();
        let (cached, result) = match rows {
            Ok(rows) => {
                let versions = rows.iter().filter_map(|row| row.secret.as_ref());
                let secrets = self.read_secrets(&old, versions, until, now).await;
                let endpoints = rows
                    .into_iter()
                    .filter(|row| row.state.accepts_deliveries())
                    .map(|row| {
                        let accepted = row.secret.as_ref().and_then(|version| secrets.get(version)).cloned();
                        (row.name, accepted)
                    })
                    .collect();
                (Cached { endpoints, secrets, tried_at: Some(now), read_at: Some(now) }, Ok(()))
            }
            Err(error) => {
                let cached = Cached {
                    endpoints: old.endpoints.clone(),
                    secrets: old.secrets.clone(),
                    tried_at: Some(now),
                    read_at: old.read_at,
                };
                (cached, Err(ReceiveError::EndpointsUnavailable(error.into())))
            }
        };
        let cached = Arc::new(cached);
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&cached);
        result.map(|()| cached)
    }

    /// Returns the secrets of these versions: those held already, and the others as far as they can be read.
    async fn read_secrets<'a>(
        &self,
        old: &Cached,
        versions: impl Iterator<Item = &'a SecretVersion>,
        until: Instant,
        now: Timestamp,
    ) -> HashMap<SecretVersion, Arc<SigningSecrets>> {
        let reads = versions.map(async |version| {
            if let Some(held) = old.secrets.get(version) {
                return Some((version.clone(), Arc::clone(held)));
            }
            let read = tokio::time::timeout_at(until, self.secret_store.signing_secrets(version)).await;
            let failure = match read {
                Ok(Ok(secrets)) => return Some((version.clone(), Arc::new(secrets))),
                Ok(Err(error)) => error_chain(&error),
                Err(elapsed) => elapsed.to_string(),
            };
            self.log_secret_failure(&failure, now);
            None
        });
        join_all(reads).await.into_iter().flatten().collect()
    }

    fn log_secret_failure(&self, failure: &str, now: Timestamp) {
        if self.secret_failure.lock().unwrap_or_else(PoisonError::into_inner).pass(now) {
            tracing::error!(
                error = failure,
                "a signing secret could not be read; deliveries to its endpoint are refused"
            );
        }
    }
}

impl Cached {
    /// Whether the last try is long enough ago, also if it failed.
    fn may_read_again(&self, now: Timestamp) -> bool {
        age(self.tried_at, now)
            >= SignedDuration::try_from(UNKNOWN_ENDPOINT_LOOKUP_INTERVAL).unwrap_or(SignedDuration::MAX)
    }

    fn verify(&self, delivery: &Delivery<'_>, now: Timestamp) -> Result<UnixSeconds, ReceiveError> {
        // Before the first read nothing is known, not even that a name is wrong.
        if self.read_at.is_none() {
            return Err(ReceiveError::EndpointsUnavailable("they have not been read yet".into()));
        }
        let accepted = self.endpoints.get(&delivery.endpoint).ok_or(ReceiveError::UnknownEndpoint)?;
        let secrets: Vec<&SigningSecret> =
            accepted.iter().flat_map(|secrets| &secrets.signing).map(|signing| &signing.secret).collect();
        let verified = delivery.signature.as_deref().map_err(|error| *error).and_then(|header| {
            signature::verify(Some(header), delivery.body, secrets, UnixSeconds::from(now))
        });
        match verified {
            Ok(signed_at) => Ok(UnixSeconds::new(signed_at.get())),
            Err(SignatureError::Mismatch) if accepted.is_none() => Err(ReceiveError::EndpointsUnavailable(
                "the endpoint's signing secret could not be read".into(),
            )),
            Err(error) => Err(error.into()),
        }
    }
}

fn age(since: Option<Timestamp>, now: Timestamp) -> SignedDuration {
    since.map_or(SignedDuration::MAX, |since| now.duration_since(since))
}
