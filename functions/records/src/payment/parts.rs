//! A payment joined with the records that name it, its parts: charges, refunds, disputes, invoice payments.
//! A charge without a PaymentIntent is a payment whose one charge is itself.
//!
//! Which records these are: `shared::records`, `Records::parts`.

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use shared::aws::StoreError;
use shared::kind::{Kind, reference_id};
use shared::ledger::{EventListing, EventState, LedgerRow};
use shared::page::MAX_LIMIT;
use shared::records::joins_invoice;

use super::charge_alone::as_payment_intent;
use super::history::{HistoryEntry, ObjectTimeline, history};
use super::{Payment, derive};
use crate::deps::Deps;
use crate::settlement::is_settled_kind;
use crate::snapshots::read_snapshots;
use crate::view::{LoadedRecord, RecordView};

/// Objects whose events are read at once.
const CONCURRENT_READS: usize = 8;

/// How many parts of each kind a payment shows, the newest; its sums are of all. A payment of more parts in
/// all has no history.
const MAX_SHOWN: usize = 100;

/// What only payments show.
#[derive(Serialize)]
pub(crate) struct PaymentView {
    #[serde(flatten)]
    payment: Payment,
    charges: Vec<RecordView>,
    refunds: Vec<RecordView>,
    disputes: Vec<RecordView>,
    invoice: Option<String>,
}

/// A payment and the records that name it, each kind the latest created first.
pub(crate) struct PaymentWithParts<'a> {
    payment: &'a LoadedRecord,
    parts: Vec<LoadedRecord>,
}

impl<'a> PaymentWithParts<'a> {
    /// Loads the parts of a PaymentIntent, or of a charge without one.
    pub(crate) async fn load(deps: &Deps, payment: &'a LoadedRecord) -> Result<Self, StoreError> {
        Ok(Self::new(payment, load_parts(deps, payment).await?))
    }

    /// Joins a PaymentIntent, or a charge without one, with its parts.
    pub(crate) fn new(payment: &'a LoadedRecord, mut parts: Vec<LoadedRecord>) -> Self {
        if payment.kind == Kind::CHARGE {
            parts.push(payment.clone());
        }
        Self { payment, parts }
    }

    pub(crate) fn view(&self) -> PaymentView {
        let of_charge = (self.payment.kind == Kind::CHARGE).then(|| as_payment_intent(&self.payment.object));
        let intent = of_charge.as_ref().unwrap_or(&self.payment.object);
        let objects = |kind| parts_of_kind(&self.parts, kind).map(|part| &part.object);
        let payment = derive(intent, objects(Kind::CHARGE), objects(Kind::REFUND), objects(Kind::DISPUTE));
        let views = |kind| parts_of_kind(&self.parts, kind).take(MAX_SHOWN).map(LoadedRecord::view).collect();
        // Since API 2025-03-31 an invoice payment joins the two; before, the PaymentIntent and its charges
        // named their invoice.
        let mut joints = objects(Kind::INVOICE_PAYMENT).filter(|joint| joins_invoice(joint));
        let invoice = reference_id(&intent["invoice"])
            .or_else(|| joints.find_map(|joint| reference_id(&joint["invoice"])))
            .or_else(|| objects(Kind::CHARGE).find_map(|charge| reference_id(&charge["invoice"])));
        PaymentView {
            payment,
            charges: views(Kind::CHARGE),
            refunds: views(Kind::REFUND),
            disputes: views(Kind::DISPUTE),
            invoice: invoice.map(str::to_owned),
        }
    }

    /// The charges, refunds and disputes of the payment.
    pub(crate) fn settled_parts(&self) -> Vec<&LoadedRecord> {
        self.parts.iter().filter(|part| is_settled_kind(part.kind)).collect()
    }

    /// Returns its history, derived from the latest hundred events of each of its objects.
    pub(crate) async fn history(&self, deps: &Deps, now: Timestamp) -> Result<Vec<HistoryEntry>, StoreError> {
        let with_state = [Kind::CHARGE, Kind::REFUND, Kind::DISPUTE];
        let parts: Vec<_> = self.parts.iter().filter(|part| with_state.contains(&part.kind)).collect();
        if parts.len() > MAX_SHOWN {
            return Ok(Vec::new());
        }
        // A charge without a PaymentIntent is among the parts.
        let intent = Some(self.payment).filter(|payment| payment.kind == Kind::PAYMENT);
        let loads: Vec<_> =
            intent.into_iter().chain(parts).map(|object| load_timeline(deps, object, now)).collect();
        let timelines: Vec<ObjectTimeline<'_>> =
            futures::stream::iter(loads).buffered(CONCURRENT_READS).try_collect().await?;
        Ok(history(&timelines))
    }
}

/// Loads the parts of a payment, or of a charge.
pub(crate) async fn load_parts(deps: &Deps, owner: &LoadedRecord) -> Result<Vec<LoadedRecord>, StoreError> {
    let parts = deps.records.parts(&owner.record.key, &owner.object).await?;
    parts.into_iter().map(LoadedRecord::new).collect()
}

fn parts_of_kind(parts: &[LoadedRecord], kind: Kind) -> impl Iterator<Item = &LoadedRecord> + Clone {
    parts.iter().filter(move |part| part.kind == kind)
}

/// Loads an object's latest events. Left out are those that are quarantined or ignored, which count for
/// nothing, and those later than its record, which are not applied yet.
async fn load_timeline<'a>(
    deps: &Deps,
    object: &'a LoadedRecord,
    now: Timestamp,
) -> Result<ObjectTimeline<'a>, StoreError> {
    let LoadedRecord { kind, record, object, .. } = object;
    let counts = |row: &LedgerRow| {
        !matches!(row.state, EventState::Ignored | EventState::Quarantined)
            && row.created.is_some_and(|created| created <= record.as_of)
    };
    let listing = EventListing::Object(record.key.clone());
    let page = deps.ledger.list(&listing, None, MAX_LIMIT, now, counts).await?;
    let snapshots = read_snapshots(deps, &record.key, &page.rows).await?;
    Ok(ObjectTimeline { kind: *kind, record, object, snapshots })
}
