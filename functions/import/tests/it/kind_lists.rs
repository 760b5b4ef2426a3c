//! An import goes through all lists in which Stripe has the objects of a kind: those of the account that
//! leave some out, and those that each customer has.

use std::time::Duration;

use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::kind::Kind;
use simulated_stripe::{Answer, Effect, Fault, Key};
use test_cloud::KillPoint;
use test_cloud::fixtures::now;

use crate::support::{Stack, ago, customer, later};

/// So many customers, each with two transactions and a tax id; and a tax id of the account.
fn put_customers(stack: &Stack, account: Option<&str>, count: i64) {
    let made = ago(1_000).as_second();
    for i in 0..count {
        let id = format!("cus_{i:03}");
        let put = |object: Value| stack.stripe.put_object(account, &object);
        put(json!({ "object": "customer", "id": id, "created": made + i, "balance": 0 }));
        for part in 0..2 {
            put(json!({
                "object": "customer_balance_transaction", "id": format!("cbtxn_{i:03}_{part}"),
                "created": made + part, "customer": id, "amount": -part, "invoice": "in_1",
            }));
        }
        put(json!({ "object": "tax_id", "id": format!("txi_{i:03}"), "created": made + i, "customer": id }));
    }
    let own = json!({ "object": "tax_id", "id": "txi_own", "created": made, "owner": { "type": "self" } });
    stack.stripe.put_object(account, &own);
}

const OF_CUSTOMERS: [&str; 2] = ["tax_ids", "customer_balance_transactions"];

/// A kind's state, and how many of it were looked at and written.
async fn progress(stack: &Stack, account: Option<&str>, kind: &str) -> (String, u64, u64) {
    let progress = stack.progress().await;
    let rows = progress["progress"].as_array().unwrap();
    let row = rows.iter().find(|row| row["account"].as_str() == account && row["kind"] == kind).unwrap();
    let number = |field: &str| row[field].as_u64().unwrap();
    (row["state"].as_str().unwrap().to_owned(), number("looked_at"), number("written"))
}

fn done(count: u64) -> (String, u64, u64) {
    ("done".to_owned(), count, count)
}

fn listed(stack: &Stack, part: &str) -> usize {
    stack.stripe.requests().iter().filter(|call| call.path.contains(part)).count()
}

#[tokio::test]
async fn inactive_prices_and_what_customers_have_come_in_by_default() {
    let stack = Stack::start().await;
    put_customers(&stack, None, 3);
    for (id, active) in [("price_1", true), ("price_2", false)] {
        stack.put(&json!({ "object": "price", "id": id, "created": 5, "active": active }));
    }
    stack.import(json!({})).await;
    stack.run(later(1)).await;
    assert_eq!(progress(&stack, None, "prices").await, done(2));
    assert_eq!(progress(&stack, None, "tax_ids").await, done(4));
    assert_eq!(progress(&stack, None, "customer_balance_transactions").await, done(6));
    assert_eq!(stack.progress().await["state"], "finished");
    let record = serde_json::to_value(stack.record("-/customer_balance_transaction/cbtxn_001_1").await);
    let record = record.unwrap();
    assert_eq!((&record["by_customer"], &record["by_invoice"]), (&json!("-/cus_001"), &json!("-/in_1")));
}

#[tokio::test]
async fn customers_of_a_second_page_and_of_connected_accounts_are_gone_through() {
    let mut stack = Stack::start().await;
    put_customers(&stack, None, 101);
    put_customers(&stack, Some("acct_1"), 2);
    stack.registry().record_connected_account(&"acct_1".parse().unwrap(), now()).await.unwrap();
    stack.import(json!({ "kinds": OF_CUSTOMERS })).await;
    // Each run has time for one page.
    stack.deadline = Deadline::after(Duration::ZERO);
    for minutes in 1..10 {
        stack.run(later(minutes)).await;
    }
    assert_eq!(listed(&stack, "/tax_ids"), 9, "the account's, and eight customers'");
    stack.deadline = Deadline::NEVER;
    stack.run(later(10)).await;
    assert_eq!(progress(&stack, None, "tax_ids").await, done(102));
    assert_eq!(progress(&stack, None, "customer_balance_transactions").await, done(202));
    assert_eq!(progress(&stack, Some("acct_1"), "tax_ids").await, done(3));
    assert_eq!(progress(&stack, Some("acct_1"), "customer_balance_transactions").await, done(4));
    assert_eq!(listed(&stack, "/balance_transactions"), 103, "each once");
}

#[tokio::test]
async fn a_customers_long_list_is_gone_through_page_by_page_and_since_ends_it() {
    for (since, expected, pages) in [(None, 250, 3), (Some(ago(120)), 121, 2)] {
        let mut stack = Stack::start().await;
        stack.put(&customer("cus_1", "a"));
        for made in 0..250 {
            stack.put(&json!({
                "object": "customer_balance_transaction", "id": format!("cbtxn_{made}"),
                "created": ago(made).as_second(), "customer": "cus_1",
            }));
        }
        let since = since.map(|since| since.to_string());
        stack.import(json!({ "kinds": ["customer_balance_transactions"], "since": since })).await;
        stack.deadline = Deadline::after(Duration::ZERO);
        for minutes in 1..6 {
            stack.run(later(minutes)).await;
        }
        let kind = "customer_balance_transactions";
        assert_eq!((progress(&stack, None, kind).await.2, listed(&stack, "/balance")), (expected, pages));
        assert_eq!(stack.progress().await["state"], "finished");
    }
}

#[tokio::test]
async fn an_import_that_dies_again_and_again_writes_each_of_a_customers_once() {
    let stack = Stack::start().await;
    put_customers(&stack, None, 20);
    stack.import(json!({ "kinds": OF_CUSTOMERS })).await;
    stack.cloud.clear_calls();
    let (mut minutes, mut kills) = (1, 0);
    while stack.progress().await["state"] == "running" {
        let process = stack.cloud.killable_process();
        let deps = stack.cold_at(process.aws());
        tokio::select! {
            biased;
            () = process.killed_at(KillPoint::AfterCall(12 + kills * 3)) => kills += 1,
            done = stack.try_run(&deps, later(minutes)) => drop(done.unwrap()),
        }
        minutes += 6;
    }
    assert!(kills > 3, "{kills}");
    assert_eq!(stack.count().await, 61);
    assert_eq!(stack.cloud.count("PutItem", "RecordsTable"), 61, "no record is written twice");
    assert_eq!(stack.progress().await["refused"]["count"], 0);
}

#[tokio::test]
async fn a_customer_whom_stripe_does_not_know_any_more_is_passed() {
    let stack = Stack::start().await;
    put_customers(&stack, None, 3);
    let missing = json!({ "error": {
        "type": "invalid_request_error", "code": "resource_missing", "param": "id", "message": "No such customer: 'cus_001'",
    } });
    let answer = Answer { status: 404, body: Some(missing), should_retry: None, retry_after: None };
    let fault = Fault { effect: Effect::Answer(answer), ..Fault::status(404) };
    stack.stripe.add_fault(fault.on("GET", "/v1/customers/cus_001/balance_transactions").times(10));
    stack.import(json!({ "kinds": OF_CUSTOMERS })).await;
    stack.run(later(1)).await;
    assert_eq!(progress(&stack, None, "customer_balance_transactions").await, done(4));
    assert_eq!(progress(&stack, None, "tax_ids").await, done(4));
}

#[tokio::test]
async fn a_deleted_customer_is_passed_whose_list_the_import_stood_in() {
    let mut stack = Stack::start().await;
    put_customers(&stack, None, 3);
    for made in 0..150 {
        stack.put(&json!({
            "object": "customer_balance_transaction", "id": format!("cbtxn_{made}"),
            "created": ago(made).as_second(), "customer": "cus_002",
        }));
    }
    stack.import(json!({ "kinds": ["customer_balance_transactions"] })).await;
    stack.deadline = Deadline::after(Duration::ZERO);
    stack.run(later(1)).await;
    assert_eq!(progress(&stack, None, "customer_balance_transactions").await.1, 100);
    stack.put(&json!({ "object": "customer", "id": "cus_002", "deleted": true }));
    stack.deadline = Deadline::NEVER;
    stack.run(later(2)).await;
    assert_eq!(progress(&stack, None, "customer_balance_transactions").await, done(104));
}

#[tokio::test]
async fn a_key_that_may_not_read_customers_is_told_and_the_accounts_own_come_in() {
    let stack = Stack::start().await;
    put_customers(&stack, None, 3);
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["tax_ids:read"])]);
    stack.import(json!({ "kinds": OF_CUSTOMERS })).await;
    stack.run(later(1)).await;
    assert_eq!(progress(&stack, None, "tax_ids").await, ("refused".to_owned(), 1, 1));
    assert_eq!(progress(&stack, None, "customer_balance_transactions").await.0, "refused");
    let progress = stack.progress().await;
    assert_eq!((&progress["state"], &progress["refused"]["count"]), (&json!("finished"), &json!(2)));
}

#[tokio::test]
async fn a_list_that_is_never_answered_is_passed_and_told_and_the_others_come_in() {
    let html = Some(json!("<html>sign in</html>"));
    for (path, seen) in [
        ("/v1/customers/cus_001/tax_ids", 3),
        // The customers themselves.
        ("/v1/customers", 1),
        ("/v1/tax_ids", 3),
    ] {
        let stack = Stack::start().await;
        put_customers(&stack, None, 3);
        let answer = Answer { status: 200, body: html.clone(), should_retry: Some(false), retry_after: None };
        let fault = Fault { effect: Effect::Answer(answer), ..Fault::status(200) };
        stack.stripe.add_fault(fault.on("GET", path).times(1_000));
        stack.import(json!({ "kinds": ["tax_ids"] })).await;
        for minutes in 1..5 {
            stack.run(later(minutes)).await;
            assert_eq!(stack.progress().await["halted"]["why"], "no_answer", "{path}");
        }
        stack.run(later(5)).await;
        assert_eq!(progress(&stack, None, "tax_ids").await, ("refused".to_owned(), seen, seen), "{path}");
        assert_eq!(stack.progress().await["state"], "finished", "{path}");
    }
}

#[tokio::test]
async fn a_second_import_of_what_is_here_writes_nothing() {
    let stack = Stack::start().await;
    put_customers(&stack, None, 3);
    for (minutes, written) in [(1, 10), (2, 0)] {
        stack.import(json!({ "kinds": OF_CUSTOMERS })).await;
        stack.run(later(minutes)).await;
        assert_eq!(stack.progress().await["written"], written);
    }
    assert!(Kind::all().filter(|kind| kind.below_customer().is_some()).count() == OF_CUSTOMERS.len());
}
