//! What a large run came to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use simulated_stripe::history::Life;

use super::Load;
use crate::judge::Verdict;
use crate::world::World;

/// The figures of a run.
#[derive(Debug, Default)]
pub struct Figures {
    /// From which it was drawn.
    pub seed: u64,
    /// Objects.
    pub objects: usize,
    /// Events that Stripe made.
    pub events: usize,
    /// Deliveries, those counted that got no answer.
    pub deliveries: usize,
    /// Deliveries of events that had been acknowledged before.
    pub repeats: usize,
    /// Deliveries that were answered with something else than 200.
    pub refused: usize,
    /// Batches of the doorbell.
    pub batches: usize,
    /// Sweeps.
    pub sweeps: usize,
    /// Processes that died.
    pub deaths: usize,
    /// Calls to AWS.
    pub calls: usize,
    /// Those made to fail, by kind.
    pub failed: BTreeMap<String, usize>,
    /// Questions to Stripe.
    pub questions: usize,
    /// What was found in the end.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

impl Figures {
    pub(super) fn count(&mut self, load: Load, lives: &[Life], world: &World) {
        self.seed = load.seed;
        self.objects = lives.len();
        self.events = lives.iter().map(|life| life.events.len()).sum();
        let calls = world.cloud.calls();
        self.calls = calls.len();
        for fault in calls.iter().filter_map(|call| call.fault) {
            *self.failed.entry(format!("{fault:?}")).or_default() += 1;
        }
        self.questions = world.questions();
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed: usize = self.failed.values().sum();
        let kinds: Vec<_> = self.failed.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
        let states: Vec<_> =
            self.verdict.states.iter().map(|(state, rows)| format!("{state} {rows}")).collect();
        writeln!(f, "seed                {}", self.seed)?;
        writeln!(f, "events              {} of {} objects", self.events, self.objects)?;
        writeln!(f, "deliveries          {} ({} repeats)", self.deliveries, self.repeats)?;
        writeln!(f, "answered not 200    {}", self.refused)?;
        writeln!(f, "doorbell, sweeps    {} batches, {} sweeps", self.batches, self.sweeps)?;
        writeln!(f, "processes killed    {}", self.deaths)?;
        writeln!(f, "calls to AWS        {}", self.calls)?;
        writeln!(f, "made to fail        {failed} ({})", kinds.join(", "))?;
        writeln!(f, "questions to Stripe {}", self.questions)?;
        writeln!(f, "rows                {}", states.join(", "))?;
        write!(f, "{}", self.verdict)?;
        writeln!(f, "took                {} s", self.took.as_secs())
    }
}
