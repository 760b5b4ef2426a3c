//! Crashes and outages between any two writes change nothing in the end.

use serde_json::Value;
use shared::ledger::EventState;
use test_cloud::Fault;

use crate::support::{Stack, later, subscription};

/// Rings once with one call failing for good, then lets sweeps finish.
async fn after(operation: &str, table: &str, fault: Fault) -> (EventState, Value) {
    let stack = Stack::start().await;
    let rows = [
        stack.receive(&subscription("evt_2", "updated", 5, "active")).await,
        stack.receive(&subscription("evt_1", "created", 5, "incomplete")).await,
    ];
    stack.ring(&rows[..1]).await;
    stack.cloud.fail(operation, table, 3, fault);
    stack.ring(&rows[1..]).await;
    stack.cloud.clear_faults();
    for minute in 1..5 {
        stack.sweep(later(minute * 120)).await;
    }
    let record = stack.record("-/subscription/sub_1").await.unwrap();
    assert_eq!(record.events.len(), 2);
    (stack.state("evt_1").await.0, stack.object("-/subscription/sub_1").await)
}

#[tokio::test]
async fn whatever_call_fails_the_records_end_the_same() {
    for fault in [Fault::Throttle, Fault::ServerError, Fault::ProxyPage, Fault::DoneAndCut] {
        for (operation, table) in [
            ("PutItem", "RecordsTable"),
            ("UpdateItem", "LedgerTable"),
            ("GetItem", "LedgerTable"),
            ("UpdateItem", "RegistryTable"),
        ] {
            let (state, object) = after(operation, table, fault).await;
            assert_eq!(
                (state, object["status"].as_str()),
                (EventState::Superseded, Some("active")),
                "{operation} {table} {fault:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_damaged_payload_is_quarantined_with_the_reason_and_holds_nothing_back() {
    let stack = Stack::start().await;
    let mut row = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    let other = stack.receive(&subscription("evt_2", "updated", 9, "past_due")).await;
    row.body = other.body.clone().map(|body| {
        let mut item: std::collections::HashMap<String, serde_dynamo::AttributeValue> =
            serde_dynamo::to_item(body).unwrap();
        item.insert("sha256".into(), serde_dynamo::AttributeValue::B(vec![7; 32]));
        serde_dynamo::from_item(item).unwrap()
    });
    let summary = stack.ring(&[row, other]).await;
    assert_eq!((summary.count(EventState::Quarantined), summary.count(EventState::Processed)), (1, 1));
    assert!(stack.state("evt_1").await.1.unwrap().contains("SHA-256"));
}

#[tokio::test]
async fn what_dynamodb_can_never_take_is_dead_at_once() {
    let stack = Stack::start().await;
    let row = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    stack.cloud.fail("PutItem", "RecordsTable", 1, Fault::Invalid);
    stack.ring(&[row]).await;
    let row = stack.row("evt_1").await;
    assert_eq!((row.state, row.attempts), (EventState::Dead, 0), "trying again would be refused again");
    assert!(row.reason.unwrap().contains("ValidationException"));
}

#[tokio::test]
async fn a_crash_between_record_and_state_changes_nothing() {
    let stack = Stack::start().await;
    let row = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    stack.cloud.fail("UpdateItem", "LedgerTable", 3, Fault::ServerError);
    stack.ring(&[row]).await;
    assert_eq!(stack.state("evt_1").await.0, EventState::Pending, "the record is written, the state is not");
    let record = stack.record("-/subscription/sub_1").await;
    assert!(record.is_some());
    assert_eq!(stack.sweep(later(120)).await.count(EventState::Processed), 1);
    assert_eq!(stack.record("-/subscription/sub_1").await, record);
}
