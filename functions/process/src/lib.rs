//! Applies what the ledger holds to the records, each event once, in Stripe's order.
//!
//! Two things wake it (`trigger`). The doorbell: the ledger's stream hands over rows that have just become pending. The sweep:
//! each minute, rows whose time has come, because the doorbell missed them or an attempt failed. The ledger is the queue: what
//! the doorbell says is only a hint that makes things fast, so a lost or repeated one changes nothing.
//!
//! One event (`apply`) is at most one write of one record, under the condition that the record is as it was read, and then a
//! mark on its row, under the condition that the row is not final. Between the two it can crash: done again, the record stays as
//! it is. Which snapshot a record shows is decided by `shared::order`, and does not depend on the order of arrival.
//!
//! Rules: events of one object are applied one after another, those of different objects beside each other; one that fails
//! holds no other back; the time of day is an argument.

mod accounts;
mod admit;
mod apply;
mod ask;
mod config;
mod error;
mod rules;
mod sweep;
mod told;
mod trigger;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::StreamExt;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::aws::{CallLimits, error_chain};
use shared::ledger::{EventState, Ledger, LedgerRow, Retention};
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::records::Records;
use shared::registry::{Registry, Rules};
use shared::secret_store::SecretStore;
use shared::stripe::{Stripe, StripeKeys, TlsError};

use self::accounts::Accounts;
pub use self::config::Config;
pub use self::error::ProcessError;
use self::rules::KnownRules;
use self::told::{Ended, delivered};
use self::trigger::Trigger;

/// Objects worked on at a time. The work is waiting for DynamoDB, and the SDK's connection carries this many easily.
const AT_ONCE: usize = 16;

/// An invocation starts no new row after this, of the 60 s that the function has.
const STARTS_WITHIN: Duration = Duration::from_secs(40);

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    mode: Mode,
    ledger: Ledger,
    records: Records,
    registry: Registry,
    rules: KnownRules,
    accounts: Accounts,
    retention: Retention,
    stripe: Stripe,
    ask_again_after: Duration,
    metrics: Metrics,
}

impl Deps {
    /// Reads the configuration and wires the function.
    ///
    /// # Errors
    /// A missing or wrong environment variable, or TLS that cannot be set up.
    pub fn start() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self::new(Config::from_env()?)?)
    }

    /// Wires the function.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(config: Config) -> Result<Self, TlsError> {
        let secret_store = SecretStore::new(config.aws.secrets_manager(CallLimits::PATIENT));
        let keys = StripeKeys::new(secret_store, config.stripe_key_secret);
        let dynamodb = config.aws.dynamodb(CallLimits::PATIENT);
        Ok(Self {
            mode: config.mode,
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table),
            records: Records::new(dynamodb.clone(), config.records_table),
            registry: Registry::new(dynamodb, config.registry_table),
            rules: KnownRules::default(),
            accounts: Accounts::default(),
            retention: config.retention,
            stripe: Stripe::new(config.stripe_api_base, keys)?,
            ask_again_after: config.ask_again_after,
            metrics: config.metrics,
        })
    }
}

/// How many events ended in each state.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Summary(BTreeMap<&'static str, u64>);

impl Summary {
    /// How many ended in `state`.
    pub fn count(&self, state: EventState) -> u64 {
        self.0.get(state.as_str()).copied().unwrap_or(0)
    }

    fn add(&mut self, state: EventState) {
        *self.0.entry(state.as_str()).or_default() += 1;
    }
}

/// Does one invocation's work.
///
/// # Errors
/// An input that is neither of the two, or tables that cannot be read at all; the sweep finds what that leaves undone. Events that fail are no error of the
/// invocation: their rows say so, and the sweep comes back to them.
pub async fn handle(deps: &Deps, input: Value, now: Timestamp) -> Result<Summary, ProcessError> {
    let trigger = Trigger::read(input)?;
    let rules = deps.rules.at(&deps.registry, now).await?;
    let invocation = Invocation { deps, rules: &rules, now, begun: Instant::now() };
    let (ended, backlog) = match trigger {
        Trigger::Doorbell(rows) => (apply_all(invocation, rows).await, None),
        Trigger::Sweep => sweep::run(invocation).await.map(|(ended, backlog)| (ended, Some(backlog)))?,
    };
    told::tell(&deps.metrics, &ended, backlog, now);
    let mut summary = Summary::default();
    ended.iter().for_each(|one| summary.add(one.state));
    let counts: Vec<_> = EventState::ALL.into_iter().map(|state| (state, summary.count(state))).collect();
    if let Err(error) = deps.registry.add_hourly_counts(&counts, now).await {
        tracing::warn!(error = error_chain(&error), "the counts of this hour are off by this batch");
    }
    Ok(summary)
}

/// What one invocation works with.
#[derive(Debug, Clone, Copy)]
struct Invocation<'a> {
    deps: &'a Deps,
    rules: &'a Rules,
    now: Timestamp,
    begun: Instant,
}

impl Invocation<'_> {
    /// May it start with another row? What is not started any more is left to the sweep.
    fn has_time(self) -> bool {
        self.begun.elapsed() < STARTS_WITHIN
    }
}

async fn apply_all(invocation: Invocation<'_>, rows: Vec<LedgerRow>) -> Vec<Ended> {
    object_by_object(invocation, rows, async |row| apply::settle(invocation, &row).await).await
}

/// Works on rows: those of one object one after another, those of different objects beside each other.
async fn object_by_object(
    invocation: Invocation<'_>,
    rows: impl IntoIterator<Item = LedgerRow>,
    one: impl AsyncFn(LedgerRow) -> Option<EventState>,
) -> Vec<Ended> {
    let one = &one;
    let rows: Vec<LedgerRow> = rows.into_iter().collect();
    let accounts = accounts::of(&rows);
    let work = by_object(rows).into_iter().map(|rows| async move {
        let mut ended = Vec::new();
        for row in rows {
            if invocation.has_time() {
                let delivered = delivered(&row);
                ended.extend(one(row).await.map(|state| Ended::now(invocation, delivered, state)));
            }
        }
        ended
    });
    let ended = futures::stream::iter(work).buffer_unordered(AT_ONCE).concat().await;
    invocation.deps.accounts.note(accounts, &invocation.deps.registry, invocation.now).await;
    ended
}

/// Rows by their object, in the order in which Stripe made them, so that they do not stand in each other's way and most records
/// are written in one go.
fn by_object(rows: impl IntoIterator<Item = LedgerRow>) -> Vec<Vec<LedgerRow>> {
    let mut objects: BTreeMap<String, Vec<LedgerRow>> = BTreeMap::new();
    for row in rows {
        let object = row.object.as_ref().map_or_else(|| row.id.to_string(), ToString::to_string);
        objects.entry(object).or_default().push(row);
    }
    let mut objects: Vec<_> = objects.into_values().collect();
    objects.iter_mut().for_each(|rows| rows.sort_by_key(|row| row.created));
    objects
}
