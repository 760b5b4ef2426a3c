//! The status is answered from the snapshot that reconciliation keeps, in two reads, and gathered anew where
//! the snapshot cannot be used.

use std::collections::BTreeMap;

use futures::StreamExt;
use shared::health::{
    GapReport, HealthSnapshot, OpenEvents, PayoutHealth, SecretPresence, StripeView, Undelivered,
};
use shared::ledger::{EventState, OpenCount};
use shared::records::OpenRecords;
use shared::registry::{ErasureJob, ErasureState, Sampled, Written};
use simulated_stripe::EndpointChange;

use crate::support::{Stack, checks, failing, later};

impl Stack {
    /// Stores a snapshot, as reconciliation would at `seconds`, of what is at Stripe now. The newest event
    /// that Stripe could not deliver was made at `undelivered`.
    pub(crate) async fn reconcile(&self, seconds: i64, undelivered: Option<i64>) {
        let endpoints = self.stripe.endpoints();
        let value =
            serde_json::from_value(serde_json::json!(endpoints.iter().map(|endpoint| {
            serde_json::json!({
                "id": endpoint.id, "url": endpoint.url, "enabled_events": endpoint.enabled_events,
                "api_version": endpoint.api_version, "livemode": false, "created": 0, "metadata": {},
                "status": if endpoint.disabled { "disabled" } else { "enabled" },
            })
        }).collect::<Vec<_>>()))
            .unwrap();
        let snapshot = HealthSnapshot {
            at: later(seconds).into(),
            endpoints: StripeView::Answered { value, request_id: Some("req_kept".into()) },
            clock_ahead_ms: Some(0),
            events: StripeView::Answered { value: GapReport::default(), request_id: None },
            undelivered: undelivered
                .map(|at| ("main".to_owned(), Undelivered { newest: later(at).into(), count: 3 }))
                .into_iter()
                .collect(),
            arrivals: BTreeMap::new(),
            secrets: BTreeMap::from([("main".to_owned(), SecretPresence::There)]),
            open: OpenEvents::default(),
            payouts: Some(PayoutHealth::default()),
            uncertain: OpenRecords { count: OpenCount::default(), first: vec![] },
            incomplete: Some(shared::records::IncompleteRecords::default()),
            erasures: Some(self.registry().erasure_health(later(seconds)).await.unwrap()),
        };
        self.registry().store_health_snapshot(&snapshot).await.unwrap();
    }
}

#[tokio::test]
async fn two_reads_answer_it_and_nobody_else_is_asked() {
    let stack = Stack::start().await;
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    stack.reconcile(60, None).await;
    stack.stripe.clear_requests();
    stack.cloud.clear_calls();
    let (_, status) = stack.call_again_at(later(120), "/status").await;
    assert_eq!((status["status"].as_str(), failing(&status).len()), (Some("active"), 0), "{status}");
    let calls: Vec<_> = stack.cloud.calls().into_iter().map(|call| (call.operation, call.table)).collect();
    let expected = [("Query", "RegistryTable"), ("BatchGetItem", "RegistryTable")];
    assert_eq!(calls, expected.map(|(operation, table)| (operation.to_owned(), table.to_owned())));
    assert!(stack.stripe.requests().is_empty());
}

#[tokio::test]
async fn the_status_costs_no_more_with_a_thousand_finished_erasures_than_with_none() {
    let mut costs = Vec::new();
    for erasures in [0, 1_000] {
        let stack = Stack::start().await;
        // It counts calls.
        stack.cloud.answer_in_whole_pages();
        let registry = stack.registry();
        let stored = (0..erasures).map(async |number| {
            let mut job = erasure(&format!("cus_{number}"));
            registry.store_erasure(None, &mut job).await.unwrap()
        });
        let stored: Vec<Written> = futures::stream::iter(stored).buffer_unordered(16).collect().await;
        assert!(stored.iter().all(|written| *written == Written::Done));
        stack.reconcile(60, None).await;
        stack.cloud.clear_calls();
        let (_, status) = stack.call_at(later(120), "/status").await;
        let check = checks(&status).into_iter().find(|check| check["code"] == "erasures_go_on").unwrap();
        assert_eq!(check["evidence"]["finished"].as_u64().unwrap_or_default(), erasures, "{check}");
        let kept = stack.cloud.calls().len();
        // Something else of the snapshot cannot be used, and is gathered anew.
        stack
            .registry()
            .store_health_snapshot(&{
                let mut snapshot = stack.registry().health_snapshot().await.unwrap().unwrap();
                snapshot.secrets.clear();
                snapshot
            })
            .await
            .unwrap();
        stack.cloud.clear_calls();
        stack.call_at(later(121), "/status").await;
        costs.push((kept, stack.cloud.calls().len()));
    }
    assert_eq!(costs[0], costs[1]);
}

fn erasure(customer: &str) -> ErasureJob {
    ErasureJob {
        customer: format!("-/customer/{customer}").parse().unwrap(),
        state: ErasureState::Finished,
        asked_at: later(0).into(),
        finished_at: Some(later(1).into()),
        moved_at: later(1).into(),
        due_at: later(86_400).into(),
        position: None,
        records: 8,
        events: 9,
        waiting: Sampled::default(),
        waiting_since: None,
        tried_again: 0,
        rev: 0,
    }
}

#[tokio::test]
async fn an_erasure_that_was_stopped_since_is_seen_when_asked_for() {
    let stack = Stack::start().await;
    stack.reconcile(60, None).await;
    let mut job = ErasureJob { state: ErasureState::Stopped, ..erasure("cus_1") };
    stack.registry().store_erasure(None, &mut job).await.unwrap();
    assert!(failing(&stack.status_at(later(120)).await).is_empty(), "as it was then");
    let (_, live) = stack.call_at(later(120), "/status?live=true").await;
    assert!(failing(&live).contains("erasures_go_on"), "{live}");
}

#[tokio::test]
async fn a_snapshot_of_an_earlier_version_says_nothing_of_erasures_and_they_are_read() {
    let stack = Stack::start().await;
    let mut job = ErasureJob { state: ErasureState::Stopped, ..erasure("cus_1") };
    stack.registry().store_erasure(None, &mut job).await.unwrap();
    stack.reconcile(60, None).await;
    let mut snapshot = stack.registry().health_snapshot().await.unwrap().unwrap();
    snapshot.erasures = None;
    stack.registry().store_health_snapshot(&snapshot).await.unwrap();
    assert!(failing(&stack.status_at(later(120)).await).contains("erasures_go_on"));
}

#[tokio::test]
async fn what_happened_since_is_seen_when_asked_for() {
    let stack = Stack::start().await;
    stack.reconcile(60, None).await;
    stack.change(EndpointChange { disabled: Some(true), ..EndpointChange::default() });
    stack.event("evt_1", EventState::Dead).await;
    assert!(failing(&stack.status_at(later(120)).await).is_empty(), "as it was then");
    let (_, live) = stack.call_at(later(120), "/status?live=true").await;
    assert_eq!(failing(&live).into_iter().collect::<Vec<_>>(), ["enabled_at_stripe", "events_failed"]);
}

#[tokio::test]
async fn a_snapshot_of_before_a_change_here_is_not_used() {
    let stack = Stack::start().await;
    stack.reconcile(-10, None).await;
    stack.stripe.delete_endpoint(&stack.id()).unwrap();
    assert!(failing(&stack.status().await).contains("at_stripe"), "registered after it");
    let gone = Stack::start().await;
    gone.reconcile(60, None).await;
    let row = gone.registry().endpoint(&"main".parse().unwrap()).await.unwrap().unwrap();
    gone.registry().remove(&row).await.unwrap();
    gone.stripe.clear_requests();
    assert_eq!(gone.status_at(later(120)).await["status"], "inactive");
    assert_eq!(gone.stripe.requests().len(), 2, "it has an endpoint that is no more");
}

#[tokio::test]
async fn what_stripe_cannot_deliver_is_an_error_until_a_delivery_comes_in() {
    let stack = Stack::start().await;
    stack.reconcile(60, Some(61)).await;
    let status = stack.status_at(later(120)).await;
    assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["deliveries_arrive"]);
    assert_eq!(status["status"], "error");
    // That nothing more was missing says nothing: nothing more may have happened.
    stack.reconcile(360, Some(61)).await;
    assert_eq!(stack.status_at(later(400)).await["status"], "error");
    stack.registry().record_delivery(&"main".parse().unwrap(), 0, later(420)).await.unwrap();
    assert_eq!(stack.status_at(later(430)).await["status"], "active");
}

#[tokio::test]
async fn a_snapshot_that_is_too_old_or_from_within_a_change_is_gathered_anew() {
    let stack = Stack::start().await;
    let asks_stripe = async |at| {
        stack.stripe.clear_requests();
        stack.status_at(later(at)).await;
        let asked = stack.stripe.requests().len();
        assert!([0, 2].contains(&asked), "its endpoints, and whether it lists events: {asked}");
        asked == 2
    };
    // `main` was asked for at 0, and may have been stored half a minute later.
    stack.reconcile(29, None).await;
    assert!(asks_stripe(60).await);
    stack.reconcile(30, None).await;
    assert!(!asks_stripe(60).await && !asks_stripe(30 + 900).await);
    assert!(asks_stripe(30 + 901).await);
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_read_keeps_nothing_from_working() {
    let stack = Stack::start().await;
    let client = stack.cloud.aws().dynamodb(shared::aws::CallLimits::PATIENT);
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let put = client.put_item().table_name("RegistryTable").item("kind", text("facts"));
    put.item("name", text("stack")).item("at", text("of another version")).send().await.unwrap();
    assert_eq!(stack.status().await["status"], "active");
}

#[tokio::test]
async fn a_snapshot_with_a_hole_is_gathered_anew() {
    let stack = Stack::start().await;
    stack.reconcile(60, None).await;
    let mut snapshot = stack.registry().status_rows(&[], later(60)).await.unwrap().health.unwrap();
    snapshot.secrets.insert("main".to_owned(), SecretPresence::Unknown);
    stack.registry().store_health_snapshot(&snapshot).await.unwrap();
    assert!(failing(&stack.status_at(later(120)).await).is_empty(), "Secrets Manager answers now");
}

#[tokio::test]
async fn an_old_view_of_stripe_is_an_error() {
    let stack = Stack::start().await;
    stack.reconcile(60, None).await;
    assert_eq!(stack.status_at(later(60 + 900)).await["status"], "active");
    let status = stack.status_at(later(60 + 901)).await;
    assert_eq!(failing(&status).into_iter().collect::<Vec<_>>(), ["reconciled_lately"]);
    let never = Stack::start().await;
    assert!(failing(&never.status_at(later(901)).await).contains("reconciled_lately"));
}
