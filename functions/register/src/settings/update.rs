//! `PATCH /settings`: how events are treated, whichever endpoint brought them.
//!
//! What is not named stays as it is. The rules hold everywhere ten seconds later. What was ignored by a
//! pattern stays so when the pattern goes; an admin can have it replayed.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::event_type;
use shared::http::{ApiError, Fields, Query};
use shared::registry::{Rules, Written};
use shared::retry::Retry;

use crate::audit::ChangeDetails;
use crate::context::RequestContext;
use crate::error::RegisterError;
use crate::settings::read;

const RETRY: [&str; 3] = ["attempts", "first_delay_s", "longest_delay_s"];

/// `PATCH /settings`
pub(crate) async fn update(
    context: RequestContext<'_>,
    request: &Request,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &["ignore", "retry"])?;
    let registry = &context.deps.registry;
    let (settings, old) = tokio::try_join!(registry.settings(), registry.rules())?;
    details.before = Some(for_audit(&old));
    let (ignore, retry) = (read_ignore(&fields)?, read_retry(&fields, old.retry)?);
    if ignore.is_none() && retry.is_none() {
        let message = "there is nothing to change: neither `ignore` nor `retry` is there";
        let remedy = "send {\"ignore\":[…]} or {\"retry\":{…}}; the Stripe key is set with \
                      PUT /settings/stripe-key";
        let refusal = ApiError::new(StatusCode::BAD_REQUEST, "parameter_missing", message);
        return Err(refusal.remedy(remedy).into());
    }
    let mut new = Rules {
        ignore: ignore.unwrap_or_else(|| old.ignore.clone()),
        retry: retry.unwrap_or(old.retry),
        rev: old.rev,
    };
    if registry.store_rules(&old, &mut new).await? == Written::Conflict {
        return Err(RegisterError::SettingsConflict);
    }
    details.after = Some(for_audit(&new));
    Ok(read::respond(context, settings.as_ref(), &new).await)
}

/// Each pattern has to name a type of Stripe: one that names none is a mistake, and would ignore nothing.
fn read_ignore(fields: &Fields) -> Result<Option<Vec<String>>, ApiError> {
    let Some(patterns) = fields.texts("ignore")? else { return Ok(None) };
    event_type::expand(patterns.iter().copied()).map_err(|error| {
        ApiError::invalid("ignore", error.to_string())
            .remedy("name a type of Stripe, or several by `prefix.*`; [] ignores nothing")
    })?;
    let mut patterns: Vec<_> = patterns.into_iter().map(str::to_owned).collect();
    patterns.sort();
    patterns.dedup();
    Ok(Some(patterns))
}

fn read_retry(fields: &Fields, old: Retry) -> Result<Option<Retry>, ApiError> {
    let Some(fields) = fields.fields("retry", &RETRY)? else { return Ok(None) };
    let number = |field, most, old| fields.number(field, 1, most).map(|new| new.unwrap_or(old));
    let retry = Retry {
        attempts: number("attempts", Retry::MOST_ATTEMPTS, old.attempts)?,
        first_delay_s: number("first_delay_s", Retry::LONGEST_FIRST_DELAY, old.first_delay_s)?,
        longest_delay_s: number("longest_delay_s", Retry::LONGEST_DELAY, old.longest_delay_s)?,
    };
    retry.check().map(Some).map_err(|error| {
        ApiError::invalid(error.field, error.to_string()).remedy(format!("correct `{}`", error.field))
    })
}

fn for_audit(rules: &Rules) -> serde_json::Value {
    json!({ "ignore": rules.ignore, "retry": rules.retry })
}
