//! What an admin can check: an endpoint's secret once more, and whether a request reaches it.

use serde_json::{Value, json};
use test_cloud::fixtures::error_code;

use crate::support::{As, Stack};

#[tokio::test]
async fn an_admin_is_shown_the_secret_again_and_the_audit_says_who() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    let (status, shown) = stack.call("GET", "/endpoints/main/secret", "").await;
    assert_eq!((status, &shown["signing_secret"]), (200, &made["signing_secret"]));
    assert_eq!(
        shown["accepted"],
        json!([{ "stripe_id": made["stripe_id"], "signing_secret": made["signing_secret"] }])
    );
    for who in [As::Viewer, As::Stranger] {
        let (status, refused) = stack.call_as(who, "GET", "/endpoints/main/secret", "").await;
        assert_eq!((status, error_code(&refused)), (403, "forbidden"));
        assert!(!refused.to_string().contains("whsec"));
    }
    let entries = stack.audit_entries().await;
    let entries: Vec<_> = entries.iter().filter(|entry| entry.action == "endpoint.secret").collect();
    let results: Vec<_> =
        entries.iter().map(|entry| (entry.target.as_str(), entry.result.as_str())).collect();
    assert_eq!(results.len(), 3);
    assert!(results.contains(&("main", "done")) && results.contains(&("main", "forbidden")), "{results:?}");
    assert!(!format!("{entries:?}").contains("whsec"), "no secret is in the audit");
}

#[tokio::test]
async fn a_secret_that_is_lost_or_of_no_endpoint_is_refused_as_such() {
    let stack = Stack::start().await;
    let (status, answer) = stack.call("GET", "/endpoints/none/secret", "").await;
    assert_eq!((status, error_code(&answer)), (404, "not_found"));
    stack.register("").await;
    let name = stack.secrets().remove(0);
    stack.cloud.remove_secret(&name);
    let (status, answer) = stack.call("GET", "/endpoints/main/secret", "").await;
    assert_eq!((status, error_code(&answer)), (409, "secret_missing"), "{answer}");
    assert!(answer["error"]["remedy"].as_str().unwrap().contains("/endpoints/main/repair"));
}

fn step<'a>(tested: &'a Value, name: &str) -> &'a Value {
    tested["steps"].as_array().unwrap().iter().find(|step| step["step"] == name).unwrap()
}

#[tokio::test]
async fn a_test_shows_how_far_a_request_of_ours_came() {
    let stack = Stack::start().await;
    // Of the simulated Stripe itself: it is reached, and is not receive.
    let body = json!({ "url": format!("{}/webhooks/main", stack.stripe.url()) }).to_string();
    let (status, made) = stack.register(&body).await;
    assert_eq!(status, 201, "{made}");
    let (status, tested) = stack.call("POST", "/endpoints/main/test", "").await;
    assert_eq!((status, &tested["ok"]), (200, &json!(false)), "{tested}");
    assert_eq!(
        (&step(&tested, "connection")["ok"], &step(&tested, "answer")["ok"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(step(&tested, "answer")["evidence"]["status"], 401, "{tested}");
    assert!(tested["summary"].as_str().unwrap().contains("something else"), "{tested}");
    assert!(tested["remedy"].is_string());
    assert!(!tested.to_string().contains("whsec"));
    let entries = stack.audit_entries().await;
    assert!(entries.iter().any(|entry| entry.action == "endpoint.test" && entry.result == "done"));
}

#[tokio::test]
async fn what_cannot_be_tested_is_refused() {
    let stack = Stack::start().await;
    let (status, answer) = stack.call("POST", "/endpoints/none/test", "").await;
    assert_eq!((status, error_code(&answer)), (404, "not_found"));
    stack.register("").await;
    let (status, answer) =
        stack.call("POST", "/endpoints/main/test", r#"{"url":"https://example.com"}"#).await;
    assert_eq!((status, error_code(&answer)), (400, "parameter_unknown"));
    assert_eq!(stack.call_as(As::Viewer, "POST", "/endpoints/main/test", "").await.0, 403);
    let (status, answer) = stack.call("PUT", "/endpoints/main/test", "").await;
    assert_eq!((status, error_code(&answer)), (405, "method_not_allowed"));
}
