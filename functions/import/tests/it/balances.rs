//! The transactions of a customer's balance are here once it has changed, whatever stands in the way.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::kind::Kind;
use shared::lossy_json;
use shared::order::comparable;
use shared::records::{BalanceListing, Obstacle, OpenOrder, OpenReason, Record, RecordListing};
use simulated_stripe::{Answer, BalanceChange, Effect, Fault, Key, NewEvent};
use test_cloud::KillPoint;

use crate::support::{Stack, ago, customer, event, later};

const LIST: &str = "/v1/customers/cus_1/balance_transactions";

/// Stripe has a customer with this balance, and the event of it came here.
async fn put_customer(stack: &Stack, id: &str, balance: i64) {
    let mut object = customer(id, "a@example.com");
    (object["balance"], object["currency"]) = (json!(balance), json!("usd"));
    stack.put(&object);
    stack.apply(&event(&format!("evt_of_{id}"), "customer.created", ago(60), &object), ago(60)).await;
}

async fn start() -> Stack {
    let stack = Stack::start().await;
    put_customer(&stack, "cus_1", 0).await;
    stack
}

/// The customer's balance changes at Stripe. Returns the event.
fn change(stack: &Stack, id: &str, amount: i64) -> Value {
    let change = BalanceChange { customer: id.to_owned(), amount, ..BalanceChange::default() };
    stack.stripe.change_balance(&change).unwrap().1
}

/// The customer changes in another way. Returns the event.
fn rename(stack: &Stack, id: &str, email: &str) -> Value {
    stack.stripe.emit(NewEvent::update("customer.updated", id).set("email", email)).unwrap()
}

/// An event comes here, minutes from now.
async fn comes(stack: &Stack, minutes: i64, event: &Value) {
    stack.apply(&event.to_string(), later(minutes)).await;
}

/// Puts transactions at Stripe of which no event tells, each a minute younger than the one before.
fn put_transactions(stack: &Stack, count: i64) {
    for i in 0..count {
        stack.put(&transaction(&format!("cbtxn_{i:04}"), "cus_1", 100_000 - i));
    }
}

fn transaction(id: &str, customer: &str, minutes_ago: i64) -> Value {
    json!({
        "object": "customer_balance_transaction", "id": id, "amount": -5, "ending_balance": -5, "currency": "usd",
        "created": ago(minutes_ago).as_second(), "customer": customer, "customer_account": null,
        "type": "a type that nobody knows yet", "invoice": "in_1", "credit_note": null, "checkout_session": null,
        "description": "for Ann", "metadata": {}, "livemode": false,
    })
}

/// The customer's transactions here, by id.
async fn here(stack: &Stack, id: &str) -> BTreeMap<String, Value> {
    let kind = Kind::CUSTOMER_BALANCE_TRANSACTION;
    let listing = RecordListing::Customer { account: AccountKey::OWN, customer: id.to_owned(), kind };
    let records = stack.records().all(&listing).await.unwrap();
    let object = |record: &Record| lossy_json::from_slice::<Value>(&record.object().unwrap()).unwrap();
    records.iter().map(|record| (record.key.id().to_owned(), comparable(&object(record)))).collect()
}

async fn assert_all_here(stack: &Stack, id: &str, count: usize) {
    let here = here(stack, id).await;
    assert_eq!(here.len(), count);
    for (id, object) in here {
        assert_eq!(object, comparable(&stack.stripe.object(None, &id).unwrap()));
    }
}

async fn open(stack: &Stack, reason: OpenReason) -> Vec<String> {
    let keys = stack.records().open_keys(reason, 10, OpenOrder::EarliestFirst).await.unwrap();
    keys.iter().map(|key| key.id().to_owned()).collect()
}

async fn listing(stack: &Stack) -> BalanceListing {
    stack.record("-/customer/cus_1").await.unwrap().balance_listing.unwrap_or_default()
}

fn pages(stack: &Stack) -> usize {
    stack.stripe.requests().iter().filter(|call| call.path == LIST).count()
}

/// An answer that is not tried again within the run, so that the test does not wait.
fn answers(status: u16, body: Option<Value>) -> Fault {
    let answer = Answer { status, body, should_retry: Some(false), retry_after: None };
    Fault { effect: Effect::Answer(answer), ..Fault::status(status) }.on("GET", LIST).times(1_000)
}

#[tokio::test]
async fn a_change_of_the_balance_brings_its_transactions_and_no_other_change_costs_a_call() {
    let stack = start().await;
    comes(&stack, 0, &rename(&stack, "cus_1", "b@example.com")).await;
    stack.run(later(1)).await;
    assert!(open(&stack, OpenReason::BalanceToList).await.is_empty() && pages(&stack) == 0);
    comes(&stack, 1, &change(&stack, "cus_1", -500)).await;
    assert_eq!(open(&stack, OpenReason::BalanceToList).await, ["cus_1"]);
    let run = stack.run(later(2)).await;
    assert_eq!(run["balances"], json!({ "pages": 1, "listed": 1, "written": 1 }));
    assert_all_here(&stack, "cus_1", 1).await;
    assert!(open(&stack, OpenReason::BalanceToList).await.is_empty());
    stack.stripe.advance(60);
    comes(&stack, 3, &rename(&stack, "cus_1", "c@example.com")).await;
    stack.run(later(4)).await;
    assert_eq!(pages(&stack), 1, "of a customer with a balance neither");
}

#[tokio::test]
async fn a_balance_that_returns_to_what_it_was_has_two_transactions() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let stack = start().await;
        let mut events = vec![change(&stack, "cus_1", -10)];
        stack.stripe.advance(1);
        events.push(change(&stack, "cus_1", 10));
        stack.stripe.advance(1);
        events.push(rename(&stack, "cus_1", "b@example.com"));
        for event in order {
            comes(&stack, 1, &events[event]).await;
        }
        stack.run(later(2)).await;
        assert_all_here(&stack, "cus_1", 2).await;
        assert!(open(&stack, OpenReason::BalanceToList).await.is_empty(), "{order:?}");
    }
}

#[tokio::test]
async fn a_customer_who_is_found_with_a_balance_has_transactions_and_one_without_costs_no_call() {
    let stack = Stack::start().await;
    put_customer(&stack, "cus_1", -5).await;
    put_customer(&stack, "cus_2", 0).await;
    stack.put(&transaction("cbtxn_1", "cus_1", 50));
    let mut old = customer("cus_old", "a");
    old["account_balance"] = json!(-5);
    stack.put(&old);
    stack.put(&transaction("cbtxn_old", "cus_old", 50));
    stack.import(json!({ "kinds": ["customers"] })).await;
    stack.run(later(1)).await;
    stack.run(later(2)).await;
    assert_all_here(&stack, "cus_1", 1).await;
    assert_all_here(&stack, "cus_old", 1).await;
    let asked = |id: &str| stack.stripe.requests().iter().any(|call| call.path.contains(&format!("{id}/")));
    assert!(asked("cus_1") && asked("cus_old") && !asked("cus_2"));
}

#[tokio::test]
async fn a_balance_that_only_the_nightly_comparison_sees_is_listed() {
    let stack = Stack::new().await;
    put_customer(&stack, "cus_1", 0).await;
    change(&stack, "cus_1", -7);
    for minutes in [0, 11, 12, 13] {
        stack.run(later(minutes)).await;
    }
    assert_eq!(stack.object("-/customer/cus_1").await["balance"], -7);
    assert_all_here(&stack, "cus_1", 1).await;
}

#[tokio::test]
async fn a_long_list_is_gone_through_page_by_page_once_and_then_up_to_what_is_known() {
    let mut stack = start().await;
    put_transactions(&stack, 250);
    comes(&stack, 1, &change(&stack, "cus_1", -500)).await;
    // Each run has time for one page.
    stack.deadline = Deadline::after(Duration::ZERO);
    for minutes in 2..5 {
        assert_eq!(open(&stack, OpenReason::BalanceToList).await, ["cus_1"]);
        stack.run(later(minutes)).await;
    }
    assert!(open(&stack, OpenReason::BalanceToList).await.is_empty());
    assert_all_here(&stack, "cus_1", 251).await;
    assert_eq!(pages(&stack), 3);
    stack.stripe.advance(60);
    comes(&stack, 5, &change(&stack, "cus_1", -500)).await;
    stack.run(later(6)).await;
    assert_all_here(&stack, "cus_1", 252).await;
    assert_eq!(pages(&stack), 4, "those of before are here");
}

#[tokio::test]
async fn a_change_that_comes_while_the_list_is_gone_through_is_listed_too() {
    let mut stack = start().await;
    put_transactions(&stack, 150);
    comes(&stack, 1, &change(&stack, "cus_1", -500)).await;
    stack.deadline = Deadline::after(Duration::ZERO);
    stack.run(later(2)).await;
    stack.stripe.advance(60);
    comes(&stack, 3, &change(&stack, "cus_1", 500)).await;
    for minutes in 4..7 {
        stack.run(later(minutes)).await;
    }
    assert_all_here(&stack, "cus_1", 152).await;
    assert!(open(&stack, OpenReason::BalanceToList).await.is_empty());
}

#[tokio::test]
async fn a_change_of_the_second_in_which_stripe_is_asked_is_looked_for_again() {
    let stack = start().await;
    stack.stripe.advance(60);
    let event = change(&stack, "cus_1", -1);
    comes(&stack, 0, &event).await;
    stack.run(later(1)).await;
    assert_eq!(open(&stack, OpenReason::BalanceToList).await, ["cus_1"], "its second was not over");
    change(&stack, "cus_1", -1);
    stack.run(later(2)).await;
    assert_all_here(&stack, "cus_1", 2).await;
    assert!(open(&stack, OpenReason::BalanceToList).await.is_empty());
}

#[tokio::test]
async fn a_test_clock_that_is_years_ahead_does_not_have_the_list_gone_through_for_ever() {
    let stack = start().await;
    let mut event = change(&stack, "cus_1", -1);
    event["created"] = json!(later(1_000_000).as_second());
    comes(&stack, 1, &event).await;
    for minutes in 2..5 {
        stack.run(later(minutes)).await;
    }
    assert_all_here(&stack, "cus_1", 1).await;
    assert_eq!(pages(&stack), 1);
}

#[tokio::test]
async fn a_refusal_is_kept_and_tried_again_at_night() {
    let stack = start().await;
    comes(&stack, 1, &change(&stack, "cus_1", -1)).await;
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["webhook_endpoints:read"])]);
    stack.run(later(2)).await;
    assert_eq!(open(&stack, OpenReason::BalanceUnlisted).await, ["cus_1"]);
    let incomplete = stack.records().incomplete().await.unwrap();
    let left = &incomplete.first_left[0];
    assert_eq!((left.key.id(), &*left.member), ("cus_1", "balance_transactions"), "what the status reads");
    assert!(matches!(&left.obstacle, Obstacle::Refused(failure) if failure.message.contains("rak_customer")));
    stack.run(later(3)).await;
    assert_eq!(pages(&stack), 1, "once a night");
    comes(&stack, 3, &rename(&stack, "cus_1", "b@example.com")).await;
    assert_eq!(open(&stack, OpenReason::BalanceUnlisted).await, ["cus_1"], "no change of the balance");
    stack.stripe.advance(1);
    comes(&stack, 3, &change(&stack, "cus_1", -1)).await;
    assert_eq!(open(&stack, OpenReason::BalanceToList).await, ["cus_1"], "one is worth another try");
    stack.run(later(4)).await;
    stack.stripe.set_keys(vec![Key::full(&stack.stripe.key())]);
    stack.run(later(24 * 60)).await;
    assert_all_here(&stack, "cus_1", 2).await;
    assert!(stack.records().incomplete().await.unwrap().first_left.is_empty());
}

#[tokio::test]
async fn what_is_never_stripes_answer_is_left_after_some_runs_and_holds_up_no_other() {
    let html = Some(json!("<html>sign in</html>"));
    let others =
        Some(json!({ "object": "list", "data": [{ "object": "charge", "id": "ch_1" }], "has_more": false }));
    for (status, body) in [(500, None), (200, html), (200, others)] {
        let stack = start().await;
        put_customer(&stack, "cus_2", 0).await;
        for id in ["cus_1", "cus_2"] {
            comes(&stack, 1, &change(&stack, id, -1)).await;
        }
        stack.stripe.add_fault(answers(status, body.clone()));
        for run in 0..5 {
            assert_eq!(listing(&stack).await.failed_runs, run, "{body:?}");
            assert_eq!(open(&stack, OpenReason::BalanceToList).await[0], "cus_1");
            stack.run(later(i64::from(run) + 2)).await;
            assert_all_here(&stack, "cus_2", 1).await;
        }
        assert!(matches!(listing(&stack).await.obstacle, Some(Obstacle::Unanswered(_))), "{body:?}");
        assert!(open(&stack, OpenReason::BalanceToList).await.is_empty());
        stack.stripe.clear_faults();
        stack.run(later(24 * 60)).await;
        assert_all_here(&stack, "cus_1", 1).await;
    }
}

#[tokio::test]
async fn a_key_that_stripe_rejects_and_an_outage_count_for_nothing() {
    let stack = start().await;
    comes(&stack, 1, &change(&stack, "cus_1", -1)).await;
    let key = stack.stripe.key();
    stack.stripe.set_keys(Vec::new());
    stack.run(later(2)).await;
    stack.stripe.set_keys(vec![Key::full(&key)]);
    let answer = Answer { status: 500, body: None, should_retry: Some(false), retry_after: None };
    stack.stripe.add_fault(Fault { effect: Effect::Answer(answer), ..Fault::status(500) }.times(1_000));
    stack.run(later(3)).await;
    assert_eq!(listing(&stack).await, BalanceListing::default());
    stack.stripe.clear_faults();
    stack.run(later(4)).await;
    assert_all_here(&stack, "cus_1", 1).await;
}

#[tokio::test]
async fn a_customer_who_is_deleted_or_unknown_is_not_asked_for_again_and_again() {
    let stack = start().await;
    comes(&stack, 1, &change(&stack, "cus_1", -1)).await;
    stack.stripe.remove_object(None, "cus_1");
    for minutes in 2..5 {
        stack.run(later(minutes)).await;
    }
    assert_eq!(
        (pages(&stack), open(&stack, OpenReason::BalanceUnlisted).await),
        (1, vec!["cus_1".to_owned()])
    );
    let deleted = json!({ "object": "customer", "id": "cus_1", "deleted": true });
    stack.apply(&event("evt_9", "customer.deleted", later(5), &deleted), later(5)).await;
    assert!(open(&stack, OpenReason::BalanceUnlisted).await.is_empty());
    stack.run(later(24 * 60)).await;
    assert_eq!(pages(&stack), 1);
}

#[tokio::test]
async fn a_record_of_before_balances_were_listed_is_listed_with_its_next_event() {
    let stack = Stack::start().await;
    put_customer(&stack, "cus_1", -5).await;
    stack.put(&transaction("cbtxn_1", "cus_1", 50));
    // As an older version of Billhook wrote it.
    let record = stack.record("-/customer/cus_1").await.unwrap();
    let mut item = serde_json::to_value(&record).unwrap();
    for since in ["balance_changed_at", "open"] {
        assert!(item.as_object_mut().unwrap().remove(since).is_some());
    }
    let old: Record = serde_json::from_value(item).unwrap();
    assert!(!old.is_balance_to_list());
    let next = rename(&stack, "cus_1", "b@example.com");
    let new = old.in_place_of(&old).unwrap();
    assert!(new.is_balance_to_list(), "whatever replaces it");
    comes(&stack, 1, &next).await;
    stack.run(later(2)).await;
    assert_all_here(&stack, "cus_1", 1).await;
}

/// A small generator, so that a seed names a run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.roll(len as u64)).unwrap()
    }
}

#[tokio::test]
async fn whatever_the_order_the_repeats_the_losses_and_the_kills_all_transactions_are_here() {
    for seed in 1..=8 {
        let mut dice = Dice(seed);
        let stack = Stack::start().await;
        let customers = ["cus_1", "cus_2", "cus_3"];
        for id in customers {
            put_customer(&stack, id, 0).await;
        }
        // What is lost for good is seen by a later event: then balances only fall.
        let loses = dice.roll(2) == 0;
        let (mut waiting, mut counts): (Vec<(Value, bool)>, BTreeMap<&str, usize>) = Default::default();
        let (mut minutes, mut kills) = (1, 0);
        for step in 0..24 {
            stack.stripe.advance(i64::try_from(dice.roll(3)).unwrap());
            let id = customers[dice.index(3)];
            if dice.roll(3) == 0 {
                waiting.push((rename(&stack, id, &format!("{step}@example.com")), false));
            } else {
                let amount = i64::try_from(dice.roll(2)).unwrap() * 20 - 10;
                waiting.push((change(&stack, id, if loses { -10 } else { amount }), loses));
                *counts.entry(id).or_default() += 1;
            }
            if dice.roll(3) == 0 {
                let (event, can_be_lost) = waiting.swap_remove(dice.index(waiting.len()));
                if !can_be_lost || dice.roll(3) > 0 {
                    comes(&stack, minutes, &event).await;
                }
                if dice.roll(4) == 0 {
                    comes(&stack, minutes, &event).await;
                }
            }
            if dice.roll(4) == 0 {
                let process = stack.cloud.killable_process();
                let deps = stack.cold_at(process.aws());
                tokio::select! {
                    biased;
                    () = process.killed_at(KillPoint::AfterCall(5 + dice.index(20))) => kills += 1,
                    done = stack.try_run(&deps, later(minutes)) => drop(done.unwrap()),
                }
                // The lease of one that was killed ends by itself.
                minutes += 6;
            }
        }
        // What tells last of each customer's balance comes for sure.
        for id in customers {
            waiting.push((rename(&stack, id, "last@example.com"), false));
        }
        while !waiting.is_empty() {
            let (event, can_be_lost) = waiting.swap_remove(dice.index(waiting.len()));
            if !can_be_lost || dice.roll(3) > 0 {
                comes(&stack, minutes, &event).await;
            }
        }
        for _ in 0..3 {
            minutes += 6;
            stack.run(later(minutes)).await;
        }
        for id in customers {
            assert_all_here(&stack, id, counts.get(id).copied().unwrap_or_default()).await;
        }
        let open = open(&stack, OpenReason::BalanceToList).await;
        assert!(open.is_empty(), "seed {seed}, {kills} kills: {open:?}");
    }
}
