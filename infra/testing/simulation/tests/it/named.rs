//! Courses that once ended wrong, or that every peer gets wrong, in all orders of arrival.

use serde_json::{Value, json};
use simulated_stripe::history::{Expected, Kind, Life, Told, Version};
use simulation::{BEGINS, Work, World, judge, settle};

/// A life that is told by hand: how the object stands in the end, and the events as (type, object, what it replaced).
fn life(kind: Kind, end: &Value, events: &[(&str, &Value, Option<Value>)]) -> Life {
    let told = events.iter().enumerate().map(|(i, (event_type, object, replaced))| {
        // Ids say nothing of the order.
        let id = format!("evt_{}", (i * 7 + 3) % 10);
        let mut data = json!({ "object": object });
        if let Some(replaced) = replaced {
            data["previous_attributes"] = replaced.clone();
        }
        let body = json!({
            "id": id, "object": "event", "type": event_type, "created": BEGINS, "livemode": false,
            "api_version": Version::Dahlia.name(), "data": data,
        });
        Told {
            id,
            event_type: (*event_type).to_owned(),
            created: BEGINS,
            version: Version::Dahlia,
            object: (*object).clone(),
            expected: Expected::Applied,
            body: body.to_string(),
        }
    });
    Life::told(kind, end, told.collect())
}

/// All orders of so many things.
fn orders(many: usize) -> Vec<Vec<usize>> {
    if many == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(many - 1);
    let with = |at| shorter.iter().map(move |order| [&order[..at], &[many - 1], &order[at..]].concat());
    (0..many).flat_map(with).collect()
}

/// Plays a life in one order, each event alone, and judges it. Gives how often Stripe was asked.
async fn questions(life: &Life, order: &[usize]) -> usize {
    let lives = std::slice::from_ref(life);
    let world = World::of(lives).await;
    let (mut receiver, mut applier) = (world.receiver(), world.applier());
    for number in order {
        let told = &life.events[*number];
        assert!(matches!(receiver.deliver(&told.body, None).await, Work::Done(200)));
        let row = world.row(&told.id).await.unwrap();
        assert!(matches!(applier.ring(&[row], None).await, Work::Done(Ok(_))));
    }
    let asked = world.questions();
    settle(&world).await;
    let verdict = judge(&world, lives).await;
    assert!(verdict.is_good(), "{order:?}: {verdict}");
    asked
}

fn customer(balance: i64) -> Value {
    json!({ "object": "customer", "id": "cus_1", "created": 5, "balance": balance, "metadata": {} })
}

#[tokio::test]
async fn a_value_that_goes_0_1_2_0_in_one_second_ends_as_stripes_object_in_every_order() {
    let step = |to| customer(to);
    let (one, two, zero) = (step(1), step(2), step(0));
    let life = life(
        Kind::Customer,
        &zero,
        &[
            ("customer.updated", &one, Some(json!({ "balance": 0 }))),
            ("customer.updated", &two, Some(json!({ "balance": 1 }))),
            ("customer.updated", &zero, Some(json!({ "balance": 2 }))),
        ],
    );
    for order in orders(3) {
        // Of two of them each pair looks like a chain; the third shows that it is a circle.
        assert_eq!(questions(&life, &order).await, 1, "{order:?}");
    }
}

fn subscription(status: &str, quantity: i64) -> Value {
    json!({ "object": "subscription", "id": "sub_1", "created": 5, "customer": "cus_1", "status": status, "quantity": quantity })
}

#[tokio::test]
async fn two_updates_in_one_second_that_make_a_chain_end_right_in_either_order_without_a_question() {
    let (first, second) = (subscription("past_due", 1), subscription("past_due", 2));
    let life = life(
        Kind::Subscription,
        &second,
        &[
            ("customer.subscription.updated", &first, Some(json!({ "status": "active" }))),
            ("customer.subscription.updated", &second, Some(json!({ "quantity": 1 }))),
        ],
    );
    for order in orders(2) {
        assert_eq!(questions(&life, &order).await, 0, "{order:?}");
    }
}

#[tokio::test]
async fn creations_notices_and_statuses_that_can_be_left_give_way_without_a_question() {
    let (born, active, over) =
        (subscription("incomplete", 1), subscription("active", 1), subscription("canceled", 1));
    let (created, updated) = ("customer.subscription.created", "customer.subscription.updated");
    for (end, events) in [
        (&active, [(created, &born, None), (updated, &active, None)]),
        (&active, [("customer.subscription.trial_will_end", &born, None), (updated, &active, None)]),
        (&over, [(updated, &active, None), ("customer.subscription.deleted", &over, None)]),
    ] {
        let life = life(Kind::Subscription, end, &events);
        for order in orders(2) {
            assert_eq!(questions(&life, &order).await, 0, "{order:?} of {events:?}");
        }
    }
}

#[tokio::test]
async fn updates_that_cannot_be_put_in_order_cost_at_most_one_question_for_each_that_meets_an_open_tie() {
    let states = [subscription("active", 1), subscription("past_due", 2), subscription("unpaid", 3)];
    let told: Vec<_> = states.iter().map(|state| ("customer.subscription.updated", state, None)).collect();
    let life = life(Kind::Subscription, &states[2], &told);
    for order in orders(3) {
        // The answer stands for the whole second, so the third meets no tie.
        assert_eq!(questions(&life, &order).await, 1, "{order:?}");
    }
}

/// Found by the laws: the last event does not say what it replaced, and comes back to the state of the first, so the other two
/// looked like a chain that ends in the appeal.
#[tokio::test]
async fn a_dispute_that_is_lost_again_in_the_second_of_its_appeal_stays_lost() {
    let dispute = |status| json!({ "object": "dispute", "id": "du_1", "created": 5, "charge": "ch_1", "status": status });
    let (lost, appeal) = (dispute("lost"), dispute("appeal_needs_response"));
    let life = life(
        Kind::Dispute,
        &lost,
        &[
            ("charge.dispute.updated", &appeal, Some(json!({ "status": "lost" }))),
            ("charge.dispute.closed", &lost, None),
        ],
    );
    for order in orders(2) {
        assert_eq!(questions(&life, &order).await, 1, "{order:?}");
    }
}

/// The same, where the state has been told before with what it replaced.
#[tokio::test]
async fn a_pending_update_that_expires_in_its_second_is_gone() {
    let of = |pending: Value| {
        let mut object = subscription("active", 1);
        object["pending_update"] = pending;
        object
    };
    let (none, some) = (of(Value::Null), of(json!({ "expires_at": 9 })));
    let life = life(
        Kind::Subscription,
        &none,
        &[
            ("customer.subscription.updated", &none, Some(json!({ "status": "past_due" }))),
            ("customer.subscription.updated", &some, Some(json!({ "pending_update": null }))),
            ("customer.subscription.pending_update_expired", &none, None),
        ],
    );
    for order in orders(3) {
        questions(&life, &order).await;
    }
}
