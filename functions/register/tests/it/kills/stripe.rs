//! Stripe fails at every kind of call, in every way, and all ends right with the right message.

use serde_json::Value;
use simulated_stripe::Fault;

use super::*;

const ENDPOINTS: &str = "/v1/webhook_endpoints";
const ONE: &str = "/v1/webhook_endpoints/";

const CALLS: [(&str, &str); 4] = [("POST", ENDPOINTS), ("POST", ONE), ("GET", ENDPOINTS), ("DELETE", ONE)];

fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("too many calls", Fault::rate_limit(Some(false)).times(9)),
        ("500", Fault::status(500).times(9)),
        ("500 after it was done", Fault::status(500).after().times(9)),
        ("cut", Fault::cut().times(9)),
        ("cut after it was done", Fault::cut().after().times(9)),
        ("done, and answered late", Fault::delay_ms(3_500).after().times(9)),
    ]
}

/// The answer says what became of it, and what to do.
fn assert_explained(status: u16, answer: &Value, what: &str) {
    if status >= 300 {
        let error = &answer["error"];
        assert!(error["code"].is_string() && error["message"].is_string(), "{what}: {answer}");
        assert!(error["remedy"].is_string(), "{what}: {answer}");
    }
}

async fn fails_everywhere(first: Option<Asked>, damage: fn(&Stack), asked: Asked) {
    let mut failed = 0;
    for (i, (method, path)) in CALLS.into_iter().enumerate() {
        for (j, (how, fault)) in faults().into_iter().enumerate() {
            let stack = Stack::start().await.hasty();
            if let Some(first) = first {
                assert!(stack.call(first.method, first.path, first.body).await.0 < 300);
            }
            damage(&stack);
            stack.stripe.add_fault(fault.on(method, path));
            let what = format!("{} {}: {how} at {method} {path}", asked.method, asked.path);
            let (status, answer) = stack.call(asked.method, asked.path, asked.body).await;
            assert_explained(status, &answer, &what);
            failed += usize::from(status >= 300);
            stack.stripe.clear_faults();
            // Each in turn: the same request, or the schedule alone.
            if (i + j) % 2 == 0 {
                let (status, answer) = stack.call_at(at(61), asked.method, asked.path, asked.body).await;
                assert!(matches!(status, 200..=204 | 404 | 409), "{what}: {status} {answer}");
            }
            stack.maintain_to_the_end().await;
            if asked.path == REPAIR.path {
                assert_eq!(stack.call_at(at(900), REPAIR.method, REPAIR.path, "").await.0, 200, "{what}");
            }
            stack.assert_right(&what).await;
        }
    }
    assert!(failed >= 4, "{asked:?} met {failed} failures");
}

#[tokio::test]
async fn registering_where_stripe_fails() {
    fails_everywhere(None, no_damage, REGISTER).await;
}

#[tokio::test]
async fn changing_where_stripe_fails() {
    fails_everywhere(Some(REGISTER), no_damage, CHANGE).await;
}

#[tokio::test]
async fn rotating_where_stripe_fails() {
    fails_everywhere(Some(REGISTER), no_damage, ROTATE).await;
}

#[tokio::test]
async fn repairing_where_stripe_fails() {
    fails_everywhere(Some(REGISTER), lose_secret, REPAIR).await;
}

#[tokio::test]
async fn deregistering_where_stripe_fails() {
    fails_everywhere(Some(REGISTER), no_damage, DEREGISTER).await;
}
