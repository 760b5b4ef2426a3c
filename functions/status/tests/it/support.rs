//! A stack with an endpoint that is at Stripe as well, and calls for its status.

use std::collections::BTreeSet;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::aws::CallLimits;
use shared::deadline::Deadline;
use shared::endpoint::{API_VERSION, EndpointRow, EndpointState};
use shared::ledger::{EventState, Ledger, Transition};
use shared::mode::Mode;
use shared::object_key::ObjectKey;
use shared::probe::{ProbeOutcome, ProbeReport};
use shared::records::{ListProgress, Obstacle, PayoutTransactions, Provenance, Put, Record};
use shared::registry::{FinishedBalancePass, LastProbe, PayoutProgress, Registry, Sampled};
use shared::unix_time::UnixSeconds;
use simulated_stripe::{EndpointChange, Options, SimulatedStripe};
use status::{Config, Deps, handle};
use test_cloud::TestCloud;
use test_cloud::fixtures::{
    self, STRIPE_KEY_SECRET, access, api_event, endpoint_row, http_request, now, retention, sign_in,
    status_and_body, store_endpoint,
};

const SAMPLE: &str = include_str!("../../../../events/status/status.json");

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) stripe: SimulatedStripe,
    /// How long a request waits for what does not answer, if that is bounded.
    pub(crate) patience: Option<Duration>,
    /// The side of Stripe that the stack serves.
    pub(crate) mode: Mode,
}

pub(crate) fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl Stack {
    /// A test stack with nothing in it.
    pub(crate) async fn bare() -> Self {
        let cloud = TestCloud::start().await;
        cloud.put_secret(STRIPE_KEY_SECRET, "{}");
        let stripe = SimulatedStripe::start(Options::for_tests().at(now().as_second())).unwrap();
        Self { cloud, stripe, patience: None, mode: Mode::Test }
    }

    /// This stack, in whose requests what does not answer is given up: late enough for all that answers, on
    /// however busy a machine.
    pub(crate) fn giving_up(self) -> Self {
        Self { patience: Some(Duration::from_secs(6)), ..self }
    }

    /// A test stack with a key and the endpoint `main`.
    pub(crate) async fn start() -> Self {
        let stack = Self::bare().await;
        stack.set_key().await;
        stack.add_endpoint("main").await;
        stack.hear("main", now()).await;
        stack
    }

    pub(crate) async fn set_key(&self) {
        self.cloud.put_secret(STRIPE_KEY_SECRET, &self.stripe.key());
        fixtures::store_settings(&self.registry(), now()).await;
    }

    /// An endpoint as `register` leaves it.
    pub(crate) async fn add_endpoint(&self, name: &str) -> EndpointRow {
        let url = format!("https://hooks.example.com/webhooks/{name}");
        let events = ["invoice.paid", "refund.created"];
        let at_stripe = self.stripe.add_endpoint(&url, &events);
        let change = EndpointChange { api_version: Some(API_VERSION.into()), ..EndpointChange::default() };
        self.stripe.change_endpoint(&at_stripe.id, change).unwrap();
        let row = EndpointRow { stripe_id: Some(at_stripe.id), ..endpoint_row(name, &events, now()) };
        store_endpoint(&self.cloud, row, &at_stripe.secret).await
    }

    /// A delivery comes in.
    pub(crate) async fn hear(&self, name: &str, at: Timestamp) {
        self.registry().record_delivery(&name.parse().unwrap(), 0, at).await.unwrap();
    }

    /// A probe is sent to `main`, and comes to this.
    pub(crate) async fn probe(&self, outcome: ProbeOutcome, at: Timestamp) {
        let name = "main".parse().unwrap();
        let row = self.registry().endpoint(&name).await.unwrap().unwrap();
        let report =
            ProbeReport { outcome, event: None, addresses: vec![], took_ms: 5, clock_ahead_ms: None };
        let probe = LastProbe { at: at.into(), url: row.spec.url, report };
        self.registry().record_probe(&name, &probe).await.unwrap();
    }

    /// Puts `main` into this state.
    pub(crate) async fn set_state(&self, state: EndpointState) {
        let row = self.registry().endpoint(&"main".parse().unwrap()).await.unwrap().unwrap();
        let mut changed = EndpointRow { state, ..row.clone() };
        self.registry().replace(&row, &mut changed).await.unwrap();
    }

    /// The id of `main` at Stripe.
    pub(crate) fn id(&self) -> String {
        self.stripe.endpoints().remove(0).id
    }

    /// Changes `main` at Stripe.
    pub(crate) fn change(&self, change: EndpointChange) {
        self.stripe.change_endpoint(&self.id(), change).unwrap();
    }

    /// An event in this state.
    pub(crate) async fn event(&self, id: &str, state: EventState) {
        let invoice = json!({ "object": "invoice", "id": "in_1" });
        let body = fixtures::event(id, "invoice.paid", 1_785_000_000, &invoice);
        let row = fixtures::receive(&self.ledger(), &body, now()).await;
        if row.state != state {
            self.ledger()
                .transition(&row, &Transition::with_reason(state, "for a test"), retention(), now())
                .await
                .unwrap();
        }
    }

    /// A record whose events could not be put in order, or could since.
    pub(crate) async fn uncertain_record(&self, id: &str, order_uncertain: bool) {
        let object = json!({ "object": "subscription", "id": id, "created": 5 });
        let provenance = Provenance {
            as_of: UnixSeconds::new(if order_uncertain { 5 } else { 6 }),
            event: Some("evt_1".parse().unwrap()),
            events: vec!["evt_1".parse().unwrap()],
            deleted: false,
            order_uncertain,
            fetched: false,
        };
        let key = ObjectKey::new(None, "subscription", id).unwrap();
        let record = Record::new(key, provenance, object.to_string().as_bytes(), &object).unwrap();
        let records = fixtures::records(&self.cloud.aws());
        assert_eq!(records.put_if_newer(&record).await.unwrap(), Put::Done);
    }

    /// A payout of 5, reconciled, whose transactions come to so much. It is of the second at which the status
    /// is asked for.
    pub(crate) async fn payout(&self, status: &str, net: i64) {
        let object = json!({
            "object": "payout", "id": "po_1", "amount": 5, "currency": "usd", "automatic": true,
            "status": status, "reconciliation_status": "completed", "created": 5, "arrival_date": 5,
        });
        let provenance = Provenance {
            as_of: later(1_200).into(),
            event: Some("evt_po".parse().unwrap()),
            events: vec!["evt_po".parse().unwrap()],
            deleted: false,
            order_uncertain: false,
            fetched: false,
        };
        let key = ObjectKey::new(None, "payout", "po_1").unwrap();
        let mut transactions = PayoutTransactions { complete: true, ..PayoutTransactions::default() };
        let transaction = json!({ "type": "charge", "currency": "usd", "amount": net, "fee": 0, "net": net, "source": "ch_1" });
        transactions.add(&object, &transaction);
        let record = Record::new(key.clone(), provenance, object.to_string().as_bytes(), &object).unwrap();
        let record = record.with_transactions(transactions);
        let records = fixtures::records(&self.cloud.aws());
        let put = match records.get(&key).await.unwrap() {
            Some(old) => records.replace(&old, &record).await,
            None => records.put_if_newer(&record).await,
        };
        assert_eq!(put.unwrap(), Put::Done);
    }

    /// Stores that the night's lists of payouts were gone through then.
    pub(crate) async fn payouts_listed(&self, at: Timestamp) {
        let (begun_at, finished_at) = (at.into(), at.into());
        let (looked_at, written, refused) = (0, 0, Sampled::default());
        let last = Some(FinishedBalancePass {
            begun_at,
            finished_at,
            listed_until: UnixSeconds::MAX,
            looked_at,
            written,
            refused,
            connected_failure: None,
        });
        let progress = PayoutProgress { last, ..PayoutProgress::default() };
        self.registry().store_payout_progress(&progress).await.unwrap();
    }

    /// A record of an invoice whose lines Stripe refuses, or lists since.
    pub(crate) async fn record_without_all_lines(&self, is_refused: bool) {
        let lines = json!({ "object": "list", "data": [], "has_more": is_refused });
        let object = json!({ "object": "invoice", "id": "in_1", "created": 5, "lines": lines });
        let provenance = Provenance {
            as_of: UnixSeconds::new(if is_refused { 5 } else { 6 }),
            event: Some("evt_1".parse().unwrap()),
            events: vec!["evt_1".parse().unwrap()],
            deleted: false,
            order_uncertain: false,
            fetched: false,
        };
        let key = ObjectKey::new(None, "invoice", "in_1").unwrap();
        let mut record = Record::new(key, provenance, object.to_string().as_bytes(), &object).unwrap();
        if is_refused {
            let obstacle = Some(Obstacle::Refused(shared::stripe::StripeFailure::happened("it may not")));
            record = record.with_list(ListProgress { obstacle, ..ListProgress::begun("lines") });
        }
        let records = fixtures::records(&self.cloud.aws());
        assert_eq!(records.put_if_newer(&record).await.unwrap(), Put::Done);
    }

    /// Marks an event as processed.
    pub(crate) async fn mark_processed(&self, id: &str) {
        let row = self.ledger().get(&id.parse().unwrap(), now()).await.unwrap().unwrap();
        self.ledger()
            .transition(&row, &Transition::to(EventState::Processed), retention(), now())
            .await
            .unwrap();
    }

    pub(crate) fn registry(&self) -> Registry {
        fixtures::registry(&self.cloud.aws())
    }

    pub(crate) fn ledger(&self) -> Ledger {
        fixtures::ledger(&self.cloud.aws())
    }

    /// The function as it is after a cold start.
    pub(crate) fn cold(&self) -> Deps {
        Deps::new(Config {
            aws: self.cloud.aws(),
            // The real ones where something hangs; else a busy machine must not look like an outage.
            call_limits: if self.patience.is_some() { CallLimits::RECEIVE } else { CallLimits::PATIENT },
            mode: self.mode,
            registry_table: "RegistryTable".into(),
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            public_url: "https://hooks.example.com/".into(),
            stripe_api_base: self.stripe.url().parse().unwrap(),
            stripe_key_secret: STRIPE_KEY_SECRET.into(),
            rotate_days: 0,
            access: access(),
        })
        .unwrap()
    }

    /// A viewer's call after a cold start, long after the one before: Stripe may be asked again. Stripe's
    /// clock is set to ours.
    pub(crate) async fn call_at(&self, at: Timestamp, path: &str) -> (u16, Value) {
        self.forget_what_stripe_said().await;
        self.call_again_at(at, path).await
    }

    /// A viewer's call after a cold start.
    pub(crate) async fn call_again_at(&self, at: Timestamp, path: &str) -> (u16, Value) {
        self.stripe.advance(at.as_second() - self.stripe.now());
        let deadline = self.patience.map_or(Deadline::NEVER, Deadline::after);
        let deps = self.cold();
        let answer = Box::pin(handle(&deps, request(Some(&["viewer"]), "GET", path), at, deadline));
        let answer = match self.patience {
            // Many times its deadline, so that a busy machine is none that fails.
            Some(patience) => tokio::time::timeout(patience * 10, answer).await.expect("an answer in time"),
            None => answer.await,
        };
        status_and_body(answer)
    }

    async fn forget_what_stripe_said(&self) {
        let client = self.cloud.aws().dynamodb(CallLimits::PATIENT);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let delete = client.delete_item().table_name("RegistryTable");
        delete.key("kind", text("look")).key("name", text("status")).send().await.unwrap();
    }

    pub(crate) async fn status(&self) -> Value {
        self.status_at(now()).await
    }

    pub(crate) async fn status_at(&self, at: Timestamp) -> Value {
        let (status, body) = self.call_at(at, "/status").await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

/// The sample request with another method and path; with groups, as a signed-in user's.
pub(crate) fn request(groups: Option<&[&str]>, method: &str, path: &str) -> lambda_http::Request {
    let mut event = api_event(SAMPLE, method, path);
    if let Some(groups) = groups {
        sign_in(&mut event, "s", groups);
    }
    http_request(&event)
}

pub(crate) fn sample() -> Value {
    serde_json::from_str(SAMPLE).unwrap()
}

/// The codes of all checks that fail.
pub(crate) fn failing(status: &Value) -> BTreeSet<String> {
    with_outcome(status, "failed")
}

/// The codes of all checks that come to this.
pub(crate) fn with_outcome(status: &Value, outcome: &str) -> BTreeSet<String> {
    let with_outcome = checks(status).into_iter().filter(|check| check["outcome"] == outcome);
    with_outcome.map(|check| check["code"].as_str().unwrap().into()).collect()
}

/// All checks, of the stack and of its endpoints.
pub(crate) fn checks(status: &Value) -> Vec<Value> {
    let checks = |holder: &Value| holder["checks"].as_array().cloned().unwrap_or_default();
    let endpoints = status["endpoints"].as_array().cloned().unwrap_or_default();
    checks(status).into_iter().chain(endpoints.iter().flat_map(checks)).collect()
}
