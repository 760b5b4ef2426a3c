//! One event is replayed or discarded, once, and shows who did it and why.

use serde_json::json;
use shared::ledger::{Actor, EventState, OpenCount, Transition, Transitioned};
use shared::unix_time::{UnixMillis, UnixSeconds};
use test_cloud::Fault;
use test_cloud::fixtures::{now, retention};

use crate::support::{Stack, ago};

#[tokio::test]
async fn a_replayed_event_is_pending_like_a_new_one_and_keeps_its_earlier_state() {
    for state in [
        EventState::Dead,
        EventState::Quarantined,
        EventState::Failed,
        EventState::Ignored,
        EventState::Processed,
        EventState::Superseded,
    ] {
        let stack = Stack::start().await;
        let before = stack.event("evt_1", state).await;
        assert_eq!(before.expires_at.is_some(), !state.is_open(), "{state}");
        let (status, answer) = stack.call("/events/evt_1/replay", json!({ "why": "the bug is fixed" })).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(
            (answer["state"].as_str(), answer["by"].as_str(), answer["reason"].as_str()),
            (Some("pending"), Some("a@example.com"), Some("the bug is fixed"))
        );
        let row = stack.row("evt_1").await.unwrap();
        assert_eq!((row.state, row.attempts, row.expires_at), (EventState::Pending, 0, None));
        assert!(row.due_at.unwrap() > UnixMillis::from(now()), "the stream comes before the sweep");
        assert_eq!(row.history, [before.current_state()]);
        assert_eq!(stack.ledger().count(EventState::Pending).await.unwrap(), OpenCount::Exactly(1));
    }
}

#[tokio::test]
async fn a_discarded_event_is_closed_with_who_and_why() {
    for state in [EventState::Dead, EventState::Quarantined] {
        let stack = Stack::start().await;
        stack.event("evt_1", state).await;
        let (status, answer) = stack.call("/events/evt_1/discard", json!({ "why": "of a test" })).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(
            (answer["state"].as_str(), answer["by"].as_str(), answer["reason"].as_str()),
            (Some("ignored"), Some("a@example.com"), Some("discarded: of a test"))
        );
        assert_eq!(answer["expires_at"], "2027-02-22T12:00:00Z", "90 days on");
        let row = stack.row("evt_1").await.unwrap();
        assert_eq!((row.due_at, row.reason_code()), (None, Some("discarded")));
        for open in [EventState::Pending, EventState::Failed, EventState::Dead, EventState::Quarantined] {
            assert_eq!(stack.ledger().count(open).await.unwrap(), OpenCount::Exactly(0), "{state}");
        }
    }
}

#[tokio::test]
async fn the_same_action_again_changes_nothing() {
    for (path, body) in [("/events/evt_1/replay", json!({})), ("/events/evt_1/discard", json!({"why": "x"}))]
    {
        let stack = Stack::start().await;
        stack.event("evt_1", EventState::Dead).await;
        assert_eq!(stack.call(path, body.clone()).await.0, 200);
        let row = stack.row("evt_1").await;
        assert_eq!(stack.call(path, body).await.0, 200);
        assert_eq!(stack.row("evt_1").await, row, "{path}");
    }
}

#[tokio::test]
async fn an_event_that_is_still_to_be_applied_cannot_be_discarded() {
    let stack = Stack::start().await;
    for state in [EventState::Pending, EventState::Failed] {
        stack.event(&format!("evt_{state}"), state).await;
        let path = format!("/events/evt_{state}/discard");
        let (status, answer) = stack.call(&path, json!({"why": "x"})).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (409, Some("event_open")), "{answer}");
        assert!(answer["error"]["remedy"].is_string());
        assert_eq!(stack.row(&format!("evt_{state}")).await.unwrap().state, state);
    }
}

#[tokio::test]
async fn a_replayed_event_has_all_its_attempts_before_it() {
    let stack = Stack::start().await;
    let row = stack.event("evt_1", EventState::Failed).await;
    let claimed = stack.ledger().claim(&row, now()).await.unwrap().unwrap();
    let dead = Transition::with_reason(EventState::Dead, "used up");
    stack.ledger().transition(&claimed, &dead, retention(), ago(10)).await.unwrap();
    assert_eq!(stack.row("evt_1").await.unwrap().attempts, 1);
    let (_, answer) = stack.call("/events/evt_1/replay", json!({})).await;
    assert_eq!(answer["attempts"], 0);
}

#[tokio::test]
async fn an_action_on_an_outdated_row_is_a_conflict_even_if_state_and_attempts_are_the_same_again() {
    let stack = Stack::start().await;
    let read = stack.event("evt_1", EventState::Dead).await;
    stack.call("/events/evt_1/replay", json!({})).await;
    let dead_again = Transition::with_reason(EventState::Dead, "once more");
    let row = stack.row("evt_1").await.unwrap();
    stack.ledger().transition(&row, &dead_again, retention(), now()).await.unwrap();
    let result = stack.ledger().discard(&read, another_admin(), retention(), now()).await.unwrap();
    assert_eq!(result, Transitioned::Conflict);
    assert_eq!(stack.row("evt_1").await.unwrap().history.len(), 2, "nothing of what happened is lost");
}

#[tokio::test]
async fn a_part_that_is_missing_does_not_stop_a_replay() {
    let stack = Stack::start().await;
    stack.large("evt_1").await;
    let row = stack.row("evt_1").await.unwrap();
    let quarantined = Transition::with_reason(EventState::Quarantined, "x");
    stack.ledger().transition(&row, &quarantined, retention(), ago(10)).await.unwrap();
    let client = stack.cloud.aws().dynamodb(shared::aws::CallLimits::PATIENT);
    for mut item in client.scan().table_name("LedgerTable").send().await.unwrap().items.unwrap() {
        let part = item.remove("part").unwrap();
        if part.as_n().unwrap() != "0" {
            let delete = client.delete_item().table_name("LedgerTable").key("part", part);
            delete.key("id", item.remove("id").unwrap()).send().await.unwrap();
        }
    }
    assert_eq!(stack.call("/events/evt_1/replay", json!({})).await.0, 200);
    let row = stack.row("evt_1").await.unwrap();
    assert!(stack.ledger().body(&row).await.unwrap().is_err(), "process will say so");
}

#[tokio::test]
async fn the_ten_latest_earlier_states_are_kept() {
    let stack = Stack::start().await;
    stack.event("evt_1", EventState::Dead).await;
    for i in 0..15 {
        assert_eq!(stack.call("/events/evt_1/replay", json!({ "why": format!("{i}") })).await.0, 200);
        let row = stack.row("evt_1").await.unwrap();
        let dead = Transition::with_reason(EventState::Dead, "again");
        stack.ledger().transition(&row, &dead, retention(), now()).await.unwrap();
    }
    let history = stack.row("evt_1").await.unwrap().history;
    assert_eq!((history.len(), history.last().unwrap().reason.as_deref()), (10, Some("14")));
}

#[tokio::test]
async fn an_event_that_was_applied_cannot_be_discarded() {
    let stack = Stack::start().await;
    for state in [EventState::Processed, EventState::Superseded] {
        stack.event(&format!("evt_{state}"), state).await;
        let path = format!("/events/evt_{state}/discard");
        let (status, answer) = stack.call(&path, json!({"why": "x"})).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (409, Some("event_final")), "{answer}");
        assert!(answer["error"]["remedy"].is_string());
        assert_eq!(stack.row(&format!("evt_{state}")).await.unwrap().state, state);
    }
}

#[tokio::test]
async fn each_refusal_names_the_field_and_changes_nothing() {
    let stack = Stack::start().await;
    let before = stack.event("evt_1", EventState::Dead).await;
    let long = "é".repeat(301);
    for (path, body, status, code, field) in [
        ("/events/evt_none/replay", json!({}), 404, "not_found", None),
        ("/events/%20/replay", json!({}), 404, "not_found", None),
        ("/events/evt_1/redo", json!({}), 404, "not_found", None),
        ("/events/evt_1/discard", json!({}), 400, "parameter_missing", Some("why")),
        ("/events/evt_1/discard", json!({"why": " "}), 400, "parameter_missing", Some("why")),
        ("/events/evt_1/discard", json!({"why": 7}), 400, "parameter_invalid", Some("why")),
        ("/events/evt_1/discard", json!({"why": long}), 400, "parameter_invalid", Some("why")),
        ("/events/evt_1/replay", json!({"reason": "x"}), 400, "parameter_unknown", Some("reason")),
        ("/events/evt_1/replay", json!([1]), 400, "body_invalid", None),
    ] {
        let (got, answer) = stack.call(path, body).await;
        let error = &answer["error"];
        assert_eq!(
            (got, error["code"].as_str(), error["field"].as_str()),
            (status, Some(code), field),
            "{path}: {answer}"
        );
    }
    assert_eq!(stack.row("evt_1").await.unwrap(), before);
}

#[tokio::test]
async fn an_expired_event_is_gone() {
    let stack = Stack::start().await;
    let body = r#"{"id":"evt_1","object":"event","type":"invoice.paid","created":5,"livemode":false,"data":{"object":{"object":"invoice","id":"in_1"}}}"#;
    let long_ago = ago(91 * 86_400);
    stack.store(body, long_ago).await;
    let row = stack.ledger().get(&"evt_1".parse().unwrap(), long_ago).await.unwrap().unwrap();
    let done = Transition::to(EventState::Processed);
    stack.ledger().transition(&row, &done, retention(), long_ago).await.unwrap();
    assert_eq!(stack.call("/events/evt_1/replay", json!({})).await.0, 404);
}

#[tokio::test]
async fn of_an_admin_and_the_program_at_once_one_wins_and_the_other_is_refused() {
    let stack = Stack::start().await;
    let row = stack.event("evt_1", EventState::Failed).await;
    let claimed = stack.ledger().claim(&row, now()).await.unwrap().unwrap();
    let result = stack.ledger().replay(&row, another_admin(), now()).await.unwrap();
    assert_eq!(result, Transitioned::Conflict, "it is being tried");

    let dead = Transition::with_reason(EventState::Dead, "used up");
    stack.ledger().transition(&claimed, &dead, retention(), now()).await.unwrap();
    assert_eq!(stack.call("/events/evt_1/discard", json!({"why": "x"})).await.0, 200);
    let processed = Transition::to(EventState::Processed);
    let result = stack.ledger().transition(&claimed, &processed, retention(), now()).await.unwrap();
    assert_eq!(result, Transitioned::Conflict, "a discarded event stays so");
}

fn another_admin() -> Actor<'static> {
    Actor { by: "b@example.com", why: None }
}

#[tokio::test]
async fn an_action_whose_response_is_lost_counts_as_done() {
    for (path, body) in [("/events/evt_1/replay", json!({})), ("/events/evt_1/discard", json!({"why": "x"}))]
    {
        let stack = Stack::start().await;
        stack.event("evt_1", EventState::Dead).await;
        stack.cloud.fail("UpdateItem", "LedgerTable", 1, Fault::DoneAndCut);
        assert_eq!(stack.call(path, body).await.0, 200, "{path}");
        assert_eq!(stack.row("evt_1").await.unwrap().history.len(), 1);
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_a_503_and_nothing_is_changed() {
    let stack = Stack::start().await;
    let before = stack.event("evt_1", EventState::Dead).await;
    for operation in ["GetItem", "UpdateItem"] {
        stack.cloud.fail(operation, "LedgerTable", 100, Fault::ServerError);
        let (status, answer) = stack.call("/events/evt_1/replay", json!({})).await;
        assert_eq!(
            (status, answer["error"]["code"].as_str()),
            (503, Some("temporarily_unavailable")),
            "{operation}"
        );
        stack.cloud.clear_faults();
    }
    assert_eq!(stack.row("evt_1").await.unwrap(), before);
}

#[tokio::test]
async fn what_an_earlier_version_could_not_read_is_listed_under_its_object_once_it_can() {
    let stack = Stack::start().await;
    stack.unread("evt_1").await;
    assert_eq!(stack.call("/events/evt_1/replay", json!({})).await.0, 200);
    let row = stack.row("evt_1").await.unwrap();
    assert_eq!(
        (row.event_type.as_deref(), row.created, row.object.map(|key| key.to_string()).as_deref()),
        (Some("invoice.paid"), Some(UnixSeconds::new(5)), Some("-/invoice/in_1"))
    );
}

#[tokio::test]
async fn the_parts_of_a_large_payload_expire_and_come_back_with_their_row() {
    let stack = Stack::start().await;
    let body = stack.large("evt_1").await;
    let row = stack.row("evt_1").await.unwrap();
    let done = Transition::to(EventState::Processed);
    stack.ledger().transition(&row, &done, retention(), ago(30)).await.unwrap();
    let expiries = async || {
        let client = stack.cloud.aws().dynamodb(shared::aws::CallLimits::PATIENT);
        let items = client.scan().table_name("LedgerTable").send().await.unwrap().items.unwrap();
        items.into_iter().map(|item| item.contains_key("expires_at")).collect::<Vec<_>>()
    };
    let expired = expiries().await;
    assert!(expired.len() > 1 && expired.iter().all(|is| *is), "{expired:?}");
    stack.store(&body, ago(5)).await;
    assert_eq!(expiries().await, expired, "sent again, it expires all the same");
    assert_eq!(stack.call("/events/evt_1/replay", json!({})).await.0, 200);
    assert!(expiries().await.iter().all(|is| !is));
    // Stripe sends it again: nothing of it changes.
    stack.store(&body, ago(5)).await;
    assert!(expiries().await.iter().all(|is| !is));
    let row = stack.row("evt_1").await.unwrap();
    assert_eq!(stack.ledger().body(&row).await.unwrap().unwrap(), body.as_bytes());
}
