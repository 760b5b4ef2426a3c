//! Whatever API Gateway hands over is answered: no caller can make an invocation fail.

use futures::future::ready;
use lambda_http::Context;
use proptest::prelude::*;
use receive::{Deps, handle};
use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::http::{GatewayEvent, answer};
use test_cloud::fixtures::{delivery, now};

use crate::support::Stack;

/// Hands an event over as Lambda does: as bytes.
async fn invoke(deps: &Deps, event: &Value) -> Value {
    let event: GatewayEvent = serde_json::from_slice(event.to_string().as_bytes()).unwrap();
    answer(event, Context::default(), |request| handle(deps, request, now(), Deadline::NEVER)).await
}

#[tokio::test]
async fn what_made_lambda_http_panic_is_answered_as_any_other_request() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let mut event = delivery("main", None, "{}");
    for (pointer, text) in [
        ("/rawQueryString", "a=\"<b>\""),
        ("/headers/x-forwarded-proto", "h t t p"),
        ("/headers/host", "<>"),
        ("/headers/user-agent", "a\u{0}b\u{7f}"),
    ] {
        *event.pointer_mut(pointer).unwrap_or(&mut json!(null)) = text.into();
        let answer = invoke(&deps, &event).await;
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            (answer["statusCode"].as_u64(), body["error"]["code"].as_str()),
            (Some(400), Some("signature_missing")),
            "{pointer}"
        );
    }
}

#[tokio::test]
async fn a_hand_made_event_is_refused_with_an_answer_that_names_the_request() {
    let mut event = delivery("main", None, "no base64");
    event["isBase64Encoded"] = true.into();
    let event: GatewayEvent = serde_json::from_value(event).unwrap();
    let mut context = Context::default();
    context.request_id = "r-1".into();
    let refused = answer(event, context, |_| ready(shared::http::no_content())).await;
    let body: Value = serde_json::from_str(refused["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (refused["statusCode"].as_u64(), body["error"]["request_id"].as_str()),
        (Some(400), Some("r-1"))
    );
}

#[test]
fn no_event_of_a_stranger_makes_it_fail() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (deps, _stack) = runtime.block_on(async {
        let stack = Stack::start().await;
        (stack.warm().await, stack)
    });
    let text = || prop_oneof![any::<String>(), "[ -~]{0,40}", "[\\x00-\\x7f]{0,10}"];
    let names = prop_oneof![
        Just("host".to_owned()),
        Just("x-forwarded-proto".to_owned()),
        Just("stripe-signature".to_owned()),
        Just("authorization".to_owned()),
        text()
    ];
    let events = (
        prop_oneof![
            Just("/webhooks/main".to_owned()),
            text().prop_map(|end| format!("/webhooks/{end}")),
            text()
        ],
        text(),
        proptest::collection::vec((names, text()), 0..6),
        text(),
        prop_oneof![Just("POST"), Just("GET"), Just("PURGE")],
    );
    let runs = &mut proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(1_000));
    runs.run(&events, |(path, query, headers, body, method)| {
        let mut event = delivery("main", None, &body);
        event["rawPath"] = path.into();
        event["rawQueryString"] = query.into();
        event["requestContext"]["http"]["method"] = method.into();
        for (name, value) in headers {
            event["headers"][name] = value.into();
        }
        let answer = runtime.block_on(invoke(&deps, &event));
        let status = answer["statusCode"].as_u64().unwrap();
        prop_assert!((400..500).contains(&status), "{status}: {event}");
        Ok(())
    })
    .unwrap();
}
