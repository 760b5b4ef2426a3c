//! Is a key of the Stripe account whose endpoints and records are here? Two accounts in one stack could never be told apart again.
//!
//! Where both accounts are known, they are compared. A restricted key may not be able to tell its account, so else Stripe is asked
//! for what must be there if it is the same one: our endpoints, then one record of each kind. What is found proves the account.
//! What is missing counts against it only if it cannot just have been deleted.

use shared::endpoint::EndpointRow;
use shared::object_key::{Kind, ObjectKey};
use shared::records::RecordListing;
use shared::registry::Settings;
use shared::stripe::{Session, StripeError};

use crate::error::{Doing, RegisterError};
use crate::{Deps, Moment};

/// Kinds by what their absence says: all but the last two cannot be deleted at Stripe, a deleted customer is still shown, and a
/// draft invoice can be gone for good.
const KINDS: [Kind; 8] = [
    Kind::Payment,
    Kind::Charge,
    Kind::Subscription,
    Kind::InvoicePayment,
    Kind::Refund,
    Kind::Dispute,
    Kind::Customer,
    Kind::Invoice,
];

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    Same,
    /// There is nothing here that could be mixed up.
    NothingHere,
    Other,
    /// There is something here, and it proves nothing: the key may not look at it, or it is gone at Stripe.
    Unknown,
}

/// Compares the account of a new key with that of what is here.
pub(crate) async fn compare(
    deps: &Deps,
    old: Option<&Settings>,
    new_account: Option<&str>,
    new: &Session<'_>,
    moment: Moment,
) -> Result<Account, RegisterError> {
    let endpoints = deps.registry.endpoints().await?;
    let known = old.and_then(|old| old.stripe_account.as_deref());
    match (known, new_account) {
        (Some(known), Some(new)) if known == new => return Ok(Account::Same),
        (Some(_), Some(_)) if anything(deps, &endpoints).await? => return Ok(Account::Other),
        (Some(_), Some(_)) => return Ok(Account::NothingHere),
        (Some(_) | None, Some(_) | None) => {}
    }
    let by_endpoints = by_endpoints(deps, old, &endpoints, new, moment).await?;
    if by_endpoints == Evidence::Same {
        return Ok(Account::Same);
    }
    match (by_records(deps, new).await?, by_endpoints) {
        (Evidence::Same, _) => Ok(Account::Same),
        (Evidence::Other, _) | (_, Evidence::Other) => Ok(Account::Other),
        (Evidence::Unreadable, _) | (_, Evidence::Unreadable) => Ok(Account::Unknown),
        // The account that is known here must not be forgotten for a key of which nobody can tell.
        (Evidence::Nothing, _) if known.is_some() && anything(deps, &endpoints).await? => {
            Ok(Account::Unknown)
        }
        (Evidence::Nothing, _) => Ok(Account::NothingHere),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evidence {
    Same,
    Other,
    Unreadable,
    Nothing,
}

/// Endpoints that the new key does not find count against it if the old key finds them. If it does not find them either, they say
/// nothing; and an old key that does not work any more cannot tell.
async fn by_endpoints(
    deps: &Deps,
    old: Option<&Settings>,
    endpoints: &[EndpointRow],
    new: &Session<'_>,
    moment: Moment,
) -> Result<Evidence, RegisterError> {
    let ids: Vec<&str> = endpoints.iter().filter_map(|endpoint| endpoint.stripe_id.as_deref()).collect();
    if ids.is_empty() {
        return Ok(Evidence::Nothing);
    }
    let checking = || RegisterError::stripe(Doing::CheckingKey);
    if finds_any(new, &ids).await.map_err(checking())? {
        return Ok(Evidence::Same);
    }
    let Some(settings) = old else { return Ok(Evidence::Unreadable) };
    let Some(old) = deps.stripe.session(settings.stripe_key_set_at, moment.stripe_until).await? else {
        return Ok(Evidence::Unreadable);
    };
    match finds_any(&old, &ids).await {
        Ok(true) => Ok(Evidence::Other),
        Ok(false) => Ok(Evidence::Nothing),
        Err(StripeError::Unauthorized(_) | StripeError::Forbidden(_)) => Ok(Evidence::Unreadable),
        Err(
            error
            @ (StripeError::Refused(_) | StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_)),
        ) => Err(checking()(error)),
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

/// Asks for one record of each kind, until one tells.
async fn by_records(deps: &Deps, new: &Session<'_>) -> Result<Evidence, RegisterError> {
    let mut evidence = Evidence::Nothing;
    for kind in KINDS {
        let Some(key) = own_record(deps, kind).await? else { continue };
        match new.object(&key).await {
            Ok(Some(_)) => return Ok(Evidence::Same),
            Ok(None) if kind == Kind::Invoice => {}
            Ok(None) => return Ok(Evidence::Other),
            Err(StripeError::Forbidden(_)) => evidence = Evidence::Unreadable,
            Err(error) => return Err(RegisterError::stripe(Doing::CheckingKey)(error)),
        }
    }
    Ok(evidence)
}

/// A record of our own account that is not deleted.
async fn own_record(deps: &Deps, kind: Kind) -> Result<Option<ObjectKey>, RegisterError> {
    let listing = RecordListing::Kind(kind);
    let own = |record: &shared::records::Record| record.key.account().is_none() && !record.deleted;
    let page = deps.records.list(&listing, None, 1, own).await?;
    Ok(page.records.into_iter().next().map(|record| record.key))
}

/// Is there anything here that could be mixed up with another account's?
async fn anything(deps: &Deps, endpoints: &[EndpointRow]) -> Result<bool, RegisterError> {
    if endpoints.is_empty() { any_record(deps).await } else { Ok(true) }
}

async fn any_record(deps: &Deps) -> Result<bool, RegisterError> {
    for kind in KINDS {
        let page = deps.records.list(&RecordListing::Kind(kind), None, 1, |_| true).await?;
        if !page.records.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
