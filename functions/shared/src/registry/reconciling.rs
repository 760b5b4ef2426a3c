//! What reconciliation keeps from one run to the next: how far events have been compared, which connected accounts there are, who
//! is at it, and the facts it gathered.
//!
//! Only its holder writes, while it holds the lease; so these rows need no revision.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Registry;
use crate::aws::StoreError;
use crate::facts::Facts;

const COMPARED: &str = "compared";
const ACCOUNT: &str = "account";
const LEASE: &str = "lease";
pub(super) const FACTS: &str = "facts";
const RECONCILE: &str = "reconcile";

/// How far an account's events have been compared with the ledger. Seconds are unix seconds of Stripe's `created`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// All events stamped up to this second have been.
    pub until: i64,
    /// A stretch after that which was not finished: Stripe lists the newest first, so it is done from its end backwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<Stretch>,
}

/// A stretch of seconds whose later part is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Its last second.
    pub end: i64,
    /// Everything after this second is done; of this one, perhaps not all.
    pub down_to: i64,
}

impl Registry {
    /// How far events have been compared, by account (`-` is our own).
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn compared(&self) -> Result<BTreeMap<String, Compared>, StoreError> {
        #[derive(Deserialize)]
        struct Row {
            name: String,
            #[serde(flatten)]
            compared: Compared,
        }
        let rows: Vec<Row> = self.query(COMPARED, "", "reading how far events were compared").await?;
        Ok(rows.into_iter().map(|row| (row.name, row.compared)).collect())
    }

    /// Keeps it.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn keep_compared(&self, account: Option<&str>, compared: &Compared) -> Result<(), StoreError> {
        self.put_over(COMPARED, account.unwrap_or("-"), compared, "keeping how far events were compared")
            .await
    }

    /// The connected accounts that events have come from.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn accounts(&self) -> Result<Vec<String>, StoreError> {
        #[derive(Deserialize)]
        struct Account {
            name: String,
        }
        let rows: Vec<Account> = self.query(ACCOUNT, "", "reading the connected accounts").await?;
        Ok(rows.into_iter().map(|row| row.name).collect())
    }

    /// Notes that an event has come from a connected account.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn note_account(&self, account: &str, now: Timestamp) -> Result<(), StoreError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("kind", AttributeValue::S(ACCOUNT.to_owned()))
            .key("name", AttributeValue::S(account.to_owned()))
            .update_expression("SET seen_at = if_not_exists(seen_at, :now)")
            .expression_attribute_values(":now", AttributeValue::N(now.as_millisecond().to_string()))
            .send()
            .await
            .map_err(StoreError::while_("noting a connected account"))?;
        Ok(())
    }

    /// Takes the lease for a time, unless somebody holds it. It ends by itself.
    ///
    /// # Errors
    /// If it could not be written, or nobody can tell whether it was.
    pub async fn take_lease(
        &self,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<bool, StoreError> {
        let number = |at: Timestamp| AttributeValue::N(at.as_millisecond().to_string());
        let taken = self
            .lease()
            .update_expression("SET ends_at = :ends_at, holder = :holder")
            .condition_expression("attribute_not_exists(ends_at) OR ends_at <= :now OR holder = :holder")
            .expression_attribute_values(":ends_at", number(now + length))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()))
            .send()
            .await;
        match taken.map_err(|error| error.into_service_error()) {
            Ok(_) => Ok(true),
            Err(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            Err(error) => Err(StoreError::new("taking the lease", error)),
        }
    }

    /// Gives the lease back, if it is still this holder's.
    ///
    /// # Errors
    /// If it could not be written; then it ends by itself.
    pub async fn give_lease_back(&self, holder: &str) -> Result<(), StoreError> {
        let given = self
            .lease()
            .update_expression("REMOVE ends_at, holder")
            .condition_expression("holder = :holder")
            .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()))
            .send()
            .await;
        match given.map_err(|error| error.into_service_error()) {
            Ok(_) | Err(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            Err(error) => Err(StoreError::new("giving the lease back", error)),
        }
    }

    fn lease(&self) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("kind", AttributeValue::S(LEASE.to_owned()))
            .key("name", AttributeValue::S(RECONCILE.to_owned()))
    }

    /// Keeps what was gathered.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn keep_facts(&self, facts: &Facts) -> Result<(), StoreError> {
        self.put_over(FACTS, super::THE_STACK, facts, "keeping what was gathered").await
    }

    async fn put_over<T: Serialize>(
        &self,
        kind: &str,
        name: &str,
        row: &T,
        doing: &'static str,
    ) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(row).map_err(StoreError::while_(doing))?))
            .item("kind", AttributeValue::S(kind.to_owned()))
            .item("name", AttributeValue::S(name.to_owned()))
            .send()
            .await
            .map_err(StoreError::while_(doing))?;
        Ok(())
    }
}
