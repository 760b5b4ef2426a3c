//! Metrics count how the work on events ended, in one line a batch.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::ledger::{Actor, EventSource, EventState};
use test_cloud::Fault;
use test_cloud::fixtures::now;

use crate::support::{Stack, later, subscription};

/// A subscription's event that Stripe made at `at`.
fn event_made_at(id: &str, at: Timestamp) -> String {
    subscription(id, "updated", at.as_second(), "active").replace("sub_1", &format!("sub_{id}"))
}

/// The lags in a line, in seconds.
fn lags(line: &Value) -> Vec<u64> {
    line["Lag"].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_batch_is_one_line_with_its_states_and_one_with_its_lags() {
    let stack = Stack::start().await;
    let mut rows = Vec::new();
    for i in 0..98 {
        rows.push(stack.receive(&event_made_at(&format!("evt_{i}"), later(-i % 3))).await);
    }
    rows.push(
        stack
            .receive(&event_made_at("evt_live", now()).replace("\"livemode\":false", "\"livemode\":true"))
            .await,
    );
    rows.push(
        stack.receive(&event_made_at("evt_odd", now()).replace("customer.subscription.updated", "a.b")).await,
    );
    let begun = std::time::Instant::now();
    stack.ring_at(&rows, later(1)).await.unwrap();
    let most = begun.elapsed().as_secs();
    let lines = stack.metrics.json();
    assert_eq!(lines.len(), 2, "{}", stack.metrics.text());
    let line = &lines[0];
    assert_eq!(
        (&line["Processed"], &line["Quarantined"], &line["Ignored"]),
        (&json!(98), &json!(1), &json!(1))
    );
    // Their ages are 1, 2 and 3 s when the doorbell rings, and the time that applying takes counts too.
    let lags = lags(&lines[1]);
    let sum: u64 = lags.iter().sum();
    assert_eq!(lags.len(), 98);
    assert!(lags.iter().all(|lag| (1..=3 + most).contains(lag)), "{lags:?}");
    let hours = stack.registry().status_rows(&[], later(1)).await.unwrap().hours;
    assert_eq!(hours[0].lags, lags.iter().copied().collect(), "the same by the hour");
    let ages = 33 + 33 * 2 + 32 * 3;
    assert!((ages..=ages + 98 * most).contains(&sum), "{lags:?} in {most} s");
    assert!(
        line["SweepRan"].is_null() && line["Dead"].is_null(),
        "what did not happen has no metric: {line}"
    );
    assert!(!stack.metrics.text().contains("evt_") && !stack.metrics.text().contains("sub_"));
}

#[tokio::test]
async fn events_that_wait_for_no_delivery_have_no_lag() {
    let stack = Stack::start().await;
    let replayed = stack.receive(&event_made_at("evt_1", now())).await;
    stack.ring(&[replayed]).await;
    stack.metrics.clear();
    let row = stack.row("evt_1").await;
    let admin = Actor { by: "admin@example.com", why: None };
    stack.ledger().replay(&row, admin, later(86_400)).await.unwrap();
    let row = stack.row("evt_1").await;
    let gap = stack.receive(&event_made_at("evt_2", now())).await.with_source(EventSource::Reconcile);
    stack.ring_at(&[row, gap], later(86_401)).await.unwrap();
    let lines = stack.metrics.json();
    assert_eq!(lines[0]["Processed"], 2);
    assert!(lines[0]["Lag"].is_null(), "{}", lines[0]);
    assert!(!stack.metrics.text().contains("admin@"));
}

#[tokio::test]
async fn a_failure_is_counted_and_its_later_success_has_the_whole_lag() {
    let stack = Stack::start().await;
    let row = stack.receive(&event_made_at("evt_1", now())).await;
    stack.cloud.fail("PutItem", "RecordsTable", 3, Fault::ServerError);
    stack.ring(&[row]).await;
    assert_eq!(stack.metrics.sums()["Failed"], 1);
    stack.cloud.clear_faults();
    assert_eq!(stack.sweep(later(600)).await.count(EventState::Processed), 1);
    assert!(matches!(lags(&stack.metrics.json()[2])[..], [600..=660]));
}

#[tokio::test]
async fn each_sweep_counts_itself_and_the_age_of_the_backlog() {
    let stack = Stack::start().await;
    stack.sweep(now()).await;
    stack.receive(&event_made_at("evt_1", now())).await;
    stack.receive_at(&event_made_at("evt_2", now()), later(60)).await;
    // They are due two minutes after they came.
    stack.sweep(later(119)).await;
    stack.sweep(later(420)).await;
    stack.sweep(later(421)).await;
    // What a sweep counts is one line; the lags of the events that it applied stand apart.
    let (lags, lines): (Vec<_>, Vec<_>) =
        stack.metrics.json().into_iter().partition(|line| !line["Lag"].is_null());
    assert_eq!(lags.len(), 1);
    let ages: Vec<_> = lines.iter().map(|line| line["BacklogAge"].as_u64().unwrap()).collect();
    assert_eq!(ages, [0, 0, 300, 0]);
    assert!(lines.iter().all(|line| line["SweepRan"] == 1));
}

#[tokio::test]
async fn a_sweep_that_cannot_read_the_ledger_is_not_counted() {
    let stack = Stack::start().await;
    stack.cloud.fail("Query", "LedgerTable", 100, Fault::ServerError);
    let sample = include_str!("../../../../events/process/sweep.json");
    process::handle(&stack.deps, serde_json::from_str(sample).unwrap(), now(), Deadline::NEVER)
        .await
        .unwrap_err();
    assert_eq!(stack.metrics.text(), "");
}
