//! Records: the current state of each Stripe object here.
//!
//! Keys: `key` names the object (account, object, id). Indexes, keys only, sorted by when Stripe made the
//! object and then its id:
//! - `by_kind`: all of a kind, spread over shards;
//! - `by_customer`: what names a customer, and what once did and now names none, such as a card that was
//!   detached;
//! - `by_payment`: charges, refunds, disputes and invoice payments of a payment, or of a charge that has
//!   none;
//! - `by_invoice`: what joins an invoice with its payments: invoice payments, and the payments and charges of
//!   old API versions, which name it themselves;
//! - `by_payout`: the balance transactions of a payout, without its own;
//! - `open`: the few that something is left to do about, by what it is ([`OpenReason`]).
//!
//! The index keys hardly ever change in an object's life (a payment can get its customer later), so an entry
//! is paid for once an object and not once an event.
//!
//! The rule: a record is replaced whole, by one write, under the condition that it is as it was read, or that
//! it is older than what is written. What the object says (status, customer, amounts) is read from the
//! object, never stored beside it.

mod balance;
mod by_key;
mod cut_list;
mod deleted;
mod incomplete;
mod index_keys;
mod lists;
mod open;
mod parts;
mod payout;

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::balance::{BalanceListing, BalanceListingUnderWay};
pub use self::cut_list::{ListProgress, ObjectWithList, Obstacle};
pub use self::deleted::{as_deleted, says_only_deleted};
pub use self::incomplete::{IncompleteRecords, LeftRecord};
pub use self::index_keys::{IndexKeys, made_at};
pub use self::lists::{RecordListing, RecordPage};
pub use self::open::{OpenOrder, OpenReason, OpenRecords};
pub use self::parts::{charges_in_payment, joins_invoice};
pub use self::payout::{PayoutTransactions, TransactionLinks, TransactionSum, is_own, is_reconciled};
use crate::batch_get::Patience;
use crate::erasure;
use crate::event::EventId;
use crate::kind::Kind;
use crate::ledger::MAX_IN_ROW;
use crate::lossy_json;
use crate::object_key::ObjectKey;
use crate::order::{self, RecordVersion};
use crate::payload::{self, Packed, PayloadError};
use crate::unix_time::UnixSeconds;

/// The table of records.
#[derive(Debug, Clone)]
pub struct Records {
    client: Client,
    table: String,
    patience: Patience,
}

/// The state of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which object.
    pub key: ObjectKey,
    /// The second, of the event whose snapshot it is.
    pub as_of: UnixSeconds,
    /// The event whose snapshot it is, or which made us ask Stripe; none if it was asked of our own accord,
    /// by an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// All events of that second that have been looked at, sorted: which of them wins must not depend on who
    /// came first.
    pub events: Vec<EventId>,
    /// Whether the object is deleted. Then nothing replaces it but another deletion.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Whether the events of that second could not be put in order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub order_uncertain: bool,
    /// Whether Stripe no longer has the object: test data that was deleted, for one. It is found when events
    /// could not be put in order, by the nightly comparison, and when an erasure is asked for, where an
    /// admin's word may stand for Stripe's. It is not `deleted`, because nothing says that the object was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone_at_stripe: bool,
    /// Whether it was fetched from Stripe, and is no event's snapshot. Then it stands for the whole of that
    /// second, and the events are those that could not tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fetched: bool,
    /// Whether the customer's personal data is erased from it. What takes its place is reduced in the same
    /// way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
    /// Of a payout: what it is made of, as far as it is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transactions: Option<PayoutTransactions>,
    /// Of a balance transaction: what it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<TransactionLinks>,
    /// Of a customer: the latest second in which the balance is known to have changed; none if it never has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance_changed_at: Option<UnixSeconds>,
    /// Of a customer: how far the transactions of the balance are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance_listing: Option<BalanceListing>,
    /// Of an object with a list that is cut: how far the rest is fetched; none before that is begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListProgress>,
    #[serde(flatten)]
    index_keys: IndexKeys,
    dict: u32,
    #[serde(with = "serde_bytes")]
    sha256: Vec<u8>,
    #[serde(with = "serde_bytes")]
    body: Vec<u8>,
}

/// What a write came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// The record is as written.
    Done,
    /// It was not written; this is what stands there.
    Conflict(Box<Record>),
}

/// What a record says of the second it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The second.
    pub as_of: UnixSeconds,
    /// The event whose snapshot it is, or which made us ask Stripe.
    pub event: Option<EventId>,
    /// All events of that second that have been looked at.
    pub events: Vec<EventId>,
    /// Whether the object is deleted.
    pub deleted: bool,
    /// Whether the second's events could not be put in order.
    pub order_uncertain: bool,
    /// Whether it was fetched from Stripe.
    pub fetched: bool,
}

impl Record {
    /// The record of an object: `raw` as Stripe wrote it, `object` the same parsed.
    ///
    /// # Errors
    /// zstd's, which means that memory is short.
    pub fn new(key: ObjectKey, provenance: Provenance, raw: &[u8], object: &Value) -> std::io::Result<Self> {
        let Packed { dictionary, sha256, bytes } = payload::pack(raw, key.object())?;
        let Provenance { as_of, event, mut events, deleted, order_uncertain, fetched } = provenance;
        events.sort();
        events.dedup();
        let index_keys = IndexKeys::new(&key, object, as_of);
        let record = Self {
            key,
            as_of,
            event,
            events,
            deleted,
            order_uncertain,
            gone_at_stripe: false,
            fetched,
            erased: false,
            transactions: None,
            links: None,
            balance_changed_at: None,
            balance_listing: None,
            list: None,
            index_keys,
            dict: dictionary,
            sha256: sha256.to_vec(),
            body: bytes,
        };
        Ok(record.with_open_reason(object))
    }

    /// The same record, with what is left to do about it as it follows from its object and the rest.
    fn with_open_reason(mut self, object: &Value) -> Self {
        // Nobody can do anything about one that is gone.
        self.index_keys.open = if !self.is_at_stripe() {
            None
        } else if self.order_uncertain {
            Some(OpenReason::OrderUncertain)
        } else {
            OpenReason::from_record(&self, object)
        };
        self
    }

    /// The same, of its object as it is stored.
    fn with_open_reason_of_stored(self) -> Self {
        let object = self.parsed().unwrap_or_default();
        self.with_open_reason(&object)
    }

    /// Its place in lists.
    pub fn list_position(&self) -> &str {
        self.index_keys.sort()
    }

    /// Whether it names a payment, or a charge without one, under which it is listed: without reading its
    /// object.
    pub fn names_payment(&self) -> bool {
        self.index_keys.names_payment()
    }

    /// Whether Stripe has the object, for all that is known here: nothing said that it is deleted, nor is it
    /// known to be gone.
    pub fn is_at_stripe(&self) -> bool {
        !self.deleted && !self.gone_at_stripe
    }

    /// What it is for the order of events.
    pub fn version(&self) -> RecordVersion {
        let kind = self.key.kind().filter(|kind| kind.ids_are_used_again());
        let made = kind.and_then(|_| order::made(kind, &self.parsed()?));
        RecordVersion { as_of: self.as_of, deleted: self.deleted, fetched: self.fetched, made }
    }

    /// The same record, with what another record of the object knows better: listed at the earlier place, and
    /// under the customer whom the object named once, if it names none now; and of a customer, when the
    /// balance changed.
    #[must_use]
    pub fn with_listing_of(&self, other: &Self) -> Self {
        let mut record = self.clone();
        // What was made again under its old id says when.
        if self.version().made.is_none() {
            record.index_keys.use_earlier_position(&other.index_keys);
        }
        if !self.is_listed_by_payment_alone() {
            record.index_keys.keep_customer(&other.index_keys);
        }
        record.with_balance_of(other)
    }

    /// The same record, with what `replaced` (the members that its last change replaced) says: listed under
    /// the customer whom it names, if its object names none any more; and of a customer, that the balance
    /// changed.
    #[must_use]
    pub fn with_replaced(&self, replaced: &Value) -> Self {
        let mut record = self.clone();
        let customer = self.key.kind().and_then(|kind| kind.customer(replaced));
        if let Some(customer) = customer.filter(|_| !self.is_listed_by_payment_alone()) {
            record.index_keys.list_under_former_customer(&self.key, customer);
        }
        record.with_replaced_balance(replaced)
    }

    fn is_listed_by_payment_alone(&self) -> bool {
        self.key.kind().is_some_and(Kind::is_listed_by_payment_alone)
    }

    /// The same record, marked as gone at Stripe, or not.
    #[must_use]
    pub fn with_gone_at_stripe(&self, gone_at_stripe: bool) -> Self {
        if self.gone_at_stripe == gone_at_stripe {
            return self.clone();
        }
        Self { gone_at_stripe, ..self.clone() }.with_open_reason_of_stored()
    }

    /// The same record of a payout, with what it is made of.
    #[must_use]
    pub fn with_transactions(&self, transactions: PayoutTransactions) -> Self {
        Self { transactions: Some(transactions), ..self.clone() }.with_open_reason_of_stored()
    }

    /// The same record of a balance transaction, with what it belongs to. It is listed under its payout, if
    /// it is not the payout's own.
    #[must_use]
    pub fn with_links(&self, links: TransactionLinks) -> Self {
        let mut record = self.clone();
        let payout = links.payout.as_deref();
        let object = payout.and_then(|_| self.parsed());
        let is_own = payout.zip(object).is_some_and(|(payout, object)| is_own(payout, &object));
        record.index_keys.list_under_payout(&self.key, payout.filter(|_| !is_own));
        record.links = Some(links);
        record
    }

    /// The same record without personal data: only what [`erasure::reduced`] leaves of its object. A damaged
    /// object leaves its id and type.
    ///
    /// # Errors
    /// zstd's, which means that memory is short.
    pub fn erased(&self) -> std::io::Result<Self> {
        let stored = self.parsed();
        let named = || serde_json::json!({ "id": self.key.id(), "object": self.key.object() });
        let object = erasure::reduced(&stored.unwrap_or_else(named));
        let record = self.with_object(object.to_string().as_bytes())?;
        Ok(Self { erased: true, list: None, ..record }.with_open_reason(&object))
    }

    /// The same record of an object with a list that is cut, with how far the rest is fetched.
    #[must_use]
    pub fn with_list(&self, list: ListProgress) -> Self {
        Self { list: Some(list), ..self.clone() }.with_open_reason_of_stored()
    }

    /// The same record with more of a list of its object, and how far the rest is fetched; none where the
    /// list is whole. `raw` is the object, `object` the same parsed.
    ///
    /// # Errors
    /// zstd's, which means that memory is short.
    pub fn with_more_of_list(
        &self,
        raw: &[u8],
        object: &Value,
        list: Option<ListProgress>,
    ) -> std::io::Result<Self> {
        let record = self.with_object(raw)?;
        Ok(Self { list, ..record }.with_open_reason(object))
    }

    fn with_object(&self, raw: &[u8]) -> std::io::Result<Self> {
        let Packed { dictionary, sha256, bytes } = payload::pack(raw, self.key.object())?;
        Ok(Self { dict: dictionary, sha256: sha256.to_vec(), body: bytes, ..self.clone() })
    }

    /// The record as it takes the place of `old`: listed where `old` is ([`Record::with_listing_of`]), with
    /// what is known of `old` beside its object, and without personal data if that is erased from `old`. A
    /// record of before balances were listed says nothing of a balance that it shows.
    ///
    /// # Errors
    /// As [`Record::erased`].
    pub fn in_place_of(&self, old: &Self) -> std::io::Result<Self> {
        let mut record = self.with_listing_of(old).with_first_balance();
        if let (None, Some(transactions)) = (&record.transactions, &old.transactions) {
            record = record.with_transactions(transactions.clone());
        }
        if let (None, Some(links)) = (&record.links, &old.links) {
            record = record.with_links(links.clone());
        }
        if old.erased && !record.erased { record.erased() } else { Ok(record) }
    }

    /// Returns whether its object is too large to be stored. The rest of a record is under 20 kB.
    pub fn is_too_large(&self) -> bool {
        self.body.len() > MAX_IN_ROW
    }

    /// Stripe's object, as its JSON text.
    ///
    /// # Errors
    /// If the stored bytes are damaged.
    pub fn object(&self) -> Result<Vec<u8>, PayloadError> {
        let sha256 = self.sha256.clone().try_into().map_err(|_| PayloadError::Altered)?;
        Packed { dictionary: self.dict, sha256, bytes: self.body.clone() }.unpack()
    }

    /// The same record, with more events of its second looked at.
    #[must_use]
    pub fn with_event_seen(&self, event: &EventId, order_uncertain: bool) -> Self {
        let mut record = self.clone();
        record.events.push(event.clone());
        record.events.sort();
        record.events.dedup();
        record.order_uncertain = order_uncertain;
        if order_uncertain == self.order_uncertain {
            return record;
        }
        record.with_open_reason_of_stored()
    }

    /// Its object as it last was, with `"deleted": true`, as JSON text: [`as_deleted`].
    pub fn object_as_deleted(&self) -> String {
        let known = self.object().ok().and_then(|bytes| as_deleted(&bytes));
        let named =
            || serde_json::json!({ "id": self.key.id(), "object": self.key.object(), "deleted": true });
        known.unwrap_or_else(|| named().to_string())
    }

    /// Stripe's object, parsed. None if the stored bytes are damaged, or nested too deeply to be read.
    pub fn parsed(&self) -> Option<Value> {
        self.object().ok().and_then(|bytes| lossy_json::from_slice(&bytes).ok())
    }
}
