//! What is open: rows whose time has come, and how many there are.

use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lists::{BY_OPEN, EventPosition, position};
use super::row::{OPEN_SHARDS, open_shard_key};
use super::{EventState, Ledger, number};
use crate::aws::StoreError;
use crate::event::EventId;
use crate::query;

/// Where exact counting of open rows ends.
pub const COUNTED: usize = 1_000;

/// How many rows are in an open state: exact up to [`COUNTED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenCount {
    /// So many.
    Exactly(usize),
    /// More than [`COUNTED`].
    More,
}

impl Default for OpenCount {
    fn default() -> Self {
        Self::Exactly(0)
    }
}

impl OpenCount {
    /// Returns the count without so many of those counted.
    #[must_use]
    pub fn less(self, uncounted: usize) -> Self {
        match self {
            Self::Exactly(count) => Self::Exactly(count.saturating_sub(uncounted)),
            Self::More => Self::More,
        }
    }

    /// Returns the count of these and others.
    pub(crate) fn and(self, others: Self) -> Self {
        match (self, others) {
            (Self::Exactly(count), Self::Exactly(others)) => Self::from_count(count + others),
            (Self::More, _) | (_, Self::More) => Self::More,
        }
    }

    /// Returns the count, exact up to [`COUNTED`].
    pub(crate) fn from_count(count: usize) -> Self {
        if count > COUNTED { Self::More } else { Self::Exactly(count) }
    }
}

impl Ledger {
    /// Ids of rows in `state` whose time has come, the earliest first, at most `limit` a shard.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn due(
        &self,
        state: EventState,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<EventId>, StoreError> {
        let shards = (0..OPEN_SHARDS).map(|shard| open_shard_key(state, shard));
        let shards = shards.map(async |key| {
            let query = self
                .query(&BY_OPEN, key)
                .key_condition_expression("#key = :key AND #sort <= :until")
                .expression_attribute_names("#sort", BY_OPEN.sort)
                .expression_attribute_values(":until", number(now.as_millisecond()));
            let items = query::first(query, limit, "looking for due events").await?;
            items.iter().map(|item| position(item, &BY_OPEN)).collect::<Result<Vec<_>, _>>()
        });
        let mut due: Vec<EventPosition> = try_join_all(shards).await?.into_iter().flatten().collect();
        due.sort();
        Ok(due.into_iter().map(|entry| entry.id).collect())
    }

    /// Ids of rows in an open state, those that are due last first, at most `limit`.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn due_last(&self, state: EventState, limit: usize) -> Result<Vec<EventId>, StoreError> {
        self.open_rows(state, limit, false).await
    }

    /// The same, those that are due first first.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn due_first(&self, state: EventState, limit: usize) -> Result<Vec<EventId>, StoreError> {
        self.open_rows(state, limit, true).await
    }

    async fn open_rows(
        &self,
        state: EventState,
        limit: usize,
        earliest_first: bool,
    ) -> Result<Vec<EventId>, StoreError> {
        let shards = (0..OPEN_SHARDS).map(|shard| open_shard_key(state, shard));
        let shards = shards.map(async |key| {
            let query = self
                .query(&BY_OPEN, key)
                .key_condition_expression("#key = :key")
                .scan_index_forward(earliest_first);
            let items = query::first(query, limit, "looking at open events").await?;
            items.iter().map(|item| position(item, &BY_OPEN)).collect::<Result<Vec<_>, _>>()
        });
        let mut found: Vec<EventPosition> = try_join_all(shards).await?.into_iter().flatten().collect();
        found.sort();
        if !earliest_first {
            found.reverse();
        }
        Ok(found.into_iter().take(limit).map(|entry| entry.id).collect())
    }

    /// How many rows are in an open state.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn count(&self, state: EventState) -> Result<OpenCount, StoreError> {
        let shards = (0..OPEN_SHARDS).map(|shard| open_shard_key(state, shard));
        let counts = shards.map(|key| {
            let query = self.query(&BY_OPEN, key).key_condition_expression("#key = :key");
            // One more than is counted, so that the end is known.
            query::count(query, COUNTED + 1, "counting open events")
        });
        Ok(OpenCount::from_count(try_join_all(counts).await?.into_iter().sum()))
    }
}
