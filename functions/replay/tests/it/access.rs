//! Only admins replay and discard, and each action is in the audit, refused ones too.

use serde_json::json;
use shared::ledger::EventState;

use crate::support::Stack;

const PATHS: [&str; 4] =
    ["/events/evt_1/replay", "/events/evt_1/discard", "/events/replay", "/events/discard"];

#[tokio::test]
async fn a_viewer_a_stranger_and_nobody_change_nothing() {
    let stack = Stack::start().await;
    let before = stack.event("evt_1", EventState::Dead).await;
    for path in PATHS {
        let body = json!({ "state": "dead", "why": "x" });
        for (group, expected) in [(Some("viewer"), 403), (Some("others"), 403), (None, 401)] {
            let (status, answer) = stack.call_as(group, "POST", path, body.clone()).await;
            assert_eq!(status, expected, "{path} {group:?}: {answer}");
        }
    }
    assert_eq!(stack.row("evt_1").await.unwrap(), before);
    let refused: Vec<_> = stack.audit_entries().await.into_iter().map(|entry| entry.result).collect();
    // The viewer's four; the stranger's once an hour for each of the two actions, so that they fill no audit.
    assert_eq!(refused, ["forbidden"; 6], "those of signed-in callers");
}

#[tokio::test]
async fn each_action_is_recorded_with_who_did_what_to_which_events() {
    let stack = Stack::start().await;
    stack.event("evt_1", EventState::Dead).await;
    stack.event("evt_2", EventState::Dead).await;
    stack.call("/events/evt_1/replay", json!({})).await;
    stack.call("/events/discard", json!({ "state": "dead", "why": "old" })).await;
    stack.call("/events/sk_test_pasted/discard", json!({ "why": "x" })).await;
    let mut entries: Vec<_> = stack
        .audit_entries()
        .await
        .into_iter()
        .map(|entry| {
            assert_eq!((entry.email.as_deref(), entry.address.is_some()), (Some("a@example.com"), true));
            (entry.action, entry.target, entry.result, entry.before, entry.after)
        })
        .collect();
    entries.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let expected = [
        ("events.discard", "-", "not_found", None, None),
        (
            "events.discard",
            "events",
            "done",
            Some(json!({ "filter": { "state": "dead" }, "why": "old" })),
            Some(json!({
                "matching": 1, "changed": 1, "overtaken": 0, "failed": 0, "dry_run": false, "next_cursor": null,
            })),
        ),
        (
            "events.replay",
            "evt_1",
            "done",
            Some(json!({ "state": "dead", "reason": "it broke", "attempts": 0 })),
            Some(json!({ "state": "pending", "why": null })),
        ),
    ];
    assert_eq!(
        entries,
        expected.map(|(action, target, result, before, after)| {
            (action.to_owned(), target.to_owned(), result.to_owned(), before, after)
        })
    );
}

#[tokio::test]
async fn counting_is_no_action_and_is_not_recorded_but_where_it_is_refused() {
    let stack = Stack::start().await;
    stack.event("evt_1", EventState::Dead).await;
    let count = json!({ "state": "dead", "dry_run": true });
    for path in ["/events/replay", "/events/discard"] {
        let (status, answer) = stack.call(path, count.clone()).await;
        assert_eq!((status, &answer["matching"]), (200, &json!(1)), "{path}");
    }
    assert!(stack.audit_entries().await.is_empty());
    assert_eq!(stack.call_as(Some("viewer"), "POST", "/events/replay", count).await.0, 403);
    let entries = stack.audit_entries().await;
    assert_eq!(entries.iter().map(|entry| entry.result.as_str()).collect::<Vec<_>>(), ["forbidden"]);
}

#[tokio::test]
async fn another_method_is_refused_with_the_right_one() {
    let stack = Stack::start().await;
    for path in PATHS {
        let (status, answer) = stack.call_as(Some("admin"), "PUT", path, json!({})).await;
        assert_eq!((status, answer["error"]["remedy"].as_str()), (405, Some("use POST")));
    }
}
