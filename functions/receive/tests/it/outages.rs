//! What cannot be stored is not acknowledged; what is acknowledged is stored.

use std::time::Duration;

use shared::ledger::{EventState, LedgerRow, Recorded};
use test_cloud::Fault;
use test_cloud::fixtures::{error_code, now};

use crate::support::{SECRET, Stack, deliver, deliver_to, deliver_within, event, large_event, later};

#[tokio::test]
async fn a_store_outage_is_a_503() {
    let stack = Stack::start().await;
    for fault in [Fault::Throttle, Fault::ServerError, Fault::ProxyPage, Fault::AccessDenied, Fault::Hang] {
        let deps = stack.warm().await;
        stack.cloud.fail("PutItem", "LedgerTable", 10, fault);
        let (status, answer) = deliver(&deps, &event("evt_1"), later(1)).await;
        assert_eq!((status, error_code(&answer)), (503, "temporarily_unavailable"), "{fault:?}");
        assert!(stack.row("evt_1").await.is_none());
        stack.cloud.clear_faults();
        assert!(answer["error"]["message"].as_str().unwrap().len() < 80, "a cause from inside: {answer}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_503_when_the_answer_is_due() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    stack.cloud.fail("PutItem", "LedgerTable", 1_000, Fault::Hang);
    let (status, answer) = deliver_within(&deps, Duration::from_millis(300), &event("evt_1"), later(1)).await;
    assert_eq!((status, error_code(&answer)), (503, "temporarily_unavailable"));
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_and_acknowledged() {
    let stack = Stack::start().await;
    for (i, fault) in
        [Fault::Throttle, Fault::ServerError, Fault::ProxyPage, Fault::Hang].into_iter().enumerate()
    {
        let deps = stack.warm().await;
        stack.cloud.fail("PutItem", "LedgerTable", 1, fault);
        let id = format!("evt_{i}");
        let (status, answer) = deliver(&deps, &event(&id), later(1)).await;
        assert_eq!((status, answer["outcome"].as_str()), (200, Some("stored")), "{fault:?}");
        assert_eq!(stack.row(&id).await.unwrap().state, EventState::Pending);
    }
}

#[tokio::test]
async fn a_write_that_was_done_without_an_answer_meets_itself_and_is_acknowledged() {
    let stack = Stack::start().await;
    for (i, fault) in [Fault::DoneWithoutAnswer, Fault::DoneAndCut].into_iter().enumerate() {
        let deps = stack.warm().await;
        stack.cloud.fail("PutItem", "LedgerTable", 1, fault);
        let (status, answer) = deliver(&deps, &event(&format!("evt_{i}")), later(1)).await;
        assert_eq!((status, answer["outcome"].as_str()), (200, Some("stored")), "{fault:?}");
        assert_eq!(stack.cloud.count("PutItem", "LedgerTable"), 2);
    }
}

#[tokio::test]
async fn a_large_payload_whose_parts_cannot_be_stored_leaves_no_row() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let body = large_event("evt_large");
    stack.cloud.fail("PutItem", "LedgerTable", 2, Fault::ServerError);
    assert_eq!(deliver(&deps, &body, now()).await.0, 503);
    assert!(stack.row("evt_large").await.is_none());
    assert_eq!(deliver(&deps, &body, later(1)).await.0, 200);
    let row = stack.row("evt_large").await.unwrap();
    assert!(row.parts.is_some(), "the payload is meant to be too large for a row");
    assert_eq!(stack.ledger().body(&row).await.unwrap().unwrap(), body.as_bytes());
}

#[tokio::test]
async fn with_secrets_manager_down_known_endpoints_go_on_and_others_are_a_503() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    stack.register("second", "whsec_second").await;
    stack.cloud.fail("GetSecretValue", "", 100, Fault::ServerError);
    assert_eq!(deliver(&deps, &event("evt_1"), later(60)).await.0, 200);
    let (status, answer) = deliver_to(&deps, "second", "whsec_second", &event("evt_2"), later(62)).await;
    assert_eq!((status, error_code(&answer)), (503, "temporarily_unavailable"));
    stack.cloud.clear_faults();
    assert_eq!(deliver_to(&deps, "second", "whsec_second", &event("evt_2"), later(64)).await.0, 200);
}

#[tokio::test]
async fn with_the_registry_down_known_endpoints_go_on_and_a_new_process_is_a_503() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    stack.cloud.fail("Query", "RegistryTable", 1_000, Fault::Hang);
    for i in 0..3 {
        assert_eq!(deliver(&deps, &event(&format!("evt_{i}")), later(60)).await.0, 200);
    }
    assert_eq!(deliver(&stack.cold(), &event("evt_9"), later(60)).await.0, 503);
    assert!(stack.row("evt_9").await.is_none());
}

#[tokio::test]
async fn an_activity_that_cannot_be_written_stops_nothing() {
    let stack = Stack::start().await;
    stack.cloud.fail("UpdateItem", "RegistryTable", 100, Fault::AccessDenied);
    assert_eq!(deliver_to(&stack.cold(), "main", SECRET, &event("evt_1"), now()).await.0, 200);
}

#[tokio::test]
async fn a_registry_that_hangs_whole_is_called_once_for_each_and_left() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    stack.cloud.fail("Query", "RegistryTable", 1_000, Fault::Hang);
    stack.cloud.fail("UpdateItem", "RegistryTable", 1_000, Fault::Hang);
    assert_eq!(deliver(&deps, &event("evt_1"), later(60)).await.0, 200);
    // For a second attempt there is no time: `lib.rs` holds the bounds to the answer's.
    let calls = ["Query", "UpdateItem"].map(|operation| stack.cloud.count(operation, "RegistryTable"));
    assert_eq!(calls, [1, 1]);
}

#[tokio::test]
async fn a_secret_of_another_endpoint_that_hangs_is_asked_for_once_and_left() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    stack.register("second", "whsec_second").await;
    stack.cloud.fail("GetSecretValue", "", 100, Fault::Hang);
    stack.cloud.fail("PutItem", "LedgerTable", 1, Fault::Hang);
    assert_eq!(
        deliver(&deps, &event("evt_1"), later(11)).await.0,
        200,
        "also when one attempt to store it hangs"
    );
    assert_eq!(stack.cloud.count("GetSecretValue", ""), 1);
}

#[tokio::test]
async fn a_large_event_stays_readable_when_it_comes_again_packed_in_another_way() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let body = large_event("evt_large");
    assert_eq!(deliver(&deps, &body, now()).await.0, 200);
    // As a later version of the program might pack it: with another dictionary.
    let mut other = shared::payload::pack(body.as_bytes(), "").unwrap();
    other.dictionary = 99;
    other.bytes.rotate_left(7);
    let again = LedgerRow::unreadable("evt_large".parse().unwrap(), "x".into(), "main", later(3_600), other);
    assert_eq!(stack.ledger().record(&again).await.unwrap(), Recorded::Duplicate);
    let row = stack.row("evt_large").await.unwrap();
    assert_eq!(stack.ledger().body(&row).await.unwrap().unwrap(), body.as_bytes());
    // No row names the parts of the second, so nobody would ever find or remove them.
    let items = stack.cloud.items("LedgerTable").await;
    let with_bytes = |item: &&serde_json::Value| item["part"]["N"] != "0" && item.get("body").is_some();
    assert_eq!(items.iter().filter(with_bytes).count() as u64, row.parts.unwrap());
}

/// The event is stored: Stripe must not send it again because of what is left to tidy.
#[tokio::test]
async fn a_duplicate_is_one_though_its_parts_cannot_be_taken_back() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let body = large_event("evt_large");
    assert_eq!(deliver(&deps, &body, now()).await.0, 200);
    let mut other = shared::payload::pack(body.as_bytes(), "").unwrap();
    other.dictionary = 99;
    other.bytes.rotate_left(7);
    let again = LedgerRow::unreadable("evt_large".parse().unwrap(), "x".into(), "main", later(3_600), other);
    let row = stack.row("evt_large").await.unwrap();
    // The parts and the row are written as ever.
    let written = usize::try_from(row.parts.unwrap()).unwrap() + 1;
    stack.cloud.fail("PutItem", "LedgerTable", written, Fault::LeavesOut(0));
    stack.cloud.fail("PutItem", "LedgerTable", 100, Fault::AccessDenied);
    assert_eq!(stack.ledger().record(&again).await.unwrap(), Recorded::Duplicate);
    assert_eq!(stack.ledger().body(&row).await.unwrap().unwrap(), body.as_bytes());
}

#[tokio::test]
async fn what_could_not_be_stored_is_no_delivery_to_the_status() {
    let stack = Stack::start().await;
    stack.cloud.fail("PutItem", "LedgerTable", 100, Fault::AccessDenied);
    assert_eq!(deliver(&stack.cold(), &event("evt_1"), now()).await.0, 503);
    assert!(stack.registry().status_rows(&["main"], now()).await.unwrap().activity.is_empty());
}

#[tokio::test]
async fn an_activity_whose_write_failed_is_written_with_the_next_delivery() {
    let stack = Stack::start().await;
    let deps = stack.cold();
    let activity =
        async || stack.registry().status_rows(&["main"], now()).await.unwrap().activity.get("main").copied();
    stack.cloud.fail("UpdateItem", "RegistryTable", 100, Fault::AccessDenied);
    assert_eq!(deliver(&deps, &event("evt_1"), now()).await.0, 200);
    deliver_to(&deps, "main", "whsec_other", &event("evt_2"), later(2)).await;
    assert!(activity().await.is_none());
    stack.cloud.clear_faults();
    assert_eq!(deliver(&deps, &event("evt_3"), later(3)).await.0, 200);
    deliver_to(&deps, "main", "whsec_other", &event("evt_4"), later(5)).await;
    let activity = activity().await.unwrap();
    assert_eq!((activity.at, activity.mismatches), (Some(later(3).into()), 2));
}
