//! Erases a customer's personal data, when an admin asks for it: the person goes, the money stays.
//!
//! Requests (`request`) ask for it, once the customer is deleted at Stripe (`at_stripe`), and show how far it
//! is. A schedule invokes the function each minute, which
//! costs one read when there is nothing to do. One run works at a time, under a lease, and takes the
//! customers one after another (`pass`): the customer, and page by page all that is theirs (`owned`). Of each
//! object the record is reduced to what names nobody, and the payload of each of its events is removed
//! (`object`).
//!
//! Rules: what is erased stays erased, whatever comes later: `shared::records` reduces what takes the place
//! of an erased record, and each day a finished erasure is gone through again for objects and payloads that
//! came since. An event that is not final keeps its payload until it is. How far a pass is is stored after
//! each page; doing a page again changes nothing. The clock is an argument.

mod at_stripe;
mod config;
mod deps;
mod error;
mod object;
mod owned;
mod pass;
mod request;
mod view;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use shared::aws::error_chain;
use shared::deadline::Deadline;
use shared::http;
use shared::registry::{ErasureJob, Lease};
use shared::unix_time::UnixMillis;

pub use self::config::Config;
pub use self::deps::Deps;
pub use self::error::EraseError;

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
) -> Result<Value, EraseError> {
    http::dispatch(
        &input,
        request_id,
        async || scheduled_run(deps, request_id, now, deadline).await,
        async |request| request::respond(deps, &request, now, deadline).await,
    )
    .await
}

/// A lease outlives the longest run (300 s) by little, so a crashed process delays the next by minutes.
const LEASE: SignedDuration = SignedDuration::from_secs(310);

/// What a run did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
struct RunSummary {
    /// Customers that it looked at.
    customers: u64,
    records: u64,
    events: u64,
}

/// Does one scheduled run. Returns null if there is nothing to do or another run holds the lease.
async fn scheduled_run(
    deps: &Deps,
    holder: &str,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Value, EraseError> {
    if due_jobs(deps, now).await?.is_empty() {
        return Ok(Value::Null);
    }
    let work = run_under_lease(deps, now, deadline);
    let summary = deps.registry.under_lease(Lease::Erase, holder, now, LEASE, work).await?;
    Ok(json!(summary))
}

/// Continues what is due, the longest due first, by at least one page.
async fn run_under_lease(deps: &Deps, now: Timestamp, deadline: Deadline) -> Result<RunSummary, EraseError> {
    let (mut summary, mut failure) = (RunSummary::default(), None);
    // Read again: the previous run may have ended between the first read and the lease.
    for job in due_jobs(deps, now).await? {
        if summary.customers > 0 && deadline.has_passed() {
            break;
        }
        summary.customers += 1;
        let (records, events) = (job.records, job.events);
        match pass::run(deps, job, now, deadline).await {
            Ok(job) => {
                summary.records += job.records - records;
                summary.events += job.events - events;
            }
            // One customer's data that cannot be erased must not keep the others'.
            Err(error) => {
                tracing::error!(error = error_chain(&error), "an erasure stopped; the next run goes on");
                failure = Some(error);
            }
        }
    }
    failure.map_or(Ok(summary), Err)
}

async fn due_jobs(deps: &Deps, now: Timestamp) -> Result<Vec<ErasureJob>, EraseError> {
    let mut jobs = deps.registry.erasures().await?;
    jobs.retain(|job| job.due_at <= UnixMillis::from(now));
    jobs.sort_by_key(|job| job.due_at);
    Ok(jobs)
}
