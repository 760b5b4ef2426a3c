//! Reads the endpoints and what reconciliation keeps, in two reads whatever the size.
//!
//! What reconciliation keeps (the snapshot) is gathered anew when somebody asks for it (`live`), before the
//! first reconciliation, and when an endpoint or the key has changed here since: an earlier snapshot would
//! describe another stack. What has not answered when the time is up is reported as not known.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, error_chain};
use shared::deadline::Deadline;
use shared::endpoint::EndpointRow;
use shared::health::{self, HealthSnapshot, OwnStack, SecretPresence, StripeView};
use shared::registry::{Settings, StatusRows};
use shared::stripe::Session;
use shared::unix_time::{UnixMillis, UnixSeconds};

use crate::deps::Deps;
use crate::inputs::{EndpointInputs, StatusInputs, StripeKeyState};

/// DynamoDB answers this long before the rest has to, or nothing can be answered.
const AFTER_READING: Duration = Duration::from_millis(600);

/// A request that changes something takes no longer.
const LONGEST_REQUEST: SignedDuration = SignedDuration::from_secs(30);
/// An older snapshot is not used.
const OLDEST_SNAPSHOT: SignedDuration = SignedDuration::from_mins(15);

/// Reads what is kept, and gathers anew what cannot be used. What has not answered at `deadline` is reported
/// as not known.
pub(crate) async fn gather(
    deps: &Deps,
    live: bool,
    now: Timestamp,
    deadline: Deadline,
) -> Result<StatusInputs, StoreError> {
    let stored = deadline.earlier_by(AFTER_READING).bound(stored(deps, now)).await;
    let (rows, kept) =
        stored.unwrap_or_else(|| Err(StoreError::new("reading what is stored", "no answer in time")))?;
    let usable = kept.health.clone().filter(|snapshot| !live && is_usable(snapshot, &rows, &kept, now));
    let (stripe_key, snapshot) = match usable {
        Some(snapshot) => (key_state(kept.settings.as_ref(), &snapshot), snapshot),
        None => snapshot_now(deps, &rows, &kept, deadline, now).await?,
    };
    let endpoints = rows.into_iter().map(|row| endpoint(row, &kept, &snapshot)).collect();
    Ok(StatusInputs {
        now,
        mode: deps.mode,
        stack: deps.stack.clone(),
        public_url: deps.public_url.clone(),
        rotate_days: deps.rotate_days,
        endpoints,
        stripe_key,
        at_stripe: snapshot.endpoints,
        clock_ahead_ms: snapshot.clock_ahead_ms,
        open: snapshot.open,
        uncertain: snapshot.uncertain,
        gaps: snapshot.events,
        reconciled_at: kept.health.and_then(|reconciled| reconciled.at.to_timestamp()),
        key_since: kept.settings.and_then(|settings| settings.since.to_timestamp()),
        hours: kept.hours,
        import: kept.import,
        drift: kept.drift,
    })
}

async fn stored(deps: &Deps, now: Timestamp) -> Result<(Vec<EndpointRow>, StatusRows), StoreError> {
    let rows = deps.registry.endpoints().await?;
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let kept = deps.registry.status_rows(&names, now).await?;
    Ok((rows, kept))
}

fn endpoint(row: EndpointRow, kept: &StatusRows, snapshot: &HealthSnapshot) -> EndpointInputs {
    let name = row.name.as_str();
    // One that was registered anew has missed nothing yet.
    let missed_since = |newest: UnixSeconds| UnixMillis::from(newest) >= row.subscribed_since;
    EndpointInputs {
        activity: kept.activity.get(name).copied().unwrap_or_default(),
        undelivered: snapshot.undelivered.get(name).copied().filter(|missed| missed_since(missed.newest)),
        probe_outcome: snapshot.probes.get(name).cloned(),
        secret: snapshot.secrets.get(name).copied().unwrap_or(SecretPresence::Unknown),
        row,
    }
}

/// Whether the snapshot is complete, recent, and of the stack as it is now.
fn is_usable(snapshot: &HealthSnapshot, rows: &[EndpointRow], kept: &StatusRows, now: Timestamp) -> bool {
    let key_set_at = kept.settings.as_ref().map(|settings| settings.stripe_key_set_at);
    let changed_at = rows.iter().map(|row| row.state_since.max(row.created_at)).chain(key_set_at).max();
    // A change is stamped when it is asked for, and may be stored half a minute later.
    let changed_before = changed_at.is_none_or(|changed_at| changed_at + LONGEST_REQUEST <= snapshot.at);
    let has_secret = |row: &EndpointRow| snapshot.secrets.contains_key(row.name.as_str());
    let same_endpoints = rows.iter().all(has_secret) && snapshot.secrets.len() == rows.len();
    let complete = !matches!(snapshot.endpoints, StripeView::Unavailable(_))
        && !snapshot.secrets.values().any(|secret| *secret == SecretPresence::Unknown);
    let recent = UnixMillis::from(now) - snapshot.at <= OLDEST_SNAPSHOT;
    changed_before && same_endpoints && complete && recent
}

/// The key's state when the snapshot was gathered, which asks Stripe whenever there is a key.
fn key_state(settings: Option<&Settings>, snapshot: &HealthSnapshot) -> StripeKeyState {
    match settings {
        Some(settings) if snapshot.endpoints != StripeView::NotAsked => {
            StripeKeyState::Set { hint: settings.stripe_key_hint.clone() }
        }
        Some(_) | None => StripeKeyState::NotSet,
    }
}

/// Asks the ledger, Secrets Manager and Stripe at once. What only reconciliation finds out, its snapshot has.
async fn snapshot_now(
    deps: &Deps,
    rows: &[EndpointRow],
    kept: &StatusRows,
    deadline: Deadline,
    now: Timestamp,
) -> Result<(StripeKeyState, HealthSnapshot), StoreError> {
    let waiting = async {
        let counts =
            async { tokio::try_join!(health::open_events(&deps.ledger, now), deps.records.uncertain()) };
        let counts = deadline.earlier_by(AFTER_READING).bound(counts).await;
        counts.unwrap_or_else(|| Err(StoreError::new("counting what waits", "no answer in time")))
    };
    let stripe = async {
        let (key, session) = session(deps, kept.settings.as_ref(), deadline).await;
        let own = OwnStack { stack: &deps.stack, public_url: &deps.public_url, rows };
        (key, health::endpoints(session.as_ref(), own, now).await)
    };
    let secrets = health::secrets(&deps.secret_store, rows, deadline);
    let (waiting, (key, (endpoints, clock_ahead_ms)), secrets) = tokio::join!(waiting, stripe, secrets);
    let (open, uncertain) = waiting?;
    let reconciled = kept.health.as_ref();
    let snapshot = HealthSnapshot {
        at: now.into(),
        endpoints,
        clock_ahead_ms,
        events: reconciled.map_or(StripeView::NotAsked, |reconciled| reconciled.events.clone()),
        undelivered: reconciled.map(|reconciled| reconciled.undelivered.clone()).unwrap_or_default(),
        probes: reconciled.map(|reconciled| reconciled.probes.clone()).unwrap_or_default(),
        secrets,
        open,
        uncertain,
    };
    Ok((key, snapshot))
}

async fn session<'a>(
    deps: &'a Deps,
    settings: Option<&Settings>,
    deadline: Deadline,
) -> (StripeKeyState, Option<Session<'a>>) {
    let Some(settings) = settings else { return (StripeKeyState::NotSet, None) };
    let session = deps.stripe.session(settings.stripe_key_set_at, deadline);
    match deadline.bound(session).await {
        Some(Ok(Some(session))) => {
            (StripeKeyState::Set { hint: settings.stripe_key_hint.clone() }, Some(session))
        }
        Some(Ok(None)) => (StripeKeyState::NotSet, None),
        Some(Err(error)) => {
            tracing::warn!(error = error_chain(&error), "the Stripe key could not be read");
            (StripeKeyState::Unknown, None)
        }
        None => (StripeKeyState::Unknown, None),
    }
}
