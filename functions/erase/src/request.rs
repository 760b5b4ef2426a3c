//! `POST /erasures`, `GET /erasures` and `GET /erasures/{customer}`: asks for an erasure, shows them.

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::access::Role;
use shared::audit::AuditDetails;
use shared::deadline::Deadline;
use shared::http::{self, ApiError, Fields, Query, path_rest, segments};
use shared::kind::Kind;
use shared::object_key::ObjectKey;
use shared::page::Page;
use shared::registry::{ErasureJob, ErasureState, Sampled, Written};

use crate::at_stripe::{CLAIM, require_deleted};
use crate::deps::Deps;
use crate::view::{ErasurePlace, ErasureView, place};

/// The longest reason that an admin can give.
const MAX_REASON_CHARS: usize = 300;
/// What the audit names as changed.
const TARGET: &str = "records";

/// Answers a request.
pub(crate) async fn respond(
    deps: &Deps,
    request: &Request,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Response<Body>, ApiError> {
    let caller = deps.access.caller(request)?;
    let path = segments(request);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["erasures"] => match *request.method() {
            Method::GET => list(deps, request).await,
            Method::POST => {
                let mut details = AuditDetails::default();
                let started = start(deps, request, &mut details, now, deadline).await;
                deps.audit.record_result(&caller, "erasure.start", TARGET, details, &started, now).await;
                Ok(http::json(StatusCode::ACCEPTED, &started?))
            }
            _ => Err(wrong_method(request)),
        },
        // An id that a merchant chose may hold any character, slashes too.
        ["erasures", ..] => match *request.method() {
            Method::GET => show(deps, request, &path_rest(request, 1)).await,
            _ => Err(wrong_method(request)),
        },
        _ => Err(ApiError::no_route(request)),
    }
}

fn wrong_method(request: &Request) -> ApiError {
    let remedy = "use POST /erasures to erase a customer's personal data, GET to see how far it is";
    ApiError::method_not_allowed(request, remedy)
}

/// Lists the erasures, the one that was asked for last first.
async fn list(deps: &Deps, request: &Request) -> Result<Response<Body>, ApiError> {
    deps.access.require(request, Role::Viewer)?;
    let query = Query::read(request, &["limit", "cursor"])?;
    let (limit, list_name) = (query.limit()?, format!("{} erasures", deps.mode));
    let from: Option<ErasurePlace> = query.cursor(&list_name)?;
    let mut jobs = deps.registry.erasures().await?;
    jobs.sort_by_key(|job| std::cmp::Reverse(place(job)));
    jobs.retain(|job| from.as_ref().is_none_or(|from| place(job) < *from));
    let is_last = jobs.len() <= limit;
    jobs.truncate(limit);
    let last = jobs.last().filter(|_| !is_last).map(place);
    let next_cursor = last.map(|last| query.next_cursor(&list_name, last));
    Ok(http::json(StatusCode::OK, &Page { data: jobs.iter().map(ErasureView::from).collect(), next_cursor }))
}

/// Shows the erasure of the customer with the first of these ids that has one.
async fn show(deps: &Deps, request: &Request, ids: &[String]) -> Result<Response<Body>, ApiError> {
    deps.access.require(request, Role::Viewer)?;
    let query = Query::read(request, &["account"])?;
    for id in ids {
        let Ok(customer) = ObjectKey::new(query.get("account"), Kind::CUSTOMER.object(), id) else {
            continue;
        };
        if let Some(job) = deps.registry.erasure(&customer).await? {
            return Ok(http::json(StatusCode::OK, &ErasureView::from(&job)));
        }
    }
    let id = ids.first().map(String::as_str).unwrap_or_default();
    let message = format!("nobody has asked to erase the data of a customer `{id}`");
    Err(ApiError::not_found(message).remedy(
        "GET /erasures lists what was asked for; give `account` for a customer of a connected account",
    ))
}

/// Stores what is asked for. `details` gets it as soon as it is read.
async fn start(
    deps: &Deps,
    request: &Request,
    details: &mut AuditDetails,
    now: Timestamp,
    deadline: Deadline,
) -> Result<ErasureView, ApiError> {
    deps.access.require(request, Role::Admin)?;
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &["customer", "account", "confirm", CLAIM, "why"])?;
    let (customer, why) = (customer(&fields)?, reason(&fields)?);
    let claimed = fields.flag(CLAIM)?.unwrap_or(false);
    details.after = Some(json!({
        "customer": customer.id(), "account": customer.account(), (CLAIM): claimed, "why": why,
    }));
    if fields.text("confirm")? != Some(customer.id()) {
        let message = "`confirm` does not repeat the customer's id: what is erased cannot be restored";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "confirmation_required", message)
            .field("confirm")
            .remedy(format!("send \"confirm\": \"{}\" as well", customer.id())));
    }
    require_deleted(deps, &customer, claimed, deadline).await?;
    let before = deps.registry.erasure(&customer).await?;
    let is_running = |job: &ErasureJob| job.state == ErasureState::Running && !job.waits_for_admin();
    if before.as_ref().is_some_and(is_running) {
        return Err(already_running(&customer));
    }
    let mut job = ErasureJob {
        customer: customer.clone(),
        state: ErasureState::Running,
        asked_at: now.into(),
        finished_at: None,
        moved_at: now.into(),
        due_at: now.into(),
        position: None,
        records: before.as_ref().map_or(0, |before| before.records),
        events: before.as_ref().map_or(0, |before| before.events),
        waiting: Sampled::default(),
        // Asking again ends no waiting.
        waiting_since: before.as_ref().and_then(|before| before.waiting_since),
        tried_again: 0,
        rev: 0,
    };
    match deps.registry.store_erasure(before.as_ref(), &mut job).await? {
        Written::Done => Ok(ErasureView::from(&job)),
        Written::Conflict => Err(already_running(&customer)),
    }
}

fn customer(fields: &Fields) -> Result<ObjectKey, ApiError> {
    let Some(id) = fields.text("customer")? else {
        let missing = ApiError::new(StatusCode::BAD_REQUEST, "parameter_missing", "`customer` is missing");
        return Err(missing.field("customer").remedy("send {\"customer\":\"cus_…\",\"confirm\":\"cus_…\"}"));
    };
    let account = fields.text("account")?;
    ObjectKey::new(None, Kind::CUSTOMER.object(), id).map_err(|_| {
        ApiError::invalid("customer", "`customer` can be no customer's id")
            .remedy("give the id as GET /records/customers shows it, such as cus_…")
    })?;
    ObjectKey::new(account, Kind::CUSTOMER.object(), id).map_err(|_| {
        ApiError::invalid("account", "`account` can be no account's id")
            .remedy("give the connected account as GET /records/customers shows it, or leave it out")
    })
}

fn reason(fields: &Fields) -> Result<Option<&str>, ApiError> {
    let reason = fields.text("why")?.map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.chars().count() > MAX_REASON_CHARS) {
        let message = format!("`why` has more than {MAX_REASON_CHARS} characters");
        return Err(ApiError::invalid("why", message).remedy("make it shorter"));
    }
    Ok(reason)
}

fn already_running(customer: &ObjectKey) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "erasure_running", "the customer's data is being erased already")
        .remedy(format!("GET /erasures/{} shows how far it is", customer.id()))
}
