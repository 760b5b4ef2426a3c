//! A viewer reads, an admin changes, and nobody else does either.
use test_cloud::fixtures::error_code;

use crate::support::{As, Stack};

const READS: [(&str, &str); 3] = [("GET", "/endpoints"), ("GET", "/endpoints/main"), ("GET", "/settings")];
const CHANGES: [(&str, &str, &str); 4] = [
    ("POST", "/endpoints", r#"{"name":"second"}"#),
    ("DELETE", "/endpoints/main?confirm=main", ""),
    ("PUT", "/settings/stripe-key", r#"{"key":"sk_test_simulated"}"#),
    ("PATCH", "/settings", r#"{"ignore":[]}"#),
];

#[tokio::test]
async fn a_viewer_reads_and_changes_nothing() {
    let stack = Stack::start().await;
    stack.register("").await;
    for (method, path) in READS {
        assert_eq!(stack.call_as(As::Viewer, method, path, "").await.0, 200, "{path}");
    }
    stack.stripe.clear_requests();
    for (method, path, body) in CHANGES {
        let (status, answer) = stack.call_as(As::Viewer, method, path, body).await;
        assert_eq!((status, error_code(&answer)), (403, "forbidden"), "{path}");
    }
    assert!(stack.stripe.requests().is_empty());
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn who_is_in_no_group_or_has_no_token_reaches_nothing() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.cloud.clear_calls();
    for (who, expected) in [(As::Stranger, 403), (As::Nobody, 401)] {
        for (method, path, body) in READS.map(|(method, path)| (method, path, "")).into_iter().chain(CHANGES)
        {
            assert_eq!(stack.call_as(who, method, path, body).await.0, expected, "{who:?} {method} {path}");
        }
    }
    assert_eq!(stack.cloud.count("PutItem", "AuditTable"), 4, "the stranger's four attempts");
    assert_eq!(stack.cloud.calls().len(), 4, "{:?}", stack.cloud.calls());
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn who_may_invoke_the_function_is_admin() {
    let stack = Stack::start().await;
    assert_eq!(stack.call_as(As::Iam, "POST", "/endpoints", "").await.0, 201);
    assert!(stack.audit_entries().await.iter().any(|entry| entry.subject == "iam"));
}
