//! Stores in the registry which connected accounts events come from, once an account and process, so that
//! reconciliation knows which accounts to compare.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use shared::account::AccountKey;
use shared::aws::error_chain;
use shared::ledger::LedgerRow;
use shared::object_key::ObjectKey;
use shared::registry::Registry;

/// The connected accounts that this process has recorded.
#[derive(Debug, Default)]
pub(crate) struct ConnectedAccounts(Mutex<BTreeSet<AccountKey>>);

/// Returns the connected accounts whose events the rows hold.
pub(crate) fn connected_accounts(rows: &[LedgerRow]) -> BTreeSet<AccountKey> {
    let accounts = rows.iter().filter_map(|row| row.object.as_ref()).map(ObjectKey::account_key);
    accounts.filter(|account| account.connected().is_some()).cloned().collect()
}

impl ConnectedAccounts {
    /// Records those of these accounts that this process has not recorded yet. One that cannot be recorded,
    /// and those after it, are recorded with their next event.
    pub(crate) async fn record(&self, accounts: BTreeSet<AccountKey>, registry: &Registry, now: Timestamp) {
        let recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for account in accounts.difference(&recorded) {
            if let Err(error) = registry.record_connected_account(account, now).await {
                tracing::warn!(
                    error = error_chain(&error),
                    event.account = %account,
                    "a connected account could not be recorded"
                );
                return;
            }
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone());
        }
    }
}
