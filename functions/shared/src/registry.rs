//! The registry: the endpoints, the settings of the stack, and the progress of long work.
//!
//! Keys: `kind` and `name`. All endpoints lie under one `kind`, so that one small read gives them all;
//! receive makes that read in init and now and then. What changes often (when an endpoint had a delivery,
//! counts by the hour) has rows of its own, so that it never stands in the way of a change of an endpoint.
//!
//! The rule: an endpoint or the settings are written under the condition that they are as they were read
//! (`rev`), so that of two admins at once one wins and the other gets a conflict.

mod drift_progress;
mod endpoint_activity;
mod erasure_health;
mod erasure_job;
mod hourly_counts;
mod import_progress;
mod key_rights;
mod last_probe;
mod lease;
mod look;
mod payout_progress;
mod progress;
mod reconcile_progress;
mod stack_id;
mod status_rows;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::drift_progress::{
    Difference, DriftPass, DriftProgress, DriftReport, FinishedPass, Mismatch, UnansweredObject,
    UncomparedObject,
};
pub use self::endpoint_activity::EndpointActivity;
pub use self::erasure_job::{ErasureJob, ErasurePosition, ErasureState};
pub use self::hourly_counts::{HourlyCounts, LagCounts};
pub use self::import_progress::{AccountImport, Import, ImportState, KindProgress, ScheduledWork};
pub use self::key_rights::{KeyRight, KeyRights, Readable};
pub use self::last_probe::LastProbe;
pub use self::lease::Lease;
pub use self::look::{Look, LookKind, Turn};
pub use self::payout_progress::{BalanceList, BalancePass, FinishedBalancePass, PayoutProgress};
pub use self::progress::{AccountList, Halt, ListPosition, RefusedKind, Sampled, Stage};
pub use self::reconcile_progress::{ReconcileProgress, TimeWindow};
pub use self::status_rows::StatusRows;
use crate::aws::StoreError;
use crate::batch_get::{ItemKey, KeyValue, Patience};
use crate::endpoint::{EndpointName, EndpointRow};
use crate::retry::Retry;
use crate::unix_time::UnixMillis;

/// How long a process that does not know an endpoint's name or secret waits before it reads the endpoints
/// again. Registering answers only when it is over, so that no process can refuse the first delivery.
pub const UNKNOWN_ENDPOINT_LOOKUP_INTERVAL: Duration = Duration::from_secs(1);

const ENDPOINT: &str = "endpoint";
/// The kind of the rows of endpoint activity.
const ENDPOINT_ACTIVITY: &str = "heard";
/// The kind of the rows of last probes.
const PROBE: &str = "probe";
/// The kind of the row of the stack's id.
const STACK_ID: &str = "stack_id";
const SETTINGS: &str = "settings";
const RULES: &str = "rules";
const THE_STACK: &str = "stack";

/// The table of endpoints and settings.
#[derive(Debug, Clone)]
pub struct Registry {
    client: Client,
    table: String,
    patience: Patience,
}

/// What a conditional write came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is stored.
    Done,
    /// The row is not as it was read. Nothing was changed.
    Conflict,
}

/// What holds for the whole stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// When the first Stripe key was set. Nothing here is older.
    pub since: UnixMillis,
    /// Enough of the Stripe key to tell it from another.
    pub stripe_key_hint: String,
    /// When the key was set.
    pub stripe_key_set_at: UnixMillis,
    /// The Stripe account it belongs to, `acct_…`, if Stripe names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_account: Option<String>,
    /// Counts the changes of this row.
    pub rev: u64,
}

impl Settings {
    /// When the first Stripe key was set.
    pub fn since(&self) -> Timestamp {
        self.since.to_timestamp().unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// How events are treated, whichever endpoint brought them: an event is kept once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Patterns of event types that are kept and not applied.
    pub ignore: Vec<String>,
    /// How often and how patiently events are tried.
    pub retry: Retry,
    /// Counts the changes of this row.
    pub rev: u64,
}

/// The key of a row.
fn row_key(kind: &str, name: String) -> ItemKey {
    ItemKey::from([("kind", KeyValue::Text(kind.to_owned())), ("name", KeyValue::Text(name))])
}

impl Registry {
    /// The registry in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), patience: Patience::default() }
    }

    /// The same table for work in the background: batches that DynamoDB cannot complete are repeated for
    /// longer, because nobody waits for an answer.
    #[must_use]
    pub fn in_background(self) -> Self {
        Self { patience: Patience::Background, ..self }
    }

    /// All endpoints, by name, read consistently.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn endpoints(&self) -> Result<Vec<EndpointRow>, StoreError> {
        let doing = "reading the endpoints";
        let mut endpoints = Vec::new();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#kind = :kind")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_values(":kind", AttributeValue::S(ENDPOINT.to_owned()))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(StoreError::doing(doing))?;
            // One that cannot be read, such as of a later version of this program, must not close the door to
            // the others.
            match serde_dynamo::from_item(item) {
                Ok(endpoint) => endpoints.push(endpoint),
                Err(error) => tracing::error!(error = %error, "an endpoint's row cannot be read"),
            }
        }
        Ok(endpoints)
    }

    /// One endpoint, read consistently.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn endpoint(&self, name: &EndpointName) -> Result<Option<EndpointRow>, StoreError> {
        self.get(ENDPOINT, name.as_str(), "reading an endpoint").await
    }

    /// Stores a new endpoint, unless there is one of its name.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was.
    pub async fn insert(&self, endpoint: &EndpointRow) -> Result<Written, StoreError> {
        self.put(ENDPOINT, endpoint.name.as_str(), endpoint, None, "storing an endpoint").await
    }

    /// Replaces an endpoint, if it still is as `old`.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was.
    pub async fn replace(&self, old: &EndpointRow, new: &mut EndpointRow) -> Result<Written, StoreError> {
        new.rev = old.rev + 1;
        // A name that was removed and registered again begins to count anew.
        let as_read = Some((old.rev, Some(old.registration.as_str())));
        self.put(ENDPOINT, old.name.as_str(), new, as_read, "storing an endpoint").await
    }

    /// Removes an endpoint, its activity and its last probe, if it still is as `old`.
    ///
    /// # Errors
    /// If it could not be removed, or it is not known whether it was.
    pub async fn remove(&self, old: &EndpointRow) -> Result<Written, StoreError> {
        let doing = "removing an endpoint";
        for kind in [ENDPOINT_ACTIVITY, PROBE] {
            self.client
                .delete_item()
                .table_name(&self.table)
                .key("kind", AttributeValue::S(kind.to_owned()))
                .key("name", AttributeValue::S(old.name.to_string()))
                .send()
                .await
                .map_err(StoreError::doing(doing))?;
        }
        let removed = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("kind", AttributeValue::S(ENDPOINT.to_owned()))
            .key("name", AttributeValue::S(old.name.to_string()))
            .condition_expression("rev = :rev AND registration = :registration")
            .expression_attribute_values(":rev", AttributeValue::N(old.rev.to_string()))
            .expression_attribute_values(":registration", AttributeValue::S(old.registration.clone()))
            .send()
            .await;
        match removed.map_err(|error| error.into_service_error()) {
            Ok(_) => Ok(Written::Done),
            Err(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(Written::Conflict),
            Err(error) => Err(StoreError::new(doing, error)),
        }
    }

    /// The settings, once a Stripe key has been set.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn settings(&self) -> Result<Option<Settings>, StoreError> {
        self.get(SETTINGS, THE_STACK, "reading the settings").await
    }

    /// Stores the settings, if they still are as `old`.
    ///
    /// # Errors
    /// If they could not be written, or it is not known whether they were.
    pub async fn store_settings(
        &self,
        old: Option<&Settings>,
        new: &mut Settings,
    ) -> Result<Written, StoreError> {
        new.rev = old.map_or(0, |old| old.rev + 1);
        self.put(SETTINGS, THE_STACK, new, old.map(|old| (old.rev, None)), "storing the settings").await
    }

    /// The rules; the default ones if nobody has ever set any.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn rules(&self) -> Result<Rules, StoreError> {
        Ok(self.get(SETTINGS, RULES, "reading the rules").await?.unwrap_or_default())
    }

    /// Stores the rules, if they still are as `old`.
    ///
    /// # Errors
    /// If they could not be written, or it is not known whether they were.
    pub async fn store_rules(&self, old: &Rules, new: &mut Rules) -> Result<Written, StoreError> {
        new.rev = old.rev + 1;
        // The default ones have revision 0 and stand in no row.
        let as_read = (old.rev > 0).then_some((old.rev, None));
        self.put(SETTINGS, RULES, new, as_read, "storing the rules").await
    }

    async fn query<T: DeserializeOwned>(
        &self,
        kind: &str,
        from: &str,
        doing: &'static str,
    ) -> Result<Vec<T>, StoreError> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#kind = :kind")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_values(":kind", AttributeValue::S(kind.to_owned()));
        if !from.is_empty() {
            query = query
                .key_condition_expression("#kind = :kind AND #name >= :from")
                .expression_attribute_names("#name", "name")
                .expression_attribute_values(":from", AttributeValue::S(from.to_owned()));
        }
        let mut rows = Vec::new();
        let mut pages = query.into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(StoreError::doing(doing))?;
            rows.push(serde_dynamo::from_item(item).map_err(StoreError::doing(doing))?);
        }
        Ok(rows)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        kind: &str,
        name: &str,
        doing: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("kind", AttributeValue::S(kind.to_owned()))
            .key("name", AttributeValue::S(name.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::doing(doing))?;
        answer.item.map(serde_dynamo::from_item).transpose().map_err(StoreError::doing(doing))
    }

    /// Puts a row over the one with this `rev` (and `registration`), or where there is none. A write that was
    /// done although its answer got lost meets itself when the SDK tries it again; the row is read to tell
    /// that from a conflict.
    async fn put<T: Serialize + DeserializeOwned + PartialEq>(
        &self,
        kind: &str,
        name: &str,
        row: &T,
        as_read: Option<(u64, Option<&str>)>,
        doing: &'static str,
    ) -> Result<Written, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(row).map_err(StoreError::doing(doing))?))
            .item("kind", AttributeValue::S(kind.to_owned()))
            .item("name", AttributeValue::S(name.to_owned()));
        let put = match as_read {
            Some((rev, Some(registration))) => put
                .condition_expression("rev = :rev AND registration = :registration")
                .expression_attribute_values(":rev", AttributeValue::N(rev.to_string()))
                .expression_attribute_values(":registration", AttributeValue::S(registration.to_owned())),
            Some((rev, None)) => put
                .condition_expression("rev = :rev")
                .expression_attribute_values(":rev", AttributeValue::N(rev.to_string())),
            None => put.condition_expression("attribute_not_exists(kind)"),
        };
        match put.send().await.map_err(|error| error.into_service_error()) {
            Ok(_) => Ok(Written::Done),
            Err(PutItemError::ConditionalCheckFailedException(_)) => {
                let stored: Option<T> = self.get(kind, name, doing).await?;
                Ok(if stored.as_ref() == Some(row) { Written::Done } else { Written::Conflict })
            }
            Err(error) => Err(StoreError::new(doing, error)),
        }
    }
}
