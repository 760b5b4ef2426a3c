//! The ledger: one row an event, with its state and its payload. The ledger is the queue.
//!
//! Keys: `id` (the event's) and `part` (0 is the row; a payload too large for one item lies in parts above). Indexes, keys only:
//! - `open`: rows that are not final, by `<state>#<shard>` and `due_at`. The sweep reads it, status counts it.
//! - `object`: all events of one object, by when Stripe made them.
//! - `day`: all events of one day, by when they came in.
//!
//! Rules: a row is written once, under the condition that there is none. After that only its state changes, under the condition
//! that it is not final and that nobody else has tried since (`attempts`). No index holds what changes while a row is open but
//! `open` itself, which has to. The keys of `open` and `day` are spread over shards, because one key takes 1,000 writes a second.

mod lists;
mod row;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;

pub use self::lists::{COUNTED, EventPage, Listing, OpenCount, Position};
pub use self::row::{Body, Row, State};
use crate::aws::StoreError;
use crate::event::EventId;

/// The largest payload, packed, that lies in the row itself. DynamoDB takes 400 kB an item (Service Quotas); the rest of a row
/// is under 10 kB: its texts are cut.
pub const MAX_IN_ROW: usize = 380_000;

/// The table of events.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// What recording an event came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was not known and is stored now.
    New,
    /// It had been stored before.
    Duplicate,
}

/// What marking a row came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// The row says so now.
    Done,
    /// The row is final, or somebody else has tried it since it was read. Nothing was changed.
    Overtaken,
}

/// A state to put a row into, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The new state.
    pub state: State,
    /// Why: for `ignored`, `quarantined`, `failed` and `dead`.
    pub reason: Option<String>,
    /// When it is to be tried next: for `failed`.
    pub due_at: Option<Timestamp>,
}

impl Mark {
    /// A state that says everything.
    pub fn plain(state: State) -> Self {
        Self { state, reason: None, due_at: None }
    }

    /// A state and its reason.
    pub fn because(state: State, reason: impl Into<String>) -> Self {
        Self { state, reason: Some(reason.into()), due_at: None }
    }
}

impl Ledger {
    /// The ledger in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Stores an event, once: one write, or for a very large payload its parts first and the row last, so that a row is always
    /// whole. A write that was done although its answer got lost meets itself when it is tried again, and counts as new.
    ///
    /// # Errors
    /// If the row could not be stored, or nobody can tell whether it was. Storing it again is always right.
    pub async fn record(&self, row: &Row) -> Result<Recorded, StoreError> {
        let doing = "storing an event";
        let mut item: std::collections::HashMap<String, AttributeValue> =
            serde_dynamo::to_item(row).map_err(StoreError::while_(doing))?;
        if let Some((start, parts)) = row.body.as_ref().and_then(Body::split) {
            item.insert("parts".to_owned(), number(parts.len()));
            item.insert("parts_at".to_owned(), number(start));
            item.remove("body");
            for (part, bytes) in (start..).zip(parts) {
                self.put_part(&row.id, part, bytes).await?;
            }
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put.map_err(|error| error.into_service_error()) {
            Ok(_) => Ok(Recorded::New),
            Err(PutItemError::ConditionalCheckFailedException(refused)) => {
                let ours = refused.item().is_some_and(|old| row.is_same_receipt(old));
                Ok(if ours { Recorded::New } else { Recorded::Duplicate })
            }
            Err(error) => Err(StoreError::new(doing, error)),
        }
    }

    async fn put_part(&self, id: &EventId, part: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("id", AttributeValue::S(id.to_string()))
            .item("part", AttributeValue::N(part.to_string()))
            .item("body", AttributeValue::B(Blob::new(bytes)))
            .send()
            .await
            .map_err(StoreError::while_("storing a part of an event"))?;
        Ok(())
    }

    /// One row, read consistently, with its payload unless that lies in parts (see [`Ledger::body`]).
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&self, id: &EventId) -> Result<Option<Row>, StoreError> {
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
            .map_err(StoreError::while_(doing))?;
        answer.item.map(serde_dynamo::from_item).transpose().map_err(StoreError::while_(doing))
    }

    /// The payload of a row as it came in, put together from its parts if need be.
    ///
    /// # Errors
    /// If a part cannot be read, or the payload is damaged.
    pub async fn body(&self, row: &Row) -> Result<Vec<u8>, StoreError> {
        let doing = "reading an event's payload";
        let mut stored = row.body.clone().ok_or_else(|| StoreError::new(doing, "the row has no payload"))?;
        if let (Some(start), Some(count)) = (row.parts_at, row.parts) {
            for part in start..start + count {
                stored.bytes.extend(self.part(&row.id, part).await?);
            }
        }
        stored.unpack().map_err(StoreError::while_(doing))
    }

    async fn part(&self, id: &EventId, part: u64) -> Result<Vec<u8>, StoreError> {
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
            .map_err(StoreError::while_(doing))?;
        match answer.item.and_then(|mut item| item.remove("body")) {
            Some(AttributeValue::B(blob)) => Ok(blob.into_inner()),
            _ => Err(StoreError::new(doing, "the part is missing")),
        }
    }

    /// Puts a row into a state, if it is still open and nobody has tried it since it was read.
    ///
    /// # Errors
    /// If the row could not be written, or nobody can tell whether it was.
    pub async fn mark(&self, row: &Row, mark: &Mark, now: Timestamp) -> Result<Marked, StoreError> {
        let mut update = self
            .key(&row.id)
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":state", AttributeValue::S(mark.state.as_str().to_owned()))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":attempts", number(row.attempts))
            .expression_attribute_values(":pending", AttributeValue::S(State::Pending.as_str().to_owned()))
            .expression_attribute_values(":failed", AttributeValue::S(State::Failed.as_str().to_owned()))
            .condition_expression("#state IN (:pending, :failed) AND attempts = :attempts");
        let mut set = vec!["#state = :state", "marked_at = :now"];
        let mut remove = Vec::new();
        match &mark.reason {
            Some(reason) => {
                update = update.expression_attribute_values(":reason", AttributeValue::S(row::cut(reason)));
                set.push("reason = :reason");
            }
            None => remove.push("reason"),
        }
        match row::open_key(mark.state, &row.id) {
            Some(open) => {
                let due_at = mark.due_at.unwrap_or(now);
                update = update
                    .expression_attribute_values(":open", AttributeValue::S(open))
                    .expression_attribute_values(":due_at", number(due_at.as_millisecond()));
                set.extend(["#open = :open", "due_at = :due_at"]);
            }
            None => remove.extend(["#open", "due_at"]),
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&remove.join(", "));
        }
        // A mark whose answer got lost counts as overtaken: whoever did it, the row says so.
        overtaken(update.update_expression(expression).send().await, |_| false, "marking an event")
    }

    /// Takes a row to try it: counts the attempt and moves its due time, so that nobody else takes it before `due_at`, and so
    /// that an event which kills its process is counted too. Gives the row as it stands then.
    ///
    /// # Errors
    /// If the row could not be written, or nobody can tell whether it was.
    pub async fn claim(&self, row: &Row, due_at: Timestamp) -> Result<Option<Row>, StoreError> {
        let attempts = row.attempts + 1;
        let taken_by = uuid::Uuid::new_v4().simple().to_string()[..12].to_owned();
        let update = self
            .key(&row.id)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":attempts", number(row.attempts))
            .expression_attribute_values(":next", number(attempts))
            .expression_attribute_values(":due_at", number(due_at.as_millisecond()))
            .expression_attribute_values(":taken_by", AttributeValue::S(taken_by.clone()))
            .expression_attribute_values(":pending", AttributeValue::S(State::Pending.as_str().to_owned()))
            .expression_attribute_values(":failed", AttributeValue::S(State::Failed.as_str().to_owned()))
            .condition_expression("#state IN (:pending, :failed) AND attempts = :attempts")
            .update_expression("SET attempts = :next, due_at = :due_at, taken_by = :taken_by");
        let ours = |old: &Row| old.taken_by.as_deref() == Some(&taken_by);
        match overtaken(update.send().await, ours, "claiming an event")? {
            Marked::Done => {
                let mut claimed = row.clone();
                claimed.attempts = attempts;
                claimed.due_at = Some(due_at.as_millisecond());
                Ok(Some(claimed))
            }
            Marked::Overtaken => Ok(None),
        }
    }

    fn key(
        &self,
        id: &EventId,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_string()))
            .key("part", AttributeValue::N("0".to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Reads the answer to a conditional update. One that was done although its answer got lost meets itself when the SDK tries again:
/// `ours` tells by what stands there.
fn overtaken<T>(
    answer: Result<T, aws_sdk_dynamodb::error::SdkError<UpdateItemError>>,
    ours: impl Fn(&Row) -> bool,
    doing: &'static str,
) -> Result<Marked, StoreError> {
    match answer.map_err(|error| error.into_service_error()) {
        Ok(_) => Ok(Marked::Done),
        Err(UpdateItemError::ConditionalCheckFailedException(refused)) => {
            let old: Option<Row> = refused.item.and_then(|item| serde_dynamo::from_item(item).ok());
            Ok(if old.as_ref().is_some_and(ours) { Marked::Done } else { Marked::Overtaken })
        }
        Err(error) => Err(StoreError::new(doing, error)),
    }
}
