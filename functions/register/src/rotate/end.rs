//! How a rotation ends: the first endpoint goes when all of before is here; or the second, if it cannot go on.

use shared::endpoint::{EndpointRow, EndpointState, Rotation};
use shared::secret::{EndpointSecret, SigningSecrets};
use shared::stripe::{OwnerTag, Session};

use crate::error::{Doing, RegisterError};
use crate::mark::remove_marked;
use crate::row::write;
use crate::{Deps, Moment};

/// For an endpoint of connected accounts, at least so many seconds: an account's first event may still be on its way.
const NOBODY_HEARD: i64 = 3_600;

/// Ends a rotation, if all that was made before the second endpoint got all events has been compared with the ledger. Gives
/// whether it did.
pub(crate) async fn end(
    deps: &Deps,
    session: &Session<'_>,
    row: EndpointRow,
    moment: Moment,
) -> Result<bool, RegisterError> {
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
    if !is_compared(deps, &row, live_since, moment).await? {
        return Ok(false);
    }
    let newest = deps.secrets_of(&row).await?.signing.into_iter().find(|one| one.stripe_id == id);
    let newest = newest.ok_or_else(|| RegisterError::NoSecret(row.name.to_string()))?;
    if !old_deleted {
        // Whatever somebody has done to the second meanwhile, it must send before the first goes.
        match session.update_endpoint(&id, &row.spec, false).await {
            Ok(_) => {}
            Err(error) if error.is_missing() => {
                give_up(deps, session, row, moment).await?;
                return Ok(false);
            }
            Err(error) => return Err(RegisterError::stripe(Doing::Rotating)(error)),
        }
        if let Some(old) = row.stripe_id.as_ref().filter(|old| **old != id) {
            session.delete_endpoint(old).await.map_err(RegisterError::stripe(Doing::Rotating))?;
        }
        // What it had sent is still on its way: its secret goes in the next run.
        write(deps, &row, moment, |new| {
            if let Some(next) = &mut new.rotation {
                next.old_deleted = true;
            }
        })
        .await?;
        return Ok(false);
    }
    let secrets = SigningSecrets { signing: vec![newest] };
    let token = format!("{registration}-end");
    let version = deps.secret_store.put_signing_secrets(&deps.secret_name(&row), &token, &secrets).await?;
    write(deps, &row, moment, |new| {
        new.state = EndpointState::Active;
        new.stripe_id = Some(id);
        new.registration = registration;
        new.spec.api_version = api_version;
        new.secret = Some(version);
        new.rotated_at = Some(moment.now.as_millisecond());
        new.rotation = None;
    })
    .await?;
    Ok(true)
}

async fn is_compared(
    deps: &Deps,
    row: &EndpointRow,
    live_since: i64,
    moment: Moment,
) -> Result<bool, RegisterError> {
    let compared = deps.registry.reconcile_progress().await?;
    let until = |account: &str| compared.get(account).is_some_and(|compared| compared.until >= live_since);
    if !row.spec.connect {
        return Ok(until("-"));
    }
    // One that has left the platform cannot be compared, and never will.
    let refused = |account: &str| {
        compared.get(account).is_some_and(|compared| compared.refused_at.is_some_and(|at| at >= live_since))
    };
    let accounts = deps.registry.accounts().await?;
    let waited = moment.now.as_second() - live_since >= NOBODY_HEARD;
    Ok(waited && accounts.iter().all(|account| until(account) || refused(account)))
}

/// Gives a rotation up: the second endpoint goes, and the first is all there is again.
pub(crate) async fn give_up(
    deps: &Deps,
    session: &Session<'_>,
    row: EndpointRow,
    moment: Moment,
) -> Result<EndpointRow, RegisterError> {
    let Some(next) = row.rotation.clone() else { return Ok(row) };
    let mark = OwnerTag { registration: next.registration.clone(), ..deps.owner_tag(&row) };
    remove_marked(session, &mark).await.map_err(RegisterError::stripe(Doing::Rotating))?;
    let before = match deps.newest_before(&row).await {
        Ok(before) => Some(before),
        // Then there is nothing to go back to, and it is replaced.
        Err(RegisterError::NoSecret(_)) => None,
        Err(error) => return Err(error),
    };
    let mut back = None;
    if let Some(before) = before {
        let hint = before.secret.hint();
        let token = format!("{}-back", next.registration);
        let secrets = SigningSecrets { signing: vec![before] };
        let version =
            deps.secret_store.put_signing_secrets(&deps.secret_name(&row), &token, &secrets).await?;
        back = Some((version, hint));
    }
    write(deps, &row, moment, |new| {
        new.state = EndpointState::Active;
        new.rotation = None;
        if let Some((version, hint)) = back {
            new.secret = Some(version);
            new.signing_secret_hint = Some(hint);
        }
    })
    .await
}

impl Deps {
    /// The secret of the endpoint that is to go.
    pub(super) async fn newest_before(&self, row: &EndpointRow) -> Result<EndpointSecret, RegisterError> {
        let secrets = self.secrets_of(row).await?;
        let of_it = |one: &EndpointSecret| Some(&one.stripe_id) == row.stripe_id.as_ref();
        let before = secrets.signing.into_iter().find(of_it);
        before.ok_or_else(|| RegisterError::NoSecret(row.name.to_string()))
    }
}
