//! `/_control` does over HTTP what the handle does.

use axum::http::Method;
use serde_json::{Value, json};
use simulated_stripe::{Options, SimulatedStripe};

use crate::support::{Api, NOW, Receiver, stripe, until};

struct Control<'a>(&'a SimulatedStripe);

impl Control<'_> {
    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(method, format!("{}/_control{path}", self.0.url()));
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{path}");
        body
    }

    async fn done(&self, method: Method, path: &str, body: Value) {
        assert_eq!(self.call(method, path, body).await.0, 204, "{path}");
    }
}

#[tokio::test]
async fn a_script_can_run_a_whole_life_cycle() {
    let (stripe, receiver) = (stripe(), Receiver::start().await);
    let control = Control(&stripe);
    let endpoint = stripe.add_endpoint(&receiver.url, &["*"]);
    let (_, lifecycle) = control.call(Method::POST, "/story", Value::Null).await;
    let events = lifecycle["events"].as_array().unwrap().len();
    assert!(lifecycle["dispute"].as_str().unwrap().starts_with("du_"));
    let (_, attempts) = control.call(Method::POST, "/deliveries/due", Value::Null).await;
    assert_eq!(attempts.as_array().unwrap().len(), events);
    assert_eq!((&attempts[0]["status"], &attempts[0]["type"]), (&json!(200), &json!("customer.created")));
    assert_eq!(control.get("/deliveries").await, attempts);
    let resend = format!("/events/{}/resend", lifecycle["events"][0].as_str().unwrap());
    control.done(Method::POST, &resend, json!({ "endpoint": endpoint.id })).await;
    control.call(Method::POST, "/deliveries/due", Value::Null).await;
    assert_eq!(receiver.received().len(), events + 1);
}

#[tokio::test]
async fn events_are_made_from_json() {
    let stripe = stripe();
    let control = Control(&stripe);
    let new = json!({ "type": "customer.created", "object_id": "cus_1", "fields": { "email": "x" }, "created": NOW - 5 });
    let (status, event) = control.call(Method::POST, "/events", new).await;
    assert_eq!(
        (status, &event["data"]["object"]["email"], &event["created"]),
        (200, &json!("x"), &json!(NOW - 5))
    );
    let change = json!({ "type": "customer.updated", "object_id": "cus_1", "from_stored": true, "fields": { "email": "y" }, "fate": "listed" });
    let (_, event) = control.call(Method::POST, "/events", change).await;
    assert_eq!(event["data"]["previous_attributes"], json!({ "email": "x" }));
    let (status, error) = control.call(Method::POST, "/events", json!({ "type": "no.such" })).await;
    assert_eq!((status, error), (400, json!({ "error": "no sample of `no.such`: give the object whole" })));
    let raw = json!({ "id": "evt_raw", "type": "a.b", "data": { "object": {} } });
    assert_eq!(control.call(Method::POST, "/events/raw?fate=listed", raw).await.1["id"], "evt_raw");
}

#[tokio::test]
async fn the_clock_is_read_and_moved() {
    let stripe = stripe();
    let control = Control(&stripe);
    assert_eq!(control.get("/clock").await["now"], NOW);
    let (_, moved) = control.call(Method::POST, "/clock", json!({ "advance": 60, "date_skew": 5 })).await;
    assert_eq!((&moved["now"], stripe.now()), (&json!(NOW + 60), NOW + 60));
    control.call(Method::POST, "/clock", json!({ "now": 1000 })).await;
    assert_eq!(stripe.now(), 1000);
}

#[tokio::test]
async fn endpoints_are_read_with_secrets_and_drift() {
    let stripe = stripe();
    let control = Control(&stripe);
    let endpoint = stripe.add_endpoint("https://example.com", &["*"]);
    assert_eq!(control.get("/endpoints").await[0]["secret"], endpoint.secret);
    let path = format!("/endpoints/{}", endpoint.id);
    let change = json!({ "url": "https://other.example", "enabled_events": ["invoice.paid"], "disabled": true, "secret": "whsec_x" });
    let (_, changed) = control.call(Method::PATCH, &path, change).await;
    assert_eq!((&changed["secret"], &changed["disabled"]), (&json!("whsec_x"), &json!(true)));
    assert_eq!(control.get("/state").await["endpoints"][0], changed);
    control.done(Method::DELETE, &path, Value::Null).await;
    assert_eq!(control.call(Method::DELETE, &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn faults_delivery_behavior_keys_and_logs_are_set_and_cleared() {
    let stripe = stripe();
    let (control, api) = (Control(&stripe), Api::new(&stripe));
    let fault = json!({ "method": "GET", "path": "/v1/events", "effect": { "answer": { "status": 429, "should_retry": true } } });
    control.done(Method::POST, "/faults", fault).await;
    assert_eq!(api.get("/v1/events").await.header("stripe-should-retry"), "true");
    for effect in [json!("cut"), json!("hold"), json!({ "delay_ms": 5 })] {
        control.done(Method::POST, "/faults", json!({ "when": "after", "times": 2, "effect": effect })).await;
    }
    assert_eq!(control.get("/faults").await.as_array().unwrap().len(), 3);
    control.done(Method::DELETE, "/faults", Value::Null).await;
    assert_eq!(control.get("/requests").await[0]["path"], "/v1/events");
    control.done(Method::DELETE, "/requests", Value::Null).await;
    control.done(Method::PUT, "/deliveries/habits", json!({ "repeat": 2, "shuffle": 7 })).await;
    let behavior = json!({ "repeat": 2, "delay": 0, "shuffle": 7, "drop": [] });
    assert_eq!(control.get("/deliveries/habits").await, behavior);
    control.done(Method::PUT, "/keys", json!([{ "secret": "rk_test_2", "rights": [] }])).await;
    assert_eq!(api.get("/v1/events").await.status, 401);
}

#[tokio::test]
async fn objects_change_without_events() {
    let stripe = stripe();
    let control = Control(&stripe);
    control
        .done(Method::PUT, "/objects?account=acct_2", json!({ "id": "cus_9", "object": "customer" }))
        .await;
    assert!(stripe.object(Some("acct_2"), "cus_9").is_some());
    control.done(Method::DELETE, "/objects?account=acct_2&id=cus_9", Value::Null).await;
    assert!(stripe.object(Some("acct_2"), "cus_9").is_none());
}

#[tokio::test]
async fn deliveries_are_sent_in_the_background() {
    let receiver = Receiver::start().await;
    let stripe = SimulatedStripe::start(Options { clock: Some(NOW), ..Options::default() }).unwrap();
    let _ = stripe.add_endpoint(&receiver.url, &["*"]);
    receiver.answer(&[500]);
    stripe.emit("invoice.paid").unwrap();
    // What is due goes out at once, and the retry as soon as the clock is moved.
    until(|| stripe.attempts().len() == 1).await;
    stripe.advance(600);
    until(|| stripe.attempts().len() == 2).await;
    assert_eq!(stripe.attempts()[1].status, Some(200));
}
