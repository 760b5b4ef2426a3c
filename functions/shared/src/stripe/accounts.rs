//! `/v1/accounts`: the accounts that are connected to the key's.

use reqwest::Method;
use serde_json::Value;
use serde_json::value::RawValue;

use super::call::{Call, Session, StripeResponse};
use super::error::StripeError;
use super::page::ListPage;
use crate::lossy_json;

/// A page of connected accounts.
#[derive(Debug)]
pub struct AccountsPage {
    /// Each as Stripe shows it.
    pub accounts: Vec<Box<RawValue>>,
    /// The id of the last one.
    pub last: Option<String>,
    /// Whether there are more, older ones.
    pub more: bool,
}

impl Session<'_> {
    /// A page of the connected accounts, the one that was connected last first: a hundred, or as many as fit
    /// into an answer. A restricted key needs `rak_connected_account_read`; to an account that is no platform
    /// Stripe refuses the list.
    ///
    /// # Errors
    /// See [`StripeError`]; [`StripeError::is_gone_cursor`] if the account `after` has left.
    pub async fn connected_accounts(
        &self,
        after: Option<&str>,
    ) -> Result<StripeResponse<AccountsPage>, StripeError> {
        let mut call = Call::new(Method::GET, &["accounts"]);
        if let Some(after) = after {
            call = call.param("starting_after", after);
        }
        let page = self.page(&call).await?;
        Ok(page.map(|ListPage { items, oversized, more }| {
            let last = oversized.map(|account| account.id).or_else(|| {
                let account: Value = lossy_json::from_str(items.last()?.get()).ok()?;
                account["id"].as_str().map(str::to_owned)
            });
            AccountsPage { accounts: items, last, more }
        }))
    }
}
