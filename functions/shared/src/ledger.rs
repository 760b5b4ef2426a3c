//! The ledger: one row an event, with its state and its payload. The ledger is the queue.
//!
//! Keys: `id` (the event's) and `part` (0 is the row; 1 lists it under a second object; a payload too large
//! for one item lies in parts far above). Indexes, keys only:
//! - `open`: rows that are not final, by `<state>#<shard>` and `due_at`. The sweep reads it, status counts
//!   it.
//! - `object`: all events of one object, by when Stripe made them.
//! - `day`: all events of one day, by when they came in.
//!
//! Rules: a row is written once, under the condition that there is none. After that only its state changes
//! (`change`), under the condition that it is not final and that nobody else has tried since (`attempts`).
//! What is final expires; what waits for the program or for an admin never does. No index holds what changes
//! while a row is open but `open` itself, which has to. The keys of `open` and `day` are spread over shards,
//! because one key takes 1,000 writes a second.

mod bodies;
mod erase;
mod lists;
mod open;
mod retention;
mod row;
mod state;
mod transition;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;

pub use self::lists::{EventListing, EventPage, EventPosition};
pub use self::open::{COUNTED, OpenCount};
pub use self::retention::Retention;
pub use self::row::{EventSource, LedgerRow, PastState, StoredPayload};
pub use self::state::EventState;
pub use self::transition::{Actor, Transition, Transitioned};
use crate::aws::{StoreError, error_chain};
use crate::batch_get::Patience;
use crate::event::EventId;
use crate::payload::PayloadError;
use crate::unix_time::UnixSeconds;

/// The largest payload, packed, that lies in the row itself. DynamoDB takes 400 kB an item (Service Quotas);
/// the rest of a row has under 25 kB: its texts are cut, and its history is bounded.
pub const MAX_IN_ROW: usize = 380_000;

/// What has expired is gone, also before DynamoDB has removed it.
const IF_NOT_THERE: &str = "attribute_not_exists(id) OR expires_at <= :now";

/// The table of events.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
    patience: Patience,
}

/// What recording an event came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was not known and is stored now.
    New,
    /// It had been stored before.
    Duplicate,
}

impl Ledger {
    /// The ledger in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), patience: Patience::default() }
    }

    /// The same table for work in the background: batches that DynamoDB cannot complete are repeated for
    /// longer, because nobody waits for an answer.
    #[must_use]
    pub fn in_background(self) -> Self {
        Self { patience: Patience::Background, ..self }
    }

    /// Stores an event, once: one write, or for a very large payload its parts first and the row last, so
    /// that a row is always whole. A write that was done although its answer got lost meets itself when it is
    /// tried again, and counts as new. Of a duplicate in another form, the parts are taken back; where that
    /// fails they stay, and it is a duplicate all the same: the event is stored.
    ///
    /// # Errors
    /// If the row could not be stored, or it is not known whether it was. Storing it again is always right.
    pub async fn record(&self, row: &LedgerRow) -> Result<Recorded, StoreError> {
        let doing = "storing an event";
        let mut item: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(row).map_err(StoreError::doing(doing))?;
        let split = row.body.as_ref().and_then(StoredPayload::split);
        if let Some((start, parts)) = &split {
            item.insert("parts".to_owned(), number(parts.len()));
            item.insert("parts_at".to_owned(), number(*start));
            item.remove("body");
            for (part, bytes) in (*start..).zip(parts) {
                self.put_part(row, part, bytes).await?;
            }
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(IF_NOT_THERE)
            .expression_attribute_values(":now", number(UnixSeconds::from(row.received_at)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put.map_err(|error| error.into_service_error()) {
            Ok(_) => Ok(Recorded::New),
            Err(PutItemError::ConditionalCheckFailedException(refused)) => {
                let Some(stored) = refused.item() else { return Ok(Recorded::Duplicate) };
                if row.is_same_receipt(stored) {
                    return Ok(Recorded::New);
                }
                if let Some((start, parts)) = split.filter(|(start, _)| !names_parts(stored, *start)) {
                    for (part, _) in (start..).zip(parts) {
                        if let Err(error) = self.take_part_back(row, part).await {
                            tracing::warn!(error = error_chain(&error), "parts that no row names are left");
                            break;
                        }
                    }
                }
                Ok(Recorded::Duplicate)
            }
            Err(error) => Err(StoreError::new(doing, error)),
        }
    }

    /// A part that is there already holds these very bytes, because its number is made from them; and it may
    /// be due to expire.
    async fn put_part(&self, row: &LedgerRow, part: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("id", AttributeValue::S(row.id.to_string()))
            .item("part", number(part))
            .item("body", AttributeValue::B(Blob::new(bytes)))
            .condition_expression(IF_NOT_THERE)
            .expression_attribute_values(":now", number(UnixSeconds::from(row.received_at)))
            .send()
            .await;
        match put.map_err(|error| error.into_service_error()) {
            Ok(_) | Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
            Err(error) => Err(StoreError::new("storing a part of an event", error)),
        }
    }

    /// Overwrites a part that no row names by nothing, which is gone at once: nobody would ever find it.
    async fn take_part_back(&self, row: &LedgerRow, part: u64) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("id", AttributeValue::S(row.id.to_string()))
            .item("part", number(part))
            .item("expires_at", number(UnixSeconds::from(row.received_at)))
            .send()
            .await;
        put.map_err(StoreError::doing("taking a part of an event back"))?;
        Ok(())
    }

    /// One row, read consistently, with its payload unless that lies in parts (see [`Ledger::body`]). None
    /// also for one that has expired: DynamoDB removes those within days.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&self, id: &EventId, now: Timestamp) -> Result<Option<LedgerRow>, StoreError> {
        let doing = "reading an event";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_string()))
            .key("part", AttributeValue::N("0".to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::doing(doing))?;
        let row: Option<LedgerRow> =
            answer.item.map(serde_dynamo::from_item).transpose().map_err(StoreError::doing(doing))?;
        Ok(row.filter(|row| !row.is_gone(now)))
    }

    /// The payload of a row as it came in, put together from its parts if need be. Inside, an error that
    /// trying again does not mend: the payload is damaged.
    ///
    /// # Errors
    /// If a part cannot be read.
    pub async fn body(&self, row: &LedgerRow) -> Result<Result<Vec<u8>, PayloadError>, StoreError> {
        let Some(mut stored) = row.body.clone() else { return Ok(Err(PayloadError::Missing)) };
        for part in row.part_numbers() {
            match self.part(&row.id, part).await? {
                Some(bytes) => stored.bytes.extend(bytes),
                None => return Ok(Err(PayloadError::Missing)),
            }
        }
        Ok(stored.unpack())
    }

    async fn part(&self, id: &EventId, part: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let doing = "reading a part of an event";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_string()))
            .key("part", AttributeValue::N(part.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::doing(doing))?;
        Ok(match answer.item.and_then(|mut item| item.remove("body")) {
            Some(AttributeValue::B(blob)) => Some(blob.into_inner()),
            Some(_) | None => None,
        })
    }

    fn update(&self, id: &EventId, part: u64) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_string()))
            .key("part", number(part))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// Whether the stored row's payload lies in the parts from this number on.
fn names_parts(stored: &HashMap<String, AttributeValue>, start: u64) -> bool {
    stored.get("parts_at") == Some(&number(start))
}

fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
