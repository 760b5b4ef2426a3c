//! One course, step by step, in one thread: for property tests, which want to play the same again.

use std::collections::VecDeque;
use std::time::Duration;

use shared::ledger::LedgerRow;
use simulated_stripe::history::Life;
use test_cloud::{Death, Fault};

use crate::draw::{Course, Trouble};
use crate::hands::{Applier, Receiver, Work};
use crate::world::World;

/// Lambda's `MaximumRetryAttempts` for the stream (template.yaml).
const RETRIES: u32 = 2;
/// Sweeps after which nothing may be left to do. Waits between attempts are an hour at most, and faults are over.
const SWEEPS: usize = 20;

/// Plays a course to its end.
///
/// # Panics
/// If work is left after many sweeps.
pub async fn play(world: &World, lives: &[Life], course: &Course) {
    let bodies: Vec<(&str, &str)> = lives
        .iter()
        .flat_map(|life| &life.events)
        .map(|told| (told.id.as_str(), told.body.as_str()))
        .collect();
    begin(world, &course.trouble).await;
    let mut stage = Stage {
        world,
        receiver: world.receiver(),
        applier: world.applier(),
        deaths: course.trouble.deaths.iter().cloned().collect(),
    };
    let mut arriving: VecDeque<(usize, bool)> =
        course.order.iter().copied().zip(course.rings.iter().copied()).collect();
    let (mut heard, mut delivered) = (Vec::new(), 0);
    while let Some((number, rings)) = arriving.pop_front() {
        let (id, body) = bodies[number];
        if !stage.deliver(body).await {
            // Stripe sends it again.
            arriving.push_back((number, rings));
        }
        // The stream sees what is stored, also when Stripe got no answer.
        heard.extend(world.row(id).await.filter(|_| rings));
        if heard.len() >= course.batch {
            stage.ring(std::mem::take(&mut heard)).await;
        }
        delivered += 1;
        if delivered % course.sweep_every == 0 {
            world.pass(Duration::from_secs(60));
            stage.sweep().await;
        }
    }
    stage.ring(heard).await;
    settle(world).await;
}

async fn begin(world: &World, trouble: &Trouble) {
    let mut faults = [Fault::Throttle, Fault::ServerError, Fault::DoneAndCut, Fault::AccessDenied].repeat(25);
    faults.truncate(100 - trouble.hangs);
    faults.extend(std::iter::repeat_n(Fault::Hang, trouble.hangs));
    world.cloud.fail_some(trouble.per_mille, trouble.seed, faults);
    if let Some(lag) = trouble.lag {
        world.cloud.late_indexes(lag).await;
    }
}

/// Ends the trouble and sweeps, each time an hour later, until nothing is left to do.
///
/// # Panics
/// If work is left after many sweeps.
pub async fn settle(world: &World) {
    world.cloud.mend();
    let mut applier = world.applier();
    for _ in 0..SWEEPS {
        if world.open().await == 0 {
            return;
        }
        world.cloud.catch_up().await;
        world.pass(Duration::from_secs(3_700));
        let _ = applier.sweep(None).await;
    }
    let open = world.open().await;
    assert_eq!(open, 0, "rows are left to do after {SWEEPS} sweeps");
}

struct Stage<'a> {
    world: &'a World,
    receiver: Receiver<'a>,
    applier: Applier<'a>,
    deaths: VecDeque<Option<Death>>,
}

impl Stage<'_> {
    /// Delivers. Does Stripe take it as delivered?
    async fn deliver(&mut self, body: &str) -> bool {
        self.world.pass(Duration::from_secs(3));
        // Receiving takes few calls.
        let death = match self.deaths.pop_front().flatten() {
            Some(Death::Before(call)) => Some(Death::Before(call % 5 + 1)),
            Some(Death::After(call)) => Some(Death::After(call % 5 + 1)),
            Some(Death::AtRecord(_)) | None => None,
        };
        matches!(self.receiver.deliver(body, death).await, Work::Done(200))
    }

    /// Rings. A batch that fails is tried again in halves, a few times, and then left to the sweep.
    async fn ring(&mut self, rows: Vec<LedgerRow>) {
        let mut batches = vec![(rows, 0)];
        while let Some((rows, tries)) = batches.pop() {
            if rows.is_empty() || tries > RETRIES {
                continue;
            }
            let death = self.deaths.pop_front().flatten();
            let done = matches!(self.applier.ring(&rows, death).await, Work::Done(Ok(_)));
            if !done {
                let (first, second) = rows.split_at(rows.len() / 2);
                batches.extend([(second.to_vec(), tries + 1), (first.to_vec(), tries + 1)]);
            }
        }
    }

    async fn sweep(&mut self) {
        let death = self.deaths.pop_front().flatten();
        // One that fails or dies leaves its work to the next.
        let _ = self.applier.sweep(death).await;
    }
}
