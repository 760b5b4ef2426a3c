//! What is drawn: histories, and the course that their events take. One set of strategies for the property tests, which shrink
//! what they find, and for the large run, which draws from a seed.

use std::ops::Range;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use simulated_stripe::history::{Kind, Life, Plan, Step, Version};
use test_cloud::Death;

use crate::world::BEGINS;

/// Our own account, and two connected ones whose objects have the same ids.
const ACCOUNTS: [Option<&str>; 3] = [None, Some("acct_1First"), Some("acct_1Second")];

/// How events reach the functions, and what goes wrong meanwhile.
#[derive(Debug, Clone)]
pub struct Course {
    /// Which event arrives, by its number among those of all lives: each at least once.
    pub order: Vec<usize>,
    /// Does the doorbell ring for it? The sweep finds the others.
    pub rings: Vec<bool>,
    /// Rows in a batch of the doorbell.
    pub batch: usize,
    /// Deliveries between two sweeps.
    pub sweep_every: usize,
    /// What goes wrong.
    pub trouble: Trouble,
}

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub struct Trouble {
    /// How many of a thousand calls to AWS fail.
    pub per_mille: u32,
    /// How many of a hundred failures are calls that get no answer; they take seconds.
    pub hangs: usize,
    /// Shifts which calls fail.
    pub seed: u64,
    /// When processes die: one entry for each invocation, the first first; later ones live.
    pub deaths: Vec<Option<Death>>,
    /// How many writes indexes lag behind.
    pub lag: Option<usize>,
}

impl Trouble {
    /// None, but that processes may die.
    pub fn deaths() -> impl Strategy<Value = Self> {
        deaths().prop_map(|deaths| Self { deaths, ..Self::default() })
    }

    /// All at once.
    pub fn any() -> impl Strategy<Value = Self> {
        let lag = prop_oneof![Just(None), (1..60_usize).prop_map(Some)];
        (any::<u64>(), deaths(), lag, 0..120_u32, 0..4_usize)
            .prop_map(|(seed, deaths, lag, per_mille, hangs)| Self { per_mille, hangs, seed, deaths, lag })
    }
}

fn deaths() -> impl Strategy<Value = Vec<Option<Death>>> {
    let death = (1..30_usize, any::<bool>())
        .prop_map(|(call, done)| if done { Death::After(call) } else { Death::Before(call) });
    proptest::collection::vec(proptest::option::of(death), 0..30)
}

fn step() -> impl Strategy<Value = Step> {
    let after = prop::sample::select(vec![0, 0, 0, 0, 1, 2]);
    let version = proptest::option::weighted(0.08, prop::sample::select(Version::ALL.to_vec()));
    (after, any::<u8>(), 0..3_u8, 0..4_u8, prop::bool::weighted(0.12), version).prop_map(
        |(after, pick, value, told, noticed, version)| Step { after, pick, value, told, noticed, version },
    )
}

/// The history of one object.
pub(crate) fn history(kinds: Vec<Kind>, steps: Range<usize>) -> impl Strategy<Value = Plan> {
    let version = prop_oneof![3 => Just(Version::Dahlia), 1 => prop::sample::select(Version::ALL.to_vec())];
    let steps = proptest::collection::vec(step(), steps);
    (prop::sample::select(kinds), any::<u8>(), version, any::<u64>(), 0..100_i64, steps).prop_map(
        |(kind, birth, version, seed, after, steps)| Plan {
            kind,
            number: 0,
            account: None,
            begins: BEGINS + after,
            birth,
            version,
            seed,
            steps,
        },
    )
}

/// Histories of several objects, some of which have the same id in different accounts.
pub fn histories(lives: Range<usize>, steps: Range<usize>) -> impl Strategy<Value = Vec<Plan>> {
    let one = (history(Kind::ALL.to_vec(), steps), prop::bool::weighted(0.4));
    proptest::collection::vec(one, lives).prop_map(|drawn| {
        let mut plans: Vec<Plan> = Vec::new();
        for (i, (plan, like_the_last)) in drawn.into_iter().enumerate() {
            let mut plan = placed(plan, i);
            if let Some(last) = plans.last().filter(|_| like_the_last) {
                plan.kind = last.kind;
            }
            plans.push(plan);
        }
        plans
    })
}

/// Histories of a single second, in which one or two plain values come and go.
pub fn crowded() -> impl Strategy<Value = Vec<Plan>> {
    let one = history(vec![Kind::Customer, Kind::Charge, Kind::Subscription], 3..7);
    proptest::collection::vec(one, 1..3).prop_map(|plans| {
        let crowd = |plan: Plan| {
            let plain =
                |step: Step| Step { after: 0, pick: step.pick % 2, noticed: false, version: None, ..step };
            Plan { steps: plan.steps.into_iter().map(plain).collect(), ..plan }
        };
        plans.into_iter().enumerate().map(|(i, plan)| placed(crowd(plan), i)).collect()
    })
}

/// The history of the so-many-th object: three in a row have one number, in three accounts.
pub(crate) fn placed(plan: Plan, i: usize) -> Plan {
    Plan { number: i / ACCOUNTS.len(), account: ACCOUNTS[i % ACCOUNTS.len()], ..plan }
}

/// A course of the events of these histories.
pub fn courses(
    histories: impl Strategy<Value = Vec<Plan>>,
    trouble: impl Strategy<Value = Trouble> + Clone,
) -> impl Strategy<Value = (Vec<Plan>, Course)> {
    histories.prop_flat_map(move |plans| {
        let events: usize = plans.iter().map(|plan| Life::of(plan).events.len()).sum();
        let all: Vec<usize> = (0..events).collect();
        let again = proptest::sample::subsequence(all.clone(), 0..=events);
        let order = again.prop_flat_map(move |again| Just([all.clone(), again].concat()).prop_shuffle());
        let rings = proptest::collection::vec(prop::bool::weighted(0.8), 2 * events);
        let course = (order, rings, 1..9_usize, 3..20_usize, trouble.clone()).prop_map(
            |(order, rings, batch, sweep_every, trouble)| Course {
                order,
                rings,
                batch,
                sweep_every,
                trouble,
            },
        );
        (Just(plans), course)
    })
}

/// Draws from a seed.
#[allow(clippy::expect_used, reason = "none of these strategies refuses what it has drawn")]
pub fn draw<S: Strategy>(strategy: &S, seed: u64) -> S::Value {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    strategy.new_tree(&mut runner).expect("a value").current()
}
