//! Lists of records: by kind, by customer, by payment, by invoice, by payout; the later made first.
//!
//! `sort` ends with the object's account and id, so the order is total and a place in a list is one text.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use jiff::SignedDuration;

use super::index_keys::{self, KIND_SHARDS, kind_key, owner};
use super::{Record, Records};
use crate::account::AccountKey;
use crate::aws::StoreError;
use crate::batch_get::{self, ItemKey, KeyValue};
use crate::kind::Kind;
use crate::page::MAX_LIMIT;
use crate::query;
use crate::unix_time::UnixSeconds;

/// Records that one request may look at before it gives a short page.
const MAX_LOOKED_AT: usize = 1_000;

/// Bytes of a sort key (DynamoDB's Service Quotas); places are far shorter.
const LONGEST_PLACE: usize = 1_024;

/// Which records to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordListing {
    /// All of a kind.
    Kind(Kind),
    /// Those of a kind that name a customer.
    Customer {
        /// The customer's account.
        account: AccountKey,
        /// The customer's id.
        customer: String,
        /// The kind.
        kind: Kind,
    },
    /// Those of a kind that name a customer, and those that once did and now name none, such as a card that
    /// was detached.
    CustomerEver {
        /// The customer's account.
        account: AccountKey,
        /// The customer's id.
        customer: String,
        /// The kind.
        kind: Kind,
    },
    /// Those that name a payment, or a charge without one.
    Payment {
        /// The payment's account.
        account: AccountKey,
        /// The PaymentIntent's id, or the charge's.
        payment: String,
    },
    /// Those that name an invoice: what joins it with its payments.
    Invoice {
        /// The invoice's account.
        account: AccountKey,
        /// The invoice's id.
        invoice: String,
    },
    /// The balance transactions of a payout, without its own.
    Payout {
        /// The payout's account.
        account: AccountKey,
        /// The payout's id.
        payout: String,
    },
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// The records.
    pub records: Vec<Record>,
    /// Where to go on; none at the end.
    pub next: Option<String>,
}

struct RecordIndex {
    index: &'static str,
    keys: Vec<String>,
    object: Option<&'static str>,
}

impl RecordListing {
    /// Returns whether a position can be one of this list. A forged one cannot.
    pub fn can_contain(&self, place: &str) -> bool {
        let of_kind = match self.source().object {
            Some(object) => place.strip_prefix(object).is_some_and(|rest| rest.starts_with('#')),
            // All positions begin with a kind; nothing lies below `#`.
            None => place > "#" && place < "~",
        };
        of_kind && place.len() < LONGEST_PLACE
    }

    /// The same list, with those that once named the customer and now name none.
    #[must_use]
    pub fn ever(self) -> Self {
        match self {
            Self::Customer { account, customer, kind } => Self::CustomerEver { account, customer, kind },
            Self::CustomerEver { .. }
            | Self::Kind(_)
            | Self::Payment { .. }
            | Self::Invoice { .. }
            | Self::Payout { .. } => self,
        }
    }

    /// The position before those that were made up to a second, the later first: what was made after it comes
    /// before. For a list of one kind.
    pub fn position_after(kind: Kind, second: UnixSeconds) -> String {
        index_keys::position_of_second(kind.object(), second + SignedDuration::from_secs(1))
    }

    /// Whether a record that the index lists is one of the list.
    fn contains(&self, record: &Record) -> bool {
        match self {
            Self::Customer { .. } => !record.index_keys.is_of_former_customer(),
            Self::CustomerEver { .. }
            | Self::Kind(_)
            | Self::Payment { .. }
            | Self::Invoice { .. }
            | Self::Payout { .. } => true,
        }
    }

    fn source(&self) -> RecordIndex {
        match self {
            Self::Kind(kind) => RecordIndex {
                index: "by_kind",
                keys: (0..KIND_SHARDS).map(|shard| kind_key(kind.object(), shard)).collect(),
                object: Some(kind.object()),
            },
            Self::Customer { account, customer, kind } | Self::CustomerEver { account, customer, kind } => {
                RecordIndex {
                    index: "by_customer",
                    keys: vec![owner(account, customer)],
                    object: Some(kind.object()),
                }
            }
            Self::Payment { account, payment } => {
                RecordIndex { index: "by_payment", keys: vec![owner(account, payment)], object: None }
            }
            Self::Invoice { account, invoice } => {
                RecordIndex { index: "by_invoice", keys: vec![owner(account, invoice)], object: None }
            }
            Self::Payout { account, payout } => {
                RecordIndex { index: "by_payout", keys: vec![owner(account, payout)], object: None }
            }
        }
    }
}

impl Records {
    /// A page of `listing` after `from`, of at most `limit` records that `wanted` says yes to. A page may be
    /// short and still have a next one, when few are wanted.
    ///
    /// # Errors
    /// If the index or the records cannot be read.
    pub async fn list(
        &self,
        listing: &RecordListing,
        from: Option<String>,
        limit: usize,
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<RecordPage, StoreError> {
        let source = listing.source();
        let mut records = Vec::new();
        let mut looked_at = 0;
        let mut from = from;
        let mut at_once = limit;
        loop {
            let entries = self.entries(&source, from.as_deref(), at_once).await?;
            let more = entries.len() > at_once;
            let entries = &entries[..entries.len().min(at_once)];
            // Few are wanted: a small page must not take many rounds.
            at_once = MAX_LIMIT;
            let mut found = self.by_key(entries.iter().map(|(_, key)| key.clone()).collect()).await?;
            for (i, (sort, key)) in entries.iter().enumerate() {
                looked_at += 1;
                from = Some(sort.clone());
                if let Some(record) =
                    found.remove(key).filter(|record| listing.contains(record) && wanted(record))
                {
                    records.push(record);
                    if records.len() == limit {
                        let last = i + 1 == entries.len() && !more;
                        return Ok(RecordPage { records, next: if last { None } else { from } });
                    }
                }
            }
            if !more {
                return Ok(RecordPage { records, next: None });
            }
            if looked_at >= MAX_LOOKED_AT {
                return Ok(RecordPage { records, next: from });
            }
        }
    }

    /// All records of `listing`, page by page. For lists that stay short, such as what names a payment.
    ///
    /// # Errors
    /// If the index or the records cannot be read.
    pub async fn all(&self, listing: &RecordListing) -> Result<Vec<Record>, StoreError> {
        let (mut records, mut from) = (Vec::new(), None);
        loop {
            let page = self.list(listing, from, MAX_LIMIT, |_| true).await?;
            records.extend(page.records);
            from = page.next;
            if from.is_none() {
                return Ok(records);
            }
        }
    }

    /// The first `limit + 1` entries (sort, key) after `from`.
    async fn entries(
        &self,
        source: &RecordIndex,
        from: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let doing = "listing records";
        // Everything of a kind lies between `object#` and `object$`, the next character; everything between
        // `#` and `~`.
        let object = source.object.unwrap_or_default();
        let floor = format!("{object}#");
        let end = if object.is_empty() { "~".to_owned() } else { format!("{object}$") };
        let until = from.map_or(end, str::to_owned);
        let pages = try_join_all(source.keys.iter().map(async |key| {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(source.index)
                .key_condition_expression("#key = :key AND #sort BETWEEN :floor AND :until")
                .expression_attribute_names("#key", source.index)
                .expression_attribute_names("#sort", "sort")
                .expression_attribute_values(":key", AttributeValue::S(key.clone()))
                .expression_attribute_values(":floor", AttributeValue::S(floor.clone()))
                .expression_attribute_values(":until", AttributeValue::S(until.clone()))
                .scan_index_forward(false);
            // One more for the end, one for the place itself, which is left out below.
            let items = query::first(query, limit + 2, doing).await?;
            let text = |item: &HashMap<String, AttributeValue>, name: &str| {
                item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
            };
            Ok::<_, StoreError>(
                items.iter().map(|item| (text(item, "sort"), text(item, "key"))).collect::<Vec<_>>(),
            )
        }))
        .await?;
        let mut entries: Vec<_> = pages
            .into_iter()
            .flatten()
            .filter(|(sort, _)| from.is_none_or(|from| sort.as_str() < from))
            .collect();
        entries.sort_by(|a, b| b.cmp(a));
        entries.truncate(limit + 1);
        Ok(entries)
    }

    pub(super) async fn by_key(&self, keys: Vec<String>) -> Result<HashMap<String, Record>, StoreError> {
        let keys = keys.into_iter().map(|key| ItemKey::from([("key", KeyValue::Text(key))])).collect();
        let doing = "reading records";
        let items = batch_get::get(&self.client, &self.table, keys, &[], self.patience, doing).await?;
        // A list that silently leaves one out would be wrong about money, so one that cannot be read is an
        // error.
        let records = items.into_iter().map(serde_dynamo::from_item).collect::<Result<Vec<Record>, _>>();
        let records = records.map_err(StoreError::doing(doing))?;
        Ok(records.into_iter().map(|record| (record.key.to_string(), record)).collect())
    }
}
