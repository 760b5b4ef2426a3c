//! Applies what the ledger holds to the records, each event once, in Stripe's order.
//!
//! Two things wake it (`trigger`). The doorbell: the ledger's stream hands over rows that have just become
//! pending. The sweep: each minute, rows whose time has come, because the doorbell missed them or an attempt
//! failed. The ledger is the queue: what the doorbell hands over is only a hint that makes things fast, so a
//! lost or repeated one changes nothing.
//!
//! One event (`apply`) is at most one write of one record, under the condition that the record is as it was
//! read, and then one write of its row's state, under the condition that the row is not final. Between the
//! two it can crash: done again, the record stays as it is. Which snapshot a record shows is decided by
//! `shared::order`, and does not depend on the order of arrival.
//!
//! Rules: events of one object are applied one after another, those of different objects in parallel; one
//! that fails holds no other back; the time of day and the deadline are arguments.

mod admission;
mod apply;
mod batch;
mod config;
mod connected_accounts;
mod deps;
mod error;
mod fetch_object;
mod invocation;
mod metrics;
mod rules_cache;
mod sweep;
mod trigger;

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::aws::error_chain;
use shared::deadline::Deadline;
use shared::ledger::EventState;
use shared::registry::LagCounts;

pub use self::config::Config;
pub use self::deps::Deps;
pub use self::error::ProcessError;
use self::invocation::Invocation;
use self::metrics::EventOutcome;
use self::trigger::ProcessTrigger;

/// Does one invocation's work. After `deadline` no new row is started; what is not started is left to the
/// sweep.
///
/// # Errors
/// An input that is neither of the two, or tables that cannot be read at all; the sweep finds what that
/// leaves undone. Events that fail are no error of the invocation: their rows hold the reason, and the sweep
/// tries them again.
pub async fn handle(
    deps: &Deps,
    input: Value,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Summary, ProcessError> {
    let trigger = ProcessTrigger::from_input(input)?;
    let rules = deps.rules.get(&deps.registry, now).await?;
    let invocation = Invocation { deps, rules: &rules, now, begun: Instant::now(), deadline };
    let (outcomes, backlog_age) = match trigger {
        ProcessTrigger::Doorbell(rows) => {
            (batch::run(invocation, rows, async |row| apply::apply(invocation, &row).await).await, None)
        }
        ProcessTrigger::Sweep => {
            sweep::run(invocation).await.map(|(outcomes, backlog_age)| (outcomes, Some(backlog_age)))?
        }
    };
    metrics::emit(&deps.metrics, &outcomes, backlog_age, now);
    let summary = Summary::from_outcomes(&outcomes);
    let counts: Vec<_> = EventState::ALL.into_iter().map(|state| (state, summary.count(state))).collect();
    let lags: LagCounts = outcomes.iter().filter_map(|outcome| outcome.lag).collect();
    if let Err(error) = deps.registry.add_hourly_counts(&counts, lags, now).await {
        tracing::warn!(error = error_chain(&error), "the counts of this hour lack this batch");
    }
    Ok(summary)
}

/// How many events ended in each state.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Summary(BTreeMap<&'static str, u64>);

impl Summary {
    fn from_outcomes(outcomes: &[EventOutcome]) -> Self {
        let mut counts = BTreeMap::new();
        outcomes.iter().for_each(|outcome| *counts.entry(outcome.state.as_str()).or_default() += 1);
        Self(counts)
    }

    /// Returns how many ended in `state`.
    pub fn count(&self, state: EventState) -> u64 {
        self.0.get(state.as_str()).copied().unwrap_or(0)
    }
}
