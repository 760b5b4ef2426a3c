//! A record as lists show it: a payment's with what is derived from its parts.

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use shared::aws::StoreError;
use shared::kind::Kind;
use shared::records::Record;

use crate::deps::Deps;
use crate::payment::parts::{PaymentView, PaymentWithParts};
use crate::payout::PayoutView;
use crate::payout::transactions::LinksView;
use crate::response_size::LARGEST_PAGE;
use crate::settlement::{Settlement, is_settled_kind, settlements};
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
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) payout: Option<PayoutView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<LinksView>,
    /// Of charges, refunds and disputes, and of a payment on its own: null while nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<Option<Settlement>>,
}

impl ListedRecord {
    /// A record of another kind than payments.
    pub(crate) fn without_payment(record: &LoadedRecord) -> Self {
        let (payout, links) = (PayoutView::from_record(record), LinksView::from_record(record));
        Self { record: record.view(), payment: None, payout, links, settlement: None }
    }

    /// A record as a payment.
    pub(crate) fn as_payment(record: &LoadedRecord, payment: PaymentView) -> Self {
        let payment = Some(payment);
        Self { record: record.view_as_payment(), payment, payout: None, links: None, settlement: None }
    }

    /// A record as it was, as one of `kind`. What is kept beside Stripe's objects is of the present, and left
    /// out.
    pub(crate) fn of_past(kind: Kind, record: &LoadedRecord, payment: Option<PaymentView>) -> Self {
        let record = if kind == Kind::PAYMENT { record.view_as_payment() } else { record.view() };
        Self { record, payment, payout: None, links: None, settlement: None }
    }

    /// The same, with what of it reached the bank.
    pub(crate) fn with_settlement(self, settlement: Option<Settlement>) -> Self {
        Self { settlement: Some(settlement), ..self }
    }
}

/// Reads what the records need to be shown in a list of this kind. A charge in a list of payments is shown as
/// one. Those that would not fit one response anyway are left out, after the first of them.
pub(crate) async fn list_records(
    deps: &Deps,
    kind: Kind,
    records: Vec<Record>,
    now: Timestamp,
) -> Result<Vec<ListedRecord>, StoreError> {
    show(deps, kind, load_fitting(records, |record| record)?, now).await
}

/// The same, of each list that belongs to an object its first ten items.
pub(crate) async fn list_beginnings(
    deps: &Deps,
    kind: Kind,
    records: Vec<Record>,
    now: Timestamp,
) -> Result<Vec<ListedRecord>, StoreError> {
    show(deps, kind, load_fitting(records, LoadedRecord::with_beginnings_of_lists)?, now).await
}

/// Loads the records that one response can show, and one more: a hundred of the largest would not fit into
/// memory.
fn load_fitting(
    records: Vec<Record>,
    prepare: impl Fn(LoadedRecord) -> LoadedRecord,
) -> Result<Vec<LoadedRecord>, StoreError> {
    let (mut loaded, mut bytes) = (Vec::new(), 0);
    for record in records {
        if bytes > LARGEST_PAGE && loaded.len() > 1 {
            break;
        }
        let record = prepare(LoadedRecord::new(record)?);
        bytes += record.object_size();
        loaded.push(record);
    }
    Ok(loaded)
}

async fn show(
    deps: &Deps,
    kind: Kind,
    records: Vec<LoadedRecord>,
    now: Timestamp,
) -> Result<Vec<ListedRecord>, StoreError> {
    if kind != Kind::PAYMENT {
        return with_settlements(deps, &records, now).await;
    }
    let listed = records.iter().map(async |record| {
        let payment = PaymentWithParts::load(deps, record).await?.view();
        Ok(ListedRecord::as_payment(record, payment))
    });
    futures::stream::iter(listed).buffered(CONCURRENT_READS).try_collect().await
}

/// Records of other kinds than payments; charges, refunds and disputes with what of them reached the bank.
pub(crate) async fn with_settlements(
    deps: &Deps,
    records: &[LoadedRecord],
    now: Timestamp,
) -> Result<Vec<ListedRecord>, StoreError> {
    let groups: Vec<_> = records
        .iter()
        .map(|record| if is_settled_kind(record.kind) { vec![record] } else { vec![] })
        .collect();
    let settlements = settlements(deps, &groups, now).await?;
    let listed = records.iter().zip(settlements).map(|(record, settlement)| {
        let listed = ListedRecord::without_payment(record);
        if is_settled_kind(record.kind) { listed.with_settlement(settlement) } else { listed }
    });
    Ok(listed.collect())
}
