//! The metrics of an invocation: one line for all that it did.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shared::ledger::{EventState, LedgerRow};
use shared::metrics::{
    BACKLOG_AGE, DEAD, FAILED, IGNORED, LAG, Measured, Metric, Metrics, PROCESSED, QUARANTINED, SUPERSEDED,
    SWEEP_RAN,
};
use shared::unix_time::UnixSeconds;

use crate::invocation::Invocation;

/// How the work on one event ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventOutcome {
    pub(crate) state: EventState,
    /// Seconds from the event's making at Stripe to its application; none if they do not measure how fast
    /// deliveries are applied.
    pub(crate) lag: Option<u64>,
}

impl EventOutcome {
    /// An event has a lag once it is applied, if `created` is given (see [`created_if_delivered`]).
    pub(crate) fn new(invocation: Invocation<'_>, created: Option<UnixSeconds>, state: EventState) -> Self {
        let elapsed = SignedDuration::try_from(invocation.begun.elapsed()).unwrap_or(SignedDuration::ZERO);
        let applied_at = UnixSeconds::from(invocation.now) + SignedDuration::from_secs(elapsed.as_secs());
        let created = created.filter(|_| state == EventState::Processed);
        // It is negative where our clock is behind Stripe's.
        let lag = created.map(|created| u64::try_from((applied_at - created).as_secs()).unwrap_or(0));
        Self { state, lag }
    }
}

/// Returns when Stripe made an event, if a delivery brought it here and no admin has replayed it. One that
/// reconciliation fetched is counted as a gap, and a replayed one can be of any age.
pub(crate) fn created_if_delivered(row: &LedgerRow) -> Option<UnixSeconds> {
    let replayed = row.by.is_some() || row.history.iter().any(|past| past.by.is_some());
    row.created.filter(|_| row.source.is_none() && !replayed)
}

/// Emits how the work on events ended, and after a sweep the age of the backlog that it found.
pub(crate) fn emit(
    metrics: &Metrics,
    outcomes: &[EventOutcome],
    backlog_age: Option<SignedDuration>,
    now: Timestamp,
) {
    let mut measured = Vec::new();
    for state in EventState::ALL {
        let count = outcomes.iter().filter(|outcome| outcome.state == state).count();
        if count > 0
            && let Some(metric) = metric_for(state)
        {
            measured.push((metric, Measured::Number(u64::try_from(count).unwrap_or(u64::MAX))));
        }
    }
    let mut lags = BTreeMap::new();
    outcomes.iter().filter_map(|outcome| outcome.lag).for_each(|lag| *lags.entry(lag).or_default() += 1);
    if !lags.is_empty() {
        measured.push((LAG, Measured::Spread(lags)));
    }
    if let Some(age) = backlog_age {
        measured.push((BACKLOG_AGE, Measured::Number(u64::try_from(age.as_secs()).unwrap_or(0))));
        measured.push((SWEEP_RAN, Measured::Number(1)));
    }
    metrics.emit(&measured, now);
}

/// Returns the metric that counts events that ended in `state`; none for pending, in which no event ends.
fn metric_for(state: EventState) -> Option<Metric> {
    match state {
        EventState::Pending => None,
        EventState::Processed => Some(PROCESSED),
        EventState::Superseded => Some(SUPERSEDED),
        EventState::Ignored => Some(IGNORED),
        EventState::Quarantined => Some(QUARANTINED),
        EventState::Failed => Some(FAILED),
        EventState::Dead => Some(DEAD),
    }
}
