//! Records that something is left to do about. They stand in index `open` under what it is, as long as it is
//! so and Stripe has the object, so that each kind of them is found by one small read.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::payout::is_reconciled;
use super::{Record, Records};
use crate::aws::StoreError;
use crate::kind::Kind;
use crate::ledger::{COUNTED, OpenCount};
use crate::object_key::ObjectKey;
use crate::query;

/// What is left to do about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenReason {
    /// Its events could not be put in order.
    OrderUncertain,
    /// A list that belongs to it is cut, and the rest is to be fetched.
    ToComplete,
    /// A list that belongs to it is cut, and the rest cannot be had for now.
    Incomplete,
    /// It is a customer whose balance changed, and the transactions are to be listed.
    BalanceToList,
    /// It is a customer whose balance changed, and the transactions cannot be had for now.
    BalanceUnlisted,
    /// It is a payout that is reconciled, and not all its transactions are here.
    PayoutToList,
    /// It is a payout whose transactions do not add up to it, or that Stripe does not list.
    PayoutUnexplained,
    /// It is a payout that failed.
    PayoutFailed,
    /// It is a payout that has not arrived.
    PayoutOnItsWay,
}

/// The records of one [`OpenReason`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRecords {
    /// How many there are.
    pub count: OpenCount,
    /// The first of them.
    pub first: Vec<ObjectKey>,
}

impl OpenRecords {
    /// These and others.
    pub(super) fn and(mut self, others: Self) -> Self {
        self.first.extend(others.first);
        self.first.truncate(NAMED);
        Self { count: self.count.and(others.count), first: self.first }
    }
}

/// So many of them are named.
const NAMED: usize = 10;

impl OpenReason {
    /// What is left to do about the object of a record, which is parsed, as it is.
    pub(super) fn from_record(record: &Record, object: &Value) -> Option<Self> {
        let kind = record.key.kind();
        let (transactions, list) = (record.transactions.as_ref(), record.list.as_ref());
        if kind.is_some_and(|kind| kind.cut_list(object).is_some()) {
            let is_halted = list.is_some_and(|list| list.obstacle.is_some());
            return Some(if is_halted { Self::Incomplete } else { Self::ToComplete });
        }
        if record.is_balance_to_list() {
            let is_halted = record.balance_listing.as_ref().is_some_and(|listing| listing.obstacle.is_some());
            return Some(if is_halted { Self::BalanceUnlisted } else { Self::BalanceToList });
        }
        if kind != Some(Kind::PAYOUT) {
            return None;
        }
        if is_reconciled(object) {
            match transactions {
                Some(transactions) if transactions.failure.is_some() => return Some(Self::PayoutUnexplained),
                Some(transactions) if transactions.complete => {
                    if transactions.adds_up(object) != Some(true) {
                        return Some(Self::PayoutUnexplained);
                    }
                }
                Some(_) | None => return Some(Self::PayoutToList),
            }
        }
        match object["status"].as_str() {
            Some("failed") => Some(Self::PayoutFailed),
            Some("pending" | "in_transit") => Some(Self::PayoutOnItsWay),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::OrderUncertain => "order_uncertain",
            Self::ToComplete => "to_complete",
            Self::Incomplete => "incomplete",
            Self::BalanceToList => "balance_to_list",
            Self::BalanceUnlisted => "balance_unlisted",
            Self::PayoutToList => "payout_to_list",
            Self::PayoutUnexplained => "payout_unexplained",
            Self::PayoutFailed => "payout_failed",
            Self::PayoutOnItsWay => "payout_on_its_way",
        }
    }
}

impl Records {
    /// How many records are open for a reason, and the first of them: one read, however many records there
    /// are.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn open(&self, reason: OpenReason) -> Result<OpenRecords, StoreError> {
        let keys = self.open_keys(reason, COUNTED + 1, OpenOrder::EarliestFirst).await?;
        Ok(OpenRecords {
            count: OpenCount::from_count(keys.len()),
            first: keys.into_iter().take(NAMED).collect(),
        })
    }

    /// At most `limit` of the records that are open for a reason.
    ///
    /// # Errors
    /// If the index or the records cannot be read.
    pub async fn open_records(
        &self,
        reason: OpenReason,
        limit: usize,
        order: OpenOrder,
    ) -> Result<Vec<Record>, StoreError> {
        self.get_all(&self.open_keys(reason, limit, order).await?).await
    }

    /// The keys of at most `limit` of the records that are open for a reason.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn open_keys(
        &self,
        reason: OpenReason,
        limit: usize,
        order: OpenOrder,
    ) -> Result<Vec<ObjectKey>, StoreError> {
        let doing = "looking for open records";
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("open")
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", "open")
            .expression_attribute_values(":key", AttributeValue::S(reason.as_str().to_owned()))
            .scan_index_forward(order == OpenOrder::EarliestFirst);
        let items = query::first(query, limit, doing).await?;
        Ok(items.iter().filter_map(|item| item.get("key")?.as_s().ok()?.parse().ok()).collect())
    }
}

/// In which order open records are listed, each kind by when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenOrder {
    /// Those made earliest first.
    EarliestFirst,
    /// Those made latest first.
    LatestFirst,
}
