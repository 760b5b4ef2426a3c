//! `POST /import`, `GET /import` and `DELETE /import`: starts an import, shows it, stops it.

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::access::{Caller, Role};
use shared::audit::AuditDetails;
use shared::http::{self, ApiError, Fields, Query, segments};
use shared::kind::Kind;
use shared::registry::{AccountList, Import, ImportState, Sampled, Written};
use shared::unix_time::UnixSeconds;
use uuid::Uuid;

use crate::deps::Deps;
use crate::view::{self, ImportView};

/// Only a run's end and another request write the import's row, so a few attempts are enough.
const MAX_ATTEMPTS: u32 = 5;
/// What the audit names as changed.
const TARGET: &str = "records";

/// Answers a request.
pub(crate) async fn respond(
    deps: &Deps,
    request: &Request,
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    let caller = deps.access.caller(request)?;
    if segments(request) != ["import"] {
        return Err(ApiError::no_route(request));
    }
    match *request.method() {
        Method::GET => {
            deps.access.require(request, Role::Viewer)?;
            Query::read(request, &[])?;
            Ok(http::json(StatusCode::OK, &view::load(deps, deps.registry.import().await?).await?))
        }
        Method::POST => {
            let mut details = AuditDetails::default();
            let started = start(deps, request, &caller, &mut details, now).await;
            deps.audit.record_result(&caller, "import.start", TARGET, details, &started, now).await;
            Ok(http::json(StatusCode::ACCEPTED, &started?))
        }
        Method::DELETE => {
            let stopped = stop(deps, request, now).await;
            let details = AuditDetails::default();
            deps.audit.record_result(&caller, "import.stop", TARGET, details, &stopped, now).await;
            Ok(http::json(StatusCode::OK, &stopped?))
        }
        _ => {
            let remedy = "use POST to start an import, GET to look at it, DELETE to stop it";
            Err(ApiError::method_not_allowed(request, remedy))
        }
    }
}

/// Starts an import. `details` gets what was asked for as soon as it is read.
async fn start(
    deps: &Deps,
    request: &Request,
    caller: &Caller,
    details: &mut AuditDetails,
    now: Timestamp,
) -> Result<ImportView, ApiError> {
    deps.access.require(request, Role::Admin)?;
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &["since", "kinds"])?;
    let since = fields.time("since")?;
    if since.is_some_and(|since| since > now) {
        return Err(ApiError::invalid("since", "`since` is in the future")
            .remedy("give a time that has passed, or leave it out for everything"));
    }
    let kinds = kinds(&fields)?;
    details.after = Some(json!({ "since": since, "kinds": kinds }));
    if deps.registry.settings().await?.is_none() {
        let missing = ApiError::new(StatusCode::CONFLICT, "stripe_key_missing", "no Stripe key has been set");
        return Err(missing.remedy("set it with PUT /settings/stripe-key, body {\"key\": \"sk_…\"}"));
    }
    let before = deps.registry.import().await?;
    if before.as_ref().is_some_and(|before| before.state == ImportState::Running) {
        return Err(already_running());
    }
    let mut import = Import {
        id: next_id(before.as_ref()),
        // Stripe knows no time before 1970.
        since: since.map(|since| UnixSeconds::from(since).max(UnixSeconds::new(0))),
        kinds,
        by: caller.email.clone().unwrap_or_else(|| caller.subject.clone()),
        begun_at: now.into(),
        state: ImportState::Running,
        ended_at: None,
        moved_at: now.into(),
        halted: None,
        accounts: AccountList::default(),
        refused: Sampled::default(),
        rev: 0,
    };
    match deps.registry.store_import(before.as_ref(), &mut import).await? {
        Written::Done => view::load(deps, Some(import)).await,
        Written::Conflict => Err(already_running()),
    }
}

/// Ids grow even when a clock goes back, so that progress of an earlier import never counts for a later one.
fn next_id(before: Option<&Import>) -> String {
    let number = before.and_then(|before| before.id.split('-').next()?.parse::<u64>().ok()).unwrap_or(0) + 1;
    format!("{number:010}-{}", Uuid::new_v4().simple())
}

fn already_running() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "import_running", "an import is running already")
        .remedy("GET /import shows how far it is; DELETE /import stops it")
}

/// Reads the kinds to import, each once and customers first; where none are given, all that Stripe lists and
/// that a restricted key can be given the right to.
fn kinds(fields: &Fields) -> Result<Vec<Kind>, ApiError> {
    let listed = || Kind::all().filter(|kind| kind.is_listed());
    let Some(names) = fields.texts("kinds")? else {
        return Ok(Kind::all().filter(|kind| kind.is_imported_by_default()).collect());
    };
    let all = listed().map(Kind::plural).collect::<Vec<_>>().join(", ");
    if let Some(unknown) = names.iter().find(|name| listed().all(|kind| kind.plural() != **name)) {
        return Err(ApiError::invalid(
            "kinds",
            format!("`{unknown}` is no kind of record that Stripe lists"),
        )
        .remedy(format!("the kinds are {all}")));
    }
    if names.is_empty() {
        return Err(ApiError::invalid("kinds", "`kinds` names none")
            .remedy(format!("name some of {all}, or leave it out for all")));
    }
    Ok(listed().filter(|kind| names.contains(&kind.plural())).collect())
}

async fn stop(deps: &Deps, request: &Request, now: Timestamp) -> Result<ImportView, ApiError> {
    deps.access.require(request, Role::Admin)?;
    Query::read(request, &[])?;
    for _ in 0..MAX_ATTEMPTS {
        let import = deps.registry.import().await?;
        let Some(import) = import.filter(|import| import.state == ImportState::Running) else {
            return Err(ApiError::new(StatusCode::CONFLICT, "import_not_running", "no import is running")
                .remedy("GET /import shows the last one, if there was one"));
        };
        let ended_at = Some(now.into());
        let mut stopped = Import { state: ImportState::Stopped, ended_at, ..import.clone() };
        if deps.registry.store_import(Some(&import), &mut stopped).await? == Written::Done {
            return view::load(deps, Some(stopped)).await;
        }
    }
    let message = "the run at work writes the import's state at the same time";
    Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", message)
        .remedy("send the same request again"))
}
