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
use shared::endpoint::EndpointState;
use shared::http::{Fields, Query, json};
use shared::registry::{Change, Endpoint, Written};
use shared::stripe::Session;

use crate::acts::Trace;
use crate::change::{begin, carry_out};
use crate::error::{Doing, RegisterError};
use crate::list::named;
use crate::register::finish_registering;
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
        EndpointState::Rotating => return Err(RegisterError::RotationInProgress(name.to_owned())),
        EndpointState::Registering | EndpointState::Deregistering => {
            return Err(RegisterError::NotWhole { name: name.to_owned(), state: row.state });
        }
    }
    let (_, session) = deps.with_stripe(moment).await?;
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
    let row = if replaced {
        replace(deps, &session, row, moment).await?
    } else {
        let unclear = row.change.is_some();
        let change = row.change.clone().unwrap_or_else(|| as_it_is(&row));
        let wished = begin(deps, &row, Change { left: false, ..change }, moment).await?;
        carry_out(deps, &session, wished, unclear, moment).await?
    };
    let version = found.and_then(|found| found.value.api_version).filter(|_| !replaced);
    let remaining = version.filter(|version| *version != row.wish.api_version).map(|version| {
        format!("events come in API version {version}, which Stripe cannot change: DELETE /endpoints/{name}?confirm={name}, then POST /endpoints")
    });
    let view = RepairedView { endpoint: EndpointView::of(&row, deps.mode), replaced, remaining };
    trace.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &view))
}

fn is_left(row: &Endpoint) -> bool {
    row.change.as_ref().is_some_and(|change| change.left)
}

/// A change to what is wanted already.
fn as_it_is(row: &Endpoint) -> Change {
    let disabled = row.state == EndpointState::Disabled;
    Change { wish: row.wish.clone(), disabled, was_disabled: disabled, back: false, left: false }
}

/// Makes another endpoint at Stripe in its place. It wants what it wanted, from when it did.
async fn replace(
    deps: &Deps,
    session: &Session<'_>,
    row: Endpoint,
    moment: Moment,
) -> Result<Endpoint, RegisterError> {
    if let Some(id) = &row.stripe_id {
        session.delete_endpoint(id).await.map_err(RegisterError::stripe(Doing::Repairing))?;
    }
    deps.vault.remove(&deps.secret_name(&row)).await?;
    let wanted = row.change.clone().unwrap_or_else(|| as_it_is(&row));
    let mut anew = Endpoint {
        state: EndpointState::Registering,
        state_since: moment.now.as_millisecond(),
        registration: uuid::Uuid::new_v4().to_string(),
        stripe_id: None,
        secret: None,
        signing_secret_hint: None,
        wish: wanted.wish,
        change: None,
        ..row.clone()
    };
    match deps.registry.replace(&row, &mut anew).await? {
        Written::Done => {}
        Written::Overtaken => return Err(RegisterError::EndpointOvertaken(row.name.to_string())),
    }
    let made = finish_registering(deps, session, anew, moment).await?;
    if !wanted.disabled {
        return Ok(made);
    }
    let disable = Change { disabled: true, ..as_it_is(&made) };
    let wished = begin(deps, &made, disable, moment).await?;
    carry_out(deps, session, wished, false, moment).await
}
