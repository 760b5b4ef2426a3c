//! Reads the endpoints and what reconciliation keeps, in two reads.
//!
//! What reconciliation keeps (the snapshot) is gathered anew when somebody asks for it (`live`), before the
//! first reconciliation, when an endpoint or the key has changed here since (an earlier snapshot would
//! describe another stack), and where it holds a refusal or no answer of Stripe, which may be mended by now.
//! Then Stripe is asked at most every ten seconds (`ask_stripe`). What has not answered when the time is up
//! is reported as not known.

use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, error_chain};
use shared::deadline::Deadline;
use shared::endpoint::EndpointRow;
use shared::health::{self, HealthSnapshot, OwnStack, SecretPresence, StripeView};
use shared::records::OpenReason;
use shared::registry::{Settings, StatusRows};
use shared::stripe::{Session, StripeFailure, WebhookEndpoint};
use shared::unix_time::{UnixMillis, UnixSeconds};

use crate::ask_stripe::{AFTER_READING, StripeAnswers, ask_stripe};
use crate::deps::Deps;
use crate::inputs::{EndpointInputs, StatusInputs, StripeKeyState};

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
    let recent = kept.health.clone().filter(|snapshot| is_usable(snapshot, &rows, &kept, now));
    let is_reconciled_lately = recent.is_some();
    let usable = recent.filter(|_| !live);
    let Gathered { stripe_key, snapshot, stripe_asked_at, no_answer, events_readable } = match usable {
        Some(snapshot) => Gathered::kept(kept.settings.as_ref(), snapshot),
        None => gather_now(deps, &rows, &kept, live, deadline, now).await?,
    };
    let endpoints = rows.into_iter().map(|row| endpoint(row, &kept, &snapshot)).collect();
    Ok(StatusInputs {
        now,
        mode: deps.mode,
        stack_id: kept.stack_id,
        public_url: deps.public_url.clone(),
        rotate_days: deps.rotate_days,
        endpoints,
        stripe_key,
        stripe_asked_at: stripe_asked_at.and_then(UnixMillis::to_timestamp),
        at_stripe: snapshot.endpoints,
        no_answer,
        events_readable,
        ignore: kept.rules.ignore,
        clock_ahead_ms: snapshot.clock_ahead_ms,
        open: snapshot.open,
        uncertain: snapshot.uncertain,
        incomplete: snapshot.incomplete,
        gaps: snapshot.events,
        is_reconciled_lately,
        reconciled_at: kept.health.and_then(|reconciled| reconciled.at.to_timestamp()),
        key_since: kept.settings.and_then(|settings| settings.since.to_timestamp()),
        hours: kept.hours,
        import: kept.import,
        erasures: snapshot.erasures.unwrap_or_default(),
        drift: kept.drift,
        payouts: snapshot.payouts,
        payout_progress: kept.payouts,
    })
}

/// What the registry keeps.
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
    let arrivals = snapshot.arrivals.get(name);
    let arrivals = arrivals.filter(|counted| counted.newest_fetched().is_none_or(missed_since));
    EndpointInputs {
        activity: kept.activity.get(name).copied().unwrap_or_default(),
        undelivered: snapshot.undelivered.get(name).copied().filter(|missed| missed_since(missed.newest)),
        arrivals: arrivals.cloned().unwrap_or_default(),
        probe: kept.probes.get(name).filter(|probe| probe.is_about(&row)).cloned(),
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
        && is_told(&snapshot.events)
        && snapshot.erasures.is_some()
        && snapshot.payouts.is_some()
        && !snapshot.secrets.values().any(|secret| *secret == SecretPresence::Unknown);
    changed_before && same_endpoints && complete && is_recent(snapshot, now)
}

fn is_recent(snapshot: &HealthSnapshot, now: Timestamp) -> bool {
    UnixMillis::from(now) - snapshot.at <= OLDEST_SNAPSHOT
}

/// Whether it is no refusal and no missing answer. Those are asked for again: somebody may have mended it.
fn is_told<T>(view: &StripeView<T>) -> bool {
    match view {
        StripeView::NotAsked | StripeView::Answered { .. } => true,
        StripeView::KeyRejected(_) | StripeView::Forbidden(_) | StripeView::Unavailable(_) => false,
    }
}

/// The snapshot, and what is known beside it.
struct Gathered {
    stripe_key: StripeKeyState,
    snapshot: HealthSnapshot,
    /// When Stripe was asked for its endpoints; none if there is no key to ask with.
    stripe_asked_at: Option<UnixMillis>,
    no_answer: Option<StripeFailure>,
    events_readable: StripeView<()>,
}

impl Gathered {
    /// As reconciliation kept it. It asks Stripe whenever there is a key.
    fn kept(settings: Option<&Settings>, snapshot: HealthSnapshot) -> Self {
        let stripe_key = match settings {
            Some(settings) if snapshot.endpoints != StripeView::NotAsked => {
                StripeKeyState::Set { hint: settings.stripe_key_hint.clone() }
            }
            Some(_) | None => StripeKeyState::NotSet,
        };
        let events_readable = without_value(&snapshot.events);
        let stripe_asked_at = (snapshot.endpoints != StripeView::NotAsked).then_some(snapshot.at);
        Self { stripe_key, snapshot, stripe_asked_at, no_answer: None, events_readable }
    }
}

/// Asks the ledger, Secrets Manager and Stripe at once. What only reconciliation finds out, its snapshot has.
async fn gather_now(
    deps: &Deps,
    rows: &[EndpointRow],
    kept: &StatusRows,
    live: bool,
    deadline: Deadline,
    now: Timestamp,
) -> Result<Gathered, StoreError> {
    // All of them are read for it, so only where nothing recent is kept, or somebody asks for it.
    let erasures = async {
        let recent = kept.health.as_ref().filter(|snapshot| !live && is_recent(snapshot, now));
        match recent.and_then(|snapshot| snapshot.erasures.clone()) {
            Some(erasures) => Ok(erasures),
            None => deps.registry.erasure_health(now).await,
        }
    };
    let waiting = async {
        let open = health::open_events(&deps.ledger, now);
        let uncertain = deps.records.open(OpenReason::OrderUncertain);
        let incomplete = deps.records.incomplete();
        let payouts = health::payouts(&deps.records, now);
        // Boxed, because they are too large for a stack together with the rest.
        let counts = Box::pin(async { tokio::try_join!(open, uncertain, incomplete, erasures, payouts) });
        let counts = deadline.earlier_by(AFTER_READING).bound(counts).await;
        counts.unwrap_or_else(|| Err(StoreError::new("counting what waits", "no answer in time")))
    };
    let stripe = async {
        let (key, session) = session(deps, kept.settings.as_ref(), deadline).await;
        let own = OwnStack { stack_id: kept.stack_id.as_deref(), public_url: &deps.public_url, rows };
        let answers = match (&session, &kept.settings) {
            // Boxed, because it is too large for a stack together with the rest.
            (Some(session), Some(settings)) => {
                Box::pin(ask_stripe(deps, session, settings, own, deadline, now)).await
            }
            _ => (StripeAnswers::NONE, None),
        };
        (key, answers)
    };
    let secrets = health::secrets(&deps.secret_store, rows, deadline);
    let (waiting, (stripe_key, (answers, asked_at)), secrets) = tokio::join!(waiting, stripe, secrets);
    let (open, uncertain, incomplete, erasures, payouts) = waiting?;
    // What the key of before was told says nothing of this one.
    let key_set_at = kept.settings.as_ref().map(|settings| settings.stripe_key_set_at);
    let of_this_key = |kept: &&HealthSnapshot| key_set_at.is_none_or(|set_at| set_at <= kept.at);
    let reconciled = kept.health.as_ref();
    let events = reconciled.filter(of_this_key).map(|reconciled| &reconciled.events);
    let events = events.filter(|events| is_told(*events)).cloned().unwrap_or(StripeView::NotAsked);
    let recent = reconciled.filter(|snapshot| is_usable(snapshot, rows, kept, now));
    let StripeAnswers { endpoints, clock_ahead_ms, events_readable } = answers;
    let (endpoints, no_answer) = or_recent((endpoints, clock_ahead_ms, asked_at), recent);
    let (endpoints, clock_ahead_ms, stripe_asked_at) = endpoints;
    let events_readable = match &events_readable {
        StripeView::Unavailable(_) if recent.is_some() && is_answer(&events) => without_value(&events),
        StripeView::NotAsked
        | StripeView::Answered { .. }
        | StripeView::KeyRejected(_)
        | StripeView::Forbidden(_)
        | StripeView::Unavailable(_) => events_readable,
    };
    let snapshot = HealthSnapshot {
        at: now.into(),
        endpoints,
        clock_ahead_ms,
        events,
        undelivered: reconciled.map(|reconciled| reconciled.undelivered.clone()).unwrap_or_default(),
        arrivals: reconciled.map(|reconciled| reconciled.arrivals.clone()).unwrap_or_default(),
        secrets,
        open,
        uncertain,
        incomplete: Some(incomplete),
        erasures: Some(erasures),
        payouts: Some(payouts),
    };
    Ok(Gathered { stripe_key, snapshot, stripe_asked_at, no_answer, events_readable })
}

/// What Stripe said of its endpoints, how far our clock was ahead of its, and when it was asked.
type EndpointsThen = (StripeView<Vec<WebhookEndpoint>>, Option<i64>, Option<UnixMillis>);

/// One limit on calls, or one late answer, does not undo what Stripe said minutes ago: then that is used, and
/// why there is no answer now comes beside it.
fn or_recent(
    answer: EndpointsThen,
    recent: Option<&HealthSnapshot>,
) -> (EndpointsThen, Option<StripeFailure>) {
    match (answer, recent) {
        ((StripeView::Unavailable(failure), ..), Some(recent)) if is_answer(&recent.endpoints) => {
            ((recent.endpoints.clone(), recent.clock_ahead_ms, Some(recent.at)), Some(failure))
        }
        (answer, _) => (answer, None),
    }
}

fn is_answer<T>(view: &StripeView<T>) -> bool {
    match view {
        StripeView::Answered { .. } => true,
        StripeView::NotAsked
        | StripeView::KeyRejected(_)
        | StripeView::Forbidden(_)
        | StripeView::Unavailable(_) => false,
    }
}

fn without_value<T>(view: &StripeView<T>) -> StripeView<()> {
    match view {
        StripeView::NotAsked => StripeView::NotAsked,
        StripeView::Answered { request_id, .. } => {
            StripeView::Answered { value: (), request_id: request_id.clone() }
        }
        StripeView::KeyRejected(failure) => StripeView::KeyRejected(failure.clone()),
        StripeView::Forbidden(failure) => StripeView::Forbidden(failure.clone()),
        StripeView::Unavailable(failure) => StripeView::Unavailable(failure.clone()),
    }
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
