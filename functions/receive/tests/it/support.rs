//! A stack with one endpoint, and helpers that deliver to it.

use std::time::Duration;

use base64::Engine;
use jiff::{SignedDuration, Timestamp};
use receive::{Config, Deps, handle};
use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::event::EventId;
use shared::ledger::{Ledger, LedgerRow};
use shared::metrics::Metrics;
use shared::registry::Registry;
use shared::secret::SigningSecret;
use shared::signature::sign;
use test_cloud::fixtures::{
    self, delivery, endpoint_row, http_request, now, status_and_body, store_endpoint,
};
use test_cloud::{CapturedLines, TestCloud};

pub(crate) const SECRET: &str = "whsec_main_secret";

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) metrics: CapturedLines,
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
        store_endpoint(&self.cloud, endpoint_row(name, &["invoice.paid"], now()), secret).await;
    }

    pub(crate) fn registry(&self) -> Registry {
        fixtures::registry(&self.cloud.aws())
    }

    pub(crate) fn ledger(&self) -> Ledger {
        fixtures::ledger(&self.cloud.aws())
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
    let invoice = json!({ "object": "invoice", "id": "in_1", "status": "paid" });
    fixtures::event(id, "invoice.paid", 1_785_000_000, &invoice)
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
    event(id).replace("\"paid\"", &format!("\"paid\",\"metadata\":{{\"a\":\"{noise}\"}}"))
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
    let header = sign(&secret, at.into(), body.as_bytes());
    status_and_body(handle(deps, request(name, Some(&header), body), at, Deadline::NEVER).await)
}

/// The same to `main`, when the answer is due this long from now.
pub(crate) async fn deliver_within(deps: &Deps, within: Duration, body: &str, at: Timestamp) -> (u16, Value) {
    let header = sign(&SECRET.parse().unwrap(), at.into(), body.as_bytes());
    let deadline = Deadline::after(within);
    status_and_body(handle(deps, request("main", Some(&header), body), at, deadline).await)
}

pub(crate) fn request(name: &str, signature: Option<&str>, body: &str) -> lambda_http::Request {
    http_request(&delivery(name, signature, body))
}
