//! What the status learns of an endpoint's deliveries: that one came in, or that requests were not signed
//! rightly or in time.
//!
//! Each kind is written at most once a minute, by a process and for an endpoint that exists; so what
//! strangers send costs no write each. Nothing else depends on these writes, so they may not hold up an
//! answer either.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use shared::aws::{StoreError, error_chain};
use shared::endpoint::EndpointName;
use shared::registry::Registry;
use shared::signature::SignatureError;
use shared::unix_time::UnixSeconds;

use crate::error::ReceiveError;
use crate::once_a_minute::OnceAMinute;

/// A write that takes longer is given up.
pub(crate) const WRITE_WITHIN: Duration = Duration::from_millis(200);

/// Writes the activity of endpoints to the registry.
#[derive(Debug)]
pub(crate) struct ActivityLog {
    registry: Registry,
    pending: Mutex<HashMap<EndpointName, PendingActivity>>,
}

/// What is held back of one endpoint's activity, with a gate for each kind.
#[derive(Debug, Default)]
struct PendingActivity {
    delivery: OnceAMinute,
    stale_delivery: OnceAMinute,
    mismatch: OnceAMinute,
    /// Counted and not written yet.
    mismatches: u64,
}

impl ActivityLog {
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry, pending: Mutex::default() }
    }

    /// Records that a delivery came in that Stripe had signed at `signed_at`.
    pub(crate) async fn record_delivery(
        &self,
        endpoint: &EndpointName,
        signed_at: UnixSeconds,
        now: Timestamp,
    ) {
        let off_by = signed_at - UnixSeconds::from(now);
        let write = self.registry.record_delivery(endpoint, off_by.as_secs(), now);
        self.write_once_a_minute(endpoint, |pending| &mut pending.delivery, write, now).await;
    }

    /// Records that a request was refused. Only what may be Stripe's is recorded: a name that nobody has
    /// registered, or a missing signature, is not.
    pub(crate) async fn record_refusal(&self, endpoint: &EndpointName, error: &ReceiveError, now: Timestamp) {
        match error {
            ReceiveError::Signature(SignatureError::Mismatch) => self.record_mismatch(endpoint, now).await,
            ReceiveError::Signature(SignatureError::OutOfTolerance { off_by_s }) => {
                let write = self.registry.record_stale_delivery(endpoint, *off_by_s, now);
                self.write_once_a_minute(endpoint, |pending| &mut pending.stale_delivery, write, now).await;
            }
            ReceiveError::Signature(SignatureError::Missing | SignatureError::Malformed(_))
            | ReceiveError::TooLarge { .. }
            | ReceiveError::UnknownEndpoint
            | ReceiveError::NoEvent(_)
            | ReceiveError::EndpointsUnavailable(_)
            | ReceiveError::Store(_)
            | ReceiveError::Packing(_)
            | ReceiveError::TooSlow => {}
        }
    }

    /// Mismatches are counted until they may be written.
    async fn record_mismatch(&self, endpoint: &EndpointName, now: Timestamp) {
        let due = self.update(endpoint, |pending| {
            pending.mismatches += 1;
            pending.mismatch.pass(now).then(|| std::mem::take(&mut pending.mismatches))
        });
        let Some(count) = due else { return };
        if !self.write(endpoint, self.registry.record_mismatches(endpoint, count, now)).await {
            self.update(endpoint, |pending| {
                pending.mismatch.reopen();
                pending.mismatches += count;
            });
        }
    }

    async fn write_once_a_minute(
        &self,
        endpoint: &EndpointName,
        gate: impl Fn(&mut PendingActivity) -> &mut OnceAMinute,
        write: impl Future<Output = Result<(), StoreError>>,
        now: Timestamp,
    ) {
        let is_due = self.update(endpoint, |pending| gate(pending).pass(now));
        if is_due && !self.write(endpoint, write).await {
            self.update(endpoint, |pending| gate(pending).reopen());
        }
    }

    fn update<T>(&self, endpoint: &EndpointName, change: impl FnOnce(&mut PendingActivity) -> T) -> T {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        change(pending.entry(endpoint.clone()).or_default())
    }

    /// Returns whether the write was done.
    async fn write(
        &self,
        endpoint: &EndpointName,
        write: impl Future<Output = Result<(), StoreError>>,
    ) -> bool {
        match tokio::time::timeout(WRITE_WITHIN, write).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => {
                tracing::warn!(error = error_chain(&error), endpoint.name = %endpoint, "the activity of an endpoint could not be written");
            }
            Err(_) => {
                tracing::warn!(endpoint.name = %endpoint, "the activity of an endpoint could not be written in time");
            }
        }
        false
    }
}
