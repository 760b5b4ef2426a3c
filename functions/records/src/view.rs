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
use shared::records::{ObjectWithList, Obstacle, Record};

use crate::kinds;

/// So many items of a list are shown where the list is cut.
const ITEMS_SHOWN: usize = 10;

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
    /// Whether each list that belongs to the object is here whole, and so the transactions of a customer's
    /// balance.
    complete: bool,
    /// Why it is not.
    incomplete_reason: Option<IncompleteReason>,
    object: Box<RawValue>,
}

/// Why the rest of a list that belongs to an object is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum IncompleteReason {
    /// It is fetched within minutes.
    Fetching,
    /// With it the object would be too large to be kept, or to be shown.
    TooLarge,
    /// Stripe refuses it; it is asked for again in the night.
    Refused,
    /// Stripe gives no answer that counts; it is asked for again in the night.
    Unanswered,
    /// The order of the object's events is uncertain, which is to be settled first.
    OrderUncertain,
    /// The object is deleted, or gone at Stripe.
    Gone,
    /// It is a state that has passed, and of it only what the event showed is known.
    NotKept,
}

impl IncompleteReason {
    /// Why a list that belongs to an object, or that of a customer's balance, is not here whole; none if they
    /// all are.
    fn for_record(kind: Kind, record: &Record, object: &Value) -> Option<Self> {
        let obstacle = if kind.cut_list(object).is_some() {
            record.list.as_ref().and_then(|list| list.obstacle.as_ref())
        } else if record.is_balance_to_list() {
            record.balance_listing.as_ref().and_then(|listing| listing.obstacle.as_ref())
        } else {
            return None;
        };
        Some(match obstacle {
            _ if !record.is_at_stripe() => Self::Gone,
            _ if record.order_uncertain => Self::OrderUncertain,
            None => Self::Fetching,
            Some(Obstacle::TooLarge) => Self::TooLarge,
            Some(Obstacle::Refused(_)) => Self::Refused,
            Some(Obstacle::Unanswered(_)) => Self::Unanswered,
        })
    }
}

/// A record with its object parsed.
#[derive(Debug, Clone)]
pub(crate) struct LoadedRecord {
    pub(crate) kind: Kind,
    pub(crate) record: Record,
    pub(crate) object: Value,
    incomplete_reason: Option<IncompleteReason>,
    raw: Box<RawValue>,
}

impl LoadedRecord {
    pub(crate) fn new(record: Record) -> Result<Self, StoreError> {
        let doing = "reading a record's object";
        let bytes = record.object().map_err(StoreError::doing(doing))?;
        let kind = record.key.kind().ok_or_else(|| StoreError::new(doing, "it is of no kind of record"))?;
        let object = lossy_json::from_slice(&bytes).map_err(StoreError::doing(doing))?;
        let raw = serde_json::from_slice(&bytes).map_err(StoreError::doing(doing))?;
        let incomplete_reason = IncompleteReason::for_record(kind, &record, &object);
        Ok(Self { kind, record, object, incomplete_reason, raw })
    }

    /// The same, of a state that has passed, as an event showed it.
    pub(crate) fn into_past(self) -> Self {
        let incomplete_reason = self.kind.cut_list(&self.object).map(|_| IncompleteReason::NotKept);
        Self { incomplete_reason, ..self }
    }

    /// The bytes of its object.
    pub(crate) fn object_size(&self) -> usize {
        self.raw.get().len()
    }

    /// The same, of each list that belongs to its object the first ten items, as Stripe shows them.
    pub(crate) fn with_beginnings_of_lists(mut self) -> Self {
        for list in self.kind.own_lists() {
            let object = ObjectWithList::read(self.raw.get().as_bytes(), list);
            let Some(mut object) = object.filter(|object| object.items.len() > ITEMS_SHOWN) else { continue };
            object.items.truncate(ITEMS_SHOWN);
            let Ok(text) = object.write(true) else { continue };
            if let (Ok(object), Ok(raw)) = (lossy_json::from_str(&text), RawValue::from_string(text)) {
                (self.object, self.raw) = (object, raw);
            }
        }
        self
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

    /// The id of the customer whom it names, or who it is.
    pub(crate) fn customer(&self) -> Option<&str> {
        match self.kind {
            Kind::CUSTOMER => Some(self.record.key.id()),
            // What is not listed under a customer may still name one.
            kind => kind.customer(&self.object).or_else(|| reference_id(&self.object["customer"])),
        }
    }

    /// Shows it as a payment.
    pub(crate) fn view_as_payment(&self) -> RecordView {
        RecordView { kind: Kind::PAYMENT.plural(), ..self.view() }
    }

    pub(crate) fn view(&self) -> RecordView {
        let key = &self.record.key;
        RecordView {
            id: key.id().to_owned(),
            kind: self.kind.plural(),
            account: key.account().map(str::to_owned),
            status: self.status().map(str::to_owned),
            customer: self.customer().map(str::to_owned),
            currency: self.object["currency"].as_str().map(str::to_owned),
            deleted: self.record.deleted,
            as_of: self.record.as_of.to_timestamp(),
            event: self.record.event.clone(),
            fetched: self.record.fetched,
            order_uncertain: self.record.order_uncertain,
            gone_at_stripe: self.record.gone_at_stripe,
            erased: self.record.erased,
            complete: self.incomplete_reason.is_none(),
            incomplete_reason: self.incomplete_reason,
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
