//! A stack with one endpoint, and helpers that deliver to it.

use base64::Engine;
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Response};
use receive::{Config, Deps, handle};
use serde_json::{Value, json};
use shared::aws::CallLimits;
use shared::endpoint::{EndpointRow, EndpointSpec, EndpointState, SecretVersion};
use shared::event::EventId;
use shared::ledger::{Ledger, LedgerRow};
use shared::metrics::Metrics;
use shared::registry::Registry;
use shared::secret::SigningSecret;
use shared::signature::sign;
use test_cloud::{CapturedLines, TestCloud};

pub(crate) const SECRET: &str = "whsec_main_secret";

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) metrics: CapturedLines,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(crate) fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl Stack {
    /// A test stack with the endpoint `main`.
    pub(crate) async fn start() -> Self {
        let stack = Self { cloud: TestCloud::start().await, metrics: CapturedLines::default() };
        stack.register("main", SECRET).await;
        stack
    }

    pub(crate) async fn register(&self, name: &str, secret: &str) {
        let secret_name = format!("stack/endpoints/{name}/1");
        let value = json!({ "signing": [{ "stripe_id": "we_1", "secret": secret }] });
        let version = self.cloud.put_secret(&secret_name, &value.to_string());
        let endpoint = EndpointRow {
            name: name.parse().unwrap(),
            state: EndpointState::Active,
            registration: "1".into(),
            spec: EndpointSpec {
                url: format!("https://example.com/webhooks/{name}"),
                events: vec!["invoice.paid".into()],
                description: String::new(),
                api_version: "2026-07-29.dahlia".into(),
                connect: false,
            },
            stripe_id: Some("we_1".into()),
            secret: Some(SecretVersion { name: secret_name, version }),
            signing_secret_hint: Some("cret".into()),
            created_at: now().into(),
            state_since: now().into(),
            subscribed_since: now().into(),
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

    pub(crate) async fn row(&self, id: &str) -> Option<LedgerRow> {
        self.ledger().get(&id.parse::<EventId>().unwrap(), now()).await.unwrap()
    }

    /// A process that has just started and has read nothing.
    pub(crate) fn cold(&self) -> Deps {
        Deps::new(Config {
            aws: self.cloud.aws(),
            ledger_table: "LedgerTable".into(),
            registry_table: "RegistryTable".into(),
            metrics: Metrics::new("stack", self.metrics.clone()),
        })
    }

    /// A process that has taken a delivery before, with its calls forgotten.
    pub(crate) async fn warm(&self) -> Deps {
        let deps = self.cold();
        let (status, _) = deliver(&deps, &event("evt_warm"), now()).await;
        assert_eq!(status, 200);
        self.cloud.clear_calls();
        deps
    }
}

pub(crate) fn event(id: &str) -> String {
    json!({
        "id": id, "object": "event", "type": "invoice.paid", "created": 1_785_000_000, "livemode": false,
        "api_version": "2026-07-29.dahlia",
        "data": { "object": { "object": "invoice", "id": "in_1", "status": "paid" } },
    })
    .to_string()
}

/// An event just below the limit whose payload hardly compresses: base64 of a fixed pseudo-random stream.
pub(crate) fn large_event(id: &str) -> String {
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(750_000)
    .collect();
    let noise = base64::engine::general_purpose::STANDARD.encode(noise);
    event(id).replace("\"paid\"}", &format!("\"paid\",\"metadata\":{{\"a\":\"{noise}\"}}}}"))
}

/// Delivers a body to `main` with a valid signature, made at `at`.
pub(crate) async fn deliver(deps: &Deps, body: &str, at: Timestamp) -> (u16, Value) {
    deliver_to(deps, "main", SECRET, body, at).await
}

pub(crate) async fn deliver_to(
    deps: &Deps,
    name: &str,
    secret: &str,
    body: &str,
    at: Timestamp,
) -> (u16, Value) {
    let secret: SigningSecret = secret.parse().unwrap();
    let header = sign(&secret, at.as_second(), body.as_bytes());
    answer(handle(deps, request(name, Some(&header), body), at).await)
}

pub(crate) fn request(name: &str, signature: Option<&str>, body: &str) -> lambda_http::Request {
    from_event(&api_event(name, signature, body, false))
}

pub(crate) fn from_event(event: &Value) -> lambda_http::Request {
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

/// The event that API Gateway hands to the function, after `events/receive/unsigned.json`.
pub(crate) fn api_event(name: &str, signature: Option<&str>, body: &str, base64: bool) -> Value {
    let sample = include_str!("../../../../events/receive/unsigned.json");
    let mut event: Value = serde_json::from_str(sample).unwrap();
    let path = format!("/webhooks/{name}");
    event["rawPath"] = path.clone().into();
    event["requestContext"]["http"]["path"] = path.into();
    event["body"] = body.into();
    event["isBase64Encoded"] = base64.into();
    if let Some(signature) = signature {
        event["headers"]["stripe-signature"] = signature.into();
    }
    event
}

pub(crate) fn answer(response: Response<Body>) -> (u16, Value) {
    let Body::Text(text) = response.body() else { panic!("{response:?}") };
    (response.status().as_u16(), serde_json::from_str(text).unwrap())
}

pub(crate) fn code(body: &Value) -> &str {
    body["error"]["code"].as_str().unwrap_or_default()
}
