//! The requests about an import.

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::access::{Caller, Role};
use shared::audit::AuditEntry;
use shared::http::{self, ApiError, Fields, Query, segments};
use shared::object_key::Kind;
use shared::registry::{Import, ImportState, Sampled, Written};
use uuid::Uuid;

use crate::Deps;
use crate::view::{self, ImportView};

/// The run that is at it writes an import's row once.
const ROUNDS: u32 = 5;

/// `POST /import`, `GET /import`, `DELETE /import`.
pub(crate) async fn answer(
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
            Ok(http::json(StatusCode::OK, &view::of(deps, deps.registry.import().await?).await?))
        }
        Method::POST => {
            let mut spec = Value::Null;
            let started = start(deps, request, &caller, &mut spec, now).await;
            note(deps, &caller, "import.start", &started, Some(spec), now).await;
            Ok(http::json(StatusCode::ACCEPTED, &started?))
        }
        Method::DELETE => {
            let stopped = stop(deps, request, now).await;
            note(deps, &caller, "import.stop", &stopped, None, now).await;
            Ok(http::json(StatusCode::OK, &stopped?))
        }
        _ => {
            let message = format!("{} is not a method of this path", request.method());
            Err(ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
                .remedy("use POST to start an import, GET to look at it, DELETE to stop it"))
        }
    }
}

async fn note(
    deps: &Deps,
    caller: &Caller,
    action: &str,
    done: &Result<ImportView, ApiError>,
    spec: Option<Value>,
    now: Timestamp,
) {
    let code = done.as_ref().map_or_else(ApiError::code, |_| "done");
    let mut act = AuditEntry::new(caller, action, "records", code, now);
    act.after = spec.filter(|spec| !spec.is_null());
    deps.audit.note(&act).await;
}

async fn start(
    deps: &Deps,
    request: &Request,
    caller: &Caller,
    spec: &mut Value,
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
    *spec = json!({ "since": since, "kinds": kinds });
    if deps.registry.settings().await?.is_none() {
        let missing = ApiError::new(StatusCode::CONFLICT, "stripe_key_missing", "no Stripe key has been set");
        return Err(missing.remedy("set it with PUT /settings/stripe-key, body {\"key\": \"sk_…\"}"));
    }
    let before = deps.registry.import().await?;
    if before.as_ref().is_some_and(|before| before.state == ImportState::Running) {
        return Err(is_running());
    }
    let mut import = Import {
        id: next_id(before.as_ref()),
        // Stripe knows no time before 1970.
        since: since.map(|since| since.as_second().max(0)),
        kinds,
        by: caller.email.clone().unwrap_or_else(|| caller.subject.clone()),
        begun_at: now.as_millisecond(),
        state: ImportState::Running,
        ended_at: None,
        moved_at: now.as_millisecond(),
        halted: None,
        refused: Sampled::default(),
        rev: 0,
    };
    match deps.registry.store_import(before.as_ref(), &mut import).await? {
        Written::Done => view::of(deps, Some(import)).await,
        Written::Conflict => Err(is_running()),
    }
}

/// Ids grow, also if a clock goes back: what was kept of an earlier import gives way.
fn next_id(before: Option<&Import>) -> String {
    let number = before.and_then(|before| before.id.split('-').next()?.parse::<u64>().ok()).unwrap_or(0) + 1;
    format!("{number:010}-{}", Uuid::new_v4().simple())
}

fn is_running() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "import_running", "an import goes on already")
        .remedy("GET /import shows how far it is; DELETE /import stops it")
}

fn kinds(fields: &Fields) -> Result<Vec<Kind>, ApiError> {
    let Some(words) = fields.texts("kinds")? else { return Ok(Kind::ALL.to_vec()) };
    let all = Kind::ALL.map(Kind::plural).join(", ");
    if let Some(unknown) = words.iter().find(|word| Kind::from_plural(word).is_none()) {
        return Err(ApiError::invalid("kinds", format!("`{unknown}` is no kind of record"))
            .remedy(format!("the kinds are {all}")));
    }
    if words.is_empty() {
        return Err(ApiError::invalid("kinds", "`kinds` names none")
            .remedy(format!("name some of {all}, or leave it out for all")));
    }
    // Each once, customers first.
    Ok(Kind::ALL.into_iter().filter(|kind| words.contains(&kind.plural())).collect())
}

async fn stop(deps: &Deps, request: &Request, now: Timestamp) -> Result<ImportView, ApiError> {
    deps.access.require(request, Role::Admin)?;
    Query::read(request, &[])?;
    for _ in 0..ROUNDS {
        let import = deps.registry.import().await?;
        let Some(import) = import.filter(|import| import.state == ImportState::Running) else {
            return Err(ApiError::new(StatusCode::CONFLICT, "import_not_running", "no import goes on")
                .remedy("GET /import shows the last one, if there was one"));
        };
        let ended_at = Some(now.as_millisecond());
        let mut stopped = Import { state: ImportState::Stopped, ended_at, ..import.clone() };
        if deps.registry.store_import(Some(&import), &mut stopped).await? == Written::Done {
            return view::of(deps, Some(stopped)).await;
        }
    }
    let busy = "the run that is at it writes the same row";
    Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", busy)
        .remedy("send the same request again"))
}
