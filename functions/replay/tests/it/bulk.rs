//! Many events at once: those that match and no others; counted, limited, and continued after a stop.

use std::time::Duration;

use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::ledger::{EventState, OpenCount, Transition};
use test_cloud::Fault;

use crate::support::Stack;

async fn filled(stack: &Stack) {
    for i in 0..30 {
        let event_type = if i % 3 == 0 { "charge.dispute.created" } else { "invoice.paid" };
        stack
            .event_with(
                &format!("evt_{i:02}"),
                event_type,
                Transition::with_reason(EventState::Dead, "it broke"),
            )
            .await;
    }
    stack.event("evt_processed", EventState::Processed).await;
    stack.event("evt_failed", EventState::Failed).await;
}

async fn count(stack: &Stack, state: EventState) -> OpenCount {
    stack.ledger().count(state).await.unwrap()
}

#[tokio::test]
async fn what_matches_is_counted_first_and_then_changed() {
    let stack = Stack::start().await;
    filled(&stack).await;
    let filter = json!({ "state": "dead", "type": "charge.dispute.*" });
    let mut dry = filter.clone();
    dry["dry_run"] = true.into();
    let expected = |changed: usize, dry_run: bool| json!({ "matching": 10, "changed": changed, "overtaken": 0, "failed": 0, "dry_run": dry_run, "next_cursor": null });
    assert_eq!(stack.call("/events/replay", dry).await, (200, expected(0, true)));
    assert_eq!(count(&stack, EventState::Dead).await, OpenCount::Exactly(30));
    assert_eq!(stack.call("/events/replay", filter).await, (200, expected(10, false)));
    assert_eq!(count(&stack, EventState::Dead).await, OpenCount::Exactly(20));
    assert_eq!(count(&stack, EventState::Pending).await, OpenCount::Exactly(10));
    assert_eq!(stack.row("evt_03").await.unwrap().by.as_deref(), Some("a@example.com"));

    let (status, answer) = stack.call("/events/discard", json!({ "state": "dead", "why": "old" })).await;
    assert_eq!((status, answer["changed"].as_u64()), (200, Some(20)));
    assert_eq!(count(&stack, EventState::Dead).await, OpenCount::Exactly(0));
    assert_eq!(count(&stack, EventState::Failed).await, OpenCount::Exactly(1), "another state is left alone");
    assert_eq!(stack.row("evt_processed").await.unwrap().state, EventState::Processed);
}

#[tokio::test]
async fn a_limit_is_kept_and_the_cursor_continues() {
    let stack = Stack::start().await;
    filled(&stack).await;
    let mut changed = Vec::new();
    let mut request = json!({ "state": "dead", "limit": 12 });
    loop {
        let (status, answer) = stack.call("/events/replay", request.clone()).await;
        assert_eq!(status, 200, "{answer}");
        changed.push(answer["changed"].as_u64().unwrap());
        match answer["next_cursor"].as_str() {
            Some(next) => request["cursor"] = next.into(),
            None => break,
        }
    }
    assert_eq!(changed, [12, 12, 6]);
    assert_eq!(count(&stack, EventState::Dead).await, OpenCount::Exactly(0));
}

#[tokio::test]
async fn when_the_time_is_up_it_returns_what_is_done_and_where_to_continue() {
    let mut stack = Stack::start().await;
    stack.deadline = Deadline::after(Duration::ZERO);
    for i in 0..50 {
        stack.event(&format!("evt_{i:03}"), EventState::Dead).await;
    }
    let (status, answer) = stack.call("/events/replay", json!({ "state": "dead" })).await;
    assert_eq!((status, answer["changed"].as_u64()), (200, Some(32)), "a page is finished");
    let rest = json!({ "state": "dead", "cursor": answer["next_cursor"] });
    assert_eq!(stack.call("/events/replay", rest).await.1["changed"], 18);
}

#[tokio::test]
async fn events_ignored_by_a_pattern_can_be_replayed_by_their_reason_without_discarded_ones() {
    let stack = Stack::start().await;
    let ignored = |reason: &str| Transition::with_reason(EventState::Ignored, reason);
    stack.event_with("evt_1", "invoice.paid", ignored("filter")).await;
    stack.event_with("evt_2", "invoice.upcoming", ignored("no_record")).await;
    stack.event("evt_3", EventState::Dead).await;
    stack.call("/events/evt_3/discard", json!({ "why": "filter" })).await;
    let (_, answer) = stack.call("/events/replay", json!({ "state": "ignored", "reason": "filter" })).await;
    assert_eq!(answer["changed"], 1);
    assert_eq!(stack.row("evt_1").await.unwrap().state, EventState::Pending);
    for id in ["evt_2", "evt_3"] {
        assert_eq!(stack.row(id).await.unwrap().state, EventState::Ignored, "{id}");
    }
}

#[tokio::test]
async fn each_refusal_names_the_field_and_changes_nothing() {
    let stack = Stack::start().await;
    filled(&stack).await;
    for (path, body, code, field) in [
        ("/events/replay", json!({}), "parameter_missing", "state"),
        ("/events/replay", json!({"type": "invoice.paid"}), "parameter_missing", "state"),
        ("/events/replay", json!({"state": "deed"}), "parameter_invalid", "state"),
        ("/events/replay", json!({"state": "pending"}), "parameter_invalid", "state"),
        ("/events/discard", json!({"state": "processed", "why": "x"}), "parameter_invalid", "state"),
        ("/events/discard", json!({"state": "ignored", "why": "x"}), "parameter_invalid", "state"),
        ("/events/discard", json!({"state": "pending", "why": "x"}), "parameter_invalid", "state"),
        ("/events/replay", json!({"state": "dead", "type": "x".repeat(601)}), "parameter_invalid", "type"),
        ("/events/discard", json!({"state": "dead"}), "parameter_missing", "why"),
        ("/events/replay", json!({"state": "dead", "limit": 0}), "parameter_invalid", "limit"),
        ("/events/replay", json!({"state": "dead", "limit": 1001}), "parameter_invalid", "limit"),
        ("/events/replay", json!({"state": "dead", "limit": "10"}), "parameter_invalid", "limit"),
        ("/events/replay", json!({"state": "dead", "dry_run": "yes"}), "parameter_invalid", "dry_run"),
        ("/events/replay", json!({"state": "dead", "since": "today"}), "parameter_invalid", "since"),
        ("/events/replay", json!({"state": "dead", "object": "thing"}), "parameter_invalid", "object"),
        ("/events/replay", json!({"state": "dead", "cursor": "x"}), "parameter_invalid", "cursor"),
        ("/events/replay", json!({"state": "dead", "typ": "x"}), "parameter_unknown", "typ"),
    ] {
        let (status, answer) = stack.call(path, body.clone()).await;
        let error = &answer["error"];
        assert_eq!(
            (status, error["code"].as_str(), error["field"].as_str()),
            (400, Some(code), Some(field)),
            "{path} {body}: {answer}"
        );
        assert!(error["remedy"].is_string(), "{answer}");
    }
    assert_eq!(count(&stack, EventState::Dead).await, OpenCount::Exactly(30));
}

#[tokio::test]
async fn a_cursor_is_valid_for_its_own_action_and_filters_only() {
    let stack = Stack::start().await;
    filled(&stack).await;
    let (_, answer) = stack.call("/events/replay", json!({ "state": "dead", "limit": 1 })).await;
    let cursor: Value = answer["next_cursor"].clone();
    for (path, body) in [
        ("/events/discard", json!({ "state": "dead", "why": "x", "cursor": cursor })),
        ("/events/replay", json!({ "state": "failed", "cursor": cursor })),
        ("/events/replay", json!({ "state": "dead", "type": "invoice.paid", "cursor": cursor })),
    ] {
        let (status, answer) = stack.call(path, body).await;
        assert_eq!((status, answer["error"]["field"].as_str()), (400, Some("cursor")));
    }
}

#[tokio::test]
async fn a_cursor_with_a_position_that_no_list_has_is_refused() {
    let stack = Stack::start().await;
    let forged =
        shared::page::write_cursor("test events.replay&state=ignored", json!({"sort": 5, "id": "evt_1"}));
    let (status, answer) =
        stack.call("/events/replay", json!({ "state": "ignored", "cursor": forged })).await;
    assert_eq!(
        (status, answer["error"]["field"].as_str()),
        (400, Some("cursor")),
        "it is before the first key"
    );
}

#[tokio::test]
async fn a_time_narrows_every_list() {
    let stack = Stack::start().await;
    filled(&stack).await;
    let body = json!({ "state": "dead", "since": "2026-11-24T11:59:30Z", "dry_run": true });
    assert_eq!(stack.call("/events/replay", body).await.1["matching"], 0, "they came in a minute ago");
    let body = json!({ "state": "dead", "since": "2026-11-24T11:59:00Z", "dry_run": true });
    assert_eq!(stack.call("/events/replay", body).await.1["matching"], 30);
}

#[tokio::test]
async fn what_an_earlier_version_could_not_read_is_read_in_bulk_too() {
    let stack = Stack::start().await;
    stack.unread("evt_1").await;
    stack.call("/events/replay", json!({ "state": "quarantined" })).await;
    let row = stack.row("evt_1").await.unwrap();
    assert_eq!(row.object.map(|key| key.to_string()).as_deref(), Some("-/invoice/in_1"));
}

#[tokio::test]
async fn an_outage_in_the_middle_loses_nothing_and_the_same_request_continues() {
    let stack = Stack::start().await;
    filled(&stack).await;
    // One of them fails while others are on their way.
    stack.cloud.fail("UpdateItem", "LedgerTable", 1, Fault::AccessDenied);
    let (status, answer) = stack.call("/events/replay", json!({ "state": "dead" })).await;
    assert_eq!((status, answer["changed"].as_u64(), answer["failed"].as_u64()), (200, Some(29), Some(1)));
    assert_eq!(count(&stack, EventState::Dead).await, OpenCount::Exactly(1));
    stack.cloud.fail("UpdateItem", "LedgerTable", 9, Fault::AccessDenied);
    let (status, answer) = stack.call("/events/replay", json!({ "state": "dead" })).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (503, Some("temporarily_unavailable")));
    stack.cloud.clear_faults();
    let (status, _) = stack.call("/events/replay", json!({ "state": "dead" })).await;
    assert_eq!(status, 200);
    assert_eq!(count(&stack, EventState::Dead).await, OpenCount::Exactly(0));
    assert_eq!(count(&stack, EventState::Pending).await, OpenCount::Exactly(30));
}

#[tokio::test]
async fn a_stack_without_a_key_has_nothing_to_replay() {
    let stack = Stack::start().await;
    let client = stack.cloud.aws().dynamodb(shared::aws::CallLimits::PATIENT);
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let delete = client.delete_item().table_name("RegistryTable");
    delete.key("kind", text("settings")).key("name", text("stack")).send().await.unwrap();
    let (status, answer) = stack.call("/events/replay", json!({ "state": "ignored" })).await;
    assert_eq!((status, answer["matching"].as_u64()), (200, Some(0)));
}
