//! What an admin asks for.

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::access::Role;
use shared::audit::AuditEntry;
use shared::http::{self, ApiError, Fields, Query, segments};

use crate::{Deps, Found, run};

/// As far back as Stripe lists events (its API reference, "List all events").
const LISTED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// `POST /reconcile`
pub(crate) async fn answer(
    deps: &Deps,
    request: &Request,
    request_id: &str,
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    let caller = deps.access.caller(request)?;
    if segments(request) != ["reconcile"] {
        return Err(ApiError::no_route(request));
    }
    if request.method() != Method::POST {
        let message = format!("{} is not a method of this path", request.method());
        return Err(
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).remedy("use POST")
        );
    }
    let mut asked = None;
    let result = match deps.access.require(request, Role::Admin) {
        Ok(_) => reconcile(deps, request, request_id, &mut asked, now).await,
        Err(forbidden) => Err(forbidden),
    };
    let code = result.as_ref().map_or_else(ApiError::code, |_| "done");
    let mut act = AuditEntry::new(&caller, "reconcile", "events", code, now);
    act.before = asked.map(|since| json!({ "since": since }));
    act.after = result.as_ref().ok().map(|found| json!(found));
    deps.audit.note(&act).await;
    result.map(|found| http::json(StatusCode::OK, &found))
}

async fn reconcile(
    deps: &Deps,
    request: &Request,
    request_id: &str,
    asked: &mut Option<Timestamp>,
    now: Timestamp,
) -> Result<Found, ApiError> {
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &["since"])?;
    let since = fields.time("since")?;
    *asked = since;
    if since.is_some_and(|since| since < now - LISTED_FOR || since > now) {
        return Err(ApiError::invalid(
            "since",
            "`since` is not within the last 30 days, as far as Stripe lists events",
        )
        .remedy("give a later time, or leave it out to go on where the last run ended"));
    }
    run(deps, since, request_id, deps.answer_within, now).await?.ok_or_else(|| {
        ApiError::new(StatusCode::CONFLICT, "reconcile_running", "a reconciliation is running at this moment")
            .remedy("wait for a minute, then look at GET /status or send the same request again")
    })
}
