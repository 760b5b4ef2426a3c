//! Refused requests are counted and told in one log line a process and minute: a line each would let strangers spend our money.
//! Outages that a signed delivery met are logged each, because each is an event that Stripe has to send again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::error::ReceiveError;

const TOLD_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// The refusals that have not been told yet.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Untold>);

#[derive(Debug, Default)]
struct Untold {
    counts: BTreeMap<&'static str, u64>,
    told_at: Option<Timestamp>,
}

impl Refusals {
    pub(crate) fn note(&self, error: &ReceiveError, now: Timestamp) {
        if let Some(causes) = error.outage() {
            tracing::error!(error = causes, "a delivery could not be stored");
            return;
        }
        if let Some(counts) = self.count(error.answer().code(), now) {
            let counts =
                counts.iter().map(|(code, count)| format!("{code}={count}")).collect::<Vec<_>>().join(" ");
            tracing::warn!(refused = counts, "requests were refused");
        }
    }

    /// Adds one; once a minute, takes what has come together.
    fn count(&self, code: &'static str, now: Timestamp) -> Option<BTreeMap<&'static str, u64>> {
        let mut untold = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *untold.counts.entry(code).or_default() += 1;
        let due = untold.told_at.is_none_or(|told_at| now.duration_since(told_at) >= TOLD_EVERY);
        due.then(|| {
            untold.told_at = Some(now);
            std::mem::take(&mut untold.counts)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_refusals_in_a_minute_are_two_lines() {
        let refusals = Refusals::default();
        let start: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let told: Vec<_> = (0..100_000)
            .filter_map(|i| {
                refusals.count("signature_mismatch", start + SignedDuration::from_micros(i * 601))
            })
            .collect();
        assert_eq!(told.len(), 2);
        assert!(told[1]["signature_mismatch"] > 90_000);
    }
}
