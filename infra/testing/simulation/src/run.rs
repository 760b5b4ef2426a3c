//! Very many events at once: several processes side by side, every kind of fault, everything drawn from a
//! seed.
//!
//! What is drawn is the same for the same seed; how processes interleave is not, because they do run at the
//! same time.

mod statistics;
mod worker_pool;

use std::time::{Duration, Instant};

use test_cloud::Fault;

pub use self::statistics::Statistics;
use self::worker_pool::WorkerPool;
use crate::environment::Environment;
use crate::history::{ObjectHistory, ObjectKind};
use crate::oracle::verify;
use crate::strategies::{history_plan, numbered, sample};

/// The size of a run.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Events that Stripe emits; a few more or less.
    pub events: usize,
    /// Objects that they are about.
    pub objects: usize,
    /// The seed from which everything is drawn.
    pub seed: u64,
}

/// How many of a thousand calls to AWS fail.
const FAULTS_PER_MILLE: u32 = 50;
/// Writes that indexes lag behind.
const LAG: usize = 200;
/// Sweeps after the last delivery, after which no event may be open: each minute for a quarter of an hour,
/// then each quarter of an hour for some twenty hours, more than the twelve attempts take.
const SWEEPS: u32 = 100;

/// Runs a workload, and lets the oracle verify the end.
pub async fn run(workload: Workload) -> Statistics {
    let started = Instant::now();
    let histories = histories(workload);
    let environment = Environment::start(&histories).await;
    environment.cloud.lag_indexes(LAG).await;
    environment.cloud.fail_randomly(FAULTS_PER_MILLE, workload.seed, faults());
    let pool = WorkerPool::new(&environment, &histories, workload.seed);
    pool.run().await;
    for sweep in 0..SWEEPS {
        if environment.open_events().await == 0 {
            break;
        }
        environment.cloud.catch_up_indexes().await;
        environment.advance(Duration::from_secs(if sweep < 15 { 60 } else { 900 }));
        pool.sweep().await;
    }
    let mut statistics = pool.statistics();
    statistics.count(workload, &histories, &environment);
    statistics.findings = verify(&environment, &histories).await;
    statistics.took = started.elapsed();
    statistics
}

/// Returns the faults to draw from. One in a hundred is a call without an answer, which takes seconds.
fn faults() -> Vec<Fault> {
    let quick = [Fault::Throttle, Fault::ServerError, Fault::ProxyPage, Fault::DoneAndCut].repeat(25);
    [quick, vec![Fault::Hang]].concat()
}

/// Returns the histories of a workload. Some kinds end early, so the later ones get more events, and the last
/// are of kinds that do not end.
pub fn histories(workload: Workload) -> Vec<ObjectHistory> {
    let mut histories: Vec<ObjectHistory> = Vec::new();
    let mut left = workload.events;
    for index in 0..workload.objects {
        let share = left.div_ceil(workload.objects - index);
        let kinds = if index * 5 < workload.objects * 4 {
            ObjectKind::all()
        } else {
            vec![ObjectKind::Subscription, ObjectKind::Charge, ObjectKind::Refund]
        };
        let seed = workload.seed.wrapping_mul(1_000_003).wrapping_add(index as u64);
        let plan = numbered(sample(&history_plan(kinds, 3 * share..3 * share + 1), seed), index);
        let history = ObjectHistory::with_limit(&plan, share);
        left = left.saturating_sub(history.events.len());
        histories.push(history);
    }
    histories
}
