//! Registering makes one endpoint at Stripe, keeps its secret, and says what it made.

use serde_json::json;
use shared::event_type::applied;
use test_cloud::fixtures::error_code;

use crate::support::Stack;

#[tokio::test]
async fn an_endpoint_is_made_as_asked_and_shown_with_its_secret_once() {
    let stack = Stack::start().await;
    let body = json!({
        "name": "disputes", "events": ["charge.dispute.*"], "description": "for the desk",
        "url": "https://127.0.0.1:1/x", "api_version": "2025-09-30.clover", "connect": true,
    });
    let (status, made) = stack.register(&body.to_string()).await;
    assert_eq!(status, 201, "{made}");
    stack.assert_registered("disputes").await;
    let at_stripe = stack.stripe.endpoints().remove(0);
    assert_eq!(at_stripe.url, "https://127.0.0.1:1/x");
    assert_eq!(at_stripe.enabled_events.len(), 5);
    assert_eq!(at_stripe.api_version.as_deref(), Some("2025-09-30.clover"));
    assert_eq!(at_stripe.description.as_deref(), Some("for the desk"));
    assert!(at_stripe.connect);
    let row = stack.row("disputes").await.unwrap();
    let stack_id = stack.registry().stack_id().await.unwrap().unwrap();
    let metadata: Vec<_> = at_stripe.metadata.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        metadata,
        [
            ("billhook_connect", "true"),
            ("billhook_name", "disputes"),
            ("billhook_registration", row.registration.as_str()),
            ("billhook_stack", "stack"),
            ("billhook_stack_id", stack_id.as_str()),
        ]
    );
    assert_eq!(made["signing_secret"], at_stripe.secret);

    let (status, shown) = stack.call("GET", "/endpoints/disputes", "").await;
    assert_eq!(status, 200);
    let expected = json!({
        "name": "disputes", "url": "https://127.0.0.1:1/x", "stripe_id": at_stripe.id,
        "dashboard_url": format!("https://dashboard.stripe.com/test/webhooks/{}", at_stripe.id),
        "events": at_stripe.enabled_events, "description": "for the desk", "mode": "test",
        "api_version": "2025-09-30.clover", "connect": true, "state": "active",
        "created_at": "2026-11-24T12:00:00Z", "rotated_at": null,
        "signing_secret_hint": at_stripe.secret[at_stripe.secret.len() - 4..],
    });
    assert_eq!(shown, expected);
    let mut made_without_secret = made;
    made_without_secret.as_object_mut().unwrap().remove("signing_secret");
    let probe = made_without_secret.as_object_mut().unwrap().remove("probe").unwrap();
    assert_eq!((&probe["ok"], &probe["steps"][1]["ok"]), (&json!(false), &json!(false)), "{probe}");
    assert_eq!(made_without_secret, expected);
}

#[tokio::test]
async fn an_empty_request_registers_main_at_the_public_url_for_all_that_is_applied() {
    let stack = Stack::start().await;
    let (status, made) = stack.register("").await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        (made["name"].as_str(), made["url"].as_str()),
        (Some("main"), Some("https://127.0.0.1:1/webhooks/main"))
    );
    let at_stripe = stack.stripe.endpoints().remove(0);
    assert_eq!(at_stripe.enabled_events, applied());
    assert_eq!(at_stripe.api_version.as_deref(), Some(shared::endpoint::API_VERSION));
    assert_eq!(at_stripe.description, None);
    let call = stack.stripe.requests().remove(0);
    assert_eq!(call.stripe_version.as_deref(), Some(shared::endpoint::API_VERSION));
    assert_eq!(call.idempotency_key, Some(stack.row("main").await.unwrap().registration));
}

#[tokio::test]
async fn a_signing_secret_is_made_under_the_stacks_kms_key() {
    let mut stack = Stack::start().await;
    assert_eq!(stack.register("{}").await.0, 201);
    let key = "arn:aws:kms:eu-central-1:111122223333:key/1";
    stack.kms_key = Some(key.into());
    assert_eq!(stack.register(r#"{"name":"other"}"#).await.0, 201);
    for (name, expected) in [("main", None), ("other", Some(key))] {
        let secret = stack.row(name).await.unwrap().secret.unwrap().name;
        assert_eq!(stack.cloud.secret_kms_key(&secret).as_deref(), expected, "{name}");
    }
}

#[tokio::test]
async fn a_name_can_be_registered_once() {
    let stack = Stack::start().await;
    assert_eq!(stack.register("").await.0, 201);
    for body in ["", r#"{"url":"https://example.com/x"}"#] {
        let (status, answer) = stack.register(body).await;
        assert_eq!((status, error_code(&answer)), (409, "endpoint_exists"), "{answer}");
    }
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn several_endpoints_stand_side_by_side_and_are_listed_by_name() {
    let stack = Stack::start().await;
    for name in ["c", "a", "b"] {
        assert_eq!(stack.register(&json!({ "name": name }).to_string()).await.0, 201);
    }
    let (status, all) = stack.call("GET", "/endpoints", "").await;
    assert_eq!((status, all["next_cursor"].is_null()), (200, true));
    let names = |page: &serde_json::Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().into()).collect()
    };
    assert_eq!(names(&all), ["a", "b", "c"]);
    let (_, first) = stack.call("GET", "/endpoints?limit=2", "").await;
    assert_eq!(names(&first), ["a", "b"]);
    let next = format!("/endpoints?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
    let (_, second) = stack.call("GET", &next, "").await;
    assert_eq!((names(&second), second["next_cursor"].is_null()), (vec!["c".to_owned()], true));
}

/// Each request sends a probe of its own.
fn without_probe(mut answer: serde_json::Value) -> serde_json::Value {
    answer.as_object_mut().unwrap().remove("probe");
    answer
}

#[tokio::test]
async fn two_admins_at_once_make_one_endpoint() {
    for bodies in [["", ""], ["", r#"{"events":["invoice.paid"]}"#]] {
        let stack = Stack::start().await;
        // Long enough that the second one comes while the first is at Stripe.
        stack.stripe.add_fault(simulated_stripe::Fault::delay_ms(300).on("POST", "/v1/webhook_endpoints"));
        let (one, other) = tokio::join!(stack.register(bodies[0]), stack.register(bodies[1]));
        let mut statuses = [one.0, other.0];
        statuses.sort_unstable();
        assert!(statuses == [201, 201] || statuses == [201, 409], "{one:?} {other:?}");
        if statuses == [201, 201] {
            assert_eq!(without_probe(one.1), without_probe(other.1));
        }
        stack.assert_registered("main").await;
    }
}

#[tokio::test]
async fn many_at_once_make_one_endpoint_whose_secret_can_be_read() {
    let stack = Stack::start().await;
    // All but the first come while that one is at Stripe.
    stack
        .stripe
        .add_fault(simulated_stripe::Fault::delay_ms(300).on("POST", "/v1/webhook_endpoints").times(5));
    let register = || stack.register("");
    let (a, b, c, d, e) = tokio::join!(register(), register(), register(), register(), register());
    assert_eq!(a.0, 201, "{a:?}");
    let a = without_probe(a.1);
    for other in [b, c, d, e] {
        assert_eq!((other.0, without_probe(other.1)), (201, a.clone()));
    }
    stack.assert_registered("main").await;
}

#[tokio::test]
async fn a_deregistration_that_comes_in_between_leaves_nothing_behind() {
    let stack = Stack::start().await;
    stack.stripe.add_fault(simulated_stripe::Fault::hold().on("POST", "/v1/webhook_endpoints"));
    let deregister = async {
        stack.until_stripe_is_asked("POST").await;
        let removed = stack.deregister("main").await;
        stack.stripe.clear_faults();
        removed
    };
    let (made, removed) = tokio::join!(stack.register(""), deregister);
    assert_eq!(removed.0, 204, "{removed:?}");
    assert_eq!((made.0, error_code(&made.1)), (409, "endpoint_removed"), "{made:?}");
    stack.assert_nothing_left("main").await;
}

#[tokio::test]
async fn what_cannot_be_removed_at_stripe_again_is_named() {
    let stack = Stack::start().await;
    stack.stripe.add_fault(simulated_stripe::Fault::hold().on("POST", "/v1/webhook_endpoints"));
    let deregister = async {
        stack.until_stripe_is_asked("POST").await;
        let removed = stack.deregister("main").await;
        stack.stripe.clear_faults();
        stack.stripe.add_fault(simulated_stripe::Fault::status(403).on("DELETE", "/"));
        removed
    };
    let (made, removed) = tokio::join!(stack.register(""), deregister);
    assert_eq!(removed.0, 204, "{removed:?}");
    assert_eq!((made.0, error_code(&made.1)), (409, "endpoint_exists"), "{made:?}");
    let id = stack.stripe.endpoints().remove(0).id;
    let error = &made.1["error"];
    assert!(
        error["message"].as_str().unwrap().contains(&id) && error["remedy"].as_str().unwrap().contains(&id),
        "{error}"
    );
}

#[tokio::test]
async fn stripes_refusal_is_passed_on_in_its_own_words_and_takes_the_row_back() {
    let stack = Stack::start().await;
    let body = json!({ "error": {
        "type": "invalid_request_error", "code": "url_invalid", "param": "url",
        "message": "Invalid URL: not this one",
    } });
    let answer =
        simulated_stripe::Answer { status: 400, body: Some(body), should_retry: None, retry_after: None };
    let fault = simulated_stripe::Fault {
        effect: simulated_stripe::Effect::Answer(answer),
        ..simulated_stripe::Fault::status(400)
    };
    stack.stripe.add_fault(fault.on("POST", "/v1/webhook_endpoints"));
    let (status, answer) = stack.register("").await;
    assert_eq!(
        (status, error_code(&answer), answer["error"]["field"].as_str()),
        (502, "stripe_error", Some("url"))
    );
    let message = answer["error"]["message"].as_str().unwrap();
    let request = stack.stripe.requests().remove(0).request_id;
    assert!(
        message.contains("Invalid URL: not this one")
            && message.contains("url_invalid")
            && message.contains(&request),
        "{message}"
    );
    stack.assert_nothing_left("main").await;
}

#[tokio::test]
async fn stripes_limit_is_explained_with_what_could_be_removed() {
    let stack =
        Stack::with(simulated_stripe::Options::for_tests().endpoint_limit(2), shared::mode::Mode::Test).await;
    stack.set_key().await;
    assert_eq!(stack.register("").await.0, 201);
    let by_hand = stack.stripe.add_endpoint("https://old.example.com", &["*"]);
    let change = simulated_stripe::EndpointChange { disabled: Some(true), ..Default::default() };
    stack.stripe.change_endpoint(&by_hand.id, change).unwrap();
    let (status, answer) = stack.register(r#"{"name":"second"}"#).await;
    assert_eq!((status, error_code(&answer)), (502, "stripe_error"));
    assert!(answer["error"]["message"].as_str().unwrap().contains("maximum of 2"), "{answer}");
    let remedy = answer["error"]["remedy"].as_str().unwrap();
    let theirs = "Not of this stack, so ask whoever made them";
    assert!(remedy.contains(theirs), "{remedy}");
    assert!(remedy.contains(&format!("{} (https://old.example.com, disabled)", by_hand.id)), "{remedy}");
    let ours = stack.row("main").await.unwrap().stripe_id.unwrap();
    assert!(!remedy.contains(&ours) && remedy.contains("in use: 1"), "{remedy}");
    assert!(stack.row("second").await.is_none());
}

#[tokio::test]
async fn without_a_key_the_remedy_is_to_set_one() {
    let stack = Stack::bare().await;
    let (status, answer) = stack.register("").await;
    assert_eq!((status, error_code(&answer)), (409, "stripe_key_missing"));
    assert!(answer["error"]["remedy"].as_str().unwrap().contains("PUT /settings/stripe-key"));
    assert!(stack.row("main").await.is_none());
}

#[tokio::test]
async fn a_name_that_secrets_manager_still_holds_can_be_registered_again() {
    let stack = Stack::start().await;
    let mut secrets = Vec::new();
    for _ in 0..3 {
        let (status, made) = stack.register("").await;
        assert_eq!(status, 201, "{made}");
        stack.assert_registered("main").await;
        secrets.push(made["signing_secret"].as_str().unwrap().to_owned());
        assert_eq!(stack.deregister("main").await.0, 204);
        stack.assert_nothing_left("main").await;
    }
    secrets.dedup();
    assert_eq!(secrets.len(), 3, "a new endpoint has a new secret");
}

#[tokio::test]
async fn what_was_done_is_in_the_audit_without_the_secret() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    stack.deregister("main").await;
    let entries = stack.audit_entries().await;
    let mut audited: Vec<_> = entries
        .iter()
        .map(|entry| (entry.action.as_str(), entry.target.as_str(), entry.result.as_str()))
        .collect();
    audited.sort_unstable();
    assert_eq!(
        audited,
        [
            ("endpoint.deregister", "main", "done"),
            ("endpoint.register", "main", "done"),
            ("settings.stripe_key", "stripe-key", "done"),
        ]
    );
    let registered = entries.iter().find(|entry| entry.action == "endpoint.register").unwrap();
    assert_eq!(registered.subject, "Admin");
    assert_eq!(registered.email.as_deref(), Some("a@example.com"));
    assert_eq!(registered.after.as_ref().unwrap()["stripe_id"], made["stripe_id"]);
    let text = serde_json::to_string(&entries).unwrap();
    assert!(
        !text.contains(made["signing_secret"].as_str().unwrap()) && !text.contains(&stack.stripe.key()),
        "{text}"
    );
}
