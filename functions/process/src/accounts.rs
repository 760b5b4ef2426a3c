//! Notes from which connected accounts events come, so that reconciliation knows whom to ask for: once an account and process.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use shared::aws::chain;
use shared::ledger::Row;
use shared::object_key::ObjectKey;
use shared::registry::Registry;

#[derive(Debug, Default)]
pub(crate) struct Accounts(Mutex<BTreeSet<String>>);

impl Accounts {
    /// Notes the accounts of these rows that this process has not noted yet. One that cannot be noted is noted with its next event.
    pub(crate) async fn note(&self, rows: &[Row], registry: &Registry, now: Timestamp) {
        let of = |row: &Row| row.object.as_ref().and_then(ObjectKey::account).map(str::to_owned);
        let here: BTreeSet<String> = rows.iter().filter_map(of).collect();
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for account in here.difference(&noted) {
            match registry.note_account(account, now).await {
                Ok(()) => {
                    self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone());
                }
                Err(error) => {
                    tracing::warn!(
                        error = chain(&error),
                        event.account = account,
                        "an account could not be noted"
                    );
                }
            }
        }
    }
}
