//! Faults in the API.

use axum::http::Method;
use serde_json::json;
use simulated_stripe::{Answer, Effect, Fault, When};

use crate::support::{Api, stripe, until};

const PATH: &str = "/v1/webhook_endpoints";
const FORM: [(&str, &str); 2] = [("url", "https://example.com"), ("enabled_events[]", "*")];

#[tokio::test]
async fn a_fault_hits_only_the_calls_it_waits_for_and_is_used_up() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.add_fault(Fault::status(503).on("GET", "/v1/events").times(2));
    assert_eq!(api.get(PATH).await.status, 200);
    assert_eq!(api.get("/v1/events").await.status, 503);
    let second = api.get("/v1/events?limit=1").await;
    assert_eq!((second.status, &second.error()["type"]), (503, &json!("api_error")));
    assert!(second.header("request-id").starts_with("req_"));
    assert_eq!(api.get("/v1/events").await.status, 200);
}

#[tokio::test]
async fn a_rate_limit_comes_with_or_without_advice() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    for (advice, header) in [(Some(true), "true"), (Some(false), "false"), (None, "")] {
        stripe.add_fault(Fault::rate_limit(advice));
        let limited = api.get(PATH).await;
        assert_eq!((limited.status, &limited.error()["code"]), (429, &json!("rate_limit")));
        assert_eq!(limited.header("stripe-should-retry"), header);
        assert_eq!(limited.header("stripe-rate-limited-reason"), "global-rate");
    }
}

#[tokio::test]
async fn an_answer_can_be_given_whole() {
    let stripe = stripe();
    let body = json!({ "error": { "type": "invalid_request_error", "code": "lock_timeout" } });
    let answer = Answer { status: 429, body: Some(body), should_retry: None, retry_after: Some(3) };
    let effect = Effect::Answer(answer);
    stripe.add_fault(Fault { method: None, path: String::new(), times: 2, when: When::Before, effect });
    let api = Api::new(&stripe);
    let (first, second) = (api.get(PATH).await, api.get(PATH).await);
    let in_three_seconds = stripe.now() + 3;
    let date = jiff::Timestamp::from_second(in_three_seconds).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT");
    for (limited, advice) in [(first, "3"), (second, &*date.to_string())] {
        assert_eq!(
            (&limited.error()["code"], limited.header("retry-after")),
            (&json!("lock_timeout"), advice)
        );
    }
}

#[tokio::test]
async fn somebody_elses_page_comes_as_it_is_and_without_stripes_headers() {
    let stripe = stripe();
    for page in ["<html>sign in</html>", "", r#"{"object":"list","data":["#, "{\"a\":1e999}"] {
        stripe.add_fault(Fault::status(200).body(json!(page)));
        let answer = Api::new(&stripe).get(PATH).await;
        assert_eq!((answer.status, &answer.body), (200, &json!(page)));
        assert_eq!((answer.header("content-type"), answer.header("request-id")), ("text/html", ""));
    }
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_the_effect() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    for (fault, made) in [(Fault::cut(), 0), (Fault::cut().after(), 1)] {
        stripe.add_fault(fault.on("POST", PATH));
        let failed = api.call(Method::POST, PATH, &FORM, &[]).await;
        assert!(failed.is_err_and(|error| error.is_request()), "no status, no headers, nothing");
        assert_eq!(stripe.endpoints().len(), made);
    }
    assert_eq!(stripe.requests()[0].status, None);
    assert_eq!(api.get(PATH).await.ids().len(), 1, "only that connection is cut");
}

#[tokio::test]
async fn a_held_call_goes_on_when_faults_are_cleared() {
    for (fault, made_while_held) in [(Fault::hold(), 0), (Fault::hold().after(), 1)] {
        let stripe = stripe();
        let api = Api::new(&stripe);
        stripe.add_fault(fault.on("POST", PATH));
        let held = tokio::spawn(async move { api.post(PATH, &FORM).await.status });
        until(|| stripe.requests().len() == 1 && stripe.endpoints().len() == made_while_held).await;
        assert_eq!(Api::new(&stripe).get("/v1/account").await.status, 200, "other calls pass meanwhile");
        assert!(!held.is_finished());
        stripe.clear_faults();
        assert_eq!((held.await.unwrap(), stripe.endpoints().len()), (200, 1));
    }
}

#[tokio::test]
async fn a_client_that_gives_up_leaves_nothing_behind_if_the_call_was_held_before_its_effect() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.add_fault(Fault::hold().on("POST", PATH));
    let impatient =
        reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_millis(50)).build().unwrap();
    let request = impatient.post(format!("{}{PATH}", stripe.url())).bearer_auth(stripe.key()).form(&FORM);
    let gave_up = request.header("idempotency-key", "k").send().await;
    assert!(gave_up.is_err_and(|error| error.is_timeout()));
    // The key is free again as soon as the server notices.
    let mut again = api.post_once("k", PATH, &FORM).await;
    while again.status == 409 {
        again = api.post_once("k", PATH, &FORM).await;
    }
    assert_eq!((again.status, again.header("idempotent-replayed"), stripe.endpoints().len()), (200, "", 1));
}

#[tokio::test]
async fn a_delay_only_takes_longer() {
    let stripe = stripe();
    stripe.add_fault(Fault::delay_ms(30));
    let started = std::time::Instant::now();
    assert_eq!(Api::new(&stripe).get(PATH).await.status, 200);
    assert!(started.elapsed().as_millis() >= 30);
}
