//! A stack with a Stripe key and the endpoint `main`, and a Stripe that has events.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use reconcile::{Config, Deps, ReconcileError, handle};
use serde_json::{Value, json};
use shared::access::Access;
use shared::aws::CallLimits;
use shared::endpoint::{API_VERSION, EndpointRow, EndpointSpec, EndpointState, SecretVersion};
use shared::health::HealthSnapshot;
use shared::ledger::{Ledger, LedgerRow};
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::registry::{Registry, Settings};
use shared::unix_time::UnixMillis;
use simulated_stripe::{Fate, NewEvent, Options, SimulatedStripe};
use test_cloud::{CapturedLines, TestCloud};

pub(crate) const SECRET: &str = "whsec_of_main";

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) stripe: SimulatedStripe,
    pub(crate) run_within: Duration,
    pub(crate) metrics: CapturedLines,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
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
        cloud.put_secret("stripe-key", &stripe.key());
        let stack =
            Self { cloud, stripe, run_within: Duration::from_secs(60), metrics: CapturedLines::default() };
        let mut settings = Settings {
            since: ago(60 * 24 * 60).into(),
            stripe_key_hint: "hint".into(),
            stripe_key_set_at: UnixMillis::default(),
            stripe_account: None,
            rev: 0,
        };
        stack.registry().store_settings(None, &mut settings).await.unwrap();
        stack
    }

    pub(crate) async fn register(&self, name: &str, events: &[&str], connect: bool, at: Timestamp) {
        let url = format!("https://hooks.example.com/webhooks/{name}");
        self.register_at(&url, name, events, connect, at).await;
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
        let secret_name = format!("stack/endpoints/{name}/1");
        let value = json!({ "signing": [{ "stripe_id": format!("we_{name}"), "secret": SECRET }] });
        let version = self.cloud.put_secret(&secret_name, &value.to_string());
        let endpoint = EndpointRow {
            name: name.parse().unwrap(),
            state: EndpointState::Active,
            registration: "1".into(),
            spec: EndpointSpec {
                url: url.to_owned(),
                events: events.iter().map(|event| (*event).to_owned()).collect(),
                description: String::new(),
                api_version: API_VERSION.into(),
                connect,
            },
            stripe_id: Some(format!("we_{name}")),
            secret: Some(SecretVersion { name: secret_name, version }),
            signing_secret_hint: None,
            created_at: at.into(),
            state_since: at.into(),
            subscribed_since: at.into(),
            rotated_at: None,
            pending_change: None,
            rotation: None,
            is_replacement: false,
            rev: 0,
        };
        self.registry().insert(&endpoint).await.unwrap();
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::new(self.cloud.aws().dynamodb(CallLimits::PATIENT), "RegistryTable")
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.cloud.aws().dynamodb(CallLimits::PATIENT), "LedgerTable")
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
            stack: "stack".into(),
            metrics: Metrics::new("stack", self.metrics.clone()),
            access: Access {
                api_id: "ours".into(),
                groups_claim: "cognito:groups".into(),
                admin_group: "admin".into(),
                viewer_group: "viewer".into(),
            },
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            audit_table: "AuditTable".into(),
            public_url: "https://hooks.example.com/".into(),
            stripe_api_base: self.stripe.url().parse().unwrap(),
            stripe_key_secret: "stripe-key".into(),
            run_within: self.run_within,
            answer_within: self.run_within,
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
        handle(&self.cold(), serde_json::from_str(sample).unwrap(), &at.to_string(), at).await
    }

    /// A call of a user in this group.
    pub(crate) async fn call(&self, group: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let answer =
            handle(&self.cold(), request(group, method, path, &body), "request", now()).await.unwrap();
        let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        (answer["statusCode"].as_u64().unwrap().try_into().unwrap(), body)
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
    let mut event: Value = serde_json::from_str(sample).unwrap();
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["method"] = method.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["requestContext"]["apiId"] = "ours".into();
    event["body"] = body.to_string().into();
    let claims = json!({ "sub": "sub-1", "email": "a@example.com", "cognito:groups": [group] });
    let token = format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()));
    event["headers"]["authorization"] = format!("Bearer {token}").into();
    event["requestContext"]["authorizer"] =
        json!({ "jwt": { "claims": { "sub": "sub-1" }, "scopes": null } });
    event
}
