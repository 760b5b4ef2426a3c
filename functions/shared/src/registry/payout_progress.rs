//! What the fetching of payouts' transactions keeps from one run to the next: how far the night's lists are,
//! what the last night found, and what Stripe refuses.
//!
//! Only the holder of the import's lease writes it, so it needs no revision.

use serde::{Deserialize, Serialize};

use super::progress::{AccountList, Halt, ListPosition, RefusedKind, Sampled};
use super::{Registry, THE_STACK};
use crate::account::AccountKey;
use crate::aws::StoreError;
use crate::stripe::StripeFailure;
use crate::unix_time::{UnixMillis, UnixSeconds};

pub(super) const PAYOUTS: &str = "payouts";

/// How the fetching of payouts' transactions is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutProgress {
    /// The night's work under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<BalancePass>,
    /// The last night's that was finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<FinishedBalancePass>,
    /// Why the last run got no further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<Halt>,
    /// Accounts with payouts that wait, whose transactions the key may not list.
    #[serde(default)]
    pub refused: Sampled<RefusedKind>,
}

/// A night's work under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalancePass {
    /// When it was begun.
    pub begun_at: UnixMillis,
    /// Transactions are listed that were made in this second or later.
    pub since: UnixSeconds,
    /// How far the list of connected accounts is, which comes first.
    #[serde(default)]
    pub connected: AccountList,
    /// The account that it is at. Accounts are gone through in the order of their keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountKey>,
    /// Whether the account is done.
    #[serde(default)]
    pub is_account_done: bool,
    /// The list that it is at.
    pub list: BalanceList,
    /// The object that came last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ListPosition>,
    /// So many runs have halted at the next page, because Stripe gave no answer to it.
    #[serde(default)]
    pub unanswered: u32,
    /// Objects that Stripe listed.
    pub looked_at: u64,
    /// Records written.
    pub written: u64,
    /// Lists that Stripe refuses, or never answers.
    pub refused: Sampled<RefusedKind>,
    /// Whether a list of transactions is among them.
    #[serde(default)]
    pub is_incomplete: bool,
}

/// A list of the night's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceList {
    /// Payouts of the last weeks.
    Payouts,
    /// Balance transactions since the last night.
    Transactions,
}

/// A night's work that was finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedBalancePass {
    /// When it was begun.
    pub begun_at: UnixMillis,
    /// When it was finished.
    pub finished_at: UnixMillis,
    /// All transactions made until then were listed.
    pub listed_until: UnixSeconds,
    /// Payouts and transactions that Stripe listed.
    pub looked_at: u64,
    /// Records written.
    pub written: u64,
    /// Lists that Stripe refuses, or never answers.
    pub refused: Sampled<RefusedKind>,
    /// Why the connected accounts were not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_failure: Option<StripeFailure>,
}

impl PayoutProgress {
    /// Replaces the accounts whose transactions the key may not list.
    pub fn set_refused_lists(&mut self, lists: Vec<RefusedKind>) {
        self.refused = Sampled::default();
        lists.into_iter().for_each(|list| self.refused.add(list));
    }
}

impl BalancePass {
    /// A night's work at its beginning.
    pub fn begun(begun_at: UnixMillis, since: UnixSeconds) -> Self {
        Self {
            begun_at,
            since,
            connected: AccountList::default(),
            account: None,
            is_account_done: false,
            list: BalanceList::Payouts,
            after: None,
            unanswered: 0,
            looked_at: 0,
            written: 0,
            refused: Sampled::default(),
            is_incomplete: false,
        }
    }

    /// Whether an account is still to be gone through.
    pub fn is_left(&self, account: &AccountKey) -> bool {
        match &self.account {
            None => true,
            Some(current) if self.is_account_done => account > current,
            Some(current) => account >= current,
        }
    }

    /// Goes on with an account, from the beginning of its first list if it is another.
    pub fn enter(&mut self, account: &AccountKey) {
        if self.account.as_ref() != Some(account) {
            self.account = Some(account.clone());
            self.is_account_done = false;
            self.list = BalanceList::Payouts;
            self.start_list();
        }
    }

    /// Leaves the list that it is at.
    pub fn leave_list(&mut self) {
        match self.list {
            BalanceList::Payouts => self.list = BalanceList::Transactions,
            BalanceList::Transactions => self.is_account_done = true,
        }
        self.start_list();
    }

    fn start_list(&mut self) {
        self.after = None;
        self.unanswered = 0;
    }
}

impl Registry {
    /// Keeps how the fetching of payouts' transactions is.
    ///
    /// # Errors
    /// If it could not be written, or it is not known whether it was.
    pub async fn store_payout_progress(&self, progress: &PayoutProgress) -> Result<(), StoreError> {
        self.put_unconditionally(PAYOUTS, THE_STACK, progress, "keeping how far the payouts are").await
    }
}
