//! One run: compares events, gathers the snapshot for the status, and stores it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::deadline::Deadline;
use shared::health::{self, HealthSnapshot, OwnStack, StripeView};
use shared::records::OpenReason;
use shared::registry::{Lease, Settings};
use shared::stripe::Session;

use crate::deps::Deps;
use crate::error::ReconcileError;
use crate::gaps::{self, RunContext};
use crate::{arrivals, metrics, probes, undelivered};

/// Younger events may still be on their way.
const ON_THEIR_WAY: SignedDuration = SignedDuration::from_mins(5);
/// A lease outlives the longest run by little, so a crashed process costs one turn of the schedule at most.
const LEASE: SignedDuration = SignedDuration::from_secs(150);
/// Time for a call that has begun when the run's time is up.
const LAST_CALL: Duration = Duration::from_secs(8);

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RunReport {
    /// How Stripe answered for endpoints: `ok`, or why nothing is known.
    endpoints: &'static str,
    /// How Stripe answered for events.
    events: &'static str,
    /// How many events were looked at.
    looked_at: u64,
    /// How many events were wanted and missing, and are stored now.
    filled: u64,
    /// Whether a time window is left for the next run.
    more: bool,
    /// Everything that Stripe stamped up to then has been compared.
    compared_until: Option<Timestamp>,
}

/// Does one run. Returns `None` if another one holds the lease. `since` has events compared again from then
/// on.
pub(crate) async fn run(
    deps: &Deps,
    since: Option<Timestamp>,
    holder: &str,
    deadline: Deadline,
    now: Timestamp,
) -> Result<Option<RunReport>, ReconcileError> {
    let work = run_under_lease(deps, since, deadline, now);
    deps.registry.under_lease(Lease::Reconcile, holder, now, LEASE, work).await
}

async fn run_under_lease(
    deps: &Deps,
    since: Option<Timestamp>,
    deadline: Deadline,
    now: Timestamp,
) -> Result<RunReport, ReconcileError> {
    let rows = deps.registry.endpoints().await?;
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let stored = deps.registry.status_rows(&names, now).await?;
    let last_call = deadline.later_by(LAST_CALL);
    let session = session(deps, stored.settings.as_ref(), last_call).await?;
    // First, because the answer has Stripe's time.
    let own = OwnStack { stack_id: stored.stack_id.as_deref(), public_url: &deps.public_url, rows: &rows };
    let (endpoints, clock_ahead_ms) = health::endpoints(session.as_ref(), own, now).await;
    let events = match &session {
        Some(session) => {
            // Stripe's `Date` has whole seconds.
            let ahead = SignedDuration::from_secs(clock_ahead_ms.unwrap_or(0).max(0) / 1_000);
            let end = (now - ahead - ON_THEIR_WAY).into();
            gaps::close(RunContext { deps, session, since, deadline, now, end }, &rows).await?
        }
        None => StripeView::NotAsked,
    };
    let undelivered = undelivered::within_a_day(stored.health.as_ref(), &events, &rows, now);
    let arrivals = arrivals::over_a_day(stored.health.as_ref(), &events, &rows, now);
    let secrets = health::secrets(&deps.secret_store, &rows, last_call);
    let missed = arrivals::missed(&undelivered, &arrivals);
    let probes = probes::send(deps, &rows, &missed, &stored, last_call, now);
    let (secrets, probed) = tokio::join!(secrets, probes);
    probed?;
    let snapshot = HealthSnapshot {
        at: now.into(),
        endpoints,
        clock_ahead_ms,
        undelivered,
        arrivals,
        events,
        secrets,
        open: health::open_events(&deps.ledger, now).await?,
        uncertain: deps.records.open(OpenReason::OrderUncertain).await?,
        incomplete: Some(deps.records.incomplete().await?),
        erasures: Some(deps.registry.erasure_health(now).await?),
        payouts: Some(Box::pin(health::payouts(&deps.records, now)).await?),
    };
    deps.registry.store_health_snapshot(&snapshot).await?;
    metrics::emit(&deps.metrics, &snapshot, &rows, now);
    Ok(RunReport::from(&snapshot))
}

async fn session<'a>(
    deps: &'a Deps,
    settings: Option<&Settings>,
    deadline: Deadline,
) -> Result<Option<Session<'a>>, ReconcileError> {
    let Some(settings) = settings else { return Ok(None) };
    Ok(deps.stripe.session(settings.stripe_key_set_at, deadline).await?)
}

impl From<&HealthSnapshot> for RunReport {
    fn from(snapshot: &HealthSnapshot) -> Self {
        let gaps = match &snapshot.events {
            StripeView::Answered { value, .. } => Some(value),
            StripeView::NotAsked
            | StripeView::KeyRejected(_)
            | StripeView::Forbidden(_)
            | StripeView::Unavailable(_) => None,
        };
        Self {
            endpoints: answer_code(&snapshot.endpoints),
            events: answer_code(&snapshot.events),
            looked_at: gaps.map_or(0, |gaps| gaps.looked_at),
            filled: gaps.map_or(0, |gaps| gaps.filled),
            more: gaps.is_some_and(|gaps| gaps.more),
            compared_until: gaps
                .and_then(|gaps| gaps.until.to_timestamp())
                .filter(|at| *at > Timestamp::UNIX_EPOCH),
        }
    }
}

fn answer_code<T>(view: &StripeView<T>) -> &'static str {
    match view {
        StripeView::NotAsked => "not_asked",
        StripeView::Answered { .. } => "ok",
        StripeView::KeyRejected(_) => "key_refused",
        StripeView::Forbidden(_) => "key_lacks_right",
        StripeView::Unavailable(_) => "no_answer",
    }
}
