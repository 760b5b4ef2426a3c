//! Changes an endpoint: what is wanted is stored, sent to Stripe, and confirmed in the row.
//!
//! ```text
//! row `changing`, with old and new ──► Stripe: update ──► row with the new
//!                                          ├── refused ─────► the change is taken back
//!                                          ├── not there ───► it is taken back; repair makes another,
//!                                          │                  disabled if a request before wanted it so
//!                                          └── no answer ───► row stays; a request or the schedule goes on
//! ```
//!
//! Stripe is always sent all that is wanted, so that sending it again is right whatever it did before. Where
//! an earlier request ended unclearly and the next is refused, what was wanted before is sent again before it
//! stands in the row: Stripe may have what was wanted in between.
//!
//! While one change is under way, another is refused: sent at the same time, they could reach Stripe in
//! either order.
//!
//! A new address has to answer a probe before anything is changed.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointState, PendingChange};
use shared::http::{ApiError, Fields, json};
use shared::probe::{ProbeOutcome, probe};
use shared::stripe::StripeError;

use crate::audit::ChangeDetails;
use crate::context::{RequestContext, StripeContext};
use crate::endpoint::view::EndpointView;
use crate::endpoint::{row, secret, spec};
use crate::error::{RegisterError, StripeOperation};

/// `PATCH /endpoints/{name}`
pub(crate) async fn update(
    context: RequestContext<'_>,
    request: &Request,
    name: &str,
    details: &mut ChangeDetails,
) -> Result<Response<Body>, RegisterError> {
    let deps = context.deps;
    let fields = Fields::read(request.body(), &spec::UPDATE_FIELDS)?;
    let row = row::load_to_change(context, request, name, details).await?;
    match row.state {
        EndpointState::Active | EndpointState::Disabled | EndpointState::Changing => {}
        EndpointState::Rotating => return Err(RegisterError::rotation_under_way(&row)),
        EndpointState::Registering | EndpointState::Deregistering => {
            return Err(RegisterError::EndpointNotActive { name: name.to_owned(), state: row.state });
        }
    }
    row::require_at_stripe(&row)?;
    let (spec, disabled) = spec::read_update(&fields, &row, &deps.public_url, deps.local)?;
    if spec.url != row.spec.url {
        refuse_unreached(context, &row, &spec.url).await?;
    }
    let earlier = row.pending_change.as_ref();
    // Two requests that write to Stripe at the same time could reach it in either order.
    if earlier.is_some() && !row.is_cut_off(context.now) {
        return Err(RegisterError::ChangeInProgress(name.to_owned()));
    }
    let earlier = earlier.cloned();
    let was_disabled =
        earlier.as_ref().map_or(row.state == EndpointState::Disabled, |earlier| earlier.was_disabled);
    let is_unclear = earlier.is_some();
    // Whether it is disabled is sent again whenever it is asked for: Stripe may have changed it by itself.
    let is_so_already =
        !is_unclear && spec == row.spec && disabled == was_disabled && !fields.is_given("disabled");
    let row = if is_so_already {
        row
    } else {
        let session = context.stripe_session().await?;
        let change = PendingChange { spec, disabled, was_disabled, is_rollback: false, abandoned: false };
        let row = begin(context, &row, change).await?;
        send(context.with_session(&session), row, earlier.as_ref()).await?
    };
    let view = EndpointView::new(&row, deps.mode);
    details.after = serde_json::to_value(&view).ok();
    Ok(json(StatusCode::OK, &view))
}

/// Writes that a change is under way, so that nobody else writes to Stripe meanwhile.
pub(crate) async fn begin(
    context: RequestContext<'_>,
    row: &EndpointRow,
    change: PendingChange,
) -> Result<EndpointRow, RegisterError> {
    row::edit(context, row, |new| {
        new.state = EndpointState::Changing;
        new.pending_change = Some(change);
    })
    .await
}

/// Sends to Stripe what a row in change is to become, and confirms it here. `earlier` is what an earlier
/// request has sent Stripe, of which nobody knows what became.
pub(crate) async fn send(
    stripe: StripeContext<'_>,
    row: EndpointRow,
    earlier: Option<&PendingChange>,
) -> Result<EndpointRow, RegisterError> {
    let StripeContext { request: context, session } = stripe;
    let Some(change) = row.pending_change.clone() else { return Ok(row) };
    let is_unclear = earlier.is_some();
    // Who sent the earlier request was not told that it is refused: what it wanted still holds.
    let disabled = earlier.map_or(change.was_disabled, |earlier| earlier.disabled);
    let Some(id) = row.stripe_id.clone() else { return leave_to_repair(context, &row, disabled).await };
    let error = match session.update_endpoint(&id, &change.spec, change.disabled).await {
        Ok(_) => return confirm(context, &row, &change).await,
        Err(error) if error.is_missing() => return leave_to_repair(context, &row, disabled).await,
        Err(error) => error,
    };
    let rollback = PendingChange {
        spec: row.spec.clone(),
        disabled: change.was_disabled,
        is_rollback: true,
        ..change.clone()
    };
    if change.is_rollback || !is_certain(&error, is_unclear) {
        abandon(context, &row, change).await;
    } else if is_unclear {
        // Stripe may have what that earlier request sent.
        let row = begin(context, &row, rollback.clone()).await?;
        match session.update_endpoint(&id, &rollback.spec, rollback.disabled).await {
            Ok(_) => drop(confirm(context, &row, &rollback).await?),
            Err(error) if error.is_missing() => {
                return leave_to_repair(context, &row, rollback.disabled).await;
            }
            Err(_) => abandon(context, &row, rollback).await,
        }
    } else {
        confirm(context, &row, &rollback).await?;
    }
    Err(RegisterError::stripe(StripeOperation::Update)(error))
}

/// Takes back a change of an endpoint that Stripe has not (any more): nothing can be sent to what is not
/// there. It is as before but for `disabled`, and is to be repaired.
async fn leave_to_repair(
    context: RequestContext<'_>,
    row: &EndpointRow,
    disabled: bool,
) -> Result<EndpointRow, RegisterError> {
    row::edit(context, row, |new| {
        new.state = state(disabled);
        new.pending_change = None;
    })
    .await?;
    Err(RegisterError::NotAtStripe(row.name.to_string()))
}

/// Whether Stripe has certainly refused what is wanted. Its limits, and what it says of the key, say nothing
/// of an earlier try.
fn is_certain(error: &StripeError, is_unclear: bool) -> bool {
    match error {
        StripeError::Refused(failure) => !is_unclear || !failure.is_rate_limit(),
        StripeError::Unauthorized(_) | StripeError::Forbidden(_) => !is_unclear,
        StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_) => false,
    }
}

/// Writes that this request is over and the change is not. If that cannot be written, the others wait for a
/// minute.
async fn abandon(context: RequestContext<'_>, row: &EndpointRow, change: PendingChange) {
    let change = PendingChange { abandoned: true, ..change };
    if let Err(error) = row::edit(context, row, |new| new.pending_change = Some(change)).await {
        tracing::warn!(
            error = error_chain(&error),
            endpoint.name = %row.name,
            "that nobody works on a change any more could not be written"
        );
    }
}

/// Writes into the row what Stripe has now.
async fn confirm(
    context: RequestContext<'_>,
    row: &EndpointRow,
    change: &PendingChange,
) -> Result<EndpointRow, RegisterError> {
    let is_subscribed_anew = change.spec.url != row.spec.url
        || change.spec.events != row.spec.events
        || change.disabled != change.was_disabled;
    row::edit(context, row, |new| {
        new.state = state(change.disabled);
        new.spec = change.spec.clone();
        new.pending_change = None;
        if is_subscribed_anew {
            new.subscribed_since = context.now.into();
        }
    })
    .await
}

fn state(is_disabled: bool) -> EndpointState {
    if is_disabled { EndpointState::Disabled } else { EndpointState::Active }
}

/// Refuses an address that a probe does not come through.
async fn refuse_unreached(
    context: RequestContext<'_>,
    row: &EndpointRow,
    url: &str,
) -> Result<(), RegisterError> {
    let RequestContext { deps, now, .. } = context;
    let secret = secret::newest(deps, row).await?;
    let outcome = probe(url, &secret, deps.mode, deps.local, now).await.outcome;
    match (&outcome, outcome.problem()) {
        (_, None) => Ok(()),
        (ProbeOutcome::NoAnswer { why, .. }, Some((summary, remedy))) => {
            Err(unreached(&format!("{summary} ({why})"), remedy).into())
        }
        (_, Some((summary, remedy))) => Err(unreached(summary, remedy).into()),
    }
}

fn unreached(summary: &str, remedy: &str) -> ApiError {
    let message = format!("a request of ours was not stored by way of this address: {summary}");
    ApiError::new(StatusCode::BAD_REQUEST, "url_not_reached", message)
        .field("url")
        .remedy(format!("{remedy}; then send the same request again"))
}
