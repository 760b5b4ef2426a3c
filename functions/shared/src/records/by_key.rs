//! Reads of records by their keys, and writes under conditions: a record is replaced whole, where it is as it
//! was read, or older than what is written.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::{Put, Record, Records};
use crate::aws::StoreError;
use crate::batch_get::Patience;
use crate::object_key::ObjectKey;

impl Records {
    /// The records in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), patience: Patience::default() }
    }

    /// The same table for work in the background: batches that DynamoDB cannot complete are repeated for
    /// longer, because nobody waits for an answer.
    #[must_use]
    pub fn in_background(self) -> Self {
        Self { patience: Patience::Background, ..self }
    }

    /// Writes a record where there is none or an older one, without reading first. A deletion is written only
    /// where there is none: it may say less than the record whose place it takes, which comes with the
    /// refusal. So does one from which personal data is erased, which has to be reduced in what takes its
    /// place, and what something is known of beside its object, which stays with it: a payout whose
    /// transactions are here, a customer whose balance has ever changed; one with an earlier place in
    /// lists, which is kept; and where `record` names no customer, one that is listed under one, who is kept
    /// too. The last two are refused only of what does not say when it was made, and of what no longer names
    /// its customer.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was. Writing it again is always right.
    pub async fn put_if_newer(&self, record: &Record) -> Result<Put, StoreError> {
        let record = &record.clone().with_first_balance();
        let put = self.put(record)?;
        let put = if record.deleted {
            put.condition_expression("attribute_not_exists(#key)")
        } else {
            let customer = if record.index_keys.has_customer() || record.is_listed_by_payment_alone() {
                ""
            } else {
                " AND attribute_not_exists(by_customer)"
            };
            put.condition_expression(format!(
                "attribute_not_exists(#key) OR (as_of < :as_of AND attribute_not_exists(deleted) AND attribute_not_exists(erased) AND attribute_not_exists(#transactions) AND attribute_not_exists(balance_changed_at) AND #sort >= :sort{customer})",
            ))
            .expression_attribute_names("#transactions", "transactions")
            .expression_attribute_names("#sort", "sort")
            .expression_attribute_values(":as_of", AttributeValue::N(record.as_of.to_string()))
            .expression_attribute_values(":sort", AttributeValue::S(record.list_position().to_owned()))
        };
        refused(put.expression_attribute_names("#key", "key").send().await)
    }

    /// Writes a record over `old`, if that still stands there. It stands in lists where `old` does, and is
    /// without personal data if `old` is.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was. Deciding and writing again is always
    /// right.
    pub async fn replace(&self, old: &Record, new: &Record) -> Result<Put, StoreError> {
        let events = old.events.iter().map(|id| AttributeValue::S(id.to_string())).collect();
        let new = new.in_place_of(old).map_err(StoreError::doing(WRITING))?;
        // What a record is follows from its second, the events seen, the one that won, the place and whether
        // it is gone. What Stripe was asked of our own accord has no event, and for one second it is asked
        // once: its answer gives way to a later second's only.
        let event = match &old.event {
            Some(_) => "#event = :event",
            None => "attribute_not_exists(#event)",
        };
        // A deletion found by asking stands for the second of the record whose place it took, and takes over
        // its events.
        let deleted = if old.deleted { "attribute_exists(deleted)" } else { "attribute_not_exists(deleted)" };
        // What is known beside the object: two writers of it must not undo each other's.
        let mut known = known_beside(old).map_err(StoreError::doing(WRITING))?;
        let is_as_read = |name: &&str| match known.contains_key(*name) {
            true => format!("#{name} = :{name}"),
            false => format!("attribute_not_exists(#{name})"),
        };
        let beside = KNOWN_BESIDE.iter().map(is_as_read).collect::<Vec<_>>().join(" AND ");
        // Of who read it before it was erased, no write may bring the data back.
        let erased = if old.erased { "attribute_exists(erased)" } else { "attribute_not_exists(erased)" };
        let put = self
            .put(&new)?
            .condition_expression(format!(
                "as_of = :as_of AND {event} AND #events = :events AND #sort = :sort AND {deleted} AND {erased} AND {beside}"
            ))
            .expression_attribute_names("#sort", "sort")
            .expression_attribute_values(":sort", AttributeValue::S(old.list_position().to_owned()))
            .expression_attribute_names("#event", "event")
            .expression_attribute_names("#events", "events")
            .expression_attribute_values(":as_of", AttributeValue::N(old.as_of.to_string()))
            .expression_attribute_values(":events", AttributeValue::L(events));
        let put = match &old.event {
            Some(id) => put.expression_attribute_values(":event", AttributeValue::S(id.to_string())),
            None => put,
        };
        let put = KNOWN_BESIDE.iter().fold(put, |put, name| {
            let put = put.expression_attribute_names(format!("#{name}"), *name);
            match known.remove(*name) {
                Some(value) => put.expression_attribute_values(format!(":{name}"), value),
                None => put,
            }
        });
        refused(put.send().await)
    }

    /// The records of these objects, read consistently; those that are not there are left out.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn get_all(&self, keys: &[ObjectKey]) -> Result<Vec<Record>, StoreError> {
        let found = self.by_key(keys.iter().map(ToString::to_string).collect()).await?;
        Ok(found.into_values().collect())
    }

    /// One record, read consistently.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&self, key: &ObjectKey) -> Result<Option<Record>, StoreError> {
        let doing = "reading a record";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("key", AttributeValue::S(key.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::doing(doing))?;
        answer.item.map(serde_dynamo::from_item).transpose().map_err(StoreError::doing(doing))
    }

    fn put(&self, record: &Record) -> Result<PutItemFluentBuilder, StoreError> {
        let item = serde_dynamo::to_item(record).map_err(StoreError::doing(WRITING))?;
        Ok(self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld))
    }
}

const WRITING: &str = "writing a record";

/// The attributes that hold what is known of a record's object beside it.
const KNOWN_BESIDE: [&str; 4] = ["transactions", "links", "balance_changed_at", "balance_listing"];

/// What is known of a record's object beside it, as it is stored.
fn known_beside(record: &Record) -> Result<HashMap<String, AttributeValue>, serde_dynamo::Error> {
    let mut known = HashMap::new();
    if let Some(transactions) = &record.transactions {
        known.insert("transactions".to_owned(), serde_dynamo::to_attribute_value(transactions)?);
    }
    if let Some(links) = &record.links {
        known.insert("links".to_owned(), serde_dynamo::to_attribute_value(links)?);
    }
    if let Some(changed_at) = &record.balance_changed_at {
        known.insert("balance_changed_at".to_owned(), serde_dynamo::to_attribute_value(changed_at)?);
    }
    if let Some(listing) = &record.balance_listing {
        known.insert("balance_listing".to_owned(), serde_dynamo::to_attribute_value(listing)?);
    }
    Ok(known)
}

fn refused<T>(answer: Result<T, SdkError<PutItemError>>) -> Result<Put, StoreError> {
    match answer.map_err(SdkError::into_service_error) {
        Ok(_) => Ok(Put::Done),
        Err(PutItemError::ConditionalCheckFailedException(refused)) => {
            let old =
                refused.item.ok_or_else(|| StoreError::new(WRITING, "a refusal came without the record"))?;
            let old = serde_dynamo::from_item(old).map_err(StoreError::doing(WRITING))?;
            Ok(Put::Conflict(Box::new(old)))
        }
        Err(error) => Err(StoreError::refused(WRITING, error)),
    }
}
