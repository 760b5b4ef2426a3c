//! What a run found is emitted as metrics, one line a run.

use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::event::{self, ParsedEvent};
use shared::ledger::LedgerRow;
use shared::payload;
use simulated_stripe::{EndpointChange, Fault};
use test_cloud::Fault as Outage;
use test_cloud::fixtures::now;

use crate::support::{Stack, ago, later};

impl Stack {
    /// The metrics of the last run.
    fn emitted(&self) -> Value {
        let lines = self.metrics.json();
        self.metrics.clear();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines[0].clone()
    }
}

#[tokio::test]
async fn a_run_emits_that_it_ran_and_what_it_found() {
    let stack = Stack::start().await;
    let missed = stack.missed("invoice.paid", ago(60));
    stack.missed("customer.created", ago(30));
    stack.run(now()).await;
    assert!(!stack.metrics.text().contains(&missed) && !stack.metrics.text().contains("main"));
    let metrics = stack.emitted();
    assert_eq!(
        (
            &metrics["ReconcileRan"],
            &metrics["GapsFilled"],
            &metrics["StripeUnreadable"],
            &metrics["EventsWaiting"]
        ),
        (&json!(1), &json!(2), &json!(0), &json!(0))
    );
    // Younger events are on their way; a clock is known to a second or two.
    let behind = metrics["ReconcileBehind"].as_u64().unwrap();
    assert!((299..=303).contains(&behind), "{behind}");
    stack.run(later(5)).await;
    assert_eq!(stack.emitted()["GapsFilled"], 0);
}

#[tokio::test]
async fn a_stripe_that_does_not_answer_is_emitted_and_what_is_unknown_is_not() {
    let stack = Stack::start().await;
    stack.stripe.add_fault(Fault::status(500).on("GET", "/v1/events").times(9));
    stack.run(now()).await;
    let metrics = stack.emitted();
    assert_eq!((&metrics["ReconcileRan"], &metrics["StripeUnreadable"]), (&json!(1), &json!(1)));
    assert!(metrics["GapsFilled"].is_null() && metrics["ReconcileBehind"].is_null(), "{metrics}");
    assert!(!metrics["EndpointsAmiss"].is_null());
    stack.stripe.clear_faults();
    stack.stripe.set_keys(vec![]);
    stack.run(now()).await;
    let metrics = stack.emitted();
    assert_eq!(metrics["StripeUnreadable"], 1);
    assert!(metrics["EndpointsAmiss"].is_null(), "{metrics}");
}

#[tokio::test]
async fn without_a_key_nothing_is_amiss() {
    let stack = Stack::start().await;
    stack.cloud.put_secret("stripe-key", "{}");
    stack.run(now()).await;
    let metrics = stack.emitted();
    assert_eq!((&metrics["ReconcileRan"], &metrics["StripeUnreadable"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn an_active_endpoint_that_stripe_has_disabled_or_forgotten_is_amiss() {
    // Stripe knows no `main`.
    let stack = Stack::start().await;
    let main = stack.registry().endpoints().await.unwrap().remove(0);
    let at_stripe = stack.stripe.add_endpoint("https://hooks.example.com/webhooks/other", &["invoice.paid"]);
    let other =
        EndpointRow { name: "other".parse().unwrap(), stripe_id: Some(at_stripe.id.clone()), ..main.clone() };
    stack.registry().insert(&other).await.unwrap();
    stack.run(now()).await;
    assert_eq!(stack.emitted()["EndpointsAmiss"], 1);
    let disabled = EndpointChange { disabled: Some(true), ..EndpointChange::default() };
    stack.stripe.change_endpoint(&at_stripe.id, disabled).unwrap();
    // One that an admin has disabled is as it should be.
    let by_hand =
        EndpointRow { name: "by-hand".parse().unwrap(), state: EndpointState::Disabled, ..other.clone() };
    stack.registry().insert(&by_hand).await.unwrap();
    stack.run(later(5)).await;
    assert_eq!(stack.emitted()["EndpointsAmiss"], 2);
    stack.stripe.delete_endpoint(&at_stripe.id).unwrap();
    stack.run(later(10)).await;
    assert_eq!(stack.emitted()["EndpointsAmiss"], 2);
}

#[tokio::test]
async fn events_that_wait_for_an_admin_are_counted_until_they_are_dealt_with() {
    let stack = Stack::start().await;
    for id in ["evt_1", "evt_2"] {
        let body = json!({ "id": id }).to_string();
        let packed = payload::pack(body.as_bytes(), "").unwrap();
        let ParsedEvent::Unreadable { id, reason } = event::read(body.as_bytes()) else { panic!() };
        stack.ledger().record(&LedgerRow::unreadable(id, reason, "main", now(), packed)).await.unwrap();
    }
    stack.run(now()).await;
    assert_eq!(stack.emitted()["EventsWaiting"], 2);
}

#[tokio::test]
async fn a_run_that_could_not_store_its_snapshot_has_not_run() {
    let stack = Stack::start().await;
    stack.cloud.fail("Query", "LedgerTable", 1_000, Outage::ServerError);
    stack.try_run(now()).await.unwrap_err();
    assert_eq!(stack.metrics.text(), "");
}

#[tokio::test]
async fn an_account_that_was_never_compared_is_a_month_behind_and_no_more() {
    let mut stack = Stack::bare().await;
    stack.register("main", &["invoice.paid"], false, ago(60)).await;
    stack.register("connect", &["invoice.paid"], true, ago(60)).await;
    stack.registry().record_connected_account(&"acct_1".parse().unwrap(), now()).await.unwrap();
    // The time is up after the first account.
    stack.deadline = Deadline::after(std::time::Duration::ZERO);
    stack.run(now()).await;
    assert_eq!(stack.emitted()["ReconcileBehind"], 30 * 86_400);
}
