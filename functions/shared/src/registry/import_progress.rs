//! What an import keeps from one run to the next: what is wanted, and how far each kind of each account is.
//!
//! One row (`import`) says what is wanted and how it goes. People write it too (they start and stop imports),
//! so it is written under the condition that it is as it was read. One row an account (`imported`) says how
//! far its kinds are; only the holder of the lease writes those. They name their import, whose ids grow, so
//! what a late run writes cannot take the place of a later import's.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::drift_progress::{COMPARISON, DriftProgress};
use super::payout_progress::{PAYOUTS, PayoutProgress};
use super::progress::{AccountList, Halt, ListPosition, RefusedKind, Sampled, Stage};
use super::{Registry, SETTINGS, Settings, THE_STACK, Written, row_key};
use crate::account::AccountKey;
use crate::aws::{StoreError, error_chain};
use crate::batch_get;
use crate::kind::Kind;
use crate::stripe::StripeFailure;
use crate::unix_time::{UnixMillis, UnixSeconds};

pub(super) const IMPORT: &str = "import";
const IMPORTED: &str = "imported";

/// An import: what is wanted and how it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Its id; a later import's is greater.
    pub id: String,
    /// Objects made in this second or later; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<UnixSeconds>,
    /// Of these kinds.
    pub kinds: Vec<Kind>,
    /// Who started it: an e-mail address, or the token's subject.
    pub by: String,
    /// When it was started.
    pub begun_at: UnixMillis,
    /// Whether it is still running.
    pub state: ImportState,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<UnixMillis>,
    /// When a run last got further.
    pub moved_at: UnixMillis,
    /// Why the last run got no further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<Halt>,
    /// How far the list of connected accounts is, which is looked through first.
    #[serde(default)]
    pub accounts: AccountList,
    /// Lists that Stripe refuses, or never answers.
    pub refused: Sampled<RefusedKind>,
    /// Counts the changes of this row.
    pub rev: u64,
}

/// The state of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// The schedule carries it on.
    Running,
    /// All that Stripe lists was looked at.
    Finished,
    /// An admin ended it.
    Stopped,
}

/// How far an account is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountImport {
    /// The import's id.
    pub import: String,
    /// By kind; one that is not there waits.
    pub kinds: BTreeMap<Kind, KindProgress>,
}

/// How far a kind is. Counts may be short by what a run did that died.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindProgress {
    /// Whether there is more to list.
    pub stage: Stage,
    /// Which of the kind's lists is gone through: those of the account, then those of its customers.
    #[serde(default)]
    pub list: usize,
    /// The customer whose list was gone through last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<ListPosition>,
    /// The object of the list that came last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ListPosition>,
    /// Objects that Stripe listed.
    pub looked_at: u64,
    /// Records written.
    pub written: u64,
    /// Calls to Stripe, each try counted.
    #[serde(default)]
    pub calls: u64,
    /// Objects that cannot be kept: too large, not to be read whole, or without an id. By id.
    #[serde(default)]
    pub left_out: Sampled<String>,
    /// Why Stripe refuses one of the lists, or never answers it.
    #[serde(rename = "refusal", default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<StripeFailure>,
    /// So many runs have halted at the next page, because Stripe gave no answer to it.
    #[serde(default)]
    pub unanswered: u32,
}

/// What the schedule looks at.
#[derive(Debug, Clone)]
pub struct ScheduledWork {
    /// The latest import.
    pub import: Option<Import>,
    /// The nightly comparison.
    pub drift: DriftProgress,
    /// The fetching of payouts' transactions.
    pub payouts: PayoutProgress,
    /// Once a Stripe key has been set.
    pub settings: Option<Settings>,
}

impl Registry {
    /// What there is to do, in one read.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn scheduled_work(&self) -> Result<ScheduledWork, StoreError> {
        let doing = "reading what is to be imported or compared";
        let keys = [IMPORT, COMPARISON, PAYOUTS, SETTINGS].map(|kind| row_key(kind, THE_STACK.to_owned()));
        let mut work = ScheduledWork {
            import: None,
            drift: DriftProgress::default(),
            payouts: PayoutProgress::default(),
            settings: None,
        };
        for item in batch_get::get(&self.client, &self.table, keys.into(), &[], self.patience, doing).await? {
            match item.get("kind").and_then(|kind| kind.as_s().ok()).map(String::as_str) {
                Some(IMPORT) => {
                    work.import = serde_dynamo::from_item(item).map_err(StoreError::doing(doing))?
                }
                // One of another version of this program is begun anew.
                Some(COMPARISON) => match serde_dynamo::from_item(item) {
                    Ok(drift) => work.drift = drift,
                    Err(error) => {
                        tracing::error!(
                            error = error_chain(&error),
                            "the stored progress of the comparison cannot be read"
                        )
                    }
                },
                Some(PAYOUTS) => match serde_dynamo::from_item(item) {
                    Ok(payouts) => work.payouts = payouts,
                    Err(error) => {
                        tracing::error!(
                            error = error_chain(&error),
                            "the stored progress of the payouts cannot be read"
                        )
                    }
                },
                _ => work.settings = serde_dynamo::from_item(item).map_err(StoreError::doing(doing))?,
            }
        }
        Ok(work)
    }

    /// The latest import, read consistently.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn import(&self) -> Result<Option<Import>, StoreError> {
        self.get(IMPORT, THE_STACK, "reading the import").await
    }

    /// Stores an import, if what is there still is as `old`.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was.
    pub async fn store_import(&self, old: Option<&Import>, new: &mut Import) -> Result<Written, StoreError> {
        new.rev = old.map_or(0, |old| old.rev + 1);
        self.put(IMPORT, THE_STACK, new, old.map(|old| (old.rev, None)), "storing the import").await
    }

    /// How far an import is, by account.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn account_imports(
        &self,
        import: &str,
    ) -> Result<BTreeMap<AccountKey, AccountImport>, StoreError> {
        #[derive(Deserialize)]
        struct AccountImportRow {
            name: AccountKey,
            #[serde(flatten)]
            imported: AccountImport,
        }
        let rows: Vec<AccountImportRow> = self.query(IMPORTED, "", "reading how far the import is").await?;
        let of_it = rows.into_iter().filter(|row| row.imported.import == import);
        Ok(of_it.map(|row| (row.name, row.imported)).collect())
    }

    /// Keeps how far an account is, unless a later import has taken its place.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was.
    pub async fn store_account_import(
        &self,
        account: &AccountKey,
        imported: &AccountImport,
    ) -> Result<Written, StoreError> {
        let doing = "keeping how far the import is";
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(imported).map_err(StoreError::doing(doing))?))
            .item("kind", AttributeValue::S(IMPORTED.to_owned()))
            .item("name", AttributeValue::S(account.to_string()))
            .condition_expression("attribute_not_exists(#import) OR #import <= :import")
            .expression_attribute_names("#import", "import")
            .expression_attribute_values(":import", AttributeValue::S(imported.import.clone()))
            .send()
            .await;
        match put.map_err(|error| error.into_service_error()) {
            Ok(_) => Ok(Written::Done),
            Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(Written::Conflict),
            Err(error) => Err(StoreError::new(doing, error)),
        }
    }
}

impl Import {
    /// When it was started.
    pub fn begun_at(&self) -> Option<Timestamp> {
        self.begun_at.to_timestamp()
    }

    /// Returns whether it is the import of this id and is running.
    pub fn goes_on(&self, id: &str) -> bool {
        self.id == id && self.state == ImportState::Running
    }
}
