//! A stack whose ledger tests fill, and the calls they make.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request};
use replay::{Config, Deps, WORK_WITHIN, handle};
use serde_json::{Value, json};
use shared::access::Access;
use shared::audit::{Audit, AuditEntry};
use shared::aws::CallLimits;
use shared::event::{self, ParsedEvent};
use shared::ledger::{EventState, Ledger, LedgerRow, Retention, Transition};
use shared::mode::Mode;
use shared::payload;
use shared::registry::{Registry, Settings};
use test_cloud::TestCloud;

const BODY: &str = r#"{"id":"evt_1","object":"event","type":"invoice.paid","created":5,"livemode":false,"data":{"object":{"object":"invoice","id":"in_1"}}}"#;

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) deps: Deps,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub(crate) fn retention() -> Retention {
    "90".parse().unwrap()
}

impl Stack {
    /// A stack whose Stripe key was set ten days ago.
    pub(crate) async fn start() -> Self {
        Self::working_for(WORK_WITHIN).await
    }

    pub(crate) async fn working_for(work_within: Duration) -> Self {
        let cloud = TestCloud::start().await;
        let deps = Deps::new(Config {
            aws: cloud.aws(),
            mode: Mode::Test,
            access: Access {
                api_id: "ours".into(),
                groups_claim: "cognito:groups".into(),
                admin_group: "admin".into(),
                viewer_group: "viewer".into(),
            },
            ledger_table: "LedgerTable".into(),
            registry_table: "RegistryTable".into(),
            audit_table: "AuditTable".into(),
            retention: retention(),
            work_within,
        });
        let registry = Registry::new(cloud.aws().dynamodb(CallLimits::PATIENT), "RegistryTable");
        let mut settings = Settings {
            since: ago(10 * 86_400).into(),
            stripe_key_hint: "sk_test_…1234".into(),
            stripe_key_set_at: ago(10 * 86_400).into(),
            stripe_account: None,
            rev: 0,
        };
        registry.store_settings(None, &mut settings).await.unwrap();
        Self { cloud, deps }
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.cloud.aws().dynamodb(CallLimits::PATIENT), "LedgerTable")
    }

    /// An event that was received a minute ago and put into this state half a minute ago.
    pub(crate) async fn event(&self, id: &str, state: EventState) -> LedgerRow {
        self.event_with(id, "invoice.paid", Transition::with_reason(state, "it broke")).await
    }

    pub(crate) async fn event_with(&self, id: &str, event_type: &str, transition: Transition) -> LedgerRow {
        let body = json!({
            "id": id, "object": "event", "type": event_type, "created": 1_785_000_000, "livemode": false,
            "data": { "object": { "object": "invoice", "id": "in_1" } },
        })
        .to_string();
        self.store(&body, ago(60)).await;
        let row = self.row(id).await.unwrap();
        if transition.state != EventState::Pending {
            self.ledger().transition(&row, &transition, retention(), ago(30)).await.unwrap();
        }
        self.row(id).await.unwrap()
    }

    /// Stores a body as `receive` does.
    pub(crate) async fn store(&self, body: &str, at: Timestamp) {
        let packed = payload::pack(body.as_bytes()).unwrap();
        let row = match event::read(body.as_bytes()) {
            ParsedEvent::Event(event) => LedgerRow::from_event(&event, "main", at, packed),
            ParsedEvent::Unreadable { id, reason } => LedgerRow::unreadable(id, reason, "main", at, packed),
            ParsedEvent::EventError(error) => panic!("{error}"),
        };
        self.ledger().record(&row).await.unwrap();
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
        let packed = payload::pack(BODY.replace("evt_1", id).as_bytes()).unwrap();
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
        let response = handle(&self.deps, request(group, method, path, &body), now()).await;
        let Body::Text(text) = response.body() else { panic!("{response:?}") };
        (response.status().as_u16(), serde_json::from_str(text).unwrap())
    }

    /// All entries of the audit, the latest first.
    pub(crate) async fn audit_entries(&self) -> Vec<AuditEntry> {
        let audit = Audit::new(self.cloud.aws().dynamodb(CallLimits::PATIENT), "AuditTable");
        audit.list(None, 100, now()).await.unwrap().0
    }
}

/// A request of somebody in `group`, or with no token at all.
pub(crate) fn request(group: Option<&str>, method: &str, path: &str, body: &Value) -> Request {
    let sample = include_str!("../../../../events/replay/replay-event.json");
    let mut event: Value = serde_json::from_str(sample).unwrap();
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["method"] = method.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["requestContext"]["apiId"] = "ours".into();
    event["body"] = body.to_string().into();
    if let Some(group) = group {
        let claims = json!({ "sub": "sub-1", "email": "a@example.com", "cognito:groups": [group] });
        let token = format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()));
        event["headers"]["authorization"] = format!("Bearer {token}").into();
        event["requestContext"]["authorizer"] =
            json!({ "jwt": { "claims": { "sub": "sub-1" }, "scopes": null } });
    }
    lambda_http::request::from_str(&event.to_string()).unwrap()
}
