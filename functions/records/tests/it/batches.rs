//! A batch that DynamoDB answers in part is read to its end, as long as calls bring something.

use serde_json::json;
use test_cloud::Fault;

use crate::support::{Stack, ids};

async fn with_customers(count: usize) -> Stack {
    let stack = Stack::start().await;
    for i in 0..count {
        stack.record(&json!({"object": "customer", "id": format!("cus_{i:02}"), "created": i})).await;
    }
    stack
}

#[tokio::test]
async fn what_is_left_out_is_asked_for_until_all_is_there() {
    let stack = with_customers(40).await;
    // More calls than a fixed number of tries would make, each with something in it.
    stack.cloud.fail("BatchGetItem", "RecordsTable", 30, Fault::LeavesOut(1));
    stack.cloud.clear_calls();
    let page = stack.ok("/records/customers?limit=40").await;
    assert_eq!(ids(&page["data"]).len(), 40);
    let batches = stack.cloud.calls().iter().filter(|call| call.operation == "BatchGetItem").count();
    assert_eq!(batches, 31);
}

#[tokio::test]
async fn calls_that_bring_nothing_for_a_while_are_repeated() {
    let stack = with_customers(3).await;
    for fault in [Fault::LeavesOut(0), Fault::LeavesOut(0), Fault::LeavesOut(2), Fault::LeavesOut(0)] {
        stack.cloud.fail("BatchGetItem", "RecordsTable", 1, fault);
    }
    assert_eq!(ids(&stack.ok("/records/customers").await["data"]), ["cus_02", "cus_01", "cus_00"]);
}

#[tokio::test]
async fn a_table_that_brings_nothing_at_all_is_a_503_and_no_shorter_list() {
    let stack = with_customers(3).await;
    stack.cloud.fail("BatchGetItem", "RecordsTable", 20, Fault::LeavesOut(0));
    stack.cloud.clear_calls();
    let (status, refusal) = stack.get("/records/customers").await;
    assert_eq!((status, refusal["error"]["code"].as_str()), (503, Some("temporarily_unavailable")));
    let batches = stack.cloud.calls().iter().filter(|call| call.operation == "BatchGetItem").count();
    assert_eq!(batches, 8, "a person waits 3.8 s, not longer");
}
