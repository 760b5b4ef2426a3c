//! What an invocation tells as metrics: one line, of whatever there is to tell.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shared::ledger::{EventState, LedgerRow};
use shared::metrics::{
    BACKLOG_AGE, DEAD, FAILED, IGNORED, LAG, Measured, Metric, Metrics, PROCESSED, QUARANTINED, SUPERSEDED,
    SWEEP_RAN,
};

use crate::Invocation;

/// One event that was worked on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) state: EventState,
    /// Seconds from its making at Stripe to its application; none if that says nothing of how fast deliveries are.
    pub(crate) lag: Option<u64>,
}

impl Ended {
    /// An event that is as Stripe delivered it has a lag once it is applied. One that reconciliation fetched is counted as a gap, and
    /// one that an admin has replayed is as old as it likes.
    pub(crate) fn now(invocation: Invocation<'_>, delivered: Option<i64>, state: EventState) -> Self {
        let at =
            invocation.now.as_second() + i64::try_from(invocation.begun.elapsed().as_secs()).unwrap_or(0);
        let lag = delivered.filter(|_| state == EventState::Processed).map(|created| at - created);
        // Below nothing is a clock that is behind Stripe's.
        Self { state, lag: lag.map(|lag| u64::try_from(lag).unwrap_or(0)) }
    }
}

/// When Stripe made an event that a delivery brought and nobody has steered by hand, in unix seconds.
pub(crate) fn delivered(row: &LedgerRow) -> Option<i64> {
    let steered = row.by.is_some() || row.history.iter().any(|change| change.by.is_some());
    row.created.filter(|_| row.source.is_none() && !steered)
}

/// Tells what became of events, and after a sweep the backlog that it found.
pub(crate) fn tell(metrics: &Metrics, ended: &[Ended], backlog: Option<SignedDuration>, now: Timestamp) {
    let mut measured = Vec::new();
    for state in EventState::ALL {
        let count = ended.iter().filter(|one| one.state == state).count();
        if count > 0
            && let Some(metric) = of(state)
        {
            measured.push((metric, Measured::Number(u64::try_from(count).unwrap_or(u64::MAX))));
        }
    }
    let mut lags = BTreeMap::new();
    ended.iter().filter_map(|one| one.lag).for_each(|lag| *lags.entry(lag).or_default() += 1);
    if !lags.is_empty() {
        measured.push((LAG, Measured::Spread(lags)));
    }
    if let Some(backlog) = backlog {
        measured.push((BACKLOG_AGE, Measured::Number(u64::try_from(backlog.as_secs()).unwrap_or(0))));
        measured.push((SWEEP_RAN, Measured::Number(1)));
    }
    metrics.emit(&measured, now);
}

/// An event never ends as pending.
fn of(state: EventState) -> Option<Metric> {
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
