//! The statistics of a large run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::history::ObjectHistory;

use super::Workload;
use crate::environment::Environment;
use crate::oracle::Findings;

/// What happened in a run.
#[derive(Debug, Default)]
pub struct Statistics {
    /// The seed from which it was drawn.
    pub seed: u64,
    /// Objects.
    pub objects: usize,
    /// Events that Stripe emitted.
    pub events: usize,
    /// Deliveries, including those that got no answer.
    pub deliveries: usize,
    /// Deliveries of events that had been acknowledged before.
    pub repeats: usize,
    /// Deliveries whose answer was not 200.
    pub refused: usize,
    /// Batches of the doorbell.
    pub batches: usize,
    /// Sweeps.
    pub sweeps: usize,
    /// Processes that were killed.
    pub kills: usize,
    /// Calls to AWS.
    pub calls: usize,
    /// Those that got a fault, by kind.
    pub failed: BTreeMap<String, usize>,
    /// Objects fetched from Stripe.
    pub fetches: usize,
    /// What the oracle found in the end.
    pub findings: Findings,
    /// The duration.
    pub took: Duration,
}

impl Statistics {
    pub(super) fn count(
        &mut self,
        workload: Workload,
        histories: &[ObjectHistory],
        environment: &Environment,
    ) {
        self.seed = workload.seed;
        self.objects = histories.len();
        self.events = histories.iter().map(|history| history.events.len()).sum();
        let calls = environment.cloud.calls();
        self.calls = calls.len();
        for fault in calls.iter().filter_map(|call| call.fault) {
            *self.failed.entry(format!("{fault:?}")).or_default() += 1;
        }
        self.fetches = environment.fetches();
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed: usize = self.failed.values().sum();
        let kinds: Vec<_> = self.failed.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
        let states: Vec<_> =
            self.findings.states.iter().map(|(state, rows)| format!("{state} {rows}")).collect();
        writeln!(f, "seed                {}", self.seed)?;
        writeln!(f, "events              {} of {} objects", self.events, self.objects)?;
        writeln!(f, "deliveries          {} ({} repeats)", self.deliveries, self.repeats)?;
        writeln!(f, "answered not 200    {}", self.refused)?;
        writeln!(f, "doorbell, sweeps    {} batches, {} sweeps", self.batches, self.sweeps)?;
        writeln!(f, "processes killed    {}", self.kills)?;
        writeln!(f, "calls to AWS        {}", self.calls)?;
        writeln!(f, "faults injected     {failed} ({})", kinds.join(", "))?;
        writeln!(f, "fetched from Stripe {}", self.fetches)?;
        writeln!(f, "rows                {}", states.join(", "))?;
        write!(f, "{}", self.findings)?;
        writeln!(f, "took                {} s", self.took.as_secs())
    }
}
