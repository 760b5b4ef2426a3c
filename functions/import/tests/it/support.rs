//! A stack with a Stripe key, and a Stripe whose objects were there before.

use std::time::Duration;

use import::{Config, Deps, ImportError, handle};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::aws::AwsEnv;
use shared::deadline::Deadline;
use shared::endpoint::{EndpointRow, EndpointSpec};
use shared::ledger::{Ledger, LedgerRow};
use shared::lossy_json;
use shared::records::{Record, Records};
use shared::registry::{
    DriftProgress, DriftReport, FinishedBalancePass, FinishedPass, PayoutProgress, ReconcileProgress,
    Registry, Sampled,
};
use shared::unix_time::UnixMillis;
use simulated_stripe::{Options, SimulatedStripe};
use test_cloud::TestCloud;
use test_cloud::fixtures::{
    self, STRIPE_KEY_SECRET, access, api_event, endpoint_row, now, retention, sign_in, store_endpoint,
    trigger_answer,
};

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) stripe: SimulatedStripe,
    /// When its scheduled runs are to end.
    pub(crate) deadline: Deadline,
    /// Whether reconciliation compares events with the ledger beside it.
    pub(crate) reconciles: bool,
    /// Whether its nights list payouts and balance transactions, too.
    pub(crate) lists_payouts: bool,
}

pub(crate) fn later(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

pub(crate) fn ago(minutes: i64) -> Timestamp {
    later(-minutes)
}

/// Registers an endpoint that listens to connected accounts.
pub(crate) async fn listen_to_connected_accounts(stack: &Stack) {
    let row = endpoint_row("connected", &["customer.updated"], now());
    let spec = EndpointSpec { connect: true, ..row.spec };
    store_endpoint(&stack.cloud, EndpointRow { spec, ..row }, "whsec_connected").await;
}

/// How often the connected accounts were listed.
pub(crate) fn account_lists(stack: &Stack) -> usize {
    stack.stripe.requests().iter().filter(|call| call.path == "/v1/accounts").count()
}

impl Stack {
    /// A stack whose nightly comparison is finished, so that runs only import.
    pub(crate) async fn start() -> Self {
        let stack = Self::new().await;
        stack.comparison_finished(now()).await;
        stack
    }

    /// A stack in which nothing has been compared yet.
    pub(crate) async fn new() -> Self {
        let cloud = TestCloud::start().await;
        let stripe = SimulatedStripe::start(Options::for_tests().at(now().as_second())).unwrap();
        cloud.put_secret(STRIPE_KEY_SECRET, &stripe.key());
        let stack = Self { cloud, stripe, deadline: Deadline::NEVER, reconciles: true, lists_payouts: false };
        fixtures::store_settings(&stack.registry(), UnixMillis::default()).await;
        stack.payouts_listed(now()).await;
        stack
    }

    /// Stores that a comparison of all events up to then is finished.
    pub(crate) async fn comparison_finished(&self, at: Timestamp) {
        let at = UnixMillis::from(at);
        let last = FinishedPass { begun_at: at, finished_at: at, until: at, report: DriftReport::default() };
        let progress = DriftProgress { last: Some(last), ..DriftProgress::default() };
        self.registry().store_drift_progress(&progress).await.unwrap();
    }

    /// Stores that the night's lists of payouts and transactions were gone through then.
    pub(crate) async fn payouts_listed(&self, at: Timestamp) {
        let listed_until = at.into();
        let at = UnixMillis::from(at);
        let (looked_at, written, refused) = (0, 0, Sampled::default());
        let last = Some(FinishedBalancePass {
            begun_at: at,
            finished_at: at,
            listed_until,
            looked_at,
            written,
            refused,
            connected_failure: None,
        });
        let progress = PayoutProgress { last, ..PayoutProgress::default() };
        self.registry().store_payout_progress(&progress).await.unwrap();
    }

    /// Stores that events are compared with the ledger up to then, as `reconcile` does.
    pub(crate) async fn events_compared(&self, until: Timestamp) {
        for account in ["-", "acct_1"] {
            let compared =
                ReconcileProgress { until: until.into(), unfinished: None, failed: false, refused_at: None };
            self.registry().store_reconcile_progress(&account.parse().unwrap(), &compared).await.unwrap();
        }
    }

    pub(crate) async fn comparison(&self) -> DriftProgress {
        self.registry().scheduled_work().await.unwrap().drift
    }

    /// What the last comparison found.
    pub(crate) async fn report(&self) -> DriftReport {
        self.comparison().await.last.expect("it is finished").report
    }

    pub(crate) fn registry(&self) -> Registry {
        fixtures::registry(&self.cloud.direct_aws())
    }

    pub(crate) fn ledger(&self) -> Ledger {
        fixtures::ledger(&self.cloud.direct_aws())
    }

    pub(crate) fn records(&self) -> Records {
        fixtures::records(&self.cloud.direct_aws())
    }

    pub(crate) async fn record(&self, key: &str) -> Option<Record> {
        self.records().get(&key.parse().unwrap()).await.unwrap()
    }

    /// The object that a record shows.
    pub(crate) async fn object(&self, key: &str) -> Value {
        lossy_json::from_slice(&self.record(key).await.unwrap().object().unwrap()).unwrap()
    }

    /// How many records there are.
    pub(crate) async fn count(&self) -> usize {
        self.cloud.items("RecordsTable").await.len()
    }

    /// An object that Stripe has and made no event of.
    pub(crate) fn put(&self, object: &Value) {
        self.stripe.put_object(None, object);
    }

    /// Puts objects `<prefix>_0000` and so on at Stripe, each a minute younger than the one before.
    pub(crate) fn put_many(&self, object: &str, prefix: &str, count: i64) {
        for i in 0..count {
            let created = ago(100_000 - i).as_second();
            self.put(
                &json!({ "object": object, "id": format!("{prefix}_{i:04}"), "created": created, "n": i }),
            );
        }
    }

    /// A process that has just started.
    pub(crate) fn cold(&self) -> Deps {
        self.cold_at(self.cloud.aws())
    }

    pub(crate) fn cold_at(&self, aws: AwsEnv) -> Deps {
        Deps::new(Config {
            aws,
            access: access(),
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            audit_table: "AuditTable".into(),
            stripe_api_base: self.stripe.url().parse().unwrap(),
            stripe_key_secret: STRIPE_KEY_SECRET.into(),
            stripe_call_interval: Duration::ZERO,
        })
        .unwrap()
    }

    /// A scheduled run. Stripe's clock shows the same time.
    pub(crate) async fn run(&self, at: Timestamp) -> Value {
        self.try_run(&self.cold(), at).await.unwrap()
    }

    pub(crate) async fn try_run(&self, deps: &Deps, at: Timestamp) -> Result<Value, ImportError> {
        self.stripe.advance(at.as_second() - self.stripe.now());
        if !self.lists_payouts {
            self.payouts_listed(at).await;
        }
        if self.reconciles {
            self.events_compared(at - SignedDuration::from_mins(5)).await;
        }
        handle(deps, schedule(), &at.to_string(), at, self.deadline).await
    }

    /// A request of somebody in this group.
    pub(crate) async fn call(&self, group: &str, method: &str, body: Value) -> (u16, Value) {
        self.call_to("/import", group, method, body).await
    }

    pub(crate) async fn call_to(&self, path: &str, group: &str, method: &str, body: Value) -> (u16, Value) {
        let request = request(path, group, method, &body);
        let response = handle(&self.cold(), request, "request", now(), Deadline::NEVER).await.unwrap();
        trigger_answer(&response)
    }

    /// Starts an import as an admin.
    pub(crate) async fn import(&self, spec: Value) {
        let (status, answer) = self.call("admin", "POST", spec).await;
        assert_eq!((status, &answer["state"]), (202, &json!("running")), "{answer}");
    }

    /// How far the import is.
    pub(crate) async fn progress(&self) -> Value {
        let (status, answer) = self.call("viewer", "GET", Value::Null).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Stores an event as `receive` does.
    pub(crate) async fn receive(&self, body: &str, at: Timestamp) -> LedgerRow {
        fixtures::receive(&self.ledger(), body, at).await
    }

    /// Stores an event that is received at `at` and lets the real `process` apply it.
    pub(crate) async fn apply(&self, body: &str, at: Timestamp) {
        self.receive(body, at).await;
        // The sweep leaves an event to the stream for two minutes.
        self.sweep(at + SignedDuration::from_mins(3)).await;
    }

    /// Lets the real `process` apply what is due.
    pub(crate) async fn sweep(&self, at: Timestamp) {
        let deps = process::Deps::new(process::Config {
            aws: self.cloud.aws(),
            mode: shared::mode::Mode::Test,
            metrics: shared::metrics::Metrics::new("stack", std::io::sink()),
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            retention: retention(),
            stripe_api_base: self.stripe.url().parse().unwrap(),
            stripe_key_secret: STRIPE_KEY_SECRET.into(),
            ask_again_after: Duration::ZERO,
        })
        .unwrap();
        process::handle(&deps, fixtures::sweep(), at, Deadline::NEVER).await.unwrap();
    }
}

pub(crate) fn schedule() -> Value {
    serde_json::from_str(include_str!("../../../../events/import/schedule.json")).unwrap()
}

/// An event of Stripe's about an object, stamped at `created`.
pub(crate) fn event(id: &str, event_type: &str, created: Timestamp, object: &Value) -> String {
    fixtures::event(id, event_type, created.as_second(), object)
}

pub(crate) fn customer(id: &str, email: &str) -> Value {
    json!({ "object": "customer", "id": id, "created": ago(100_000).as_second(), "email": email })
}

/// A value nested deeper than any program here reads.
pub(crate) fn nested() -> Value {
    (0..130).fold(Value::Null, |inner, _| json!([inner]))
}

fn request(path: &str, group: &str, method: &str, body: &Value) -> Value {
    let sample = match method {
        "GET" => include_str!("../../../../events/import/import.json"),
        "DELETE" => include_str!("../../../../events/import/stop-import.json"),
        _ => include_str!("../../../../events/import/start-import.json"),
    };
    let mut event = api_event(sample, method, path);
    if !body.is_null() {
        event["body"] = body.to_string().into();
    }
    sign_in(&mut event, "sub-1", &[group]);
    event
}
