//! What comes later does not bring the person back.

use std::time::Duration;

use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::ledger::{Actor, EventState, Recorded, Transition};
use shared::mode::Mode;
use shared::records::Put;
use simulated_stripe::Key;
use test_cloud::fixtures::{
    self, STRIPE_KEY_SECRET, access, api_event, http_request, now, retention, sign_in, status_and_body,
};

use crate::support::{PERSON, Stack, large_event, later, object};

const DAY_MIN: i64 = 24 * 60;

async fn erased() -> Stack {
    let stack = Stack::with_customer().await;
    stack.erase("cus_1").await;
    stack.run(now()).await;
    stack
}

fn refunded_charge() -> Value {
    let fields = json!({ "payment_intent": "pi_1", "status": "succeeded", "captured": true, "amount_captured": 700, "amount_refunded": 300 });
    object("charge", "ch_1", fields)
}

#[tokio::test]
async fn an_event_that_is_not_final_is_waited_for() {
    let stack = Stack::with_customer().await;
    stack.receive("evt_30", "charge.refunded", -1, &refunded_charge()).await;
    stack.erase("cus_1").await;
    stack.run(now()).await;
    let erasure = stack.erasure("cus_1").await;
    assert_eq!(
        (&erasure["state"], &erasure["waiting"]),
        (&json!("running"), &json!({ "count": 1, "first": ["evt_30"] }))
    );
    assert_eq!(stack.naming(PERSON).await, ["evt_30"]);

    // It is applied, to the record without a person.
    stack.sweep(later(3)).await;
    assert_eq!(stack.row("evt_30").await.state, EventState::Processed);
    assert_eq!(stack.object("-/charge/ch_1").await["amount_refunded"], 300);
    assert_eq!(stack.naming(PERSON).await, ["evt_30"]);
    assert_eq!(stack.run(later(4)).await, Value::Null, "the next pass is in five minutes");
    stack.run(later(5)).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    assert_eq!(stack.erasure("cus_1").await["state"], "finished");
}

#[tokio::test]
async fn an_event_keeps_its_payload_while_another_of_its_second_is_not_final() {
    let stack = Stack::with_customer().await;
    // The later of the two steps was applied first. Which it is, only both together say.
    let step = |id: &str, from: i64, to: i64| {
        let mut charge = refunded_charge();
        charge["amount_refunded"] = to.into();
        let event = fixtures::event(id, "charge.refunded", later(-10).as_second(), &charge);
        let mut event: Value = serde_json::from_str(&event).unwrap();
        event["data"]["previous_attributes"] = json!({ "amount_refunded": from });
        event.to_string()
    };
    fixtures::receive(&stack.ledger(), &step("evt_33", 300, 500), later(-10)).await;
    stack.sweep(later(-7)).await;
    fixtures::receive(&stack.ledger(), &step("evt_34", 0, 300), later(-1)).await;
    stack.erase("cus_1").await;
    stack.run(now()).await;
    assert_eq!(stack.naming(PERSON).await, ["evt_33", "evt_34"]);
    assert_eq!(stack.erasure("cus_1").await["waiting"], json!({ "count": 1, "first": ["evt_34"] }));
    stack.sweep(later(3)).await;
    assert_eq!(stack.object("-/charge/ch_1").await["amount_refunded"], 500);
    assert!(!stack.record("-/charge/ch_1").await.fetched, "nobody had to be asked");
    stack.run(later(5)).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    assert_eq!(stack.erasure("cus_1").await["state"], "finished");
}

#[tokio::test]
async fn a_second_that_goes_on_on_the_next_page_is_one_second() {
    let stack = Stack::with_payment().await;
    let charge = |i: i64| {
        let mut charge = refunded_charge();
        charge["amount_refunded"] = i.into();
        charge
    };
    // Of one second, over the hundred that are listed at once; the last in the list is open.
    for i in 0..120 {
        let id = format!("evt_s{i:03}");
        stack.receive(&id, "charge.refunded", -10, &charge(i)).await;
        if i > 0 {
            let row = stack.row(&id).await;
            let superseded = Transition::to(EventState::Superseded);
            stack.ledger().transition(&row, &superseded, retention(), later(-9)).await.unwrap();
        }
    }
    stack.erase("cus_1").await;
    stack.run(now()).await;
    assert_eq!(stack.naming(PERSON).await.len(), 120);
}

#[tokio::test]
async fn what_waits_for_an_admin_is_looked_at_each_day_and_when_it_is_asked_for_again() {
    let stack = Stack::with_customer().await;
    stack.receive("evt_35", "charge.refunded", -50, &refunded_charge()).await;
    let row = stack.row("evt_35").await;
    let dead = Transition::to(EventState::Dead);
    stack.ledger().transition(&row, &dead, retention(), later(-49)).await.unwrap();
    stack.erase("cus_1").await;
    stack.run(now()).await;
    let erasure = stack.erasure("cus_1").await;
    assert_eq!(
        (&erasure["state"], &erasure["waiting"]["first"], &erasure["due_at"]),
        (&json!("running"), &json!(["evt_35"]), &json!(later(DAY_MIN)))
    );
    assert_eq!(stack.run(later(5)).await, Value::Null, "nothing changes by itself");
    let actor = Actor { by: "admin@example.com", why: None };
    stack.ledger().discard(&stack.row("evt_35").await, actor, retention(), later(6)).await.unwrap();
    // Nobody has to wait for the next day.
    stack.erase("cus_1").await;
    stack.run(later(7)).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    assert_eq!(stack.erasure("cus_1").await["state"], "finished");
}

#[tokio::test]
async fn a_customer_who_turns_out_to_be_there_is_left_alone() {
    let stack = Stack::start().await;
    let subscription = object("subscription", "sub_1", json!({ "customer": "cus_1", "status": "active" }));
    stack.apply("evt_36", "customer.subscription.created", -60, &subscription).await;
    let body = json!({ "customer": "cus_1", "confirm": "cus_1", "deleted_at_stripe": true });
    stack.forbid_reading_customers();
    assert_eq!(stack.call("admin", "POST", "/erasures", body.clone()).await.0, 202);
    // The first event of the customer comes before the first run.
    let customer = object("customer", "cus_1", json!({}));
    stack.apply("evt_37", "customer.updated", -5, &customer).await;
    assert_eq!(stack.run(now()).await, json!({ "customers": 1, "records": 0, "events": 0 }));
    assert_eq!(stack.naming(PERSON).await.len(), 4);
    let erasure = stack.erasure("cus_1").await;
    assert_eq!((&erasure["state"], &erasure["finished_at"]), (&json!("stopped"), &Value::Null));
    stack.stripe.set_keys(vec![Key::full(&stack.stripe.key())]);
    stack.stripe.put_object(None, &customer);
    let (status, answer) = stack.call("admin", "POST", "/erasures", body).await;
    assert_eq!((status, fixtures::error_code(&answer)), (409, "customer_not_deleted"));
    // Deleted in the end, it goes on by itself.
    stack.apply("evt_38", "customer.deleted", 10, &customer).await;
    stack.run(later(DAY_MIN)).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    assert_eq!(stack.erasure("cus_1").await["state"], "finished");
}

#[tokio::test]
async fn a_part_that_is_stored_after_its_event_was_erased_goes_within_a_day() {
    let stack = Stack::with_customer().await;
    fixtures::receive(&stack.ledger(), &large_event("evt_39", -40, 1), later(-40)).await;
    stack.sweep(later(-37)).await;
    stack.erase("cus_1").await;
    stack.run(now()).await;
    let events = stack.erasure("cus_1").await["events"].clone();
    // It comes again in another form, and the receipt is cut off.
    stack.store_first_part(&large_event("evt_39", -40, 2)).await;
    assert_eq!(stack.naming(PERSON).await, ["a part of evt_39"]);
    stack.run(later(DAY_MIN)).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    assert_eq!(stack.erasure("cus_1").await["events"], events, "the event is counted once");
    // One that is not cut off takes its parts back itself.
    let again = fixtures::ledger_row(&large_event("evt_39", -40, 3), now());
    assert_eq!(stack.ledger().record(&again).await.unwrap(), Recorded::Duplicate);
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_later_event_changes_the_record_and_brings_nothing_back() {
    let stack = erased().await;
    stack.apply("evt_31", "charge.refunded", 10, &refunded_charge()).await;
    let charge = stack.record("-/charge/ch_1").await;
    assert!(charge.erased && charge.event.as_ref().unwrap().as_str() == "evt_31");
    assert_eq!(stack.object("-/charge/ch_1").await["amount_refunded"], 300);
    assert_eq!(stack.naming(PERSON).await, ["evt_31"], "its payload, until the next pass");
    assert_eq!(stack.run(later(DAY_MIN - 1)).await, Value::Null);
    stack.run(later(DAY_MIN)).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_object_that_is_made_later_is_erased_within_a_day() {
    let stack = erased().await;
    let dispute = json!({ "payment_intent": "pi_1", "charge": "ch_1", "status": "needs_response", "evidence": { "customer_name": "Ann" } });
    stack.apply("evt_32", "charge.dispute.created", 10, &object("dispute", "dp_2", dispute)).await;
    assert_eq!(stack.naming(PERSON).await, ["-/dispute/dp_2", "evt_32"]);
    let finished_at = stack.erasure("cus_1").await["finished_at"].clone();
    stack.run(later(DAY_MIN)).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    let erasure = stack.erasure("cus_1").await;
    assert_eq!((&erasure["state"], &erasure["finished_at"]), (&json!("finished"), &finished_at));
}

#[tokio::test]
async fn who_read_a_record_before_it_was_erased_cannot_write_it_back() {
    let stack = Stack::with_customer().await;
    let read_before = stack.record("-/charge/ch_1").await;
    stack.erase("cus_1").await;
    stack.run(now()).await;
    let put = stack.records().replace(&read_before, &read_before).await.unwrap();
    let Put::Conflict(stored) = put else { panic!("it was written back") };
    assert!(stored.erased);
    let put = stack.records().replace(&stored, &read_before).await.unwrap();
    assert_eq!(put, Put::Done);
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_erased_event_can_neither_be_replayed_nor_discarded() {
    let stack = erased().await;
    let deps = replay::Deps::new(replay::Config {
        aws: stack.cloud.aws(),
        mode: Mode::Test,
        access: access(),
        ledger_table: "LedgerTable".into(),
        registry_table: "RegistryTable".into(),
        audit_table: "AuditTable".into(),
        retention: retention(),
    });
    let call = async |path: &str, body: Value| {
        let mut event = api_event(include_str!("../../../../events/erase/erasures.json"), "POST", path);
        event["body"] = body.to_string().into();
        sign_in(&mut event, "sub-1", &["admin"]);
        status_and_body(replay::handle(&deps, http_request(&event), now(), Deadline::NEVER).await)
    };
    for action in ["replay", "discard"] {
        let (status, answer) = call(&format!("/events/evt_05/{action}"), json!({ "why": "a try" })).await;
        assert_eq!((status, fixtures::error_code(&answer)), (409, "event_erased"), "{answer}");
    }
    let (status, answer) =
        call("/events/replay", json!({ "state": "processed", "since": later(-120).to_string() })).await;
    assert_eq!(
        (status, &answer["matching"], &answer["changed"]),
        (200, &json!(1), &json!(1)),
        "the other customer's"
    );
    let row = stack.row("evt_05").await;
    assert!(row.erased && row.state == EventState::Processed);
}

#[tokio::test]
async fn an_import_brings_nothing_back() {
    let stack = erased().await;
    let mut payment = json!({ "customer": "cus_1", "status": "succeeded", "amount_received": 700, "latest_charge": "ch_1" });
    stack.stripe.put_object(None, &object("payment_intent", "pi_1", payment.clone()));
    let deps = import::Deps::new(import::Config {
        aws: stack.cloud.aws(),
        access: access(),
        ledger_table: "LedgerTable".into(),
        records_table: "RecordsTable".into(),
        registry_table: "RegistryTable".into(),
        audit_table: "AuditTable".into(),
        stripe_api_base: stack.stripe.url().parse().unwrap(),
        stripe_key_secret: STRIPE_KEY_SECRET.into(),
        stripe_call_interval: Duration::ZERO,
    })
    .unwrap();
    let import = async |minutes: i64| {
        let start = json!({ "kinds": ["payments"] });
        let mut event =
            api_event(include_str!("../../../../events/import/start-import.json"), "POST", "/import");
        event["body"] = start.to_string().into();
        sign_in(&mut event, "sub-1", &["admin"]);
        import::handle(&deps, event, "request", later(minutes), Deadline::NEVER).await.unwrap();
        let schedule = serde_json::from_str(include_str!("../../../../events/import/schedule.json")).unwrap();
        stack.stripe.advance(later(minutes).as_second() - stack.stripe.now());
        import::handle(&deps, schedule, "run", later(minutes), Deadline::NEVER).await.unwrap()
    };
    // As it is here, but for the person: nothing is written.
    assert_eq!(import(10).await["import"]["written"], 0);
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    // A sum that differs is.
    payment["amount_received"] = json!(650);
    stack.stripe.put_object(None, &object("payment_intent", "pi_1", payment));
    assert_eq!(import(20).await["import"]["written"], 1);
    assert_eq!(stack.object("-/payment_intent/pi_1").await["amount_received"], 650);
    assert!(stack.record("-/payment_intent/pi_1").await.erased);
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_finished_erasure_that_meets_an_open_event_waits_since_then() {
    let stack = erased().await;
    let since = async || stack.job("cus_1").await.waiting_since;
    assert_eq!(since().await, None);
    stack.receive("evt_36", "charge.refunded", DAY_MIN - 1, &refunded_charge()).await;
    stack.run(later(DAY_MIN)).await;
    assert_eq!(since().await, Some(later(DAY_MIN).into()));
    // Another pass that leaves it does not begin anew, nor does one who asks.
    stack.run(later(DAY_MIN + 5)).await;
    assert_eq!(since().await, Some(later(DAY_MIN).into()));
    stack.sweep(later(DAY_MIN + 6)).await;
    stack.run(later(DAY_MIN + 10)).await;
    assert_eq!((since().await, stack.erasure("cus_1").await["state"].as_str()), (None, Some("finished")));
}
