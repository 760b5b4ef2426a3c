//! An admin's request is answered with what was found, and audited.

use serde_json::{Value, json};
use shared::audit::Audit;
use shared::aws::CallLimits;
use shared::deadline::Deadline;
use test_cloud::Fault;
use test_cloud::fixtures::now;

use crate::support::{Stack, ago, later};

#[tokio::test]
async fn an_admin_gets_what_was_found() {
    let stack = Stack::start().await;
    stack.missed("invoice.paid", ago(60));
    let (status, answer) = stack.call("admin", "POST", "/reconcile", json!({})).await;
    let expected = json!({
        "endpoints": "ok", "events": "ok", "looked_at": 1, "filled": 1, "more": false,
        "compared_until": "2026-11-24T11:55:00Z",
    });
    assert_eq!((status, answer), (200, expected));
    let audit = Audit::new(stack.cloud.aws().dynamodb(CallLimits::PATIENT), "AuditTable");
    let entries = audit.list(None, 10, now()).await.unwrap().0;
    assert_eq!((entries[0].action.as_str(), entries[0].result.as_str()), ("reconcile", "done"));
}

#[tokio::test]
async fn each_refusal_names_the_field_and_stripe_is_not_asked() {
    let stack = Stack::start().await;
    let old = ago(31 * 1_440).to_string();
    let future = later(1).to_string();
    for (group, method, path, body, status, code, field) in [
        ("viewer", "POST", "/reconcile", json!({}), 403, "forbidden", None),
        ("admin", "GET", "/reconcile", json!({}), 405, "method_not_allowed", None),
        ("admin", "POST", "/reconcile/all", json!({}), 404, "not_found", None),
        ("admin", "POST", "/reconcile", json!({"since": "today"}), 400, "parameter_invalid", Some("since")),
        ("admin", "POST", "/reconcile", json!({"since": old}), 400, "parameter_invalid", Some("since")),
        ("admin", "POST", "/reconcile", json!({"since": future}), 400, "parameter_invalid", Some("since")),
        ("admin", "POST", "/reconcile", json!({"from": old}), 400, "parameter_unknown", Some("from")),
    ] {
        let (got, answer) = stack.call(group, method, path, body).await;
        let error = &answer["error"];
        assert_eq!(
            (got, error["code"].as_str(), error["field"].as_str()),
            (status, Some(code), field),
            "{answer}"
        );
    }
    assert!(stack.stripe.requests().is_empty());
}

#[tokio::test]
async fn while_another_run_is_at_it_the_answer_says_so() {
    let stack = Stack::start().await;
    let lease = jiff::SignedDuration::from_secs(60);
    assert!(
        stack
            .registry()
            .acquire_lease(shared::registry::Lease::Reconcile, "another", now(), lease)
            .await
            .unwrap()
    );
    let (status, answer) = stack.call("admin", "POST", "/reconcile", json!({})).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (409, Some("reconcile_running")));
    assert!(answer["error"]["remedy"].is_string());
}

#[tokio::test]
async fn a_store_that_is_down_is_a_503_and_an_error_of_the_schedule() {
    let stack = Stack::start().await;
    stack.cloud.fail("UpdateItem", "RegistryTable", 100, Fault::ServerError);
    let (status, answer) = stack.call("admin", "POST", "/reconcile", json!({})).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (503, Some("temporarily_unavailable")));
    stack.try_run(now()).await.unwrap_err();
}

#[tokio::test]
async fn an_input_that_is_neither_is_refused() {
    let stack = Stack::start().await;
    for input in [Value::Null, json!({}), json!({"requestContext": {}})] {
        reconcile::handle(&stack.cold(), input, "r", now(), Deadline::NEVER).await.unwrap_err();
    }
}
