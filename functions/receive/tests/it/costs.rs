//! A delivery costs what it must, counted in calls and write units of DynamoDB.
use test_cloud::fixtures::now;

use crate::support::{Stack, deliver, event, later};

#[tokio::test]
async fn a_warm_delivery_is_one_call() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    deliver(&deps, &event("evt_1"), later(1)).await;
    let calls = stack.cloud.calls();
    assert_eq!(
        calls.iter().map(|call| (call.operation.as_str(), call.table.as_str())).collect::<Vec<_>>(),
        [("PutItem", "LedgerTable")]
    );
}

#[tokio::test]
async fn the_endpoints_are_read_every_ten_seconds_and_the_last_delivery_is_written_every_minute() {
    let stack = Stack::start().await;
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    let deps = stack.warm().await;
    for second in 0..120 {
        deliver(&deps, &event(&format!("evt_{second}")), later(second)).await;
    }
    assert_eq!(stack.cloud.count("PutItem", "LedgerTable"), 120);
    assert_eq!(stack.cloud.count("Query", "RegistryTable"), 11);
    assert_eq!(stack.cloud.count("UpdateItem", "RegistryTable"), 1);
    assert_eq!(stack.cloud.calls().len(), 132, "and nothing else: no secret is read again");
}

/// The budget of the receive path (functions/README.md, "What an event costs"): the row 1, and 1 for its
/// entry in each index. Real events hold more that is random than the samples.
#[tokio::test]
async fn storing_a_sample_event_is_four_write_units() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe")).unwrap() {
        let path = file.unwrap().path();
        stack.cloud.clear_calls();
        deliver(&deps, &std::fs::read_to_string(&path).unwrap(), now()).await;
        let put = stack.cloud.calls().into_iter().find(|call| call.operation == "PutItem").unwrap();
        let units: Vec<_> = put.write_units.iter().map(|(index, units)| (index.as_str(), *units)).collect();
        assert_eq!(units, [("", 1.0), ("day", 1.0), ("object", 1.0), ("open", 1.0)], "{}", path.display());
    }
}
