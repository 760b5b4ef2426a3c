//! Whatever the order, the repeats, the split between doorbell and sweep, and what goes wrong in between: in the end each event
//! has been applied once, and each record is the object as it stands at Stripe.

use proptest::prelude::*;
use serde_json::Value;
use simulated_stripe::Key;
use simulated_stripe::history::{Life, Plan};
use simulation::{Course, Trouble, World, courses, crowded, histories, judge, play};

/// `PROPTEST_CASES` asks for another number of cases.
fn config(cases: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases, ..config } }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn lives(plans: &[Plan]) -> Vec<Life> {
    plans.iter().map(Life::of).collect()
}

fn holds(plans: &[Plan], course: &Course) -> Result<(), TestCaseError> {
    let lives = lives(plans);
    let verdict = block_on(async {
        let world = World::of(&lives).await;
        play(&world, &lives, course).await;
        judge(&world, &lives).await
    });
    prop_assert!(verdict.is_good(), "{verdict}");
    Ok(())
}

proptest! {
    #![proptest_config(config(36))]
    #[test]
    fn records_end_as_stripes_objects_in_any_order_with_any_repeats((plans, course) in courses(histories(1..4, 0..8), Just(Trouble::default()))) {
        holds(&plans, &course)?;
    }
}

proptest! {
    #![proptest_config(config(36))]
    #[test]
    fn values_that_come_and_go_within_a_second_end_as_stripes((plans, course) in courses(crowded(), Just(Trouble::default()))) {
        holds(&plans, &course)?;
    }
}

proptest! {
    #![proptest_config(config(24))]
    #[test]
    fn records_end_as_stripes_objects_wherever_processes_die((plans, course) in courses(histories(1..4, 0..8), Trouble::deaths().boxed())) {
        holds(&plans, &course)?;
    }
}

proptest! {
    #![proptest_config(config(10))]
    #[test]
    fn records_end_as_stripes_objects_whatever_goes_wrong((plans, course) in courses(histories(1..5, 0..8), Trouble::any().boxed())) {
        holds(&plans, &course)?;
    }
}

/// All records as they lie there, after a course without the right to ask Stripe.
fn without_asking(lives: &[Life], course: &Course) -> Vec<String> {
    block_on(async {
        let world = World::of(lives).await;
        world.stripe.set_keys(vec![Key::restricted(&world.stripe.key(), &["events:read"])]);
        play(&world, lives, course).await;
        let mut records: Vec<String> =
            world.cloud.items("RecordsTable").await.iter().map(Value::to_string).collect();
        records.sort();
        records
    })
}

fn two_courses() -> impl Strategy<Value = (Vec<Plan>, Course, Course)> {
    courses(histories(1..4, 0..8), Just(Trouble::default())).prop_flat_map(|(plans, first)| {
        let second = Just(first.order.clone()).prop_shuffle();
        (Just(plans), Just(first.clone()), second, 1..9_usize).prop_map(|(plans, first, order, batch)| {
            let second = Course { order, batch, ..first.clone() };
            (plans, first, second)
        })
    })
}

proptest! {
    #![proptest_config(config(24))]
    #[test]
    fn without_the_right_to_ask_records_do_not_depend_on_the_order_of_arrival((plans, first, second) in two_courses()) {
        let lives = lives(&plans);
        prop_assert_eq!(without_asking(&lives, &first), without_asking(&lives, &second));
    }
}
