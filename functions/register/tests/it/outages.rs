//! What is down gives an answer in time that says so, and nothing half true.

use std::time::Duration;

use register::WORK_WITHIN;
use simulated_stripe::Fault;
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::error_code;

use crate::support::Stack;

#[tokio::test]
async fn a_store_that_is_down_is_a_503_for_every_call() {
    let stack = Stack::start().await;
    stack.register("").await;
    let calls = [
        ("GET", "/endpoints", ""),
        ("GET", "/endpoints/main", ""),
        ("GET", "/settings", ""),
        ("POST", "/endpoints", r#"{"name":"second"}"#),
        ("DELETE", "/endpoints/main?confirm=main", ""),
        ("PUT", "/settings/stripe-key", r#"{"key":"sk_test_simulated"}"#),
        ("PATCH", "/settings", r#"{"ignore":[]}"#),
    ];
    for (method, path, body) in calls {
        for operation in ["Query", "GetItem", "PutItem"] {
            stack.cloud.fail(operation, "RegistryTable", 1_000, CloudFault::AccessDenied);
        }
        let (status, answer) = stack.call(method, path, body).await;
        assert_eq!((status, error_code(&answer)), (503, "temporarily_unavailable"), "{method} {path}");
        assert!(answer["error"]["message"].as_str().unwrap().len() < 80, "a cause from inside: {answer}");
        stack.cloud.clear_faults();
    }
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn with_secrets_manager_down_nothing_is_begun() {
    let stack = Stack::start().await;
    stack.cloud.fail("GetSecretValue", "", 1_000, CloudFault::ServerError);
    let (status, answer) = stack.register("").await;
    assert_eq!((status, error_code(&answer)), (503, "temporarily_unavailable"));
    assert!(stack.stripe.requests().is_empty());
    stack.assert_nothing_left("main").await;
}

#[tokio::test]
async fn a_stripe_that_hangs_gets_the_caller_an_answer_in_time() {
    let stack = Stack::start().await.hasty();
    for (method, path, body, expected) in [
        ("POST", "/endpoints", "", 503),
        ("DELETE", "/endpoints/main?confirm=main", "", 503),
        ("PUT", "/settings/stripe-key", r#"{"key":"sk_test_simulated"}"#, 503),
        ("GET", "/settings", "", 200),
    ] {
        stack.stripe.add_fault(Fault::hold().times(99));
        let (status, answer) = stack.call(method, path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        stack.stripe.clear_faults();
    }
}

#[tokio::test]
async fn a_store_that_hangs_gets_the_caller_an_answer_in_time() {
    let stack = Stack::start().await.hasty();
    stack.cloud.fail("GetItem", "RegistryTable", 99, CloudFault::Hang);
    let (status, answer) = stack.register("").await;
    assert_eq!((status, error_code(&answer)), (503, "temporarily_unavailable"), "{answer}");
}

#[test]
fn the_whole_stays_below_api_gateways_thirty_seconds() {
    // The work, then the audit.
    assert!(WORK_WITHIN + Duration::from_secs(4) < Duration::from_secs(25));
}

#[tokio::test]
async fn a_change_stands_and_is_answered_when_only_the_audit_is_down() {
    let stack = Stack::start().await;
    stack.cloud.fail("PutItem", "AuditTable", 99, CloudFault::ServerError);
    let (status, made) = stack.register("").await;
    assert_eq!(status, 201, "{made}");
    assert!(made["signing_secret"].is_string());
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn an_act_whose_write_was_done_and_tried_again_is_in_the_audit_once() {
    let stack = Stack::bare().await;
    stack.cloud.fail("PutItem", "AuditTable", 1, CloudFault::DoneAndCut);
    stack.set_key().await;
    let entries = stack.audit_entries().await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    stack.cloud.fail("PutItem", "AuditTable", 1, CloudFault::DoneAndCut);
    stack.register("").await;
    assert_eq!(stack.cloud.count("PutItem", "AuditTable"), 2, "tried again, and refused as being there");
    assert_eq!(stack.audit_entries().await.len(), 2);
}

#[tokio::test]
async fn advice_to_try_again_is_followed_and_a_plain_429_is_passed_on() {
    let stack = Stack::start().await;
    stack.stripe.add_fault(Fault::rate_limit(Some(true)).on("POST", "/v1/webhook_endpoints"));
    assert_eq!(stack.register("").await.0, 201);
    stack.stripe.add_fault(Fault::rate_limit(None).on("POST", "/v1/webhook_endpoints"));
    let (status, answer) = stack.register(r#"{"name":"second"}"#).await;
    assert_eq!((status, error_code(&answer)), (502, "stripe_error"));
    assert!(answer["error"]["remedy"].as_str().unwrap().contains("wait"), "{answer}");
    assert!(stack.row("second").await.is_none());
}
