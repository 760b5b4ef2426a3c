//! How a rotation ends: the first endpoint goes when all of before is here; or the second, if it cannot go
//! on.

use jiff::SignedDuration;
use shared::account::AccountKey;
use shared::endpoint::{EndpointRow, EndpointState, Rotation};
use shared::secret::SigningSecrets;
use shared::unix_time::UnixSeconds;

use crate::context::{RequestContext, StripeContext};
use crate::endpoint::{row, secret, tag};
use crate::error::{RegisterError, StripeOperation};

/// How long the first event of a connected account, which is not known here before it, may be on its way.
const FIRST_EVENT_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Ends a rotation, if all that was created before the second endpoint got all events has been compared with
/// the ledger. Returns whether it is over.
pub(crate) async fn finish(stripe: StripeContext<'_>, row: EndpointRow) -> Result<bool, RegisterError> {
    let StripeContext { request: context, session } = stripe;
    let RequestContext { deps, now, .. } = context;
    let Some(Rotation {
        stripe_id: Some(id),
        live_since: Some(live_since),
        registration,
        api_version,
        old_deleted,
        ..
    }) = row.rotation.clone()
    else {
        return Ok(false);
    };
    if !is_compared(context, &row, live_since).await? {
        return Ok(false);
    }
    let second = secret::for_endpoint(deps, &row, Some(id.as_str())).await?;
    if !old_deleted {
        // Whatever somebody has done to the second meanwhile, it must send before the first goes.
        match session.update_endpoint(&id, &row.spec, false).await {
            Ok(_) => {}
            Err(error) if error.is_missing() => {
                give_up(stripe, row).await?;
                return Ok(false);
            }
            Err(error) => return Err(RegisterError::stripe(StripeOperation::Rotate)(error)),
        }
        if let Some(first) = row.stripe_id.as_ref().filter(|first| **first != id) {
            let deleted = session.delete_endpoint(first).await;
            deleted.map_err(RegisterError::stripe(StripeOperation::Rotate))?;
        }
        // What it had sent is still on its way: its secret goes in the next run.
        row::edit(context, &row, |new| {
            if let Some(rotation) = &mut new.rotation {
                rotation.old_deleted = true;
            }
        })
        .await?;
        return Ok(false);
    }
    let secrets = SigningSecrets { signing: vec![second] };
    let token = format!("{registration}-end");
    let entry = secret::entry_name(deps, &row);
    let version = deps.secret_store.put_signing_secrets(&entry, &token, &secrets).await?;
    row::edit(context, &row, |new| {
        new.state = EndpointState::Active;
        new.stripe_id = Some(id);
        new.registration = registration;
        new.spec.api_version = api_version;
        new.secret = Some(version);
        new.rotated_at = Some(now.into());
        new.rotation = None;
    })
    .await?;
    Ok(true)
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

/// Gives a rotation up: the second endpoint goes, and the first is all there is again.
pub(crate) async fn give_up(
    stripe: StripeContext<'_>,
    row: EndpointRow,
) -> Result<EndpointRow, RegisterError> {
    let StripeContext { request: context, session } = stripe;
    let deps = context.deps;
    let Some(rotation) = row.rotation.clone() else { return Ok(row) };
    let tag = tag::owner_tag(deps, &row, &rotation.registration);
    let deleted = tag::delete_tagged(session, &tag).await;
    deleted.map_err(RegisterError::stripe(StripeOperation::Rotate))?;
    let kept = match secret::for_endpoint(deps, &row, row.stripe_id.as_deref()).await {
        Ok(first) => {
            let hint = first.secret.hint();
            let token = format!("{}-back", rotation.registration);
            let secrets = SigningSecrets { signing: vec![first] };
            let entry = secret::entry_name(deps, &row);
            let version = deps.secret_store.put_signing_secrets(&entry, &token, &secrets).await?;
            Some((version, hint))
        }
        // Then there is nothing to go back to, and the endpoint is replaced.
        Err(RegisterError::SecretMissing(_)) => None,
        Err(error) => return Err(error),
    };
    row::edit(context, &row, |new| {
        new.state = EndpointState::Active;
        new.rotation = None;
        if let Some((version, hint)) = kept {
            new.secret = Some(version);
            new.signing_secret_hint = Some(hint);
        }
    })
    .await
}
