//! Deregistering ends with nothing of ours left, at Stripe or here, and goes on after a failure.

use shared::endpoint::EndpointState;
use shared::registry::Written;
use simulated_stripe::{Fault, Key};
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::{STRIPE_KEY_SECRET, error_code};

use crate::support::Stack;

#[tokio::test]
async fn nothing_is_left_and_a_second_time_there_is_nothing_to_remove() {
    let stack = Stack::start().await;
    stack.register("").await;
    let (status, body) = stack.deregister("main").await;
    assert_eq!((status, body.is_null()), (204, true));
    stack.assert_nothing_left("main").await;
    let (status, answer) = stack.deregister("main").await;
    assert_eq!((status, error_code(&answer)), (404, "not_found"));
}

#[tokio::test]
async fn a_slip_of_the_hand_removes_nothing() {
    let stack = Stack::start().await;
    stack.register("").await;
    for query in ["", "?confirm=", "?confirm=Main", "?confirm=other"] {
        let (status, answer) = stack.call("DELETE", &format!("/endpoints/main{query}"), "").await;
        assert_eq!((status, error_code(&answer)), (400, "confirmation_required"), "{query}");
        assert_eq!(answer["error"]["field"], "confirm");
    }
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn what_stripe_has_already_forgotten_counts_as_removed() {
    let stack = Stack::start().await;
    stack.register("").await;
    let id = stack.stripe.endpoints().remove(0).id;
    stack.stripe.delete_endpoint(&id).unwrap();
    assert_eq!(stack.deregister("main").await.0, 204);
    stack.assert_nothing_left("main").await;
}

#[tokio::test]
async fn only_this_endpoint_is_removed() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.register(r#"{"name":"other"}"#).await;
    let by_hand = stack.stripe.add_endpoint("https://127.0.0.1:1/webhooks/main", &["*"]);
    assert_eq!(stack.deregister("main").await.0, 204);
    let other = stack.row("other").await.unwrap().stripe_id.unwrap();
    let left: Vec<_> = stack.stripe.endpoints().into_iter().map(|endpoint| endpoint.id).collect();
    assert_eq!(left, [other, by_hand.id]);
    assert_eq!(stack.secrets().len(), 1);
}

#[tokio::test]
async fn after_a_failure_at_any_step_the_same_request_goes_on() {
    type Break = fn(&Stack);
    let breaks: [(&str, Break, u16); 7] = [
        ("the row", |s| s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::ServerError), 503),
        ("Stripe", |s| s.stripe.add_fault(Fault::status(500).on("DELETE", "/").times(9)), 503),
        ("Stripe's answer", |s| s.stripe.add_fault(Fault::cut().on("DELETE", "/").after()), 204),
        ("Stripe's refusal", |s| s.stripe.add_fault(Fault::status(403).on("DELETE", "/")), 502),
        ("the secret", |s| s.cloud.fail("DeleteSecret", "", 9, CloudFault::AccessDenied), 503),
        ("its activity", |s| s.cloud.fail("DeleteItem", "RegistryTable", 9, CloudFault::ServerError), 503),
        ("the row's answer", |s| s.cloud.fail("DeleteItem", "RegistryTable", 2, CloudFault::DoneAndCut), 204),
    ];
    for (what, break_it, expected) in breaks {
        let stack = Stack::start().await;
        stack.register("").await;
        break_it(&stack);
        let (status, answer) = stack.deregister("main").await;
        assert_eq!(status, expected, "{what}: {answer}");
        stack.cloud.clear_faults();
        stack.stripe.clear_faults();
        if expected != 204 {
            assert!(stack.row("main").await.is_some(), "{what}");
            if what != "the row" {
                assert_eq!(stack.row("main").await.unwrap().state, EndpointState::Deregistering, "{what}");
                let (status, answer) = stack.register("").await;
                assert_eq!((status, error_code(&answer)), (409, "endpoint_exists"), "{what}");
            }
            assert_eq!(stack.deregister("main").await.0, 204, "{what}");
        }
        stack.assert_nothing_left("main").await;
        assert_eq!(stack.register("").await.0, 201, "{what}");
    }
}

#[tokio::test]
async fn a_key_without_the_right_is_refused_with_its_remedy() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.stripe.set_keys(vec![Key::restricted(crate::support::KEY, &["webhook_endpoints:read"])]);
    let (status, answer) = stack.deregister("main").await;
    assert_eq!((status, error_code(&answer)), (502, "stripe_error"));
    assert!(answer["error"]["remedy"].as_str().unwrap().contains("Webhook Endpoints: Write"), "{answer}");
    stack.stripe.set_keys(vec![Key::full(crate::support::KEY)]);
    assert_eq!(stack.deregister("main").await.0, 204);
}

#[tokio::test]
async fn without_a_key_it_says_so_and_changes_nothing() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.cloud.put_secret(STRIPE_KEY_SECRET, "{}");
    let (status, answer) = stack.deregister("main").await;
    assert_eq!((status, error_code(&answer)), (409, "stripe_key_missing"));
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn a_half_made_endpoint_is_removed_by_its_tag() {
    let stack = Stack::start().await.hasty();
    stack.stripe.add_fault(Fault::hold().on("POST", "/v1/webhook_endpoints").after());
    assert_eq!(stack.register("").await.0, 503);
    stack.stripe.clear_faults();
    assert_eq!(stack.stripe.endpoints().len(), 1);
    for i in 0..120 {
        drop(stack.stripe.add_endpoint(&format!("https://example.com/{i}"), &["*"]));
    }
    assert_eq!(stack.row("main").await.unwrap().state, EndpointState::Registering);
    assert_eq!(stack.deregister("main").await.0, 204);
    assert_eq!(stack.stripe.endpoints().len(), 120, "and nothing that is not ours");
    assert!(stack.row("main").await.is_none());
}

#[tokio::test]
async fn two_at_once_both_succeed() {
    let stack = Stack::start().await;
    stack.register("").await;
    let (one, other) = tokio::join!(stack.deregister("main"), stack.deregister("main"));
    assert!([204, 404].contains(&one.0) && [204, 404].contains(&other.0), "{one:?} {other:?}");
    stack.assert_nothing_left("main").await;
}

#[tokio::test]
async fn a_row_that_was_removed_and_made_again_is_not_taken_for_the_old_one() {
    let stack = Stack::start().await;
    stack.register("").await;
    let old = stack.row("main").await.unwrap();
    stack.deregister("main").await;
    stack.register("").await;
    let new = stack.row("main").await.unwrap();
    assert_eq!(old.rev, new.rev, "or this proves nothing");
    let mut late = shared::endpoint::EndpointRow { signing_secret_hint: None, ..old.clone() };
    assert_eq!(stack.registry().replace(&old, &mut late).await.unwrap(), Written::Conflict);
    assert_eq!(stack.registry().remove(&old).await.unwrap(), Written::Conflict);
    assert_eq!(stack.row("main").await.unwrap(), new);
}
