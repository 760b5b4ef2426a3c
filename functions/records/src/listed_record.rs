//! A record as lists show it: a payment's with what is derived from its parts.

use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use shared::aws::StoreError;
use shared::kind::Kind;
use shared::records::Record;

use crate::deps::Deps;
use crate::payment::parts::{PaymentView, PaymentWithParts};
use crate::view::{LoadedRecord, RecordView};

/// Payments whose parts are read at once.
const CONCURRENT_READS: usize = 8;

/// A record in a list.
#[derive(Serialize)]
pub(crate) struct ListedRecord {
    #[serde(flatten)]
    pub(crate) record: RecordView,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) payment: Option<PaymentView>,
}

impl ListedRecord {
    /// A record of another kind than payments.
    pub(crate) fn without_payment(record: &LoadedRecord) -> Self {
        Self { record: record.view(), payment: None }
    }
}

/// Reads what the records need to be shown in a list of this kind. A charge in a list of payments is shown as
/// one.
pub(crate) async fn list_records(
    deps: &Deps,
    kind: Kind,
    records: Vec<Record>,
) -> Result<Vec<ListedRecord>, StoreError> {
    let listed = records.into_iter().map(async |record| {
        let record = LoadedRecord::new(record)?;
        match kind {
            Kind::PAYMENT => {
                let payment = Some(PaymentWithParts::load(deps, &record).await?.view());
                Ok(ListedRecord { record: record.view_as_payment(), payment })
            }
            _ => Ok(ListedRecord::without_payment(&record)),
        }
    });
    futures::stream::iter(listed).buffered(CONCURRENT_READS).try_collect().await
}
