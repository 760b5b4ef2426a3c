//! A stack whose ledger the tests fill, and the two ways to invoke `process`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use process::{Config, Deps, ProcessError, Summary, handle};
use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::event::EventId;
use shared::ledger::{EventState, Ledger, LedgerRow};
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::records::{Record, Records};
use shared::registry::Registry;
use shared::unix_time::UnixMillis;
use simulated_stripe::SimulatedStripe;
use test_cloud::fixtures::{self, STRIPE_KEY_SECRET, doorbell, event, now, retention};
use test_cloud::{CapturedLines, TestCloud};

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) deps: Deps,
    pub(crate) metrics: CapturedLines,
}

pub(crate) fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl Stack {
    /// A stack without a Stripe key: Stripe cannot be asked.
    pub(crate) async fn start() -> Self {
        Self::at("http://127.0.0.1:1").await
    }

    /// A stack that can ask this Stripe.
    pub(crate) async fn with(stripe: &SimulatedStripe) -> Self {
        let stack = Self::at(stripe.url()).await;
        stack.cloud.put_secret(STRIPE_KEY_SECRET, &stripe.key());
        fixtures::store_settings(&stack.registry(), UnixMillis::new(0)).await;
        stack
    }

    async fn at(stripe_api_base: &str) -> Self {
        let cloud = TestCloud::start().await;
        let metrics = CapturedLines::default();
        let deps = Deps::new(Config {
            aws: cloud.aws(),
            mode: Mode::Test,
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            retention: retention(),
            stripe_api_base: stripe_api_base.parse().unwrap(),
            stripe_key_secret: STRIPE_KEY_SECRET.into(),
            ask_again_after: Duration::ZERO,
            metrics: Metrics::new("stack", metrics.clone()),
        })
        .unwrap();
        Self { cloud, deps, metrics }
    }

    pub(crate) fn ledger(&self) -> Ledger {
        fixtures::ledger(&self.cloud.aws())
    }

    /// Stores an event as `receive` does.
    pub(crate) async fn receive(&self, body: &str) -> LedgerRow {
        self.receive_at(body, now()).await
    }

    pub(crate) async fn receive_at(&self, body: &str, at: Timestamp) -> LedgerRow {
        fixtures::receive(&self.ledger(), body, at).await
    }

    /// Rings the doorbell for rows, as the stream does.
    pub(crate) async fn ring(&self, rows: &[LedgerRow]) -> Summary {
        self.ring_at(rows, later(1)).await.unwrap()
    }

    pub(crate) async fn ring_at(&self, rows: &[LedgerRow], at: Timestamp) -> Result<Summary, ProcessError> {
        handle(&self.deps, doorbell(rows), at, Deadline::NEVER).await
    }

    pub(crate) fn registry(&self) -> Registry {
        fixtures::registry(&self.cloud.aws())
    }

    pub(crate) async fn sweep(&self, at: Timestamp) -> Summary {
        self.sweep_until(Deadline::NEVER, at).await
    }

    pub(crate) async fn sweep_until(&self, deadline: Deadline, at: Timestamp) -> Summary {
        handle(&self.deps, fixtures::sweep(), at, deadline).await.unwrap()
    }

    pub(crate) async fn state(&self, id: &str) -> (EventState, Option<String>) {
        let row = self.row(id).await;
        (row.state, row.reason)
    }

    pub(crate) async fn row(&self, id: &str) -> LedgerRow {
        self.ledger().get(&id.parse::<EventId>().unwrap(), now()).await.unwrap().unwrap()
    }

    pub(crate) async fn record(&self, key: &str) -> Option<Record> {
        self.records().get(&key.parse().unwrap()).await.unwrap()
    }

    pub(crate) fn records(&self) -> Records {
        fixtures::records(&self.cloud.aws())
    }

    pub(crate) async fn object(&self, key: &str) -> Value {
        serde_json::from_slice(&self.record(key).await.unwrap().object().unwrap()).unwrap()
    }
}

pub(crate) fn subscription(id: &str, event_type: &str, created: i64, status: &str) -> String {
    event(
        id,
        &format!("customer.subscription.{event_type}"),
        created,
        &json!({
            "object": "subscription", "id": "sub_1", "customer": "cus_1", "created": 1_785_000_000, "status": status,
        }),
    )
}

pub(crate) fn samples() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}
