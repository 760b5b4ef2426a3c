//! Compares the Stripe account of a new key with the one whose endpoints and records are here. Two accounts
//! in one stack could never be told apart again.
//!
//! Where both accounts are known, they are compared. A restricted key may not be able to name its account;
//! then Stripe is asked for what must be there if it is the same account: our endpoints, then one record of
//! each kind. What is found proves the account. What is missing counts against it only if it cannot just have
//! been deleted.

use shared::endpoint::EndpointRow;
use shared::kind::{Deletion, Kind};
use shared::object_key::ObjectKey;
use shared::records::{Record, RecordListing};
use shared::registry::Settings;
use shared::stripe::{Session, StripeError};

use crate::context::RequestContext;
use crate::deps::Deps;
use crate::error::{RegisterError, StripeOperation};

/// Kinds by what their absence proves: first payments and charges, then others that cannot be deleted at
/// Stripe, then those that are still shown when they are, last those that can be gone for good.
fn kinds() -> Vec<Kind> {
    let proof = |kind: &Kind| match kind.deletion() {
        Deletion::Never if [Kind::PAYMENT, Kind::CHARGE].contains(kind) => 0,
        Deletion::Never => 1,
        Deletion::StillThere => 2,
        Deletion::Gone | Deletion::GoneWhile(_) => 3,
    };
    // Those of which Stripe can be asked for one.
    let mut kinds: Vec<Kind> = Kind::all().filter(|kind| kind.path().is_some()).collect();
    kinds.sort_by_key(proof);
    kinds
}

/// How a new key's account compares with the one that is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AccountMatch {
    Same,
    /// There is nothing here that could be mixed up.
    NothingHere,
    Other,
    /// What is here proves nothing: the key may not read it, or it is gone at Stripe.
    Unknown,
}

/// Compares the account of a new key with that of what is here. `old` are the settings before, `new_account`
/// is the new key's account if Stripe has said it, and `new` are calls with the new key.
pub(super) async fn compare(
    context: RequestContext<'_>,
    old: Option<&Settings>,
    new_account: Option<&str>,
    new: &Session<'_>,
) -> Result<AccountMatch, RegisterError> {
    let deps = context.deps;
    let endpoints = deps.registry.endpoints().await?;
    let known = old.and_then(|old| old.stripe_account.as_deref());
    match (known, new_account) {
        (Some(known), Some(new)) if known == new => return Ok(AccountMatch::Same),
        (Some(_), Some(_)) if holds_anything(deps, &endpoints).await? => return Ok(AccountMatch::Other),
        (Some(_), Some(_)) => return Ok(AccountMatch::NothingHere),
        (Some(_) | None, Some(_) | None) => {}
    }
    let by_endpoints = compare_endpoints(context, old, &endpoints, new).await?;
    if by_endpoints == Evidence::Same {
        return Ok(AccountMatch::Same);
    }
    match (compare_records(deps, new).await?, by_endpoints) {
        (Evidence::Same, _) => Ok(AccountMatch::Same),
        (Evidence::Other, _) | (_, Evidence::Other) => Ok(AccountMatch::Other),
        (Evidence::Unreadable, _) | (_, Evidence::Unreadable) => Ok(AccountMatch::Unknown),
        // The account that is known here must not be forgotten for a key whose account is not known.
        (Evidence::Nothing, _) if known.is_some() && holds_anything(deps, &endpoints).await? => {
            Ok(AccountMatch::Unknown)
        }
        (Evidence::Nothing, _) => Ok(AccountMatch::NothingHere),
    }
}

/// What the endpoints, or the records, prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evidence {
    Same,
    Other,
    /// A key may not read them.
    Unreadable,
    /// There are none, or none that proves anything.
    Nothing,
}

/// Endpoints that the new key does not find count against it if the old key finds them. If it does not find
/// them either, they prove nothing; and an old key that does not work any more cannot be asked.
async fn compare_endpoints(
    context: RequestContext<'_>,
    old: Option<&Settings>,
    endpoints: &[EndpointRow],
    new: &Session<'_>,
) -> Result<Evidence, RegisterError> {
    let ids: Vec<&str> = endpoints.iter().filter_map(|endpoint| endpoint.stripe_id.as_deref()).collect();
    if ids.is_empty() {
        return Ok(Evidence::Nothing);
    }
    let stripe_error = || RegisterError::stripe(StripeOperation::CheckKey);
    if finds_any(new, &ids).await.map_err(stripe_error())? {
        return Ok(Evidence::Same);
    }
    let Some(settings) = old else { return Ok(Evidence::Unreadable) };
    let session = context.deps.stripe.session(settings.stripe_key_set_at, context.stripe_deadline);
    let Some(old) = session.await? else {
        return Ok(Evidence::Unreadable);
    };
    match finds_any(&old, &ids).await {
        Ok(true) => Ok(Evidence::Other),
        Ok(false) => Ok(Evidence::Nothing),
        Err(StripeError::Unauthorized(_) | StripeError::Forbidden(_)) => Ok(Evidence::Unreadable),
        Err(
            error
            @ (StripeError::Refused(_) | StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_)),
        ) => Err(stripe_error()(error)),
    }
}

async fn finds_any(session: &Session<'_>, ids: &[&str]) -> Result<bool, StripeError> {
    for id in ids {
        if session.endpoint(id).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Asks Stripe for one record of each kind, until one proves something.
async fn compare_records(deps: &Deps, new: &Session<'_>) -> Result<Evidence, RegisterError> {
    let mut evidence = Evidence::Nothing;
    for kind in kinds() {
        let Some(key) = own_record(deps, kind).await? else { continue };
        match new.object(&key).await {
            Ok(Some(_)) => return Ok(Evidence::Same),
            Ok(None) if matches!(kind.deletion(), Deletion::Gone | Deletion::GoneWhile(_)) => {}
            Ok(None) => return Ok(Evidence::Other),
            Err(StripeError::Forbidden(_)) => evidence = Evidence::Unreadable,
            Err(error) => return Err(RegisterError::stripe(StripeOperation::CheckKey)(error)),
        }
    }
    Ok(evidence)
}

/// A record of our own account of an object that Stripe has, as far as is known.
async fn own_record(deps: &Deps, kind: Kind) -> Result<Option<ObjectKey>, RegisterError> {
    let listing = RecordListing::Kind(kind);
    let is_own = |record: &Record| record.key.account().is_none() && record.is_at_stripe();
    let page = deps.records.list(&listing, None, 1, is_own).await?;
    Ok(page.records.into_iter().next().map(|record| record.key))
}

/// Whether there is anything here that could be mixed up with another account's.
async fn holds_anything(deps: &Deps, endpoints: &[EndpointRow]) -> Result<bool, RegisterError> {
    if endpoints.is_empty() { holds_any_record(deps).await } else { Ok(true) }
}

async fn holds_any_record(deps: &Deps) -> Result<bool, RegisterError> {
    for kind in kinds() {
        let page = deps.records.list(&RecordListing::Kind(kind), None, 1, |_| true).await?;
        if !page.records.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
