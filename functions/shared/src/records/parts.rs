//! What belongs to a payment: charges, refunds, disputes, invoice payments. They name it, or one of its
//! charges: refunds and disputes of old API versions name only that.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use serde_json::Value;

use super::{Record, RecordListing, Records};
use crate::aws::StoreError;
use crate::kind::{Kind, reference_id};
use crate::object_key::ObjectKey;

impl Records {
    /// All records that name a payment, or a charge; each kind the latest made first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn naming(&self, owner: &ObjectKey) -> Result<Vec<Record>, StoreError> {
        let (account, payment) = (owner.account_key().clone(), owner.id().to_owned());
        self.all(&RecordListing::Payment { account, payment }).await
    }

    /// All records that name a payment, whose object is `object`, or one of its charges; of a charge, those
    /// that name it. Each kind the latest made first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn parts(&self, owner: &ObjectKey, object: &Value) -> Result<Vec<Record>, StoreError> {
        let mut parts = self.naming(owner).await?;
        if owner.kind() != Some(Kind::PAYMENT) {
            return Ok(parts);
        }
        let listed = parts.iter().map(|part| &part.key).filter(|key| key.kind() == Some(Kind::CHARGE));
        let charges: BTreeSet<ObjectKey> = listed.cloned().chain(charges_in_payment(owner, object)).collect();
        let of_charges = try_join_all(charges.iter().map(|charge| self.naming(charge))).await?;
        parts.extend(of_charges.into_iter().flatten());
        // A list position begins with kind and time.
        parts.sort_by(|a, b| b.list_position().cmp(a.list_position()));
        Ok(parts)
    }
}

/// The charges that a payment itself names: `charges` up to API 2022-08-01, and `latest_charge`.
pub fn charges_in_payment(payment: &ObjectKey, object: &Value) -> impl Iterator<Item = ObjectKey> {
    let listed = object["charges"]["data"].as_array().into_iter().flatten();
    let ids = listed.chain([&object["latest_charge"]]).filter_map(reference_id);
    ids.filter_map(|charge| payment.sibling(Kind::CHARGE, charge).ok())
}

/// Whether an invoice payment joins its invoice and its payment: not one that was canceled, or that was
/// detached (`invoice_payment.detached`, from API 2026-01-28.preview on).
pub fn joins_invoice(invoice_payment: &Value) -> bool {
    let ended = &invoice_payment["status_transitions"];
    !matches!(invoice_payment["status"].as_str(), Some("canceled" | "detached"))
        && ended["canceled_at"].is_null()
        && ended["detached_at"].is_null()
}
