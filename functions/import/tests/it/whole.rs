//! Objects of which Stripe shows the beginning of a list become whole, and stay so.

use std::time::Duration;

use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::kind::Kind;
use shared::ledger::OpenCount;
use shared::records::{ListProgress, Obstacle, OpenReason, Record};
use simulated_stripe::{Answer, Effect, Fault, Key};
use test_cloud::KillPoint;

use crate::support::{Stack, ago, event, later};

const KEY: &str = "-/invoice/in_1";
const LINES: &str = "/v1/invoices/in_1/lines";

/// An invoice with so many lines, whole.
pub(crate) fn invoice(lines: usize) -> Value {
    let line = |i: usize| {
        json!({
            "id": format!("il_{i:04}"), "object": "line_item", "amount": i, "currency": "usd", "description": "a\u{fffd}",
            "pricing": { "type": "price_details", "price_details": { "price": "price_1", "product": "prod_1" } },
        })
    };
    let data: Vec<Value> = (0..lines).map(line).collect();
    let total: usize = (0..lines).sum();
    json!({
        "id": "in_1", "object": "invoice", "created": 5, "customer": "cus_1", "status": "open", "total": total,
        "lines": { "object": "list", "data": data, "has_more": false, "url": LINES },
    })
}

/// An object as Stripe's events and answers show it.
pub(crate) fn shown(object: &Value) -> Value {
    let mut shown = object.clone();
    for list in Kind::from_object_name(object["object"].as_str().unwrap()).unwrap().own_lists() {
        let items = shown[list.member]["data"].as_array_mut().unwrap();
        if items.len() > 10 {
            items.truncate(10);
            shown[list.member]["has_more"] = json!(true);
        }
    }
    shown
}

/// Stripe has the invoice, and its event came here.
async fn event_came(stack: &Stack, id: &str, minutes: i64, invoice: &Value) {
    stack.put(invoice);
    stack.apply(&event(id, "invoice.updated", ago(minutes), &shown(invoice)), ago(minutes)).await;
}

async fn count(stack: &Stack, reason: OpenReason) -> OpenCount {
    stack.records().open(reason).await.unwrap().count
}

async fn record(stack: &Stack) -> Record {
    stack.record(KEY).await.unwrap()
}

/// The obstacle that the record names.
async fn obstacle(stack: &Stack) -> Option<Obstacle> {
    record(stack).await.list.and_then(|list: ListProgress| list.obstacle)
}

/// The calls of Stripe that list something of the invoice.
fn pages(stack: &Stack) -> usize {
    stack.stripe.requests().iter().filter(|call| call.path == LINES).count()
}

fn lines(invoice: &Value) -> usize {
    invoice["lines"]["data"].as_array().unwrap().len()
}

/// An answer that is not tried again within the run, so that the test does not wait.
fn answers(status: u16) -> Fault {
    let answer = Answer { status, body: None, should_retry: Some(false), retry_after: None };
    Fault { effect: Effect::Answer(answer), ..Fault::status(status) }.on("GET", LINES).times(1_000)
}

#[tokio::test]
async fn an_invoice_of_a_thousand_lines_equals_stripes_and_is_still_what_its_event_says() {
    let stack = Stack::start().await;
    let invoice = invoice(1_000);
    event_came(&stack, "evt_1", 60, &invoice).await;
    let before = record(&stack).await;
    assert_eq!(count(&stack, OpenReason::ToComplete).await, OpenCount::Exactly(1));
    stack.run(later(0)).await;
    assert!(stack.object(KEY).await == invoice);
    assert_eq!(pages(&stack), 10);
    let after = record(&stack).await;
    assert_eq!((after.as_of, &after.event, after.fetched), (before.as_of, &before.event, false));
    assert_eq!((after.list, after.events), (None, before.events));
    assert_eq!(count(&stack, OpenReason::ToComplete).await, OpenCount::Exactly(0));
    let kept = String::from_utf8(record(&stack).await.object().unwrap()).unwrap();
    assert!(kept.contains(r#""a\ud83d""#), "each line is as Stripe wrote it");
}

#[tokio::test]
async fn each_list_of_the_table_is_fetched_of_an_import_and_of_connected_accounts_too() {
    for kind in Kind::all() {
        for list in kind.own_lists() {
            let stack = Stack::start().await;
            stack.registry().record_connected_account(&"acct_1".parse().unwrap(), ago(60)).await.unwrap();
            let data: Vec<Value> = (0..12).map(|i| json!({ "id": format!("item_{i}") })).collect();
            let mut object = json!({ "id": "x_1", "object": kind.object(), "created": 5 });
            object[list.member] = json!({ "object": "list", "data": data, "has_more": false });
            for account in [None, Some("acct_1")] {
                stack.stripe.put_object(account, &object);
            }
            stack.import(json!({ "kinds": [kind.plural()] })).await;
            stack.run(later(0)).await;
            let key = |account: &str| format!("{account}/{}/x_1", kind.object());
            assert_eq!(lines_of(&stack.object(&key("-")).await, list.member), 10, "{kind:?}");
            stack.run(later(1)).await;
            for account in ["-", "acct_1"] {
                let kept = stack.object(&key(account)).await;
                assert_eq!(kept[list.member], object[list.member], "{kind:?} {account}");
            }
        }
    }
}

fn lines_of(object: &Value, member: &str) -> usize {
    object[member]["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_list_is_carried_on_run_by_run_and_no_page_is_listed_twice() {
    let mut stack = Stack::start().await;
    let invoice = invoice(350);
    event_came(&stack, "evt_1", 60, &invoice).await;
    // Each run has time for one page.
    stack.deadline = Deadline::after(Duration::ZERO);
    for run in 0..3_usize {
        stack.run(later(i64::try_from(run).unwrap())).await;
        let kept = stack.object(KEY).await;
        assert_eq!((lines(&kept), &kept["lines"]["has_more"]), ((run + 1) * 100, &json!(true)));
    }
    stack.run(later(3)).await;
    assert!(stack.object(KEY).await == invoice);
    assert_eq!(pages(&stack), 4);
}

#[tokio::test]
async fn whenever_it_crashes_the_next_run_finishes_it() {
    for call in 1.. {
        let mut kills = 0;
        for kill_point in [KillPoint::BeforeCall(call), KillPoint::AfterCall(call)] {
            let stack = Stack::start().await;
            let invoice = invoice(620);
            event_came(&stack, "evt_1", 60, &invoice).await;
            let process = stack.cloud.killable_process();
            let deps = stack.cold_at(process.aws());
            tokio::select! {
                biased;
                () = process.killed_at(kill_point.clone()) => kills += 1,
                done = stack.try_run(&deps, later(0)) => { done.unwrap(); }
            }
            // The lease of the killed run expires by itself.
            stack.run(later(10)).await;
            assert!(stack.object(KEY).await == invoice, "{kill_point:?}");
        }
        if kills == 0 {
            break;
        }
    }
}

#[tokio::test]
async fn an_event_that_comes_meanwhile_begins_anew_whichever_it_is_of() {
    let mut stack = Stack::start().await;
    let draft = invoice(350);
    event_came(&stack, "evt_1", 60, &draft).await;
    stack.deadline = Deadline::after(Duration::ZERO);
    stack.run(later(0)).await;
    // A line less at the beginning, one more at the end.
    let mut changed = invoice(351);
    changed["lines"]["data"].as_array_mut().unwrap().remove(0);
    changed["status"] = json!("paid");
    event_came(&stack, "evt_2", 30, &changed).await;
    assert_eq!(lines(&stack.object(KEY).await), 10);
    // An older one changes nothing.
    stack.apply(&event("evt_0", "invoice.created", ago(90), &shown(&draft)), ago(90)).await;
    for run in 1..5 {
        stack.run(later(run)).await;
    }
    assert!(stack.object(KEY).await == changed);
    assert_eq!(record(&stack).await.event.unwrap().as_str(), "evt_2");
}

#[tokio::test]
async fn an_event_that_comes_between_the_list_and_the_write_is_not_overwritten() {
    let stack = Stack::start().await;
    let draft = invoice(12);
    event_came(&stack, "evt_1", 60, &draft).await;
    let mut paid = draft.clone();
    paid["status"] = json!("paid");
    let deps = stack.cold();
    // The list is on its way.
    stack.stripe.add_fault(Fault::hold().on("GET", LINES).after());
    let run = stack.try_run(&deps, later(0));
    let event = async {
        while pages(&stack) == 0 {
            tokio::task::yield_now().await;
        }
        event_came(&stack, "evt_2", 30, &paid).await;
        stack.stripe.clear_faults();
    };
    let (done, ()) = tokio::join!(run, event);
    done.unwrap();
    assert!(stack.object(KEY).await == paid, "and it is whole again in the same run");
    assert_eq!(pages(&stack), 2);
}

#[tokio::test]
async fn a_whole_record_is_no_difference_from_stripes_shortened_answer() {
    let stack = Stack::new().await;
    let invoice = invoice(30);
    event_came(&stack, "evt_1", 60, &invoice).await;
    // The comparison of the night, the rest, and an import beside them.
    stack.import(json!({ "kinds": ["invoices"] })).await;
    for minutes in [0, 1, 12] {
        stack.run(later(minutes)).await;
    }
    assert!(stack.object(KEY).await == invoice);
    stack.import(json!({ "kinds": ["invoices"] })).await;
    stack.run(later(13)).await;
    stack.run(later(1_440)).await;
    let report = stack.report().await;
    assert_eq!(report.differed.count, 0);
    assert!(stack.object(KEY).await == invoice);
    assert_eq!(pages(&stack), 1, "the rest is fetched once");
}

#[tokio::test]
async fn a_change_in_the_first_lines_without_an_event_is_found_and_mended_with_the_rest() {
    let stack = Stack::new().await;
    event_came(&stack, "evt_1", 60, &invoice(30)).await;
    stack.run(later(0)).await;
    let mut changed = invoice(30);
    changed["lines"]["data"][3]["amount"] = json!(77);
    changed["lines"]["data"][20]["amount"] = json!(78);
    stack.put(&changed);
    stack.import(json!({ "kinds": ["invoices"] })).await;
    for minutes in [1, 2] {
        stack.run(later(minutes)).await;
    }
    assert!(stack.object(KEY).await == changed);
}

#[tokio::test]
async fn a_list_that_has_changed_since_is_listed_of_the_object_as_it_is_now() {
    // The last line that was listed is gone, or the first one is the last now; or the list became shorter.
    let mut without_one = invoice(350);
    without_one["lines"]["data"].as_array_mut().unwrap().remove(99);
    let mut in_another_order = invoice(350);
    in_another_order["lines"]["data"].as_array_mut().unwrap().rotate_left(1);
    for (listed, now) in [(1, without_one), (1, in_another_order), (0, invoice(5)), (0, invoice(0))] {
        let mut stack = Stack::start().await;
        event_came(&stack, "evt_1", 60, &invoice(350)).await;
        for run in 0..listed {
            stack.deadline = Deadline::after(Duration::ZERO);
            stack.run(later(run)).await;
        }
        // No event told of it.
        stack.put(&now);
        stack.deadline = Deadline::NEVER;
        for run in 2..4 {
            stack.run(later(run)).await;
        }
        assert!(stack.object(KEY).await == now);
        assert_eq!(count(&stack, OpenReason::Incomplete).await, OpenCount::Exactly(0));
    }
}

#[tokio::test]
async fn what_the_key_may_not_list_is_left_at_once_and_tried_again_in_the_night() {
    let stack = Stack::start().await;
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["customers:read"])]);
    let invoice = invoice(12);
    event_came(&stack, "evt_1", 60, &invoice).await;
    let mut other = invoice.clone();
    other["id"] = json!("in_2");
    stack.apply(&event("evt_2", "invoice.updated", ago(60), &shown(&other)), ago(60)).await;
    stack.run(later(0)).await;
    assert!(
        matches!(obstacle(&stack).await, Some(Obstacle::Refused(failure)) if failure.status == Some(403))
    );
    assert_eq!(count(&stack, OpenReason::Incomplete).await, OpenCount::Exactly(2), "the other one too");
    assert_eq!(stack.stripe.requests().len(), 1, "one call tells of the whole kind");
    stack.run(later(1)).await;
    assert_eq!(stack.stripe.requests().len(), 1);
    assert_eq!(lines(&stack.object(KEY).await), 10);
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["invoices:read"])]);
    stack.run(later(1_440)).await;
    assert!(stack.object(KEY).await == invoice);
}

#[tokio::test]
async fn what_stripe_does_not_know_or_refuses_is_left_until_the_night_or_an_event() {
    for status in [400, 404] {
        let stack = Stack::start().await;
        let invoice = invoice(12);
        event_came(&stack, "evt_1", 60, &invoice).await;
        stack.stripe.add_fault(answers(status));
        stack.run(later(0)).await;
        assert!(matches!(obstacle(&stack).await, Some(Obstacle::Refused(_))), "{status}");
        stack.stripe.clear_faults();
        stack.run(later(1)).await;
        assert_eq!((lines(&stack.object(KEY).await), pages(&stack)), (10, 1), "it is not tried each minute");
        event_came(&stack, "evt_2", 30, &invoice).await;
        stack.run(later(2)).await;
        assert!(stack.object(KEY).await == invoice);
    }
}

#[tokio::test]
async fn a_list_that_alone_gets_no_answer_of_stripes_is_left_after_five_runs_and_holds_up_no_other() {
    let page = "<html>502</html>";
    let not_a_list = json!({ "object": "invoice", "id": "in_1" });
    let without_ids = json!({ "object": "list", "data": [{ "amount": 1 }], "has_more": false });
    let ok = |body: Value| Fault::status(200).body(body).on("GET", LINES).times(1_000);
    for (case, fault) in [
        ("500", answers(500)),
        ("page", ok(json!(page))),
        ("other object", ok(not_a_list)),
        ("no ids", ok(without_ids)),
    ] {
        let stack = Stack::start().await;
        let invoice = invoice(12);
        event_came(&stack, "evt_1", 60, &invoice).await;
        let mut other = invoice.clone();
        (other["id"], other["created"]) = (json!("in_2"), json!(6));
        stack.put(&other);
        stack.apply(&event("evt_2", "invoice.updated", ago(60), &shown(&other)), ago(60)).await;
        stack.stripe.add_fault(fault);
        for run in 0..4 {
            stack.run(later(run)).await;
            assert_eq!(obstacle(&stack).await, None, "{case} {run}");
        }
        assert!(stack.object("-/invoice/in_2").await == other, "{case}");
        stack.run(later(4)).await;
        assert!(matches!(obstacle(&stack).await, Some(Obstacle::Unanswered(_))), "{case}");
        let calls = pages(&stack);
        stack.run(later(5)).await;
        assert_eq!(pages(&stack), calls, "{case}");
        assert_eq!(lines(&stack.object(KEY).await), 10, "{case}");
        stack.stripe.clear_faults();
        stack.run(later(1_440)).await;
        assert!(stack.object(KEY).await == invoice, "{case}");
    }
}

#[tokio::test]
async fn an_outage_of_stripe_counts_against_no_list() {
    let stack = Stack::start().await;
    let invoice = invoice(12);
    event_came(&stack, "evt_1", 60, &invoice).await;
    for run in 0..8 {
        stack.stripe.clear_faults();
        stack.stripe.add_fault(Fault::rate_limit(Some(false)).times(1_000));
        stack.run(later(run)).await;
    }
    assert_eq!(record(&stack).await.list, None);
    stack.stripe.clear_faults();
    stack.run(later(8)).await;
    assert!(stack.object(KEY).await == invoice);
}

#[tokio::test]
async fn what_would_be_too_large_stays_as_far_as_it_is_and_is_not_tried_again() {
    // Too large to be shown; and to be kept, as it cannot be packed well.
    let plain = |i: usize| format!("{i}").repeat(6_000);
    let random = |i: usize| (0..100).map(|j| sha(i * 100 + j)).collect::<String>();
    for (lines_at_stripe, text) in [(900, &plain as &dyn Fn(usize) -> String), (500, &random)] {
        let stack = Stack::start().await;
        let mut invoice = invoice(lines_at_stripe);
        for (i, line) in invoice["lines"]["data"].as_array_mut().unwrap().iter_mut().enumerate() {
            line["description"] = json!(text(i % 90 + 10));
        }
        if lines_at_stripe == 500 {
            for (i, line) in invoice["lines"]["data"].as_array_mut().unwrap().iter_mut().enumerate() {
                line["description"] = json!(text(i));
            }
        }
        event_came(&stack, "evt_1", 60, &invoice).await;
        stack.run(later(0)).await;
        assert_eq!(obstacle(&stack).await, Some(Obstacle::TooLarge));
        let kept = stack.object(KEY).await;
        assert_eq!((&kept["lines"]["has_more"], &kept["total"]), (&json!(true), &invoice["total"]));
        let calls = pages(&stack);
        stack.run(later(1)).await;
        stack.run(later(1_440)).await;
        assert_eq!(pages(&stack), calls, "also not in the night");
        assert_eq!(count(&stack, OpenReason::Incomplete).await, OpenCount::Exactly(1));
    }
}

/// A text that cannot be packed well.
fn sha(i: usize) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    i.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[tokio::test]
async fn what_is_deleted_or_gone_waits_for_nothing() {
    let stack = Stack::start().await;
    let mut draft = invoice(12);
    draft["status"] = json!("draft");
    event_came(&stack, "evt_1", 60, &draft).await;
    stack.apply(&event("evt_2", "invoice.deleted", ago(30), &shown(&draft)), ago(30)).await;
    assert_eq!(count(&stack, OpenReason::ToComplete).await, OpenCount::Exactly(0));
    let record = record(&stack).await;
    assert!(record.deleted);
    let gone = record.with_gone_at_stripe(true);
    assert!(!gone.is_at_stripe());
    stack.run(later(0)).await;
    assert_eq!(pages(&stack), 0);
}

#[tokio::test]
async fn what_is_erased_has_no_list_and_waits_for_nothing() {
    let stack = Stack::start().await;
    event_came(&stack, "evt_1", 60, &invoice(12)).await;
    let record = record(&stack).await;
    stack.records().replace(&record, &record.erased().unwrap()).await.unwrap();
    assert_eq!(count(&stack, OpenReason::ToComplete).await, OpenCount::Exactly(0));
    // Nor does what takes its place.
    event_came(&stack, "evt_2", 30, &invoice(13)).await;
    assert_eq!(count(&stack, OpenReason::ToComplete).await, OpenCount::Exactly(0));
    stack.run(later(0)).await;
    assert_eq!(pages(&stack), 0);
    assert_eq!(stack.object(KEY).await["lines"], Value::Null);
}

#[tokio::test]
async fn without_a_key_or_a_table_nothing_is_lost() {
    let stack = Stack::start().await;
    let invoice = invoice(12);
    event_came(&stack, "evt_1", 60, &invoice).await;
    let deps = stack.cold();
    stack.cloud.fail("PutItem", "RecordsTable", 1_000, test_cloud::Fault::ServerError);
    stack.try_run(&deps, later(0)).await.unwrap_err();
    stack.cloud.clear_faults();
    stack.run(later(10)).await;
    assert!(stack.object(KEY).await == invoice);
}
