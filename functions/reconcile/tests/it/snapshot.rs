//! What Stripe answers is kept in a snapshot for the status; where it does not answer, why.

use std::collections::BTreeMap;

use shared::health::{StripeView, Undelivered};
use simulated_stripe::{Fault, Key};
use test_cloud::fixtures::now;

use crate::support::{Stack, ago, later};

#[tokio::test]
async fn endpoints_that_are_ours_or_point_here_are_kept_and_no_others() {
    let stack = Stack::start().await;
    let here = stack.stripe.add_endpoint("https://hooks.example.com/webhooks/other", &["invoice.paid"]);
    drop(stack.stripe.add_endpoint("https://elsewhere.example.com/hook", &["*"]));
    assert_eq!(stack.run(now()).await["endpoints"], "ok");
    let snapshot = stack.snapshot().await;
    assert_eq!(snapshot.at, now().into());
    let StripeView::Answered { value, request_id } = snapshot.endpoints else { panic!() };
    assert_eq!(value.iter().map(|endpoint| &endpoint.id).collect::<Vec<_>>(), [&here.id]);
    assert!(request_id.is_some());
}

#[tokio::test]
async fn why_nothing_is_known_is_kept() {
    let stack = Stack::start().await;
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["webhook_endpoints:write"])]);
    let run = stack.run(now()).await;
    assert_eq!((run["endpoints"].as_str(), run["events"].as_str()), (Some("ok"), Some("key_lacks_right")));
    stack.stripe.set_keys(vec![]);
    let run = stack.run(now()).await;
    assert_eq!(
        (run["endpoints"].as_str(), run["events"].as_str()),
        (Some("key_refused"), Some("key_refused"))
    );
    assert!(matches!(stack.snapshot().await.endpoints, StripeView::KeyRejected(_)));
}

#[tokio::test]
async fn without_a_key_there_is_nothing_to_ask() {
    let stack = Stack::start().await;
    stack.cloud.put_secret("stripe-key", "{}");
    let run = stack.run(now()).await;
    assert_eq!((run["endpoints"].as_str(), run["events"].as_str()), (Some("not_asked"), Some("not_asked")));
}

#[tokio::test]
async fn how_far_our_clock_is_from_stripes_is_kept() {
    let stack = Stack::start().await;
    stack.run(now()).await;
    let ahead = stack.snapshot().await.clock_ahead_ms.unwrap();
    assert!((-2_000..=2_000).contains(&ahead), "{ahead}");
    stack.stripe.skew_date(-400);
    stack.run(now()).await;
    let ahead = stack.snapshot().await.clock_ahead_ms.unwrap();
    assert!((398_000..=402_000).contains(&ahead), "{ahead}");
}

#[tokio::test]
async fn what_stripe_could_not_deliver_is_kept_until_something_newer_is() {
    let stack = Stack::start().await;
    stack.undelivered("invoice.paid", ago(60));
    stack.run(now()).await;
    let missed = |newest: jiff::Timestamp, count| {
        BTreeMap::from([("main".to_owned(), Undelivered { newest: newest.into(), count })])
    };
    assert_eq!(stack.snapshot().await.undelivered, missed(ago(60), 1));
    stack.stripe.add_fault(Fault::status(500).on("GET", "/v1/events").times(9));
    stack.run(later(5)).await;
    assert_eq!(stack.snapshot().await.undelivered, missed(ago(60), 1), "also while Stripe does not answer");
    stack.stripe.clear_faults();
    // What is older than a day is no news, and what Stripe did not try to deliver is no failure of it.
    stack.undelivered("invoice.paid", ago(26 * 60));
    stack.missed("invoice.paid", ago(30));
    let since = serde_json::json!({ "since": ago(27 * 60).to_string() });
    assert_eq!(stack.call("admin", "POST", "/reconcile", since).await.1["filled"], 2);
    assert_eq!(stack.snapshot().await.undelivered, missed(ago(60), 1));
    stack.undelivered("invoice.paid", ago(20));
    stack.run(later(10)).await;
    assert_eq!(stack.snapshot().await.undelivered, missed(ago(20), 1));
}

#[tokio::test]
async fn what_a_run_found_that_failed_is_found_by_the_next() {
    let stack = Stack::start().await;
    stack.undelivered("invoice.paid", ago(20));
    // It fails after the event is stored, before it stores the snapshot.
    stack.cloud.fail("Query", "RecordsTable", 9, test_cloud::Fault::AccessDenied);
    assert!(stack.try_run(now()).await.is_err());
    stack.cloud.clear_faults();
    assert_eq!(stack.run(later(5)).await["filled"], 0, "it is here");
    assert_eq!(stack.snapshot().await.undelivered["main"].newest, ago(20).into());
}

#[tokio::test]
async fn one_run_at_a_time_and_a_crashed_one_does_not_stop_the_next() {
    let stack = Stack::start().await;
    stack.stripe.add_fault(Fault::hold().on("GET", "/v1/webhook_endpoints").times(1));
    let held = stack.run(now());
    tokio::pin!(held);
    tokio::select! {
        _ = &mut held => panic!("it is held"),
        () = async {
            while stack.stripe.requests().is_empty() {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    assert!(stack.run(later(1)).await.is_null(), "another is at it");
    assert!(!stack.run(later(3)).await.is_null(), "it must have died");
    stack.stripe.clear_faults();
    held.await;
}
