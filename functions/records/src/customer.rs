//! What is a customer's, also what does not name them: refunds, disputes and invoice payments name a payment, or a charge without
//! one, and that names the customer.
//!
//! So these are found by a walk: over the customer's payments, the later made first, then over their charges that are none of
//! those payments', and at each over what names it. One request looks at so many of them at most, and a cursor is a place in the walk.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use shared::aws::StoreError;
use shared::object_key::{Kind, ObjectKey};
use shared::records::{Record, RecordListing};

use crate::Deps;
use crate::joined::{self, parts};
use crate::view::{Read, id};

/// Payments and charges that one request looks at, before it gives a short page.
const MAX_OWNERS: usize = 100;
/// Payments or charges that are listed at once.
const LISTED: usize = 25;
/// And whose parts are read at once.
const AT_ONCE: usize = 8;

/// A place in the walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    of: Owners,
    /// The payment or charge looked at last; none at the beginning.
    owner: Option<String>,
    /// The last that was given of what names it; none if it is done with.
    item: Option<String>,
}

/// What is walked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Owners {
    Payments,
    Charges,
}

/// Some of what the walk finds, each with its place.
pub(crate) struct Found {
    pub(crate) found: Vec<(Place, Read)>,
    /// Where to go on; none at the end.
    pub(crate) next: Option<Place>,
}

impl Owners {
    fn kind(self) -> Kind {
        match self {
            Self::Payments => Kind::Payment,
            Self::Charges => Kind::Charge,
        }
    }

    fn then(self) -> Option<Place> {
        match self {
            Self::Payments => Some(Place { of: Self::Charges, owner: None, item: None }),
            Self::Charges => None,
        }
    }
}

impl Place {
    const START: Self = Self { of: Owners::Payments, owner: None, item: None };

    /// Can the walk for `kind` have given this place? A forged one it may not.
    pub(crate) fn may_be_of(&self, kind: Kind) -> bool {
        let begins = |place: &str, kind| RecordListing::Kind(kind).may_hold(place);
        match (&self.owner, &self.item) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(owner), item) => {
                begins(owner, self.of.kind()) && item.as_ref().is_none_or(|item| begins(item, kind))
            }
        }
    }

    /// Where the list of payments or charges goes on. One that is not done with is listed again: the place after which it comes
    /// ends with the least character that an id can have, so nothing lies between the two.
    fn from(&self) -> Option<String> {
        let again = if self.item.is_some() { "!" } else { "" };
        self.owner.as_ref().map(|owner| format!("{owner}{again}"))
    }

    /// Was this part of this payment or charge given before?
    fn is_past(&self, owner: &Record, item: &Record) -> bool {
        let given = self.item.as_deref().filter(|_| self.owner.as_deref() == Some(owner.place()));
        given.is_some_and(|given| item.place() >= given)
    }
}

/// The list of a kind that names the customer.
pub(crate) fn naming(customer: &ObjectKey, kind: Kind) -> RecordListing {
    RecordListing::Customer {
        account: customer.account().map(str::to_owned),
        customer: customer.id().to_owned(),
        kind,
    }
}

/// At most `limit` of a customer's records of a kind that does not name them, after `from`.
pub(crate) async fn walk(
    deps: &Deps,
    customer: &ObjectKey,
    kind: Kind,
    from: Option<Place>,
    limit: usize,
    wanted: impl Fn(&Read) -> bool,
) -> Result<Found, StoreError> {
    let mut found = Vec::new();
    let mut looked_at = 0;
    let mut place = from.unwrap_or(Place::START);
    loop {
        let page =
            deps.records.list(&naming(customer, place.of.kind()), place.from(), LISTED, |_| true).await?;
        looked_at += page.records.len();
        for (owner, parts) in owned(deps, page.records).await? {
            for part in parts.into_iter().filter(|part| part.kind == kind && wanted(part)) {
                if place.is_past(&owner.record, &part.record) {
                    continue;
                }
                if found.len() == limit {
                    let next = found.last().map(|(place, _): &(Place, Read)| place.clone());
                    return Ok(Found { found, next });
                }
                let owner = Some(owner.record.place().to_owned());
                let item = Some(part.record.place().to_owned());
                found.push((Place { of: place.of, owner, item }, part));
            }
        }
        let next = match page.next {
            Some(owner) => Some(Place { of: place.of, owner: Some(owner), item: None }),
            None => place.of.then(),
        };
        match next {
            Some(next) if found.len() < limit && looked_at < MAX_OWNERS => place = next,
            next => return Ok(Found { found, next }),
        }
    }
}

/// Everything that names the newest payments of a customer, or those of the newest charges that are none of theirs; the later made
/// first.
pub(crate) async fn parts_of_newest(deps: &Deps, customer: &ObjectKey) -> Result<Vec<Read>, StoreError> {
    let newest = async |kind| {
        let page = deps.records.list(&naming(customer, kind), None, MAX_OWNERS, |_| true).await?;
        owned(deps, page.records).await
    };
    let (payments, charges) = tokio::try_join!(newest(Kind::Payment), newest(Kind::Charge))?;
    let mut all: Vec<Read> = payments.into_iter().chain(charges).flat_map(|(_, parts)| parts).collect();
    all.sort_by(|a, b| b.record.place().cmp(a.record.place()));
    Ok(all)
}

/// Payments and charges with what names them. A charge of a payment that names the customer is left out: it is one of that one's. The
/// payment of another may not be here, or name no customer; then the charge stands for it.
async fn owned(deps: &Deps, owners: Vec<Record>) -> Result<Vec<(Read, Vec<Read>)>, StoreError> {
    let owners = owners.into_iter().map(Read::new).collect::<Result<Vec<_>, _>>()?;
    let intents: Vec<ObjectKey> = owners.iter().filter_map(intent).collect();
    let walked: BTreeSet<ObjectKey> = deps
        .records
        .get_all(&intents)
        .await?
        .into_iter()
        .map(Read::new)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .filter(|intent| id(&intent.object["customer"]).is_some())
        .map(|intent| intent.record.key)
        .collect();
    let owned = async |owner: Read| {
        let mut parts = parts(deps, &owner).await?;
        if let Some(intent) = intent(&owner) {
            // They name the charge and the payment, and are listed under the payment.
            let of_charge = |part: &Read| id(&part.object["charge"]) == Some(owner.record.key.id());
            let through = joined::naming(deps, &intent, intent.id(), None).await?;
            parts.extend(through.into_iter().filter(of_charge));
            parts.sort_by(|a, b| b.record.place().cmp(a.record.place()));
        }
        Ok((owner, parts))
    };
    let alone = |owner: &Read| intent(owner).is_none_or(|intent| !walked.contains(&intent));
    let owners: Vec<_> = owners.into_iter().filter(alone).map(owned).collect();
    futures::stream::iter(owners).buffered(AT_ONCE).try_collect().await
}

/// The payment that a charge is of.
fn intent(owner: &Read) -> Option<ObjectKey> {
    let named = id(&owner.object["payment_intent"]).filter(|_| owner.kind == Kind::Charge)?;
    owner.record.key.beside(Kind::Payment, named).ok()
}
