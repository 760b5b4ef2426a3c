//! How requests ended, counted for the metrics.
//!
//! A line a delivery would cost as much as the delivery's compute, and a line a refusal would let strangers
//! spend our money. So a process counts, and emits each count at once the first time, then at most once a
//! minute, with the next request that comes. The price: Lambda freezes a process between requests and can end
//! it without notice, so the requests of the last minute of a process's life may never be emitted. Lambda's
//! own `Invocations` are exact, and so is what `process` counts, except after a crash.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use shared::ledger::Recorded;
use shared::metrics::{ACCEPTED, DUPLICATE, Measured, Metrics, UNAVAILABLE};

use crate::error::ReceiveError;
use crate::once_a_minute::OnceAMinute;

/// How one request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DeliveryOutcome {
    /// Stored.
    Accepted,
    /// Stored before.
    Duplicate,
    /// Answered 503: Stripe has to send it again.
    Unavailable,
    /// Refused, with the code of the answer.
    Refused(&'static str),
}

impl From<Recorded> for DeliveryOutcome {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::New => Self::Accepted,
            Recorded::Duplicate => Self::Duplicate,
        }
    }
}

impl From<&ReceiveError> for DeliveryOutcome {
    fn from(error: &ReceiveError) -> Self {
        let answer = error.answer();
        if answer.status().is_server_error() { Self::Unavailable } else { Self::Refused(answer.code()) }
    }
}

/// The counts of this process.
#[derive(Debug)]
pub(crate) struct DeliveryMetrics {
    metrics: Metrics,
    counters: Mutex<BTreeMap<DeliveryOutcome, Counter>>,
}

/// The requests with one outcome.
#[derive(Debug, Default)]
struct Counter {
    /// How many are counted and not emitted yet.
    pending: u64,
    gate: OnceAMinute,
}

impl Counter {
    /// Returns how many are to be emitted now; none if none are pending or their minute is not over.
    fn take_due(&mut self, now: Timestamp) -> Option<u64> {
        (self.pending > 0 && self.gate.pass(now)).then(|| std::mem::take(&mut self.pending))
    }
}

impl DeliveryMetrics {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { metrics, counters: Mutex::default() }
    }

    /// Counts one request, and emits all counts that are due.
    pub(crate) fn record(&self, outcome: DeliveryOutcome, now: Timestamp) {
        let due: Vec<_> = {
            let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            counters.entry(outcome).or_default().pending += 1;
            counters
                .iter_mut()
                .filter_map(|(outcome, counter)| Some((*outcome, counter.take_due(now)?)))
                .collect()
        };
        let mut measured = Vec::new();
        for (outcome, count) in due {
            match outcome {
                DeliveryOutcome::Accepted => measured.push((ACCEPTED, Measured::Number(count))),
                DeliveryOutcome::Duplicate => measured.push((DUPLICATE, Measured::Number(count))),
                DeliveryOutcome::Unavailable => measured.push((UNAVAILABLE, Measured::Number(count))),
                DeliveryOutcome::Refused(code) => self.metrics.emit_refused(code, count, now),
            }
        }
        self.metrics.emit(&measured, now);
    }
}
