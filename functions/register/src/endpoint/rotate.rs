//! Rotates the signing secret of an endpoint, and its `api_version` if that is asked for, without losing an
//! event.
//!
//! ```text
//! row `rotating` ──► Stripe: a second endpoint, quiet ──► its secret kept beside the first's
//!     ──► it gets all events (both deliver, and the ledger takes each event once)
//!     ──► all of before that is compared with the ledger
//!     ──► the first is deleted ──► its secret dropped ──► row `active`
//! ```
//!
//! Why no event is lost: the second is given events only when its secret is known here, and the first is
//! deleted only when reconciliation has brought in all that was created until then; for a deleted endpoint
//! Stripe no longer tries again.
//!
//! Each step is written into the row before the next, so that it can be cut off anywhere and goes on by the
//! same request or the schedule. The end is the schedule's work: it needs a comparison that is some minutes
//! younger.

mod finish;
mod successor;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointState, Rotation};
use shared::http::{Fields, Query, json};
use shared::unix_time::UnixSeconds;

pub(crate) use self::finish::{finish, give_up};
use crate::audit::ChangeDetails;
use crate::context::{RequestContext, StripeContext};
use crate::endpoint::view::EndpointView;
use crate::endpoint::{row, secret, spec};
use crate::error::{RegisterError, StripeOperation};

/// `POST /endpoints/{name}/rotate`
pub(crate) async fn rotate(
    context: RequestContext<'_>,
    request: &Request,
    name: &str,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let deps = context.deps;
    let fields = Fields::read(request.body(), &["api_version"])?;
    let row = row::load(context, name).await?;
    details.before = serde_json::to_value(EndpointView::new(&row, deps.mode)).ok();
    let api_version = match fields.text("api_version")? {
        Some(_) => spec::api_version(&fields)?.to_owned(),
        None => row.rotation.as_ref().map_or(&row.spec.api_version, |next| &next.api_version).clone(),
    };
    let session = context.stripe_session().await?;
    let is_new = row.state == EndpointState::Active;
    let row = match (row.state, &row.rotation) {
        (EndpointState::Active, _) => {
            row::explain_conflict(context, begin(context, &row, &api_version).await).await?
        }
        // It was cut off, and goes on if it is the same that is wanted.
        (EndpointState::Rotating, Some(rotation))
            if rotation.live_since.is_none()
                && rotation.api_version == api_version
                && (rotation.abandoned || row.is_left_half_done(context.now)) =>
        {
            row
        }
        (EndpointState::Rotating, _) => return Err(RegisterError::RotationInProgress(name.to_owned())),
        (EndpointState::Changing, _) => return Err(RegisterError::ChangeInProgress(name.to_owned())),
        (EndpointState::Registering | EndpointState::Deregistering | EndpointState::Disabled, _) => {
            return Err(RegisterError::EndpointNotActive { name: name.to_owned(), state: row.state });
        }
    };
    let row = switch_over(context.with_session(&session), row, is_new).await?;
    let secret = secret::newest(deps, &row).await?;
    let view = EndpointView::new(&row, deps.mode);
    details.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &view.with_secret(&secret)))
}

/// Writes that a rotation begins, of an endpoint whose signing secret is here.
pub(crate) async fn begin(
    context: RequestContext<'_>,
    row: &EndpointRow,
    api_version: &str,
) -> Result<EndpointRow, RegisterError> {
    secret::accepted(context.deps, row).await?;
    let rotation = Rotation {
        registration: uuid::Uuid::new_v4().to_string(),
        api_version: api_version.to_owned(),
        begun_at: context.now.into(),
        stripe_id: None,
        live_since: None,
        old_deleted: false,
        abandoned: false,
    };
    row::edit(context, row, |new| {
        new.state = EndpointState::Rotating;
        new.rotation = Some(rotation);
    })
    .await
}

/// Goes on with a rotation from where the row says that it is, up to where the second endpoint gets all
/// events. `is_new`: nobody has asked Stripe for the second endpoint before.
pub(crate) async fn switch_over(
    stripe: StripeContext<'_>,
    row: EndpointRow,
    is_new: bool,
) -> Result<EndpointRow, RegisterError> {
    // Written first, so that nobody else goes on with it meanwhile.
    let mut row = edit_rotation(stripe.request, &row, |rotation| rotation.abandoned = false).await?;
    let done = take_steps(stripe, &mut row, is_new).await;
    if done.is_err() && row.rotation.as_ref().is_some_and(|rotation| rotation.live_since.is_none()) {
        let abandoned = edit_rotation(stripe.request, &row, |rotation| rotation.abandoned = true).await;
        if let Err(error) = abandoned {
            tracing::warn!(
                error = error_chain(&error),
                endpoint.name = %row.name,
                "that nobody works on a rotation any more could not be written"
            );
        }
    }
    done.map(|()| row)
}

/// `row` is always as it is in the registry, also if a step fails.
async fn take_steps(
    stripe: StripeContext<'_>,
    row: &mut EndpointRow,
    is_new: bool,
) -> Result<(), RegisterError> {
    let StripeContext { request: context, session } = stripe;
    let Some(rotation) = row.rotation.clone() else { return Ok(()) };
    if rotation.stripe_id.is_none() {
        successor::create(stripe, row, rotation, is_new).await?;
    }
    let Some(Rotation { stripe_id: Some(id), live_since: None, .. }) = row.rotation.clone() else {
        return Ok(());
    };
    // Until then, a process that has just looked in vain would refuse what the second sends.
    tokio::time::sleep(context.deps.unknown_endpoint_lookup_interval).await;
    let updated = match session.update_endpoint(&id, &row.spec, false).await {
        Ok(updated) => updated,
        Err(error) => {
            if error.is_missing() {
                // Somebody has deleted it at Stripe: another attempt creates another.
                let start_over =
                    |rotation: &mut Rotation| *rotation = successor::new_attempt(rotation, context);
                *row = edit_rotation(context, row, start_over).await?;
            }
            return Err(RegisterError::stripe(StripeOperation::Rotate)(error));
        }
    };
    let live_since = UnixSeconds::from(updated.date.unwrap_or(context.now));
    *row = edit_rotation(context, row, |rotation| rotation.live_since = Some(live_since)).await?;
    Ok(())
}

async fn edit_rotation(
    context: RequestContext<'_>,
    row: &EndpointRow,
    change: impl FnOnce(&mut Rotation),
) -> Result<EndpointRow, RegisterError> {
    row::edit(context, row, |new| {
        if let Some(rotation) = &mut new.rotation {
            change(rotation);
        }
    })
    .await
}
