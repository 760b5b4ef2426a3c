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
use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointState, PendingChange};
use shared::http::{ApiError, Fields, Query, json};
use shared::probe::{ProbeOutcome, probe};
use shared::stripe::{Session, StripeError};

use crate::acts::Trace;
use crate::error::{Doing, RegisterError};
use crate::list::named;
use crate::rotate::overtaken;
use crate::row::write;
use crate::tend::left_half_done;
use crate::view::EndpointView;
use crate::{Deps, Moment, spec};

/// `PATCH /endpoints/{name}`
pub(crate) async fn change(
    deps: &Deps,
    request: &Request,
    name: &str,
    moment: Moment,
    trace: &mut Trace,
) -> Result<Response<Body>, RegisterError> {
    Query::read(request, &[])?;
    let fields = Fields::read(request.body(), &spec::CHANGEABLE)?;
    let row = named(deps, name).await?;
    trace.before = serde_json::to_value(EndpointView::of(&row, deps.mode)).ok();
    match row.state {
        EndpointState::Active | EndpointState::Disabled | EndpointState::Changing => {}
        EndpointState::Rotating => return Err(RegisterError::RotationInProgress(name.to_owned())),
        EndpointState::Registering | EndpointState::Deregistering => {
            return Err(RegisterError::NotWhole { name: name.to_owned(), state: row.state });
        }
    }
    let (spec, disabled) = spec::changed(&fields, &row, &deps.public_url, deps.local)?;
    if spec.url != row.spec.url {
        answers(deps, &row, &spec.url, moment).await?;
    }
    let was_disabled = row
        .pending_change
        .as_ref()
        .map_or(row.state == EndpointState::Disabled, |change| change.was_disabled);
    let unclear = row.pending_change.is_some();
    let ended = |other: &PendingChange| other.abandoned || left_half_done(&row, moment);
    // Two that tell Stripe at once could reach it in either order.
    if row.pending_change.as_ref().is_some_and(|other| !ended(other)) {
        return Err(RegisterError::ChangeInProgress(name.to_owned()));
    }
    // Whether it is disabled is told again whenever it is asked for: Stripe may have done it by itself.
    let is_so = !unclear && spec == row.spec && disabled == was_disabled && !fields.is_given("disabled");
    let row = if is_so {
        row
    } else {
        let (_, session) = deps.with_stripe(moment).await?;
        let change = PendingChange { spec, disabled, was_disabled, is_rollback: false, abandoned: false };
        let wished = match begin(deps, &row, change, moment).await {
            Err(RegisterError::EndpointOvertaken(name)) => return Err(overtaken(deps, name).await),
            begun => begun?,
        };
        carry_out(deps, &session, wished, unclear, moment).await?
    };
    let view = EndpointView::of(&row, deps.mode);
    trace.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &view))
}

/// Writes that a change is under way, so that nobody else tells Stripe meanwhile.
pub(crate) async fn begin(
    deps: &Deps,
    row: &EndpointRow,
    change: PendingChange,
    moment: Moment,
) -> Result<EndpointRow, RegisterError> {
    write(deps, row, moment, |new| {
        new.state = EndpointState::Changing;
        new.pending_change = Some(change);
    })
    .await
}

/// Tells Stripe what a row in change is to become, and confirms it here. `unclear`: has an earlier request told Stripe something,
/// and nobody knows what became of it?
pub(crate) async fn carry_out(
    deps: &Deps,
    session: &Session<'_>,
    row: EndpointRow,
    unclear: bool,
    moment: Moment,
) -> Result<EndpointRow, RegisterError> {
    let (Some(change), Some(id)) = (row.pending_change.clone(), row.stripe_id.clone()) else {
        return Ok(row);
    };
    let error = match session.update_endpoint(&id, &change.spec, change.disabled).await {
        Ok(_) => return settle(deps, &row, &change, moment).await,
        Err(error) => error,
    };
    let back =
        PendingChange { spec: row.spec.clone(), disabled: change.was_disabled, is_rollback: true, ..change.clone() };
    if change.is_rollback || !is_certain(&error, unclear) {
        leave(deps, &row, change, moment).await;
    } else if unclear {
        // Stripe may be at the wish of that earlier request.
        let wished = begin(deps, &row, back.clone(), moment).await?;
        match session.update_endpoint(&id, &back.spec, back.disabled).await {
            Ok(_) => drop(settle(deps, &wished, &back, moment).await?),
            Err(_) => leave(deps, &wished, back, moment).await,
        }
    } else {
        settle(deps, &row, &back, moment).await?;
    }
    Err(RegisterError::stripe(Doing::Changing)(error))
}

/// Has Stripe certainly refused the wish itself? Limits, and what it says of the key, say nothing of an earlier try.
fn is_certain(error: &StripeError, unclear: bool) -> bool {
    match error {
        StripeError::Refused(failure) => !unclear || !failure.is_rate_limit(),
        StripeError::Unauthorized(_) | StripeError::Forbidden(_) => !unclear,
        StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_) => false,
    }
}

/// Notes that this request is over and the change is not. If that cannot be written, the others wait for a minute.
async fn leave(deps: &Deps, row: &EndpointRow, change: PendingChange, moment: Moment) {
    let left =
        write(deps, row, moment, |new| new.pending_change = Some(PendingChange { abandoned: true, ..change }))
            .await;
    if let Err(error) = left {
        tracing::warn!(error = error_chain(&error), endpoint.name = %row.name, "that a change is left could not be noted");
    }
}

async fn settle(
    deps: &Deps,
    row: &EndpointRow,
    change: &PendingChange,
    moment: Moment,
) -> Result<EndpointRow, RegisterError> {
    let listens_otherwise = change.spec.url != row.spec.url
        || change.spec.events != row.spec.events
        || change.disabled != change.was_disabled;
    write(deps, row, moment, |new| {
        new.state = if change.disabled { EndpointState::Disabled } else { EndpointState::Active };
        new.spec = change.spec.clone();
        new.pending_change = None;
        if listens_otherwise {
            new.subscribed_since = moment.now.as_millisecond();
        }
    })
    .await
}

/// Refuses an address that a probe does not come through.
async fn answers(deps: &Deps, row: &EndpointRow, url: &str, moment: Moment) -> Result<(), RegisterError> {
    let secret = deps.newest_secret(row).await?;
    let probed = probe(url, &secret, deps.mode, deps.local, moment.now).await.probed;
    match (&probed, probed.trouble()) {
        (_, None) => Ok(()),
        (ProbeOutcome::NoAnswer { why, .. }, Some((summary, remedy))) => {
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
