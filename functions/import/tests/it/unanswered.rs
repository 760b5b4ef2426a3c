//! An object or list that Stripe never answers, or refuses by itself, holds up nothing else.

use shared::deadline::Deadline;
use std::time::Duration;

use serde_json::{Value, json};
use shared::registry::Settings;
use simulated_stripe::{Answer, Effect, Fault};

use crate::support::{Stack, ago, customer, event, later};

/// An error each time, which is not retried within the run, so that the test does not wait.
fn fails(path: &str, status: u16) -> Fault {
    let answer = Answer { status, body: None, should_retry: Some(false), retry_after: None };
    Fault { effect: Effect::Answer(answer), ..Fault::status(status) }.on("GET", path).times(1_000)
}

/// Two customers that have changed without an event; the first one is compared first.
async fn two_differ() -> Stack {
    let stack = Stack::new().await;
    for (id, minutes) in [("cus_1", 60), ("cus_2", 61)] {
        let update = event(&format!("evt_{id}"), "customer.updated", ago(minutes), &customer(id, "old"));
        stack.apply(&update, ago(minutes)).await;
        stack.put(&customer(id, "new"));
    }
    stack
}

async fn assert_only_the_first_is_left_out(stack: &Stack, status: u16) {
    let report = stack.report().await;
    assert_eq!((report.unread.count, report.refused.count, report.differed.count), (1, 0, 1), "{report:?}");
    let unread = &report.unread.first[0];
    assert_eq!((unread.key.id(), unread.failure.status), ("cus_1", Some(status)));
    assert_eq!(stack.object("-/customer/cus_1").await["email"], "old");
    assert_eq!(stack.object("-/customer/cus_2").await["email"], "new");
}

#[tokio::test]
async fn an_object_that_is_never_answered_is_skipped_by_the_fifth_run() {
    // At the first comparison, and when the mismatch is compared again.
    for is_recheck in [false, true] {
        let stack = two_differ().await;
        let mut first = 0;
        if is_recheck {
            stack.run(later(0)).await;
            first = 11;
        }
        stack.stripe.add_fault(fails("/v1/customers/cus_1", 500));
        for run in 0..4 {
            stack.run(later(first + run)).await;
            let progress = stack.comparison().await;
            assert!(progress.halted.is_some() && progress.last.is_none(), "{is_recheck} {run}: {progress:?}");
            assert_eq!(progress.pass.unwrap().unanswered.unwrap().runs, u32::try_from(run).unwrap() + 1);
        }
        stack.run(later(first + 4)).await;
        assert_eq!(stack.comparison().await.halted, None);
        stack.run(later(first + 15)).await;
        assert_only_the_first_is_left_out(&stack, 500).await;
    }
}

#[tokio::test]
async fn what_was_not_answered_for_a_while_is_compared_when_it_is() {
    let stack = two_differ().await;
    stack.stripe.add_fault(fails("/v1/customers/cus_1", 500));
    for run in 0..4 {
        stack.run(later(run)).await;
    }
    stack.stripe.clear_faults();
    for minutes in [4, 15] {
        stack.run(later(minutes)).await;
    }
    let report = stack.report().await;
    assert_eq!((report.unread.count, report.differed.count), (0, 2));
}

#[tokio::test]
async fn nothing_is_skipped_during_an_outage_a_rate_limit_or_with_a_rejected_key() {
    for fault in
        [fails("/v1", 500), fails("/v1/customers", 429), fails("/v1/customers", 401), fails("/v1", 429)]
    {
        let what = format!("{fault:?}");
        let stack = two_differ().await;
        stack.import(json!({ "kinds": ["customers"] })).await;
        stack.stripe.add_fault(fault);
        for run in 0..7 {
            stack.run(later(run)).await;
            let pass = stack.comparison().await.pass.unwrap();
            assert_eq!((pass.unanswered, pass.report.unread.count), (None, 0), "{what}");
        }
        assert_eq!(stack.progress().await["state"], "running", "{what}");
        stack.stripe.clear_faults();
        stack.run(later(8)).await;
        let progress = stack.progress().await;
        assert_eq!(
            (&progress["state"], &progress["refused"]["count"]),
            (&json!("finished"), &json!(0)),
            "{what}"
        );
    }
}

/// Two customers that Stripe does not know, and a third that has changed there. The account of the stack is
/// known.
async fn two_are_gone() -> Stack {
    let stack = Stack::new().await;
    let registry = stack.registry();
    let old = registry.settings().await.unwrap().unwrap();
    let mut new = Settings { stripe_account: Some("acct_1Simulated".into()), ..old.clone() };
    registry.store_settings(Some(&old), &mut new).await.unwrap();
    for (id, minutes) in [("cus_1", 60), ("cus_2", 61), ("cus_3", 62)] {
        let update = event(&format!("evt_{id}"), "customer.updated", ago(minutes), &customer(id, "old"));
        stack.apply(&update, ago(minutes)).await;
    }
    stack.put(&customer("cus_3", "new"));
    stack
}

#[tokio::test]
async fn an_account_that_is_never_told_holds_up_nothing_but_what_depends_on_it() {
    for status in [500, 400] {
        let stack = two_are_gone().await;
        stack.stripe.add_fault(fails("/v1/account", status));
        if status == 500 {
            for run in 0..4 {
                stack.run(later(run)).await;
                let progress = stack.comparison().await;
                assert!(progress.halted.is_some() && progress.last.is_none(), "{run}: {progress:?}");
            }
        }
        for minutes in [4, 15] {
            stack.run(later(minutes)).await;
        }
        let report = stack.report().await;
        let unread: Vec<_> = report.unread.first.iter().map(|unread| unread.key.id()).collect();
        assert_eq!(unread, ["cus_1", "cus_2"], "{status}: {report:?}");
        assert!(report.unread.first.iter().all(|unread| unread.failure.status == Some(status)));
        assert_eq!((report.gone.count, report.missing.count, report.differed.count), (0, 0, 1), "{status}");
    }
}

#[tokio::test]
async fn an_answer_to_the_account_that_is_not_stripes_says_nothing_about_an_object() {
    let page = json!("<html>acct_1Simulated</html>");
    let elses = json!({ "id": "acct_1Simulated", "object": "user" });
    for body in [json!({ "id": "acct_1Simulated" }), elses, page] {
        let stack = two_are_gone().await;
        let elses = Fault::status(200).body(body.clone()).on("GET", "/v1/account").times(1_000);
        stack.stripe.add_fault(elses);
        for minutes in [0, 1, 2, 3, 4, 15] {
            stack.run(later(minutes)).await;
        }
        let report = stack.report().await;
        assert_eq!((report.gone.count, report.missing.count, report.unread.count), (0, 0, 2), "{body}");
    }
}

#[tokio::test]
async fn an_answer_of_another_object_is_compared_with_nothing() {
    let stack = two_differ().await;
    for other in [customer("cus_2", "new"), json!({ "object": "charge", "id": "cus_1" }), json!("<html>")] {
        let elses = Fault::status(200).body(other).on("GET", "/v1/customers/cus_1").times(1_000);
        stack.stripe.clear_faults();
        stack.stripe.add_fault(elses);
        stack.run(later(0)).await;
        let progress = stack.comparison().await;
        assert!(progress.halted.is_some(), "{progress:?}");
        assert!(progress.pass.unwrap().mismatches.is_empty());
    }
    stack.stripe.clear_faults();
    for minutes in [1, 12] {
        stack.run(later(minutes)).await;
    }
    assert_eq!(stack.report().await.differed.count, 2);
}

#[tokio::test]
async fn an_object_that_is_refused_by_itself_does_not_end_its_kind() {
    let stack = two_differ().await;
    stack.stripe.add_fault(fails("/v1/customers/cus_1", 400));
    for minutes in [0, 11] {
        stack.run(later(minutes)).await;
    }
    assert_only_the_first_is_left_out(&stack, 400).await;
}

#[tokio::test]
async fn a_list_whose_page_is_never_answered_ends_as_refused_and_the_others_come_in() {
    let mut stack = Stack::start().await;
    stack.put_many("refund", "re", 150);
    stack.put_many("customer", "cus", 3);
    stack.import(json!({ "kinds": ["refunds", "customers"] })).await;
    stack.deadline = Deadline::after(Duration::ZERO);
    let kind_progress = |progress: &Value, kind: &str| {
        let rows = progress["progress"].as_array().unwrap();
        rows.iter().find(|row| row["kind"] == kind).unwrap().clone()
    };
    // The first page comes.
    let mut minutes = 1;
    while kind_progress(&stack.progress().await, "refunds")["looked_at"] == 0 {
        stack.run(later(minutes)).await;
        minutes += 1;
    }
    stack.deadline = Deadline::NEVER;
    stack.stripe.add_fault(fails("/v1/refunds", 500));
    for run in 0..4 {
        let done = stack.run(later(minutes + run)).await;
        assert_eq!(done["import"]["ended"], "halted", "{run}");
    }
    assert_eq!(stack.progress().await["halted"]["why"], "no_answer");
    let done = stack.run(later(minutes + 4)).await;
    assert_eq!(done["import"]["ended"], "finished");
    let progress = stack.progress().await;
    let refunds = kind_progress(&progress, "refunds");
    assert_eq!((&refunds["state"], &refunds["looked_at"]), (&json!("refused"), &json!(100)));
    assert_eq!(refunds["refusal"]["stripe_status"], 500);
    assert_eq!((&progress["refused"]["count"], stack.count().await), (&json!(1), 103));
    let import = stack.registry().import().await.unwrap().unwrap();
    assert_eq!(import.refused.count, 1, "the status reads it");
}
