//! A record as answers show it: what its object says, and Stripe's object whole.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use shared::aws::StoreError;
use shared::event::EventId;
use shared::object_key::Kind;
use shared::records::Record;

/// What every record shows.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RecordView {
    id: String,
    kind: &'static str,
    account: Option<String>,
    status: Option<String>,
    customer: Option<String>,
    currency: Option<String>,
    deleted: bool,
    as_of: Option<Timestamp>,
    /// The event whose snapshot it is; where Stripe was asked, the one that made us ask. Null if an import asked, or the nightly
    /// comparison.
    event: Option<EventId>,
    /// Is it Stripe's answer to a question, and no event's snapshot?
    fetched: bool,
    order_uncertain: bool,
    object: Box<RawValue>,
}

/// A record with its object read.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) kind: Kind,
    pub(crate) record: Record,
    pub(crate) object: Value,
    raw: Box<RawValue>,
}

impl Read {
    pub(crate) fn new(record: Record) -> Result<Self, StoreError> {
        let doing = "reading a record's object";
        let bytes = record.object().map_err(StoreError::doing(doing))?;
        let kind = record.key.kind().ok_or_else(|| StoreError::new(doing, "it is of no kind of record"))?;
        let object = serde_json::from_slice(&bytes).map_err(StoreError::doing(doing))?;
        let raw = serde_json::from_slice(&bytes).map_err(StoreError::doing(doing))?;
        Ok(Self { kind, record, object, raw })
    }

    /// The status, if the object has one. Unknown ones are kept as Stripe wrote them. Invoices have one since API 2018-11-08; of
    /// the flags they had before (`paid`, `closed`, `forgiven`) only `paid` says the same as a status.
    pub(crate) fn status(&self) -> Option<&str> {
        let old_invoice = || (self.kind == Kind::Invoice && self.object["paid"] == true).then_some("paid");
        self.object["status"].as_str().or_else(old_invoice)
    }

    pub(crate) fn view(&self) -> RecordView {
        let key = &self.record.key;
        let customer = match self.kind {
            Kind::Customer => Some(key.id()),
            Kind::Subscription
            | Kind::Invoice
            | Kind::InvoicePayment
            | Kind::Payment
            | Kind::Charge
            | Kind::Refund
            | Kind::Dispute => id(&self.object["customer"]),
        };
        RecordView {
            id: key.id().to_owned(),
            kind: self.kind.plural(),
            account: key.account().map(str::to_owned),
            status: self.status().map(str::to_owned),
            customer: customer.map(str::to_owned),
            currency: self.object["currency"].as_str().map(str::to_owned),
            deleted: self.record.deleted,
            as_of: seconds(self.record.as_of),
            event: self.record.event.clone(),
            fetched: self.record.fetched,
            order_uncertain: self.record.order_uncertain,
            object: self.raw.clone(),
        }
    }
}

/// The id of a reference, expanded or not.
pub(crate) fn id(reference: &Value) -> Option<&str> {
    reference.as_str().or_else(|| reference["id"].as_str()).filter(|id| !id.is_empty())
}

pub(crate) fn seconds(at: i64) -> Option<Timestamp> {
    Timestamp::from_second(at).ok()
}
