//! The audit: who did what, when, from where. Rows are only ever added.
//!
//! Keys: `year` (UTC) and `at` (the time and a random end, so that two entries of one millisecond are two
//! rows). Changes by people are few, so a year is one list.
//!
//! The rule: no row is put over another. The random end is long enough that a row which is there already is
//! this very one.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::access::{Caller, FORBIDDEN};
use crate::aws::{StoreError, error_chain};
use crate::http::ApiError;

/// An answer waits no longer for its row.
const WRITTEN_WITHIN: Duration = Duration::from_secs(4);

/// The result of what was done.
pub const DONE: &str = "done";

/// Bytes of a position; those made here are far shorter.
const LONGEST_POSITION: usize = 255;

/// The first year in which there can be a row.
const FIRST_YEAR: i16 = 2026;

/// The table of the audit.
#[derive(Debug, Clone)]
pub struct Audit {
    client: Client,
    table: String,
}

/// One action of a signed-in person, of somebody whom IAM let invoke a function, or of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    year: String,
    at: String,
    /// When, of an entry whose place in the list is the beginning of its hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_at: Option<String>,
    /// What was done, such as `endpoint.register`.
    pub action: String,
    /// To what: an endpoint's name, `stripe-key`.
    pub target: String,
    /// The token's `sub`, `iam` or `schedule`.
    pub subject: String,
    /// What a direct invocation says of itself: subject, e-mail and address, as far as it gives them. Nobody
    /// has checked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<String>,
    /// Lambda's id of a direct invocation, by which `CloudTrail` names who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The token's `email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The address the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `done`, or the code of the error it was answered with.
    pub result: String,
    /// What it was before, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it became, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl AuditEntry {
    /// Something done, or tried, by `caller`.
    pub fn new(caller: &Caller, action: &str, target: &str, result: &str, now: Timestamp) -> Self {
        Self {
            year: year(now).to_string(),
            // Milliseconds always written out, so that texts sort as times do.
            at: format!("{}#{}", now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"), uuid::Uuid::new_v4().simple()),
            action: action.to_owned(),
            target: target.to_owned(),
            subject: caller.subject.clone(),
            claimed: caller.claimed.clone(),
            request_id: caller.request_id.clone(),
            first_at: None,
            email: caller.email.clone(),
            address: caller.address.clone(),
            result: result.to_owned(),
            before: None,
            after: None,
        }
    }

    /// When, RFC 3339 in UTC.
    pub fn at(&self) -> &str {
        let placed_at = || self.at.split_once('#').map_or(self.at.as_str(), |(at, _)| at);
        self.first_at.as_deref().unwrap_or_else(placed_at)
    }

    /// The same entry, of which there is one an hour for each subject and action: later ones are left out. So
    /// somebody who may do nothing cannot fill the audit.
    fn once_an_hour(self) -> Self {
        let hour = self.at.get(..13).unwrap_or_default();
        let digest = Sha256::digest(format!("{} {}", self.subject, self.action));
        let at = format!("{hour}:00:00.000Z#{}", hex::encode(&digest[..16]));
        Self { first_at: Some(self.at().to_owned()), at, ..self }
    }

    /// Its place in the list.
    pub fn position(&self) -> &str {
        &self.at
    }
}

/// What an action adds to its entry while it goes on, without secrets.
#[derive(Debug, Default)]
pub struct AuditDetails {
    /// What there was before.
    pub before: Option<Value>,
    /// What there is after.
    pub after: Option<Value>,
}

impl Audit {
    /// The audit in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was.
    pub async fn add(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let doing = "writing the audit";
        let item = serde_dynamo::to_item(entry).map_err(StoreError::doing(doing))?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put =
            put.condition_expression("attribute_not_exists(#at)").expression_attribute_names("#at", "at");
        match put.send().await.map_err(|error| error.into_service_error()) {
            // The SDK tries again after a write whose answer got lost, and then meets its own row.
            Ok(_) | Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
            Err(error) => Err(StoreError::new(doing, error)),
        }
    }

    /// Records what `caller` did to `target` and how it ended: `done`, or the code it is answered with. See
    /// [`Audit::record`]. Refusals of somebody without a role are one entry an hour for each action.
    pub async fn record_result<T>(
        &self,
        caller: &Caller,
        action: &str,
        target: &str,
        details: AuditDetails,
        result: &Result<T, ApiError>,
        now: Timestamp,
    ) {
        let code = result.as_ref().map_or_else(ApiError::code, |_| DONE);
        let AuditDetails { before, after } = details;
        let entry = AuditEntry { before, after, ..AuditEntry::new(caller, action, target, code, now) };
        let is_strangers = caller.role.is_none() && code == FORBIDDEN;
        self.record(&if is_strangers { entry.once_an_hour() } else { entry }).await;
    }

    /// Adds an entry of what is done or refused already. If it cannot be written, the action stands and is
    /// answered as what it is: an error would say something that is not true. The gap is logged as an error:
    /// who did what, when, and how it ended.
    ///
    /// A row before the action would close the gap, but then every action would depend on one more write, and
    /// half of the rows would say nothing of how it ended.
    pub async fn record(&self, entry: &AuditEntry) {
        let written = tokio::time::timeout(WRITTEN_WITHIN, self.add(entry)).await;
        let written = written.map_err(|late| StoreError::new("writing the audit", late)).flatten();
        if let Err(error) = written {
            tracing::error!(
                error = error_chain(&error),
                audit.action = entry.action,
                audit.target = entry.target,
                audit.subject = entry.subject,
                audit.claimed = entry.claimed,
                audit.request_id = entry.request_id,
                audit.email = entry.email,
                audit.address = entry.address,
                audit.result = entry.result,
                audit.at = entry.at(),
                "an entry is missing in the audit"
            );
        }
    }

    /// Acts before the place `from`, the latest first: at most `limit`, and the place to go on from if there
    /// are more.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn list(
        &self,
        from: Option<String>,
        limit: usize,
        now: Timestamp,
    ) -> Result<(Vec<AuditEntry>, Option<String>), StoreError> {
        let doing = "reading the audit";
        let mut entries: Vec<AuditEntry> = Vec::new();
        let from = from.unwrap_or_else(|| "9999".to_owned());
        let latest = from.get(..4).and_then(|year| year.parse().ok()).unwrap_or(i16::MAX).min(year(now));
        for year in (FIRST_YEAR..=latest).rev() {
            let mut pages = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("#year = :year AND #at < :from")
                .expression_attribute_names("#year", "year")
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":year", AttributeValue::S(year.to_string()))
                .expression_attribute_values(":from", AttributeValue::S(from.clone()))
                .scan_index_forward(false)
                .limit(i32::try_from(limit + 1 - entries.len()).unwrap_or(i32::MAX))
                .into_paginator()
                .items()
                .send();
            while entries.len() <= limit
                && let Some(item) = pages.next().await
            {
                let item = item.map_err(StoreError::doing(doing))?;
                entries.push(serde_dynamo::from_item(item).map_err(StoreError::doing(doing))?);
            }
            if entries.len() > limit {
                entries.truncate(limit);
                let next = entries.last().map(|entry| entry.position().to_owned());
                return Ok((entries, next));
            }
        }
        Ok((entries, None))
    }
}

/// Returns whether a position can be one of this list: a time, and what makes it unique. A forged one cannot.
pub fn can_contain(position: &str) -> bool {
    let Some((at, unique)) = position.split_once('#') else { return false };
    at.parse::<Timestamp>().is_ok() && !unique.is_empty() && position.len() <= LONGEST_POSITION
}

fn year(at: Timestamp) -> i16 {
    TimeZone::UTC.to_datetime(at).year()
}
