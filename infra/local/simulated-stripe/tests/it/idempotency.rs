//! `Idempotency-Key` behaves as Stripe documents it.

use serde_json::json;
use simulated_stripe::Fault;

use crate::support::{Api, stripe};

const PATH: &str = "/v1/webhook_endpoints";
const FORM: [(&str, &str); 2] = [("url", "https://example.com"), ("enabled_events[]", "*")];

#[tokio::test]
async fn the_same_call_again_is_answered_from_memory_secret_included() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let first = api.post_once("k", PATH, &FORM).await;
    let again = api.post_once("k", PATH, &FORM).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert!(again.body["secret"].is_string());
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_eq!((first.header("idempotent-replayed"), stripe.endpoints().len()), ("", 1));
}

#[tokio::test]
async fn other_parameters_under_the_same_key_are_refused() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    api.post_once("k", PATH, &FORM).await;
    let refused = api.post_once("k", PATH, &[FORM[0], ("enabled_events[]", "invoice.paid")]).await;
    assert_eq!((refused.status, &refused.error()["type"]), (400, &json!("idempotency_error")));
    let text = "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                Try using a key other than 'k'";
    assert!(refused.error()["message"].as_str().unwrap().starts_with(text));
}

#[tokio::test]
async fn a_500_that_came_after_the_effect_is_replayed() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.add_fault(Fault::status(500).on("POST", PATH).after());
    assert_eq!(api.post_once("k", PATH, &FORM).await.status, 500);
    let again = api.post_once("k", PATH, &FORM).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (500, "true"));
    assert_eq!(stripe.endpoints().len(), 1, "created, though the client never sees its secret");
}

#[tokio::test]
async fn a_call_that_did_nothing_may_be_tried_again() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    assert_eq!(api.post_once("k", PATH, &[FORM[0]]).await.status, 400);
    stripe.add_fault(Fault::status(500).on("POST", PATH));
    assert_eq!(api.post_once("k", PATH, &FORM).await.status, 500);
    let made = api.post_once("k", PATH, &FORM).await;
    assert_eq!((made.status, made.header("idempotent-replayed")), (200, ""));
}

#[tokio::test]
async fn a_second_call_while_the_first_runs_is_a_409() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.add_fault(Fault::hold().on("POST", PATH));
    let (one, two) = (api.post_once("k", PATH, &FORM), api.post_once("k", PATH, &FORM));
    let (mut one, mut two) = (Box::pin(one), Box::pin(two));
    // Whichever comes first is held, so the one that is answered is the second.
    let (busy, held) = tokio::select! { busy = &mut one => (busy, two), busy = &mut two => (busy, one) };
    assert_eq!((busy.status, &busy.error()["code"]), (409, &json!("idempotency_key_in_use")));
    stripe.clear_faults();
    assert_eq!((held.await.status, stripe.endpoints().len()), (200, 1));
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let first = api.post_once("k", PATH, &FORM).await;
    stripe.advance(24 * 3600 - 1);
    assert_eq!(api.post_once("k", PATH, &FORM).await.body["id"], first.body["id"]);
    stripe.advance(1);
    assert_ne!(api.post_once("k", PATH, &FORM).await.body["id"], first.body["id"]);
}

#[tokio::test]
async fn a_key_has_up_to_255_characters() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    assert_eq!(api.post_once(&"k".repeat(255), PATH, &FORM).await.status, 200);
    assert_eq!(api.post_once(&"k".repeat(256), PATH, &FORM).await.status, 400);
}
