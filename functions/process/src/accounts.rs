//! Notes from which connected accounts events come, so that reconciliation knows whom to ask for: once an account and process.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use shared::aws::error_chain;
use shared::ledger::LedgerRow;
use shared::object_key::ObjectKey;
use shared::registry::Registry;

#[derive(Debug, Default)]
pub(crate) struct Accounts(Mutex<BTreeSet<String>>);

/// The connected accounts of rows.
pub(crate) fn of(rows: &[LedgerRow]) -> BTreeSet<String> {
    let of = |row: &LedgerRow| row.object.as_ref().and_then(ObjectKey::account).map(str::to_owned);
    rows.iter().filter_map(of).collect()
}

impl Accounts {
    /// Notes those of these accounts that this process has not noted yet. One that cannot be noted, and those after it, are noted
    /// with their next event.
    pub(crate) async fn note(&self, here: BTreeSet<String>, registry: &Registry, now: Timestamp) {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for account in here.difference(&noted) {
            if let Err(error) = registry.record_connected_account(account, now).await {
                tracing::warn!(
                    error = error_chain(&error),
                    event.account = account,
                    "an account could not be noted"
                );
                return;
            }
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone());
        }
    }
}
