//! What is wrong is refused by name, before anything is stored or asked of Stripe.

use serde_json::json;
use test_cloud::fixtures::error_code;

use crate::support::{As, Stack};

#[tokio::test]
async fn each_refusal_names_the_field_and_changes_nothing() {
    let stack = Stack::start().await;
    let cases = [
        (r#"{"name":"-"}"#, "name", "parameter_invalid"),
        (r#"{"events":[]}"#, "events", "parameter_invalid"),
        (r#"{"events":["invoice.payed"]}"#, "events", "parameter_invalid"),
        (r#"{"url":"http://example.com"}"#, "url", "parameter_invalid"),
        (r#"{"url":"https://10.0.0.1/"}"#, "url", "parameter_invalid"),
        (r#"{"api_version":"newest"}"#, "api_version", "parameter_invalid"),
        (r#"{"connect":1}"#, "connect", "parameter_invalid"),
        (r#"{"color":"red"}"#, "color", "parameter_unknown"),
    ];
    for (body, field, expected) in cases {
        let (status, answer) = stack.register(body).await;
        assert_eq!((status, error_code(&answer)), (400, expected), "{body}");
        assert_eq!(answer["error"]["field"], field, "{body}");
        assert!(answer["error"]["remedy"].is_string(), "{answer}");
    }
    for body in ["[]", "nonsense", "7"] {
        assert_eq!(error_code(&stack.register(body).await.1), "body_invalid", "{body}");
    }
    assert!(stack.stripe.requests().is_empty());
    assert!(stack.registry().endpoints().await.unwrap().is_empty());
}

#[tokio::test]
async fn parameters_that_a_call_does_not_know_are_refused() {
    let stack = Stack::start().await;
    for (method, path) in [
        ("GET", "/endpoints?state=active"),
        ("GET", "/endpoints/main?x=1"),
        ("POST", "/endpoints?name=main"),
        ("DELETE", "/endpoints/main?confirm=main&force=true"),
        ("GET", "/settings?x=1"),
        ("PUT", "/settings/stripe-key?key=sk_test_simulated"),
    ] {
        let (status, answer) = stack.call(method, path, "").await;
        assert_eq!((status, error_code(&answer)), (400, "parameter_unknown"), "{method} {path}");
    }
    let (status, answer) = stack.call("GET", "/endpoints?cursor=abc", "").await;
    assert_eq!((status, answer["error"]["field"].as_str()), (400, Some("cursor")));
}

#[tokio::test]
async fn unknown_paths_are_404_and_known_ones_with_another_method_405() {
    let stack = Stack::start().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/endpoints/a/b"),
        ("POST", "/endpoints/main/dance"),
        ("PUT", "/settings/other"),
        ("GET", "/webhooks/main"),
    ] {
        let (status, answer) = stack.call(method, path, "").await;
        assert_eq!((status, error_code(&answer)), (404, "not_found"), "{method} {path}");
    }
    for (method, path) in [
        ("PUT", "/endpoints"),
        ("POST", "/endpoints/main"),
        ("DELETE", "/settings"),
        ("GET", "/settings/stripe-key"),
    ] {
        let (status, answer) = stack.call(method, path, "").await;
        assert_eq!((status, error_code(&answer)), (405, "method_not_allowed"), "{method} {path}");
    }
    for name in ["main", "NO", "%2e%2e", "a%2fb"] {
        let (status, answer) = stack.call("GET", &format!("/endpoints/{name}"), "").await;
        assert_eq!((status, error_code(&answer)), (404, "not_found"), "{name}");
    }
}

#[tokio::test]
async fn refused_attempts_of_signed_in_people_are_in_the_audit() {
    let stack = Stack::bare().await;
    stack.call_as(As::Viewer, "POST", "/endpoints", r#"{"name":"mine"}"#).await;
    stack.call("POST", "/endpoints", r#"{"name":"mine","events":[]}"#).await;
    // What is no name may be a key, sent in the wrong place.
    for no_name in ["sk_test_verysecret", &"x".repeat(500)] {
        stack.call("POST", "/endpoints", &json!({ "name": no_name }).to_string()).await;
    }
    stack.call("DELETE", "/endpoints/sk_test_verysecret", "").await;
    stack.call("DELETE", "/endpoints/mine", "").await;
    stack.call("PUT", "/settings/stripe-key", r#"{"key":"sk_live_12345678"}"#).await;
    let mut audited: Vec<_> = stack
        .audit_entries()
        .await
        .iter()
        .map(|entry| (entry.action.clone(), entry.target.clone(), entry.result.clone()))
        .collect();
    audited.sort_unstable();
    let audited: Vec<_> = audited.iter().map(|(a, t, r)| (a.as_str(), t.as_str(), r.as_str())).collect();
    assert_eq!(
        audited,
        [
            ("endpoint.deregister", "-", "not_found"),
            ("endpoint.deregister", "mine", "confirmation_required"),
            ("endpoint.register", "-", "forbidden"),
            ("endpoint.register", "-", "parameter_invalid"),
            ("endpoint.register", "-", "parameter_invalid"),
            ("endpoint.register", "mine", "parameter_invalid"),
            ("settings.stripe_key", "stripe-key", "key_of_other_mode"),
        ]
    );
}
