//! Lists of the ledger: by day, by object, by open state; newest first, whole pages, and a place to go on
//! from.
//!
//! An index key is spread over shards, so a list merges them. Indexes hold no state: rows are read in batches
//! afterwards. The order within a page is total (time, then id), so that a row is listed once however many
//! share its millisecond.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::row::{DAY_SHARDS, LedgerRow, OPEN_SHARDS, day_key, open_shard_key};
use super::{EventState, Ledger, number};
use crate::aws::StoreError;
use crate::batch_get::{self, ItemKey, KeyValue};
use crate::event::EventId;
use crate::object_key::ObjectKey;
use crate::page::MAX_LIMIT;
use crate::unix_time::UnixSeconds;

/// Rows that one request may look at before it gives a short page: a filter that fits nothing must not read
/// the whole table.
const MAX_LOOKED_AT: usize = 1_000;

/// Which rows to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventListing {
    /// All that came in between two times, the later first.
    Received {
        /// The earliest time, inclusive.
        since: Timestamp,
        /// The latest time, inclusive.
        until: Timestamp,
    },
    /// All events of one object, by when Stripe made them, the later first.
    Object(ObjectKey),
    /// Those of them that Stripe made between two seconds.
    ObjectBetween {
        /// The object.
        object: ObjectKey,
        /// The earliest second, inclusive.
        since: UnixSeconds,
        /// The latest second, inclusive.
        until: UnixSeconds,
    },
    /// All rows in one open state, by due time, the later first.
    Open(EventState),
}

/// A place in a list: the row that came last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventPosition {
    /// What the list is ordered by: unix milliseconds, or seconds for an object's events.
    pub sort: i64,
    /// The row's id.
    pub id: EventId,
}

/// A page of rows, without payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The rows.
    pub rows: Vec<LedgerRow>,
    /// Where to go on; none at the end.
    pub next: Option<EventPosition>,
}

/// A row's attributes but its payload.
const WITHOUT_PAYLOAD: [&str; 21] = [
    "id",
    "part",
    "state",
    "type",
    "created",
    "object",
    "endpoint",
    "source",
    "received_at",
    "day",
    "open",
    "due_at",
    "attempts",
    "reason",
    "marked_at",
    "by",
    "history",
    "expires_at",
    "erased",
    "parts",
    "parts_at",
];

pub(super) struct EventIndex {
    index: &'static str,
    key: &'static str,
    pub(super) sort: &'static str,
}

/// The bounds of a list that has none.
const ALL_TIMES: (i64, i64) = (i64::MIN, i64::MAX);

const BY_DAY: EventIndex = EventIndex { index: "day", key: "day", sort: "received_at" };
const BY_OBJECT: EventIndex = EventIndex { index: "object", key: "object", sort: "created" };
pub(super) const BY_OPEN: EventIndex = EventIndex { index: "open", key: "open", sort: "due_at" };

impl Ledger {
    /// A page of `listing` after `from`, of at most `limit` rows that `wanted` says yes to. A page may be
    /// short and still have a next one, when few rows are wanted.
    ///
    /// # Errors
    /// If an index or the rows cannot be read.
    pub async fn list(
        &self,
        listing: &EventListing,
        from: Option<EventPosition>,
        limit: usize,
        now: Timestamp,
        wanted: impl Fn(&LedgerRow) -> bool,
    ) -> Result<EventPage, StoreError> {
        let mut rows = Vec::new();
        let mut looked_at = 0;
        let mut from = from;
        let mut at_once = limit;
        loop {
            let entries = self.entries(listing, from.as_ref(), at_once).await?;
            let more = entries.len() > at_once;
            let entries = &entries[..entries.len().min(at_once)];
            // Few are wanted: a small page must not take many rounds.
            at_once = MAX_LIMIT;
            let mut found = self.rows(entries.iter().map(|entry| &entry.id), now).await?;
            for entry in entries {
                looked_at += 1;
                from = Some(entry.clone());
                if let Some(row) =
                    found.remove(&entry.id).filter(|row| listing.still_holds(row) && wanted(row))
                {
                    rows.push(row);
                    if rows.len() == limit {
                        let last = entries.last() == Some(entry) && !more;
                        return Ok(EventPage { rows, next: if last { None } else { from } });
                    }
                }
            }
            if !more {
                return Ok(EventPage { rows, next: None });
            }
            if looked_at >= MAX_LOOKED_AT {
                return Ok(EventPage { rows, next: from });
            }
        }
    }

    /// The rows with these ids, without payloads, read consistently; without those that have expired.
    ///
    /// # Errors
    /// If they cannot be read, or DynamoDB leaves some out again and again.
    pub async fn rows<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a EventId>,
        now: Timestamp,
    ) -> Result<HashMap<EventId, LedgerRow>, StoreError> {
        let keys = ids.into_iter().map(row_key).collect();
        let items = batch_get::get(
            &self.client,
            &self.table,
            keys,
            &WITHOUT_PAYLOAD,
            self.patience,
            "reading events",
        )
        .await?;
        // One that cannot be read, such as of a later version of this program, must not hold the others back.
        let read = |item| match serde_dynamo::from_item::<_, LedgerRow>(item) {
            Ok(row) => Some((row.id.clone(), row)),
            Err(error) => {
                tracing::error!(error = %error, "a row of the ledger cannot be read");
                None
            }
        };
        Ok(items.into_iter().filter_map(read).filter(|(_, row): &(_, LedgerRow)| !row.is_gone(now)).collect())
    }

    /// At least the first `limit + 1` entries after `from`, in order.
    async fn entries(
        &self,
        listing: &EventListing,
        from: Option<&EventPosition>,
        limit: usize,
    ) -> Result<Vec<EventPosition>, StoreError> {
        match listing {
            EventListing::Object(key) => {
                self.merged(&BY_OBJECT, vec![key.to_string()], from, ALL_TIMES, limit).await
            }
            EventListing::ObjectBetween { since, until, .. } if since > until => Ok(Vec::new()),
            EventListing::ObjectBetween { object, since, until } => {
                let times = (since.get(), until.get());
                self.merged(&BY_OBJECT, vec![object.to_string()], from, times, limit).await
            }
            EventListing::Open(state) => {
                let keys = (0..OPEN_SHARDS).map(|shard| open_shard_key(*state, shard)).collect();
                self.merged(&BY_OPEN, keys, from, ALL_TIMES, limit).await
            }
            EventListing::Received { since, until } => self.received(*since, *until, from, limit).await,
        }
    }

    /// Days are read from the latest backwards: the first alone, then ever more at once, so that neither a
    /// busy day costs the days before it nor a quiet year takes a query after another.
    async fn received(
        &self,
        since: Timestamp,
        until: Timestamp,
        from: Option<&EventPosition>,
        limit: usize,
    ) -> Result<Vec<EventPosition>, StoreError> {
        let start =
            from.and_then(|from| Timestamp::from_millisecond(from.sort).ok()).unwrap_or(until).min(until);
        let (mut entries, mut day, mut at_once) = (Vec::new(), start, 1);
        loop {
            let mut keys = Vec::new();
            let mut last = false;
            for _ in 0..at_once {
                keys.extend((0..DAY_SHARDS).map(|shard| day_key(day, shard)));
                last = day_key(day, 0) <= day_key(since, 0);
                if last {
                    break;
                }
                day -= 24.hours();
            }
            let times = (since.as_millisecond(), i64::MAX);
            entries.extend(self.merged(&BY_DAY, keys, from, times, limit).await?);
            if entries.len() > limit || last {
                return Ok(entries);
            }
            at_once = (at_once * 4).min(16);
        }
    }

    /// Merges the shards of an index: the first `limit + 1` entries after `from`, from the latest of `times`
    /// down to the earliest.
    async fn merged(
        &self,
        source: &EventIndex,
        keys: Vec<String>,
        from: Option<&EventPosition>,
        times: (i64, i64),
        limit: usize,
    ) -> Result<Vec<EventPosition>, StoreError> {
        let shards = keys.into_iter().map(|key| self.shard(source, key, from, times, limit));
        let mut entries: Vec<EventPosition> = try_join_all(shards).await?.into_iter().flatten().collect();
        entries.sort_by(|a, b| b.cmp(a));
        entries.truncate(limit + 1);
        Ok(entries)
    }

    async fn shard(
        &self,
        source: &EventIndex,
        key: String,
        from: Option<&EventPosition>,
        (earliest, latest): (i64, i64),
        limit: usize,
    ) -> Result<Vec<EventPosition>, StoreError> {
        let until = from.map_or(latest, |from| from.sort.min(latest));
        let mut entries: Vec<EventPosition> = Vec::new();
        let mut page = None;
        loop {
            let answer = self
                .query(source, key.clone())
                .key_condition_expression("#key = :key AND #sort BETWEEN :floor AND :until")
                .expression_attribute_names("#sort", source.sort)
                .expression_attribute_values(":floor", number(earliest))
                .expression_attribute_values(":until", number(until))
                .scan_index_forward(false)
                // One more for the end, one to see the time after the cut, one for the place itself, which is
                // left out below.
                .limit(i32::try_from(limit + 3).unwrap_or(i32::MAX))
                .set_exclusive_start_key(page)
                .send()
                .await
                .map_err(StoreError::doing("listing events"))?;
            for item in answer.items() {
                let entry = position(item, source)?;
                if from.is_none_or(|from| entry < *from) {
                    entries.push(entry);
                }
            }
            page = answer.last_evaluated_key;
            // DynamoDB does not order entries of one time by id, so the time at the cut must have been read
            // to its end.
            let cut = entries.get(limit).map(|entry| entry.sort);
            let whole = cut.is_some_and(|cut| entries.last().is_some_and(|last| last.sort < cut));
            if page.is_none() || whole {
                return Ok(entries);
            }
        }
    }

    pub(super) fn query(
        &self,
        source: &EventIndex,
        key: String,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name(source.index)
            .expression_attribute_names("#key", source.key)
            .expression_attribute_values(":key", AttributeValue::S(key))
    }
}

impl EventListing {
    /// Returns whether a position can be one of this list. A forged one cannot.
    pub fn can_contain(&self, place: &EventPosition) -> bool {
        match self {
            Self::Received { since, until } => {
                (since.as_millisecond()..=until.as_millisecond()).contains(&place.sort)
            }
            Self::ObjectBetween { since, until, .. } => (since.get()..=until.get()).contains(&place.sort),
            Self::Object(_) | Self::Open(_) => true,
        }
    }

    /// Returns whether the row, read consistently, is still one of this list: an index may lag behind.
    fn still_holds(&self, row: &LedgerRow) -> bool {
        match self {
            Self::Open(state) => row.state == *state,
            Self::Received { .. } | Self::Object(_) | Self::ObjectBetween { .. } => true,
        }
    }
}

pub(super) fn row_key(id: &EventId) -> ItemKey {
    ItemKey::from([("id", KeyValue::Text(id.to_string())), ("part", KeyValue::Number(0))])
}

pub(super) fn position(
    item: &HashMap<String, AttributeValue>,
    source: &EventIndex,
) -> Result<EventPosition, StoreError> {
    let id = item.get("id").and_then(|value| value.as_s().ok()).and_then(|id| id.parse().ok());
    let sort = item.get(source.sort).and_then(|value| value.as_n().ok()).and_then(|sort| sort.parse().ok());
    match (sort, id) {
        (Some(sort), Some(id)) => Ok(EventPosition { sort, id }),
        _ => {
            Err(StoreError::new("listing events", format!("an entry of index `{}` has no key", source.index)))
        }
    }
}
