//! Compares what Stripe says with what is here, closes gaps, and keeps what was seen for the status.
//!
//! Woken each five minutes by a schedule, or by an admin's `POST /reconcile` (`request`). One run at a time, under a lease:
//! 1. Stripe's events are compared with the ledger (`gaps`), in our own account and in each connected one that was heard of; what
//!    is wanted and missing is stored to be applied, like a delivery;
//! 2. the facts that the status is made from are gathered (`shared::health`): what Stripe says of the endpoints, whether their
//!    secrets are there, which events wait;
//! 3. an endpoint that Stripe cannot reach is sent a probe (`deliveries`);
//! 4. all is kept in the registry.
//!
//! Rules: nothing is taken away here. What is not finished when the time is up, the next run carries on with. Stripe is called one
//! call after another, which keeps far below its limits. The clock is an argument.

mod config;
mod deliveries;
mod error;
mod gaps;
mod request;
mod told;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use shared::access::Access;
use shared::audit::Audit;
use shared::aws::{CallLimits, error_chain};
use shared::health::{self, GapReport, HealthSnapshot, OwnStack, StripeView};
use shared::http::{self, Trigger};
use shared::ledger::Ledger;
use shared::metrics::Metrics;
use shared::mode::Mode;
use shared::records::Records;
use shared::registry::{Lease, Registry, Settings};
use shared::secret_store::SecretStore;
use shared::stripe::{Session, Stripe, StripeKeys, TlsError};
use tokio::time::Instant;

pub use self::config::{ANSWER_WITHIN, Config, RUN_WITHIN};
pub use self::error::ReconcileError;

/// Younger events are on their way.
const ON_THEIR_WAY: SignedDuration = SignedDuration::from_mins(5);
/// A lease outlives the longest run, and not much more: a process that died costs the next turn at most.
const LEASE: SignedDuration = SignedDuration::from_secs(150);
/// For the last call of a run that has begun when its time is up.
const LAST_CALL: Duration = Duration::from_secs(8);

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    mode: Mode,
    stack: String,
    /// Is Stripe a simulated one on this machine? Then endpoints may be on this machine too.
    local: bool,
    access: Access,
    ledger: Ledger,
    records: Records,
    registry: Registry,
    metrics: Metrics,
    secret_store: SecretStore,
    audit: Audit,
    stripe: Stripe,
    public_url: String,
    run_within: Duration,
    answer_within: Duration,
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
        let dynamodb = config.aws.dynamodb(CallLimits::PATIENT);
        let secret_store = SecretStore::new(config.aws.secrets_manager(CallLimits::PATIENT));
        let keys = StripeKeys::new(secret_store.clone(), config.stripe_key_secret);
        Ok(Self {
            mode: config.mode,
            stack: config.stack,
            local: config.stripe_api_base.is_local(),
            access: config.access,
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table),
            records: Records::new(dynamodb.clone(), config.records_table),
            registry: Registry::new(dynamodb.clone(), config.registry_table),
            metrics: config.metrics,
            secret_store,
            audit: Audit::new(dynamodb, config.audit_table),
            stripe: Stripe::new(config.stripe_api_base, keys)?,
            public_url: config.public_url.trim_end_matches('/').to_owned(),
            run_within: config.run_within,
            answer_within: config.answer_within,
        })
    }
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What Stripe said of endpoints: `ok`, or why nothing is known.
    pub endpoints: &'static str,
    /// The same of events.
    pub events: &'static str,
    /// Events looked at.
    pub looked_at: u64,
    /// Events that were wanted and missing, and are stored now.
    pub filled: u64,
    /// Is a stretch left for the next run?
    pub more: bool,
    /// Everything that Stripe stamped up to then has been compared.
    pub compared_until: Option<Timestamp>,
}

/// Does one invocation's work. `request_id` is Lambda's.
///
/// # Errors
/// For the schedule: an input that is neither, or tables that cannot be read or written. A request is always answered.
pub async fn handle(
    deps: &Deps,
    input: Value,
    request_id: &str,
    now: Timestamp,
) -> Result<Value, ReconcileError> {
    match Trigger::read(&input, request_id)? {
        Trigger::Schedule => {
            let found = run(deps, None, request_id, deps.run_within, now).await?;
            // Another run that is still at it is no trouble.
            Ok(found.map_or(Value::Null, |found| serde_json::json!(found)))
        }
        Trigger::Request(request) => {
            let answer = request::answer(deps, &request, request_id, now).await;
            Ok(http::to_lambda(answer.unwrap_or_else(|error| error.into_response(request_id))))
        }
    }
}

/// One run; none if another is at it. `since` takes comparing back to then.
async fn run(
    deps: &Deps,
    since: Option<Timestamp>,
    holder: &str,
    within: Duration,
    now: Timestamp,
) -> Result<Option<Found>, ReconcileError> {
    let until = Instant::now() + within;
    if !deps.registry.acquire_lease(Lease::Reconcile, holder, now, LEASE).await? {
        return Ok(None);
    }
    let done = under_lease(deps, since, until, now).await;
    if let Err(error) = deps.registry.release_lease(Lease::Reconcile, holder).await {
        tracing::warn!(error = error_chain(&error), "the lease will end by itself");
    }
    done.map(Some)
}

async fn under_lease(
    deps: &Deps,
    since: Option<Timestamp>,
    until: Instant,
    now: Timestamp,
) -> Result<Found, ReconcileError> {
    let rows = deps.registry.endpoints().await?;
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let before = deps.registry.status_rows(&names, now).await?;
    let session = session(deps, before.settings.as_ref(), until).await?;
    // First, because the answer tells the time.
    let ours = OwnStack { stack: &deps.stack, public_url: &deps.public_url, rows: &rows };
    let (endpoints, clock_ahead) = health::endpoints(session.as_ref(), ours, now).await;
    let events = match &session {
        Some(session) => {
            // Stripe's `Date` has whole seconds.
            let ahead = SignedDuration::from_secs(clock_ahead.unwrap_or(0).max(0) / 1_000);
            let end = (now - ahead - ON_THEIR_WAY).as_second();
            gaps::close(deps, session, &rows, since, until, now, end).await?
        }
        None => StripeView::NotAsked,
    };
    let undelivered = deliveries::undelivered(before.facts.as_ref(), &events, &rows, now);
    let late = until + LAST_CALL;
    let (secrets, probes) = tokio::join!(
        health::secrets(&deps.secret_store, &rows, late),
        deliveries::probes(deps, &rows, &undelivered, &before.activity, late, now)
    );
    let facts = HealthSnapshot {
        at: now.as_millisecond(),
        endpoints,
        clock_ahead,
        undelivered,
        probes,
        events,
        secrets,
        open: health::open_events(&deps.ledger, now).await?,
        uncertain: deps.records.uncertain().await?,
    };
    deps.registry.store_health_snapshot(&facts).await?;
    told::tell(&deps.metrics, &facts, &rows, now);
    Ok(Found::of(&facts))
}

async fn session<'a>(
    deps: &'a Deps,
    settings: Option<&Settings>,
    until: Instant,
) -> Result<Option<Session<'a>>, ReconcileError> {
    let Some(settings) = settings else { return Ok(None) };
    Ok(deps.stripe.session(settings.stripe_key_set_at, until + LAST_CALL).await?)
}

impl Found {
    fn of(facts: &HealthSnapshot) -> Self {
        let gaps = if let StripeView::Answered { value, .. } = &facts.events {
            value
        } else {
            &GapReport::default()
        };
        Self {
            endpoints: word(&facts.endpoints),
            events: word(&facts.events),
            looked_at: gaps.looked_at,
            filled: gaps.filled,
            more: gaps.more,
            compared_until: Timestamp::from_second(gaps.until).ok().filter(|_| gaps.until > 0),
        }
    }
}

fn word<T>(said: &StripeView<T>) -> &'static str {
    match said {
        StripeView::NotAsked => "not_asked",
        StripeView::Answered { .. } => "ok",
        StripeView::KeyRejected(_) => "key_refused",
        StripeView::Forbidden(_) => "key_lacks_right",
        StripeView::Unavailable(_) => "no_answer",
    }
}
