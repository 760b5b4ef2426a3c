//! What belongs to a payment or a charge of the customer, and does not name the customer itself: refunds,
//! disputes and invoice payments, and a payment's charges.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::aws::StoreError;
use shared::lossy_json;
use shared::object_key::{Kind, ObjectKey};
use shared::page::MAX_LIMIT;
use shared::records::{Record, RecordListing};

use crate::deps::Deps;

/// Returns the records that belong to `owner`, each once.
pub(crate) async fn parts(deps: &Deps, owner: &Record) -> Result<Vec<Record>, StoreError> {
    let key = &owner.key;
    let mut parts = BTreeMap::new();
    match key.kind() {
        Some(Kind::Payment) => {
            add(&mut parts, naming(deps, key).await?);
            let charges = parts.values().filter(|part| part.key.kind() == Some(Kind::Charge));
            let mut charges: BTreeSet<ObjectKey> = charges.map(|charge| charge.key.clone()).collect();
            let object = object(owner);
            let embedded = object["charges"]["data"].as_array().into_iter().flatten();
            let embedded = embedded.chain([&object["latest_charge"]]).filter_map(reference_id);
            charges.extend(embedded.filter_map(|charge| key.sibling(Kind::Charge, charge).ok()));
            let by_id: Vec<ObjectKey> = charges.iter().cloned().collect();
            add(&mut parts, deps.records.get_all(&by_id).await?);
            for charge in &charges {
                add(&mut parts, naming(deps, charge).await?);
            }
        }
        Some(Kind::Charge) => {
            add(&mut parts, naming(deps, key).await?);
            // The payment may name no customer, or another: of what names it, this charge's own.
            let payment = reference_id(&object(owner)["payment_intent"])
                .and_then(|payment| key.sibling(Kind::Payment, payment).ok());
            if let Some(payment) = payment {
                let names_charge = |part: &Record| {
                    reference_id(&object(part)["charge"]).is_some_and(|charge| charge == key.id())
                };
                let of_payment = naming(deps, &payment).await?;
                add(&mut parts, of_payment.into_iter().filter(names_charge).collect());
            }
        }
        Some(
            Kind::Customer
            | Kind::Subscription
            | Kind::Invoice
            | Kind::InvoicePayment
            | Kind::Refund
            | Kind::Dispute,
        )
        | None => {}
    }
    Ok(parts.into_values().collect())
}

fn add(parts: &mut BTreeMap<ObjectKey, Record>, more: Vec<Record>) {
    parts.extend(more.into_iter().map(|record| (record.key.clone(), record)));
}

/// All records that name a payment, or a charge.
async fn naming(deps: &Deps, owner: &ObjectKey) -> Result<Vec<Record>, StoreError> {
    let listing = RecordListing::Payment {
        account: owner.account_key().clone(),
        payment: owner.id().to_owned(),
        kind: None,
    };
    let (mut records, mut from) = (Vec::new(), None);
    loop {
        let page = deps.records.list(&listing, from, MAX_LIMIT, |_| true).await?;
        records.extend(page.records);
        from = page.next;
        if from.is_none() {
            return Ok(records);
        }
    }
}

/// The object of a record; null if it is damaged.
fn object(record: &Record) -> Value {
    record.object().ok().and_then(|bytes| lossy_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn reference_id(reference: &Value) -> Option<&str> {
    reference.as_str().or_else(|| reference["id"].as_str()).filter(|id| !id.is_empty())
}
