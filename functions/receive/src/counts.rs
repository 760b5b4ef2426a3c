//! What became of requests, counted for the metrics.
//!
//! A line a delivery would cost as much as the delivery's compute, and a line a refusal would let strangers spend our money. So a
//! process counts, and tells each count at once the first time, then at most once a minute, with the next request that comes. What
//! this costs in truth: Lambda freezes a process between requests and can end it without a word, so the requests of the last minute
//! in a process's life may never be told. Lambda's own `Invocations` are exact, and what `process` counts is, but for a crash.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use shared::metrics::{ACCEPTED, DUPLICATE, Measured, Metrics, UNAVAILABLE};

const TOLD_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Stored.
    Accepted,
    /// Stored before.
    Duplicate,
    /// Answered 503: Stripe has to send it again.
    Unavailable,
    /// Refused, with the code of the answer.
    Refused(&'static str),
}

/// Requests that have not been told yet.
#[derive(Debug)]
pub(crate) struct Counts {
    metrics: Metrics,
    counts: Mutex<BTreeMap<Outcome, Count>>,
}

#[derive(Debug, Default)]
struct Count {
    untold: u64,
    told_at: Option<Timestamp>,
}

impl Count {
    /// What is to be told now, if anything is.
    fn take(&mut self, now: Timestamp) -> Option<u64> {
        let due = self.told_at.is_none_or(|told_at| now.duration_since(told_at) >= TOLD_EVERY);
        if self.untold == 0 || !due {
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

impl Counts {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { metrics, counts: Mutex::default() }
    }

    /// Adds one, and tells what is due.
    pub(crate) fn note(&self, outcome: Outcome, now: Timestamp) {
        let due: Vec<_> = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.entry(outcome).or_default().untold += 1;
            counts.iter_mut().filter_map(|(outcome, count)| Some((*outcome, count.take(now)?))).collect()
        };
        let mut together = Vec::new();
        for (outcome, count) in due {
            match outcome {
                Outcome::Accepted => together.push((ACCEPTED, Measured::Number(count))),
                Outcome::Duplicate => together.push((DUPLICATE, Measured::Number(count))),
                Outcome::Unavailable => together.push((UNAVAILABLE, Measured::Number(count))),
                Outcome::Refused(code) => self.metrics.emit_refused(code, count, now),
            }
        }
        self.metrics.emit(&together, now);
    }
}
