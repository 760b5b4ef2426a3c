//! What reconciliation keeps from one run to the next: how far events have been compared, which connected
//! accounts there are, and the health snapshot it gathered.
//!
//! Only its holder writes, while it holds the lease; so these rows need no revision.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Registry;
use crate::account::AccountKey;
use crate::aws::StoreError;
use crate::health::HealthSnapshot;
use crate::unix_time::UnixSeconds;

const COMPARED: &str = "compared";
const ACCOUNT: &str = "account";
pub(super) const HEALTH: &str = "facts";

/// How far an account's events have been compared with the ledger. Seconds are those of Stripe's
/// `created`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileProgress {
    /// All events stamped up to this second have been.
    pub until: UnixSeconds,
    /// A window after that which was not finished: Stripe lists the newest first, so it is done from its end
    /// backwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<TimeWindow>,
    /// Whether Stripe did not answer for it last time. Then the other accounts come first.
    #[serde(default)]
    pub failed: bool,
    /// Up to which second it should have been compared when Stripe last refused it to the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<UnixSeconds>,
}

/// A window of seconds whose later part is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeWindow {
    /// Its last second.
    pub end: UnixSeconds,
    /// Everything after this second is done; of this one, perhaps not all.
    pub down_to: UnixSeconds,
}

impl Registry {
    /// How far events have been compared, by account.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn reconcile_progress(&self) -> Result<BTreeMap<AccountKey, ReconcileProgress>, StoreError> {
        #[derive(Deserialize)]
        struct ProgressRow {
            name: AccountKey,
            #[serde(flatten)]
            compared: ReconcileProgress,
        }
        let rows: Vec<ProgressRow> = self.query(COMPARED, "", "reading how far events were compared").await?;
        Ok(rows.into_iter().map(|row| (row.name, row.compared)).collect())
    }

    /// Stores how far an account has been compared.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn store_reconcile_progress(
        &self,
        account: &AccountKey,
        compared: &ReconcileProgress,
    ) -> Result<(), StoreError> {
        self.put_unconditionally(
            COMPARED,
            &account.to_string(),
            compared,
            "keeping how far events were compared",
        )
        .await
    }

    /// The connected accounts that events have come from.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn connected_accounts(&self) -> Result<Vec<AccountKey>, StoreError> {
        #[derive(Deserialize)]
        struct ConnectedAccount {
            name: AccountKey,
        }
        let rows: Vec<ConnectedAccount> = self.query(ACCOUNT, "", "reading the connected accounts").await?;
        Ok(rows.into_iter().map(|row| row.name).collect())
    }

    /// Notes that an event has come from a connected account.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn record_connected_account(
        &self,
        account: &AccountKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("kind", AttributeValue::S(ACCOUNT.to_owned()))
            .key("name", AttributeValue::S(account.to_string()))
            .update_expression("SET seen_at = if_not_exists(seen_at, :now)")
            .expression_attribute_values(":now", AttributeValue::N(now.as_millisecond().to_string()))
            .send()
            .await
            .map_err(StoreError::doing("noting a connected account"))?;
        Ok(())
    }

    /// Stores the health snapshot.
    ///
    /// # Errors
    /// If it could not be written.
    pub async fn store_health_snapshot(&self, snapshot: &HealthSnapshot) -> Result<(), StoreError> {
        self.put_unconditionally(HEALTH, super::THE_STACK, snapshot, "keeping what was gathered").await
    }

    /// Puts a row whatever stands there.
    pub(super) async fn put_unconditionally<T: Serialize>(
        &self,
        kind: &str,
        name: &str,
        row: &T,
        doing: &'static str,
    ) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(row).map_err(StoreError::doing(doing))?))
            .item("kind", AttributeValue::S(kind.to_owned()))
            .item("name", AttributeValue::S(name.to_owned()))
            .send()
            .await
            .map_err(StoreError::doing(doing))?;
        Ok(())
    }
}
