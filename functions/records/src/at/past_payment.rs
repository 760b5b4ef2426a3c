//! What became of a payment by the end of a second: derived as its present state is, from its objects as they
//! were.

use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use shared::aws::StoreError;
use shared::kind::Kind;
use shared::object_key::ObjectKey;

use super::PointInTime;
use super::state::{PastObject, past_object};
use crate::deps::Deps;
use crate::payment::parts::{PaymentView, PaymentWithParts};
use crate::view::LoadedRecord;

/// Objects whose events are read at once.
const CONCURRENT_READS: usize = 8;

/// A payment of more parts has no state of a time that has passed.
const MAX_PARTS: usize = 20;

/// What became of a payment, or why nobody can say.
pub(super) type PastPayment = Result<PaymentView, PaymentUnknownReason>;

/// Why nobody can say what had become of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PaymentUnknownReason {
    /// What one of its charges, refunds or disputes was is not known.
    PartUnknown,
    /// It has too many parts to be looked at.
    TooManyParts,
}

/// Derives a payment as it was. Its parts are those that name it now, as far as they were made by then.
///
/// # Errors
/// If the records or the ledger cannot be read.
pub(super) async fn past_payment(
    deps: &Deps,
    at: &PointInTime,
    key: &ObjectKey,
    payment: &LoadedRecord,
) -> Result<PastPayment, StoreError> {
    let parts = deps.records.parts(key, &payment.object).await?;
    if parts.len() > MAX_PARTS {
        return Ok(Err(PaymentUnknownReason::TooManyParts));
    }
    let states = parts.into_iter().map(|part| {
        let kind = part.key.kind();
        async move { Ok::<_, StoreError>((kind, past_object(deps, at, part).await?)) }
    });
    let states: Vec<(Option<Kind>, PastObject)> =
        futures::stream::iter(states).buffered(CONCURRENT_READS).try_collect().await?;
    let mut past = Vec::new();
    for (kind, state) in states {
        let has_state = [Kind::CHARGE, Kind::REFUND, Kind::DISPUTE].map(Some).contains(&kind);
        match state {
            PastObject::Known(part) => past.push(*part),
            PastObject::Unknown { .. } if has_state => return Ok(Err(PaymentUnknownReason::PartUnknown)),
            PastObject::NotMade | PastObject::Unknown { .. } => {}
        }
    }
    Ok(Ok(PaymentWithParts::new(payment, past).view()))
}
