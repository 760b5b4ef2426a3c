//! A run that ends anywhere, and tables that fail.

use serde_json::Value;
use shared::deadline::Deadline;
use test_cloud::fixtures::now;
use test_cloud::{Fault, KillPoint};

use crate::support::{PERSON, Stack, later};

#[tokio::test]
async fn a_run_that_dies_at_any_call_is_gone_on_with_by_the_next() {
    for after in [false, true] {
        let stack = Stack::with_payment().await;
        stack.erase("cus_1").await;
        let mut calls = 0;
        loop {
            calls += 1;
            assert!(calls < 500, "it never comes to its end");
            // The lease of the run that died has ended by then.
            let at = later(6 * i64::try_from(calls).unwrap());
            let process = stack.cloud.killable_process();
            let deps = stack.cold_at(process.aws());
            let point = if after { KillPoint::AfterCall(calls) } else { KillPoint::BeforeCall(calls) };
            let killed = process.killed_at(point);
            tokio::select! {
                biased;
                () = killed => {}
                ended = stack.try_run(&deps, at, Deadline::NEVER) => {
                    ended.unwrap();
                    break;
                }
            }
        }
        assert!(calls > 10, "{calls}");
        assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
        assert_eq!(stack.erasure("cus_1").await["state"], "finished");
    }
}

#[tokio::test]
async fn a_table_that_fails_stops_the_run_and_not_the_erasure() {
    for (operation, table) in [
        ("PutItem", "RecordsTable"),
        ("UpdateItem", "LedgerTable"),
        ("Query", "LedgerTable"),
        ("Query", "RecordsTable"),
        ("PutItem", "RegistryTable"),
    ] {
        let stack = Stack::with_customer().await;
        stack.erase("cus_1").await;
        stack.cloud.fail(operation, table, 1, Fault::AccessDenied);
        let failed = stack.try_run(&stack.cold(), now(), Deadline::NEVER).await;
        assert!(failed.is_err(), "{operation} {table}");
        stack.cloud.clear_faults();
        assert_ne!(stack.run(later(1)).await, Value::Null, "the lease was given back");
        assert_eq!(stack.naming(PERSON).await, Vec::<String>::new(), "{operation} {table}");
        assert_eq!(stack.erasure("cus_1").await["state"], "finished", "{operation} {table}");
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_counts_as_done() {
    let stack = Stack::with_customer().await;
    stack.erase("cus_1").await;
    for (operation, table) in
        [("PutItem", "RecordsTable"), ("UpdateItem", "LedgerTable"), ("PutItem", "RegistryTable")]
    {
        stack.cloud.fail(operation, table, 1, Fault::DoneAndCut);
    }
    stack.run(now()).await;
    let erasure = stack.erasure("cus_1").await;
    assert_eq!(
        (erasure["state"].as_str(), erasure["records"].as_u64(), erasure["events"].as_u64()),
        (Some("finished"), Some(8), Some(9))
    );
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_minute_with_nothing_to_do_is_one_read() {
    let stack = Stack::with_customer().await;
    stack.cloud.clear_calls();
    assert_eq!(stack.run(now()).await, Value::Null);
    assert_eq!((stack.cloud.calls().len(), stack.cloud.count("Query", "RegistryTable")), (1, 1));
}
