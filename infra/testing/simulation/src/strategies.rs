//! Proptest strategies for histories of objects and for the scenarios in which their events arrive.
//!
//! One set serves the property tests, which shrink a failing case, and the large run, which samples from a
//! seed.

use std::ops::Range;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use test_cloud::KillPoint;

use crate::environment::START;
use crate::history::{ApiVersion, HistoryPlan, ObjectHistory, ObjectKind, PlannedStep};
use crate::scenario::{FaultPlan, Scenario};

/// Our own account, and two connected ones whose objects have the same ids.
const ACCOUNTS: [Option<&str>; 3] = [None, Some("acct_1First"), Some("acct_1Second")];

impl FaultPlan {
    /// Returns a strategy for plans in which processes are killed and nothing else fails.
    pub fn kills() -> impl Strategy<Value = Self> {
        kills().prop_map(|kills| Self { kills, ..Self::default() })
    }

    /// Returns a strategy for plans with every kind of fault.
    pub fn any() -> impl Strategy<Value = Self> {
        let lag = prop_oneof![Just(None), (1..60_usize).prop_map(Some)];
        (any::<u64>(), kills(), lag, 0..120_u32, 0..4_usize)
            .prop_map(|(seed, kills, lag, per_mille, hangs)| Self { per_mille, hangs, seed, kills, lag })
    }
}

fn kills() -> impl Strategy<Value = Vec<Option<KillPoint>>> {
    let kill = (1..30_usize, any::<bool>()).prop_map(|(call, after)| {
        if after { KillPoint::AfterCall(call) } else { KillPoint::BeforeCall(call) }
    });
    proptest::collection::vec(proptest::option::of(kill), 0..30)
}

fn step() -> impl Strategy<Value = PlannedStep> {
    let after = prop::sample::select(vec![0, 0, 0, 0, 1, 2]);
    let version = proptest::option::weighted(0.08, prop::sample::select(ApiVersion::ALL.to_vec()));
    (after, any::<u8>(), 0..3_u8, 0..4_u8, prop::bool::weighted(0.12), version).prop_map(
        |(after, choice, value, event_types, has_notice, version)| PlannedStep {
            after,
            choice,
            value,
            event_types,
            has_notice,
            version,
        },
    )
}

/// Returns a strategy for the history of one object.
pub(crate) fn history_plan(
    kinds: Vec<ObjectKind>,
    steps: Range<usize>,
) -> impl Strategy<Value = HistoryPlan> {
    let version =
        prop_oneof![3 => Just(ApiVersion::Endive), 1 => prop::sample::select(ApiVersion::ALL.to_vec())];
    let steps = proptest::collection::vec(step(), steps);
    (prop::sample::select(kinds), any::<u8>(), version, any::<u64>(), 0..100_i64, steps).prop_map(
        |(kind, variant, version, seed, after, steps)| HistoryPlan {
            kind,
            number: 0,
            account: None,
            created_at: START + after,
            variant,
            version,
            seed,
            steps,
        },
    )
}

/// Returns a strategy for the histories of several objects, some of which have the same id in different
/// accounts.
pub fn history_plans(objects: Range<usize>, steps: Range<usize>) -> impl Strategy<Value = Vec<HistoryPlan>> {
    let plan = (history_plan(ObjectKind::all(), steps), prop::bool::weighted(0.4));
    proptest::collection::vec(plan, objects).prop_map(|drawn| {
        let mut plans: Vec<HistoryPlan> = Vec::new();
        for (index, (plan, same_kind)) in drawn.into_iter().enumerate() {
            let mut plan = numbered(plan, index);
            if let Some(last) = plans.last().filter(|_| same_kind) {
                plan.kind = last.kind;
            }
            plans.push(plan);
        }
        plans
    })
}

/// Returns a strategy for histories of a single second, in which one or two plain values come and go.
pub fn same_second_plans() -> impl Strategy<Value = Vec<HistoryPlan>> {
    let kinds = vec![ObjectKind::Customer, ObjectKind::Charge, ObjectKind::Subscription];
    proptest::collection::vec(history_plan(kinds, 3..7), 1..3).prop_map(|plans| {
        let at_once = |step: PlannedStep| PlannedStep {
            after: 0,
            choice: step.choice % 2,
            has_notice: false,
            version: None,
            ..step
        };
        let in_one_second = |plan: HistoryPlan| {
            let steps = plan.steps.into_iter().map(at_once).collect();
            HistoryPlan { steps, ..plan }
        };
        plans.into_iter().enumerate().map(|(index, plan)| numbered(in_one_second(plan), index)).collect()
    })
}

/// Returns a strategy for histories of which one second holds two to four changes: that of the creation, or a
/// later one.
pub fn busy_second_plans(kind: ObjectKind) -> impl Strategy<Value = HistoryPlan> {
    (history_plan(vec![kind], 2..5), 0..20_u8).prop_map(|(plan, later)| {
        let steps = plan.steps.into_iter().enumerate().map(|(index, step)| PlannedStep {
            after: if index == 0 && later % 2 == 1 { later } else { 0 },
            version: None,
            ..step
        });
        HistoryPlan { steps: steps.collect(), version: ApiVersion::Endive, ..plan }
    })
}

/// Gives the object its number and account: three in a row have one number, in three accounts.
pub(crate) fn numbered(plan: HistoryPlan, index: usize) -> HistoryPlan {
    HistoryPlan { number: index / ACCOUNTS.len(), account: ACCOUNTS[index % ACCOUNTS.len()], ..plan }
}

/// Returns a strategy for histories, and a scenario of their events.
pub fn scenarios(
    plans: impl Strategy<Value = Vec<HistoryPlan>>,
    faults: impl Strategy<Value = FaultPlan> + Clone,
) -> impl Strategy<Value = (Vec<HistoryPlan>, Scenario)> {
    plans.prop_flat_map(move |plans| {
        let events: usize = plans.iter().map(|plan| ObjectHistory::new(plan).events.len()).sum();
        let all: Vec<usize> = (0..events).collect();
        let repeats = proptest::sample::subsequence(all.clone(), 0..=events);
        let order =
            repeats.prop_flat_map(move |repeats| Just([all.clone(), repeats].concat()).prop_shuffle());
        let rings = proptest::collection::vec(prop::bool::weighted(0.8), 2 * events);
        let scenario = (order, rings, 1..9_usize, 3..20_usize, faults.clone()).prop_map(
            |(order, rings, batch, sweep_every, faults)| Scenario {
                order,
                rings,
                batch,
                sweep_every,
                faults,
            },
        );
        (Just(plans), scenario)
    })
}

/// Samples a value from a seed.
#[allow(clippy::expect_used, reason = "none of these strategies rejects what it has drawn")]
pub fn sample<S: Strategy>(strategy: &S, seed: u64) -> S::Value {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    strategy.new_tree(&mut runner).expect("a value").current()
}
