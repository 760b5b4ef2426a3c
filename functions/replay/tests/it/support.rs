//! A stack whose ledger tests fill, and the calls they make.

use jiff::{SignedDuration, Timestamp};
use lambda_http::Request;
use replay::{Config, Deps, handle};
use serde_json::{Value, json};
use shared::audit::AuditEntry;
use shared::deadline::Deadline;
use shared::ledger::{EventState, Ledger, LedgerRow, Transition};
use shared::mode::Mode;
use shared::payload;
use test_cloud::TestCloud;
use test_cloud::fixtures::{
    self, API_ID, access, api_event, http_request, now, retention, sign_in, status_and_body,
};

const BODY: &str = r#"{"id":"evt_1","object":"event","type":"invoice.paid","created":5,"livemode":false,"data":{"object":{"object":"invoice","id":"in_1"}}}"#;

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) deps: Deps,
    /// When its requests are to end.
    pub(crate) deadline: Deadline,
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

impl Stack {
    /// A stack whose Stripe key was set ten days ago.
    pub(crate) async fn start() -> Self {
        let cloud = TestCloud::start().await;
        let deps = Deps::new(Config {
            aws: cloud.aws(),
            mode: Mode::Test,
            access: access(),
            ledger_table: "LedgerTable".into(),
            registry_table: "RegistryTable".into(),
            audit_table: "AuditTable".into(),
            retention: retention(),
        });
        fixtures::store_settings(&fixtures::registry(&cloud.aws()), ago(10 * 86_400)).await;
        Self { cloud, deps, deadline: Deadline::NEVER }
    }

    pub(crate) fn ledger(&self) -> Ledger {
        fixtures::ledger(&self.cloud.aws())
    }

    /// An event that was received a minute ago and put into this state half a minute ago.
    pub(crate) async fn event(&self, id: &str, state: EventState) -> LedgerRow {
        self.event_with(id, "invoice.paid", Transition::with_reason(state, "it broke")).await
    }

    pub(crate) async fn event_with(&self, id: &str, event_type: &str, transition: Transition) -> LedgerRow {
        let invoice = json!({ "object": "invoice", "id": "in_1" });
        let body = fixtures::event(id, event_type, 1_785_000_000, &invoice);
        self.store(&body, ago(60)).await;
        let row = self.row(id).await.unwrap();
        if transition.state != EventState::Pending {
            self.ledger().transition(&row, &transition, retention(), ago(30)).await.unwrap();
        }
        self.row(id).await.unwrap()
    }

    /// Stores a body as `receive` does.
    pub(crate) async fn store(&self, body: &str, at: Timestamp) {
        fixtures::receive(&self.ledger(), body, at).await;
    }

    /// An event whose payload is stored in parts. Returns its body.
    pub(crate) async fn large(&self, id: &str) -> String {
        let noise: String = (0..120_000_u32)
            .map(|i| format!("{:08x}", i.wrapping_mul(2_654_435_761).rotate_left(9) ^ i.wrapping_pow(2)))
            .collect();
        let body =
            BODY.replace("evt_1", id).replace("\"livemode\"", &format!("\"note\":\"{noise}\",\"livemode\""));
        self.store(&body, ago(60)).await;
        assert!(self.row(id).await.unwrap().parts.is_some());
        body
    }

    /// An event that was stored by a version which could not read it.
    pub(crate) async fn unread(&self, id: &str) {
        let packed = payload::pack(BODY.replace("evt_1", id).as_bytes(), "").unwrap();
        let row = LedgerRow::unreadable(id.parse().unwrap(), "too new".into(), "main", ago(60), packed);
        self.ledger().record(&row).await.unwrap();
    }

    pub(crate) async fn row(&self, id: &str) -> Option<LedgerRow> {
        self.ledger().get(&id.parse().unwrap(), now()).await.unwrap()
    }

    /// An admin's call.
    pub(crate) async fn call(&self, path: &str, body: Value) -> (u16, Value) {
        self.call_as(Some("admin"), "POST", path, body).await
    }

    pub(crate) async fn call_as(
        &self,
        group: Option<&str>,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let response = handle(&self.deps, request(group, method, path, &body), now(), self.deadline).await;
        status_and_body(response)
    }

    /// All entries of the audit, the latest first.
    pub(crate) async fn audit_entries(&self) -> Vec<AuditEntry> {
        fixtures::audit(&self.cloud.aws()).list(None, 100, now()).await.unwrap().0
    }
}

/// A request of somebody in `group`, or with no token at all.
pub(crate) fn request(group: Option<&str>, method: &str, path: &str, body: &Value) -> Request {
    let sample = include_str!("../../../../events/replay/replay-event.json");
    let mut event = api_event(sample, method, path);
    event["requestContext"]["apiId"] = API_ID.into();
    event["body"] = body.to_string().into();
    if let Some(group) = group {
        sign_in(&mut event, "sub-1", &[group]);
    }
    http_request(&event)
}
