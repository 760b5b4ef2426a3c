//! What belongs to a record of the customer's, and does not name the customer itself: the charges, refunds,
//! disputes and invoice payments of their payments and charges, the payment of a charge of theirs, and the
//! invoice payments of their invoices, with what paid these.
//!
//! What names another customer is not theirs, nor what belongs to a charge that does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::aws::StoreError;
use shared::kind::{Kind, reference_id};
use shared::object_key::ObjectKey;
use shared::records::{Record, RecordListing, charges_in_payment};

use crate::deps::Deps;

/// Returns the records that belong to `owner`, which names the customer; each once, and not `owner` itself.
pub(crate) async fn parts(
    deps: &Deps,
    owner: &Record,
    customer: &ObjectKey,
) -> Result<Vec<Record>, StoreError> {
    let parts = match owner.key.kind() {
        Some(Kind::PAYMENT) => of_payment(deps, owner).await?,
        Some(Kind::CHARGE) => of_charge(deps, owner).await?,
        Some(Kind::INVOICE) => of_invoice(deps, owner).await?,
        // Such as the mandate of a payment method.
        Some(kind) if kind.has_parts() => deps.records.naming(&owner.key).await?,
        _ => Vec::new(),
    };
    Ok(without_others(parts, customer).into_iter().filter(|part| part.key != owner.key).collect())
}

/// The balance transactions that these records name: their descriptions are those of charges.
pub(crate) async fn transactions(
    deps: &Deps,
    records: impl Iterator<Item = &Record>,
) -> Result<Vec<Record>, StoreError> {
    let mut keys = BTreeSet::new();
    for record in records {
        let object = object(record);
        let many = object["balance_transactions"].as_array().into_iter().flatten();
        let named = [&object["balance_transaction"], &object["failure_balance_transaction"]];
        let ids = named.into_iter().chain(many).filter_map(reference_id);
        keys.extend(ids.filter_map(|id| record.key.sibling(Kind::BALANCE_TRANSACTION, id).ok()));
    }
    deps.records.get_all(&keys.into_iter().collect::<Vec<_>>()).await
}

/// All that names a payment or one of its charges, and those charges.
async fn of_payment(deps: &Deps, payment: &Record) -> Result<Vec<Record>, StoreError> {
    let object = object(payment);
    let mut parts = deps.records.parts(&payment.key, &object).await?;
    // Charges of old API versions may not name their payment, which names them.
    let listed: BTreeSet<&ObjectKey> = parts.iter().map(|part| &part.key).collect();
    let unlisted = charges_in_payment(&payment.key, &object).filter(|charge| !listed.contains(charge));
    let unlisted: Vec<ObjectKey> = unlisted.collect();
    parts.extend(deps.records.get_all(&unlisted).await?);
    Ok(parts)
}

/// All that names a charge, and what of its payment is the charge's. A payment that names no customer is
/// theirs by the charge, with all that belongs to it.
async fn of_charge(deps: &Deps, charge: &Record) -> Result<Vec<Record>, StoreError> {
    let mut parts = deps.records.naming(&charge.key).await?;
    let Some(key) = payment_of(charge) else { return Ok(parts) };
    match deps.records.get(&key).await? {
        Some(payment) if customer_of(&object(&payment)).is_none() => {
            parts.extend(of_payment(deps, &payment).await?);
            parts.push(payment);
        }
        Some(_) | None => {
            let of_payment = deps.records.naming(&key).await?;
            let of_payment = of_payment.into_iter();
            parts.extend(of_payment.filter(|part| charge_of(&object(part)) == Some(charge.key.id())));
        }
    }
    Ok(parts)
}

/// All that names an invoice, and what paid it and names no customer, with all that belongs to that.
async fn of_invoice(deps: &Deps, invoice: &Record) -> Result<Vec<Record>, StoreError> {
    let key = &invoice.key;
    let listing = RecordListing::Invoice { account: key.account_key().clone(), invoice: key.id().to_owned() };
    let mut parts = deps.records.all(&listing).await?;
    let paid_by: BTreeSet<ObjectKey> = parts.iter().chain([invoice]).flat_map(paid_by).collect();
    for key in paid_by {
        let Some(record) = deps.records.get(&key).await? else {
            // Of it there is no record, but there may be one of what names it.
            parts.extend(deps.records.parts(&key, &Value::Null).await?);
            continue;
        };
        if customer_of(&object(&record)).is_some() || is_of_named_payment(deps, &record).await? {
            continue;
        }
        let is_payment = key.kind() == Some(Kind::PAYMENT);
        parts.extend(if is_payment {
            of_payment(deps, &record).await?
        } else {
            of_charge(deps, &record).await?
        });
        parts.push(record);
    }
    Ok(parts)
}

/// The payments, or charges without one, that paid an invoice: as its invoice payments name them, as they
/// name the invoice themselves, or as the invoice does (one up to API 2025-02-24, since then all that are
/// expanded).
fn paid_by(record: &Record) -> Vec<ObjectKey> {
    let object = object(record);
    let expanded = object["payments"]["data"].as_array().into_iter().flatten();
    let names: Vec<&Value> = match record.key.kind() {
        Some(Kind::INVOICE_PAYMENT) => vec![&object["payment"]],
        Some(Kind::INVOICE) => expanded.map(|joint| &joint["payment"]).chain([&object]).collect(),
        Some(Kind::PAYMENT | Kind::CHARGE) => return vec![record.key.clone()],
        _ => Vec::new(),
    };
    let named = |names: &Value, field, kind| record.key.sibling(kind, reference_id(&names[field])?).ok();
    let payment_or_charge = |names: &&Value| {
        named(names, "payment_intent", Kind::PAYMENT).or_else(|| named(names, "charge", Kind::CHARGE))
    };
    names.iter().filter_map(payment_or_charge).collect()
}

/// Whether a record is a charge whose payment names a customer, and is that one's.
async fn is_of_named_payment(deps: &Deps, record: &Record) -> Result<bool, StoreError> {
    let Some(key) = payment_of(record) else { return Ok(false) };
    let payment = deps.records.get(&key).await?;
    Ok(payment.is_some_and(|payment| customer_of(&object(&payment)).is_some()))
}

/// The payment that a charge names.
fn payment_of(charge: &Record) -> Option<ObjectKey> {
    let object = object(charge);
    let payment = reference_id(&object["payment_intent"])?;
    charge.key.sibling(Kind::PAYMENT, payment).ok()
}

/// Leaves out what names another customer, and what belongs to a charge that does.
fn without_others(parts: Vec<Record>, customer: &ObjectKey) -> Vec<Record> {
    let parts: BTreeMap<ObjectKey, (Value, Record)> =
        parts.into_iter().map(|part| (part.key.clone(), (object(&part), part))).collect();
    let is_others = |object: &Value| customer_of(object).is_some_and(|other| other != customer.id());
    let others: BTreeSet<String> = parts
        .iter()
        .filter(|(key, (object, _))| key.kind() == Some(Kind::CHARGE) && is_others(object))
        .map(|(key, _)| key.id().to_owned())
        .collect();
    let is_theirs = |object: &Value| {
        !is_others(object) && charge_of(object).is_none_or(|charge| !others.contains(charge))
    };
    parts.into_values().filter(|(object, _)| is_theirs(object)).map(|(_, part)| part).collect()
}

fn customer_of(object: &Value) -> Option<&str> {
    // An account can be the customer.
    reference_id(&object["customer"]).or_else(|| reference_id(&object["customer_account"]))
}

/// The charge that a refund, a dispute or an invoice payment names.
fn charge_of(object: &Value) -> Option<&str> {
    reference_id(&object["charge"]).or_else(|| reference_id(&object["payment"]["charge"]))
}

/// The object of a record; null if it is damaged.
fn object(record: &Record) -> Value {
    record.parsed().unwrap_or_default()
}
