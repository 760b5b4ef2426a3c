//! `?at=`: what records were at the end of a second, by events that the real `process` has applied.

mod lists;
mod one;
mod outages;
mod payments;
mod refusals;
mod unknown;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::ledger::{EventState, LedgerRow, Transition};
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::object_key::ObjectKey;
use shared::records::Provenance;
use simulated_stripe::{Key, Options, SimulatedStripe};
use test_cloud::fixtures::{self, STRIPE_KEY_SECRET, doorbell, now, retention};

use crate::support::Stack;

/// The end of a quarter.
pub(crate) const QUARTER: &str = "2026-09-30T23:59:59Z";
/// The first second of which the ledger holds every event: ninety days before [`now`].
pub(crate) const KNOWN_SINCE: &str = "2026-08-26T12:00:01Z";

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Noon of a day of 2026, such as `09-30`.
pub(crate) fn noon(day: &str) -> i64 {
    time(&format!("2026-{day}T12:00:00Z")).as_second()
}

/// A stack that was set up in spring, and a `process` whose key may read nothing at Stripe.
pub(crate) struct Past {
    pub(crate) stack: Stack,
    process: process::Deps,
    _stripe: SimulatedStripe,
}

impl Past {
    pub(crate) async fn start() -> Self {
        let stack = Stack::set_up_at(time("2026-04-01T00:00:00Z")).await;
        let stripe = SimulatedStripe::start(Options::for_tests().at(now().as_second())).unwrap();
        stripe.set_keys(vec![Key::restricted(&stripe.key(), &["events:read"])]);
        stack.cloud.put_secret(STRIPE_KEY_SECRET, &stripe.key());
        let process = process::Deps::new(process::Config {
            aws: stack.cloud.aws(),
            mode: Mode::Test,
            metrics: Metrics::new("stack", std::io::sink()),
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            retention: retention(),
            stripe_api_base: stripe.url().parse().unwrap(),
            stripe_key_secret: STRIPE_KEY_SECRET.into(),
            ask_again_after: Duration::ZERO,
        })
        .unwrap();
        Self { stack, process, _stripe: stripe }
    }

    /// Stores an event that Stripe made at noon of a day of 2026, and has it applied.
    pub(crate) async fn apply(&self, id: &str, event_type: &str, day: &str, object: &Value) {
        self.apply_body(&fixtures::event(id, event_type, noon(day), object)).await;
    }

    pub(crate) async fn apply_body(&self, body: &str) {
        let row = self.store(body).await;
        self.ring(&[row]).await;
    }

    /// Stores an event, as `receive` does when it comes.
    pub(crate) async fn store(&self, body: &str) -> LedgerRow {
        let body_of: Value = serde_json::from_str(body).unwrap();
        let at = Timestamp::from_second(body_of["created"].as_i64().unwrap()).unwrap();
        fixtures::receive(&self.stack.ledger(), body, at).await
    }

    pub(crate) async fn ring(&self, rows: &[LedgerRow]) {
        process::handle(&self.process, doorbell(rows), now(), Deadline::NEVER).await.unwrap();
    }

    /// Stores an event and sets its state.
    pub(crate) async fn leave(&self, body: &str, state: EventState) {
        let row = self.store(body).await;
        self.set_state(&row, state).await;
    }

    pub(crate) async fn set_state(&self, row: &LedgerRow, state: EventState) {
        let due_at = (state == EventState::Failed).then(now);
        let to = Transition { state, reason: None, due_at };
        self.stack.ledger().transition(row, &to, retention(), now()).await.unwrap();
    }

    pub(crate) async fn row(&self, id: &str) -> LedgerRow {
        self.stack.ledger().get(&id.parse().unwrap(), now()).await.unwrap().unwrap()
    }

    /// Stores a record as an import does, as of noon of a day.
    pub(crate) async fn import(&self, day: &str, object: &Value) {
        self.stack.record_raw(None, &object.to_string(), fetched(day)).await;
    }

    /// What a record was; its path is as in `subscriptions/sub_1`.
    pub(crate) async fn at(&self, record: &str, at: &str) -> Value {
        self.stack.ok(&format!("/records/{record}?at={at}")).await
    }

    /// The ids in a list, and whether each is known.
    pub(crate) async fn list(&self, kind: &str, at: &str, filter: &str) -> Vec<(String, bool)> {
        let page = self.stack.ok(&format!("/records/{kind}?at={at}{filter}")).await;
        let entry = |one: &Value| (one["id"].as_str().unwrap().to_owned(), one["known"] == true);
        page["data"].as_array().unwrap().iter().map(entry).collect()
    }

    /// Marks the record of an object as gone at Stripe, as the nightly comparison does.
    pub(crate) async fn find_gone(&self, key: &str) {
        let records = fixtures::records(&self.stack.cloud.direct_aws());
        let old = records.get(&key.parse::<ObjectKey>().unwrap()).await.unwrap().unwrap();
        records.replace(&old, &old.with_gone_at_stripe(true)).await.unwrap();
    }
}

pub(crate) fn fetched(day: &str) -> Provenance {
    Provenance {
        as_of: shared::unix_time::UnixSeconds::new(noon(day)),
        event: None,
        events: Vec::new(),
        deleted: false,
        order_uncertain: false,
        fetched: true,
    }
}

pub(crate) fn subscription(id: &str, made: &str, status: &str) -> Value {
    json!({ "object": "subscription", "id": id, "customer": "cus_1", "created": noon(made), "status": status })
}

pub(crate) fn known(entries: &[(String, bool)]) -> Vec<&str> {
    entries
        .iter()
        .map(|(id, known)| {
            assert!(known, "{id}");
            id.as_str()
        })
        .collect()
}
