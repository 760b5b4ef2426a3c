//! The Stripe key is checked before it is kept, never shown, and never of another mode or account.

use serde_json::{Value, json};
use shared::aws::CallLimits;
use shared::deadline::Deadline;
use shared::object_key::ObjectKey;
use shared::records::{Provenance, Record, Records};
use simulated_stripe::{Fault, Key, Options, SimulatedStripe};
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::{STRIPE_KEY_SECRET, error_code, now, status_and_body};

use crate::support::{As, KEY, Stack, request};

async fn set(stack: &Stack, key: &str) -> (u16, Value) {
    stack.call("PUT", "/settings/stripe-key", &json!({ "key": key }).to_string()).await
}

/// The same stack, when the key that is set next is one of another account: Stripe is another one.
fn other_account(options: Options) -> SimulatedStripe {
    let mut options = options.at(now().as_second()).key(Key::full("sk_test_otheraccount"));
    options.account = "acct_1Other".into();
    SimulatedStripe::start(options).unwrap()
}

async fn with_record(stack: &Stack, key: &str) {
    let key: ObjectKey = key.parse().unwrap();
    let object = json!({ "object": key.object(), "id": key.id(), "created": 1 });
    let standing = Provenance {
        as_of: shared::unix_time::UnixSeconds::new(1),
        event: Some("evt_1".parse().unwrap()),
        events: vec!["evt_1".parse().unwrap()],
        deleted: false,
        order_uncertain: false,
        fetched: false,
    };
    let raw = object.to_string();
    let record = Record::new(key, standing, raw.as_bytes(), &object).unwrap();
    let records = Records::new(stack.cloud.aws().dynamodb(CallLimits::PATIENT), "RecordsTable");
    records.put_if_newer(&record).await.unwrap();
}

#[tokio::test]
async fn a_key_is_kept_and_only_its_hint_is_shown() {
    let stack = Stack::bare().await;
    let (status, settings) = set(&stack, KEY).await;
    let expected = json!({
        "mode": "test",
        "ignore": [],
        "retry": { "attempts": 12, "first_delay_s": 30, "longest_delay_s": 3600 },
        "stripe_key": {
            "hint": "sk_test_…ated", "set_at": "2026-11-24T12:00:00Z", "account": "acct_1Simulated",
            "rights": crate::settings::each("ok"),
        },
    });
    assert_eq!((status, &settings), (200, &expected));
    assert_eq!(stack.call("GET", "/settings", "").await, (200, expected));
    assert_eq!(stack.cloud.secret(STRIPE_KEY_SECRET).as_deref(), Some(KEY));
}

#[tokio::test]
async fn white_space_around_a_key_is_not_part_of_it() {
    let stack = Stack::bare().await;
    assert_eq!(set(&stack, &format!(" {KEY}\n")).await.0, 200);
    assert_eq!(stack.cloud.secret(STRIPE_KEY_SECRET).as_deref(), Some(KEY));
}

#[tokio::test]
async fn a_key_of_the_other_mode_is_refused_before_stripe_sees_it() {
    let stack = Stack::bare().await;
    let (status, answer) = set(&stack, "sk_live_12345678").await;
    assert_eq!(
        (status, error_code(&answer), answer["error"]["field"].as_str()),
        (400, "key_of_other_mode", Some("key"))
    );
    assert!(stack.stripe.requests().is_empty());
    let live = Stack::with(Options::for_tests().live(), shared::mode::Mode::Live).await;
    assert_eq!(error_code(&set(&live, KEY).await.1), "key_of_other_mode");
    assert_eq!(set(&live, "sk_live_simulated").await.0, 200);
}

#[tokio::test]
async fn what_is_no_key_is_refused_and_not_repeated() {
    let stack = Stack::bare().await;
    for (body, expected) in [
        (r#"{"key":"pk_test_verysecret"}"#, "parameter_invalid"),
        (r#"{"key":"verysecret"}"#, "parameter_invalid"),
        (r#"{"key":["verysecret"]}"#, "parameter_invalid"),
        (r#""sk_test_verysecret""#, "body_invalid"),
        ("sk_test_verysecret", "body_invalid"),
        ("", "parameter_missing"),
        (r#"{"key":null}"#, "parameter_missing"),
    ] {
        let (status, answer) = stack.call("PUT", "/settings/stripe-key", body).await;
        assert_eq!((status, error_code(&answer)), (400, expected), "{body}");
        assert!(!answer.to_string().contains("verysecret"), "{answer}");
    }
    assert!(!serde_json::to_string(&stack.audit_entries().await).unwrap().contains("verysecret"));
    assert!(stack.stripe.requests().is_empty());
}

#[tokio::test]
async fn a_key_that_stripe_does_not_accept_or_that_may_too_little_changes_nothing() {
    let stack = Stack::start().await;
    stack.stripe.set_keys(vec![Key::restricted("rk_test_restricted", &["events:read"])]);
    for (key, expected) in
        [("sk_test_unknownkey", "stripe_key_refused"), ("rk_test_restricted", "stripe_key_lacks_right")]
    {
        let (status, answer) = set(&stack, key).await;
        assert_eq!(
            (status, error_code(&answer), answer["error"]["field"].as_str()),
            (400, expected, Some("key"))
        );
        assert!(!answer.to_string().contains(key), "{answer}");
    }
    assert_eq!(stack.cloud.secret(STRIPE_KEY_SECRET).as_deref(), Some(KEY));
}

#[tokio::test]
async fn while_stripe_or_secrets_manager_is_down_nothing_is_changed() {
    let stack = Stack::start().await;
    let before = stack.registry().settings().await.unwrap();
    stack.stripe.add_fault(Fault::status(500).times(9));
    let (status, answer) = set(&stack, KEY).await;
    assert_eq!((status, error_code(&answer)), (503, "stripe_no_answer"));
    stack.stripe.clear_faults();
    stack.cloud.fail("PutSecretValue", "", 9, CloudFault::AccessDenied);
    assert_eq!(set(&stack, KEY).await.0, 503);
    assert_eq!(stack.registry().settings().await.unwrap(), before);
}

#[tokio::test]
async fn after_a_crash_between_secrets_manager_and_settings_the_same_request_finishes() {
    let stack = Stack::bare().await;
    stack.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::AccessDenied);
    assert_eq!(set(&stack, KEY).await.0, 503);
    stack.cloud.clear_faults();
    assert_eq!(
        error_code(&stack.register("").await.1),
        "stripe_key_missing",
        "the settings do not say so yet"
    );
    assert_eq!(set(&stack, KEY).await.0, 200);
    assert_eq!(stack.register("").await.0, 201);
}

#[tokio::test]
async fn another_key_of_the_same_account_takes_over_in_processes_that_hold_the_first() {
    let stack = Stack::start().await;
    let deps = stack.cold();
    let call = async |method: &str, path: &str, body: &str| {
        status_and_body(
            register::answer(&deps, request(As::Admin, method, path, body), now(), Deadline::NEVER).await,
        )
    };
    assert_eq!(call("POST", "/endpoints", "").await.0, 201);
    stack.stripe.set_keys(vec![Key::full(KEY), Key::full("sk_test_thesecond")]);
    // Set by another process, a moment later, so that the settings differ.
    let body = r#"{"key":"sk_test_thesecond"}"#;
    let (status, _) = stack.call_at(crate::support::later(1), "PUT", "/settings/stripe-key", body).await;
    assert_eq!(status, 200);
    stack.stripe.clear_requests();
    assert_eq!(call("DELETE", "/endpoints/main?confirm=main", "").await.0, 204);
    assert!(stack.stripe.requests().iter().all(|call| call.key_hint.as_deref() == Some("cond")));
}

#[tokio::test]
async fn a_key_revoked_behind_our_back_is_read_again_once_a_minute_at_most() {
    let stack = Stack::start().await;
    let deps = stack.cold();
    let register = async |name: &str| {
        let body = json!({ "name": name }).to_string();
        status_and_body(
            register::answer(&deps, request(As::Admin, "POST", "/endpoints", &body), now(), Deadline::NEVER)
                .await,
        )
    };
    assert_eq!(register("a").await.0, 201);
    stack.stripe.set_keys(vec![Key::full("sk_test_thesecond")]);
    stack.cloud.put_secret(STRIPE_KEY_SECRET, "sk_test_thesecond");
    stack.cloud.clear_calls();
    assert_eq!(register("b").await.0, 201, "the key in Secrets Manager is another one");
    assert_eq!(stack.cloud.count("GetSecretValue", ""), 1);
    stack.stripe.set_keys(vec![]);
    for name in ["c", "d", "e"] {
        let (status, answer) = register(name).await;
        assert_eq!((status, error_code(&answer)), (502, "stripe_error"));
        assert!(answer["error"]["remedy"].as_str().unwrap().contains("PUT /settings/stripe-key"));
    }
    assert_eq!(stack.cloud.count("GetSecretValue", ""), 1);
}

#[tokio::test]
async fn a_key_of_another_account_is_refused_while_endpoints_exist() {
    let mut stack = Stack::start().await;
    stack.register("").await;
    stack.stripe = other_account(Options::for_tests());
    let (status, answer) = set(&stack, "sk_test_otheraccount").await;
    assert_eq!((status, error_code(&answer)), (409, "stripe_account_differs"), "{answer}");
    assert_eq!(stack.cloud.secret(STRIPE_KEY_SECRET).as_deref(), Some(KEY));
}

#[tokio::test]
async fn a_key_of_another_account_is_refused_while_records_exist_and_taken_when_nothing_does() {
    let mut stack = Stack::start().await;
    stack.stripe = other_account(Options::for_tests());
    with_record(&stack, "-/payment_intent/pi_1").await;
    assert_eq!(error_code(&set(&stack, "sk_test_otheraccount").await.1), "stripe_account_differs");
    let mut stack = Stack::start().await;
    stack.stripe = other_account(Options::for_tests());
    let (status, answer) = set(&stack, "sk_test_otheraccount").await;
    assert_eq!((status, answer["stripe_key"]["account"].as_str()), (200, Some("acct_1Other")));
}

/// A stack that does not know its account: Stripe did not say it.
async fn without_account() -> Stack {
    let stack = Stack::bare().await;
    stack.stripe.add_fault(Fault::status(404).on("GET", "/v1/account"));
    stack.set_key().await;
    assert_eq!(stack.registry().settings().await.unwrap().unwrap().stripe_account, None);
    stack
}

#[tokio::test]
async fn where_accounts_are_unknown_our_endpoints_prove_it() {
    let mut stack = without_account().await;
    stack.register("").await;
    assert_eq!(set(&stack, KEY).await.0, 200, "the endpoint is found");
    assert_eq!(
        stack.registry().settings().await.unwrap().unwrap().stripe_account.as_deref(),
        Some("acct_1Simulated")
    );

    stack = without_account().await;
    stack.register("").await;
    let id = stack.row("main").await.unwrap().stripe_id.unwrap();
    stack.stripe.delete_endpoint(&id).unwrap();
    assert_eq!(set(&stack, KEY).await.0, 200, "the old key, still working, does not find it either");

    stack = without_account().await;
    stack.register("").await;
    stack.stripe.add_fault(missing_endpoint());
    let (status, answer) = set(&stack, KEY).await;
    assert_eq!(
        (status, error_code(&answer)),
        (409, "stripe_account_differs"),
        "the old key finds it, the new one does not"
    );

    stack = without_account().await;
    stack.register("").await;
    stack.stripe = other_account(Options::for_tests());
    let (status, answer) = set(&stack, "sk_test_otheraccount").await;
    assert_eq!(
        (status, error_code(&answer)),
        (409, "stripe_account_unknown"),
        "the old key does not work any more"
    );
}

/// The next look at an endpoint does not find it.
fn missing_endpoint() -> Fault {
    let body = json!({ "error": { "type": "invalid_request_error", "code": "resource_missing", "message": "No such webhook endpoint" } });
    let answer =
        simulated_stripe::Answer { status: 404, body: Some(body), should_retry: None, retry_after: None };
    let effect = simulated_stripe::Effect::Answer(answer);
    Fault { effect, ..Fault::status(404) }.on("GET", "/v1/webhook_endpoints/we_")
}

async fn known_account(stack: &Stack) -> Option<String> {
    stack.registry().settings().await.unwrap().unwrap().stripe_account
}

#[tokio::test]
async fn a_passing_fault_of_stripe_does_not_make_the_account_unknown() {
    let stack = Stack::start().await;
    let rate_limit =
        json!({ "error": { "type": "invalid_request_error", "code": "rate_limit", "message": "Too many" } });
    let as_400 = simulated_stripe::Answer {
        status: 400,
        body: Some(rate_limit),
        should_retry: None,
        retry_after: None,
    };
    let as_400 = Fault { effect: simulated_stripe::Effect::Answer(as_400), ..Fault::status(400) };
    for (fault, expected) in [
        (Fault::status(500).times(9), (503, "stripe_no_answer")),
        (Fault::status(408).times(9), (503, "stripe_no_answer")),
        (Fault::rate_limit(None), (502, "stripe_error")),
        (as_400, (502, "stripe_error")),
    ] {
        stack.stripe.add_fault(fault.clone().on("GET", "/v1/account"));
        let (status, answer) = set(&stack, KEY).await;
        assert_eq!((status, error_code(&answer)), expected, "{fault:?}");
        assert_eq!(known_account(&stack).await.as_deref(), Some("acct_1Simulated"), "{fault:?}");
        stack.stripe.clear_faults();
    }
}

#[tokio::test]
async fn the_first_key_does_not_wait_for_an_account_that_stripe_does_not_say() {
    let stack = Stack::bare().await;
    stack.stripe.add_fault(Fault::status(500).times(9).on("GET", "/v1/account"));
    assert_eq!(set(&stack, KEY).await.0, 200);
    assert_eq!(known_account(&stack).await, None);
    stack.stripe.clear_faults();
    assert_eq!(set(&stack, KEY).await.0, 200);
    assert_eq!(known_account(&stack).await.as_deref(), Some("acct_1Simulated"));
}

#[tokio::test]
async fn a_known_account_is_kept_for_a_key_that_is_proven_and_not_given_up_for_one_that_is_not() {
    let account_unsaid = || Fault::status(404).on("GET", "/v1/account");
    let stack = Stack::start().await;
    stack.register("").await;
    stack.stripe.add_fault(account_unsaid());
    assert_eq!(set(&stack, KEY).await.0, 200, "the endpoint is found");
    assert_eq!(known_account(&stack).await.as_deref(), Some("acct_1Simulated"));

    let id = stack.row("main").await.unwrap().stripe_id.unwrap();
    stack.stripe.delete_endpoint(&id).unwrap();
    stack.stripe.add_fault(account_unsaid());
    let (status, answer) = set(&stack, KEY).await;
    assert_eq!((status, error_code(&answer)), (409, "stripe_account_unknown"));
    assert_eq!(known_account(&stack).await.as_deref(), Some("acct_1Simulated"));
    assert_eq!(set(&stack, KEY).await.0, 200, "and when Stripe says it again, it is the same");
}

#[tokio::test]
async fn where_accounts_are_unknown_and_there_are_no_endpoints_a_record_proves_it() {
    let stack = without_account().await;
    with_record(&stack, "acct_1Connected/charge/ch_0").await;
    assert_eq!(set(&stack, KEY).await.0, 200, "a connected account's record says nothing");
    let stack = without_account().await;
    with_record(&stack, "-/charge/ch_1").await;
    let (status, answer) = set(&stack, KEY).await;
    assert_eq!((status, error_code(&answer)), (409, "stripe_account_differs"), "{answer}");
    let charge = json!({ "id": "ch_1", "object": "charge", "created": 1 });
    stack.stripe.put_object(None, &charge);
    assert_eq!(set(&stack, KEY).await.0, 200);
}

#[tokio::test]
async fn where_a_key_may_look_at_nothing_the_account_stays_unknown_and_it_is_refused() {
    let stack = without_account().await;
    with_record(&stack, "-/charge/ch_1").await;
    stack.stripe.set_keys(vec![Key::restricted("rk_test_restricted", &["webhook_endpoints:write"])]);
    let (status, answer) = set(&stack, "rk_test_restricted").await;
    assert_eq!((status, error_code(&answer)), (409, "stripe_account_unknown"), "{answer}");
    assert!(answer["error"]["remedy"].as_str().unwrap().contains("payments"));
}

#[tokio::test]
async fn two_admins_at_once_leave_the_settings_of_the_key_that_is_kept() {
    let stack = Stack::bare().await;
    stack.stripe.set_keys(vec![Key::full("sk_test_thefirst1"), Key::full("sk_test_thesecond")]);
    for _ in 0..5 {
        let (one, other) = tokio::join!(set(&stack, "sk_test_thefirst1"), set(&stack, "sk_test_thesecond"));
        assert!(one.0 == 200 || other.0 == 200, "{one:?} {other:?}");
        let kept = stack.cloud.secret(STRIPE_KEY_SECRET).unwrap();
        let hint = stack.registry().settings().await.unwrap().unwrap().stripe_key_hint;
        assert_eq!(hint, format!("sk_test_…{}", &kept[kept.len() - 4..]));
    }
}

#[tokio::test]
async fn no_answer_and_no_print_shows_the_key() {
    let stack = Stack::start().await;
    let deps = stack.cold();
    status_and_body(
        register::answer(&deps, request(As::Admin, "POST", "/endpoints", ""), now(), Deadline::NEVER).await,
    );
    let secret = stack.stripe.endpoints().remove(0).secret;
    let printed = format!("{deps:?}");
    assert!(!printed.contains(KEY) && !printed.contains(&secret), "{printed}");
    for (method, path) in [("GET", "/endpoints"), ("GET", "/endpoints/main"), ("GET", "/settings")] {
        let text = stack.call(method, path, "").await.1.to_string();
        assert!(!text.contains(KEY) && !text.contains(&secret), "{text}");
    }
}
