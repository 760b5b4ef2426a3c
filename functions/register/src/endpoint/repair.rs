//! Puts an endpoint back to what is wanted: `POST /endpoints/{name}/repair`.
//!
//! ```text
//! Stripe knows it, and its signing secret is here ──► Stripe is sent all that is wanted again
//! else ──► deleted at Stripe ──► secret removed ──► row `registering`, anew ──► goes on as registering does
//! ```
//!
//! Cut off anywhere, the same request goes on: what is gone by then is gone, and a row that is `registering`
//! is finished like any.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::endpoint::{EndpointRow, EndpointSpec, EndpointState, PendingChange, RotationEnd};
use shared::event_type::with_later_types;
use shared::http::{Fields, json};
use shared::registry::Written;

use crate::audit::ChangeDetails;
use crate::context::{RequestContext, StripeContext};
use crate::endpoint::view::EndpointView;
use crate::endpoint::{create, rotate, row, secret, update};
use crate::error::{RegisterError, StripeOperation};

/// What was done.
#[derive(Serialize)]
struct RepairView<'a> {
    #[serde(flatten)]
    endpoint: EndpointView<'a>,
    /// Whether another endpoint was created at Stripe in its place. Then it has another signing secret.
    replaced: bool,
    /// What Stripe cannot change in place, with the way to do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<String>,
}

/// `POST /endpoints/{name}/repair`
pub(crate) async fn repair(
    context: RequestContext<'_>,
    request: &Request,
    name: &str,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    Fields::read(request.body(), &[])?;
    let deps = context.deps;
    let row = row::load_to_change(context, request, name, details).await?;
    refuse_while_under_way(context, &row)?;
    let session = context.stripe_session().await?;
    let stripe = context.with_session(&session);
    let row = if row.state == EndpointState::Rotating { leave_rotation(stripe, row).await? } else { row };
    let at_stripe = match &row.stripe_id {
        Some(id) => session.endpoint(id).await.map_err(RegisterError::stripe(StripeOperation::Repair))?,
        None => None,
    };
    let has_secret = secret::is_there(deps, &row, row.stripe_id.as_deref()).await?;
    let replaced = at_stripe.is_none() || !has_secret;
    let earlier = row.pending_change.clone();
    let change = PendingChange { abandoned: false, ..wanted(&row) };
    // Written before anything is destroyed: from here on nobody else works on it.
    let row = update::begin(context, &row, change).await?;
    let row = if replaced {
        replace(stripe, row).await?
    } else {
        update::send(stripe, row, earlier.as_ref()).await?
    };
    let version = at_stripe.and_then(|found| found.value.api_version).filter(|_| !replaced);
    let remaining = version.filter(|version| *version != row.spec.api_version).map(|version| {
        format!(
            "events come in API version {version}, which Stripe cannot change: POST /endpoints/{name}/rotate \
             with `api_version` switches over to the one that is wanted"
        )
    });
    let view = RepairView { endpoint: EndpointView::new(&row, deps.mode), replaced, remaining };
    details.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &view))
}

/// Refuses while another request may work on the endpoint.
fn refuse_while_under_way(context: RequestContext<'_>, row: &EndpointRow) -> Result<(), RegisterError> {
    let name = row.name.to_string();
    match row.state {
        EndpointState::Active | EndpointState::Disabled => Ok(()),
        EndpointState::Changing | EndpointState::Rotating if row.is_cut_off(context.now) => Ok(()),
        EndpointState::Changing => Err(RegisterError::ChangeInProgress(name)),
        EndpointState::Rotating => Err(RegisterError::rotation_under_way(row)),
        EndpointState::Registering | EndpointState::Deregistering => {
            Err(RegisterError::EndpointNotActive { name, state: row.state })
        }
    }
}

/// Ends a rotation that cannot go on, or is being given up, by giving it up; one that works is left to its
/// end.
async fn leave_rotation(stripe: StripeContext<'_>, row: EndpointRow) -> Result<EndpointRow, RegisterError> {
    let works_on = row.rotation.as_ref().filter(|rotation| rotation.decided != Some(RotationEnd::GiveUp));
    let second = works_on
        .filter(|rotation| rotation.live_since.is_some())
        .and_then(|rotation| rotation.stripe_id.as_deref());
    if let Some(id) = second {
        let found = stripe.session.endpoint(id).await;
        let found = found.map_err(RegisterError::stripe(StripeOperation::Repair))?;
        if found.is_some() && secret::is_there(stripe.request.deps, &row, Some(id)).await? {
            return Err(RegisterError::rotation_under_way(&row));
        }
    }
    rotate::give_up(stripe, row, None).await
}

/// What is wanted: the change that is under way, or what is there.
fn wanted(row: &EndpointRow) -> PendingChange {
    row.pending_change.clone().unwrap_or_else(|| {
        let disabled = row.state == EndpointState::Disabled;
        let events = with_later_types(&row.spec.events);
        PendingChange {
            spec: EndpointSpec { events, ..row.spec.clone() },
            disabled,
            was_disabled: disabled,
            is_rollback: false,
            abandoned: false,
        }
    })
}

/// Has Stripe create another endpoint in its place, as it is wanted. `row` is `changing`, so that nobody else
/// works on it.
async fn replace(stripe: StripeContext<'_>, row: EndpointRow) -> Result<EndpointRow, RegisterError> {
    let StripeContext { request: context, session } = stripe;
    let RequestContext { deps, now, .. } = context;
    if let Some(id) = &row.stripe_id {
        session.delete_endpoint(id).await.map_err(RegisterError::stripe(StripeOperation::Repair))?;
    }
    deps.secret_store.remove(&secret::entry_name(deps, &row)).await?;
    let wanted = wanted(&row);
    // Stripe creates it enabled; if it is to be disabled, Stripe is sent that when its secret is here. It
    // counts as disabled before that too: a change that is refused meanwhile must not switch it on.
    let change =
        wanted.disabled.then(|| PendingChange { was_disabled: true, is_rollback: true, ..wanted.clone() });
    let mut replacement = EndpointRow {
        state: EndpointState::Registering,
        state_since: now.into(),
        registration: uuid::Uuid::new_v4().to_string(),
        is_replacement: true,
        stripe_id: None,
        secret: None,
        signing_secret_hint: None,
        rotated_at: Some(now.into()),
        spec: wanted.spec,
        pending_change: change,
        ..row.clone()
    };
    match deps.registry.replace(&row, &mut replacement).await? {
        Written::Done => {}
        Written::Conflict => return Err(row::overtaken(context, &row.name).await),
    }
    create::replace(stripe, replacement).await
}
