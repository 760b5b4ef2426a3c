//! Calls to Stripe are bounded, tried again by its rule, and say what their end means.

use std::time::Duration;

use jiff::Timestamp;
use shared::aws::{AwsEnv, CallLimits};
use shared::deadline::Deadline;
use shared::endpoint::EndpointSpec;
use shared::object_key::ObjectKey;
use shared::secret_store::SecretStore;
use shared::stripe::{NewEndpoint, OwnerTag, Session, Stripe, StripeError, StripeKeys};
use simulated_stripe::{EndpointChange, Fault, Key, Options, SimulatedStripe};

const NOW: i64 = 1_795_521_600;

/// A client that never reads the vault.
fn client(stripe: &SimulatedStripe) -> Stripe {
    let secret_store =
        SecretStore::new(AwsEnv::at("http://127.0.0.1:1").secrets_manager(CallLimits::PATIENT));
    Stripe::new(stripe.url().parse().unwrap(), StripeKeys::new(secret_store, "stripe-key")).unwrap()
}

fn started() -> SimulatedStripe {
    SimulatedStripe::start(Options::for_tests().at(NOW)).unwrap()
}

fn session<'a>(client: &'a Stripe, stripe: &SimulatedStripe, seconds: u64) -> Session<'a> {
    client.session_with(stripe.key().parse().unwrap(), Deadline::after(Duration::from_secs(seconds)))
}

fn spec() -> EndpointSpec {
    EndpointSpec {
        url: "https://example.com/a?b=c".into(),
        events: vec!["invoice.paid".into()],
        description: String::new(),
        api_version: "2026-10-28.endive".into(),
        connect: false,
    }
}

fn tag() -> OwnerTag {
    OwnerTag {
        stack: "s".into(),
        stack_id: Some("s-1".into()),
        name: "main".into(),
        registration: "r".into(),
    }
}

#[tokio::test]
async fn an_answer_tells_the_moment_by_stripes_own_clock() {
    let (stripe, skew) = (started(), 90);
    stripe.skew_date(skew);
    let client = client(&stripe);
    let answer = session(&client, &stripe, 5).endpoints().await.unwrap();
    assert_eq!(answer.date, Timestamp::from_second(NOW + skew).ok());
    assert!(answer.asked_at().unwrap() < answer.date.unwrap());
    assert!(answer.request_id.unwrap().starts_with("req_"));
}

#[tokio::test]
async fn what_is_made_carries_its_mark_and_the_same_key_makes_it_once() {
    let stripe = started();
    let client = client(&stripe);
    let session = session(&client, &stripe, 5);
    let (spec, tag) = (spec(), tag());
    let new = NewEndpoint { spec: &spec, tag: &tag };
    let one = session.create_endpoint(&new, "r").await.unwrap().value;
    let again = session.create_endpoint(&new, "r").await.unwrap().value;
    assert_eq!(one, again);
    assert!(one.secret.is_some() && !format!("{one:?}").contains("whsec_"));
    let found = session.endpoints().await.unwrap().value;
    assert_eq!(
        found.iter().map(shared::stripe::WebhookEndpoint::owner_tag).collect::<Vec<_>>(),
        [Some(tag.clone())]
    );
    let other = EndpointSpec { url: "https://example.com".into(), ..spec };
    let spent = session.create_endpoint(&NewEndpoint { spec: &other, tag: &tag }, "r").await;
    assert!(matches!(spent, Err(StripeError::IdempotencyKeySpent(_))), "{spent:?}");
}

#[tokio::test]
async fn all_tries_together_end_at_the_moment_given() {
    let stripe = started();
    let client = client(&stripe);
    for fault in [Fault::hold().times(9), Fault::delay_ms(700).times(9)] {
        stripe.add_fault(fault);
        let deadline = Deadline::after(Duration::from_millis(600));
        let ended = client.session_with(stripe.key().parse().unwrap(), deadline).endpoints().await;
        assert!(matches!(ended, Err(StripeError::NoAnswer(_))), "{ended:?}");
        assert!(stripe.requests().len() <= 2, "it went on trying");
        stripe.clear_requests();
        stripe.clear_faults();
    }
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_and_an_unclear_end_is_no_refusal() {
    let stripe = started();
    let client = client(&stripe);
    for fault in [Fault::status(500), Fault::status(409), Fault::cut(), Fault::rate_limit(Some(true))] {
        stripe.add_fault(fault.clone());
        assert!(session(&client, &stripe, 5).endpoints().await.is_ok(), "{fault:?}");
    }
    // First the answer is lost after it was done, then the key is refused: that says nothing of the first
    // try.
    stripe.add_fault(Fault::cut().on("DELETE", "/").after());
    stripe.add_fault(Fault::status(403).on("DELETE", "/"));
    let id = stripe.add_endpoint("https://example.com", &["*"]).id;
    let ended = session(&client, &stripe, 5).delete_endpoint(&id).await;
    assert!(matches!(ended, Err(StripeError::NoAnswer(_))), "{ended:?}");
}

#[tokio::test]
async fn only_stripes_own_words_count_as_an_answer() {
    let stripe = started();
    let client = client(&stripe);
    let session = session(&client, &stripe, 5);
    let (spec, tag) = (spec(), tag());
    let new = NewEndpoint { spec: &spec, tag: &tag };
    let id = stripe.add_endpoint("https://example.com", &["*"]).id;
    let customer: ObjectKey = "-/customer/cus_1".parse().unwrap();
    let other = serde_json::json!({ "id": "we_2", "object": "webhook_endpoint", "deleted": true });
    let not_deleted = serde_json::json!({ "id": id, "object": "webhook_endpoint", "deleted": false });
    let elses = [
        (200, serde_json::json!({ "status": "ok" })),
        (200, serde_json::json!([])),
        (200, serde_json::json!("<html>sign in</html>")),
        (200, serde_json::json!("")),
        (200, serde_json::json!(r#"{"object":"list","data":["#)),
        (400, serde_json::json!("<html>Bad Request</html>")),
        (200, serde_json::json!({ "data": [], "has_more": false })),
        (200, other),
        (200, not_deleted),
        (200, serde_json::json!({ "id": "cus_2", "object": "customer" })),
        (200, serde_json::json!({ "id": "cus_1", "object": "charge" })),
        (200, serde_json::json!({ "id": "cus_1" })),
        (200, serde_json::json!({ "id": "acct_1Simulated" })),
        (200, serde_json::json!({ "id": "acct_1Simulated", "object": "user" })),
        (400, serde_json::json!({ "message": "Bad Request" })),
        (401, serde_json::json!("sign in")),
        (403, serde_json::json!({ "error": "blocked" })),
        (404, serde_json::json!({ "error": { "code": "resource_missing", "message": "no such route" } })),
        (429, serde_json::json!({})),
    ];
    for (status, body) in elses {
        let what = format!("{status} {body}");
        let fault = Fault::status(status).body(body);
        let unclear = |ended: Result<(), StripeError>, call: &str| {
            assert!(matches!(ended, Err(StripeError::NoAnswer(_))), "{call}: {what}: {ended:?}");
        };
        stripe.add_fault(fault.clone().times(9));
        unclear(session.create_endpoint(&new, "r").await.map(drop), "create");
        unclear(session.endpoint(&id).await.map(drop), "retrieve");
        unclear(session.endpoints().await.map(drop), "list");
        unclear(session.try_reading_events().await, "read events");
        unclear(session.update_endpoint(&id, &spec, false).await.map(drop), "update");
        unclear(session.enable_endpoint(&id).await.map(drop), "enable");
        unclear(session.delete_endpoint(&id).await, "delete");
        unclear(session.object(&customer).await.map(drop), "object");
        unclear(session.account().await.map(drop), "account");
        stripe.clear_faults();
    }
    assert_eq!(stripe.endpoints().len(), 1);
    assert!(session.delete_endpoint(&id).await.is_ok() && session.delete_endpoint(&id).await.is_ok());
}

#[tokio::test]
async fn half_an_emoji_in_stripes_words_does_not_make_them_somebody_elses() {
    let stripe = started();
    let client = client(&stripe);
    let session = session(&client, &stripe, 5);
    let id = stripe.add_endpoint("https://example.com", &["*"]).id;
    let change = EndpointChange { description: Some("a\u{fffd}".into()), ..EndpointChange::default() };
    stripe.change_endpoint(&id, change).unwrap();
    assert_eq!(session.endpoints().await.unwrap().value.len(), 1);
    let endpoint = session.endpoint(&id).await.unwrap().unwrap().value;
    assert_eq!(endpoint.description.as_deref(), Some("a\u{fffd}"));
    let error =
        serde_json::json!({ "type": "invalid_request_error", "message": "Invalid description: a\u{fffd}" });
    stripe.add_fault(Fault::status(400).body(serde_json::json!({ "error": error })));
    let refused = session.update_endpoint(&id, &spec(), false).await;
    assert!(matches!(refused, Err(StripeError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn objects_are_looked_for_in_their_account_and_come_as_stripe_shows_them() {
    let stripe = started();
    let client = client(&stripe);
    let session = session(&client, &stripe, 5);
    let charge = serde_json::json!({ "id": "ch_1", "object": "charge", "created": 1 });
    stripe.put_object(Some("acct_1Connected"), &charge);
    let key: ObjectKey = "acct_1Connected/charge/ch_1".parse().unwrap();
    let found = session.object(&key).await.unwrap().unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(found.value.get()).unwrap(), charge);
    assert!(found.as_of().is_some());
    for key in ["-/charge/ch_1", "-/charge/../webhook_endpoints"] {
        let key: ObjectKey = key.parse().unwrap();
        assert!(session.object(&key).await.unwrap().is_none(), "{key}");
    }
}

#[tokio::test]
async fn a_paced_session_waits_for_its_turn_and_gives_up_where_the_time_ends_first() {
    let stripe = started();
    let client = client(&stripe);
    let session = session(&client, &stripe, 5).paced(Duration::from_secs(3_600));
    session.endpoints().await.unwrap();
    // Its turn comes in an hour, and the session ends in seconds: it does not wait in vain.
    let ended = session.endpoints().await;
    assert!(matches!(ended, Err(StripeError::NoAnswer(_))), "{ended:?}");
    assert_eq!((stripe.requests().len(), session.calls()), (1, 2));
    let quick = self::session(&client, &stripe, 5).paced(Duration::from_millis(1));
    for _ in 0..3 {
        quick.endpoints().await.unwrap();
    }
    assert_eq!((stripe.requests().len(), quick.calls()), (4, 3));
}

#[tokio::test]
async fn an_object_is_gone_if_stripe_looked_in_its_account_which_is_asked_for_once_a_session() {
    let stripe = started();
    let client = client(&stripe);
    let session = session(&client, &stripe, 5);
    let key = |text: &str| text.parse::<ObjectKey>().unwrap();
    let (own, connected) = (key("-/customer/cus_1"), key("acct_1Connected/customer/cus_1"));
    assert!(session.is_gone(&connected, None).await.unwrap(), "the key acts for that account");
    assert!(!session.is_gone(&own, None).await.unwrap(), "nobody knows which account is ours");
    assert!(stripe.requests().is_empty());
    stripe.add_fault(Fault::rate_limit(Some(false)));
    assert!(session.is_gone(&own, Some("acct_1Simulated")).await.is_err());
    assert!(session.is_gone(&own, Some("acct_1Simulated")).await.unwrap(), "an error is not kept");
    assert!(!session.is_gone(&own, Some("acct_1Other")).await.unwrap());
    assert_eq!(session.account().await.unwrap().as_deref(), Some("acct_1Simulated"));
    assert_eq!(stripe.requests().len(), 2);
}

#[tokio::test]
async fn the_account_is_told_by_the_answer_or_by_the_refusal() {
    let stripe = started();
    let client = client(&stripe);
    assert_eq!(session(&client, &stripe, 5).account().await.unwrap().as_deref(), Some("acct_1Simulated"));
    stripe.set_keys(vec![Key::restricted("rk_test_restricted", &["events:read"])]);
    let account = session(&client, &stripe, 5).account().await.unwrap();
    assert_eq!(account.as_deref(), Some("acct_1Simulated"));
}
