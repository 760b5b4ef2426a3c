//! Says whether the webhooks work, and if not, why and what to do.
//!
//! The story of a request:
//! 1. what reconciliation keeps is read, or gathered anew, within 3 s (`gather`, `ask_stripe`, `inputs`);
//! 2. pure functions check it (`checks`);
//! 3. the answer has every check, and one word over all of them (`report`).
//!
//! Rules: nothing is changed but what is kept of Stripe's last answer; what is not known is not reported as
//! if it were; without DynamoDB the only answer is 503, because a status without the endpoints would be a
//! guess.

mod ask_stripe;
mod checks;
mod config;
mod deps;
mod gather;
mod inputs;
mod report;

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use shared::access::Role;
use shared::aws::CallLimits;
use shared::deadline::Deadline;
use shared::http::{ApiError, Query, json, request_id, segments};

pub use self::config::Config;
pub use self::deps::Deps;
use self::report::StatusReport;

/// What is asked has to answer before this, of the 3 s that are promised; the rest is for the checks and the
/// network.
pub const GATHER_WITHIN: Duration = Duration::from_millis(2_600);

// AWS is given up before, so that what hangs is reported and does not take the answer with it; and 300 ms of
// the 3 s are for the checks and the network.
const _: () = assert!(CallLimits::RECEIVE.total.as_millis() < GATHER_WITHIN.as_millis());
const _: () = assert!(GATHER_WITHIN.as_millis() + 300 <= 3_000);

/// Answers one request. What has not answered at `deadline` is reported as not known.
pub async fn handle(deps: &Deps, request: Request, now: Timestamp, deadline: Deadline) -> Response<Body> {
    match status(deps, &request, now, deadline).await {
        Ok(report) => json(StatusCode::OK, &report),
        Err(error) => error.into_response(&request_id(&request)),
    }
}

async fn status(
    deps: &Deps,
    request: &Request,
    now: Timestamp,
    deadline: Deadline,
) -> Result<StatusReport, ApiError> {
    deps.access.require(request, Role::Viewer)?;
    let live = route(request)?;
    Ok(checks::run(&gather::gather(deps, live, now, deadline).await?))
}

/// Accepts `GET /status` and returns `live`: whether Stripe is to be asked now.
fn route(request: &Request) -> Result<bool, ApiError> {
    if segments(request) != ["status"] {
        return Err(ApiError::no_route(request));
    }
    if request.method() != Method::GET {
        return Err(ApiError::method_not_allowed(request, "use GET"));
    }
    let query = Query::read(request, &["live"])?;
    match query.get("live") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            Err(ApiError::invalid("live", "`live` is true or false")
                .remedy("give one of them, or leave it out"))
        }
    }
}
