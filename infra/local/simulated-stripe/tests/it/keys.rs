//! Authentication, and what every answer carries.

use axum::http::Method;
use serde_json::json;
use simulated_stripe::{Key, Options, SimulatedStripe};

use crate::support::{Api, NOW, stripe};

#[tokio::test]
async fn a_wrong_key_is_a_401_and_none_is_too() {
    let stripe = stripe();
    let mut api = Api::new(&stripe);
    for key in ["sk_test_other", ""] {
        api.key = key.to_owned();
        let refused = api.get("/v1/events").await;
        assert_eq!((refused.status, &refused.error()["type"]), (401, &json!("invalid_request_error")));
        assert!(!refused.body.to_string().contains("sk_test_other"), "a key is never shown whole");
    }
}

#[tokio::test]
async fn basic_authorization_takes_the_key_as_the_user() {
    let stripe = stripe();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("{}/v1/account", stripe.url()));
    let answer = request.basic_auth(stripe.key(), None::<&str>).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_restricted_key_does_only_what_it_may() {
    let key = Key::restricted("rk_test_1", &["webhook_endpoints:write", "events:read"]);
    let stripe = SimulatedStripe::start(Options::for_tests().key(key)).unwrap();
    let api = Api::new(&stripe);
    assert_eq!(api.get("/v1/events").await.status, 200);
    assert_eq!(api.get("/v1/webhook_endpoints").await.status, 200, "the right to write includes reading");
    for path in ["/v1/customers", "/v1/account"] {
        let refused = api.get(path).await;
        assert_eq!((refused.status, &refused.error()["type"]), (403, &json!("invalid_request_error")));
    }
    stripe.set_keys(vec![Key::restricted("rk_test_1", &["webhook_endpoints:read"])]);
    let refused = api.post("/v1/webhook_endpoints", &[]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.error()["message"].as_str().unwrap().contains("'rak_webhook_write' permission"));
}

#[tokio::test]
async fn every_answer_carries_stripes_headers() {
    let stripe = stripe();
    stripe.skew_date(-30);
    let api = Api::new(&stripe);
    let plain = api.get("/v1/events").await;
    assert!(plain.header("request-id").starts_with("req_"));
    assert_eq!(plain.header("stripe-version"), "2026-10-28.endive");
    let asked =
        [("stripe-version", "2024-06-20"), ("idempotency-key", "k"), ("stripe-account", "acct_other")];
    let missing = api.call(Method::GET, "/v1/nothing", &[], &asked).await.unwrap();
    assert_eq!(missing.status, 404);
    assert!(
        missing.error()["message"]
            .as_str()
            .unwrap()
            .starts_with("Unrecognized request URL (GET: /v1/nothing)")
    );
    for (name, value) in asked {
        assert_eq!(missing.header(name), value);
    }
    let date = httpdate(NOW - 30);
    assert_eq!((plain.header("date"), missing.header("date")), (&*date, &*date));
}

fn httpdate(at: i64) -> String {
    jiff::Timestamp::from_second(at).unwrap().strftime("%a, %d %b %Y %T GMT").to_string()
}

#[tokio::test]
async fn the_account_has_its_id() {
    let stripe = stripe();
    let account = Api::new(&stripe).get("/v1/account").await.body;
    assert_eq!((&account["id"], &account["object"]), (&json!("acct_1Simulated"), &json!("account")));
}

#[tokio::test]
async fn calls_are_logged_with_what_was_sent() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    api.post_once("key-1", "/v1/webhook_endpoints", &[("url", "x"), ("metadata[a]", "b")]).await;
    let requests = stripe.requests();
    let logged = &requests[0];
    assert_eq!((&*logged.method, &*logged.path, logged.status), ("POST", "/v1/webhook_endpoints", Some(400)));
    assert_eq!(
        (logged.idempotency_key.as_deref(), logged.key_hint.as_deref()),
        (Some("key-1"), Some("ated"))
    );
    assert_eq!(logged.param("metadata[a]"), Some("b"));
    stripe.clear_requests();
    assert!(stripe.requests().is_empty());
}

#[tokio::test]
async fn nothing_is_left_when_the_handle_is_dropped() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    assert_eq!(api.get("/v1/account").await.status, 200);
    drop(stripe);
    assert!(api.call(Method::GET, "/v1/account", &[], &[]).await.is_err());
}
