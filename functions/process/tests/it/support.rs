//! A stack whose ledger the tests fill, and the two ways to invoke `process`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use process::{Config, Deps, ProcessError, Summary, handle};
use serde_json::{Value, json};
use shared::aws::CallLimits;
use shared::event::{self, EventId, ParsedEvent};
use shared::ledger::{EventState, Ledger, LedgerRow};
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::payload;
use shared::records::{Record, Records};
use shared::registry::{Registry, Settings};
use shared::unix_time::UnixMillis;
use simulated_stripe::SimulatedStripe;
use test_cloud::{CapturedLines, TestCloud};

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) deps: Deps,
    pub(crate) metrics: CapturedLines,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
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
        stack.cloud.put_secret("stripe-key", &stripe.key());
        let registry = stack.registry();
        let mut settings = Settings {
            since: UnixMillis::new(0),
            stripe_key_hint: "hint".into(),
            stripe_key_set_at: UnixMillis::new(0),
            stripe_account: None,
            rev: 0,
        };
        registry.store_settings(None, &mut settings).await.unwrap();
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
            retention: "90".parse().unwrap(),
            stripe_api_base: stripe_api_base.parse().unwrap(),
            stripe_key_secret: "stripe-key".into(),
            ask_again_after: Duration::ZERO,
            metrics: Metrics::new("stack", metrics.clone()),
        })
        .unwrap();
        Self { cloud, deps, metrics }
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.cloud.aws().dynamodb(CallLimits::PATIENT), "LedgerTable")
    }

    /// Stores an event as `receive` does.
    pub(crate) async fn receive(&self, body: &str) -> LedgerRow {
        self.receive_at(body, now()).await
    }

    pub(crate) async fn receive_at(&self, body: &str, at: Timestamp) -> LedgerRow {
        let packed = payload::pack(body.as_bytes()).unwrap();
        let row = match event::read(body.as_bytes()) {
            ParsedEvent::Event(event) => LedgerRow::from_event(&event, "main", at, packed),
            ParsedEvent::Unreadable { id, reason } => LedgerRow::unreadable(id, reason, "main", at, packed),
            ParsedEvent::EventError(why) => panic!("{why}"),
        };
        self.ledger().record(&row).await.unwrap();
        row
    }

    /// Rings the doorbell for rows, as the stream does.
    pub(crate) async fn ring(&self, rows: &[LedgerRow]) -> Summary {
        self.ring_at(rows, later(1)).await.unwrap()
    }

    pub(crate) async fn ring_at(&self, rows: &[LedgerRow], at: Timestamp) -> Result<Summary, ProcessError> {
        handle(&self.deps, stream_event(rows), at).await
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::new(self.cloud.aws().dynamodb(CallLimits::PATIENT), "RegistryTable")
    }

    pub(crate) async fn sweep(&self, at: Timestamp) -> Summary {
        let sample = include_str!("../../../../events/process/sweep.json");
        handle(&self.deps, serde_json::from_str(sample).unwrap(), at).await.unwrap()
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
        Records::new(self.cloud.aws().dynamodb(CallLimits::PATIENT), "RecordsTable")
    }

    pub(crate) async fn object(&self, key: &str) -> Value {
        serde_json::from_slice(&self.record(key).await.unwrap().object().unwrap()).unwrap()
    }
}

/// A batch of the ledger's stream, after `events/process/doorbell.json`.
pub(crate) fn stream_event(rows: &[LedgerRow]) -> Value {
    let sample: Value =
        serde_json::from_str(include_str!("../../../../events/process/doorbell.json")).unwrap();
    let records = rows.iter().map(|row| {
        let mut record = sample["Records"][0].clone();
        let image: serde_dynamo::Item = serde_dynamo::to_item(row).unwrap();
        record["dynamodb"]["NewImage"] = serde_json::to_value(image).unwrap();
        record["dynamodb"]["Keys"] = json!({ "id": { "S": row.id.as_str() }, "part": { "N": "0" } });
        record
    });
    json!({ "Records": records.collect::<Vec<_>>() })
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

pub(crate) fn event(id: &str, event_type: &str, created: i64, object: &Value) -> String {
    json!({
        "id": id, "object": "event", "type": event_type, "created": created, "livemode": false,
        "api_version": "2026-07-29.dahlia", "data": { "object": object },
    })
    .to_string()
}

pub(crate) fn samples() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}
