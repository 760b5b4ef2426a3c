//! A change is stored here, sent to Stripe and confirmed; cut off or refused anywhere, both sides end the
//! same.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::endpoint::EndpointState;
use simulated_stripe::Fault;
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::{error_code, now};

use crate::support::{As, Stack};

const ENDPOINTS: &str = "/v1/webhook_endpoints/";

impl Stack {
    async fn patch(&self, body: &str) -> (u16, Value) {
        self.call("PATCH", "/endpoints/main", body).await
    }

    /// The row is settled, and Stripe has what it says.
    pub(crate) async fn assert_agreed(&self, what: &str) {
        let row = self.row("main").await.unwrap();
        let there = &self.stripe.endpoints()[0];
        assert!(row.pending_change.is_none(), "{what}");
        assert_eq!((&row.spec.url, &row.spec.events), (&there.url, &there.enabled_events), "{what}");
        assert_eq!(row.spec.description, there.description.clone().unwrap_or_default(), "{what}");
        let state = if there.disabled { EndpointState::Disabled } else { EndpointState::Active };
        assert_eq!(row.state, state, "{what}");
        self.assert_secret_is_right().await;
    }
}

const CHANGE: &str = r#"{"events":["invoice.paid"],"description":"bills"}"#;

#[tokio::test]
async fn what_is_named_changes_here_and_at_stripe_and_the_rest_stays() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    let (status, changed) = stack.patch(CHANGE).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!((&changed["events"], &changed["description"]), (&json!(["invoice.paid"]), &json!("bills")));
    assert_eq!((&changed["url"], &changed["state"]), (&made["url"], &json!("active")));
    stack.assert_agreed("events").await;
    let (_, changed) = stack.patch(r#"{"disabled":true}"#).await;
    assert_eq!((&changed["state"], &changed["events"]), (&json!("disabled"), &json!(["invoice.paid"])));
    assert!(stack.stripe.endpoints()[0].disabled);
    let (_, changed) = stack.patch(r#"{"disabled":false,"events":null,"description":""}"#).await;
    assert_eq!((&changed["state"], &changed["events"]), (&json!("active"), &made["events"]));
    stack.assert_agreed("back").await;
    let entries: Vec<_> =
        stack.audit_entries().await.into_iter().filter(|entry| entry.action == "endpoint.change").collect();
    assert_eq!(entries.len(), 3);
    let disabled = |entry: &&shared::audit::AuditEntry| entry.after.as_ref().unwrap()["state"] == "disabled";
    let entry = entries.iter().find(disabled).unwrap();
    assert_eq!((entry.target.as_str(), entry.result.as_str()), ("main", "done"));
    assert_eq!(entry.before.as_ref().unwrap()["state"], "active");
}

#[tokio::test]
async fn what_changes_nothing_asks_nobody() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.stripe.clear_requests();
    for body in ["", "{}", r#"{"events":null}"#, r#"{"description":""}"#] {
        assert_eq!(stack.patch(body).await.0, 200);
    }
    assert!(stack.stripe.requests().is_empty());
}

#[tokio::test]
async fn each_refusal_names_its_field_and_the_remedy_and_changes_nothing() {
    let stack = Stack::start().await;
    stack.register("").await;
    let before = stack.row("main").await;
    let cases = [
        (r#"{"api_version":"2020-08-27"}"#, "api_version", "rotate"),
        (r#"{"connect":true}"#, "connect", "register another"),
        (r#"{"events":[]}"#, "events", "name event types"),
        (r#"{"events":["invoice.payed"]}"#, "events", "exact types"),
        (r#"{"url":"https://10.0.0.1/x"}"#, "url", "public address"),
        (r#"{"url":"https://127.0.0.1:1/webhooks/other"}"#, "url", "leave `url` out"),
        (r#"{"disabled":"yes"}"#, "disabled", ""),
        (r#"{"name":"other"}"#, "name", ""),
        (r#"{"description":7}"#, "description", ""),
    ];
    for (body, field, remedy) in cases {
        let (status, answer) = stack.patch(body).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{answer}");
        assert!(answer["error"]["remedy"].as_str().unwrap_or_default().contains(remedy), "{answer}");
    }
    assert_eq!(stack.row("main").await, before);
    assert_eq!(stack.call("PATCH", "/endpoints/none", "{}").await.0, 404);
    assert_eq!(stack.call_as(As::Viewer, "PATCH", "/endpoints/main", CHANGE).await.0, 403);
}

#[tokio::test]
async fn an_address_that_does_not_answer_a_probe_is_refused_before_anything_is_changed() {
    let stack = Stack::start().await;
    stack.register("").await;
    stack.stripe.clear_requests();
    let before = stack.row("main").await;
    let (status, answer) = stack.patch(r#"{"url":"http://127.0.0.1:9/webhooks/main"}"#).await;
    assert_eq!((status, error_code(&answer)), (400, "url_not_reached"), "{answer}");
    assert_eq!(answer["error"]["field"], "url");
    assert_eq!(stack.row("main").await, before);
    assert!(stack.stripe.requests().is_empty());
}

#[tokio::test]
async fn cut_off_at_any_step_it_is_finished_by_the_same_request_or_the_schedule() {
    type Break = fn(&Stack);
    let breaks: [(&str, Break); 7] = [
        ("after the row", |s| s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::DoneWithoutAnswer)),
        ("before Stripe", |s| s.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS))),
        ("after Stripe", |s| s.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after())),
        ("Stripe is down", |s| s.stripe.add_fault(Fault::status(500).on("POST", ENDPOINTS).times(9))),
        ("Stripe fails after it was done", |s| {
            s.stripe.add_fault(Fault::status(500).on("POST", ENDPOINTS).after().times(9))
        }),
        ("no way to Stripe", |s| s.stripe.add_fault(Fault::cut().on("POST", ENDPOINTS).times(9))),
        ("too many calls", |s| {
            s.stripe.add_fault(Fault::rate_limit(Some(false)).on("POST", ENDPOINTS).times(9))
        }),
    ];
    for (what, break_it) in breaks {
        for by_schedule in [false, true] {
            let stack = Stack::start().await.hasty();
            stack.register("").await;
            break_it(&stack);
            let (status, answer) = stack.patch(CHANGE).await;
            assert!(status >= 500, "{what}: {answer}");
            stack.cloud.clear_faults();
            stack.stripe.clear_faults();
            let later = now() + SignedDuration::from_secs(61);
            if by_schedule {
                stack.maintain(later).await;
            } else if stack.row("main").await.unwrap().pending_change.is_none_or(|change| change.abandoned) {
                // The request knew that it was over.
                assert_eq!(stack.patch(CHANGE).await.0, 200, "{what}");
            } else {
                // It may still be writing to Stripe.
                assert_eq!(error_code(&stack.patch(CHANGE).await.1), "change_in_progress", "{what}");
                assert_eq!(stack.call_at(later, "PATCH", "/endpoints/main", CHANGE).await.0, 200, "{what}");
            }
            stack.assert_agreed(what).await;
            if what != "too many calls" || !by_schedule {
                assert_eq!(stack.row("main").await.unwrap().spec.description, "bills", "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_of_stripe_takes_the_change_back() {
    let stack = Stack::start().await;
    stack.register("").await;
    let before = stack.row("main").await.unwrap();
    stack.stripe.add_fault(Fault::status(400).on("POST", ENDPOINTS));
    let (status, answer) = stack.patch(CHANGE).await;
    assert_eq!((status, error_code(&answer)), (502, "stripe_error"), "{answer}");
    let after = stack.row("main").await.unwrap();
    assert_eq!((after.spec, after.state, after.pending_change), (before.spec, EndpointState::Active, None));
    stack.assert_agreed("refused").await;
}

#[tokio::test]
async fn a_refusal_after_an_unclear_try_puts_stripe_back_too() {
    let stack = Stack::start().await.hasty();
    stack.register("").await;
    stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after());
    assert_eq!(stack.patch(CHANGE).await.0, 503);
    stack.stripe.clear_faults();
    assert_eq!(stack.stripe.endpoints()[0].enabled_events, ["invoice.paid"], "Stripe had done it");
    stack.stripe.add_fault(Fault::status(400).on("POST", ENDPOINTS));
    let report = stack.maintain(now() + SignedDuration::from_secs(61)).await;
    assert_eq!(report["taken_back"], json!(["main"]), "{report}");
    stack.assert_agreed("back").await;
    assert!(stack.row("main").await.unwrap().spec.events.len() > 1);
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_done_and_the_other_is_refused() {
    let stack = Stack::start().await.hasty();
    stack.register("").await;
    // Nobody goes on with it yet, and it may be writing to Stripe at this moment.
    stack.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::DoneWithoutAnswer);
    assert_eq!(stack.patch(CHANGE).await.0, 503);
    stack.cloud.clear_faults();
    let (status, answer) = stack.patch(r#"{"description":"other"}"#).await;
    assert_eq!((status, error_code(&answer)), (409, "change_in_progress"), "{answer}");
    // A minute later the first has certainly ended.
    let later = now() + SignedDuration::from_secs(61);
    let (status, changed) =
        stack.call_at(later, "PATCH", "/endpoints/main", r#"{"description":"other"}"#).await;
    assert_eq!((status, &changed["description"]), (200, &json!("other")), "{changed}");
    assert_eq!(changed["events"], json!(["invoice.paid"]), "what was wanted before stays wanted");
    stack.assert_agreed("other").await;
}

#[tokio::test]
async fn a_limit_or_a_refused_key_after_an_unclear_try_undoes_nothing() {
    for (status, what) in [(429, "a limit"), (403, "no right"), (401, "another key")] {
        let stack = Stack::start().await.hasty();
        stack.register("").await;
        stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after());
        assert_eq!(stack.patch(CHANGE).await.0, 503);
        stack.stripe.clear_faults();
        stack.stripe.add_fault(Fault::status(status).on("POST", ENDPOINTS).times(9));
        let report = stack.maintain(now() + SignedDuration::from_secs(61)).await;
        assert_eq!(report["left"], json!(["main"]), "{what}: {report}");
        stack.stripe.clear_faults();
        let report = stack.maintain(now() + SignedDuration::from_secs(400)).await;
        assert_eq!(report["changed"], json!(["main"]), "{what}: {report}");
        stack.assert_agreed(what).await;
        assert_eq!(stack.row("main").await.unwrap().spec.description, "bills", "{what}");
    }
}

#[tokio::test]
async fn that_it_is_enabled_is_sent_again_whenever_it_is_asked_for() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    let disabled = simulated_stripe::EndpointChange { disabled: Some(true), ..Default::default() };
    stack.stripe.change_endpoint(made["stripe_id"].as_str().unwrap(), disabled).unwrap();
    assert_eq!(stack.patch(r#"{"disabled":false}"#).await.0, 200);
    stack.assert_agreed("enabled").await;
}
