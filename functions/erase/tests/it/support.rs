//! A stack that knows a customer, Ann, and the functions that act beside `erase`.

use std::time::Duration;

use erase::{Config, Deps, EraseError, handle};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::aws::AwsEnv;
use shared::deadline::Deadline;
use shared::event::EventId;
use shared::ledger::{Ledger, LedgerRow};
use shared::mode::Mode;
use shared::records::{Provenance, Record, Records};
use shared::registry::{ErasureJob, Settings};
use shared::unix_time::{UnixMillis, UnixSeconds};
use simulated_stripe::{Key, Options, SimulatedStripe};
use test_cloud::fixtures::{
    self, STRIPE_KEY_SECRET, access, api_event, now, retention, sign_in, trigger_answer,
};
use test_cloud::{KillPoint, TestCloud};

/// Stands in every text that is to go.
pub(crate) const PERSON: &str = "Ann";

pub(crate) struct Stack {
    pub(crate) cloud: TestCloud,
    pub(crate) stripe: SimulatedStripe,
}

pub(crate) fn later(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

/// An object of Stripe's with a person's name in it.
pub(crate) fn object(object: &str, id: &str, fields: Value) -> Value {
    let mut all = json!({
        "object": object, "id": id, "created": later(-10_000).as_second(), "amount": 700, "currency": "usd",
        "description": "Order of Ann", "metadata": { "name": "Ann" }, "billing_details": { "name": "Ann" },
    });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    all
}

/// Whether a part is one of `count` from `first` on.
fn is_one_of(part: &Value, first: &Value, count: &Value) -> bool {
    let number = |value: &Value| value["N"].as_str().unwrap().parse::<u64>().unwrap();
    (number(first)..number(first) + number(count)).contains(&number(&part["part"]))
}

/// An event about the subscription `sub_1` of `cus_1` whose payload is too large for a row: noise does not
/// pack.
pub(crate) fn large_event(id: &str, minutes: i64, seed: u32) -> String {
    let mut state = seed;
    let noise: String = (0..700_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'0' + u8::try_from(state >> 26).unwrap())
        })
        .filter(|letter| letter.is_ascii_alphanumeric())
        .collect();
    let subscription = object("subscription", "sub_1", json!({ "customer": "cus_1", "status": "active" }));
    let event =
        fixtures::event(id, "customer.subscription.updated", later(minutes).as_second(), &subscription);
    let mut event: Value = serde_json::from_str(&event).unwrap();
    event["data"]["previous_attributes"] = json!({ "description": format!("Ann {noise}") });
    event.to_string()
}

impl Stack {
    pub(crate) async fn start() -> Self {
        let cloud = TestCloud::start().await;
        let stripe = SimulatedStripe::start(Options::for_tests().at(now().as_second())).unwrap();
        cloud.put_secret(STRIPE_KEY_SECRET, &stripe.key());
        let stack = Self { cloud, stripe };
        fixtures::store_settings(&fixtures::registry(&stack.cloud.direct_aws()), UnixMillis::default()).await;
        stack
    }

    /// A stack with a deleted customer who has a subscription, an invoice, and a payment that was refunded
    /// and disputed; and with another customer.
    pub(crate) async fn with_customer() -> Self {
        let stack = Self::start().await;
        stack
            .apply(
                "evt_01",
                "customer.created",
                -60,
                &object("customer", "cus_1", json!({ "email": "Ann@example.com" })),
            )
            .await;
        let of_customer =
            |kind: &str, id: &str| object(kind, id, json!({ "customer": "cus_1", "status": "active" }));
        stack
            .apply("evt_02", "customer.subscription.created", -59, &of_customer("subscription", "sub_1"))
            .await;
        stack.apply("evt_03", "invoice.paid", -58, &of_customer("invoice", "in_1")).await;
        let payment = json!({ "customer": "cus_1", "status": "succeeded", "amount_received": 700, "latest_charge": "ch_1" });
        stack
            .apply("evt_04", "payment_intent.succeeded", -57, &object("payment_intent", "pi_1", payment))
            .await;
        // A charge that names no customer: its payment does.
        let charge = json!({ "payment_intent": "pi_1", "status": "succeeded", "captured": true, "amount_captured": 700 });
        stack.apply("evt_05", "charge.succeeded", -56, &object("charge", "ch_1", charge)).await;
        let of_charge = json!({ "charge": "ch_1", "status": "succeeded", "amount": 300 });
        stack.apply("evt_06", "refund.created", -55, &object("refund", "re_1", of_charge)).await;
        let of_payment = json!({ "payment_intent": "pi_1", "charge": "ch_1", "status": "won", "evidence": { "customer_name": "Ann" } });
        stack.apply("evt_07", "charge.dispute.closed", -54, &object("dispute", "dp_1", of_payment)).await;
        let paid_by = json!({ "invoice": "in_1", "status": "paid", "payment": { "type": "payment_intent", "payment_intent": "pi_1" } });
        stack
            .apply("evt_08", "invoice_payment.paid", -53, &object("invoice_payment", "inpay_1", paid_by))
            .await;
        stack
            .apply(
                "evt_09",
                "customer.deleted",
                -52,
                &object("customer", "cus_1", json!({ "email": "Ann@example.com" })),
            )
            .await;
        let other = object("subscription", "sub_2", json!({ "customer": "cus_2", "status": "active" }));
        let other = serde_json::from_str(&other.to_string().replace(PERSON, "Bob")).unwrap();
        stack.apply("evt_10", "customer.subscription.created", -51, &other).await;
        stack
            .apply("evt_10", "customer.subscription.created", -51, &object("subscription", "sub_2", other))
            .await;
        stack
    }

    /// The erasure as it is stored.
    pub(crate) async fn job(&self, customer: &str) -> ErasureJob {
        let customer = format!("-/customer/{customer}").parse().unwrap();
        fixtures::registry(&self.cloud.direct_aws()).erasure(&customer).await.unwrap().unwrap()
    }

    /// A stack with a deleted customer who has a payment with its charge, and nothing else.
    pub(crate) async fn with_payment() -> Self {
        let stack = Self::start().await;
        stack.apply("evt_01", "customer.deleted", -60, &object("customer", "cus_1", json!({}))).await;
        let payment = object("payment_intent", "pi_1", json!({ "customer": "cus_1", "status": "succeeded" }));
        stack.apply("evt_02", "payment_intent.succeeded", -59, &payment).await;
        let charge = object("charge", "ch_1", json!({ "payment_intent": "pi_1", "status": "succeeded" }));
        stack.apply("evt_03", "charge.succeeded", -58, &charge).await;
        stack
    }

    pub(crate) fn ledger(&self) -> Ledger {
        fixtures::ledger(&self.cloud.direct_aws())
    }

    pub(crate) fn records(&self) -> Records {
        fixtures::records(&self.cloud.direct_aws())
    }

    pub(crate) async fn record(&self, key: &str) -> Record {
        self.records().get(&key.parse().unwrap()).await.unwrap().expect("a record")
    }

    /// Stores an object as an import does.
    pub(crate) async fn store(&self, key: &str, object: &Value) {
        let provenance = Provenance {
            as_of: UnixSeconds::new(5),
            event: None,
            events: Vec::new(),
            deleted: false,
            order_uncertain: false,
            fetched: true,
        };
        let record =
            Record::new(key.parse().unwrap(), provenance, object.to_string().as_bytes(), object).unwrap();
        self.records().put_if_newer(&record).await.unwrap();
    }

    /// The object that a record shows.
    pub(crate) async fn object(&self, key: &str) -> Value {
        serde_json::from_slice(&self.record(key).await.object().unwrap()).unwrap()
    }

    pub(crate) async fn row(&self, id: &str) -> LedgerRow {
        self.ledger().get(&id.parse().unwrap(), now()).await.unwrap().expect("an event")
    }

    /// The ids of records and events in which a person's name is left: in an object, a payload, or anything
    /// beside them.
    pub(crate) async fn naming(&self, person: &str) -> Vec<String> {
        let mut naming = Vec::new();
        for item in self.cloud.items("RecordsTable").await {
            let key = item["key"]["S"].as_str().unwrap();
            let text = self.record(key).await.object().unwrap();
            if String::from_utf8(text).unwrap().contains(person) || item.to_string().contains(person) {
                naming.push(key.to_owned());
            }
        }
        let items = self.cloud.items("LedgerTable").await;
        // What no row names, nobody can read; so whatever is left of it counts as naming them.
        for part in items.iter().filter(|item| item["part"]["N"] != "0" && item.get("body").is_some()) {
            let row = items.iter().find(|row| row["id"] == part["id"] && row["part"]["N"] == "0");
            if row.is_none_or(|row| row.get("parts_at").is_none_or(|at| !is_one_of(part, at, &row["parts"])))
            {
                naming.push(format!("a part of {}", part["id"]["S"].as_str().unwrap()));
            }
        }
        for item in items.into_iter().filter(|item| item["part"]["N"] == "0") {
            let id: EventId = item["id"]["S"].as_str().unwrap().parse().unwrap();
            let bodies = self.ledger().bodies([&id]).await.unwrap();
            let is_in = |body: &Vec<u8>| String::from_utf8_lossy(body).contains(person);
            if bodies.iter().any(is_in) || item.to_string().contains(person) {
                naming.push(id.to_string());
            }
        }
        naming.sort();
        naming
    }

    pub(crate) fn cold(&self) -> Deps {
        self.cold_at(self.cloud.aws())
    }

    pub(crate) fn cold_at(&self, aws: AwsEnv) -> Deps {
        Deps::new(Config {
            aws,
            mode: Mode::Test,
            access: access(),
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            audit_table: "AuditTable".into(),
            stripe_api_base: self.stripe.url().parse().unwrap(),
            stripe_key_secret: STRIPE_KEY_SECRET.into(),
        })
        .unwrap()
    }

    /// Takes the right to read customers from the stack's Stripe key.
    pub(crate) fn forbid_reading_customers(&self) {
        self.stripe.set_keys(vec![Key::restricted(&self.stripe.key(), &["events:read"])]);
    }

    /// Stores of which Stripe account the stack is.
    pub(crate) async fn know_account(&self, account: &str) {
        let registry = fixtures::registry(&self.cloud.direct_aws());
        let old = registry.settings().await.unwrap().unwrap();
        let mut new = Settings { stripe_account: Some(account.to_owned()), ..old.clone() };
        registry.store_settings(Some(&old), &mut new).await.unwrap();
    }

    /// A scheduled run.
    pub(crate) async fn run(&self, at: Timestamp) -> Value {
        self.try_run(&self.cold(), at, Deadline::NEVER).await.unwrap()
    }

    pub(crate) async fn try_run(
        &self,
        deps: &Deps,
        at: Timestamp,
        deadline: Deadline,
    ) -> Result<Value, EraseError> {
        let schedule = serde_json::from_str(include_str!("../../../../events/erase/schedule.json")).unwrap();
        handle(deps, schedule, &at.to_string(), at, deadline).await
    }

    pub(crate) async fn call(&self, group: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut event = api_event(include_str!("../../../../events/erase/erasures.json"), method, path);
        if !body.is_null() {
            event["body"] = body.to_string().into();
        }
        sign_in(&mut event, "sub-1", &[group]);
        trigger_answer(&handle(&self.cold(), event, "request", now(), Deadline::NEVER).await.unwrap())
    }

    /// The same for a path as it stands, which is not taken apart.
    pub(crate) async fn call_at(&self, group: &str, method: &str, raw_path: &str) -> (u16, Value) {
        let mut event = api_event(include_str!("../../../../events/erase/erasures.json"), method, "/");
        event["rawPath"] = raw_path.into();
        sign_in(&mut event, "sub-1", &[group]);
        trigger_answer(&handle(&self.cold(), event, "request", now(), Deadline::NEVER).await.unwrap())
    }

    /// Stores the first part of an event's payload, as a receipt does that is cut off then.
    pub(crate) async fn store_first_part(&self, body: &str) {
        let process = self.cloud.killable_process();
        let ledger = fixtures::ledger(&process.aws());
        let killed = process.killed_at(KillPoint::AfterCall(1));
        let row = fixtures::ledger_row(body, now());
        tokio::select! {
            biased;
            () = killed => {}
            recorded = ledger.record(&row) => panic!("{recorded:?}"),
        }
    }

    /// Asks for the erasure of a customer's data, as an admin.
    pub(crate) async fn erase(&self, customer: &str) {
        let body = json!({ "customer": customer, "confirm": customer });
        let (status, answer) = self.call("admin", "POST", "/erasures", body).await;
        assert_eq!((status, &answer["state"]), (202, &json!("running")), "{answer}");
    }

    pub(crate) async fn erasure(&self, customer: &str) -> Value {
        let (status, answer) =
            self.call("viewer", "GET", &format!("/erasures/{customer}"), Value::Null).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Stores an event that Stripe made so many minutes from now, as `receive` does.
    pub(crate) async fn receive(&self, id: &str, event_type: &str, minutes: i64, object: &Value) {
        let body = fixtures::event(id, event_type, later(minutes).as_second(), object);
        fixtures::receive(&self.ledger(), &body, later(minutes)).await;
    }

    /// Stores an event and lets the real `process` apply it.
    pub(crate) async fn apply(&self, id: &str, event_type: &str, minutes: i64, object: &Value) {
        self.receive(id, event_type, minutes, object).await;
        // The sweep leaves an event to the stream for two minutes.
        self.sweep(later(minutes + 3)).await;
    }

    pub(crate) async fn sweep(&self, at: Timestamp) {
        let deps = process::Deps::new(process::Config {
            aws: self.cloud.direct_aws(),
            mode: Mode::Test,
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
