//! What is noted of an endpoint for the status: that it was heard, or that what came was not signed rightly or in time.
//!
//! At most one write a minute for each of these, in a process and for an endpoint that exists; so what strangers send costs no write
//! each. Nothing depends on a note, so it may not hold up an answer either.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, error_chain};
use shared::endpoint::EndpointName;
use shared::registry::Registry;
use shared::signature::SignatureError;

use crate::error::ReceiveError;

const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);
const NOTED_WITHIN: Duration = Duration::from_millis(200);

/// The notes of this process.
#[derive(Debug)]
pub(crate) struct Notes {
    registry: Registry,
    of: Mutex<HashMap<EndpointName, Noted>>,
}

#[derive(Debug, Default)]
struct Noted {
    last_delivery_at: Option<Timestamp>,
    mismatched_at: Option<Timestamp>,
    /// Not noted yet.
    mismatches: u64,
    stale_at: Option<Timestamp>,
}

impl Notes {
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry, of: Mutex::default() }
    }

    /// A delivery came in that was signed at `t`.
    pub(crate) async fn heard(&self, endpoint: &EndpointName, t: i64, now: Timestamp) {
        let Some(before) = self.of(endpoint, |noted| due(&mut noted.last_delivery_at, now)) else { return };
        let off_by_s = t - now.as_second();
        if !self.write(endpoint, self.registry.record_delivery(endpoint, off_by_s, now)).await {
            self.of(endpoint, |noted| noted.last_delivery_at = before);
        }
    }

    /// A request was refused. Only what may be Stripe's is noted: a name that nobody has registered, or no signature, is not.
    pub(crate) async fn refused(&self, endpoint: &EndpointName, error: &ReceiveError, now: Timestamp) {
        match error {
            ReceiveError::Signature(SignatureError::Mismatch) => {
                let counted = self.of(endpoint, |noted| {
                    noted.mismatches += 1;
                    let before = due(&mut noted.mismatched_at, now)?;
                    Some((before, std::mem::take(&mut noted.mismatches)))
                });
                let Some((before, count)) = counted else { return };
                if !self.write(endpoint, self.registry.record_mismatches(endpoint, count, now)).await {
                    self.of(endpoint, |noted| {
                        noted.mismatched_at = before;
                        noted.mismatches += count;
                    });
                }
            }
            ReceiveError::Signature(SignatureError::OutOfTolerance { off_by_s }) => {
                let Some(before) = self.of(endpoint, |noted| due(&mut noted.stale_at, now)) else { return };
                if !self.write(endpoint, self.registry.record_stale_delivery(endpoint, *off_by_s, now)).await
                {
                    self.of(endpoint, |noted| noted.stale_at = before);
                }
            }
            ReceiveError::Signature(SignatureError::Missing | SignatureError::Malformed(_))
            | ReceiveError::TooLarge
            | ReceiveError::UnknownEndpoint
            | ReceiveError::EventError(_)
            | ReceiveError::Book(_)
            | ReceiveError::Store(_)
            | ReceiveError::Packing(_)
            | ReceiveError::TooSlow => {}
        }
    }

    fn of<T>(&self, endpoint: &EndpointName, look: impl FnOnce(&mut Noted) -> T) -> T {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        look(of.entry(endpoint.clone()).or_default())
    }

    /// Was it written?
    async fn write(
        &self,
        endpoint: &EndpointName,
        write: impl Future<Output = Result<(), StoreError>>,
    ) -> bool {
        match tokio::time::timeout(NOTED_WITHIN, write).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => {
                tracing::warn!(error = error_chain(&error), endpoint.name = %endpoint, "a note could not be written");
            }
            Err(_) => {
                tracing::warn!(endpoint.name = %endpoint, "a note could not be written in time");
            }
        }
        false
    }
}

/// Is it time? Then it counts as noted, so that others do not write it too; gives what stood there before.
fn due(noted_at: &mut Option<Timestamp>, now: Timestamp) -> Option<Option<Timestamp>> {
    let due = noted_at.is_none_or(|at| now.duration_since(at) >= NOTED_EVERY);
    due.then(|| noted_at.replace(now))
}
