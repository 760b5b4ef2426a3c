//! Whether an object that Stripe does not know is gone, or the key may be of another account than the
//! records.
//!
//! Test clocks and "delete all test data" remove objects each day, and events of them are here. So one object
//! that Stripe does not know says nothing about the key; the account in which Stripe looked does.

use std::collections::BTreeMap;

use shared::account::AccountKey;
use shared::object_key::ObjectKey;
use shared::registry::Halt;
use shared::stripe::Session;

/// The account of the records here, and the accounts in which Stripe looks. Each is asked for once a run.
#[derive(Debug)]
pub(crate) struct OwnAccount<'a> {
    /// `acct_…`; none if Stripe has never named it.
    known: Option<&'a str>,
    is_right: BTreeMap<AccountKey, bool>,
}

impl<'a> OwnAccount<'a> {
    pub(crate) fn new(known: Option<&'a str>) -> Self {
        Self { known, is_right: BTreeMap::new() }
    }

    /// Whether an object that Stripe does not know is gone: Stripe looked in the account that it belongs to.
    /// Where that is not known, a wrong key cannot be told from an object that is gone.
    ///
    /// # Errors
    /// The halt, if Stripe does not answer now.
    pub(crate) async fn is_gone(&mut self, session: &Session<'_>, key: &ObjectKey) -> Result<bool, Halt> {
        let Some(expected) = key.account().or(self.known) else { return Ok(false) };
        if let Some(is_right) = self.is_right.get(key.account_key()) {
            return Ok(*is_right);
        }
        let is_right = match session.account_acted_for(key.account()).await {
            Ok(account) => account.as_deref() == Some(expected),
            Err(error) => match Halt::try_from(error) {
                Ok(halt) => return Err(halt),
                Err(_) => false,
            },
        };
        self.is_right.insert(key.account_key().clone(), is_right);
        Ok(is_right)
    }
}
