//! A record as the API shows it: the fields that every kind has, and Stripe's object unchanged.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use shared::aws::StoreError;
use shared::event::EventId;
use shared::http::ApiError;
use shared::kind::{Kind, reference_id};
use shared::lossy_json;
use shared::records::Record;

use crate::kinds;

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
    /// The event whose snapshot it is, or, where the object was fetched from Stripe, the event that was the
    /// reason. Null if an import or the nightly comparison fetched it.
    event: Option<EventId>,
    /// Whether the object was fetched from Stripe, and is no event's snapshot.
    fetched: bool,
    order_uncertain: bool,
    /// Whether Stripe no longer has the object, though nothing said that it was deleted.
    gone_at_stripe: bool,
    /// Whether the customer's personal data is erased from the object.
    erased: bool,
    object: Box<RawValue>,
}

/// A record with its object parsed.
#[derive(Debug, Clone)]
pub(crate) struct LoadedRecord {
    pub(crate) kind: Kind,
    pub(crate) record: Record,
    pub(crate) object: Value,
    raw: Box<RawValue>,
}

impl LoadedRecord {
    pub(crate) fn new(record: Record) -> Result<Self, StoreError> {
        let doing = "reading a record's object";
        let bytes = record.object().map_err(StoreError::doing(doing))?;
        let kind = record.key.kind().ok_or_else(|| StoreError::new(doing, "it is of no kind of record"))?;
        let object = lossy_json::from_slice(&bytes).map_err(StoreError::doing(doing))?;
        let raw = serde_json::from_slice(&bytes).map_err(StoreError::doing(doing))?;
        Ok(Self { kind, record, object, raw })
    }

    /// Returns the object's status as Stripe wrote it, if it has one. Invoices have one since API 2018-11-08.
    /// Of the flags that they had before (`paid`, `closed`, `forgiven`) only `paid` equals a status.
    pub(crate) fn status(&self) -> Option<&str> {
        let old_invoice = || (self.kind == Kind::INVOICE && self.object["paid"] == true).then_some("paid");
        self.object["status"].as_str().or_else(old_invoice)
    }

    /// Whether a text, in small letters, stands in its id or in what people know it by, as one of a list of
    /// `kind`.
    pub(crate) fn is_known_by(&self, kind: Kind, text: &str) -> bool {
        kinds::is_known_by(kind, self.record.key.id(), &self.object, text)
    }

    /// Shows it as a payment.
    pub(crate) fn view_as_payment(&self) -> RecordView {
        RecordView { kind: Kind::PAYMENT.plural(), ..self.view() }
    }

    pub(crate) fn view(&self) -> RecordView {
        let key = &self.record.key;
        let customer = match self.kind {
            Kind::CUSTOMER => Some(key.id()),
            // What is not listed under a customer may still name one.
            kind => kind.customer(&self.object).or_else(|| reference_id(&self.object["customer"])),
        };
        RecordView {
            id: key.id().to_owned(),
            kind: self.kind.plural(),
            account: key.account().map(str::to_owned),
            status: self.status().map(str::to_owned),
            customer: customer.map(str::to_owned),
            currency: self.object["currency"].as_str().map(str::to_owned),
            deleted: self.record.deleted,
            as_of: self.record.as_of.to_timestamp(),
            event: self.record.event.clone(),
            fetched: self.record.fetched,
            order_uncertain: self.record.order_uncertain,
            gone_at_stripe: self.record.gone_at_stripe,
            erased: self.record.erased,
            object: self.raw.clone(),
        }
    }
}

/// Reads the kind in a path.
///
/// # Errors
/// 404 for a word that is no kind.
pub(crate) fn parse_kind(plural: &str) -> Result<Kind, ApiError> {
    Kind::from_plural(plural).ok_or_else(|| {
        let kinds: Vec<_> = Kind::all().map(Kind::plural).collect();
        ApiError::not_found(format!("there are no records of kind `{plural}`"))
            .remedy(format!("the kinds are {}", kinds.join(", ")))
    })
}
