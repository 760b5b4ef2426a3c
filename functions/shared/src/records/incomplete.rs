//! The records that lack something of a list that Stripe has: the rest of one that is cut, or transactions of
//! a customer's balance; as the status tells of them.

use serde::{Deserialize, Serialize};

use super::cut_list::Obstacle;
use super::open::{OpenReason, OpenRecords};
use super::{Record, Records};
use crate::aws::StoreError;
use crate::kind::Kind;
use crate::ledger::OpenCount;
use crate::object_key::ObjectKey;
use crate::unix_time::UnixSeconds;

/// The records that lack something of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncompleteRecords {
    /// Those for which the rest is to be fetched.
    pub waiting: OpenRecords,
    /// The earliest second that the first of them stand for, or in which their balance changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<UnixSeconds>,
    /// How many there are for which the rest cannot be had for now.
    pub left: OpenCount,
    /// The first of these.
    pub first_left: Vec<LeftRecord>,
}

/// A record that lacks something of a list, which cannot be had for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftRecord {
    /// Which.
    pub key: ObjectKey,
    /// The member of its object that holds the list; of a customer's balance, the last part of its path.
    pub member: String,
    /// Why.
    pub obstacle: Obstacle,
}

impl Records {
    /// The records that lack something of a list: four reads of the index, and one of the first records if
    /// there are any.
    ///
    /// # Errors
    /// If the index or the records cannot be read.
    pub async fn incomplete(&self) -> Result<IncompleteRecords, StoreError> {
        let waiting = self.open(OpenReason::ToComplete).await?;
        let waiting = waiting.and(self.open(OpenReason::BalanceToList).await?);
        let left = self.open(OpenReason::Incomplete).await?;
        let left = left.and(self.open(OpenReason::BalanceUnlisted).await?);
        let records = self.get_all(&[&waiting.first[..], &left.first].concat()).await?;
        let is_waiting = |key: &ObjectKey| waiting.first.contains(key);
        let waiting_since = records
            .iter()
            .filter(|record| is_waiting(&record.key))
            .map(|record| record.balance_changed_at.unwrap_or(record.as_of));
        let mut first_left: Vec<LeftRecord> = records.iter().filter_map(LeftRecord::read).collect();
        first_left.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(IncompleteRecords { waiting_since: waiting_since.min(), left: left.count, waiting, first_left })
    }
}

impl LeftRecord {
    /// What a record says of its obstacle; none if it has none.
    fn read(record: &Record) -> Option<Self> {
        let of_list = || {
            let list = record.list.clone()?;
            Some((list.member, list.obstacle?))
        };
        let of_balance = || {
            let obstacle = record.balance_listing.clone()?.obstacle?;
            Some((Kind::CUSTOMER_BALANCE_TRANSACTION.below_customer()?.to_owned(), obstacle))
        };
        let (member, obstacle) = of_list().or_else(of_balance)?;
        Some(Self { key: record.key.clone(), member, obstacle })
    }
}
