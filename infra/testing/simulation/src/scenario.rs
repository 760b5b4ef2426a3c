//! One scenario, step by step, in one thread, so that a property test can repeat it exactly.

use std::collections::VecDeque;
use std::time::Duration;

use shared::ledger::LedgerRow;
use test_cloud::{Fault, KillPoint};

use crate::environment::Environment;
use crate::history::ObjectHistory;
use crate::workers::{Invocation, ProcessWorker, ReceiveWorker};

/// Lambda's `MaximumRetryAttempts` for the stream (template.yaml).
const RETRIES: u32 = 2;
/// Sweeps after which no event may be open. Waits between attempts are an hour at most, and faults are over.
const SWEEPS: usize = 20;

/// How events reach the functions, and what fails meanwhile.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The events in order of arrival, by their number among those of all histories: each at least once.
    pub order: Vec<usize>,
    /// Whether the doorbell rings for each of them. The sweep finds the others.
    pub rings: Vec<bool>,
    /// Rows in a batch of the doorbell.
    pub batch: usize,
    /// Deliveries between two sweeps.
    pub sweep_every: usize,
    /// What fails.
    pub faults: FaultPlan,
}

/// What fails.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    /// How many of a thousand calls to AWS fail.
    pub per_mille: u32,
    /// How many of a hundred failures are calls that get no answer; they take seconds.
    pub hangs: usize,
    /// Shifts which calls fail.
    pub seed: u64,
    /// Where processes are killed: one entry for each invocation in turn; those after the last are not
    /// killed.
    pub kills: Vec<Option<KillPoint>>,
    /// How many writes indexes lag behind.
    pub lag: Option<usize>,
}

/// Runs a scenario to its end.
///
/// # Panics
/// If events are open after many sweeps.
pub async fn run_scenario(environment: &Environment, histories: &[ObjectHistory], scenario: &Scenario) {
    let bodies: Vec<(&str, &str)> = histories
        .iter()
        .flat_map(|history| &history.events)
        .map(|event| (event.id.as_str(), event.body.as_str()))
        .collect();
    inject(environment, &scenario.faults).await;
    let mut run = ScenarioRun {
        environment,
        receive: environment.receive_worker(),
        process: environment.process_worker(),
        kills: scenario.faults.kills.iter().cloned().collect(),
    };
    let mut arriving: VecDeque<(usize, bool)> =
        scenario.order.iter().copied().zip(scenario.rings.iter().copied()).collect();
    let (mut batch, mut deliveries) = (Vec::new(), 0);
    while let Some((number, rings)) = arriving.pop_front() {
        let (id, body) = bodies[number];
        if !run.deliver(body).await {
            // Stripe sends it again.
            arriving.push_back((number, rings));
        }
        // The stream has what is stored, also when Stripe got no answer.
        batch.extend(environment.row(id).await.filter(|_| rings));
        if batch.len() >= scenario.batch {
            run.ring_doorbell(std::mem::take(&mut batch)).await;
        }
        deliveries += 1;
        if deliveries % scenario.sweep_every == 0 {
            environment.advance(Duration::from_secs(60));
            run.sweep().await;
        }
    }
    run.ring_doorbell(batch).await;
    drain(environment).await;
}

async fn inject(environment: &Environment, plan: &FaultPlan) {
    let mut faults =
        [Fault::Throttle, Fault::ServerError, Fault::ProxyPage, Fault::DoneAndCut, Fault::AccessDenied]
            .repeat(20);
    faults.truncate(100 - plan.hangs);
    faults.extend(std::iter::repeat_n(Fault::Hang, plan.hangs));
    environment.cloud.fail_randomly(plan.per_mille, plan.seed, faults);
    if let Some(lag) = plan.lag {
        environment.cloud.lag_indexes(lag).await;
    }
}

/// Ends all faults and sweeps, each time an hour later, until no event is open.
///
/// # Panics
/// If events are open after many sweeps.
pub async fn drain(environment: &Environment) {
    environment.cloud.clear_faults();
    let mut process = environment.process_worker();
    for _ in 0..SWEEPS {
        if environment.open_events().await == 0 {
            return;
        }
        environment.cloud.catch_up_indexes().await;
        environment.advance(Duration::from_secs(3_700));
        let _ = process.sweep(None).await;
    }
    let open = environment.open_events().await;
    assert_eq!(open, 0, "events are open after {SWEEPS} sweeps");
}

struct ScenarioRun<'a> {
    environment: &'a Environment,
    receive: ReceiveWorker<'a>,
    process: ProcessWorker<'a>,
    kills: VecDeque<Option<KillPoint>>,
}

impl ScenarioRun<'_> {
    /// Delivers, and returns whether Stripe regards it as delivered.
    async fn deliver(&mut self, body: &str) -> bool {
        self.environment.advance(Duration::from_secs(3));
        // Receiving takes few calls.
        let kill = match self.kills.pop_front().flatten() {
            Some(KillPoint::BeforeCall(call)) => Some(KillPoint::BeforeCall(call % 5 + 1)),
            Some(KillPoint::AfterCall(call)) => Some(KillPoint::AfterCall(call % 5 + 1)),
            Some(KillPoint::RecordWrite(_)) | None => None,
        };
        matches!(self.receive.deliver(body, kill).await, Invocation::Completed(200))
    }

    /// Rings the doorbell. A batch that fails is tried again in halves, a few times, and then left to the
    /// sweep.
    async fn ring_doorbell(&mut self, rows: Vec<LedgerRow>) {
        let mut batches = vec![(rows, 0)];
        while let Some((rows, tries)) = batches.pop() {
            if rows.is_empty() || tries > RETRIES {
                continue;
            }
            let kill = self.kills.pop_front().flatten();
            let succeeded =
                matches!(self.process.ring_doorbell(&rows, kill).await, Invocation::Completed(Ok(_)));
            if !succeeded {
                let (first, second) = rows.split_at(rows.len() / 2);
                batches.extend([(second.to_vec(), tries + 1), (first.to_vec(), tries + 1)]);
            }
        }
    }

    async fn sweep(&mut self) {
        let kill = self.kills.pop_front().flatten();
        // One that fails or is killed leaves its work to the next.
        let _ = self.process.sweep(kill).await;
    }
}
