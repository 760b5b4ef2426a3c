//! The records with a list that is cut, as the status tells of them.

use serde::{Deserialize, Serialize};

use super::Records;
use super::cut_list::Obstacle;
use super::open::{OpenReason, OpenRecords};
use crate::aws::StoreError;
use crate::ledger::OpenCount;
use crate::object_key::ObjectKey;
use crate::unix_time::UnixSeconds;

/// The records with a list that is cut.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncompleteRecords {
    /// Those of which the rest is to be fetched.
    pub waiting: OpenRecords,
    /// The earliest second that the first of them stand for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<UnixSeconds>,
    /// How many there are of which the rest cannot be had for now.
    pub left: OpenCount,
    /// The first of these.
    pub first_left: Vec<LeftRecord>,
}

/// A record of which the rest of a list cannot be had for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftRecord {
    /// Which.
    pub key: ObjectKey,
    /// The member of its object that holds the list.
    pub member: String,
    /// Why.
    pub obstacle: Obstacle,
}

impl Records {
    /// The records with a list that is cut: two reads of the index, and one of the first records if there are
    /// any.
    ///
    /// # Errors
    /// If the index or the records cannot be read.
    pub async fn incomplete(&self) -> Result<IncompleteRecords, StoreError> {
        let waiting = self.open(OpenReason::ToComplete).await?;
        let left = self.open(OpenReason::Incomplete).await?;
        let records = self.get_all(&[&waiting.first[..], &left.first].concat()).await?;
        let is_waiting = |key: &ObjectKey| waiting.first.contains(key);
        let waiting_since =
            records.iter().filter(|record| is_waiting(&record.key)).map(|record| record.as_of);
        let mut first_left: Vec<LeftRecord> = records
            .iter()
            .filter_map(|record| {
                let list = record.list.clone()?;
                let (key, member) = (record.key.clone(), list.member);
                Some(LeftRecord { key, member, obstacle: list.obstacle? })
            })
            .collect();
        first_left.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(IncompleteRecords { waiting_since: waiting_since.min(), left: left.count, waiting, first_left })
    }
}
