//! Crashes and outages at any call leave nothing undone and nothing half done.

use shared::deadline::Deadline;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use test_cloud::fixtures::now;
use test_cloud::{Fault, KillPoint};

use crate::support::{Stack, customer, event, later};

/// Two kinds of two accounts, one object each, and two records that differ from Stripe: a charge, and a draft
/// that is gone.
async fn stack() -> Stack {
    let stack = Stack::new().await;
    stack.registry().record_connected_account(&"acct_1".parse().unwrap(), now()).await.unwrap();
    for account in [None, Some("acct_1")] {
        stack.stripe.put_object(account, &customer("cus_1", "a"));
        let refund = json!({ "object": "refund", "id": "re_1", "created": 5, "payment_intent": "pi_1" });
        stack.stripe.put_object(account, &refund);
    }
    let pending = json!({ "object": "charge", "id": "ch_1", "created": 5, "status": "pending" });
    stack.apply(&event("evt_1", "charge.pending", later(-60), &pending), later(-60)).await;
    stack.put(&json!({ "object": "charge", "id": "ch_1", "created": 5, "status": "succeeded" }));
    let draft = json!({ "object": "invoice", "id": "in_1", "created": 5, "status": "draft" });
    stack.apply(&event("evt_2", "invoice.created", later(-61), &draft), later(-61)).await;
    stack.import(json!({ "kinds": ["customers", "refunds"] })).await;
    stack
}

/// The objects that the records show, by key.
async fn records(stack: &Stack) -> BTreeMap<String, Value> {
    let mut objects = BTreeMap::new();
    for item in stack.cloud.items("RecordsTable").await {
        let key = item["key"]["S"].as_str().unwrap();
        objects.insert(key.to_owned(), stack.object(key).await);
    }
    objects
}

async fn assert_all_is_here(stack: &Stack, case: &str) {
    let objects = records(stack).await;
    assert_eq!(objects.len(), 6, "{case}: {objects:?}");
    assert_eq!(objects["-/charge/ch_1"]["status"], "succeeded", "{case}");
    assert_eq!(objects["-/invoice/in_1"]["deleted"], true, "{case}");
    let progress = stack.progress().await;
    assert_eq!((&progress["state"], &progress["looked_at"]), (&json!("finished"), &json!(4)), "{case}");
    let comparison = stack.comparison().await;
    let last = comparison.last.unwrap_or_else(|| panic!("{case}: {:?}", comparison.pass));
    assert_eq!((last.report.looked_at, comparison.pass), (2, None), "{case}");
    assert_eq!((last.report.differed.count, last.report.missing.count), (2, 0), "{case}");
}

#[tokio::test]
async fn whenever_it_crashes_the_next_runs_finish_what_it_had_begun() {
    // The calls of a run that finds mismatches, and of one that compares them again.
    for second in [false, true] {
        for call in 1.. {
            let mut kills = 0;
            for kill_point in [KillPoint::BeforeCall(call), KillPoint::AfterCall(call)] {
                let case = format!("second run: {second}, {kill_point:?}");
                let stack = stack().await;
                if second {
                    stack.run(later(1)).await;
                }
                let process = stack.cloud.killable_process();
                let deps = stack.cold_at(process.aws());
                let at = later(if second { 12 } else { 1 });
                tokio::select! {
                    biased;
                    () = process.killed_at(kill_point) => kills += 1,
                    done = stack.try_run(&deps, at) => { done.unwrap(); }
                }
                // The lease of the killed run expires by itself; mismatches wait for ten minutes.
                for minutes in [20, 31, 42] {
                    stack.run(later(minutes)).await;
                }
                assert_all_is_here(&stack, &case).await;
            }
            if kills == 0 {
                assert!(call > 10, "{call}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn whatever_call_fails_the_next_runs_continue() {
    for (operation, table) in [
        ("BatchGetItem", "RegistryTable"),
        ("UpdateItem", "RegistryTable"),
        ("PutItem", "RegistryTable"),
        ("GetItem", "RegistryTable"),
        ("Query", "RegistryTable"),
        ("BatchGetItem", "RecordsTable"),
        ("PutItem", "RecordsTable"),
        ("GetItem", "RecordsTable"),
        ("Query", "LedgerTable"),
        ("BatchGetItem", "LedgerTable"),
        ("GetSecretValue", ""),
    ] {
        for fault in [Fault::ServerError, Fault::Invalid, Fault::DoneAndCut] {
            let case = format!("{operation} {table} {fault:?}");
            let stack = stack().await;
            // One call with all its retries, in the first run and in the one that compares mismatches again.
            for minutes in [1, 12] {
                stack.cloud.fail(operation, table, 3, fault);
                // It may fail, and says so; it never leaves what the next cannot continue.
                drop(stack.try_run(&stack.cold(), later(minutes)).await);
                stack.cloud.clear_faults();
            }
            for minutes in [20, 31, 42] {
                stack.run(later(minutes)).await;
            }
            assert_all_is_here(&stack, &case).await;
        }
    }
}

#[tokio::test]
async fn of_two_runs_at_once_one_works() {
    let stack = stack().await;
    let (one, other) = (stack.cold(), stack.cold());
    stack.stripe.clear_requests();
    let (one, other) = tokio::join!(
        import::handle(&one, crate::support::schedule(), "one", later(1), Deadline::NEVER),
        import::handle(&other, crate::support::schedule(), "other", later(1), Deadline::NEVER)
    );
    let idle = [one.unwrap(), other.unwrap()].into_iter().filter(Value::is_null).count();
    assert_eq!(idle, 1);
    assert_eq!(stack.stripe.requests().len(), 6, "a charge, a draft, and two kinds of two accounts");
}

#[tokio::test]
async fn a_run_that_outlives_its_lease_harms_nothing() {
    let stack = stack().await;
    let process = stack.cloud.killable_process();
    let deps = stack.cold_at(process.aws());
    // It hangs at its first record while its lease ends and another run does all; then it goes on.
    let hangs = process.killed_at(KillPoint::RecordWrite("-/customer/cus_1".to_owned()));
    let mut run = std::pin::pin!(stack.try_run(&deps, later(1)));
    tokio::select! {
        biased;
        () = hangs => {}
        done = &mut run => panic!("nothing was written: {done:?}"),
    }
    stack.run(later(20)).await;
    run.await.unwrap();
    for minutes in [31, 42] {
        stack.run(later(minutes)).await;
    }
    let objects = records(&stack).await;
    assert_eq!((objects.len(), stack.progress().await["state"].as_str()), (6, Some("finished")));
}

#[tokio::test]
async fn a_late_run_of_a_stopped_import_does_not_disturb_the_next() {
    let stack = stack().await;
    stack.comparison_finished(now()).await;
    let process = stack.cloud.killable_process();
    let deps = stack.cold_at(process.aws());
    let hangs = process.killed_at(KillPoint::RecordWrite("-/customer/cus_1".to_owned()));
    let mut run = std::pin::pin!(stack.try_run(&deps, later(1)));
    tokio::select! {
        biased;
        () = hangs => {}
        done = &mut run => panic!("nothing was written: {done:?}"),
    }
    stack.call("admin", "DELETE", Value::Null).await;
    stack.import(json!({ "kinds": ["refunds"] })).await;
    stack.run(later(20)).await;
    assert_eq!(stack.progress().await["state"], "finished");
    let before = stack.progress().await;
    let done = run.await.unwrap();
    assert_eq!(done["import"]["ended"], "stopped");
    assert_eq!(stack.progress().await, before);
}

#[tokio::test]
async fn a_run_whose_import_is_stopped_ends_with_its_page() {
    let stack = Stack::start().await;
    stack.put_many("refund", "re", 201);
    stack.import(json!({ "kinds": ["refunds"] })).await;
    let process = stack.cloud.killable_process();
    let deps = stack.cold_at(process.aws());
    let hangs = process.killed_at(KillPoint::RecordWrite("-/refund/re_0150".to_owned()));
    let mut run = std::pin::pin!(stack.try_run(&deps, later(1)));
    tokio::select! {
        biased;
        () = hangs => {}
        done = &mut run => panic!("nothing was written: {done:?}"),
    }
    stack.call("admin", "DELETE", Value::Null).await;
    assert_eq!(run.await.unwrap()["import"], json!({ "ended": "stopped", "pages": 1, "written": 100 }));
    assert_eq!((stack.progress().await["state"].as_str(), stack.count().await), (Some("stopped"), 100));
}

#[tokio::test]
async fn a_write_whose_response_was_lost_counts_once() {
    let stack = Stack::start().await;
    stack.put_many("refund", "re", 3);
    stack.import(json!({ "kinds": ["refunds"] })).await;
    stack.cloud.fail("PutItem", "RecordsTable", 2, Fault::DoneAndCut);
    stack.run(later(1)).await;
    let progress = stack.progress().await;
    assert_eq!((&progress["looked_at"], &progress["written"]), (&json!(3), &json!(3)));
}
