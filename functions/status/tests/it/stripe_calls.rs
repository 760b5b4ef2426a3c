//! However often and by however many the status is asked for, Stripe is asked at most every ten seconds.

use futures::future::join_all;
use serde_json::json;
use shared::deadline::Deadline;
use shared::endpoint::EndpointRow;
use shared::registry::{LookKind, Turn};
use simulated_stripe::{EndpointChange, Fault, Key};
use status::handle;
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::status_and_body;

use crate::support::{Stack, failing, later, request};

/// Its endpoints, and whether it lists events.
const CALLS: usize = 2;

#[tokio::test]
async fn however_many_look_at_once_stripe_is_asked_once_and_all_are_told() {
    let stack = Stack::start().await;
    let registry = stack.registry();
    let turns = (0..40).map(|_| registry.look::<serde_json::Value>(LookKind::KeyRights, "key", later(60)));
    let turns: Vec<_> = join_all(turns).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(turns.iter().filter(|turn| matches!(turn, Turn::Ask(_))).count(), 1);

    stack.stripe.advance(60);
    let deps = stack.cold();
    let one = async || {
        let request = request(Some(&["viewer"]), "GET", "/status?live=true");
        status_and_body(Box::pin(handle(&deps, request, later(60), Deadline::NEVER)).await)
    };
    let (answer, other) = tokio::join!(one(), one());
    assert_eq!(stack.stripe.requests().len(), CALLS);
    for (status, body) in [answer, other] {
        assert_eq!((status, body["status"].as_str()), (200, Some("active")), "{body}");
        assert_eq!(body["stripe_asked_at"], json!(later(60)));
    }
}

#[tokio::test]
async fn an_answer_holds_for_ten_seconds_and_only_for_what_it_was_about() {
    let stack = Stack::start().await;
    let disabled = |disabled| EndpointChange { disabled: Some(disabled), ..EndpointChange::default() };
    let asked = async |seconds, path: &str| {
        stack.stripe.clear_requests();
        let (_, body) = stack.call_again_at(later(seconds), path).await;
        (stack.stripe.requests().len(), failing(&body).contains("enabled_at_stripe"))
    };
    let live = "/status?live=true";
    assert_eq!(asked(60, live).await, (CALLS, false));
    stack.change(disabled(true));
    assert_eq!(asked(69, live).await, (0, false), "what Stripe said nine seconds ago");
    assert_eq!(asked(70, live).await, (CALLS, true));
    stack.change(disabled(false));
    // Another endpoint, or the same after a change here, is not what was asked about.
    let row = stack.registry().endpoint(&"main".parse().unwrap()).await.unwrap().unwrap();
    stack.registry().replace(&row, &mut EndpointRow { ..row.clone() }).await.unwrap();
    assert_eq!(asked(71, live).await, (CALLS, false));
    stack.add_endpoint("second").await;
    assert_eq!(asked(72, live).await, (CALLS, false));
    // Without `live`, where what reconciliation keeps cannot be used.
    assert_eq!(asked(73, "/status").await, (0, false));
}

#[tokio::test]
async fn while_events_are_refused_the_plain_status_asks_no_more_often() {
    let stack = Stack::start().await;
    let rights = ["webhook_endpoints:write"];
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &rights)]);
    for seconds in [60, 65, 69, 70, 79] {
        let (_, body) = stack.call_again_at(later(seconds), "/status").await;
        assert!(failing(&body).contains("events_readable"), "{body}");
    }
    assert_eq!(stack.stripe.requests().len(), 2 * CALLS);
}

#[tokio::test]
async fn a_request_that_began_to_ask_and_died_is_waited_for_and_told() {
    let stack = Stack::start().await.giving_up();
    let subject = |rows: &[EndpointRow]| {
        let rows: Vec<_> =
            rows.iter().map(|row| format!(" {}/{}/{}", row.name, row.registration, row.rev)).collect();
        rows.concat()
    };
    let set_at = stack.registry().settings().await.unwrap().unwrap().stripe_key_set_at;
    let rows = stack.registry().endpoints().await.unwrap();
    let subject = format!("{set_at}{}", subject(&rows));
    let turn: Turn<serde_json::Value> =
        stack.registry().look(LookKind::Status, &subject, later(60)).await.unwrap();
    assert!(matches!(turn, Turn::Ask(_)), "{turn:?}");
    let (_, body) = stack.call_again_at(later(61), "/status?live=true").await;
    assert!(stack.stripe.requests().is_empty());
    assert!(failing(&body).contains("stripe_answers"), "{body}");
    assert!(body.to_string().contains("another request was asking"), "{body}");
    let (_, body) = stack.call_again_at(later(70), "/status?live=true").await;
    assert_eq!(body["status"], "active", "{body}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_kept_is_given_all_the_same() {
    let stack = Stack::start().await;
    // The turn is taken, and what Stripe said is lost on its way.
    stack.cloud.fail("PutItem", "RegistryTable", 1, CloudFault::DoneAndCut);
    let (_, body) = stack.call_again_at(later(60), "/status?live=true").await;
    assert_eq!(body["status"], "active", "{body}");
    // Who cannot take a turn does not ask.
    stack.stripe.clear_requests();
    stack.cloud.fail("PutItem", "RegistryTable", 99, CloudFault::AccessDenied);
    let (_, body) = stack.call_again_at(later(80), "/status?live=true").await;
    assert!(stack.stripe.requests().is_empty());
    assert!(failing(&body).contains("stripe_answers"), "{body}");
}

#[tokio::test]
async fn a_stripe_that_does_not_answer_is_not_asked_by_each_who_looks() {
    let stack = Stack::start().await;
    stack.stripe.add_fault(Fault::status(400).times(1_000));
    for seconds in [60, 65, 69] {
        let (_, body) = stack.call_again_at(later(seconds), "/status?live=true").await;
        assert!(failing(&body).contains("stripe_answers"), "{body}");
    }
    assert_eq!(stack.stripe.requests().len(), CALLS);
}
