//! What was imported stands against events as rule 4 has it: older ones do not undo it, newer ones replace it, whichever comes first.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::ledger::EventState;
use shared::object_key::ObjectKey;
use shared::records::{Provenance, Put, Record};
use simulated_stripe::Key;
use test_cloud::Death;

use crate::support::{Stack, ago, customer, event, later, now};

const KEY: &str = "-/customer/cus_1";

async fn imported(stack: &Stack, minutes: i64) {
    stack.import(json!({ "kinds": ["customers"] })).await;
    stack.run(later(minutes)).await;
    assert_eq!(stack.progress().await["state"], "finished");
}

async fn email(stack: &Stack) -> Value {
    stack.object(KEY).await["email"].clone()
}

#[tokio::test]
async fn an_import_and_the_events_around_it_end_the_same_in_any_order() {
    // Stripe is asked ten minutes from now: one change was before, one comes after.
    let older = event("evt_1", "customer.updated", later(5), &customer("cus_1", "older"));
    let newer = event("evt_2", "customer.updated", later(15), &customer("cus_1", "newer"));
    for order in [
        "import older newer",
        "older import newer",
        "older newer import",
        "newer import older",
        "newer older import",
    ] {
        let stack = Stack::start().await;
        stack.put(&customer("cus_1", "asked"));
        for step in order.split(' ') {
            match step {
                "older" => stack.apply(&older, later(20)).await,
                "newer" => stack.apply(&newer, later(20)).await,
                _ => imported(&stack, 10).await,
            }
        }
        assert_eq!(email(&stack).await, "newer", "{order}");
        assert!(!stack.record(KEY).await.unwrap().fetched, "{order}");
    }
    for order in ["import older", "older import"] {
        let stack = Stack::start().await;
        stack.put(&customer("cus_1", "asked"));
        for step in order.split(' ') {
            if step == "older" {
                stack.apply(&older, later(20)).await;
            } else {
                imported(&stack, 10).await;
            }
        }
        assert_eq!(email(&stack).await, "asked", "{order}");
        let row = stack.ledger().get(&"evt_1".parse().unwrap(), now()).await.unwrap().unwrap();
        if order == "import older" {
            assert_eq!(row.state, EventState::Superseded);
            assert_eq!(row.reason.unwrap(), "the record shows what Stripe answered later");
        }
    }
}

#[tokio::test]
async fn the_second_of_the_answer_is_in_it_and_the_next_is_not() {
    for (seconds, expected) in [(-1, "asked"), (0, "asked"), (1, "told")] {
        let stack = Stack::start().await;
        stack.put(&customer("cus_1", "asked"));
        imported(&stack, 10).await;
        let as_of = stack.record(KEY).await.unwrap().as_of;
        assert!(as_of < later(10).as_second() - 1, "the second before that of the question was not over");
        let at = Timestamp::from_second(as_of + seconds).unwrap();
        stack.apply(&event("evt_1", "customer.updated", at, &customer("cus_1", "told")), later(20)).await;
        assert_eq!(email(&stack).await, expected, "{seconds}");
    }
}

#[tokio::test]
async fn a_record_that_says_the_same_keeps_its_event() {
    let stack = Stack::start().await;
    let mut told = customer("cus_1", "a");
    told["only_in_its_version"] = json!(1);
    stack.apply(&event("evt_1", "customer.updated", ago(5), &told), ago(5)).await;
    let before = stack.record(KEY).await;
    let mut asked = customer("cus_1", "a");
    asked["only_in_ours"] = json!(null);
    stack.put(&asked);
    imported(&stack, 10).await;
    assert_eq!(stack.record(KEY).await, before);
    asked["email"] = json!("b");
    stack.put(&asked);
    imported(&stack, 11).await;
    assert_eq!(stack.object(KEY).await, asked);
}

#[tokio::test]
async fn what_is_deleted_stays_deleted() {
    let stack = Stack::start().await;
    stack.apply(&event("evt_1", "customer.deleted", ago(5), &customer("cus_1", "a")), ago(5)).await;
    let before = stack.record(KEY).await;
    assert!(before.as_ref().unwrap().deleted);
    // As if Stripe still listed it.
    stack.put(&customer("cus_1", "b"));
    imported(&stack, 10).await;
    assert_eq!(stack.record(KEY).await, before);
    // And what was imported is deleted by an event, however old.
    let stack = Stack::start().await;
    stack.put(&customer("cus_1", "a"));
    imported(&stack, 10).await;
    stack.apply(&event("evt_1", "customer.deleted", ago(5), &customer("cus_1", "a")), later(12)).await;
    assert!(stack.record(KEY).await.unwrap().deleted);
}

#[tokio::test]
async fn what_was_uncertain_is_settled_and_stays_so_against_its_own_events() {
    let stack = Stack::start().await;
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["events:read"])]);
    stack.put(&customer("cus_1", "b"));
    for (id, email) in [("evt_1", "a"), ("evt_2", "b")] {
        stack.apply(&event(id, "customer.updated", ago(5), &customer("cus_1", email)), ago(5)).await;
    }
    assert!(stack.record(KEY).await.unwrap().order_uncertain);
    stack.stripe.set_keys(vec![Key::full(&stack.stripe.key())]);
    imported(&stack, 10).await;
    let settled = stack.record(KEY).await.unwrap();
    assert!(!settled.order_uncertain && settled.fetched && settled.events.len() == 2);
    assert_eq!(stack.records().uncertain().await.unwrap().first, []);
    assert_eq!(email(&stack).await, "b", "it showed this before as well");
    stack.apply(&event("evt_3", "customer.updated", ago(5), &customer("cus_1", "c")), later(12)).await;
    assert_eq!(email(&stack).await, "b");
}

#[tokio::test]
async fn a_write_that_another_has_overtaken_is_looked_at_again() {
    for (at, expected) in [(ago(5), "asked"), (later(60), "between")] {
        let stack = Stack::start().await;
        stack.put(&customer("cus_1", "asked"));
        stack.apply(&event("evt_1", "customer.updated", ago(9), &customer("cus_1", "old")), ago(9)).await;
        stack.import(json!({ "kinds": ["customers"] })).await;
        let process = stack.cloud.process();
        let deps = stack.cold_at(process.aws());
        // The call that would write gets no answer; before the SDK makes it again, another writes.
        let writes = process.dies(Death::AtRecord(KEY.to_owned()));
        let mut run = std::pin::pin!(stack.try_run(&deps, later(10)));
        tokio::select! {
            biased;
            () = writes => {}
            done = &mut run => panic!("nothing was written: {done:?}"),
        }
        assert_eq!(put(&stack, at).await, Put::Done);
        run.await.unwrap();
        assert_eq!(email(&stack).await, expected);
        assert_eq!(stack.progress().await["state"], "finished");
    }
}

#[tokio::test]
async fn a_deletion_is_not_written_over_by_who_read_the_record_before_it() {
    let stack = Stack::new().await;
    let record = |deleted: bool| {
        let object = json!({ "object": "invoice", "id": "in_1", "status": "draft", "created": 5 });
        // A draft that an import brought, and the night's answer that it is gone: they differ in nothing else.
        let standing = Provenance {
            as_of: ago(60).as_second(),
            event: None,
            events: Vec::new(),
            deleted,
            order_uncertain: false,
            fetched: true,
        };
        let key = ObjectKey::new(None, "invoice", "in_1").unwrap();
        Record::new(key, standing, object.to_string().as_bytes(), &object).unwrap()
    };
    let (draft, gone) = (record(false), record(true));
    let records = stack.records();
    assert_eq!(records.put_newer(&draft).await.unwrap(), Put::Done);
    assert_eq!(records.put_over(&draft, &gone).await.unwrap(), Put::Done);
    assert_eq!(records.put_over(&draft, &draft).await.unwrap(), Put::Conflict(Box::new(gone.clone())));
    assert_eq!(records.put_over(&gone, &gone).await.unwrap(), Put::Done);
}

/// Puts a newer record of the customer in place.
async fn put(stack: &Stack, at: jiff::Timestamp) -> Put {
    let object = customer("cus_1", "between");
    let standing = Provenance {
        as_of: at.as_second(),
        event: Some("evt_9".parse().unwrap()),
        events: vec!["evt_9".parse().unwrap()],
        deleted: false,
        order_uncertain: false,
        fetched: false,
    };
    let key = ObjectKey::new(None, "customer", "cus_1").unwrap();
    let record = Record::new(key, standing, object.to_string().as_bytes(), &object).unwrap();
    stack.records().put_newer(&record).await.unwrap()
}
