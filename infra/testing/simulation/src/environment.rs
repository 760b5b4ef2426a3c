//! The environment of a simulation: a cloud with two endpoints, a Stripe whose objects have had their
//! histories, and a clock.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use shared::endpoint::{EndpointRow, EndpointSpec};
use shared::event::EventId;
use shared::ledger::{EventState, Ledger, LedgerRow, OpenCount};
use shared::object_key::ObjectKey;
use shared::records::{Record, Records};
use shared::registry::Registry;
use shared::secret::SigningSecret;
use shared::unix_time::UnixMillis;
use simulated_stripe::{Options, SimulatedStripe};
use test_cloud::TestCloud;
use test_cloud::fixtures::{self, STRIPE_KEY_SECRET, endpoint_row, store_endpoint};

use crate::history::{ApiVersion, ObjectHistory};
use crate::workers::{ProcessWorker, ReceiveWorker};

/// When the first histories begin, in unix seconds.
pub const START: i64 = 1_785_000_000;
/// When the first event arrives: four months later, so that every second that an event names is over.
const ARRIVAL: i64 = 1_795_521_600;
const SECRET: &str = "whsec_of_the_simulation";

/// Everything outside the functions.
pub struct Environment {
    /// AWS.
    pub cloud: TestCloud,
    /// Stripe, with every object as it is in the end.
    pub stripe: SimulatedStripe,
    ledger: Ledger,
    records: Records,
    now: AtomicI64,
}

#[allow(clippy::expect_used, reason = "an environment that cannot start has to fail at once")]
impl Environment {
    /// Starts a stack with the endpoints `main` and, for connected accounts, `connected`, and a Stripe key
    /// that may read everything.
    ///
    /// # Panics
    /// If a port cannot be had.
    pub async fn start(histories: &[ObjectHistory]) -> Self {
        Self::start_at(histories, ARRIVAL).await
    }

    /// Starts it at another time: Stripe lists events for thirty days.
    ///
    /// # Panics
    /// If a port cannot be had.
    pub async fn start_at(histories: &[ObjectHistory], now: i64) -> Self {
        let stripe = SimulatedStripe::start(Options::for_tests().at(now)).expect("a simulated Stripe");
        let cloud = TestCloud::start().await;
        let environment = Self {
            ledger: fixtures::ledger(&cloud.direct_aws()),
            records: fixtures::records(&cloud.direct_aws()),
            cloud,
            stripe,
            now: AtomicI64::new(now * 1_000),
        };
        environment.put_objects(histories);
        environment.cloud.put_secret(STRIPE_KEY_SECRET, &environment.stripe.key());
        fixtures::store_settings(&environment.registry(), UnixMillis::new(0)).await;
        for (name, connect) in [("main", false), ("connected", true)] {
            environment.register(name, connect, histories).await;
        }
        environment.cloud.clear_calls();
        environment
    }

    /// Lets Stripe list all events of these histories, as ones that it could not deliver.
    ///
    /// # Panics
    /// If one is no event.
    pub fn list_events(&self, histories: &[ObjectHistory]) {
        drop(self.stripe.add_endpoint("https://hooks.example.com/webhooks/main", &["*"]));
        self.stripe.advance(self.now().as_second() - self.stripe.now());
        for event in histories.iter().flat_map(|history| &history.events) {
            self.stripe.emit_text(&event.body).expect("an event");
        }
        self.put_objects(histories);
    }

    fn put_objects(&self, histories: &[ObjectHistory]) {
        for history in histories {
            if let Some(object) = history.end_in(ApiVersion::Endive) {
                self.stripe.put_object(history.account, &object);
            }
        }
    }

    /// Registers an endpoint for all event types of these histories.
    async fn register(&self, name: &str, connect: bool, histories: &[ObjectHistory]) {
        let types: BTreeSet<_> =
            histories.iter().flat_map(|history| &history.events).map(|event| &*event.event_type).collect();
        let types: Vec<_> = types.into_iter().collect();
        let row = endpoint_row(name, &types, Timestamp::UNIX_EPOCH);
        let spec = EndpointSpec { connect, ..row.spec };
        store_endpoint(&self.cloud, EndpointRow { spec, ..row }, SECRET).await;
    }

    /// Returns the secret that deliveries to `main` are signed with.
    pub(crate) fn secret(&self) -> SigningSecret {
        SECRET.parse().expect("a secret")
    }

    /// Starts a process of `receive`.
    pub fn receive_worker(&self) -> ReceiveWorker<'_> {
        ReceiveWorker::new(self)
    }

    /// Starts a process of `process`.
    pub fn process_worker(&self) -> ProcessWorker<'_> {
        ProcessWorker::new(self)
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now.load(Ordering::Relaxed)).expect("a time")
    }

    /// Moves the clock.
    pub fn advance(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }

    /// Returns the registry, without the cloud's proxy.
    pub fn registry(&self) -> Registry {
        fixtures::registry(&self.cloud.direct_aws())
    }

    /// Returns the ledger, without the cloud's proxy.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns one row of the ledger.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn row(&self, id: &str) -> Option<LedgerRow> {
        let id: EventId = id.parse().expect("an event's id");
        self.ledger.get(&id, self.now()).await.expect("a row")
    }

    /// Returns the record of an object.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn record(&self, key: &ObjectKey) -> Option<Record> {
        self.records.get(key).await.expect("a record")
    }

    /// Returns how many events are pending or failed.
    ///
    /// # Panics
    /// If they cannot be counted.
    pub async fn open_events(&self) -> usize {
        let mut open = 0;
        for state in [EventState::Pending, EventState::Failed] {
            let count = self.ledger.count(state).await.expect("a count");
            open += match count {
                OpenCount::Exactly(count) => count,
                OpenCount::More => shared::ledger::COUNTED,
            };
        }
        open
    }

    /// Returns how many objects were fetched from Stripe.
    pub fn fetches(&self) -> usize {
        self.stripe.requests().len()
    }
}

/// Returns the key of a history's record.
#[allow(clippy::expect_used, reason = "ids of histories are keys")]
pub(crate) fn record_key(history: &ObjectHistory) -> ObjectKey {
    ObjectKey::new(history.account, history.kind.object(), &history.id).expect("a key")
}
