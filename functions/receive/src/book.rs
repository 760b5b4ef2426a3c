//! What this process knows of the endpoints and their signing secrets.
//!
//! The endpoints are one small read of the registry: made in init; before a delivery is taken when the last one is 10 s old, so
//! that a change holds everywhere after 10 s, also in a process that was asleep; and, for an unknown name or a signature that
//! does not match, at most once a second, so that a new endpoint or secret works at once and strangers cost nothing.
//! Secrets Manager is asked only for a version that the registry names and this process does not hold.
//!
//! Rules: no call to AWS for a header that is missing or malformed, at an endpoint that is known; an endpoint whose secrets
//! cannot be read is an outage, not a mismatch (also when the version before was known: it may be the one that was taken away);
//! while the registry cannot be read, what is known goes on to count.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, error_chain};
use shared::endpoint::{EndpointName, SecretVersion};
use shared::registry::{ENDPOINT_REFRESH_INTERVAL, Registry};
use shared::secret::{SigningSecret, SigningSecrets};
use shared::secret_store::SecretStore;
use shared::signature::{self, SignatureError};
use tokio::time::Instant;

use crate::delivery::Delivery;
use crate::error::ReceiveError;

/// After this long, what is known is read again before a delivery is taken.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(10);
/// A read of endpoints and secrets that takes longer is given up, so that time is left to store the delivery; what is known of the
/// endpoints by then counts.
const READ_WITHIN: Duration = Duration::from_secs(1);
/// How often trouble with secrets is told.
const TOLD_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// The endpoints, as last read.
#[derive(Debug)]
pub(crate) struct Book {
    registry: Registry,
    secret_store: SecretStore,
    known: Mutex<Arc<Known>>,
    /// Held while reading, so that many deliveries at once make one read.
    reading: tokio::sync::Mutex<()>,
    trouble_told_at: Mutex<Option<Timestamp>>,
}

#[derive(Debug, Default)]
struct Known {
    /// With none where the registry names a version that could not be read.
    endpoints: HashMap<EndpointName, Option<Arc<SigningSecrets>>>,
    secrets: HashMap<SecretVersion, Arc<SigningSecrets>>,
    /// When reading was last tried, whatever came of it.
    tried_at: Option<Timestamp>,
    /// When it last went well.
    read_at: Option<Timestamp>,
}

impl Book {
    pub(crate) fn new(registry: Registry, secret_store: SecretStore) -> Self {
        Self {
            registry,
            secret_store,
            known: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            trouble_told_at: Mutex::default(),
        }
    }

    /// The read in init, which also opens the connection. A failure is left to the first delivery.
    pub(crate) async fn read_first(&self, now: Timestamp) {
        if let Err(error) = self.read(now).await {
            tracing::warn!(error = error_chain(&error), "the endpoints could not be read while starting");
        }
    }

    /// Checks a delivery against the secrets accepted now. Gives the second it was signed at.
    pub(crate) async fn verify(&self, delivery: &Delivery<'_>, now: Timestamp) -> Result<i64, ReceiveError> {
        let known = self.known();
        let verdict = known.verify(delivery, now);
        let look_again = match &verdict {
            Ok(_) => age(known.read_at, now) >= FRESH_FOR && known.may_look_again(now),
            Err(
                ReceiveError::UnknownEndpoint
                | ReceiveError::Signature(SignatureError::Mismatch)
                | ReceiveError::Book(_),
            ) => known.may_look_again(now),
            Err(
                ReceiveError::TooLarge
                | ReceiveError::Signature(_)
                | ReceiveError::EventError(_)
                | ReceiveError::Store(_)
                | ReceiveError::Packing(_)
                | ReceiveError::TooSlow,
            ) => false,
        };
        if !look_again {
            return verdict;
        }
        match (self.read_once(&known, now).await, verdict) {
            (Ok(known), _) => known.verify(delivery, now),
            // The registry is down, but the delivery is signed with a secret that was right seconds ago.
            (Err(_), Ok(signed_at)) => Ok(signed_at),
            (Err(error), Err(_)) => Err(error),
        }
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads, unless somebody else has done so since `seen`.
    async fn read_once(&self, seen: &Arc<Known>, now: Timestamp) -> Result<Arc<Known>, ReceiveError> {
        let _one_at_a_time = self.reading.lock().await;
        let known = self.known();
        if Arc::ptr_eq(&known, seen) { self.read(now).await } else { Ok(known) }
    }

    async fn read(&self, now: Timestamp) -> Result<Arc<Known>, ReceiveError> {
        let old = self.known();
        let until = Instant::now() + READ_WITHIN;
        let read = tokio::time::timeout_at(until, self.registry.endpoints()).await;
        let read = read.map_err(|late| StoreError::new("reading the endpoints", late)).flatten();
        let (known, result) = match read {
            Ok(rows) => {
                let versions = rows.iter().filter_map(|row| row.secret.as_ref());
                let secrets = self.secrets(&old, versions, until, now).await;
                let endpoints = rows
                    .into_iter()
                    .filter(|row| row.state.takes_deliveries())
                    .map(|row| {
                        let held = row.secret.as_ref().and_then(|version| secrets.get(version)).cloned();
                        (row.name, held)
                    })
                    .collect();
                (Known { endpoints, secrets, tried_at: Some(now), read_at: Some(now) }, Ok(()))
            }
            Err(error) => {
                let known = Known {
                    endpoints: old.endpoints.clone(),
                    secrets: old.secrets.clone(),
                    tried_at: Some(now),
                    read_at: old.read_at,
                };
                (known, Err(ReceiveError::Book(error.into())))
            }
        };
        let known = Arc::new(known);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        result.map(|()| known)
    }

    /// Says why a secret could not be read, once a minute at most: strangers can make us look every second.
    fn tell(&self, trouble: &str, now: Timestamp) {
        let mut told_at = self.trouble_told_at.lock().unwrap_or_else(PoisonError::into_inner);
        if age(*told_at, now) >= TOLD_EVERY {
            *told_at = Some(now);
            tracing::error!(
                error = trouble,
                "a signing secret could not be read; deliveries to its endpoint are refused"
            );
        }
    }

    /// The secrets of these versions: those held already, and the others as far as they can be read.
    async fn secrets<'a>(
        &self,
        old: &Known,
        versions: impl Iterator<Item = &'a SecretVersion>,
        until: Instant,
        now: Timestamp,
    ) -> HashMap<SecretVersion, Arc<SigningSecrets>> {
        let read = versions.map(async |version| {
            if let Some(held) = old.secrets.get(version) {
                return Some((version.clone(), Arc::clone(held)));
            }
            let read = tokio::time::timeout_at(until, self.secret_store.signing_secrets(version)).await;
            let trouble = match read {
                Ok(Ok(secrets)) => return Some((version.clone(), Arc::new(secrets))),
                Ok(Err(error)) => error_chain(&error),
                Err(late) => late.to_string(),
            };
            self.tell(&trouble, now);
            None
        });
        join_all(read).await.into_iter().flatten().collect()
    }
}

impl Known {
    fn may_look_again(&self, now: Timestamp) -> bool {
        age(self.tried_at, now)
            >= SignedDuration::try_from(ENDPOINT_REFRESH_INTERVAL).unwrap_or(SignedDuration::MAX)
    }

    fn verify(&self, delivery: &Delivery<'_>, now: Timestamp) -> Result<i64, ReceiveError> {
        // Before the first read nothing is known, not even that a name is wrong.
        if self.read_at.is_none() {
            return Err(ReceiveError::Book("they have not been read yet".into()));
        }
        let held = self.endpoints.get(&delivery.endpoint).ok_or(ReceiveError::UnknownEndpoint)?;
        let secrets: Vec<&SigningSecret> =
            held.iter().flat_map(|secrets| &secrets.signing).map(|one| &one.secret).collect();
        let signed = delivery
            .signature
            .and_then(|header| signature::verify(Some(header), delivery.body, secrets, now.as_second()));
        match signed {
            Ok(signed_at) => Ok(signed_at),
            Err(SignatureError::Mismatch) if held.is_none() => {
                Err(ReceiveError::Book("the endpoint's signing secret could not be read".into()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn age(since: Option<Timestamp>, now: Timestamp) -> SignedDuration {
    since.map_or(SignedDuration::MAX, |since| now.duration_since(since))
}
