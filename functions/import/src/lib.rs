//! Brings in what Stripe has and no event here reports: all objects once, when an admin starts an import,
//! each night those that changed without an event, and the rest of lists of which events show the beginning.
//!
//! A schedule invokes it each minute, which costs four reads when there is nothing to do. Requests
//! (`request`) start an import, stop it and show how far it is; the scheduled runs do the work. One run works
//! at a time, under a lease:
//! 1. the nightly comparison, if it is due or unfinished (`drift`), for half of the time beside others;
//! 2. the transactions of payouts (`payouts`, `transactions`);
//! 3. the rest of lists that are cut (`whole`);
//! 4. the transactions of customers whose balance changed (`balances`);
//! 5. the import, if one is running (`import_run`, `kind_lists`).
//!
//! Both replace a record by the state that Stripe returned only if that is newer and differs (`upsert`,
//! `diff`), and skip what Stripe never answers (`unanswered`).
//!
//! Rules: progress is stored in the registry after each page, so a run that ends or crashes leaves the rest
//! to the next. Stripe is called one call after another, under twenty a second: its limit in a sandbox is 25.
//! Nothing is deleted because Stripe does not know it. The clock is an argument.

mod accounts;
mod balances;
mod config;
mod deps;
mod diff;
mod drift;
mod error;
mod import_run;
mod kind_lists;
mod listing;
mod payouts;
mod request;
mod transactions;
mod unanswered;
mod upsert;
mod view;
mod whole;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::http;
use shared::registry::{Import, ImportState, Lease, ScheduledWork};
use shared::stripe::Session;

pub use self::config::Config;
pub use self::deps::Deps;
pub use self::error::ImportError;

/// Does one invocation's work. `request_id` is Lambda's. A scheduled run begins nothing new after `deadline`.
///
/// # Errors
/// For the schedule: an input that is neither a request nor the schedule's, or tables that cannot be read or
/// written. A request always gets an HTTP response.
pub async fn handle(
    deps: &Deps,
    input: Value,
    request_id: &str,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Value, ImportError> {
    http::dispatch(
        &input,
        request_id,
        async || scheduled_run(deps, request_id, now, deadline).await,
        async |request| request::respond(deps, &request, now).await,
    )
    .await
}

/// A lease outlives the longest run (300 s) by little, so a crashed process delays the next by minutes.
const LEASE: SignedDuration = SignedDuration::from_secs(310);
/// Time for a call to Stripe that has begun when the run's time is up, retries included.
const LAST_CALL: Duration = Duration::from_secs(27);

/// Does one scheduled run. Returns null if there is nothing to do or another run holds the lease.
async fn scheduled_run(
    deps: &Deps,
    holder: &str,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Value, ImportError> {
    let work = deps.registry.scheduled_work().await?;
    if running_import(&work).is_none()
        && !is_drift_due(&work, now)
        && !are_payouts_due(deps, &work, now).await?
        && !are_lists_due(deps, &work).await?
        && !are_balances_due(deps, &work).await?
    {
        return Ok(Value::Null);
    }
    let run = run_under_lease(deps, deadline, now);
    let summary = deps.registry.under_lease(Lease::Import, holder, now, LEASE, run).await?;
    Ok(summary.unwrap_or(Value::Null))
}

async fn run_under_lease(deps: &Deps, deadline: Deadline, now: Timestamp) -> Result<Value, ImportError> {
    // Read again: the previous run may have ended between the first read and the lease.
    let work = deps.registry.scheduled_work().await?;
    let session = session(deps, &work, deadline).await?;
    let import = running_import(&work).cloned();
    let drift_summary = if is_drift_due(&work, now) {
        if work.drift.pass.is_none() {
            whole::try_again(deps).await?;
            balances::try_again(deps).await?;
        }
        let shares = import.is_some() || are_payouts_due(deps, &work, now).await?;
        let deadline = if shares { deadline.fraction(1, 2) } else { deadline };
        let account = work.settings.as_ref().and_then(|settings| settings.stripe_account.as_deref());
        Some(drift::run(deps, session.as_ref(), account, work.drift.clone(), deadline, now).await?)
    } else {
        None
    };
    let payout_summary = if are_payouts_due(deps, &work, now).await? {
        let shares = import.is_some() || are_lists_due(deps, &work).await?;
        let deadline = if shares { deadline.fraction(1, 2) } else { deadline };
        Some(payouts::run(deps, session.as_ref(), work.payouts.clone(), deadline, now).await?)
    } else {
        None
    };
    let whole_summary = if are_lists_due(deps, &work).await? {
        let shares = import.is_some() || are_balances_due(deps, &work).await?;
        let deadline = if shares { deadline.fraction(1, 2) } else { deadline };
        Some(whole::run(deps, session.as_ref(), deadline).await?)
    } else {
        None
    };
    let balance_summary = if are_balances_due(deps, &work).await? {
        let deadline = if import.is_some() { deadline.fraction(1, 2) } else { deadline };
        Some(balances::run(deps, session.as_ref(), deadline).await?)
    } else {
        None
    };
    let import_summary = match import {
        Some(import) => Some(import_run::run(deps, session.as_ref(), import, deadline, now).await?),
        None => None,
    };
    Ok(json!({
        "import": import_summary,
        "comparison": drift_summary,
        "payouts": payout_summary,
        "lists": whole_summary,
        "balances": balance_summary,
    }))
}

fn running_import(work: &ScheduledWork) -> Option<&Import> {
    work.import.as_ref().filter(|import| import.state == ImportState::Running)
}

/// Whether there is a comparison to continue or to begin. Before a Stripe key is set nothing can be fetched,
/// and nothing has come in.
fn is_drift_due(work: &ScheduledWork, now: Timestamp) -> bool {
    work.settings.is_some() && drift::is_due(&work.drift, now)
}

/// Whether a payout waits for its transactions, or the night's lists are to be gone through.
async fn are_payouts_due(deps: &Deps, work: &ScheduledWork, now: Timestamp) -> Result<bool, ImportError> {
    Ok(work.settings.is_some() && (payouts::is_due(&work.payouts, now) || payouts::is_waiting(deps).await?))
}

/// Whether a list that is cut waits for its rest.
async fn are_lists_due(deps: &Deps, work: &ScheduledWork) -> Result<bool, ImportError> {
    Ok(work.settings.is_some() && whole::is_waiting(deps).await?)
}

/// Whether a customer's balance has changed, and its transactions are to be listed.
async fn are_balances_due(deps: &Deps, work: &ScheduledWork) -> Result<bool, ImportError> {
    Ok(work.settings.is_some() && balances::is_waiting(deps).await?)
}

async fn session<'a>(
    deps: &'a Deps,
    work: &ScheduledWork,
    deadline: Deadline,
) -> Result<Option<Session<'a>>, ImportError> {
    let Some(settings) = &work.settings else { return Ok(None) };
    let session = deps.stripe.session(settings.stripe_key_set_at, deadline.later_by(LAST_CALL)).await?;
    Ok(session.map(|session| session.paced(deps.stripe_call_interval)))
}
