//! Whatever the order, the repeats, the split between doorbell and sweep, and the faults: in the end each
//! event has been applied once, and each record equals the object at Stripe.

use proptest::prelude::*;
use serde_json::Value;
use simulated_stripe::Key;
use simulation::history::{HistoryPlan, ObjectHistory};
use simulation::{
    Environment, FaultPlan, Scenario, history_plans, run_scenario, same_second_plans, scenarios, verify,
};

/// Returns the configuration; `PROPTEST_CASES` sets another number of cases.
fn config(cases: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases, ..config } }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn histories(plans: &[HistoryPlan]) -> Vec<ObjectHistory> {
    plans.iter().map(ObjectHistory::new).collect()
}

fn ends_right(plans: &[HistoryPlan], scenario: &Scenario) -> Result<(), TestCaseError> {
    let histories = histories(plans);
    let findings = block_on(async {
        let environment = Environment::start(&histories).await;
        run_scenario(&environment, &histories, scenario).await;
        verify(&environment, &histories).await
    });
    prop_assert!(findings.is_empty(), "{findings}");
    Ok(())
}

proptest! {
    #![proptest_config(config(36))]
    #[test]
    fn records_end_as_stripes_objects_in_any_order_with_any_repeats((plans, scenario) in scenarios(history_plans(1..4, 0..8), Just(FaultPlan::default()))) {
        ends_right(&plans, &scenario)?;
    }
}

proptest! {
    #![proptest_config(config(36))]
    #[test]
    fn values_that_come_and_go_within_a_second_end_as_stripes((plans, scenario) in scenarios(same_second_plans(), Just(FaultPlan::default()))) {
        ends_right(&plans, &scenario)?;
    }
}

proptest! {
    #![proptest_config(config(24))]
    #[test]
    fn records_end_as_stripes_objects_wherever_processes_are_killed((plans, scenario) in scenarios(history_plans(1..4, 0..8), FaultPlan::kills().boxed())) {
        ends_right(&plans, &scenario)?;
    }
}

proptest! {
    #![proptest_config(config(10))]
    #[test]
    fn records_end_as_stripes_objects_whatever_goes_wrong((plans, scenario) in scenarios(history_plans(1..5, 0..8), FaultPlan::any().boxed())) {
        ends_right(&plans, &scenario)?;
    }
}

/// Returns all records after a scenario without the right to fetch from Stripe.
fn records_without_fetching(histories: &[ObjectHistory], scenario: &Scenario) -> Vec<String> {
    block_on(async {
        let environment = Environment::start(histories).await;
        environment.stripe.set_keys(vec![Key::restricted(&environment.stripe.key(), &["events:read"])]);
        run_scenario(&environment, histories, scenario).await;
        let mut records: Vec<String> =
            environment.cloud.items("RecordsTable").await.iter().map(Value::to_string).collect();
        records.sort();
        records
    })
}

fn two_courses() -> impl Strategy<Value = (Vec<HistoryPlan>, Scenario, Scenario)> {
    scenarios(history_plans(1..4, 0..8), Just(FaultPlan::default())).prop_flat_map(|(plans, first)| {
        let second = Just(first.order.clone()).prop_shuffle();
        (Just(plans), Just(first.clone()), second, 1..9_usize).prop_map(|(plans, first, order, batch)| {
            let second = Scenario { order, batch, ..first.clone() };
            (plans, first, second)
        })
    })
}

proptest! {
    #![proptest_config(config(24))]
    #[test]
    fn without_the_right_to_fetch_records_do_not_depend_on_the_order_of_arrival((plans, first, second) in two_courses()) {
        let histories = histories(&plans);
        prop_assert_eq!(records_without_fetching(&histories, &first), records_without_fetching(&histories, &second));
    }
}
