//! A record as it was, as the API shows it.

use serde::Serialize;
use shared::aws::StoreError;
use shared::kind::Kind;
use shared::object_key::ObjectKey;

use super::PointInTime;
use super::past_payment::{PaymentUnknownReason, past_payment};
use super::state::{PastObject, UnknownReason};
use crate::deps::Deps;
use crate::listed_record::ListedRecord;

/// What an object was at the end of a second.
#[derive(Serialize)]
pub(super) struct PastRecord {
    id: String,
    kind: &'static str,
    account: Option<String>,
    /// Whether it is known what it was.
    known: bool,
    /// Why not.
    unknown_reason: Option<UnknownReason>,
    /// Whether Stripe had made it; null if that is not known.
    existed: Option<bool>,
    /// What it was; null if it did not exist, or that is not known.
    record: Option<ListedRecord>,
    /// Of a payment that is known: why its state and sums are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_unknown_reason: Option<Option<PaymentUnknownReason>>,
}

impl PastRecord {
    /// Shows it in a list of a kind; a charge may be one of a list of payments.
    ///
    /// # Errors
    /// If the parts of a payment cannot be read.
    pub(super) async fn load(
        deps: &Deps,
        at: &PointInTime,
        kind: Kind,
        key: &ObjectKey,
        state: PastObject,
    ) -> Result<Self, StoreError> {
        let (known, unknown_reason, existed) = match &state {
            PastObject::Known(_) => (true, None, Some(true)),
            PastObject::NotMade => (true, None, Some(false)),
            PastObject::Unknown { existed, reason } => (false, Some(*reason), *existed),
        };
        let (mut record, mut payment_unknown_reason) = (None, None);
        if let PastObject::Known(loaded) = &state {
            let payment = match kind {
                Kind::PAYMENT => Some(past_payment(deps, at, key, loaded).await?),
                _ => None,
            };
            payment_unknown_reason = payment.as_ref().map(|payment| payment.as_ref().err().copied());
            record = Some(ListedRecord::of_past(kind, loaded, payment.and_then(Result::ok)));
        }
        Ok(Self {
            id: key.id().to_owned(),
            kind: kind.plural(),
            account: key.account().map(str::to_owned),
            known,
            unknown_reason,
            existed,
            record,
            payment_unknown_reason,
        })
    }
}
