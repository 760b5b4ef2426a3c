//! What Stripe has not signed is refused and stores nothing.

use jiff::SignedDuration;
use lambda_http::Body;
use lambda_http::http::Method;
use receive::handle;
use shared::deadline::Deadline;
use shared::payload::LARGEST;
use shared::signature::sign;
use shared::unix_time::{UnixMillis, UnixSeconds};
use test_cloud::fixtures::{error_code, now, status_and_body};

use crate::support::{SECRET, Stack, deliver, deliver_to, event, later, request};

async fn refused(stack: &Stack, signature: Option<&str>, body: &str) -> (u16, String) {
    let deps = stack.warm().await;
    let (status, body) =
        status_and_body(handle(&deps, request("main", signature, body), now(), Deadline::NEVER).await);
    assert_eq!(stack.cloud.count("PutItem", "LedgerTable"), 0);
    assert!(body["error"]["message"].is_string());
    (status, error_code(&body).to_owned())
}

#[tokio::test]
async fn each_refusal_has_its_own_code_and_writes_nothing() {
    let stack = Stack::start().await;
    let body = event("evt_1");
    let signed = |at: UnixSeconds| sign(&SECRET.parse().unwrap(), at, body.as_bytes());
    let good = signed(now().into());
    let cases = [
        (None, body.as_str(), 400, "signature_missing"),
        (Some(String::new()), &body, 400, "signature_missing"),
        (Some("nonsense".to_owned()), &body, 400, "signature_malformed"),
        (Some(format!("{good},t=1,v1=00")), &body, 400, "signature_malformed"),
        (Some("t=1\u{0},v1=00".to_owned()), &body, 400, "signature_malformed"),
        (Some(good.clone()), "{}", 400, "signature_mismatch"),
        (
            Some(signed(UnixSeconds::from(now()) - SignedDuration::from_secs(301))),
            &body,
            400,
            "timestamp_out_of_tolerance",
        ),
        (
            Some(signed(UnixSeconds::from(now()) + SignedDuration::from_secs(301))),
            &body,
            400,
            "timestamp_out_of_tolerance",
        ),
        (Some(good.replace("t=17", "t=16")), &body, 400, "signature_mismatch"),
    ];
    for (signature, body, status, expected) in cases {
        assert_eq!(
            refused(&stack, signature.as_deref(), body).await,
            (status, expected.to_owned()),
            "{signature:?}"
        );
    }
}

#[tokio::test]
async fn a_signed_body_without_an_id_is_invalid() {
    let stack = Stack::start().await;
    for body in ["", "[]", "{}", r#"{"id":7}"#, r#"{"id":"a","id":"b"}"#, "not json"] {
        let (status, answer) = deliver(&stack.warm().await, body, now()).await;
        assert_eq!((status, error_code(&answer)), (400, "payload_invalid"), "{body}");
        assert_eq!(stack.cloud.count("PutItem", "LedgerTable"), 0);
    }
}

#[tokio::test]
async fn what_is_larger_than_any_answer_of_stripes_is_too_large_before_any_work() {
    let stack = Stack::start().await;
    let body = format!("{{\"id\":\"evt_1\",\"x\":\"{}\"}}", "x".repeat(LARGEST - 21));
    assert_eq!(body.len(), LARGEST);
    let (status, answer) = deliver(&stack.warm().await, &body, now()).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = deliver(&stack.cold(), &format!("{body} "), now()).await;
    assert_eq!((status, error_code(&answer)), (413, "payload_too_large"));
}

#[tokio::test]
async fn who_looks_at_the_address_of_a_webhook_is_told_what_it_is() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    for name in ["main", "other"] {
        let mut request = request(name, None, "");
        *request.method_mut() = Method::GET;
        let (status, answer) = status_and_body(handle(&deps, request, later(1), Deadline::NEVER).await);
        assert_eq!((status, error_code(&answer)), (405, "method_not_allowed"), "{name}");
        let text = answer["error"].to_string();
        assert!(text.contains("address of a webhook") && text.contains("POST"), "{text}");
    }
    assert_eq!(stack.cloud.calls().len(), 0, "nobody learns which names there are, and it costs no call");
}

#[tokio::test]
async fn an_unknown_or_impossible_name_is_unknown() {
    let stack = Stack::start().await;
    for name in ["other", "MAIN", "", "a/b", "main/", "%6dain"] {
        let (status, answer) = deliver_to(&stack.warm().await, name, SECRET, &event("evt_1"), now()).await;
        assert_eq!((status, error_code(&answer)), (404, "endpoint_unknown"), "{name}");
        let unsigned = handle(&stack.warm().await, request(name, None, "{}"), now(), Deadline::NEVER).await;
        assert_eq!(unsigned.status(), 404, "{name}, unsigned");
    }
}

#[tokio::test]
async fn a_secret_of_one_endpoint_does_not_open_another() {
    let stack = Stack::start().await;
    stack.register("second", "whsec_second").await;
    let (status, answer) = deliver_to(&stack.cold(), "second", SECRET, &event("evt_1"), now()).await;
    assert_eq!((status, error_code(&answer)), (400, "signature_mismatch"));
}

#[tokio::test]
async fn a_hundred_thousand_bad_requests_cost_a_read_a_second_and_a_write_a_minute_and_nothing_else() {
    let stack = Stack::start().await;
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    let deps = stack.warm().await;
    let forged = sign(&"whsec_guess".parse().unwrap(), now().into(), b"{}");
    // Over ten minutes.
    for i in 0..100_000 {
        let (name, header) = match i % 4 {
            0 => ("main", Some(forged.as_str())),
            1 => ("other", Some(forged.as_str())),
            2 => ("main", Some("t=1")),
            _ => ("main", None),
        };
        let at = now() + SignedDuration::from_millis(5_000 + i * 6);
        let response = handle(&deps, request(name, header, "{}"), at, Deadline::NEVER).await;
        assert!(response.status().is_client_error());
    }
    let (reads, writes) =
        (stack.cloud.count("Query", "RegistryTable"), stack.cloud.count("UpdateItem", "RegistryTable"));
    assert!(reads <= 600 && writes <= 12, "{reads} reads, {writes} writes");
    assert_eq!(stack.cloud.calls().len(), reads + writes);
}

#[tokio::test]
async fn what_names_no_endpoint_or_bears_no_signature_costs_no_call_at_all() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    // A second after the last read, an unknown name is looked up once.
    handle(&deps, request("other", None, "{}"), later(1), Deadline::NEVER).await;
    stack.cloud.clear_calls();
    for i in 0..10_000 {
        let (name, header) = match i % 3 {
            0 => ("other", Some("t=1,v1=00")),
            1 => ("main", Some("t=1")),
            _ => ("main", None),
        };
        assert!(
            handle(&deps, request(name, header, "{}"), later(1), Deadline::NEVER)
                .await
                .status()
                .is_client_error()
        );
    }
    assert_eq!(stack.cloud.calls().len(), 0, "{:?}", stack.cloud.calls());
}

#[tokio::test]
async fn what_is_signed_wrongly_or_too_long_ago_is_recorded_for_the_status() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let activity = async || stack.registry().status_rows(&["main"], now()).await.unwrap().activity["main"];
    assert_eq!((activity().await.at, activity().await.off_by_s), (Some(now().into()), Some(0)));
    for at in [70, 75, 140, 4_000] {
        deliver_to(&deps, "main", "whsec_other", &event("evt_1"), later(at)).await;
    }
    let first = UnixMillis::from(later(70));
    let recorded = activity().await;
    assert_eq!(recorded.mismatched_at, Some(later(4_000).into()));
    assert_eq!(
        (recorded.mismatches, recorded.mismatches_since),
        (1, Some(later(4_000).into())),
        "anew after an hour"
    );
    assert!(first < recorded.mismatches_since.unwrap());
    let body = event("evt_1");
    let old = sign(
        &SECRET.parse().unwrap(),
        UnixSeconds::from(now()) + SignedDuration::from_hours(1),
        body.as_bytes(),
    );
    handle(&deps, request("main", Some(&old), &body), later(4_000), Deadline::NEVER).await;
    let recorded = activity().await;
    assert_eq!((recorded.stale_at, recorded.stale_by_s), (Some(later(4_000).into()), Some(-400)));
    assert_eq!(recorded.at, Some(now().into()), "a refusal is no delivery");
}

#[tokio::test]
async fn mismatches_of_an_hour_are_counted_together() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    for at in [70, 71, 72, 140, 210] {
        deliver_to(&deps, "main", "whsec_other", &event("evt_1"), later(at)).await;
    }
    let activity = stack.registry().status_rows(&["main"], now()).await.unwrap().activity["main"];
    assert_eq!((activity.mismatches, activity.mismatches_since), (5, Some(later(70).into())), "{activity:?}");
}

#[tokio::test]
async fn no_answer_shows_a_secret_or_what_is_inside() {
    let stack = Stack::start().await;
    let response =
        handle(&stack.warm().await, request("main", Some("t=1,v1=00"), "{}"), now(), Deadline::NEVER).await;
    let Body::Text(text) = response.body() else { panic!("{response:?}") };
    assert!(!text.contains("whsec") && !text.contains("stack/endpoints"), "{text}");
}
