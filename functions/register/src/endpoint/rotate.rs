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
//! After a leak the first secret can be ended at once (`at_once`), which costs what the first endpoint has
//! not delivered yet; and a rotation can be given up, until the first endpoint is about to be deleted. Which
//! of the two endpoints goes is decided in the row before either is deleted, so that never both are.
//!
//! Each step is written into the row before the next, so that it can be cut off anywhere and goes on by the
//! same request or the schedule. The end is the schedule's work: it needs a comparison that is some minutes
//! younger.

mod finish;
mod give_up;
mod successor;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointState, Rotation, RotationEnd};
use shared::http::{Fields, json};
use shared::unix_time::UnixSeconds;

pub(crate) use self::finish::{RotationStep, finish};
pub(crate) use self::give_up::{give_up, give_up_by_request};
use crate::audit::ChangeDetails;
use crate::context::{RequestContext, StripeContext};
use crate::endpoint::view::{ConsequenceView, EndpointView};
use crate::endpoint::{row, secret, spec};
use crate::error::{RegisterError, StripeOperation};

/// What beginning a rotation leads to.
const BOTH_ACCEPTED: &str = "no event is lost: both signing secrets are accepted until all events of before are \
                             here, some ten minutes (an hour at least with connected accounts). After a leak, \
                             the same request with at_once ends the first secret now; DELETE of the same \
                             address gives the change up";
/// What ending it at once costs.
const ENDED_AT_ONCE: &str = "the first signing secret is refused everywhere within ten seconds. What the first \
                             endpoint had not delivered by then is not delivered any more: reconciliation \
                             fetches it within some ten minutes, if the key may read events; of a connected \
                             account that had never sent an event, when its next one has come";

/// `POST /endpoints/{name}/rotate`
pub(crate) async fn rotate(
    context: RequestContext<'_>,
    request: &Request,
    name: &str,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    let deps = context.deps;
    let fields = Fields::read(request.body(), &["api_version", "at_once"])?;
    let at_once = fields.flag("at_once")?.unwrap_or(false);
    let row = row::load_to_change(context, request, name, details).await?;
    let api_version = match fields.text("api_version")? {
        Some(_) => spec::api_version(&fields)?.to_owned(),
        None => row.rotation.as_ref().map_or(&row.spec.api_version, |next| &next.api_version).clone(),
    };
    if matches!(row.state, EndpointState::Active | EndpointState::Disabled) {
        row::require_at_stripe(&row)?;
    }
    let session = context.stripe_session().await?;
    let stripe = context.with_session(&session);
    let is_new = row.state == EndpointState::Active;
    let row = match (row.state, &row.rotation) {
        (EndpointState::Active, _) => begin(context, &row, &api_version, at_once).await?,
        (EndpointState::Rotating, Some(rotation)) => {
            may_go_on(context, &row, rotation, &api_version, at_once)?;
            row
        }
        (EndpointState::Rotating, None) => return Err(RegisterError::rotation_under_way(&row)),
        (EndpointState::Changing, _) => return Err(RegisterError::ChangeInProgress(name.to_owned())),
        (EndpointState::Registering | EndpointState::Deregistering | EndpointState::Disabled, _) => {
            return Err(RegisterError::EndpointNotActive { name: name.to_owned(), state: row.state });
        }
    };
    let row = switch_over(stripe, row, is_new, at_once).await?;
    let ends_now = row.rotation.as_ref().is_some_and(|rotation| rotation.at_once);
    let row = if ends_now { end_now(stripe, row).await? } else { row };
    let secret = secret::newest(deps, &row).await?;
    let view = EndpointView::new(&row, deps.mode);
    let consequence = if ends_now { ENDED_AT_ONCE } else { BOTH_ACCEPTED };
    details.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &ConsequenceView { endpoint: view.with_secret(&secret), consequence }))
}

/// Refuses, of a rotation that is under way, all but what goes on with it: one that was cut off goes on if it
/// is the same that is wanted, and one that only waits for its end is ended at once if that is asked for.
fn may_go_on(
    context: RequestContext<'_>,
    row: &EndpointRow,
    rotation: &Rotation,
    api_version: &str,
    at_once: bool,
) -> Result<(), RegisterError> {
    let goes_on = if rotation.live_since.is_some() { at_once } else { row.is_cut_off(context.now) };
    let is_same = rotation.decided != Some(RotationEnd::GiveUp) && rotation.api_version == api_version;
    if goes_on && is_same { Ok(()) } else { Err(RegisterError::rotation_under_way(row)) }
}

async fn end_now(stripe: StripeContext<'_>, row: EndpointRow) -> Result<EndpointRow, RegisterError> {
    match finish(stripe, row).await? {
        RotationStep::Over(row) | RotationStep::Waiting(row) => Ok(row),
        RotationStep::GivenUp(row) => {
            // The signing secret of before is accepted still, unless that is lost too.
            secret::for_endpoint(stripe.request.deps, &row, row.stripe_id.as_deref()).await?;
            Err(RegisterError::RotationGivenUp(row.name.to_string()))
        }
    }
}

/// Writes that a rotation begins, of an endpoint that is at Stripe and whose signing secret is here.
pub(crate) async fn begin(
    context: RequestContext<'_>,
    row: &EndpointRow,
    api_version: &str,
    at_once: bool,
) -> Result<EndpointRow, RegisterError> {
    secret::for_endpoint(context.deps, row, row.stripe_id.as_deref()).await?;
    let rotation = Rotation {
        registration: uuid::Uuid::new_v4().to_string(),
        api_version: api_version.to_owned(),
        begun_at: context.now.into(),
        stripe_id: None,
        live_since: None,
        old_deleted: false,
        abandoned: false,
        at_once,
        decided: None,
    };
    row::edit(context, row, |new| {
        new.state = EndpointState::Rotating;
        new.rotation = Some(rotation);
        new.rotation_given_up = None;
    })
    .await
}

/// Goes on with a rotation from where the row says that it is, up to where the second endpoint gets all
/// events. `is_new`: nobody has asked Stripe for the second endpoint before. `at_once` has the rotation end
/// without waiting.
pub(crate) async fn switch_over(
    stripe: StripeContext<'_>,
    row: EndpointRow,
    is_new: bool,
    at_once: bool,
) -> Result<EndpointRow, RegisterError> {
    // Written first, so that nobody else goes on with it meanwhile.
    let claim = |rotation: &mut Rotation| {
        rotation.abandoned = false;
        rotation.at_once |= at_once;
    };
    let mut row = edit_rotation(stripe.request, &row, claim).await?;
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
                let remedy = Some("send the same request again: Stripe is asked for another".to_owned());
                return Err(RegisterError::Stripe { operation: StripeOperation::Rotate, error, remedy });
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
