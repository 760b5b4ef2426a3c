//! A stack with a Stripe key and the endpoint `main`, and a Stripe that has events.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use reconcile::{Config, Deps, ReconcileError, handle};
use serde_json::Value;
use shared::deadline::Deadline;
use shared::endpoint::{EndpointRow, EndpointSpec};
use shared::health::HealthSnapshot;
use shared::ledger::{Ledger, LedgerRow};
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::probe::{ProbeOutcome, ProbeReport};
use shared::registry::{LastProbe, Registry};
use simulated_stripe::{Fate, NewEvent, Options, SimulatedStripe};
use test_cloud::fixtures::{
    self, STRIPE_KEY_SECRET, access, api_event, endpoint_row, now, sign_in, store_endpoint, trigger_answer,
};
use test_cloud::{CapturedLines, TestCloud};

pub(crate) const SECRET: &str = "whsec_of_main";

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) stripe: SimulatedStripe,
    /// When its runs are to end.
    pub(crate) deadline: Deadline,
    pub(crate) metrics: CapturedLines,
}

pub(crate) fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

pub(crate) fn later(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

impl Stack {
    /// `main` was registered two days ago and wants events of invoices and customers.
    pub(crate) async fn start() -> Self {
        let stack = Self::bare().await;
        stack.register("main", &["customer.created", "invoice.paid"], false, ago(2 * 1_440)).await;
        stack
    }

    pub(crate) async fn bare() -> Self {
        let cloud = TestCloud::start().await;
        let stripe = SimulatedStripe::start(Options::for_tests().at(now().as_second())).unwrap();
        cloud.put_secret(STRIPE_KEY_SECRET, &stripe.key());
        let stack = Self { cloud, stripe, deadline: Deadline::NEVER, metrics: CapturedLines::default() };
        fixtures::store_settings(&stack.registry(), ago(60 * 24 * 60)).await;
        stack
    }

    pub(crate) async fn register(&self, name: &str, events: &[&str], connect: bool, at: Timestamp) {
        let url = format!("https://hooks.example.com/webhooks/{name}");
        self.register_at(&url, name, events, connect, at).await;
        // So that no run sends one to a host of the internet.
        let report = ProbeReport {
            outcome: ProbeOutcome::Stored,
            event: None,
            addresses: vec![],
            took_ms: 5,
            clock_ahead_ms: None,
        };
        let probe = LastProbe { at: now().max(at).into(), url, report };
        self.registry().record_probe(&name.parse().unwrap(), &probe).await.unwrap();
    }

    /// Removes an endpoint and registers it again for invoices.
    pub(crate) async fn register_anew(&self, name: &str, at: Timestamp) {
        let row = self.registry().endpoint(&name.parse().unwrap()).await.unwrap().unwrap();
        self.registry().remove(&row).await.unwrap();
        self.register(name, &["invoice.paid"], false, at).await;
    }

    pub(crate) async fn register_at(
        &self,
        url: &str,
        name: &str,
        events: &[&str],
        connect: bool,
        at: Timestamp,
    ) {
        let row = endpoint_row(name, events, at);
        let spec = EndpointSpec { url: url.to_owned(), connect, ..row.spec };
        store_endpoint(&self.cloud, EndpointRow { spec, ..row }, SECRET).await;
    }

    pub(crate) fn registry(&self) -> Registry {
        fixtures::registry(&self.cloud.aws())
    }

    pub(crate) fn ledger(&self) -> Ledger {
        fixtures::ledger(&self.cloud.aws())
    }

    /// The last probe of each endpoint.
    pub(crate) async fn probes(&self) -> HashMap<String, LastProbe> {
        self.registry().status_rows(&["main"], now()).await.unwrap().probes
    }

    /// A delivery comes in at `main`.
    pub(crate) async fn hear(&self, at: Timestamp) {
        self.registry().record_delivery(&"main".parse().unwrap(), 0, at).await.unwrap();
    }

    /// An event that Stripe made and sent nobody. Returns its id.
    pub(crate) fn missed(&self, event_type: &str, at: Timestamp) -> String {
        self.emit(NewEvent::new(event_type), at)
    }

    /// An event that Stripe made and could not deliver to its endpoint. Returns its id.
    pub(crate) fn undelivered(&self, event_type: &str, at: Timestamp) -> String {
        if self.stripe.endpoints().is_empty() {
            drop(self.stripe.add_endpoint("https://hooks.example.com/webhooks/main", &["*"]));
        }
        let event = self.stripe.emit(NewEvent::new(event_type).created(at.as_second())).unwrap();
        event["id"].as_str().unwrap().to_owned()
    }

    /// An event that Stripe lists and sends nobody. Returns its id.
    pub(crate) fn emit(&self, new: NewEvent, at: Timestamp) -> String {
        let event = self.stripe.emit(new.created(at.as_second()).fate(Fate::Listed)).unwrap();
        event["id"].as_str().unwrap().to_owned()
    }

    /// The function as it is after a cold start.
    pub(crate) fn cold(&self) -> Deps {
        Deps::new(Config {
            aws: self.cloud.aws(),
            mode: Mode::Test,
            metrics: Metrics::new("stack", self.metrics.clone()),
            access: access(),
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            audit_table: "AuditTable".into(),
            public_url: "https://hooks.example.com/".into(),
            stripe_api_base: self.stripe.url().parse().unwrap(),
            stripe_key_secret: STRIPE_KEY_SECRET.into(),
        })
        .unwrap()
    }

    /// A run of the schedule. Stripe's clock is set to ours.
    pub(crate) async fn run(&self, at: Timestamp) -> Value {
        self.try_run(at).await.unwrap()
    }

    pub(crate) async fn try_run(&self, at: Timestamp) -> Result<Value, ReconcileError> {
        self.stripe.advance(at.as_second() - self.stripe.now());
        let sample = include_str!("../../../../events/reconcile/schedule.json");
        handle(&self.cold(), serde_json::from_str(sample).unwrap(), &at.to_string(), at, self.deadline).await
    }

    /// A call of a user in this group.
    pub(crate) async fn call(&self, group: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let answer =
            handle(&self.cold(), request(group, method, path, &body), "request", now(), self.deadline)
                .await
                .unwrap();
        trigger_answer(&answer)
    }

    pub(crate) async fn row(&self, id: &str) -> Option<LedgerRow> {
        self.ledger().get(&id.parse().unwrap(), now()).await.unwrap()
    }

    /// What the status answers from.
    pub(crate) async fn snapshot(&self) -> HealthSnapshot {
        self.registry().status_rows(&[], now()).await.unwrap().health.unwrap()
    }
}

fn request(group: &str, method: &str, path: &str, body: &Value) -> Value {
    let sample = include_str!("../../../../events/reconcile/reconcile.json");
    let mut event = api_event(sample, method, path);
    event["body"] = body.to_string().into();
    sign_in(&mut event, "sub-1", &[group]);
    event
}
