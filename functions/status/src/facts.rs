//! What the status is made from: the endpoints here, and the facts that reconciliation keeps, in two reads whatever the size.
//!
//! They are gathered anew when somebody asks for it (`live`), before the first reconciliation, and when an endpoint or the key has
//! changed here since: facts of before would tell of another stack. What has not answered when time is out is told as not known.

use std::time::Duration;

use jiff::Timestamp;
use shared::aws::{StoreError, error_chain};
use shared::endpoint::EndpointRow;
use shared::health::{self, GapReport, OpenEvents, OwnStack, SecretPresence, StripeView, Undelivered};
use shared::mode::Mode;
use shared::probe::ProbeOutcome;
use shared::records::UncertainRecords;
use shared::registry::{DriftProgress, EndpointActivity, HourlyCounts, Import, Settings, StatusRows};
use shared::stripe::{Session, WebhookEndpoint};
use tokio::time::Instant;

use crate::Deps;

/// For DynamoDB, of the 3 s that are promised.
const READ_WITHIN: Duration = Duration::from_millis(2_000);
/// For all; the rest is for judging and the way.
const GATHERED_WITHIN: Duration = Duration::from_millis(2_600);

/// Milliseconds that a request which changes something can take.
const A_REQUEST: i64 = 30_000;
/// Facts that are older, in milliseconds, are none.
const OLDEST: i64 = 15 * 60_000;

/// All that is judged.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) now: Timestamp,
    pub(crate) mode: Mode,
    pub(crate) stack: String,
    pub(crate) public_url: String,
    /// After how many days secrets are to be changed; 0 is never.
    pub(crate) rotate_days: i64,
    pub(crate) endpoints: Vec<EndpointFacts>,
    pub(crate) key: Key,
    /// What Stripe says of the account's endpoints.
    pub(crate) at_stripe: StripeView<Vec<WebhookEndpoint>>,
    pub(crate) clock_ahead: Option<i64>,
    pub(crate) open: OpenEvents,
    pub(crate) uncertain: UncertainRecords,
    /// What comparing events came to, in the last reconciliation.
    pub(crate) events: StripeView<GapReport>,
    /// When that was.
    pub(crate) reconciled_at: Option<Timestamp>,
    /// Since when there has been a key to do it with.
    pub(crate) key_since: Option<Timestamp>,
    pub(crate) hours: Vec<HourlyCounts>,
    /// The latest import.
    pub(crate) import: Option<Import>,
    /// What comparing records with Stripe's objects came to.
    pub(crate) comparison: Option<DriftProgress>,
}

/// One endpoint, as it is here.
#[derive(Debug, Clone)]
pub(crate) struct EndpointFacts {
    pub(crate) row: EndpointRow,
    pub(crate) activity: EndpointActivity,
    pub(crate) secret: SecretPresence,
    /// What Stripe could not deliver to it.
    pub(crate) undelivered: Option<Undelivered>,
    /// What became of a probe, if Stripe could not reach it.
    pub(crate) probed: Option<ProbeOutcome>,
}

/// The Stripe key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    NotSet,
    /// Secrets Manager could not be asked.
    Unknown,
    Set {
        hint: String,
    },
}

/// Reads what is kept, or gathers it.
pub(crate) async fn gather(deps: &Deps, live: bool, now: Timestamp) -> Result<Facts, StoreError> {
    let until = Instant::now() + GATHERED_WITHIN;
    let stored = tokio::time::timeout(READ_WITHIN, stored(deps, now)).await;
    let (rows, kept) = stored.map_err(StoreError::doing("reading what is stored")).flatten()?;
    let reconciled = kept.facts.clone();
    let (key, facts) = match reconciled.clone().filter(|facts| !live && holds(facts, &rows, &kept, now)) {
        Some(facts) => (key_of(kept.settings.as_ref(), &facts), facts),
        None => anew(deps, &rows, &kept, until, now).await?,
    };
    let millis = |at| Timestamp::from_millisecond(at).ok();
    let secret =
        |row: &EndpointRow| facts.secrets.get(row.name.as_str()).copied().unwrap_or(SecretPresence::Unknown);
    let endpoints = rows
        .into_iter()
        .map(|row| EndpointFacts {
            activity: kept.activity.get(row.name.as_str()).copied().unwrap_or_default(),
            // One that was registered anew has missed nothing yet.
            undelivered: facts
                .undelivered
                .get(row.name.as_str())
                .copied()
                .filter(|one| one.newest * 1_000 >= row.listens_since),
            probed: facts.probes.get(row.name.as_str()).cloned(),
            secret: secret(&row),
            row,
        })
        .collect();
    Ok(Facts {
        now,
        mode: deps.mode,
        stack: deps.stack.clone(),
        public_url: deps.public_url.clone(),
        rotate_days: deps.rotate_days,
        endpoints,
        key,
        at_stripe: facts.endpoints,
        clock_ahead: facts.clock_ahead,
        open: facts.open,
        uncertain: facts.uncertain,
        events: facts.events,
        reconciled_at: reconciled.and_then(|facts| millis(facts.at)),
        key_since: kept.settings.as_ref().and_then(|settings| millis(settings.since)),
        hours: kept.hours,
        import: kept.import,
        comparison: kept.comparison,
    })
}

async fn stored(deps: &Deps, now: Timestamp) -> Result<(Vec<EndpointRow>, StatusRows), StoreError> {
    let rows = deps.registry.endpoints().await?;
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let kept = deps.registry.status_rows(&names, now).await?;
    Ok((rows, kept))
}

/// Are the facts of the stack as it is now, and whole?
fn holds(facts: &health::HealthSnapshot, rows: &[EndpointRow], kept: &StatusRows, now: Timestamp) -> bool {
    let key = kept.settings.as_ref().map(|settings| settings.stripe_key_set_at);
    let changed = rows.iter().map(|row| row.state_since.max(row.created_at)).chain(key).max();
    // A change is stamped when it is asked for, and may be stored half a minute later.
    let changed_before = changed.is_none_or(|changed| changed + A_REQUEST <= facts.at);
    let named = |row: &EndpointRow| facts.secrets.contains_key(row.name.as_str());
    let of_these = rows.iter().all(named) && facts.secrets.len() == rows.len();
    let whole = !matches!(facts.endpoints, StripeView::Unavailable(_))
        && !facts.secrets.values().any(|secret| *secret == SecretPresence::Unknown);
    changed_before && of_these && whole && now.as_millisecond() - facts.at <= OLDEST
}

fn key_of(settings: Option<&Settings>, facts: &health::HealthSnapshot) -> Key {
    match settings {
        Some(settings) if facts.endpoints != StripeView::NotAsked => {
            Key::Set { hint: settings.stripe_key_hint.clone() }
        }
        Some(_) | None => Key::NotSet,
    }
}

/// Asks everybody: the ledger, Secrets Manager and Stripe at once.
async fn anew(
    deps: &Deps,
    rows: &[EndpointRow],
    kept: &StatusRows,
    until: Instant,
    now: Timestamp,
) -> Result<(Key, health::HealthSnapshot), StoreError> {
    let waiting =
        async { tokio::try_join!(health::open_events(&deps.ledger, now), deps.records.uncertain()) };
    let waiting = async {
        let read = tokio::time::timeout(READ_WITHIN, waiting).await;
        read.map_err(StoreError::doing("counting what waits")).flatten()
    };
    let stripe = async {
        let (key, session) = session(deps, kept.settings.as_ref(), until).await;
        let ours = OwnStack { stack: &deps.stack, public_url: &deps.public_url, rows };
        let said = health::endpoints(session.as_ref(), ours, now).await;
        (key, said)
    };
    let (waiting, (key, (endpoints, clock_ahead)), secrets) =
        tokio::join!(waiting, stripe, health::secrets(&deps.secret_store, rows, until));
    let (open, uncertain) = waiting?;
    let events = kept.facts.as_ref().map_or(StripeView::NotAsked, |facts| facts.events.clone());
    let (undelivered, probes) =
        kept.facts.clone().map(|facts| (facts.undelivered, facts.probes)).unwrap_or_default();
    let at = now.as_millisecond();
    Ok((
        key,
        health::HealthSnapshot {
            at,
            endpoints,
            clock_ahead,
            events,
            undelivered,
            probes,
            secrets,
            open,
            uncertain,
        },
    ))
}

async fn session<'a>(
    deps: &'a Deps,
    settings: Option<&Settings>,
    until: Instant,
) -> (Key, Option<Session<'a>>) {
    let Some(settings) = settings else { return (Key::NotSet, None) };
    let session = deps.stripe.session(settings.stripe_key_set_at, until);
    match tokio::time::timeout_at(until, session).await {
        Ok(Ok(Some(session))) => (Key::Set { hint: settings.stripe_key_hint.clone() }, Some(session)),
        Ok(Ok(None)) => (Key::NotSet, None),
        Ok(Err(error)) => {
            tracing::warn!(error = error_chain(&error), "the Stripe key could not be read");
            (Key::Unknown, None)
        }
        Err(_) => (Key::Unknown, None),
    }
}
