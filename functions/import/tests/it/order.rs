//! An imported record is put in order with events by rule 4: older ones do not undo it, newer ones replace
//! it, whichever comes first.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::ledger::EventState;
use shared::object_key::ObjectKey;
use shared::records::{OpenReason, Provenance, Put, Record};
use shared::unix_time::UnixSeconds;
use simulated_stripe::Key;
use test_cloud::KillPoint;
use test_cloud::fixtures::now;

use crate::support::{Stack, ago, customer, event, later};

const KEY: &str = "-/customer/cus_1";

async fn import(stack: &Stack, minutes: i64) {
    stack.import(json!({ "kinds": ["customers"] })).await;
    stack.run(later(minutes)).await;
    assert_eq!(stack.progress().await["state"], "finished");
}

async fn email(stack: &Stack) -> Value {
    stack.object(KEY).await["email"].clone()
}

#[tokio::test]
async fn an_import_and_the_events_around_it_end_the_same_in_any_order() {
    // The import calls Stripe ten minutes from now: one change is before, one after.
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
        stack.put(&customer("cus_1", "fetched"));
        for step in order.split(' ') {
            match step {
                "older" => stack.apply(&older, later(20)).await,
                "newer" => stack.apply(&newer, later(20)).await,
                _ => import(&stack, 10).await,
            }
        }
        assert_eq!(email(&stack).await, "newer", "{order}");
        assert!(!stack.record(KEY).await.unwrap().fetched, "{order}");
    }
    for order in ["import older", "older import"] {
        let stack = Stack::start().await;
        stack.put(&customer("cus_1", "fetched"));
        for step in order.split(' ') {
            if step == "older" {
                stack.apply(&older, later(20)).await;
            } else {
                import(&stack, 10).await;
            }
        }
        assert_eq!(email(&stack).await, "fetched", "{order}");
        let row = stack.ledger().get(&"evt_1".parse().unwrap(), now()).await.unwrap().unwrap();
        if order == "import older" {
            assert_eq!(row.state, EventState::Superseded);
            assert_eq!(row.reason.unwrap(), "the record shows what Stripe answered later");
        }
    }
}

#[tokio::test]
async fn a_fetched_object_includes_its_second_and_not_the_next() {
    for (seconds, expected) in [(-1, "fetched"), (0, "fetched"), (1, "event")] {
        let stack = Stack::start().await;
        stack.put(&customer("cus_1", "fetched"));
        import(&stack, 10).await;
        let as_of = stack.record(KEY).await.unwrap().as_of;
        let called_at = UnixSeconds::from(later(10));
        assert!(as_of < called_at - SignedDuration::from_secs(1), "the second before the call was not over");
        let at = (as_of + SignedDuration::from_secs(seconds)).to_timestamp().unwrap();
        stack.apply(&event("evt_1", "customer.updated", at, &customer("cus_1", "event")), later(20)).await;
        assert_eq!(email(&stack).await, expected, "{seconds}");
    }
}

#[tokio::test]
async fn a_record_that_says_the_same_keeps_its_event() {
    let stack = Stack::start().await;
    let mut in_event = customer("cus_1", "a");
    in_event["only_in_event"] = json!(1);
    stack.apply(&event("evt_1", "customer.updated", ago(5), &in_event), ago(5)).await;
    let before = stack.record(KEY).await;
    let mut at_stripe = customer("cus_1", "a");
    at_stripe["only_at_stripe"] = json!(null);
    stack.put(&at_stripe);
    import(&stack, 10).await;
    assert_eq!(stack.record(KEY).await, before);
    at_stripe["email"] = json!("b");
    stack.put(&at_stripe);
    import(&stack, 11).await;
    assert_eq!(stack.object(KEY).await, at_stripe);
}

#[tokio::test]
async fn what_is_deleted_stays_deleted() {
    let stack = Stack::start().await;
    stack.apply(&event("evt_1", "customer.deleted", ago(5), &customer("cus_1", "a")), ago(5)).await;
    let before = stack.record(KEY).await;
    assert!(before.as_ref().unwrap().deleted);
    // As if Stripe still listed it.
    stack.put(&customer("cus_1", "b"));
    import(&stack, 10).await;
    assert_eq!(stack.record(KEY).await, before);
    // And an imported record is deleted by an event, however old.
    let stack = Stack::start().await;
    stack.put(&customer("cus_1", "a"));
    import(&stack, 10).await;
    stack.apply(&event("evt_1", "customer.deleted", ago(5), &customer("cus_1", "a")), later(12)).await;
    assert!(stack.record(KEY).await.unwrap().deleted);
}

#[tokio::test]
async fn an_uncertain_order_is_settled_and_stays_so_against_its_own_events() {
    let stack = Stack::start().await;
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["events:read"])]);
    stack.put(&customer("cus_1", "b"));
    for (id, email) in [("evt_1", "a"), ("evt_2", "b")] {
        stack.apply(&event(id, "customer.updated", ago(5), &customer("cus_1", email)), ago(5)).await;
    }
    assert!(stack.record(KEY).await.unwrap().order_uncertain);
    stack.stripe.set_keys(vec![Key::full(&stack.stripe.key())]);
    import(&stack, 10).await;
    let settled = stack.record(KEY).await.unwrap();
    assert!(!settled.order_uncertain && settled.fetched && settled.events.len() == 2);
    assert_eq!(stack.records().open(OpenReason::OrderUncertain).await.unwrap().first, []);
    assert_eq!(email(&stack).await, "b", "as before");
    stack.apply(&event("evt_3", "customer.updated", ago(5), &customer("cus_1", "c")), later(12)).await;
    assert_eq!(email(&stack).await, "b");
}

#[tokio::test]
async fn a_record_that_changes_before_it_is_written_is_compared_again() {
    for (at, expected) in [(ago(5), "fetched"), (later(60), "between")] {
        let stack = Stack::start().await;
        stack.put(&customer("cus_1", "fetched"));
        stack.apply(&event("evt_1", "customer.updated", ago(9), &customer("cus_1", "old")), ago(9)).await;
        stack.import(json!({ "kinds": ["customers"] })).await;
        let process = stack.cloud.killable_process();
        let deps = stack.cold_at(process.aws());
        // The call that would write gets no response; before the SDK retries it, another process writes.
        let writes = process.killed_at(KillPoint::RecordWrite(KEY.to_owned()));
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
async fn a_deletion_is_not_overwritten_by_a_process_that_read_the_record_before_it() {
    let stack = Stack::new().await;
    let record = |deleted: bool| {
        let object = json!({ "object": "invoice", "id": "in_1", "status": "draft", "created": 5 });
        // An imported draft, and its deletion found by the nightly comparison: they differ in nothing else.
        let provenance = Provenance {
            as_of: ago(60).into(),
            event: None,
            events: Vec::new(),
            deleted,
            order_uncertain: false,
            fetched: true,
        };
        let key = ObjectKey::new(None, "invoice", "in_1").unwrap();
        Record::new(key, provenance, object.to_string().as_bytes(), &object).unwrap()
    };
    let (draft, deletion) = (record(false), record(true));
    let records = stack.records();
    assert_eq!(records.put_if_newer(&draft).await.unwrap(), Put::Done);
    assert_eq!(records.replace(&draft, &deletion).await.unwrap(), Put::Done);
    assert_eq!(records.replace(&draft, &draft).await.unwrap(), Put::Conflict(Box::new(deletion.clone())));
    assert_eq!(records.replace(&deletion, &deletion).await.unwrap(), Put::Done);
}

/// Writes another record of the customer.
async fn put(stack: &Stack, at: jiff::Timestamp) -> Put {
    let object = customer("cus_1", "between");
    let provenance = Provenance {
        as_of: at.into(),
        event: Some("evt_9".parse().unwrap()),
        events: vec!["evt_9".parse().unwrap()],
        deleted: false,
        order_uncertain: false,
        fetched: false,
    };
    let key = ObjectKey::new(None, "customer", "cus_1").unwrap();
    let record = Record::new(key, provenance, object.to_string().as_bytes(), &object).unwrap();
    stack.records().put_if_newer(&record).await.unwrap()
}
