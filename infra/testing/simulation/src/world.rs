//! The world in which the laws are tried: a cloud with one endpoint, a Stripe whose objects have lived their lives, and a clock.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use shared::aws::CallLimits;
use shared::endpoint::{EndpointRow, EndpointSpec, EndpointState, SecretVersion};
use shared::event::EventId;
use shared::ledger::{EventState, Ledger, LedgerRow, OpenCount};
use shared::object_key::ObjectKey;
use shared::records::{Record, Records};
use shared::registry::{Registry, Settings};
use shared::secret::SigningSecret;
use simulated_stripe::history::{Life, Version};
use simulated_stripe::{Options, SimulatedStripe};
use test_cloud::TestCloud;

use crate::hands::{Applier, Receiver};

/// When the first lives begin.
pub const BEGINS: i64 = 1_785_000_000;
/// When the first event arrives: four months later, so that every second that Stripe tells of is over.
const ARRIVES: i64 = 1_795_521_600;
const SECRET: &str = "whsec_of_the_laws";

/// Everything around the functions.
pub struct World {
    /// AWS.
    pub cloud: TestCloud,
    /// Stripe, with every object as it stands in the end.
    pub stripe: SimulatedStripe,
    ledger: Ledger,
    records: Records,
    now: AtomicI64,
}

#[allow(clippy::expect_used, reason = "a world that cannot begin has to fail at once")]
impl World {
    /// A stack with the endpoints `main` and, for connected accounts, `connected`, and a Stripe key that may read everything.
    ///
    /// # Panics
    /// If a port cannot be had.
    pub async fn of(lives: &[Life]) -> Self {
        Self::at(lives, ARRIVES).await
    }

    /// The same, at another time: Stripe lists events for thirty days.
    ///
    /// # Panics
    /// If a port cannot be had.
    pub async fn at(lives: &[Life], now: i64) -> Self {
        let stripe = SimulatedStripe::start(Options::for_tests().at(now)).expect("a simulated Stripe");
        let cloud = TestCloud::start().await;
        let dynamodb = cloud.past_the_door().dynamodb(CallLimits::PATIENT);
        let world = Self {
            ledger: Ledger::new(dynamodb.clone(), "LedgerTable"),
            records: Records::new(dynamodb, "RecordsTable"),
            cloud,
            stripe,
            now: AtomicI64::new(now * 1_000),
        };
        world.put_objects(lives);
        world.cloud.put_secret("stripe-key", &world.stripe.key());
        world.set_key().await;
        for (name, connect) in [("main", false), ("connected", true)] {
            world.register(name, connect, lives).await;
        }
        world
    }

    /// Has Stripe list all events of these lives, as ones that it could not deliver.
    ///
    /// # Panics
    /// If one is no event.
    pub fn list_events(&self, lives: &[Life]) {
        drop(self.stripe.add_endpoint("https://example.com/webhooks/main", &["*"]));
        self.stripe.advance(self.now().as_second() - self.stripe.now());
        for told in lives.iter().flat_map(|life| &life.events) {
            self.stripe.emit_text(&told.body).expect("an event");
        }
        self.put_objects(lives);
    }

    fn put_objects(&self, lives: &[Life]) {
        for life in lives {
            if let Some(object) = life.end_in(Version::Dahlia) {
                self.stripe.put_object(life.account, &object);
            }
        }
    }

    async fn set_key(&self) {
        let mut settings = Settings {
            since: 0,
            stripe_key_hint: "hint".into(),
            stripe_key_set_at: 0,
            stripe_account: None,
            rev: 0,
        };
        self.registry().store_settings(None, &mut settings).await.expect("settings");
    }

    /// An endpoint that wants all that happens in these lives.
    async fn register(&self, name: &str, connect: bool, lives: &[Life]) {
        let secret = json!({ "signing": [{ "stripe_id": "we_1", "secret": SECRET }] });
        let version = self.cloud.put_secret(name, &secret.to_string());
        let types: BTreeSet<_> =
            lives.iter().flat_map(|life| &life.events).map(|told| told.event_type.clone()).collect();
        let endpoint = EndpointRow {
            name: name.parse().expect("a name"),
            state: EndpointState::Active,
            registration: "1".into(),
            spec: EndpointSpec {
                url: format!("https://example.com/webhooks/{name}"),
                events: types.into_iter().collect(),
                description: String::new(),
                api_version: Version::Dahlia.name().into(),
                connect,
            },
            stripe_id: Some("we_1".into()),
            secret: Some(SecretVersion { name: name.into(), version }),
            signing_secret_hint: None,
            created_at: 0,
            state_since: 0,
            subscribed_since: 0,
            rotated_at: None,
            pending_change: None,
            rotation: None,
            is_replacement: false,
            rev: 0,
        };
        self.registry().insert(&endpoint).await.expect("an endpoint");
    }

    /// The secret that deliveries to `main` are signed with.
    pub(crate) fn secret(&self) -> SigningSecret {
        SECRET.parse().expect("a secret")
    }

    /// A process that receives, just started.
    pub fn receiver(&self) -> Receiver<'_> {
        Receiver::new(self)
    }

    /// A process that applies, just started.
    pub fn applier(&self) -> Applier<'_> {
        Applier::new(self)
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now.load(Ordering::Relaxed)).expect("a time")
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }

    /// The registry, past the door.
    pub fn registry(&self) -> Registry {
        Registry::new(self.cloud.past_the_door().dynamodb(CallLimits::PATIENT), "RegistryTable")
    }

    /// The ledger, past the door.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// One row of it.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn row(&self, id: &str) -> Option<LedgerRow> {
        let id: EventId = id.parse().expect("an event's id");
        self.ledger.get(&id, self.now()).await.expect("a row")
    }

    /// The record of an object.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn record(&self, key: &ObjectKey) -> Option<Record> {
        self.records.get(key).await.expect("a record")
    }

    /// How many rows the program still has to do something with.
    ///
    /// # Panics
    /// If they cannot be counted.
    pub async fn open(&self) -> usize {
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

    /// How often Stripe was asked for an object.
    pub fn questions(&self) -> usize {
        self.stripe.requests().len()
    }
}

/// The key of a life's record.
#[allow(clippy::expect_used, reason = "ids of histories are keys")]
pub(crate) fn key_of(life: &Life) -> ObjectKey {
    ObjectKey::new(life.account, life.kind.object(), &life.id).expect("a key")
}
