//! Manages the endpoints at Stripe and keeps their signing secrets; holds the settings of the stack.
//!
//! The story of a request:
//! 1. who is calling, and what the request asks for (`route`);
//! 2. the request is carried out, one file each, in `endpoint` and `settings`;
//! 3. a change, done or refused, is written to the audit (`audit`);
//! 4. the answer.
//!
//! A schedule wakes it too: then it finishes what a request left half done (`maintenance`).
//!
//! Rules: what is wanted is stored here before Stripe is asked, so that a crash after any step leaves a row
//! that says what is half done, and the same request again goes on with it. Where nobody can tell whether
//! Stripe did something, nothing is taken back. A signing secret is shown by the answers that register and
//! rotate and to an admin who asks for it, and by nothing else.

mod audit;
mod config;
mod context;
mod deps;
mod endpoint;
mod error;
mod maintenance;
mod route;
mod settings;

use jiff::Timestamp;
use lambda_http::{Body, Request, Response};
use lambda_runtime::Diagnostic;
use serde_json::Value;
use shared::access::Role;
use shared::aws::error_chain;
use shared::deadline::Deadline;
use shared::http::{self, ApiError, request_id};

use self::audit::ChangeDetails;
pub use self::config::{Config, WORK_WITHIN};
use self::context::RequestContext;
pub use self::deps::Deps;
use self::error::RegisterError;
use self::route::{ChangeRequest, ReadRequest, Route};

/// Does one invocation's work, until `deadline`. `request_id` is Lambda's.
///
/// # Errors
/// For the schedule: why nothing could be done; the next run tries again. A request is always answered.
pub async fn handle(
    deps: &Deps,
    input: &Value,
    request_id: &str,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Value, Diagnostic> {
    http::dispatch(
        input,
        request_id,
        async || maintain(RequestContext::scheduled(deps, now, deadline)).await,
        async |request| Ok(answer(deps, request, now, deadline).await),
    )
    .await
}

async fn maintain(context: RequestContext<'_>) -> Result<Value, Diagnostic> {
    match context.in_time(Box::pin(maintenance::run(context))).await {
        Ok(report) => Ok(serde_json::json!(report)),
        // Before there is a key, nothing can be asked of Stripe; the status shows that.
        Err(RegisterError::StripeKeyMissing) => Ok(Value::Null),
        Err(error) => {
            Err(Diagnostic { error_type: "Register".to_owned(), error_message: error_chain(&error) })
        }
    }
}

/// Answers one request, at `deadline` at the latest.
pub async fn answer(deps: &Deps, request: Request, now: Timestamp, deadline: Deadline) -> Response<Body> {
    match respond(RequestContext::new(deps, now, deadline), &request).await {
        Ok(response) => response,
        Err(error) => error.into_response(&request_id(&request)),
    }
}

async fn respond(context: RequestContext<'_>, request: &Request) -> Result<Response<Body>, ApiError> {
    let access = &context.deps.access;
    let caller = access.caller(request)?;
    match Route::from_request(request)? {
        Route::Read(wanted) => {
            access.require(request, Role::Viewer)?;
            let result = context.in_time(read(context, request, wanted)).await;
            result.map_err(RegisterError::into_api_error)
        }
        Route::Change(wanted) => {
            let mut details = ChangeDetails::default();
            let result = match access.require(request, Role::Admin) {
                Ok(_) => {
                    let result = context.in_time(change(context, request, &wanted, &mut details)).await;
                    result.map_err(RegisterError::into_api_error)
                }
                Err(forbidden) => Err(forbidden),
            };
            audit::record(context, &caller, &wanted, details, &result).await;
            result
        }
    }
}

async fn read(
    context: RequestContext<'_>,
    request: &Request,
    wanted: ReadRequest,
) -> Result<Response<Body>, RegisterError> {
    match wanted {
        ReadRequest::ListEndpoints => endpoint::read::list(context, request).await,
        ReadRequest::GetEndpoint(name) => endpoint::read::get(context, request, &name).await,
        ReadRequest::GetSettings => settings::read::get(context, request).await,
    }
}

async fn change(
    context: RequestContext<'_>,
    request: &Request,
    wanted: &ChangeRequest,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    // Boxed: together they are too large for a stack.
    match wanted {
        ChangeRequest::CreateEndpoint => Box::pin(endpoint::create::create(context, request, details)).await,
        ChangeRequest::UpdateEndpoint(name) => {
            Box::pin(endpoint::update::update(context, request, name, details)).await
        }
        ChangeRequest::DeleteEndpoint(name) => {
            Box::pin(endpoint::delete::delete(context, request, name, details)).await
        }
        ChangeRequest::ShowSecret(name) => Box::pin(endpoint::secret::show(context, request, name)).await,
        ChangeRequest::RotateSecret(name) => {
            Box::pin(endpoint::rotate::rotate(context, request, name, details)).await
        }
        ChangeRequest::GiveUpRotation(name) => {
            Box::pin(endpoint::rotate::give_up_by_request(context, request, name, details)).await
        }
        ChangeRequest::RepairEndpoint(name) => {
            Box::pin(endpoint::repair::repair(context, request, name, details)).await
        }
        ChangeRequest::ProbeEndpoint(name) => {
            Box::pin(endpoint::probe::probe(context, request, name, details)).await
        }
        ChangeRequest::SetStripeKey => Box::pin(settings::stripe_key::set(context, request, details)).await,
        ChangeRequest::UpdateSettings => Box::pin(settings::update::update(context, request, details)).await,
    }
}
