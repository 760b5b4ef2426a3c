//! Very many events at once: several processes side by side, all troubles together, everything drawn from a seed.
//!
//! What is drawn is the same for the same seed; how processes run into each other is not, because they do run at the same time.

mod figures;
mod workers;

use std::time::{Duration, Instant};

use simulated_stripe::history::{Kind, Life};
use test_cloud::Fault;

pub use self::figures::Figures;
use self::workers::Workers;
use crate::draw::{draw, history, placed};
use crate::judge::judge;
use crate::world::World;

/// How much is run.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Events that Stripe makes; a few more or less.
    pub events: usize,
    /// Objects they are of.
    pub objects: usize,
    /// From which all is drawn.
    pub seed: u64,
}

/// How many of a thousand calls to AWS fail.
const FAIL: u32 = 50;
/// Writes that indexes lag behind.
const LAG: usize = 200;
/// Sweeps after the last delivery, after which nothing may be left to do: each minute for a quarter of an hour, then each quarter
/// of an hour for some twenty hours, more than the twelve attempts take.
const SWEEPS: u32 = 100;

/// Runs it and judges it.
pub async fn run(load: Load) -> Figures {
    let begun = Instant::now();
    let lives = lives(load);
    let world = World::of(&lives).await;
    world.cloud.late_indexes(LAG).await;
    world.cloud.fail_some(FAIL, load.seed, faults());
    let workers = Workers::new(&world, &lives, load.seed);
    workers.work().await;
    for sweep in 0..SWEEPS {
        if world.open().await == 0 {
            break;
        }
        world.cloud.catch_up().await;
        world.pass(Duration::from_secs(if sweep < 15 { 60 } else { 900 }));
        workers.sweep().await;
    }
    let mut figures = workers.figures();
    figures.count(load, &lives, &world);
    figures.verdict = judge(&world, &lives).await;
    figures.took = begun.elapsed();
    figures
}

/// One in a hundred failures is a call without an answer, which takes seconds; the others are quick.
fn faults() -> Vec<Fault> {
    let quick = [Fault::Throttle, Fault::ServerError, Fault::DoneAndCut].repeat(33);
    [quick, vec![Fault::Hang]].concat()
}

/// The lives of a load. Some are short by nature, so the later ones make up for it, and the last are of kinds that can go on.
pub fn lives(load: Load) -> Vec<Life> {
    let mut lives: Vec<Life> = Vec::new();
    let mut left = load.events;
    for i in 0..load.objects {
        let share = left.div_ceil(load.objects - i);
        let kinds = if i * 5 < load.objects * 4 {
            Kind::ALL.to_vec()
        } else {
            vec![Kind::Subscription, Kind::Charge, Kind::Refund]
        };
        let seed = load.seed.wrapping_mul(1_000_003).wrapping_add(i as u64);
        let plan = placed(draw(&history(kinds, 3 * share..3 * share + 1), seed), i);
        let life = Life::up_to(&plan, share);
        left = left.saturating_sub(life.events.len());
        lives.push(life);
    }
    lives
}
