//! The settings show what the key may do, as Stripe says now.

use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::kind::Kind;
use shared::registry::{KeyRights, LookKind, Turn};
use simulated_stripe::{Fault, Key};
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::now;

use crate::support::{KEY, Stack};

#[tokio::test]
async fn without_a_key_there_is_none_to_tell_of() {
    let stack = Stack::bare().await;
    let (status, settings) = stack.call("GET", "/settings", "").await;
    let retry = json!({ "attempts": 12, "first_delay_s": 30, "longest_delay_s": 3_600 });
    assert_eq!(
        (status, settings),
        (200, json!({ "mode": "test", "ignore": [], "retry": retry, "stripe_key": null }))
    );
}

/// All rights, of each of which this is known.
pub(crate) fn each(known: &str) -> Value {
    let kinds = Kind::all().filter(|kind| kind.is_imported_by_default() && !kind.account_lists().is_empty());
    let kinds = kinds.map(Kind::plural);
    let all = ["webhook_endpoints", "events"].into_iter().chain(kinds);
    let rights: Value = all.map(|what| (format!("read_{what}"), known)).collect();
    let first = ["webhook_endpoints", "events", "customers", "invoice_payments", "refunds", "payouts"];
    assert!(first.iter().all(|what| rights[format!("read_{what}")] == known));
    rights
}

/// The same, but for some.
fn but(mut rights: Value, others: &[(&str, &str)]) -> Value {
    for (right, known) in others {
        rights[*right] = json!(known);
    }
    rights
}

#[tokio::test]
async fn rights_are_told_as_stripe_answers() {
    let stack = Stack::start().await;
    // Each look a minute after the one before.
    let minute = AtomicI64::new(0);
    let rights = async || {
        let at = now() + SignedDuration::from_mins(minute.fetch_add(1, Ordering::Relaxed));
        stack.call_at(at, "GET", "/settings", "").await.1["stripe_key"]["rights"].clone()
    };
    assert_eq!(rights().await, each("ok"));
    stack.stripe.set_keys(vec![Key::restricted(KEY, &["webhook_endpoints:write", "refunds:read"])]);
    let two = but(each("denied"), &[("read_webhook_endpoints", "ok"), ("read_refunds", "ok")]);
    assert_eq!(rights().await, two);
    stack.stripe.set_keys(vec![]);
    assert_eq!(rights().await, each("denied"));
    stack.stripe.set_keys(vec![Key::full(KEY)]);
    stack.stripe.add_fault(Fault::status(500).on("GET", "/v1/events").times(9));
    stack.stripe.add_fault(Fault::status(500).on("GET", "/v1/payment_intents").times(9));
    let all_but_two = but(each("ok"), &[("read_events", "unknown"), ("read_payments", "unknown")]);
    assert_eq!(rights().await, all_but_two);
    stack.cloud.fail("GetSecretValue", "", 9, CloudFault::AccessDenied);
    assert_eq!(rights().await, each("unknown"));
}

#[tokio::test]
async fn stripe_is_asked_once_a_minute_for_what_the_key_may_do_and_of_many_at_once_by_one() {
    let stack = Stack::start().await;
    let at = |seconds| now() + SignedDuration::from_secs(seconds);
    let rights = async |seconds| {
        stack.call_at(at(seconds), "GET", "/settings", "").await.1["stripe_key"]["rights"].clone()
    };
    let known = each("ok");
    // Setting the key has asked.
    assert_eq!(rights(59).await, known);
    assert!(stack.stripe.requests().is_empty());
    let answers = join_all((0..20).map(|_| rights(60))).await;
    assert!(answers.iter().all(|answer| *answer == known), "{answers:?}");
    assert_eq!(stack.stripe.requests().len(), known.as_object().unwrap().len(), "one look at each right");
    // A key that was set meanwhile is another one: nothing that is known of the old one holds.
    stack
        .stripe
        .set_keys(vec![Key::full(KEY), Key::restricted("rk_test_second_key", &["webhook_endpoints:write"])]);
    let (status, answer) =
        stack.call_at(at(61), "PUT", "/settings/stripe-key", r#"{"key":"rk_test_second_key"}"#).await;
    assert_eq!((status, &answer["stripe_key"]["rights"]["read_events"]), (200, &json!("denied")), "{answer}");
}

#[tokio::test]
async fn settings_are_answered_whether_or_not_rights_can_be_kept() {
    let stack = Stack::start().await;
    let at = now() + SignedDuration::from_mins(2);
    stack.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::AccessDenied);
    let (status, answer) = stack.call_at(at, "GET", "/settings", "").await;
    let unknown = each("unknown");
    assert_eq!((status, &answer["stripe_key"]["rights"]), (200, &unknown));
    assert!(stack.stripe.requests().is_empty(), "without a row that says so, many would ask at once");
}

#[tokio::test]
async fn while_another_request_asks_what_stripe_said_lately_is_told_and_nothing_older() {
    let at = |seconds| now() + SignedDuration::from_secs(seconds);
    // Setting the key has asked. Another request begins to ask then, and dies.
    for (begun, known) in [(60, "ok"), (100, "ok"), (3_600, "unknown")] {
        let stack = Stack::start().await;
        stack.stripe.clear_requests();
        let registry = stack.registry();
        let key = registry.settings().await.unwrap().unwrap().stripe_key_set_at.to_string();
        let turn: Turn<KeyRights> = registry.look(LookKind::KeyRights, &key, at(begun)).await.unwrap();
        assert!(matches!(turn, Turn::Ask(_)), "{turn:?}");
        let rights = async |seconds| {
            stack.call_at(at(seconds), "GET", "/settings", "").await.1["stripe_key"]["rights"].clone()
        };
        assert_eq!(rights(begun + 1).await, each(known), "{begun}");
        if begun == 100 {
            assert_eq!(rights(120).await, each("ok"));
            assert_eq!(rights(121).await, each("unknown"), "two minutes after it was said");
        }
        assert!(stack.stripe.requests().is_empty());
        assert_eq!(rights(begun + 60).await, each("ok"), "the one who died is waited for no longer");
    }
}
