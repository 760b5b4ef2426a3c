//! Whatever was done to an endpoint at Stripe or to its secret, one request puts it back.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::endpoint::EndpointState;
use simulated_stripe::{Answer, Effect, EndpointChange, Fault};
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::{error_code, now};

use crate::support::{As, Stack};

const ENDPOINTS: &str = "/v1/webhook_endpoints";

impl Stack {
    async fn repair(&self) -> (u16, Value) {
        self.call("POST", "/endpoints/main/repair", "").await
    }

    fn lose_secret(&self) {
        let name = self.secrets().remove(0);
        self.cloud.remove_secret(&name);
    }
}

#[tokio::test]
async fn what_was_changed_at_stripe_is_put_back_with_the_same_secret() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    let drift = EndpointChange {
        url: Some("https://example.com/elsewhere".into()),
        enabled_events: Some(vec!["invoice.paid".into()]),
        disabled: Some(true),
        description: Some("changed".into()),
        ..EndpointChange::default()
    };
    stack.stripe.change_endpoint(made["stripe_id"].as_str().unwrap(), drift).unwrap();
    let (status, repaired) = stack.repair().await;
    assert_eq!((status, &repaired["replaced"]), (200, &json!(false)), "{repaired}");
    let there = &stack.stripe.endpoints()[0];
    assert_eq!(
        (json!(there.url), json!(there.enabled_events)),
        (made["url"].clone(), made["events"].clone())
    );
    assert!(!there.disabled && there.description.clone().unwrap_or_default().is_empty());
    stack.assert_registered("main").await;
    let entries = stack.audit_entries().await;
    assert!(entries.iter().any(|entry| entry.action == "endpoint.repair" && entry.result == "done"));
    assert_eq!(stack.call_as(As::Viewer, "POST", "/endpoints/main/repair", "").await.0, 403);
    assert_eq!(stack.call("POST", "/endpoints/none/repair", "").await.0, 404);
}

#[tokio::test]
async fn one_that_is_gone_or_whose_secret_is_lost_is_replaced() {
    type Damage = fn(&Stack);
    let damages: [Damage; 3] = [
        |stack| stack.stripe.delete_endpoint(&stack.stripe.endpoints()[0].id.clone()).unwrap(),
        |stack| stack.lose_secret(),
        |stack| {
            stack.lose_secret();
            stack.stripe.delete_endpoint(&stack.stripe.endpoints()[0].id.clone()).unwrap();
        },
    ];
    for damage in damages {
        let stack = Stack::start().await;
        let (_, made) = stack.register(r#"{"events":["invoice.paid"],"description":"bills"}"#).await;
        damage(&stack);
        let (status, repaired) = stack.repair().await;
        assert_eq!((status, &repaired["replaced"]), (200, &json!(true)), "{repaired}");
        assert_ne!(repaired["stripe_id"], made["stripe_id"]);
        assert_eq!(
            (&repaired["events"], &repaired["description"]),
            (&json!(["invoice.paid"]), &json!("bills"))
        );
        assert_eq!(repaired["created_at"], made["created_at"]);
        stack.assert_registered("main").await;
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_not_taken_for_lost() {
    let ids = |stack: &Stack| -> Vec<_> {
        stack.stripe.endpoints().into_iter().map(|endpoint| endpoint.id).collect()
    };
    // The process has the Stripe key already: only the signing secret is asked for.
    for fault in [CloudFault::AccessDenied, CloudFault::Invalid, CloudFault::Throttle] {
        let stack = Stack::start().await.with_one_process();
        stack.register("").await;
        for is_rotating in [false, true] {
            if is_rotating {
                assert_eq!(stack.call("POST", "/endpoints/main/rotate", "").await.0, 200);
            }
            let (row, there) = (stack.row("main").await, ids(&stack));
            stack.cloud.fail("GetSecretValue", "", 99, fault);
            let later = now() + SignedDuration::from_secs(61);
            let (status, answer) = stack.call_at(later, "POST", "/endpoints/main/repair", "").await;
            let what = format!("{fault:?}, rotating: {is_rotating}: {answer}");
            assert_eq!((status, error_code(&answer)), (503, "temporarily_unavailable"), "{what}");
            assert_eq!(ids(&stack), there, "{what}");
            assert_eq!(stack.row("main").await, row, "{what}");
            stack.cloud.clear_faults();
        }
    }
}

#[tokio::test]
async fn a_disabled_one_stays_disabled() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.call("PATCH", "/endpoints/main", r#"{"disabled":true}"#).await;
    for lost in [false, true] {
        if lost {
            stack.lose_secret();
        }
        let (status, repaired) = stack.repair().await;
        assert_eq!((status, &repaired["state"]), (200, &json!("disabled")), "{repaired}");
        assert!(stack.stripe.endpoints()[0].disabled);
        stack.assert_secret_is_right().await;
    }
}

#[tokio::test]
async fn what_stripe_cannot_change_is_named() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    let other = EndpointChange { api_version: Some("2020-08-27".into()), ..EndpointChange::default() };
    stack.stripe.change_endpoint(made["stripe_id"].as_str().unwrap(), other).unwrap();
    let (status, repaired) = stack.repair().await;
    assert_eq!(status, 200);
    assert!(repaired["remaining"].as_str().unwrap().contains("2020-08-27"), "{repaired}");
}

#[tokio::test]
async fn cut_off_at_any_step_it_is_finished_by_the_same_request_or_the_schedule() {
    type Break = fn(&Stack);
    let breaks: [(&str, Break); 8] = [
        ("before it is deleted", |s| s.stripe.add_fault(Fault::hold().on("DELETE", ENDPOINTS))),
        ("after it is deleted", |s| s.stripe.add_fault(Fault::hold().on("DELETE", ENDPOINTS).after())),
        ("before the secret is removed", |s| s.cloud.fail("DeleteSecret", "", 9, CloudFault::Hang)),
        ("before the row", |s| s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::Hang)),
        ("after the row", |s| s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::DoneWithoutAnswer)),
        ("before it is made", |s| s.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS))),
        ("after it is made", |s| s.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after())),
        ("after the secret is kept", |s| s.cloud.fail("CreateSecret", "", 9, CloudFault::DoneWithoutAnswer)),
    ];
    for (what, break_it) in breaks {
        let stack = Stack::start().await.hasty();
        stack.register("").await;
        stack.lose_secret();
        break_it(&stack);
        let (status, answer) = stack.repair().await;
        assert_eq!(status, 503, "{what}: {answer}");
        stack.cloud.clear_faults();
        stack.stripe.clear_faults();
        // A row that is half registered is finished by the schedule, and any other by the same request.
        if stack.row("main").await.unwrap().state == EndpointState::Registering {
            let (status, answer) = stack.repair().await;
            assert_eq!((status, error_code(&answer)), (409, "endpoint_not_active"), "{what}");
            stack.maintain(now() + SignedDuration::from_secs(61)).await;
        } else {
            // The one before may still be at it, for a minute.
            let later = now() + SignedDuration::from_secs(61);
            assert_eq!(stack.call_at(later, "POST", "/endpoints/main/repair", "").await.0, 200, "{what}");
        }
        stack.assert_registered("main").await;
    }
}

#[tokio::test]
async fn a_replacement_that_stripe_refuses_keeps_the_endpoint_and_its_wish() {
    let stack = Stack::start().await;
    let (_, made) = stack.register(r#"{"events":["invoice.paid"]}"#).await;
    stack.stripe.delete_endpoint(made["stripe_id"].as_str().unwrap()).unwrap();
    stack.stripe.add_fault(Fault::status(400).on("POST", ENDPOINTS));
    assert_eq!(stack.repair().await.0, 502);
    let row = stack.row("main").await.unwrap();
    assert_eq!((row.state, json!(row.spec.events)), (EndpointState::Active, made["events"].clone()));
    assert_eq!(stack.repair().await.0, 200);
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn a_disabled_one_that_is_cut_off_while_it_is_replaced_is_disabled_in_the_end() {
    let stack = Stack::start().await.hasty();
    stack.register("").await;
    stack.call("PATCH", "/endpoints/main", r#"{"disabled":true}"#).await;
    stack.lose_secret();
    stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after());
    assert_eq!(stack.repair().await.0, 503);
    stack.stripe.clear_faults();
    for seconds in [61, 130] {
        stack.maintain(now() + SignedDuration::from_secs(seconds)).await;
    }
    assert_eq!(stack.row("main").await.unwrap().state, EndpointState::Disabled);
    assert!(stack.stripe.endpoints()[0].disabled);
    stack.assert_secret_is_right().await;
}

/// A replacement of a disabled endpoint that was made, and that Stripe has not disabled yet.
async fn replaced_and_still_enabled() -> Stack {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.call("PATCH", "/endpoints/main", r#"{"disabled":true}"#).await;
    stack.lose_secret();
    let unanswered = Answer { status: 500, body: None, should_retry: Some(false), retry_after: None };
    let unanswered = Fault { effect: Effect::Answer(unanswered), ..Fault::status(500) };
    stack.stripe.add_fault(unanswered.on("POST", "/v1/webhook_endpoints/"));
    assert_eq!(stack.repair().await.0, 503);
    let row = stack.row("main").await.unwrap();
    assert_eq!((row.state, stack.stripe.endpoints()[0].disabled), (EndpointState::Changing, false));
    stack
}

#[tokio::test]
async fn a_change_that_is_refused_while_a_disabled_one_is_replaced_does_not_switch_it_on() {
    let stack = replaced_and_still_enabled().await;
    stack.stripe.add_fault(Fault::status(400).on("POST", "/v1/webhook_endpoints/"));
    let (status, answer) = stack.call("PATCH", "/endpoints/main", r#"{"description":"other"}"#).await;
    assert_eq!((status, error_code(&answer)), (502, "stripe_error"), "{answer}");
    assert_eq!(stack.row("main").await.unwrap().state, EndpointState::Disabled);
    assert!(stack.stripe.endpoints()[0].disabled);
}

#[tokio::test]
async fn a_replacement_of_a_disabled_one_that_is_deleted_before_it_is_disabled_stays_disabled() {
    let stack = replaced_and_still_enabled().await;
    let id = stack.stripe.endpoints()[0].id.clone();
    stack.stripe.delete_endpoint(&id).unwrap();
    stack.maintain(now() + SignedDuration::from_secs(61)).await;
    assert_eq!(stack.row("main").await.unwrap().state, EndpointState::Disabled);
    assert_eq!(stack.repair().await.1["state"], "disabled");
    assert!(stack.stripe.endpoints()[0].disabled);
}

#[tokio::test]
async fn an_endpoint_for_all_that_was_applied_once_asks_for_all_that_is_and_a_choice_stays() {
    let first = shared::event_type::applied_at_first();
    for (events, expected) in [
        (json!(first), json!(shared::event_type::applied())),
        (json!(["invoice.paid"]), json!(["invoice.paid"])),
    ] {
        let stack = Stack::start().await;
        stack.register(&json!({ "events": events }).to_string()).await;
        let (status, repaired) = stack.repair().await;
        assert_eq!((status, &repaired["events"], &repaired["replaced"]), (200, &expected, &json!(false)));
        assert_eq!(json!(stack.row("main").await.unwrap().spec.events), expected);
        stack.assert_agreed("repaired").await;
        // Done again, it changes nothing.
        assert_eq!(stack.repair().await.1["events"], expected);
    }
}
