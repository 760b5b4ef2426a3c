//! Gives an endpoint another signing secret, and another `api_version` if that is asked for, without losing an event.
//!
//! ```text
//! row `rotating` ──► Stripe: a second endpoint, quiet ──► its secret kept beside the first ──► it gets all events
//!                        (both deliver, and the ledger takes each event once)
//! all of before that is compared with the ledger ──► the first is deleted ──► its secret dropped ──► row `active`
//! ```
//!
//! Why no event is lost: the second is given events only when its secret is known here, and the first is deleted only when
//! reconciliation has brought in all that was made until then; for a deleted endpoint Stripe no longer tries again.
//!
//! Each step is written down before the next, so that it can be cut off anywhere and goes on by the same request or the schedule.
//! The end is the schedule's work: it needs a comparison that is some minutes younger.

mod end;
mod second;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::endpoint::{EndpointRow, EndpointState, Rotation};
use shared::http::{Fields, Query, json};
use shared::stripe::Session;

pub(crate) use self::end::{end, give_up};
use self::second::{anew, keep_second, make_second, undo_if_unknown};
use crate::acts::Trace;
use crate::error::{Doing, RegisterError};
use crate::list::named;
use crate::row::write;
use crate::tend::left_half_done;
use crate::view::EndpointView;
use crate::{Deps, Moment, spec};

/// `POST /endpoints/{name}/rotate`
pub(crate) async fn rotate(
    deps: &Deps,
    request: &Request,
    name: &str,
    moment: Moment,
    trace: &mut Trace,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &["api_version"])?;
    let row = named(deps, name).await?;
    trace.before = serde_json::to_value(EndpointView::of(&row, deps.mode)).ok();
    let api_version = match fields.text("api_version")? {
        Some(_) => spec::api_version(&fields)?.to_owned(),
        None => row.rotation.as_ref().map_or(&row.spec.api_version, |next| &next.api_version).clone(),
    };
    let (_, session) = deps.with_stripe(moment).await?;
    let is_new = row.state == EndpointState::Active;
    let row = match (row.state, &row.rotation) {
        (EndpointState::Active, _) => match begin(deps, &row, &api_version, moment).await {
            Err(RegisterError::EndpointOvertaken(name)) => return Err(overtaken(deps, name).await),
            begun => begun?,
        },
        // It was cut off, and goes on if it is the same that is wanted.
        (EndpointState::Rotating, Some(next))
            if next.live_since.is_none()
                && next.api_version == api_version
                && (next.abandoned || left_half_done(&row, moment)) =>
        {
            row
        }
        (EndpointState::Rotating, _) => return Err(RegisterError::RotationInProgress(name.to_owned())),
        (EndpointState::Changing, _) => return Err(RegisterError::ChangeInProgress(name.to_owned())),
        (EndpointState::Registering | EndpointState::Deregistering | EndpointState::Disabled, _) => {
            return Err(RegisterError::NotWhole { name: name.to_owned(), state: row.state });
        }
    };
    let row = switch_over(deps, &session, row, is_new, moment).await?;
    let secret = deps.newest_secret(&row).await?;
    let view = EndpointView::of(&row, deps.mode);
    trace.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &view.with_secret(&secret)))
}

/// Another request has changed the row at the same moment: what it is doing.
pub(crate) async fn overtaken(deps: &Deps, name: String) -> RegisterError {
    match named(deps, &name).await.map(|row| row.state) {
        Ok(EndpointState::Rotating) => RegisterError::RotationInProgress(name),
        Ok(EndpointState::Changing) => RegisterError::ChangeInProgress(name),
        Ok(state @ (EndpointState::Registering | EndpointState::Deregistering)) => {
            RegisterError::NotWhole { name, state }
        }
        Ok(EndpointState::Active | EndpointState::Disabled) => RegisterError::EndpointOvertaken(name),
        Err(error) => error,
    }
}

/// Writes that a rotation begins, of an endpoint whose secret is here.
pub(crate) async fn begin(
    deps: &Deps,
    row: &EndpointRow,
    api_version: &str,
    moment: Moment,
) -> Result<EndpointRow, RegisterError> {
    deps.secrets_of(row).await?;
    let next = Rotation {
        registration: uuid::Uuid::new_v4().to_string(),
        api_version: api_version.to_owned(),
        begun_at: moment.now.as_millisecond(),
        stripe_id: None,
        live_since: None,
        old_deleted: false,
        abandoned: false,
    };
    write(deps, row, moment, |new| {
        new.state = EndpointState::Rotating;
        new.rotation = Some(next);
    })
    .await
}

/// Goes on from wherever the row says that it is, up to where the second endpoint gets all events. `is_new`: has nobody asked Stripe
/// for it before?
pub(crate) async fn switch_over(
    deps: &Deps,
    session: &Session<'_>,
    row: EndpointRow,
    is_new: bool,
    moment: Moment,
) -> Result<EndpointRow, RegisterError> {
    // Nobody else goes on with it meanwhile.
    let mut row = write(deps, &row, moment, |new| {
        if let Some(next) = &mut new.rotation {
            next.abandoned = false;
        }
    })
    .await?;
    let done = steps(deps, session, &mut row, is_new, moment).await;
    if done.is_err() && row.rotation.as_ref().is_some_and(|next| next.live_since.is_none()) {
        let left = write(deps, &row, moment, |new| {
            if let Some(next) = &mut new.rotation {
                next.abandoned = true;
            }
        });
        if let Err(error) = left.await {
            tracing::warn!(error = %error, endpoint.name = %row.name, "that a rotation is left could not be noted");
        }
    }
    done.map(|()| row)
}

/// `row` is always as it lies in the registry, also if a step fails.
async fn steps(
    deps: &Deps,
    session: &Session<'_>,
    row: &mut EndpointRow,
    is_new: bool,
    moment: Moment,
) -> Result<(), RegisterError> {
    let Some(next) = row.rotation.clone() else { return Ok(()) };
    if next.stripe_id.is_none() {
        let before = deps.newest_before(row).await?;
        let (id, secret) = make_second(deps, session, row, is_new, moment).await?;
        if let Err(error) = keep_second(deps, row, before, &id, secret, moment).await {
            undo_if_unknown(deps, session, row, &id).await;
            return Err(error);
        }
    }
    let Some(Rotation { stripe_id: Some(id), live_since: None, .. }) = row.rotation.clone() else {
        return Ok(());
    };
    // Until then, a process that has just looked in vain would refuse what the second sends.
    tokio::time::sleep(deps.endpoint_refresh_interval).await;
    let told = match session.update_endpoint(&id, &row.spec, false).await {
        Ok(told) => told,
        Err(error) => {
            if error.is_missing() {
                // Somebody has deleted it at Stripe: another attempt makes another.
                *row = write(deps, row, moment, |new| new.rotation = Some(anew(&next, moment))).await?;
            }
            return Err(RegisterError::stripe(Doing::Rotating)(error));
        }
    };
    let live_since = told.date.unwrap_or(moment.now).as_second();
    *row = write(deps, row, moment, |new| {
        if let Some(next) = &mut new.rotation {
            next.live_since = Some(live_since);
        }
    })
    .await?;
    Ok(())
}
