//! The records that belong to a customer, also those that do not name them: refunds, disputes and invoice
//! payments name a payment, or a charge without one, and that names the customer. Only a refund of a cash
//! balance, which is of no payment, names the customer itself.
//!
//! These are listed over the customer's payments, the latest created first, then over the customer's charges
//! without such a payment; at each, over the records that name it, its parts; in the end those that name the
//! customer. One request looks at a limited number of payments and charges, and a cursor is a position in
//! this order.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use shared::aws::StoreError;
use shared::kind::{Kind, reference_id};
use shared::object_key::ObjectKey;
use shared::records::{Record, RecordListing};

use crate::deps::Deps;
use crate::payment::parts::load_parts;
use crate::view::LoadedRecord;

/// Payments and charges that one request looks at, before it returns a short page.
const MAX_OWNERS: usize = 100;
/// Payments or charges that are listed at once.
const OWNERS_PAGE: usize = 25;
/// Payments or charges whose parts are read at once.
const CONCURRENT_READS: usize = 8;

/// A position in the list of a customer's parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartPosition {
    #[serde(rename = "of")]
    owner_kind: OwnerKind,
    /// The list position of the payment or charge that was looked at last; none at the beginning, and for
    /// parts of the customer itself.
    owner: Option<String>,
    /// The list position of its part that was returned last; none if all of its parts were.
    #[serde(rename = "item")]
    part: Option<String>,
}

/// What parts belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OwnerKind {
    Payments,
    Charges,
    Customer,
}

/// Some of a customer's parts, each with its position.
pub(crate) struct PartsPage {
    pub(crate) parts: Vec<(PartPosition, LoadedRecord)>,
    /// The position to continue after; none at the end.
    pub(crate) next: Option<PartPosition>,
}

impl OwnerKind {
    fn kind(self) -> Kind {
        match self {
            Self::Payments => Kind::PAYMENT,
            Self::Charges => Kind::CHARGE,
            Self::Customer => Kind::CUSTOMER,
        }
    }

    /// Where the list of parts of this kind continues after all owners of this kind.
    fn next(self, part_kind: Kind) -> Option<PartPosition> {
        let start_of = |owner_kind| PartPosition { owner_kind, owner: None, part: None };
        match self {
            Self::Payments => Some(start_of(Self::Charges)),
            Self::Charges => {
                Some(start_of(Self::Customer)).filter(|_| !part_kind.customer_members().is_empty())
            }
            Self::Customer => None,
        }
    }
}

impl PartPosition {
    const START: Self = Self { owner_kind: OwnerKind::Payments, owner: None, part: None };

    /// Whether a list of parts of `kind` can have returned this position; a forged one it may not.
    pub(crate) fn can_be_of(&self, kind: Kind) -> bool {
        let can_be_in_list = |position: &str, kind: Kind| RecordListing::Kind(kind).can_contain(position);
        match (&self.owner, &self.part) {
            (None, None) => true,
            (None, Some(part)) => self.owner_kind == OwnerKind::Customer && can_be_in_list(part, kind),
            (Some(_), _) if self.owner_kind == OwnerKind::Customer => false,
            (Some(owner), part) => {
                can_be_in_list(owner, self.owner_kind.kind())
                    && part.as_ref().is_none_or(|part| can_be_in_list(part, kind))
            }
        }
    }

    /// Where the list of owners continues. An owner with more parts is listed again: the position before it
    /// is made by adding the least character of the ids of payments and charges, which Stripe makes itself,
    /// so that nothing lies between the two.
    fn owners_from(&self) -> Option<String> {
        let again = if self.part.is_some() { "!" } else { "" };
        self.owner.as_ref().map(|owner| format!("{owner}{again}"))
    }

    /// Whether this part of this owner was returned before.
    fn is_past(&self, owner: &Record, part: &Record) -> bool {
        let returned = self.part.as_deref().filter(|_| self.owner.as_deref() == Some(owner.list_position()));
        returned.is_some_and(|returned| part.list_position() >= returned)
    }
}

/// The records of a kind that name the customer.
pub(crate) fn listing(customer: &ObjectKey, kind: Kind) -> RecordListing {
    RecordListing::Customer {
        account: customer.account_key().clone(),
        customer: customer.id().to_owned(),
        kind,
    }
}

/// Lists at most `limit` of a customer's records of a kind that does not name the customer, after `from`.
pub(crate) async fn list_parts(
    deps: &Deps,
    customer: &ObjectKey,
    kind: Kind,
    from: Option<PartPosition>,
    limit: usize,
    matches: impl Fn(&LoadedRecord) -> bool,
) -> Result<PartsPage, StoreError> {
    let mut parts = Vec::new();
    let mut looked_at = 0;
    let mut position = from.unwrap_or(PartPosition::START);
    loop {
        if position.owner_kind == OwnerKind::Customer {
            let rest =
                list_own_parts(deps, customer, kind, position.part, limit - parts.len(), &matches).await?;
            parts.extend(rest.parts);
            return Ok(PartsPage { parts, next: rest.next });
        }
        let listing = listing(customer, position.owner_kind.kind());
        let page = deps.records.list(&listing, position.owners_from(), OWNERS_PAGE, |_| true).await?;
        looked_at += page.records.len();
        for (owner, owner_parts) in with_parts(deps, page.records).await? {
            for part in owner_parts.into_iter().filter(|part| part.kind == kind && matches(part)) {
                if position.is_past(&owner.record, &part.record) {
                    continue;
                }
                if parts.len() == limit {
                    let next = parts.last().map(|(last, _): &(PartPosition, LoadedRecord)| last.clone());
                    return Ok(PartsPage { parts, next });
                }
                let part_position = PartPosition {
                    owner_kind: position.owner_kind,
                    owner: Some(owner.record.list_position().to_owned()),
                    part: Some(part.record.list_position().to_owned()),
                };
                parts.push((part_position, part));
            }
        }
        let next = match page.next {
            Some(owner) => {
                Some(PartPosition { owner_kind: position.owner_kind, owner: Some(owner), part: None })
            }
            None => position.owner_kind.next(kind),
        };
        match next {
            Some(next) if parts.len() < limit && looked_at < MAX_OWNERS => position = next,
            next => return Ok(PartsPage { parts, next }),
        }
    }
}

/// Lists at most `limit` of the records of a kind that name the customer themselves, after `from`.
async fn list_own_parts(
    deps: &Deps,
    customer: &ObjectKey,
    kind: Kind,
    from: Option<String>,
    limit: usize,
    matches: impl Fn(&LoadedRecord) -> bool,
) -> Result<PartsPage, StoreError> {
    let position =
        |part: String| PartPosition { owner_kind: OwnerKind::Customer, owner: None, part: Some(part) };
    let page = deps.records.list(&listing(customer, kind), from, limit, |_| true).await?;
    let parts = page.records.into_iter().map(LoadedRecord::new).collect::<Result<Vec<_>, _>>()?;
    let parts = parts.into_iter().filter(matches);
    let parts = parts.map(|part| (position(part.record.list_position().to_owned()), part)).collect();
    Ok(PartsPage { parts, next: page.next.map(position) })
}

/// Everything that names the newest payments of a customer, or the newest charges without such a payment, or
/// the customer itself; the latest created first.
pub(crate) async fn newest_parts(deps: &Deps, customer: &ObjectKey) -> Result<Vec<LoadedRecord>, StoreError> {
    let newest = async |kind| {
        let page = deps.records.list(&listing(customer, kind), None, MAX_OWNERS, |_| true).await?;
        with_parts(deps, page.records).await
    };
    let own = list_own_parts(deps, customer, Kind::REFUND, None, MAX_OWNERS, |_| true);
    let (payments, charges, own) = tokio::try_join!(newest(Kind::PAYMENT), newest(Kind::CHARGE), own)?;
    let of_payments = payments.into_iter().chain(charges).flat_map(|(_, parts)| parts);
    let mut all: Vec<LoadedRecord> = of_payments.chain(own.parts.into_iter().map(|(_, part)| part)).collect();
    all.sort_by(|a, b| b.record.list_position().cmp(a.record.list_position()));
    Ok(all)
}

/// Loads payments and charges with their parts. A charge whose payment names a customer is left out: its
/// parts are that payment's. A payment that is not here, or names no customer, is not listed; its charge then
/// stands for it.
async fn with_parts(
    deps: &Deps,
    owners: Vec<Record>,
) -> Result<Vec<(LoadedRecord, Vec<LoadedRecord>)>, StoreError> {
    let owners = owners.into_iter().map(LoadedRecord::new).collect::<Result<Vec<_>, _>>()?;
    let payments: Vec<ObjectKey> = owners.iter().filter_map(payment_of_charge).collect();
    let listed_payments: BTreeSet<ObjectKey> = deps
        .records
        .get_all(&payments)
        .await?
        .into_iter()
        .map(LoadedRecord::new)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .filter(|payment| reference_id(&payment.object["customer"]).is_some())
        .map(|payment| payment.record.key)
        .collect();
    let load = async |owner: LoadedRecord| {
        let mut parts = load_parts(deps, &owner).await?;
        if let Some(payment) = payment_of_charge(&owner) {
            // Parts that name both the charge and the payment are listed under the payment.
            let names_charge =
                |part: &LoadedRecord| reference_id(&part.object["charge"]) == Some(owner.record.key.id());
            let of_payment = deps.records.naming(&payment).await?;
            let of_payment = of_payment.into_iter().map(LoadedRecord::new).collect::<Result<Vec<_>, _>>()?;
            parts.extend(of_payment.into_iter().filter(names_charge));
            parts.sort_by(|a, b| b.record.list_position().cmp(a.record.list_position()));
        }
        Ok((owner, parts))
    };
    let is_owner = |owner: &LoadedRecord| {
        payment_of_charge(owner).is_none_or(|payment| !listed_payments.contains(&payment))
    };
    let loads: Vec<_> = owners.into_iter().filter(is_owner).map(load).collect();
    futures::stream::iter(loads).buffered(CONCURRENT_READS).try_collect().await
}

/// The key of the payment that a charge belongs to.
fn payment_of_charge(owner: &LoadedRecord) -> Option<ObjectKey> {
    let payment = reference_id(&owner.object["payment_intent"]).filter(|_| owner.kind == Kind::CHARGE)?;
    owner.record.key.sibling(Kind::PAYMENT, payment).ok()
}
