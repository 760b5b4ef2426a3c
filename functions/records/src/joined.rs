//! A payment joined with what names it, when it is read: charges, refunds, disputes, invoice payments.
//!
//! They name it directly, or through one of its charges: refunds and disputes of old API versions name only that. So its charges
//! are looked for wherever they stand: as records that name the payment, in an old PaymentIntent, in `latest_charge`.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use shared::aws::StoreError;
use shared::event::{self, ParsedEvent};
use shared::ledger::{EventListing, EventState, LedgerRow};
use shared::object_key::{Kind, ObjectKey};
use shared::order::Snapshot;
use shared::page::MAX_LIMIT;
use shared::records::RecordListing;

use crate::Deps;
use crate::history::{Entry, Life, history};
use crate::payment::{Payment, derive, held};
use crate::view::{Read, RecordView, id};

/// Objects whose events are read at once.
const AT_ONCE: usize = 8;

/// What a payment shows of each kind, the newest; its sums are of all. A payment of more parts than that tells no history.
const SHOWN: usize = 100;

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

/// A payment and the records that name it, of each kind the later made first.
pub(crate) struct Joined<'a> {
    intent: &'a Read,
    parts: Vec<Read>,
}

impl<'a> Joined<'a> {
    pub(crate) async fn read(deps: &Deps, intent: &'a Read) -> Result<Self, StoreError> {
        Ok(Self { intent, parts: parts(deps, intent).await? })
    }

    pub(crate) fn view(&self) -> PaymentView {
        let object = &self.intent.object;
        let objects = |kind| of(&self.parts, kind).map(|part| &part.object);
        let payment = derive(object, objects(Kind::Charge), objects(Kind::Refund), objects(Kind::Dispute));
        let views = |kind| of(&self.parts, kind).take(SHOWN).map(Read::view).collect();
        let named = |kind| objects(kind).find_map(|part| id(&part["invoice"]));
        // Since API 2025-03-31 an invoice payment joins the two; before, the PaymentIntent and its charges named their invoice.
        let invoice =
            id(&object["invoice"]).or_else(|| named(Kind::InvoicePayment)).or_else(|| named(Kind::Charge));
        PaymentView {
            payment,
            charges: views(Kind::Charge),
            refunds: views(Kind::Refund),
            disputes: views(Kind::Dispute),
            invoice: invoice.map(str::to_owned),
        }
    }

    /// How it came to be so, by the latest hundred events of each of its objects.
    pub(crate) async fn history(&self, deps: &Deps, now: Timestamp) -> Result<Vec<Entry>, StoreError> {
        let parts: Vec<_> = self.parts.iter().filter(|part| part.kind != Kind::InvoicePayment).collect();
        if parts.len() > SHOWN {
            return Ok(Vec::new());
        }
        let lives: Vec<_> =
            [self.intent].into_iter().chain(parts).map(|object| life(deps, object, now)).collect();
        let lives: Vec<Life<'_>> = futures::stream::iter(lives).buffered(AT_ONCE).try_collect().await?;
        Ok(history(&lives))
    }
}

/// The records that name a payment, or a charge.
pub(crate) async fn parts(deps: &Deps, owner: &Read) -> Result<Vec<Read>, StoreError> {
    let key = &owner.record.key;
    let mut parts = naming(deps, key, key.id(), None).await?;
    if owner.kind != Kind::Payment {
        return Ok(parts);
    }
    let inside = held(&owner.object).map(|charge| &charge["id"]).chain([&owner.object["latest_charge"]]);
    let charges: BTreeSet<&str> =
        of(&parts, Kind::Charge).map(|charge| charge.record.key.id()).chain(inside.filter_map(id)).collect();
    let through = charges.into_iter().map(|charge| naming(deps, key, charge, None));
    let through = try_join_all(through).await?;
    parts.extend(through.into_iter().flatten());
    // A place is kind and time first, so each kind stays newest first.
    parts.sort_by(|a, b| b.record.place().cmp(a.record.place()));
    Ok(parts)
}

fn of(parts: &[Read], kind: Kind) -> impl Iterator<Item = &Read> + Clone {
    parts.iter().filter(move |part| part.kind == kind)
}

/// The records, all or of one kind, that name a payment or a charge of the account of `beside`.
pub(crate) async fn naming(
    deps: &Deps,
    beside: &ObjectKey,
    payment: &str,
    kind: Option<Kind>,
) -> Result<Vec<Read>, StoreError> {
    let listing = RecordListing::Payment {
        account: beside.account().map(str::to_owned),
        payment: payment.to_owned(),
        kind,
    };
    let mut read = Vec::new();
    let mut from = None;
    loop {
        let page = deps.records.list(&listing, from, MAX_LIMIT, |_| true).await?;
        for record in page.records {
            read.push(Read::new(record)?);
        }
        from = page.next;
        if from.is_none() {
            return Ok(read);
        }
    }
}

/// An object with what its latest events say of it. Those that are set aside or ignored say nothing, and those later than its
/// record have not been told yet.
async fn life<'a>(deps: &Deps, object: &'a Read, now: Timestamp) -> Result<Life<'a>, StoreError> {
    let Read { kind, record, object, .. } = object;
    let wanted = |row: &LedgerRow| {
        !matches!(row.state, EventState::Ignored | EventState::Quarantined)
            && row.created.is_some_and(|created| created <= record.as_of)
    };
    let page =
        deps.ledger.list(&EventListing::Object(record.key.clone()), None, MAX_LIMIT, now, wanted).await?;
    let bodies = deps.ledger.bodies(page.rows.iter().map(|row| &row.id)).await?;
    let snapshots = bodies.iter().filter_map(|body| match event::read(body) {
        ParsedEvent::Event(event) => Snapshot::of(&event).ok(),
        ParsedEvent::Unreadable { .. } | ParsedEvent::EventError(_) => None,
    });
    let snapshots = snapshots.filter(|snapshot| snapshot.key == record.key).collect();
    Ok(Life { kind: *kind, record, object, snapshots })
}
