//! The law of this function: whatever the order of arrival, the repeats, the split between doorbell and sweep and the faults in
//! between, every event ends final and every record ends as Stripe's own object.

use proptest::prelude::*;
use serde_json::{Value, json};
use shared::ledger::{OpenCount, State};
use simulated_stripe::{Options, SimulatedStripe};
use test_cloud::Fault;

use crate::support::{Stack, later};

const BEGINS: i64 = 1_785_000_000;

/// One change at Stripe, as it is drawn.
#[derive(Debug, Clone)]
struct Step {
    /// Seconds since the one before.
    after: i64,
    field: &'static str,
    value: u8,
    /// Stripe at times tells of one change in two events.
    told_twice: bool,
    /// A notice comes with it.
    noticed: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let after = prop::sample::select(vec![0, 0, 0, 1, 2]);
    let field = prop::sample::select(vec!["quantity", "quantity", "status", "metadata"]);
    (after, field, 0..3_u8, any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |(after, field, value, told_twice, noticed)| Step { after, field, value, told_twice, noticed },
    )
}

/// An object's life: its events, and how it stands at the end.
#[derive(Debug, Clone)]
struct Life {
    object: Value,
    events: Vec<String>,
}

fn live(id: usize, steps: &[Step]) -> Life {
    let mut object = json!({
        "object": "subscription", "id": format!("sub_{id}"), "customer": "cus_1", "created": BEGINS, "status": "active",
        "quantity": 0, "metadata": {},
    });
    let mut life = Life { object: object.clone(), events: Vec::new() };
    let mut at = BEGINS;
    life.tell(id, "created", at, &object, None);
    for step in steps {
        at += step.after;
        let before = object.clone();
        match step.field {
            // What is canceled stays so.
            "status" if object["status"] != "canceled" => {
                object["status"] = ["active", "past_due", "canceled"][usize::from(step.value)].into();
            }
            "metadata" => {
                object["metadata"] =
                    [json!({}), json!({"k": "1"}), json!({"k": "2"})][usize::from(step.value)].clone()
            }
            _ => object["quantity"] = step.value.into(),
        }
        if before != object {
            let replaced = replaced(&before, &object);
            life.tell(id, "updated", at, &object, Some(replaced));
            if step.told_twice {
                life.tell(id, "pending_update_applied", at, &object, None);
            }
        }
        if step.noticed {
            life.tell(id, "trial_will_end", at, &object, None);
        }
    }
    life.object = object;
    life
}

/// `previous_attributes` as Stripe writes them: of objects only the fields that changed, null for those that were not there.
fn replaced(before: &Value, after: &Value) -> Value {
    let mut replaced = json!({});
    for (field, old) in before.as_object().unwrap() {
        if *old != after[field] {
            replaced[field] = if field == "metadata" { json!({ "k": old["k"] }) } else { old.clone() };
        }
    }
    replaced
}

impl Life {
    fn tell(&mut self, id: usize, event_type: &str, at: i64, object: &Value, replaced: Option<Value>) {
        // Ids say nothing of the order.
        let number = (self.events.len() * 7 + id * 3) % 101;
        let mut data = json!({ "object": object });
        if let Some(replaced) = replaced {
            data["previous_attributes"] = replaced;
        }
        let event = json!({
            "id": format!("evt_{id}_{number:03}"), "object": "event", "type": format!("customer.subscription.{event_type}"),
            "created": at, "livemode": false, "api_version": "2026-07-29.dahlia", "data": data,
        });
        self.events.push(event.to_string());
    }
}

/// What happens, in the order in which it arrives.
#[derive(Debug, Clone)]
struct Case {
    lives: Vec<Life>,
    arrivals: Vec<String>,
    /// Which arrivals ring the doorbell; the sweep finds the others.
    rings: Vec<bool>,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let lives = proptest::collection::vec(proptest::collection::vec(step(), 0..6), 1..4);
    lives.prop_flat_map(|lives| {
        let lives: Vec<Life> = lives.iter().enumerate().map(|(id, steps)| live(id, steps)).collect();
        let all: Vec<String> = lives.iter().flat_map(|life| life.events.clone()).collect();
        // Every event once, and some again.
        let again = proptest::sample::subsequence(all.clone(), 0..=all.len());
        let arrivals = again.prop_flat_map(move |again| Just([all.clone(), again].concat()).prop_shuffle());
        (Just(lives), arrivals, any::<u64>()).prop_flat_map(|(lives, arrivals, seed)| {
            let rings = proptest::collection::vec(prop::bool::weighted(0.8), arrivals.len());
            (Just(lives), Just(arrivals), rings, Just(seed)).prop_map(|(lives, arrivals, rings, seed)| Case {
                lives,
                arrivals,
                rings,
                seed,
            })
        })
    })
}

async fn holds(case: &Case, faults_per_mille: u32) {
    let stripe = SimulatedStripe::start(Options::for_tests().at(BEGINS + 1_000)).unwrap();
    for life in &case.lives {
        stripe.put_object(None, &life.object);
    }
    let stack = Stack::with(&stripe).await;
    for (body, rings) in case.arrivals.iter().zip(&case.rings) {
        let row = stack.receive(body).await;
        if *rings {
            stack.cloud.fail_some(
                faults_per_mille,
                case.seed,
                vec![Fault::Throttle, Fault::ServerError, Fault::DoneAndCut, Fault::AccessDenied],
            );
            stack.ring(&[row]).await;
            stack.cloud.mend();
        }
    }
    for sweep in 1..=3 {
        stack.sweep(later(sweep * 4_000)).await;
    }
    for life in &case.lives {
        let key = format!("-/subscription/{}", life.object["id"].as_str().unwrap());
        assert_eq!(stack.object(&key).await, life.object);
        assert!(!stack.record(&key).await.unwrap().order_uncertain);
    }
    for state in [State::Pending, State::Failed, State::Dead, State::Quarantined] {
        assert_eq!(stack.ledger().count(state).await.unwrap(), OpenCount::Exactly(0), "{state}");
    }
}

fn run(case: &Case, faults_per_mille: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(holds(case, faults_per_mille));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn records_end_as_stripes_objects_in_any_order_with_any_repeats(case in case()) {
        run(&case, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn records_end_as_stripes_objects_whatever_calls_fail_in_between(case in case()) {
        run(&case, 150);
    }
}
