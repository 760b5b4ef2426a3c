//! Remedies lead on from where the endpoint is, and say nothing that cannot be done.

use serde_json::json;
use shared::aws::CallLimits;
use shared::deadline::Deadline;
use shared::endpoint::{EndpointState, Rotation};
use shared::secret_store::SecretStore;
use shared::stripe::{NewEndpoint, OwnerTag, Stripe, StripeKeys};
use simulated_stripe::Fault;
use test_cloud::fixtures::{STRIPE_KEY_SECRET, error_code, now};

use crate::support::Stack;

const ENDPOINTS: &str = "/v1/webhook_endpoints";

fn remedy(answer: &serde_json::Value) -> &str {
    answer["error"]["remedy"].as_str().unwrap()
}

#[tokio::test]
async fn a_disabled_endpoint_is_to_be_enabled_before_it_is_rotated() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.call("PATCH", "/endpoints/main", r#"{"disabled":true}"#).await;
    let (status, answer) = stack.call("POST", "/endpoints/main/rotate", "").await;
    assert_eq!((status, error_code(&answer)), (409, "endpoint_not_active"));
    assert!(remedy(&answer).contains(r#"PATCH /endpoints/main {"disabled":false}"#), "{answer}");
    stack.call("PATCH", "/endpoints/main", r#"{"disabled":false}"#).await;
    assert_eq!(stack.call("POST", "/endpoints/main/rotate", "").await.0, 200);
}

#[tokio::test]
async fn the_secret_of_a_half_made_endpoint_is_to_be_waited_for() {
    let stack = Stack::start().await.hasty();
    stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS));
    stack.register("").await;
    stack.stripe.clear_faults();
    let (status, answer) = stack.call("GET", "/endpoints/main/secret", "").await;
    assert_eq!((status, error_code(&answer)), (409, "endpoint_not_active"));
    assert!(remedy(&answer).starts_with("wait") && !remedy(&answer).contains("repair"), "{answer}");
}

#[tokio::test]
async fn what_a_deregistration_overtook_says_so() {
    for (method, path, body) in
        [("PATCH", "/endpoints/main", r#"{"description":"x"}"#), ("POST", "/endpoints/main/rotate", "")]
    {
        let stack = Stack::start().await;
        stack.register("").await;
        stack.stripe.clear_requests();
        stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS));
        let deregistered = async {
            stack.until_stripe_is_asked("POST").await;
            assert_eq!(stack.deregister("main").await.0, 204);
            stack.stripe.clear_faults();
        };
        let ((status, answer), ()) = tokio::join!(stack.call(method, path, body), deregistered);
        assert!(status >= 400, "{method} {path}");
        if error_code(&answer) == "endpoint_removed" {
            assert!(remedy(&answer).contains("POST /endpoints"), "{answer}");
        } else {
            // Stripe said it first: it does not know the endpoint any more.
            assert_eq!((status, error_code(&answer)), (502, "stripe_error"), "{answer}");
        }
        stack.assert_nothing_left("main").await;
    }
    let stack = Stack::start().await;
    stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS));
    let deregistered = async {
        stack.until_stripe_is_asked("POST").await;
        assert_eq!(stack.deregister("main").await.0, 204);
        stack.stripe.clear_faults();
    };
    let ((status, answer), ()) = tokio::join!(stack.register(""), deregistered);
    assert_eq!((status, error_code(&answer)), (409, "endpoint_removed"), "{answer}");
    stack.assert_nothing_left("main").await;
}

/// What another request has changed meanwhile is that one's to send.
#[tokio::test]
async fn a_registration_that_comes_late_sends_nothing_of_a_change_that_came_between() {
    let stack = Stack::start().await;
    // Made at Stripe, and the answer is late.
    stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after());
    let changed = async {
        stack.until_stripe_is_asked("POST").await;
        assert_eq!(stack.register("").await.0, 201);
        stack.stripe.add_fault(Fault::status(500).on("POST", &format!("{ENDPOINTS}/")).times(9));
        assert_eq!(stack.call("PATCH", "/endpoints/main", r#"{"description":"new"}"#).await.0, 503);
        stack.stripe.clear_requests();
        stack.stripe.clear_faults();
    };
    let ((status, answer), ()) = tokio::join!(stack.register(""), changed);
    assert_eq!((status, &answer["state"]), (201, &"changing".into()), "{answer}");
    let sent: Vec<_> = stack.stripe.requests().into_iter().map(|request| request.method).collect();
    assert!(!sent.contains(&"POST".to_owned()), "{sent:?}");
}

#[tokio::test]
async fn one_whose_replacement_was_refused_is_to_be_repaired_whatever_is_asked() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    stack.stripe.delete_endpoint(made["stripe_id"].as_str().unwrap()).unwrap();
    stack.stripe.add_fault(Fault::status(400).on("POST", ENDPOINTS));
    assert_eq!(stack.call("POST", "/endpoints/main/repair", "").await.0, 502);
    for (method, path, code) in [
        ("PATCH", "/endpoints/main", "endpoint_not_at_stripe"),
        ("POST", "/endpoints/main/rotate", "endpoint_not_at_stripe"),
        ("POST", "/endpoints", "endpoint_exists"),
    ] {
        let (status, answer) = stack.call(method, path, "").await;
        assert_eq!((status, error_code(&answer)), (409, code), "{method} {path}");
        assert!(remedy(&answer).contains("POST /endpoints/main/repair"), "{answer}");
    }
    assert_eq!(stack.call("POST", "/endpoints/main/repair", "").await.0, 200);
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn a_disabled_one_whose_replacement_begins_anew_stays_disabled_and_keeps_its_age() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    stack.call("PATCH", "/endpoints/main", r#"{"disabled":true}"#).await;
    stack.stripe.delete_endpoint(made["stripe_id"].as_str().unwrap()).unwrap();
    // Stripe keeps a 500 under the key of the first attempt.
    stack.stripe.add_fault(Fault::status(500).on("POST", ENDPOINTS).after());
    let (status, repaired) = stack.call("POST", "/endpoints/main/repair", "").await;
    assert_eq!((status, &repaired["state"]), (200, &json!("disabled")), "{repaired}");
    assert_eq!(repaired["created_at"], made["created_at"]);
    assert!(stack.stripe.endpoints().iter().all(|endpoint| endpoint.disabled));
    stack.assert_secret_is_right().await;
}

#[tokio::test]
async fn equal_registrations_at_once_end_with_a_secret_that_is_there_where_tokens_are_not_kept() {
    let stack = Stack::start().await;
    stack.cloud.forget_tokens_of_secrets();
    let all = tokio::join!(stack.register(""), stack.register(""), stack.register(""), stack.register(""));
    let statuses = [all.0.0, all.1.0, all.2.0, all.3.0];
    assert!(statuses.contains(&201), "{statuses:?}");
    for seconds in [61, 122] {
        stack.maintain(now() + jiff::SignedDuration::from_secs(seconds)).await;
    }
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn what_an_earlier_version_marked_without_the_stacks_id_is_found_and_removed() {
    let stack = Stack::start().await;
    stack.register("").await;
    // An earlier version had Stripe make another one, and the answer was lost.
    let row = stack.row("main").await.unwrap();
    let secrets = SecretStore::new(stack.cloud.aws().secrets_manager(CallLimits::PATIENT));
    let client =
        Stripe::new(stack.stripe.url().parse().unwrap(), StripeKeys::new(secrets, STRIPE_KEY_SECRET))
            .unwrap();
    let session = client.session(row.created_at, Deadline::NEVER).await.unwrap().unwrap();
    let name = row.name.to_string();
    let tag = OwnerTag { stack: "stack".into(), stack_id: None, name, registration: "earlier".into() };
    let new = NewEndpoint { spec: &row.spec, tag: &tag };
    session.create_endpoint(&new, "earlier").await.unwrap();
    let mut deregistering = row.clone();
    deregistering.state = EndpointState::Deregistering;
    deregistering.rotation = Some(Rotation {
        registration: "earlier".into(),
        api_version: row.spec.api_version.clone(),
        begun_at: row.created_at,
        stripe_id: None,
        live_since: None,
        old_deleted: false,
        abandoned: true,
        at_once: false,
        decided: None,
    });
    stack.registry().replace(&row, &mut deregistering).await.unwrap();
    assert_eq!(stack.stripe.endpoints().len(), 2);
    assert_eq!(stack.deregister("main").await.0, 204);
    stack.assert_nothing_left("main").await;
}

#[tokio::test]
async fn the_probe_of_a_registration_is_told_and_kept_for_the_status() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    assert_eq!((&made["probe"]["ok"], &made["probe"]["name"]), (&json!(false), &json!("main")), "{made}");
    assert!(made["probe"]["remedy"].is_string(), "{made}");
    let kept = stack.registry().status_rows(&["main"], now()).await.unwrap();
    let last = kept.probes.get("main").unwrap();
    assert!(last.is_about(&stack.row("main").await.unwrap()), "{last:?}");
    assert!(last.report.outcome.problem().is_some());
}
