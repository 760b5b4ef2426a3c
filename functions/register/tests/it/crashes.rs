//! Registering that is cut off after any step is finished by the same request: one endpoint at Stripe, one
//! secret, an active row.

use simulated_stripe::{Answer, Effect, Fault};
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::error_code;

use crate::support::{Stack, later};

const CREATE: &str = "/v1/webhook_endpoints";

#[tokio::test]
async fn after_a_crash_at_any_step_the_same_request_finishes() {
    type Break = fn(&Stack);
    let breaks: [(&str, Break); 8] = [
        ("before the row", |s| s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::Hang)),
        ("after the row", |s| s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::DoneWithoutAnswer)),
        ("before Stripe makes it", |s| s.stripe.add_fault(Fault::hold().on("POST", CREATE))),
        ("after Stripe made it", |s| s.stripe.add_fault(Fault::hold().on("POST", CREATE).after())),
        ("Stripe is down", |s| s.stripe.add_fault(Fault::status(500).on("POST", CREATE).times(9))),
        ("no way to Stripe", |s| s.stripe.add_fault(Fault::cut().on("POST", CREATE).times(9))),
        ("before the secret", |s| s.cloud.fail("CreateSecret", "", 9, CloudFault::Hang)),
        ("after the secret", |s| s.cloud.fail("CreateSecret", "", 9, CloudFault::DoneWithoutAnswer)),
    ];
    for (what, break_it) in breaks {
        let stack = Stack::start().await.hasty();
        break_it(&stack);
        let (status, answer) = stack.register("").await;
        assert_eq!(status, 503, "{what}: {answer}");
        assert!(
            answer["error"]["remedy"].as_str().unwrap().contains("same request again"),
            "{what}: {answer}"
        );
        assert!(answer.get("signing_secret").is_none());
        stack.cloud.clear_faults();
        stack.stripe.clear_faults();

        // And once more at the last step, of which the first request did not get so far.
        if stack.row("main").await.is_some() {
            stack.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::Hang);
            assert_eq!(stack.register("").await.0, 503, "{what}");
            stack.cloud.clear_faults();
        }
        let (status, made) = stack.register("").await;
        assert_eq!(status, 201, "{what}: {made}");
        stack.assert_registered("main").await;
        assert_eq!(made["signing_secret"], stack.stripe.endpoints()[0].secret, "{what}");
    }
}

#[tokio::test]
async fn when_only_the_last_answer_is_lost_the_endpoint_is_active() {
    let stack = Stack::start().await.hasty();
    stack.stripe.add_fault(Fault::hold().on("POST", CREATE));
    assert_eq!(stack.register("").await.0, 503);
    stack.stripe.clear_faults();
    stack.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::DoneWithoutAnswer);
    assert_eq!(stack.register("").await.0, 503);
    stack.assert_registered("main").await;
    let (status, answer) = stack.register("").await;
    assert_eq!((status, error_code(&answer)), (409, "endpoint_exists"));
}

#[tokio::test]
async fn a_connection_cut_after_stripe_made_it_is_not_taken_for_a_failure() {
    let stack = Stack::start().await;
    stack.stripe.add_fault(Fault::cut().on("POST", CREATE).after().times(1));
    let (status, made) = stack.register("").await;
    assert_eq!(status, 201, "{made}");
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn a_server_error_that_stripe_keeps_is_left_behind_with_what_it_made() {
    let stack = Stack::start().await;
    stack.stripe.add_fault(Fault::status(500).on("POST", CREATE).after());
    let (status, made) = stack.register("").await;
    assert_eq!(status, 201, "{made}");
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn an_attempt_older_than_stripe_keeps_its_answer_is_removed_and_begun_anew() {
    let stack = Stack::start().await.hasty();
    stack.cloud.fail("CreateSecret", "", 9, CloudFault::DoneWithoutAnswer);
    assert_eq!(stack.register("").await.0, 503);
    stack.cloud.clear_faults();
    let lost = stack.stripe.endpoints().remove(0).id;
    stack.stripe.advance(25 * 3600);
    // Many others, so that ours is not on Stripe's first page.
    for i in 0..120 {
        drop(stack.stripe.add_endpoint(&format!("https://example.com/{i}"), &["*"]));
    }
    assert_eq!(stack.call_at(later(25), "POST", "/endpoints", "").await.0, 502, "the limit");
    let by_hand: Vec<_> = stack.stripe.endpoints();
    for endpoint in by_hand.iter().filter(|endpoint| endpoint.metadata.is_empty()) {
        stack.stripe.delete_endpoint(&endpoint.id).unwrap();
    }
    let (status, made) = stack.call_at(later(25), "POST", "/endpoints", "").await;
    assert_eq!(status, 201, "{made}");
    assert_ne!(made["stripe_id"], lost);
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn an_orphan_that_cannot_be_removed_is_not_forgotten() {
    let stack = Stack::start().await.hasty();
    stack.stripe.add_fault(Fault::hold().on("POST", CREATE).after());
    assert_eq!(stack.register("").await.0, 503);
    stack.stripe.clear_faults();
    stack.stripe.add_fault(Fault::status(500).on("DELETE", "/").times(9));
    let (status, answer) = stack.call_at(later(24), "POST", "/endpoints", "").await;
    assert_eq!((status, error_code(&answer)), (503, "stripe_no_answer"), "{answer}");
    stack.stripe.clear_faults();
    let (status, made) = stack.call_at(later(24), "POST", "/endpoints", "").await;
    assert_eq!(status, 201, "{made}");
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn a_half_made_endpoint_is_gone_on_with_only_for_the_same_request() {
    let stack = Stack::start().await.hasty();
    stack.stripe.add_fault(Fault::hold().on("POST", CREATE));
    assert_eq!(stack.register("").await.0, 503);
    stack.stripe.clear_faults();
    let (status, answer) = stack.register(r#"{"events":["invoice.paid"]}"#).await;
    assert_eq!((status, error_code(&answer)), (409, "endpoint_exists"));
    assert_eq!(answer["error"]["field"], "events");
    assert_eq!(stack.register("").await.0, 201);
}

#[tokio::test]
async fn a_refusal_that_says_nothing_of_an_earlier_request_keeps_the_row() {
    let stack = Stack::start().await.hasty();
    stack.stripe.add_fault(Fault::hold().on("POST", CREATE).after());
    assert_eq!(stack.register("").await.0, 503);
    stack.stripe.clear_faults();
    for status in [401, 403, 429] {
        stack.stripe.add_fault(Fault::status(status).on("POST", CREATE));
        let (answered, answer) = stack.register("").await;
        assert_eq!((answered, error_code(&answer)), (502, "stripe_error"), "{status}");
        assert!(stack.row("main").await.is_some(), "{status}");
    }
    assert_eq!(stack.register("").await.0, 201);
    stack.assert_registered("main").await;
}

/// The next request that creates an endpoint is done, and its answer lost for good.
fn lose_the_answer(stack: &Stack) {
    let lost = Answer { status: 500, body: None, should_retry: Some(false), retry_after: None };
    let lost = Fault { effect: Effect::Answer(lost), ..Fault::status(500) };
    stack.stripe.add_fault(lost.on("POST", CREATE).after());
}

#[tokio::test]
async fn what_a_lost_answer_made_is_removed_when_stripe_then_refuses() {
    let stack = Stack::start().await;
    lose_the_answer(&stack);
    assert_eq!(stack.register("").await.0, 503);
    assert_eq!(stack.stripe.endpoints().len(), 1);
    stack.stripe.add_fault(Fault::status(400).on("POST", CREATE));
    let (status, answer) = stack.register("").await;
    assert_eq!((status, error_code(&answer)), (502, "stripe_error"), "{answer}");
    stack.assert_nothing_left("main").await;

    // The second endpoint of a rotation.
    assert_eq!(stack.register("").await.0, 201);
    lose_the_answer(&stack);
    assert_eq!(stack.call("POST", "/endpoints/main/rotate", "").await.0, 503);
    assert_eq!(stack.stripe.endpoints().len(), 2);
    stack.stripe.add_fault(Fault::status(400).on("POST", CREATE));
    let (status, answer) = stack.call("POST", "/endpoints/main/rotate", "").await;
    assert_eq!((status, error_code(&answer)), (502, "stripe_error"), "{answer}");
    stack.assert_registered("main").await;
    assert!(stack.row("main").await.unwrap().rotation.is_none());
}

#[tokio::test]
async fn a_refusal_of_the_second_try_says_nothing_of_the_first() {
    // In one call: the first try is done and its answer cut off, the second is refused.
    let done_then_refused = |stack: &Stack| {
        stack.stripe.add_fault(Fault::cut().on("POST", CREATE).after());
        stack.stripe.add_fault(Fault::status(400).on("POST", CREATE));
    };
    let stack = Stack::start().await;
    done_then_refused(&stack);
    let (status, answer) = stack.register("").await;
    assert_eq!((status, error_code(&answer)), (503, "stripe_no_answer"), "{answer}");
    assert_eq!(stack.register("").await.0, 201);
    stack.assert_registered("main").await;

    // A change goes on too: Stripe has what the first try sent.
    done_then_refused(&stack);
    let (status, answer) = stack.call("PATCH", "/endpoints/main", r#"{"description":"other"}"#).await;
    assert_eq!((status, error_code(&answer)), (503, "stripe_no_answer"), "{answer}");
    assert_eq!(stack.stripe.endpoints()[0].description.as_deref(), Some("other"));
    let (status, answer) = stack.call("PATCH", "/endpoints/main", r#"{"description":"other"}"#).await;
    assert_eq!((status, &answer["description"]), (200, &"other".into()), "{answer}");
}
