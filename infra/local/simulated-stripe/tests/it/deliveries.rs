//! Deliveries: to which endpoints, with which signature, how often.

use serde_json::json;
use simulated_stripe::{DeliveryBehavior, EndpointChange, Fate, NewEvent, Options, SimulatedStripe, sign};

use crate::support::{Api, NOW, Receiver, stripe};

#[test]
fn a_signature_is_the_one_computed_elsewhere() {
    // Computed with Python's hmac module: the key is the whole secret, the text is "t.body".
    let expected = "t=1785100000,v1=512c67461c06641d34d0c15c377310b35b79613f57f6f910422d35bbdb9856d3";
    assert_eq!(sign("whsec_test_secret", 1_785_100_000, br#"{"id":"evt_1"}"#), expected);
}

#[tokio::test]
async fn a_delivery_is_signed_with_the_endpoints_own_secret_over_the_body_as_sent() {
    let (stripe, receiver) = (stripe(), Receiver::start().await);
    let endpoint = stripe.add_endpoint(&receiver.url, &["*"]);
    let event = stripe.emit("invoice.paid").unwrap();
    let attempts = stripe.deliver_due().await;
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].status, &json!(attempts[0].event)), (Some(200), &event["id"]));
    let received = receiver.received();
    let header = |name: &str| received[0].headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("stripe-signature"), sign(&endpoint.secret, NOW, received[0].body.as_bytes()));
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(header("user-agent"), "Stripe/1.0 (+https://stripe.com/docs/webhooks)");
    assert!(received[0].body.starts_with("{\n  \""), "spread over lines, two spaces deep");
    assert_eq!(received[0].event()["pending_webhooks"], 1);
    assert!(stripe.deliver_due().await.is_empty(), "a success is the end of it");
}

#[tokio::test]
async fn an_endpoint_gets_the_types_it_asked_for_while_it_is_enabled() {
    let (stripe, wanted, other) = (stripe(), Receiver::start().await, Receiver::start().await);
    stripe.emit("invoice.paid").unwrap();
    let _ = stripe.add_endpoint(&wanted.url, &["invoice.paid", "refund.created"]);
    let disabled = stripe.add_endpoint(&other.url, &["*"]);
    let change = EndpointChange { disabled: Some(true), ..EndpointChange::default() };
    stripe.change_endpoint(&disabled.id, change).unwrap();
    for kind in ["customer.created", "invoice.paid", "refund.created"] {
        stripe.emit(kind).unwrap();
    }
    stripe.emit(NewEvent::new("invoice.paid").fate(Fate::Listed)).unwrap();
    stripe.deliver_due().await;
    assert_eq!(wanted.types(), ["invoice.paid", "refund.created"]);
    assert!(other.received().is_empty());
}

#[tokio::test]
async fn a_connect_endpoint_gets_the_events_of_connected_accounts_and_no_others() {
    let (stripe, ours, theirs) = (stripe(), Receiver::start().await, Receiver::start().await);
    let api = Api::new(&stripe);
    for (url, connect) in [(&ours.url, "false"), (&theirs.url, "true")] {
        let form = [("url", url.as_str()), ("enabled_events[]", "*"), ("connect", connect)];
        assert_eq!(api.post("/v1/webhook_endpoints", &form).await.status, 200);
    }
    stripe.emit("customer.created").unwrap();
    stripe.emit(NewEvent::new("invoice.paid").account("acct_2")).unwrap();
    stripe.deliver_due().await;
    assert_eq!(
        (ours.types(), theirs.types()),
        (vec!["customer.created".into()], vec!["invoice.paid".into()])
    );
    assert_eq!(theirs.received()[0].event()["account"], "acct_2");
    assert!(ours.received()[0].event().get("account").is_none());
}

#[tokio::test]
async fn a_delivery_is_in_the_endpoints_api_version_and_a_list_in_the_events() {
    let (stripe, receiver) = (stripe(), Receiver::start().await);
    let api = Api::new(&stripe);
    let form = [("url", &*receiver.url), ("enabled_events[]", "*"), ("api_version", "2024-06-20")];
    api.post("/v1/webhook_endpoints", &form).await;
    stripe.emit("invoice.paid").unwrap();
    stripe.deliver_due().await;
    assert_eq!(receiver.received()[0].event()["api_version"], "2024-06-20");
    assert_eq!(api.get("/v1/events").await.body["data"][0]["api_version"], "2026-10-28.endive");
}

#[tokio::test]
async fn text_is_delivered_byte_for_byte() {
    let (stripe, receiver) = (stripe(), Receiver::start().await);
    let _ = stripe.add_endpoint(&receiver.url, &["*"]);
    let text = r#"{"type":"invoice.paid" ,"id":"evt_x","created":5,"data":{"object":{"total":1.50}}}"#;
    stripe.emit_text(text).unwrap();
    stripe.deliver_due().await;
    assert_eq!(receiver.received()[0].body, text);
    assert!(stripe.emit_text("[]").is_err());
}

#[tokio::test]
async fn test_mode_tries_three_times_more_each_time_signed_anew() {
    let (stripe, receiver) = (stripe(), Receiver::start().await);
    let endpoint = stripe.add_endpoint(&receiver.url, &["*"]);
    receiver.answer(&[500, 400, 302, 503]);
    stripe.emit("invoice.paid").unwrap();
    let mut times = Vec::new();
    for _ in 0..72 {
        times.extend(stripe.deliver_due().await.iter().map(|attempt| attempt.at - NOW));
        stripe.advance(600);
    }
    assert_eq!(times, [0, 600, 4_200, 15_000]);
    let last = receiver.received().pop().unwrap();
    let signed = sign(&endpoint.secret, NOW + 15_000, last.body.as_bytes());
    assert_eq!(last.headers["stripe-signature"], &*signed);
}

#[tokio::test]
async fn live_mode_goes_on_for_days_but_not_more_than_three() {
    let receiver = Receiver::start().await;
    let stripe = SimulatedStripe::start(Options::for_tests().live().at(NOW)).unwrap();
    let _ = stripe.add_endpoint(&receiver.url, &["*"]);
    receiver.answer(&[500; 100]);
    stripe.emit("invoice.paid").unwrap();
    let mut times = Vec::new();
    for _ in 0..24 * 5 {
        times.extend(stripe.deliver_due().await.iter().map(|attempt| attempt.at - NOW));
        stripe.advance(3600);
    }
    let last = times[times.len() - 1];
    assert!(last > 24 * 3600 && last <= 3 * 24 * 3600, "{times:?}");
}

#[tokio::test]
async fn no_answer_is_a_failure_with_its_cause() {
    let stripe = stripe();
    let _ = stripe.add_endpoint("http://127.0.0.1:1/nobody", &["*"]);
    stripe.emit("invoice.paid").unwrap();
    let attempts = stripe.deliver_due().await;
    assert_eq!((attempts[0].status, attempts[0].is_success()), (None, false));
    assert!(attempts[0].error.as_ref().unwrap().contains("refused"), "{attempts:?}");
}

#[tokio::test]
async fn an_endpoint_disabled_or_deleted_at_retry_time_gets_no_more_of_the_event() {
    let (stripe, receiver) = (stripe(), Receiver::start().await);
    let one = stripe.add_endpoint(&receiver.url, &["*"]);
    let two = stripe.add_endpoint(&receiver.url, &["*"]);
    receiver.answer(&[500, 500]);
    stripe.emit("invoice.paid").unwrap();
    stripe.deliver_due().await;
    let disabled = |value| EndpointChange { disabled: Some(value), ..EndpointChange::default() };
    stripe.change_endpoint(&one.id, disabled(true)).unwrap();
    stripe.delete_endpoint(&two.id).unwrap();
    stripe.advance(600);
    assert!(stripe.deliver_due().await.is_empty());
    stripe.change_endpoint(&one.id, disabled(false)).unwrap();
    stripe.advance(24 * 3600);
    assert!(stripe.deliver_due().await.is_empty(), "enabling again does not bring it back");
}

#[tokio::test]
async fn an_endpoint_enabled_again_before_the_retry_still_gets_it() {
    let (stripe, receiver) = (stripe(), Receiver::start().await);
    let endpoint = stripe.add_endpoint(&receiver.url, &["*"]);
    receiver.answer(&[500]);
    stripe.emit("invoice.paid").unwrap();
    stripe.deliver_due().await;
    for disabled in [true, false] {
        let change = EndpointChange { disabled: Some(disabled), ..EndpointChange::default() };
        stripe.change_endpoint(&endpoint.id, change).unwrap();
    }
    stripe.advance(600);
    assert_eq!(stripe.deliver_due().await[0].status, Some(200));
}

#[tokio::test]
async fn delivery_success_is_false_while_one_endpoint_has_not_got_it() {
    let (stripe, good, bad) = (stripe(), Receiver::start().await, Receiver::start().await);
    let api = Api::new(&stripe);
    let _ = (stripe.add_endpoint(&good.url, &["*"]), stripe.add_endpoint(&bad.url, &["*"]));
    bad.answer(&[500]);
    let event = stripe.emit("invoice.paid").unwrap();
    assert_eq!(event["pending_webhooks"], 2);
    stripe.deliver_due().await;
    let failed = api.get("/v1/events?delivery_success=false").await;
    assert_eq!((failed.ids().len(), &failed.body["data"][0]["pending_webhooks"]), (1, &json!(1)));
    assert!(api.get("/v1/events?delivery_success=true").await.ids().is_empty());
    stripe.advance(600);
    stripe.deliver_due().await;
    assert_eq!(api.get("/v1/events?delivery_success=true").await.body["data"][0]["pending_webhooks"], 0);
}

#[tokio::test]
async fn an_event_without_subscribers_counts_as_delivered() {
    let stripe = stripe();
    stripe.emit("invoice.paid").unwrap();
    assert_eq!(Api::new(&stripe).get("/v1/events?delivery_success=true").await.ids().len(), 1);
}

#[tokio::test]
async fn a_resend_by_hand_does_not_end_the_retries() {
    let (stripe, receiver) = (stripe(), Receiver::start().await);
    let endpoint = stripe.add_endpoint(&receiver.url, &["*"]);
    receiver.answer(&[500]);
    let event = stripe.emit("invoice.paid").unwrap()["id"].as_str().unwrap().to_owned();
    stripe.deliver_due().await;
    stripe.resend(&event, &endpoint.id).unwrap();
    let by_hand = stripe.deliver_due().await;
    assert_eq!((by_hand[0].status, by_hand[0].automatic), (Some(200), false));
    stripe.advance(600);
    let retried = stripe.deliver_due().await;
    assert_eq!((retried[0].status, retried[0].automatic), (Some(200), true));
    assert!(stripe.resend("evt_x", &endpoint.id).is_err() && stripe.resend(&event, "we_x").is_err());
}

#[tokio::test]
async fn the_api_resends_too() {
    let (stripe, receiver) = (stripe(), Receiver::start().await);
    let endpoint = stripe.add_endpoint(&receiver.url, &["invoice.paid"]);
    let event = stripe.emit(NewEvent::new("invoice.paid").fate(Fate::Listed)).unwrap();
    let path = format!("/v1/events/{}/retry", event["id"].as_str().unwrap());
    let answer = Api::new(&stripe).post(&path, &[("webhook_endpoint", &endpoint.id)]).await;
    assert_eq!((answer.status, &answer.body["id"]), (200, &event["id"]));
    assert_eq!(stripe.deliver_due().await.len(), 1);
}

#[tokio::test]
async fn deliveries_are_repeated_delayed_and_dropped_on_request() {
    let (stripe, receiver) = (stripe(), Receiver::start().await);
    let _ = stripe.add_endpoint(&receiver.url, &["*"]);
    let drop = vec!["charge.*".to_owned()];
    stripe.set_delivery_behavior(DeliveryBehavior {
        repeat: 3,
        delay: 60,
        drop,
        ..DeliveryBehavior::default()
    });
    stripe.emit("charge.succeeded").unwrap();
    stripe.emit("invoice.paid").unwrap();
    assert!(stripe.deliver_due().await.is_empty());
    stripe.advance(60);
    stripe.deliver_due().await;
    assert_eq!(receiver.types(), ["invoice.paid"; 3]);
    assert_eq!(Api::new(&stripe).get("/v1/events?type=charge.*").await.ids().len(), 1, "dropped, but listed");
}

#[tokio::test]
async fn a_seed_decides_the_order() {
    let mut orders = Vec::new();
    for seed in [None, Some(1), Some(1), Some(2)] {
        let (stripe, receiver) = (stripe(), Receiver::start().await);
        let _ = stripe.add_endpoint(&receiver.url, &["*"]);
        stripe.set_delivery_behavior(DeliveryBehavior { shuffle: seed, ..DeliveryBehavior::default() });
        let _ = stripe.customer_lifecycle();
        stripe.deliver_due().await;
        orders.push(receiver.types());
    }
    assert_eq!(orders[0][0], "customer.created");
    assert_eq!(orders[1], orders[2]);
    assert!(orders[0] != orders[1] && orders[1] != orders[3]);
    orders.iter_mut().for_each(|order| order.sort());
    assert!(orders.iter().all(|order| *order == orders[0]), "all arrive in any order");
}
