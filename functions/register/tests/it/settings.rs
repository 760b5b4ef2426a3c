//! The settings show what the key may do, as Stripe says now.

use serde_json::json;
use simulated_stripe::{Fault, Key};
use test_cloud::Fault as CloudFault;

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

#[tokio::test]
async fn rights_are_told_as_stripe_answers() {
    let stack = Stack::start().await;
    let rights = async || stack.call("GET", "/settings", "").await.1["stripe_key"]["rights"].clone();
    let expected =
        |endpoints: &str, events: &str| json!({ "read_webhook_endpoints": endpoints, "read_events": events });
    assert_eq!(rights().await, expected("ok", "ok"));
    stack.stripe.set_keys(vec![Key::restricted(KEY, &["webhook_endpoints:write"])]);
    assert_eq!(rights().await, expected("ok", "denied"));
    stack.stripe.set_keys(vec![]);
    assert_eq!(rights().await, expected("denied", "denied"));
    stack.stripe.set_keys(vec![Key::full(KEY)]);
    stack.stripe.add_fault(Fault::status(500).on("GET", "/v1/events").times(9));
    assert_eq!(rights().await, expected("ok", "unknown"));
    stack.cloud.fail("GetSecretValue", "", 9, CloudFault::AccessDenied);
    assert_eq!(rights().await, expected("unknown", "unknown"));
}
