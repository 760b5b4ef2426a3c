//! A stack whose tables tests fill, and what reads them.

use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, Request};
use records::{Config, Deps, handle};
use serde_json::Value;
use shared::audit::Audit;
use shared::ledger::{Ledger, LedgerRow};
use shared::mode::Mode;
use shared::object_key::ObjectKey;
use shared::records::{Provenance, Record};
use shared::unix_time::UnixSeconds;
use test_cloud::TestCloud;
use test_cloud::fixtures::{self, access, api_event, http_request, now};

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) deps: Deps,
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

impl Stack {
    /// A stack whose Stripe key was set ten days ago.
    pub(crate) async fn start() -> Self {
        Self::set_up_at(ago(10 * 86_400)).await
    }

    /// A stack whose Stripe key was set at this time.
    pub(crate) async fn set_up_at(at: Timestamp) -> Self {
        let cloud = TestCloud::start().await;
        let deps = Deps::new(Config {
            aws: cloud.aws(),
            mode: Mode::Test,
            access: access(),
            retention: fixtures::retention(),
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            audit_table: "AuditTable".into(),
        });
        let stack = Self { cloud, deps };
        fixtures::store_settings(&fixtures::registry(&stack.cloud.aws()), at).await;
        stack
    }

    pub(crate) fn ledger(&self) -> Ledger {
        fixtures::ledger(&self.cloud.aws())
    }

    pub(crate) fn audit(&self) -> Audit {
        fixtures::audit(&self.cloud.aws())
    }

    /// Stores an event that was received at `at`.
    pub(crate) async fn event(&self, id: &str, event_type: &str, object: &Value, at: Timestamp) -> LedgerRow {
        self.event_body(&fixtures::event(id, event_type, at.as_second(), object), at).await
    }

    /// Stores an event as Stripe wrote it.
    pub(crate) async fn event_body(&self, body: &str, at: Timestamp) -> LedgerRow {
        fixtures::receive(&self.ledger(), body, at).await
    }

    /// Stores a record of our own account.
    pub(crate) async fn record(&self, object: &Value) {
        self.record_in(None, object).await;
    }

    pub(crate) async fn record_in(&self, account: Option<&str>, object: &Value) {
        self.record_raw(account, &object.to_string(), provenance("evt_1", 1_785_000_000)).await;
    }

    /// Stores an object as Stripe wrote it.
    pub(crate) async fn record_raw(&self, account: Option<&str>, raw: &str, provenance: Provenance) {
        let object: Value = serde_json::from_str(raw).unwrap();
        let text = |field: &str| object[field].as_str().unwrap().to_owned();
        let key = ObjectKey::new(account, &text("object"), &text("id")).unwrap();
        let deleted = provenance.deleted || object["deleted"] == true;
        let provenance = Provenance { deleted, ..provenance };
        let record = Record::new(key, provenance, raw.as_bytes(), &object).unwrap();
        fixtures::records(&self.cloud.aws()).put_if_newer(&record).await.unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.respond(request(path)).await
    }

    pub(crate) async fn ok(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) async fn respond(&self, request: Request) -> (u16, Value) {
        let (status, text) = self.text(request).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    pub(crate) async fn text(&self, request: Request) -> (u16, String) {
        let response = handle(&self.deps, request, now()).await;
        let Body::Text(text) = response.body() else { panic!("{response:?}") };
        (response.status().as_u16(), text.clone())
    }

    /// Reads a list to its end by pages of `limit`. Returns the ids in order.
    pub(crate) async fn ids_of_all_pages(&self, path: &str, limit: usize) -> Vec<String> {
        let join = if path.contains('?') { '&' } else { '?' };
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.ok(&format!("{path}{join}limit={limit}{cursor}")).await;
            let data = page["data"].as_array().unwrap();
            assert!(data.len() <= limit);
            ids.extend(data.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return ids,
            }
        }
    }
}

/// Where a record comes from that is one event's snapshot.
pub(crate) fn provenance(event: &str, as_of: i64) -> Provenance {
    Provenance {
        as_of: UnixSeconds::new(as_of),
        event: Some(event.parse().unwrap()),
        events: vec![event.parse().unwrap()],
        deleted: false,
        order_uncertain: false,
        fetched: false,
    }
}

/// The ids of a list in an answer.
pub(crate) fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// A request by IAM, after `events/records/events.json`.
pub(crate) fn request(path: &str) -> Request {
    let sample = include_str!("../../../../events/records/events.json");
    http_request(&api_event(sample, "GET", path))
}
