//! What a request left half done, the schedule finishes or takes back; and what Stripe has disabled, it
//! enables again where the stack is configured so.

use jiff::SignedDuration;
use register::handle;
use serde_json::{Value, json};
use shared::endpoint::EndpointState;
use simulated_stripe::{EndpointChange, Fault, Options};
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::now;

use crate::support::{Stack, later};

const ENDPOINTS: &str = "/v1/webhook_endpoints";

/// A minute and more after a request.
fn soon() -> jiff::Timestamp {
    now() + SignedDuration::from_secs(61)
}

fn nothing() -> Value {
    json!({
        "registered": [], "changed": [], "switched_over": [], "rotated": [], "given_up": [],
        "taken_back": [],
        "deregistered": [], "enabled": [], "left": [],
    })
}

/// What the audit says of the schedule.
async fn audited(stack: &Stack) -> Vec<(String, String, String)> {
    let entries = stack.audit_entries().await.into_iter().filter(|entry| entry.subject == "schedule");
    entries.map(|entry| (entry.action, entry.target, entry.result)).collect()
}

fn entry(action: &str, result: &str) -> Vec<(String, String, String)> {
    vec![(action.to_owned(), "main".to_owned(), result.to_owned())]
}

#[tokio::test]
async fn a_registration_cut_off_at_any_step_is_finished() {
    type Break = fn(&Stack);
    let breaks: [(&str, Break); 6] = [
        ("before Stripe makes it", |s| s.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS))),
        ("after Stripe made it", |s| s.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after())),
        ("Stripe is down", |s| s.stripe.add_fault(Fault::status(500).on("POST", ENDPOINTS).times(9))),
        ("before the secret", |s| s.cloud.fail("CreateSecret", "", 9, CloudFault::Hang)),
        ("after the secret", |s| s.cloud.fail("CreateSecret", "", 9, CloudFault::DoneWithoutAnswer)),
        ("the row is written, its answer lost", |s| {
            s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::DoneWithoutAnswer);
        }),
    ];
    for (what, break_it) in breaks {
        let stack = Stack::start().await.hasty();
        break_it(&stack);
        assert_eq!(stack.register("").await.0, 503, "{what}");
        stack.cloud.clear_faults();
        stack.stripe.clear_faults();
        // The first run dies at the last step.
        stack.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::Hang);
        let sample = include_str!("../../../../events/register/schedule.json");
        let died =
            handle(&stack.cold(), &serde_json::from_str(sample).unwrap(), "r-1", soon(), stack.deadline())
                .await;
        assert!(died.is_err(), "{what}: {died:?}");
        stack.cloud.clear_faults();
        assert_eq!(stack.maintain(soon()).await["registered"], json!(["main"]), "{what}");
        stack.assert_registered("main").await;
        assert_eq!(audited(&stack).await, entry("endpoint.register", "done"), "{what}");
        assert_eq!(stack.maintain(later(1)).await, nothing());
    }
}

#[tokio::test]
async fn a_deregistration_cut_off_at_any_step_is_finished() {
    type Break = fn(&Stack);
    let breaks: [(&str, Break); 4] = [
        ("before Stripe", |s| s.stripe.add_fault(Fault::hold().on("DELETE", ENDPOINTS))),
        ("after Stripe", |s| s.stripe.add_fault(Fault::hold().on("DELETE", ENDPOINTS).after())),
        ("before the secret", |s| s.cloud.fail("DeleteSecret", "", 9, CloudFault::Hang)),
        ("before the row", |s| s.cloud.fail("DeleteItem", "RegistryTable", 9, CloudFault::Hang)),
    ];
    for (what, break_it) in breaks {
        let stack = Stack::start().await.hasty();
        assert_eq!(stack.register("").await.0, 201);
        break_it(&stack);
        assert_eq!(stack.deregister("main").await.0, 503, "{what}");
        stack.cloud.clear_faults();
        stack.stripe.clear_faults();
        assert_eq!(stack.maintain(soon()).await["deregistered"], json!(["main"]), "{what}");
        stack.assert_nothing_left("main").await;
        assert_eq!(audited(&stack).await, entry("endpoint.deregister", "done"), "{what}");
    }
}

#[tokio::test]
async fn what_may_still_be_under_way_is_left_alone_and_looking_is_one_read() {
    let stack = Stack::start().await.hasty();
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS));
    stack.register("").await;
    stack.cloud.clear_faults();
    stack.stripe.clear_faults();
    stack.stripe.clear_requests();
    stack.cloud.clear_calls();
    assert_eq!(stack.maintain(now() + SignedDuration::from_secs(59)).await, nothing());
    assert_eq!(stack.cloud.calls().len(), 1, "{:?}", stack.cloud.calls());
    assert!(stack.stripe.requests().is_empty());
}

#[tokio::test]
async fn what_stripe_refuses_for_good_is_taken_back() {
    let stack =
        Stack::with(Options { endpoint_limit: 1, ..Options::for_tests() }, shared::mode::Mode::Test).await;
    stack.set_key().await;
    let stack = stack.hasty();
    stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS));
    assert_eq!(stack.register("").await.0, 503);
    stack.stripe.clear_faults();
    drop(stack.stripe.add_endpoint("https://example.com", &["*"]));
    assert_eq!(stack.maintain(soon()).await["taken_back"], json!(["main"]));
    assert!(stack.row("main").await.is_none() && stack.secrets().is_empty());
    assert_eq!(audited(&stack).await, entry("endpoint.register", "stripe_error"));
}

#[tokio::test]
async fn an_attempt_older_than_a_day_is_begun_anew_and_leaves_nothing_over() {
    let stack = Stack::start().await.hasty();
    stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after());
    stack.register("").await;
    stack.stripe.clear_faults();
    stack.stripe.advance(26 * 3_600);
    assert_eq!(stack.maintain(later(26)).await["registered"], json!(["main"]));
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn what_cannot_be_done_now_is_tried_again() {
    let stack = Stack::start().await;
    stack.stripe.add_fault(Fault::status(500).on("POST", ENDPOINTS).times(99));
    assert_eq!(stack.register("").await.0, 503);
    for minutes in [2, 7] {
        let at = now() + SignedDuration::from_mins(minutes);
        assert_eq!(stack.maintain(at).await["left"], json!(["main"]));
        assert_eq!(stack.row("main").await.unwrap().state, EndpointState::Registering);
    }
    assert!(audited(&stack).await.is_empty(), "nothing was done");
    stack.stripe.clear_faults();
    stack.stripe.advance(26 * 3_600);
    assert_eq!(stack.maintain(later(26)).await["registered"], json!(["main"]));
    // Without a key there is nothing to do it with.
    stack.cloud.put_secret(test_cloud::fixtures::STRIPE_KEY_SECRET, "{}");
    assert_eq!(stack.maintain(later(27)).await, nothing());
}

#[tokio::test]
async fn what_stripe_has_disabled_is_enabled_again_only_if_the_stack_is_configured_so() {
    let mut stack = Stack::start().await;
    assert_eq!(stack.register("").await.0, 201);
    let id = stack.stripe.endpoints()[0].id.clone();
    let disable = || {
        stack
            .stripe
            .change_endpoint(&id, EndpointChange { disabled: Some(true), ..EndpointChange::default() })
    };
    disable().unwrap();
    assert_eq!(stack.maintain(soon()).await, nothing());
    assert!(stack.stripe.endpoints()[0].disabled);
    stack.reenable = true;
    assert_eq!(stack.maintain(soon()).await["enabled"], json!(["main"]));
    assert!(!stack.stripe.endpoints()[0].disabled);
    assert_eq!(audited(&stack).await, entry("endpoint.enable", "done"));
    assert_eq!(stack.maintain(soon()).await, nothing());
    // One that an admin has disabled here stays so.
    let row = stack.row("main").await.unwrap();
    let mut disabled = shared::endpoint::EndpointRow { state: EndpointState::Disabled, ..row.clone() };
    stack.registry().replace(&row, &mut disabled).await.unwrap();
    stack
        .stripe
        .change_endpoint(&id, EndpointChange { disabled: Some(true), ..EndpointChange::default() })
        .unwrap();
    assert_eq!(stack.maintain(soon()).await, nothing());
    assert!(stack.stripe.endpoints()[0].disabled);
}

#[tokio::test]
async fn an_input_that_is_neither_is_refused_and_a_request_is_answered_with_its_id() {
    let stack = Stack::bare().await;
    let refused = handle(&stack.cold(), &json!({}), "r-1", now(), stack.deadline()).await.unwrap_err();
    assert!(refused.error_message.contains("neither a request"), "{refused:?}");
    let sample: Value =
        serde_json::from_str(include_str!("../../../../events/register/register-endpoint.json")).unwrap();
    let answer = handle(&stack.cold(), &sample, "r-1", now(), stack.deadline()).await.unwrap();
    assert_eq!(answer["statusCode"], 409);
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (body["error"]["code"].as_str(), body["error"]["request_id"].as_str()),
        (Some("stripe_key_missing"), Some("r-1"))
    );
}

#[tokio::test]
async fn a_replacement_that_is_made_and_cannot_be_disabled_yet_is_registered() {
    for status in [400, 403, 500] {
        let stack = Stack::start().await.hasty();
        stack.register("").await;
        stack.call("PATCH", "/endpoints/main", r#"{"disabled":true}"#).await;
        stack.stripe.delete_endpoint(&stack.stripe.endpoints()[0].id.clone()).unwrap();
        stack.stripe.add_fault(Fault::cut().on("POST", ENDPOINTS).times(9));
        assert_eq!(stack.call("POST", "/endpoints/main/repair", "").await.0, 503, "{status}");
        assert_eq!(stack.row("main").await.unwrap().state, EndpointState::Registering, "{status}");
        stack.stripe.clear_faults();
        // To make it is a call of the list, and to disable it one of the endpoint.
        stack.stripe.add_fault(Fault::status(status).on("POST", "/v1/webhook_endpoints/").times(9));
        let report = stack.maintain(soon()).await;
        let expected = (&json!(["main"]), &json!(["main"]), &json!([]));
        assert_eq!((&report["registered"], &report["left"], &report["taken_back"]), expected, "{status}");
        assert_eq!(audited(&stack).await, entry("endpoint.register", "done"), "{status}");
        stack.stripe.clear_faults();
        stack.maintain(later(1)).await;
        assert_eq!(stack.row("main").await.unwrap().state, EndpointState::Disabled, "{status}");
        assert!(stack.stripe.endpoints()[0].disabled, "{status}");
    }
}
