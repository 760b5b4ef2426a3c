//! Brings in what Stripe has that no event here tells of: all objects once, when an admin asks for it, and each night those that
//! changed without an event.
//!
//! Woken each minute by a schedule, which costs one read when there is nothing to do, or by a request (`request`): an import is
//! started, stopped and looked at by people, and carried on by the schedule. One run at a time, under a lease:
//! 1. the night's comparison, if it is due or not finished (`night`), for half of the time if there is an import as well;
//! 2. the import, if one goes on (`bring`).
//!
//! Both give a record Stripe's answer only if it is newer and another (`place`, `differ`), and pass what Stripe never answers (`stuck`).
//!
//! Rules: how far the work is lies in the registry, kept after each page, so a run that ends, or dies, leaves the rest to the next.
//! Stripe is called one call after another, which keeps far below its limits. Nothing is deleted because Stripe does not know it.
//! The clock is an argument.

mod bring;
mod config;
mod differ;
mod error;
mod night;
mod place;
mod request;
mod stuck;
mod view;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::access::Access;
use shared::audit::Audit;
use shared::aws::{CallLimits, error_chain};
use shared::http::{self, Trigger};
use shared::ledger::Ledger;
use shared::records::Records;
use shared::registry::{Import, ImportState, Lease, Registry, ScheduledWork};
use shared::secret_store::SecretStore;
use shared::stripe::{Session, Stripe, StripeKeys, TlsError};
use tokio::time::Instant;

use self::bring::{Brought, Ended};
pub use self::config::{Config, RUN_WITHIN};
pub use self::error::ImportError;
use self::night::Compared;

/// A lease outlives the longest run (300 s), and not much more: a process that died costs a few turns.
const LEASE: SignedDuration = SignedDuration::from_secs(310);
/// For the last call of a run that has begun when its time is up: its tries included.
const LAST_CALL: Duration = Duration::from_secs(27);

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    access: Access,
    ledger: Ledger,
    records: Records,
    registry: Registry,
    audit: Audit,
    stripe: Stripe,
    run_within: Duration,
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
        let keys = StripeKeys::new(secret_store, config.stripe_key_secret);
        Ok(Self {
            access: config.access,
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table),
            records: Records::new(dynamodb.clone(), config.records_table),
            registry: Registry::new(dynamodb.clone(), config.registry_table),
            audit: Audit::new(dynamodb, config.audit_table),
            stripe: Stripe::new(config.stripe_api_base, keys)?,
            run_within: config.run_within,
        })
    }
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
) -> Result<Value, ImportError> {
    match Trigger::read(&input, request_id)? {
        Trigger::Schedule => run(deps, request_id, now).await,
        Trigger::Request(request) => {
            let answer = request::answer(deps, &request, now).await;
            Ok(http::to_lambda(answer.unwrap_or_else(|error| error.into_response(request_id))))
        }
    }
}

/// One run. Null if there is nothing to do, or another is at it.
async fn run(deps: &Deps, holder: &str, now: Timestamp) -> Result<Value, ImportError> {
    let until = Instant::now() + deps.run_within;
    let work = deps.registry.scheduled_work().await?;
    let idle = running(&work).is_none() && !is_night(&work, now);
    if idle || !deps.registry.acquire_lease(Lease::Import, holder, now, LEASE).await? {
        return Ok(Value::Null);
    }
    let done = under_lease(deps, until, now).await;
    if let Err(error) = deps.registry.release_lease(Lease::Import, holder).await {
        tracing::warn!(error = error_chain(&error), "the lease will end by itself");
    }
    done
}

async fn under_lease(deps: &Deps, until: Instant, now: Timestamp) -> Result<Value, ImportError> {
    // Again: the run before this one may have ended between the read and the lease.
    let work = deps.registry.scheduled_work().await?;
    let session = session(deps, &work, until).await?;
    let import = running(&work).cloned();
    let compared = if is_night(&work, now) {
        let until = if import.is_some() { Instant::now() + deps.run_within / 2 } else { until };
        Some(night::go_on(deps, session.as_ref(), work.comparison, until, now).await?)
    } else {
        None
    };
    let brought = match import {
        Some(import) => Some(bring::go_on(deps, session.as_ref(), import, until, now).await?),
        None => None,
    };
    Ok(json!({ "import": brought.as_ref().map(told), "comparison": compared.map(told_of_night) }))
}

fn running(work: &ScheduledWork) -> Option<&Import> {
    work.import.as_ref().filter(|import| import.state == ImportState::Running)
}

/// Is there a comparison to be carried on or begun? Without a key nobody can be asked, and without one nothing has come in.
fn is_night(work: &ScheduledWork, now: Timestamp) -> bool {
    work.settings.is_some() && night::is_due(&work.comparison, now)
}

async fn session<'a>(
    deps: &'a Deps,
    work: &ScheduledWork,
    until: Instant,
) -> Result<Option<Session<'a>>, ImportError> {
    let Some(settings) = &work.settings else { return Ok(None) };
    Ok(deps.stripe.session(settings.stripe_key_set_at, until + LAST_CALL).await?)
}

fn told(brought: &Brought) -> Value {
    let ended = match brought.ended {
        Ended::Finished => "finished",
        Ended::Left => "left",
        Ended::Halted(_) => "halted",
        Ended::Stopped => "stopped",
    };
    json!({ "ended": ended, "pages": brought.pages, "written": brought.written })
}

fn told_of_night(compared: Compared) -> Value {
    json!({ "asked": compared.asked, "finished": compared.finished })
}
