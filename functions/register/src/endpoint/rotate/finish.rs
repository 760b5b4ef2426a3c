//! How a rotation ends: the first endpoint goes when all of before is here, or at once; or the second does,
//! if somebody has deleted it at Stripe (`give_up`).

use jiff::SignedDuration;
use shared::account::AccountKey;
use shared::endpoint::{EndpointRow, EndpointState, Rotation, RotationEnd};
use shared::secret::{EndpointSecret, SigningSecrets};
use shared::unix_time::UnixSeconds;

use super::edit_rotation;
use super::give_up::give_up;
use crate::context::{RequestContext, StripeContext};
use crate::endpoint::{row, secret};
use crate::error::{RegisterError, StripeOperation};

/// Why one is given up, for the status.
const SECOND_DELETED: &str = "the endpoint at Stripe that was to take over was deleted there";
const SECRET_LOST: &str = "the signing secret of the endpoint at Stripe that was to take over is lost";
/// How long the first event of a connected account, which is not known here before it, may be on its way.
const FIRST_EVENT_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// How far a rotation has come.
#[derive(Debug)]
pub(crate) enum RotationStep {
    /// Not all of before has been compared, or what the first endpoint had sent is on its way.
    Waiting(EndpointRow),
    /// The second endpoint has taken over.
    Over(EndpointRow),
    /// The second endpoint is gone, and the first is all there is again; or the new secret is lost.
    GivenUp(EndpointRow),
}

/// Ends a rotation whose second endpoint gets all events, if all that was created before that has been
/// compared with the ledger, or at once if the rotation is so. One that is being given up is given up.
pub(crate) async fn finish(
    stripe: StripeContext<'_>,
    row: EndpointRow,
) -> Result<RotationStep, RegisterError> {
    let StripeContext { request: context, session } = stripe;
    let Some(rotation) = row.rotation.clone() else {
        return Ok(RotationStep::GivenUp(give_up(stripe, row, None).await?));
    };
    if rotation.decided == Some(RotationEnd::GiveUp) {
        return Ok(RotationStep::GivenUp(give_up(stripe, row, None).await?));
    }
    let (Some(id), Some(live_since)) = (&rotation.stripe_id, rotation.live_since) else {
        return Ok(RotationStep::Waiting(row));
    };
    let may_end = rotation.at_once || rotation.decided.is_some();
    if !may_end && !is_compared(context, &row, live_since).await? {
        return Ok(RotationStep::Waiting(row));
    }
    if !secret::is_there(context.deps, &row, Some(id)).await? {
        return Ok(RotationStep::GivenUp(end_without_secret(stripe, row, rotation).await?));
    }
    let second = secret::for_endpoint(context.deps, &row, Some(id)).await?;
    // Decided before anything is deleted, so that nobody gives it up meanwhile.
    let decide = |rotation: &mut Rotation| rotation.decided = Some(RotationEnd::TakeOver);
    let mut row = edit_rotation(context, &row, decide).await?;
    if !rotation.old_deleted {
        // Whatever somebody has done to the second meanwhile, it must send before the first goes.
        match session.update_endpoint(id, &row.spec, false).await {
            Ok(_) => {}
            Err(error) if error.is_missing() => {
                let row = give_up(stripe, row, Some(SECOND_DELETED)).await?;
                return Ok(RotationStep::GivenUp(row));
            }
            Err(error) => return Err(RegisterError::stripe(StripeOperation::Rotate)(error)),
        }
        if rotation.at_once {
            row = accept_only(context, row, &rotation, second.clone()).await?;
        }
        if let Some(first) = row.stripe_id.as_ref().filter(|first| *first != id) {
            let deleted = session.delete_endpoint(first).await;
            deleted.map_err(RegisterError::stripe(StripeOperation::Rotate))?;
        }
        row = edit_rotation(context, &row, |rotation| rotation.old_deleted = true).await?;
        if !rotation.at_once {
            // What the first had sent is still on its way: its secret goes in the next run.
            return Ok(RotationStep::Waiting(row));
        }
    }
    let row = accept_only(context, row, &rotation, second).await?;
    let row = row::edit(context, &row, |new| {
        new.state = EndpointState::Active;
        new.rotated_at = Some(context.now.into());
        take_over(new, rotation);
    })
    .await?;
    Ok(RotationStep::Over(row))
}

/// Ends a rotation whose new signing secret is lost, so that neither waits for the other: what is left of the
/// two endpoints is to be repaired, if it has no secret either.
async fn end_without_secret(
    stripe: StripeContext<'_>,
    row: EndpointRow,
    rotation: Rotation,
) -> Result<EndpointRow, RegisterError> {
    if !rotation.old_deleted {
        return give_up(stripe, row, Some(SECRET_LOST)).await;
    }
    row::edit(stripe.request, &row, |new| {
        new.state = EndpointState::Active;
        new.rotation_given_up = row::given_up(stripe.request, Some(SECRET_LOST));
        take_over(new, rotation);
    })
    .await
}

/// Writes the second endpoint in place of the first.
fn take_over(row: &mut EndpointRow, rotation: Rotation) {
    row.stripe_id = rotation.stripe_id;
    row.registration = rotation.registration;
    row.spec.api_version = rotation.api_version;
    row.rotation = None;
}

/// Drops the first endpoint's signing secret.
async fn accept_only(
    context: RequestContext<'_>,
    row: EndpointRow,
    rotation: &Rotation,
    second: EndpointSecret,
) -> Result<EndpointRow, RegisterError> {
    let secrets = SigningSecrets { signing: vec![second] };
    let token = format!("{}-end", rotation.registration);
    let version = secret::replace(context.deps, &row, &token, &secrets).await?;
    if row.secret.as_ref() == Some(&version) {
        return Ok(row);
    }
    row::edit(context, &row, |new| new.secret = Some(version)).await
}

/// Whether reconciliation has compared all events that were created before `live_since`.
async fn is_compared(
    context: RequestContext<'_>,
    row: &EndpointRow,
    live_since: UnixSeconds,
) -> Result<bool, RegisterError> {
    let registry = &context.deps.registry;
    let progress = registry.reconcile_progress().await?;
    let is_compared =
        |account: &AccountKey| progress.get(account).is_some_and(|known| known.until >= live_since);
    if !row.spec.connect {
        return Ok(is_compared(&AccountKey::OWN));
    }
    // An account that has left the platform cannot be compared, and never will be.
    let is_refused = |account: &AccountKey| {
        progress.get(account).is_some_and(|known| known.refused_at.is_some_and(|at| at >= live_since))
    };
    let accounts = registry.connected_accounts().await?;
    let live_for = UnixSeconds::from(context.now) - live_since;
    Ok(live_for >= FIRST_EVENT_WITHIN
        && accounts.iter().all(|account| is_compared(account) || is_refused(account)))
}
