//! What Stripe has signed is stored, once, exactly.

use base64::Engine;
use futures::future::join_all;
use proptest::prelude::*;
use receive::handle;
use serde_json::json;
use shared::deadline::Deadline;
use shared::ledger::{EventState, MAX_IN_ROW};
use shared::signature::sign;
use test_cloud::fixtures::{delivery, http_request, now, status_and_body};

use crate::support::{Stack, deliver, deliver_to, event, large_event, later};

#[tokio::test]
async fn a_delivery_is_stored_whole_before_it_is_acknowledged() {
    let stack = Stack::start().await;
    let (status, body) = deliver(&stack.cold(), &event("evt_1"), now()).await;
    assert_eq!((status, body), (200, json!({ "received": true, "event": "evt_1", "outcome": "stored" })));
    let row = stack.row("evt_1").await.unwrap();
    assert_eq!((row.state, row.attempts, row.endpoint.as_str()), (EventState::Pending, 0, "main"));
    assert_eq!(row.object.as_ref().unwrap().to_string(), "-/invoice/in_1");
    assert_eq!(stack.ledger().body(&row).await.unwrap().unwrap(), event("evt_1").as_bytes());
}

#[tokio::test]
async fn a_second_delivery_is_accepted_and_recorded_once() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    deliver(&deps, &event("evt_1"), now()).await;
    let first = stack.row("evt_1").await;
    let (status, body) = deliver(&deps, &event("evt_1"), later(3600)).await;
    assert_eq!((status, body["outcome"].as_str()), (200, Some("duplicate")));
    assert_eq!(stack.row("evt_1").await, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_deliveries_of_one_event_at_once_are_one_row() {
    let stack = Stack::start().await;
    let processes = [stack.warm().await, stack.cold(), stack.cold()];
    let body = event("evt_1");
    // Each comes in at its own second: two receipts in one millisecond at one endpoint would be taken for
    // one.
    let answers = join_all((0..60).map(|i| deliver(&processes[i % 3], &body, later(i as i64)))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert_eq!(answers.iter().filter(|(_, body)| body["outcome"] == "stored").count(), 1);
}

#[tokio::test]
async fn a_body_that_api_gateway_encoded_is_taken_as_it_was_sent() {
    let stack = Stack::start().await;
    let body = event("evt_1").replace("paid", "pâid\\u0000 \u{1F4B6}");
    let header = sign(&crate::support::SECRET.parse().unwrap(), now().into(), body.as_bytes());
    let encoded = base64::engine::general_purpose::STANDARD.encode(&body);
    let mut event = delivery("main", Some(&header), &encoded);
    event["isBase64Encoded"] = true.into();
    let request = http_request(&event);
    assert_eq!(status_and_body(handle(&stack.cold(), request, now(), Deadline::NEVER).await).0, 200);
    let row = stack.row("evt_1").await.unwrap();
    assert_eq!(stack.ledger().body(&row).await.unwrap().unwrap(), body.as_bytes());
}

#[tokio::test]
async fn every_sample_event_of_stripe_is_stored_as_pending() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe")).unwrap() {
        let body = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let (status, answer) = deliver(&deps, &body, now()).await;
        assert_eq!(status, 200, "{answer}");
        let row = stack.row(answer["event"].as_str().unwrap()).await.unwrap();
        assert_eq!(row.state, EventState::Pending);
        assert_eq!(stack.ledger().body(&row).await.unwrap().unwrap(), body.as_bytes());
    }
}

#[tokio::test]
async fn a_payload_too_large_for_a_row_is_kept_in_parts_and_comes_back_exactly() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let body = large_event("evt_large");
    let (status, _) = deliver(&deps, &body, now()).await;
    assert_eq!(status, 200);
    let row = stack.row("evt_large").await.unwrap();
    assert!(row.parts.unwrap() >= 2 && body.len() > 2 * MAX_IN_ROW);
    assert_eq!(stack.ledger().body(&row).await.unwrap().unwrap(), body.as_bytes());
    let (_, answer) = deliver(&deps, &body, later(1)).await;
    assert_eq!(answer["outcome"], "duplicate");
}

#[tokio::test]
async fn the_largest_that_lambda_can_hand_over_is_kept_exactly() {
    // An invocation has 6 MB (Lambda's quotas), its body written as a JSON text.
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let large = large_event("evt_large");
    for (id, noise) in [("evt_5", 5), ("evt_1", 1)] {
        let more: String = (0..noise).map(|i| format!("\"{i}\":{},", json!(large))).collect();
        let filler = "0".repeat(5_900_000_usize.saturating_sub(more.len()));
        let body = event(id)
            .replace("\"object\":\"invoice\"", &format!("{more}\"x\":\"{filler}\",\"object\":\"invoice\""));
        assert!(body.len() > 5_500_000, "{}", body.len());
        let (status, answer) = deliver(&deps, &body, now()).await;
        assert_eq!(status, 200, "{answer}");
        let row = stack.row(id).await.unwrap();
        assert_eq!(row.state, EventState::Pending);
        assert!(stack.ledger().body(&row).await.unwrap().unwrap() == body.as_bytes());
    }
}

#[tokio::test]
async fn what_stripes_dashboard_makes_up_is_kept_apart_under_its_one_id() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let made_up = "evt_00000000000000";
    let (first, second) = (event(made_up), event(made_up).replace("invoice.paid", "invoice.sent"));
    let mut ids = Vec::new();
    for (body, outcome) in [(&first, "stored"), (&second, "stored"), (&first, "duplicate")] {
        let (status, answer) = deliver(&deps, body, later(ids.len() as i64)).await;
        assert_eq!((status, answer["outcome"].as_str()), (200, Some(outcome)), "{answer}");
        ids.push(answer["event"].as_str().unwrap().to_owned());
    }
    assert!(ids[0] != ids[1] && ids[0] == ids[2] && ids[0].starts_with(made_up), "{ids:?}");
    let types =
        [stack.row(&ids[0]).await, stack.row(&ids[1]).await].map(|row| row.unwrap().event_type.unwrap());
    assert_eq!(types, ["invoice.paid", "invoice.sent"]);
}

#[tokio::test]
async fn a_byte_order_mark_before_the_body_is_kept_and_passed_over() {
    let stack = Stack::start().await;
    let body = format!("\u{feff}{}", event("evt_1"));
    assert_eq!(deliver(&stack.cold(), &body, now()).await.0, 200);
    let row = stack.row("evt_1").await.unwrap();
    assert_eq!(row.state, EventState::Pending);
    assert_eq!(stack.ledger().body(&row).await.unwrap().unwrap(), body.as_bytes());
}

#[tokio::test]
async fn the_same_signature_twice_counts_once() {
    let stack = Stack::start().await;
    let body = event("evt_1");
    let header = sign(&crate::support::SECRET.parse().unwrap(), now().into(), body.as_bytes());
    let request = http_request(&delivery("main", Some(&format!("{header},{header}")), &body));
    assert_eq!(handle(&stack.cold(), request, now(), Deadline::NEVER).await.status(), 200);
}

#[tokio::test]
async fn what_has_an_id_but_cannot_be_read_is_quarantined_with_the_reason() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let body = event("evt_1").replace("1785000000", "\"yesterday\"");
    assert_eq!(deliver(&deps, &body, now()).await.0, 200);
    let row = stack.row("evt_1").await.unwrap();
    assert_eq!(row.state, EventState::Quarantined);
    assert!(row.reason.unwrap().contains("yesterday"));
}

#[tokio::test]
async fn what_can_be_read_is_stored_to_be_applied_whatever_its_type_mode_or_account() {
    let stack = Stack::start().await;
    let connected = event("evt_3").replace("\"livemode\"", "\"account\":\"acct_1\",\"livemode\"");
    for (body, object) in [
        (event("evt_1").replace("invoice.paid", "something.new"), "-/invoice/in_1"),
        (event("evt_2").replace("false", "true"), "-/invoice/in_1"),
        (connected, "acct_1/invoice/in_1"),
    ] {
        let (status, answer) = deliver(&stack.cold(), &body, now()).await;
        assert_eq!(status, 200);
        let row = stack.row(answer["event"].as_str().unwrap()).await.unwrap();
        assert_eq!((row.state, row.object.unwrap().to_string().as_str()), (EventState::Pending, object));
    }
}

#[tokio::test]
async fn a_new_endpoint_and_a_new_secret_work_at_once() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    stack.register("second", "whsec_second").await;
    let (status, _) = deliver_to(&deps, "second", "whsec_second", &event("evt_1"), later(1)).await;
    assert_eq!(status, 200);

    let registry = stack.registry();
    let old = registry.endpoint(&"main".parse().unwrap()).await.unwrap().unwrap();
    let mut new = old.clone();
    let secret = new.secret.as_mut().unwrap();
    let both = json!({ "signing": [
        { "stripe_id": "we_2", "secret": "whsec_new" }, { "stripe_id": "we_1", "secret": crate::support::SECRET } ] });
    secret.version = stack.cloud.put_secret(&secret.name, &both.to_string());
    registry.replace(&old, &mut new).await.unwrap();
    for (secret, at) in [("whsec_new", 2), (crate::support::SECRET, 2)] {
        assert_eq!(deliver_to(&deps, "main", secret, &event("evt_2"), later(at)).await.0, 200, "{secret}");
    }
}

#[tokio::test]
async fn a_removed_endpoint_is_unknown_ten_seconds_later_also_to_a_process_that_was_frozen() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let registry = stack.registry();
    let row = registry.endpoint(&"main".parse().unwrap()).await.unwrap().unwrap();
    registry.remove(&row).await.unwrap();
    for (seconds, expected) in [(9, 200), (10, 404), (3600, 404)] {
        let (status, body) = deliver(&deps, &event("evt_1"), later(seconds)).await;
        assert_eq!(status, expected, "after {seconds} s: {body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_signed_body_makes_it_fail(body in prop_oneof!["\\PC{0,64}", "\\{\"id\":\"[ -~]{0,8}\",\\PC{0,32}\\}"]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let status = runtime.block_on(async {
            let stack = Stack::start().await;
            deliver(&stack.cold(), &body, now()).await.0
        });
        prop_assert!(status == 200 || status == 400);
    }
}

#[tokio::test]
async fn what_is_kept_of_a_text_is_short_so_that_no_event_is_too_large_for_its_row() {
    let stack = Stack::start().await;
    let deps = stack.warm().await;
    let long = "é".repeat(250_000);
    for body in [
        event("evt_1").replace("invoice.paid", &long),
        event("evt_2").replace("1785000000", &format!("\"{long}\"")),
        event("evt_3").replace("\"event\"", &format!("\"{long}\"")),
    ] {
        let (status, answer) = deliver(&deps, &body, now()).await;
        assert_eq!(status, 200, "{answer}");
        let row = stack.row(answer["event"].as_str().unwrap()).await.unwrap();
        assert_eq!(stack.ledger().body(&row).await.unwrap().unwrap(), body.as_bytes());
    }
}

#[tokio::test]
async fn one_endpoint_that_cannot_be_read_does_not_shut_out_the_others() {
    let stack = Stack::start().await;
    let registry = stack.registry();
    let main = registry.endpoint(&"main".parse().unwrap()).await.unwrap().unwrap();
    let mut item: std::collections::HashMap<_, _> = serde_dynamo::to_item(&main).unwrap();
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    item.extend(
        [("kind", "endpoint"), ("name", "newer"), ("state", "hibernating")]
            .map(|(name, value)| (name.to_owned(), text(value))),
    );
    let client = stack.cloud.aws().dynamodb(shared::aws::CallLimits::PATIENT);
    client.put_item().table_name("RegistryTable").set_item(Some(item)).send().await.unwrap();
    assert_eq!(deliver(&stack.cold(), &event("evt_1"), now()).await.0, 200);
}

#[tokio::test]
async fn a_probe_is_stored_for_a_day_in_no_list_and_counts_as_nothing() {
    let stack = Stack::start().await;
    let deps = stack.cold();
    let probe = event("evt_probe_1").replace("invoice.paid", shared::event_type::PROBE);
    let (status, answer) = deliver(&deps, &probe, now()).await;
    assert_eq!((status, answer["outcome"].as_str()), (200, Some("stored")));
    let row = stack.row("evt_probe_1").await.unwrap();
    assert_eq!((row.state, row.reason.as_deref(), row.due_at), (EventState::Ignored, Some("probe"), None));
    assert_eq!(row.expires_at, Some(later(86_400).into()));
    let item = stack.cloud.items("LedgerTable").await.remove(0);
    for key in ["day", "open"] {
        assert!(item.get(key).is_none(), "{key}: {item}");
    }
    assert!(
        stack.registry().status_rows(&["main"], now()).await.unwrap().activity.is_empty(),
        "it is no delivery of Stripe's"
    );
    assert!(stack.metrics.sums().is_empty(), "{}", stack.metrics.text());
}
