//! How events are treated is set for the whole stack, each number within its bounds, each pattern one that
//! Stripe knows.

use serde_json::{Value, json};
use shared::registry::Rules;
use shared::retry::Retry;
use test_cloud::Fault;
use test_cloud::fixtures::error_code;

use crate::support::Stack;

async fn patch(stack: &Stack, body: impl std::borrow::Borrow<Value>) -> (u16, Value) {
    stack.call("PATCH", "/settings", &body.borrow().to_string()).await
}

#[tokio::test]
async fn what_is_named_changes_and_the_rest_stays() {
    let stack = Stack::start().await;
    let (status, answer) =
        patch(&stack, json!({ "ignore": ["invoice.*", "charge.updated", "invoice.*"] })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["ignore"], json!(["charge.updated", "invoice.*"]));
    assert_eq!(answer["stripe_key"]["hint"], "sk_test_…ated", "it is the answer of GET /settings");
    let (_, answer) = patch(&stack, json!({ "retry": { "attempts": 5, "longest_delay_s": 60 } })).await;
    let retry = json!({ "attempts": 5, "first_delay_s": 30, "longest_delay_s": 60 });
    assert_eq!((&answer["retry"], &answer["ignore"]), (&retry, &json!(["charge.updated", "invoice.*"])));
    let (_, answer) = patch(&stack, json!({ "ignore": [] })).await;
    assert_eq!((&answer["retry"], &answer["ignore"]), (&retry, &json!([])));
    assert_eq!(stack.call("GET", "/settings", "").await, (200, answer));
    let stored = stack.registry().rules().await.unwrap();
    assert_eq!(stored.retry, Retry { attempts: 5, first_delay_s: 30, longest_delay_s: 60 });
}

#[tokio::test]
async fn they_can_be_set_before_there_is_a_key() {
    let stack = Stack::bare().await;
    let (status, answer) = patch(&stack, json!({ "ignore": ["invoice.sent"] })).await;
    assert_eq!((status, &answer["stripe_key"]), (200, &Value::Null), "{answer}");
}

#[tokio::test]
async fn each_refusal_names_the_field_and_the_remedy_and_changes_nothing() {
    let stack = Stack::start().await;
    for (body, code, field) in [
        (json!({}), "parameter_missing", None),
        (json!({ "ignore": null }), "parameter_missing", None),
        (json!({ "ignored": [] }), "parameter_unknown", Some("ignored")),
        (json!({ "ignore": "invoice.*" }), "parameter_invalid", Some("ignore")),
        (json!({ "ignore": ["invoice.payed"] }), "parameter_invalid", Some("ignore")),
        (json!({ "ignore": ["*"] }), "parameter_invalid", Some("ignore")),
        (json!({ "retry": 5 }), "parameter_invalid", Some("retry")),
        (json!({ "retry": { "attempt": 5 } }), "parameter_unknown", Some("retry.attempt")),
        (json!({ "retry": { "attempts": 0 } }), "parameter_invalid", Some("retry.attempts")),
        (json!({ "retry": { "attempts": 101 } }), "parameter_invalid", Some("retry.attempts")),
        (json!({ "retry": { "attempts": "5" } }), "parameter_invalid", Some("retry.attempts")),
        (json!({ "retry": { "attempts": 5.5 } }), "parameter_invalid", Some("retry.attempts")),
        (json!({ "retry": { "attempts": -1 } }), "parameter_invalid", Some("retry.attempts")),
        (json!({ "retry": { "first_delay_s": 3_601 } }), "parameter_invalid", Some("retry.first_delay_s")),
        (json!({ "retry": { "longest_delay_s": 29 } }), "parameter_invalid", Some("retry.longest_delay_s")),
        (
            json!({ "retry": { "longest_delay_s": 86_401 } }),
            "parameter_invalid",
            Some("retry.longest_delay_s"),
        ),
        // One good and one bad: neither is taken.
        (json!({ "ignore": [], "retry": { "attempts": 0 } }), "parameter_invalid", Some("retry.attempts")),
    ] {
        let (status, answer) = patch(&stack, &body).await;
        let error = &answer["error"];
        assert_eq!(
            (status, error["code"].as_str(), error["field"].as_str()),
            (400, Some(code), field),
            "{body}: {answer}"
        );
        assert!(error["remedy"].is_string(), "{answer}");
    }
    let (_, answer) = patch(&stack, json!({ "ignore": ["invoice.payed"] })).await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("invoice.paid"), "the nearest: {answer}");
    assert_eq!(stack.registry().rules().await.unwrap(), Rules::default());
}

#[tokio::test]
async fn a_change_is_audited_with_before_and_after() {
    let stack = Stack::start().await;
    patch(&stack, json!({ "ignore": ["invoice.sent"] })).await;
    patch(&stack, json!({ "ignore": ["invoice.sant"] })).await;
    let mut entries = stack.audit_entries().await;
    entries.retain(|entry| entry.action == "settings.rules");
    let retry = json!({ "attempts": 12, "first_delay_s": 30, "longest_delay_s": 3600 });
    let done = entries.iter().find(|entry| entry.result == "done").unwrap();
    assert_eq!(done.before, Some(json!({ "ignore": [], "retry": retry })));
    assert_eq!(done.after, Some(json!({ "ignore": ["invoice.sent"], "retry": retry })));
    let refused = entries.iter().find(|entry| entry.result == "parameter_invalid").unwrap();
    assert_eq!((refused.target.as_str(), &refused.after), ("settings", &None));
}

#[tokio::test]
async fn of_two_admins_at_once_one_wins_and_the_other_is_told() {
    let stack = Stack::start().await;
    let old = stack.registry().rules().await.unwrap();
    assert_eq!(patch(&stack, json!({ "ignore": ["invoice.sent"] })).await.0, 200);
    // The other had read them before.
    let mut new = Rules { ignore: vec!["invoice.paid".into()], ..old.clone() };
    let written = stack.registry().store_rules(&old, &mut new).await.unwrap();
    assert_eq!(written, shared::registry::Written::Conflict);
    let both = tokio::join!(
        patch(&stack, json!({ "ignore": ["invoice.paid"] })),
        patch(&stack, json!({ "ignore": ["charge.failed"] }))
    );
    for (status, answer) in [&both.0, &both.1] {
        assert!(*status == 200 || (*status, error_code(answer)) == (409, "settings_changed"), "{answer}");
    }
    let holds = stack.call("GET", "/settings", "").await.1["ignore"].clone();
    let won = |(status, answer): &(u16, Value)| *status == 200 && answer["ignore"] == holds;
    assert!(won(&both.0) || won(&both.1), "{holds}");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_counts_as_done() {
    let stack = Stack::start().await;
    stack.cloud.fail("PutItem", "RegistryTable", 1, Fault::DoneAndCut);
    assert_eq!(patch(&stack, json!({ "ignore": ["invoice.sent"] })).await.0, 200);
}
