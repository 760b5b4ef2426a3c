//! `POST /reconcile`: a run that an admin asks for.

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::access::Role;
use shared::audit::AuditDetails;
use shared::deadline::Deadline;
use shared::http::{self, ApiError, Fields, Query, segments};

use crate::deps::Deps;
use crate::gaps::LISTED_FOR;
use crate::run::{RunReport, run};

/// The run of a request, of the 30 s that API Gateway waits: its last calls and the snapshot follow.
const ANSWER_WITHIN: Duration = Duration::from_secs(14);

/// Answers a request.
pub(crate) async fn respond(
    deps: &Deps,
    request: &Request,
    request_id: &str,
    deadline: Deadline,
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    let caller = deps.access.caller(request)?;
    if segments(request) != ["reconcile"] {
        return Err(ApiError::no_route(request));
    }
    if request.method() != Method::POST {
        return Err(ApiError::method_not_allowed(request, "use POST"));
    }
    let mut details = AuditDetails::default();
    let result = reconcile(deps, request, request_id, deadline, &mut details, now).await;
    deps.audit.record_result(&caller, "reconcile", "events", details, &result, now).await;
    Ok(http::json(StatusCode::OK, &result?))
}

/// Runs once. `details` gets what was asked for as soon as it is read, and what was found.
async fn reconcile(
    deps: &Deps,
    request: &Request,
    request_id: &str,
    deadline: Deadline,
    details: &mut AuditDetails,
    now: Timestamp,
) -> Result<RunReport, ApiError> {
    deps.access.require(request, Role::Admin)?;
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &["since"])?;
    let since = fields.time("since")?;
    details.before = since.map(|since| json!({ "since": since }));
    if since.is_some_and(|since| since < now - LISTED_FOR || since > now) {
        return Err(ApiError::invalid(
            "since",
            "`since` is not within the last 30 days, as far as Stripe lists events",
        )
        .remedy("give a later time, or leave it out to go on where the last run ended"));
    }
    let report =
        run(deps, since, request_id, deadline.within(ANSWER_WITHIN), now).await?.ok_or_else(|| {
            ApiError::new(
                StatusCode::CONFLICT,
                "reconcile_running",
                "a reconciliation is running at this moment",
            )
            .remedy("wait for a minute, then look at GET /status or send the same request again")
        })?;
    details.after = Some(json!(report));
    Ok(report)
}
