//! Compares what Stripe has with what is here, closes gaps, and keeps what the status answers from.
//!
//! Invoked every five minutes by a schedule, and by an admin's `POST /reconcile` (`request`). One run at a
//! time, under a lease (`run`):
//! 1. Stripe's events are compared with the ledger (`gaps`), in our own account and in each connected one
//!    that has sent an event; what is wanted and missing is stored to be applied, like a delivery;
//! 2. an endpoint that Stripe does not reach, or was not heard for hours, is sent a probe (`undelivered`,
//!    `arrivals`, `probes`);
//! 3. what Stripe says of the endpoints, whether their secrets are there and which events wait is gathered
//!    (`shared::health`) and stored in the registry as a snapshot, from which the status answers;
//! 4. a few numbers go out as metrics (`metrics`).
//!
//! Rules: nothing is removed here. What is not finished when the time is up, the next run finishes. Stripe is
//! called one call after another, far below its rate limits. The clock is an argument.

mod arrivals;
mod config;
mod deps;
mod error;
mod gaps;
mod metrics;
mod probes;
mod request;
mod run;
mod undelivered;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::http;

pub use self::config::Config;
pub use self::deps::Deps;
pub use self::error::ReconcileError;

/// Does one invocation's work. `request_id` is Lambda's. The schedule gets the run's report, or null if
/// another run is at work. After `deadline` no further page of events is compared.
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
) -> Result<Value, ReconcileError> {
    http::dispatch(
        &input,
        request_id,
        async || Ok(json!(run::run(deps, None, request_id, deadline, now).await?)),
        async |request| request::respond(deps, &request, request_id, deadline, now).await,
    )
    .await
}
