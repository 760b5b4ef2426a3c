//! Puts an endpoint back to what is wanted: `POST /endpoints/{name}/repair`.
//!
//! ```text
//! Stripe knows it, and its secret is here ──► Stripe is told the whole wish again
//! else ──► deleted at Stripe ──► secret removed ──► row `registering`, anew ──► as registering goes on
//! ```
//!
//! Cut off anywhere, the same request goes on: what is gone by then is gone, and a row that is `registering` is finished like any.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::endpoint::{EndpointRow, EndpointState, PendingChange};
use shared::http::{Fields, Query, json};
use shared::registry::Written;
use shared::stripe::Session;

use crate::acts::Trace;
use crate::change::{begin, carry_out};
use crate::error::{Doing, RegisterError};
use crate::list::named;
use crate::register::finish_registering;
use crate::rotate::{give_up, overtaken};
use crate::tend::left_half_done;
use crate::view::EndpointView;
use crate::{Deps, Moment};

/// What was done.
#[derive(Serialize)]
struct RepairedView<'a> {
    #[serde(flatten)]
    endpoint: EndpointView<'a>,
    /// Was another endpoint made at Stripe in its place? Then it has another secret.
    replaced: bool,
    /// What Stripe cannot change in place, with the way to do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<String>,
}

pub(crate) async fn repair(
    deps: &Deps,
    request: &Request,
    name: &str,
    moment: Moment,
    trace: &mut Trace,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    Fields::read(request.body(), &[])?;
    let row = named(deps, name).await?;
    trace.before = serde_json::to_value(EndpointView::of(&row, deps.mode)).ok();
    match row.state {
        EndpointState::Active | EndpointState::Disabled => {}
        EndpointState::Changing if left_half_done(&row, moment) || is_left(&row) => {}
        EndpointState::Changing => return Err(RegisterError::ChangeInProgress(name.to_owned())),
        EndpointState::Rotating if left_half_done(&row, moment) || is_left(&row) => {}
        EndpointState::Rotating => return Err(RegisterError::RotationInProgress(name.to_owned())),
        EndpointState::Registering | EndpointState::Deregistering => {
            return Err(RegisterError::NotWhole { name: name.to_owned(), state: row.state });
        }
    }
    let (_, session) = deps.with_stripe(moment).await?;
    let row = if row.state == EndpointState::Rotating {
        out_of_rotation(deps, &session, row, moment).await?
    } else {
        row
    };
    let found = match &row.stripe_id {
        Some(id) => session.endpoint(id).await.map_err(RegisterError::stripe(Doing::Repairing))?,
        None => None,
    };
    let secret = match deps.newest_secret(&row).await {
        Ok(secret) => Some(secret),
        Err(RegisterError::NoSecret(_)) => None,
        Err(error) => return Err(error),
    };
    let replaced = found.is_none() || secret.is_none();
    let unclear = row.pending_change.is_some();
    let change = row.pending_change.clone().unwrap_or_else(|| as_it_is(&row));
    // From here on nobody else is at it.
    let row = match begin(deps, &row, PendingChange { abandoned: false, ..change }, moment).await {
        Err(RegisterError::EndpointOvertaken(name)) => return Err(overtaken(deps, name).await),
        begun => begun?,
    };
    let row = if replaced {
        replace(deps, &session, row, moment).await?
    } else {
        carry_out(deps, &session, row, unclear, moment).await?
    };
    let version = found.and_then(|found| found.value.api_version).filter(|_| !replaced);
    let remaining = version.filter(|version| *version != row.spec.api_version).map(|version| {
        format!("events come in API version {version}, which Stripe cannot change: POST /endpoints/{name}/rotate with `api_version` switches over to the one that is wanted")
    });
    let view = RepairedView { endpoint: EndpointView::of(&row, deps.mode), replaced, remaining };
    trace.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &view))
}

fn is_left(row: &EndpointRow) -> bool {
    row.pending_change.as_ref().is_some_and(|change| change.abandoned)
        || row.rotation.as_ref().is_some_and(|next| next.abandoned)
}

/// A rotation that works is left to its end; one that cannot go on is given up.
async fn out_of_rotation(
    deps: &Deps,
    session: &Session<'_>,
    row: EndpointRow,
    moment: Moment,
) -> Result<EndpointRow, RegisterError> {
    let second = row
        .rotation
        .as_ref()
        .filter(|next| next.live_since.is_some())
        .and_then(|next| next.stripe_id.clone());
    if let Some(id) = second {
        let there = session.endpoint(&id).await.map_err(RegisterError::stripe(Doing::Repairing))?;
        let secrets = deps.secrets_of(&row).await;
        if there.is_some() && secrets.is_ok() {
            return Err(RegisterError::RotationInProgress(row.name.to_string()));
        }
    }
    give_up(deps, session, row, moment).await
}

/// A change to what is wanted already.
fn as_it_is(row: &EndpointRow) -> PendingChange {
    let disabled = row.state == EndpointState::Disabled;
    PendingChange { spec: row.spec.clone(), disabled, was_disabled: disabled, is_rollback: false, abandoned: false }
}

/// Makes another endpoint at Stripe in its place, for the same wish. `row` is claimed: it is `changing`.
async fn replace(
    deps: &Deps,
    session: &Session<'_>,
    row: EndpointRow,
    moment: Moment,
) -> Result<EndpointRow, RegisterError> {
    if let Some(id) = &row.stripe_id {
        session.delete_endpoint(id).await.map_err(RegisterError::stripe(Doing::Repairing))?;
    }
    deps.secret_store.remove(&deps.secret_name(&row)).await?;
    let wanted = row.pending_change.clone().unwrap_or_else(|| as_it_is(&row));
    // Stripe makes it enabled; what is to be disabled is told so when its secret is here.
    let change =
        wanted.disabled.then(|| PendingChange { was_disabled: false, is_rollback: false, ..wanted.clone() });
    let mut anew = EndpointRow {
        state: EndpointState::Registering,
        state_since: moment.now.as_millisecond(),
        registration: uuid::Uuid::new_v4().to_string(),
        is_replacement: true,
        stripe_id: None,
        secret: None,
        signing_secret_hint: None,
        rotated_at: Some(moment.now.as_millisecond()),
        spec: wanted.spec,
        pending_change: change,
        ..row.clone()
    };
    match deps.registry.replace(&row, &mut anew).await? {
        Written::Done => {}
        Written::Conflict => return Err(RegisterError::EndpointOvertaken(row.name.to_string())),
    }
    let made = finish_registering(deps, session, anew, moment).await?;
    if made.pending_change.is_none() { Ok(made) } else { carry_out(deps, session, made, false, moment).await }
}
