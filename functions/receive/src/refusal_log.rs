//! The log of requests that were not acknowledged.
//!
//! Refusals are counted and logged in one line a process and minute: a line each would let strangers spend
//! our money. Outages that only a signed delivery meets are logged each, because each is an event that Stripe
//! has to send again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::error::ReceiveError;
use crate::once_a_minute::OnceAMinute;

/// The refusals of this process.
#[derive(Debug, Default)]
pub(crate) struct RefusalLog(Mutex<Refusals>);

#[derive(Debug, Default)]
struct Refusals {
    /// Counted and not logged yet, by the code of the answer.
    pending: BTreeMap<&'static str, u64>,
    gate: OnceAMinute,
}

impl RefusalLog {
    /// Logs an outage; counts a refusal, and logs all counts that are due.
    pub(crate) fn record(&self, error: &ReceiveError, now: Timestamp) {
        if let Some(causes) = error.outage_causes() {
            tracing::error!(error = causes, "a delivery could not be stored");
            return;
        }
        if let Some(counts) = self.count(error.answer().code(), now) {
            let counts =
                counts.iter().map(|(code, count)| format!("{code}={count}")).collect::<Vec<_>>().join(" ");
            tracing::warn!(refused = counts, "requests were refused");
        }
    }

    /// Counts one refusal. Once a minute, returns all that are pending.
    fn count(&self, code: &'static str, now: Timestamp) -> Option<BTreeMap<&'static str, u64>> {
        let mut refusals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *refusals.pending.entry(code).or_default() += 1;
        refusals.gate.pass(now).then(|| std::mem::take(&mut refusals.pending))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_hundred_thousand_refusals_in_a_minute_are_two_lines() {
        let log = RefusalLog::default();
        let start: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let lines: Vec<_> = (0..100_000)
            .filter_map(|i| log.count("signature_mismatch", start + SignedDuration::from_micros(i * 601)))
            .collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[1]["signature_mismatch"] > 90_000);
    }
}
