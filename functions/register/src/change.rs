//! Changes an endpoint: the wish is stored, Stripe is told, the row confirms it.
//!
//! ```text
//! row `changing`, with old and new ──► Stripe: update ──► row with the new wish
//!                                          ├── refused ─────► the wish is taken back
//!                                          └── no answer ───► row stays; the same request, another or the schedule goes on
//! ```
//!
//! Stripe is always told the whole wish, so that telling it again is right whatever it did before. Where an earlier request ended
//! unclearly and the next is refused, the old wish is told again before it stands here: Stripe may be at the one in between.
//!
//! While one change is under way, another is refused: told at the same time, they could reach Stripe in either order.
//!
//! A new address has to answer a probe before anything is changed.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::endpoint::EndpointState;
use shared::http::{ApiError, Fields, Query, json};
use shared::probe::{Probed, probe};
use shared::registry::{Change, Endpoint, Written};
use shared::stripe::{Session, StripeError};

use crate::acts::Trace;
use crate::error::{Doing, RegisterError};
use crate::list::named;
use crate::tend::left_half_done;
use crate::view::EndpointView;
use crate::{Deps, Moment, wish};

/// `PATCH /endpoints/{name}`
pub(crate) async fn change(
    deps: &Deps,
    request: &Request,
    name: &str,
    moment: Moment,
    trace: &mut Trace,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &wish::CHANGEABLE)?;
    let row = named(deps, name).await?;
    trace.before = serde_json::to_value(EndpointView::of(&row, deps.mode)).ok();
    match row.state {
        EndpointState::Active | EndpointState::Disabled | EndpointState::Changing => {}
        EndpointState::Rotating => return Err(RegisterError::RotationInProgress(name.to_owned())),
        EndpointState::Registering | EndpointState::Deregistering => {
            return Err(RegisterError::NotWhole { name: name.to_owned(), state: row.state });
        }
    }
    let (wish, disabled) = wish::changed(&fields, &row, &deps.public_url, deps.local)?;
    if wish.url != row.wish.url {
        answers(deps, &row, &wish.url, moment).await?;
    }
    let was_disabled =
        row.change.as_ref().map_or(row.state == EndpointState::Disabled, |change| change.was_disabled);
    let change = Change { wish, disabled, was_disabled };
    let unclear = row.change.is_some();
    // Two at once could reach Stripe in either order.
    if row.change.as_ref().is_some_and(|other| *other != change) && !left_half_done(&row, moment) {
        return Err(RegisterError::ChangeInProgress(name.to_owned()));
    }
    let row = if !unclear && change.wish == row.wish && disabled == was_disabled {
        row
    } else {
        let (_, session) = deps.with_stripe(moment).await?;
        let wished = state(deps, &row, moment, |new| {
            new.state = EndpointState::Changing;
            new.change = Some(change);
        })
        .await?;
        carry_out(deps, &session, wished, unclear, moment).await?
    };
    let view = EndpointView::of(&row, deps.mode);
    trace.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &view))
}

/// Tells Stripe what a row in change is to become, and confirms it here. `unclear`: has an earlier request told Stripe something,
/// and nobody knows what became of it?
pub(crate) async fn carry_out(
    deps: &Deps,
    session: &Session<'_>,
    row: Endpoint,
    unclear: bool,
    moment: Moment,
) -> Result<Endpoint, RegisterError> {
    let (Some(change), Some(id)) = (row.change.clone(), row.stripe_id.clone()) else { return Ok(row) };
    match session.update_endpoint(&id, &change.wish, change.disabled).await {
        Ok(_) => settle(deps, &row, &change, change.disabled, moment).await,
        Err(error) if is_refused(&error) => {
            if !unclear {
                let back = Change { wish: row.wish.clone(), ..change };
                settle(deps, &row, &back, back.was_disabled, moment).await?;
                return Err(RegisterError::stripe(Doing::Changing)(error));
            }
            let back = Change { wish: row.wish.clone(), disabled: change.was_disabled, ..change };
            let wished = state(deps, &row, moment, |new| new.change = Some(back.clone())).await?;
            session
                .update_endpoint(&id, &back.wish, back.disabled)
                .await
                .map_err(RegisterError::stripe(Doing::Changing))?;
            settle(deps, &wished, &back, back.disabled, moment).await?;
            Err(RegisterError::stripe(Doing::Changing)(error))
        }
        Err(error) => Err(RegisterError::stripe(Doing::Changing)(error)),
    }
}

/// Has Stripe certainly not changed anything by this call?
fn is_refused(error: &StripeError) -> bool {
    match error {
        StripeError::Refused(_) | StripeError::Unauthorized(_) | StripeError::Forbidden(_) => true,
        StripeError::Spent(_) | StripeError::NoAnswer(_) => false,
    }
}

async fn settle(
    deps: &Deps,
    row: &Endpoint,
    change: &Change,
    disabled: bool,
    moment: Moment,
) -> Result<Endpoint, RegisterError> {
    state(deps, row, moment, |new| {
        new.state = if disabled { EndpointState::Disabled } else { EndpointState::Active };
        new.wish = change.wish.clone();
        new.change = None;
    })
    .await
}

/// Writes the row changed, if it still is as it was read.
async fn state(
    deps: &Deps,
    row: &Endpoint,
    moment: Moment,
    edit: impl FnOnce(&mut Endpoint),
) -> Result<Endpoint, RegisterError> {
    let mut new = Endpoint { state_since: moment.now.as_millisecond(), ..row.clone() };
    edit(&mut new);
    match deps.registry.replace(row, &mut new).await? {
        Written::Done => Ok(new),
        Written::Overtaken => Err(RegisterError::EndpointOvertaken(row.name.to_string())),
    }
}

/// Refuses an address that a probe does not come through.
async fn answers(deps: &Deps, row: &Endpoint, url: &str, moment: Moment) -> Result<(), RegisterError> {
    let no_secret = || RegisterError::NoSecret(row.name.to_string());
    let version = row.secret.as_ref().ok_or_else(no_secret)?;
    let secrets = deps.vault.signing_secrets(version).await?;
    let newest = secrets.signing.first().ok_or_else(no_secret)?;
    let probed = probe(url, &newest.secret, deps.mode, deps.local, moment.now).await.probed;
    match (&probed, probed.trouble()) {
        (_, None) => Ok(()),
        (Probed::NoAnswer { why, .. }, Some((summary, remedy))) => {
            Err(refused(&format!("{summary} ({why})"), remedy).into())
        }
        (_, Some((summary, remedy))) => Err(refused(summary, remedy).into()),
    }
}

fn refused(summary: &str, remedy: &str) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "url_not_reached",
        format!("a request of ours was not stored by way of this address: {summary}"),
    )
    .field("url")
    .remedy(format!("{remedy}; then send the same request again"))
}
