//! A stack with an endpoint that is at Stripe as well, and calls for its status.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Response};
use serde_json::{Value, json};
use shared::access::Access;
use shared::aws::CallLimits;
use shared::endpoint::{API_VERSION, EndpointRow, EndpointSpec, EndpointState, SecretVersion};
use shared::event::{self, ParsedEvent};
use shared::ledger::{EventState, Ledger, LedgerRow, Transition};
use shared::mode::Mode;
use shared::object_key::ObjectKey;
use shared::payload;
use shared::records::{Provenance, Put, Record, Records};
use shared::registry::{Registry, Settings};
use shared::unix_time::UnixSeconds;
use simulated_stripe::{EndpointChange, Options, SimulatedStripe};
use status::{Config, Deps, handle};
use test_cloud::TestCloud;

pub(crate) const KEY_SECRET: &str = "stripe-key";

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) stripe: SimulatedStripe,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(crate) fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl Stack {
    /// A test stack with nothing in it.
    pub(crate) async fn bare() -> Self {
        let cloud = TestCloud::start().await;
        cloud.put_secret(KEY_SECRET, "{}");
        Self { cloud, stripe: SimulatedStripe::start(Options::for_tests().at(now().as_second())).unwrap() }
    }

    /// A test stack with a key and the endpoint `main`.
    pub(crate) async fn start() -> Self {
        let stack = Self::bare().await;
        stack.set_key().await;
        stack.add_endpoint("main").await;
        stack
    }

    pub(crate) async fn set_key(&self) {
        self.cloud.put_secret(KEY_SECRET, &self.stripe.key());
        let mut settings = Settings {
            since: now().into(),
            stripe_key_hint: "sk_test_…ated".into(),
            stripe_key_set_at: now().into(),
            stripe_account: None,
            rev: 0,
        };
        self.registry().store_settings(None, &mut settings).await.unwrap();
    }

    /// An endpoint as `register` leaves it.
    pub(crate) async fn add_endpoint(&self, name: &str) -> EndpointRow {
        let url = format!("https://hooks.example.com/webhooks/{name}");
        let events = ["invoice.paid", "refund.created"];
        let at_stripe = self.stripe.add_endpoint(&url, &events);
        let change = EndpointChange { api_version: Some(API_VERSION.into()), ..EndpointChange::default() };
        self.stripe.change_endpoint(&at_stripe.id, change).unwrap();
        let secret_name = format!("stack/endpoints/{name}/1");
        let value = json!({ "signing": [{ "stripe_id": at_stripe.id, "secret": at_stripe.secret }] });
        let version = self.cloud.put_secret(&secret_name, &value.to_string());
        let row = EndpointRow {
            name: name.parse().unwrap(),
            state: EndpointState::Active,
            registration: "1".into(),
            spec: EndpointSpec {
                url,
                events: events.map(str::to_owned).to_vec(),
                description: String::new(),
                api_version: API_VERSION.into(),
                connect: false,
            },
            stripe_id: Some(at_stripe.id),
            secret: Some(SecretVersion { name: secret_name, version }),
            signing_secret_hint: None,
            created_at: now().into(),
            state_since: now().into(),
            subscribed_since: now().into(),
            rotated_at: None,
            pending_change: None,
            rotation: None,
            is_replacement: false,
            rev: 0,
        };
        self.registry().insert(&row).await.unwrap();
        row
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
        let body = json!({
            "id": id, "object": "event", "type": "invoice.paid", "created": 1_785_000_000, "livemode": false,
            "api_version": API_VERSION, "data": { "object": { "object": "invoice", "id": "in_1" } },
        })
        .to_string();
        let ParsedEvent::Event(event) = event::read(body.as_bytes()) else { panic!("unreadable") };
        let packed = payload::pack(body.as_bytes()).unwrap();
        let row = LedgerRow::from_event(&event, "main", now(), packed);
        self.ledger().record(&row).await.unwrap();
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
        let records = Records::new(self.cloud.aws().dynamodb(CallLimits::PATIENT), "RecordsTable");
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
        Registry::new(self.cloud.aws().dynamodb(CallLimits::PATIENT), "RegistryTable")
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.cloud.aws().dynamodb(CallLimits::PATIENT), "LedgerTable")
    }

    /// The function as it is after a cold start.
    pub(crate) fn cold(&self) -> Deps {
        Deps::new(Config {
            aws: self.cloud.aws(),
            mode: Mode::Test,
            stack: "stack".into(),
            registry_table: "RegistryTable".into(),
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            public_url: "https://hooks.example.com/".into(),
            stripe_api_base: self.stripe.url().parse().unwrap(),
            stripe_key_secret: KEY_SECRET.into(),
            rotate_days: 0,
            access: Access {
                api_id: "ours".into(),
                groups_claim: "cognito:groups".into(),
                admin_group: "admin".into(),
                viewer_group: "viewer".into(),
            },
        })
        .unwrap()
    }

    /// A viewer's call after a cold start. Stripe's clock is set to ours.
    pub(crate) async fn call_at(&self, at: Timestamp, path: &str) -> (u16, Value) {
        self.stripe.advance(at.as_second() - self.stripe.now());
        answer(handle(&self.cold(), request(Some(json!(["viewer"])), "GET", path), at).await)
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
pub(crate) fn request(groups: Option<Value>, method: &str, path: &str) -> lambda_http::Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut event = sample();
    event["rawPath"] = path.into();
    event["rawQueryString"] = query.into();
    event["requestContext"]["http"]["method"] = method.into();
    event["requestContext"]["http"]["path"] = path.into();
    if let Some(groups) = groups {
        let claims = json!({ "sub": "s", "cognito:groups": groups });
        event["requestContext"]["apiId"] = "ours".into();
        event["requestContext"]["authorizer"] =
            json!({ "jwt": { "claims": { "sub": "s" }, "scopes": null } });
        let token = format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()));
        event["headers"]["authorization"] = format!("Bearer {token}").into();
    }
    from_event(&event)
}

pub(crate) fn sample() -> Value {
    serde_json::from_str(include_str!("../../../../events/status/status.json")).unwrap()
}

pub(crate) fn from_event(event: &Value) -> lambda_http::Request {
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

pub(crate) fn answer(response: Response<Body>) -> (u16, Value) {
    let body: &[u8] = response.body();
    (response.status().as_u16(), serde_json::from_slice(body).unwrap())
}

/// The codes of all checks that fail.
pub(crate) fn failing(status: &Value) -> BTreeSet<String> {
    let checks = |holder: &Value| holder["checks"].as_array().cloned().unwrap_or_default();
    let endpoints = status["endpoints"].as_array().cloned().unwrap_or_default();
    let all = checks(status).into_iter().chain(endpoints.iter().flat_map(checks));
    all.filter(|check| check["ok"] == false).map(|check| check["code"].as_str().unwrap().into()).collect()
}

pub(crate) fn retention() -> shared::ledger::Retention {
    "90".parse().unwrap()
}
