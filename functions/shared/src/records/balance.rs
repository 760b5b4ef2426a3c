//! Up to when the transactions of a customer's balance are here: kept beside Stripe's object, which does not
//! say it, and no event carries one.
//!
//! A record keeps the latest second in which the balance is known to have changed, and the second up to which
//! the transactions are listed. They are to be listed while the first is later. Both only grow, so nothing
//! that comes again, late or in another order undoes what is left to do: neither a balance that returns to
//! what it was, nor an event that a newer one went before.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Record;
use super::cut_list::Obstacle;
use crate::kind::Kind;
use crate::unix_time::UnixSeconds;

/// The members that say what a customer's balance is: of the default currency (`account_balance` up to API
/// 2019-10-17), and of each, where that is expanded.
const BALANCES: [&str; 3] = ["balance", "account_balance", "invoice_credit_balance"];

/// How far the transactions of a customer's balance are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceListing {
    /// All of up to this second are here; none before the list was first gone through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_until: Option<UnixSeconds>,
    /// The newest transaction at that time: those before it are here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// How far the list is that is being gone through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_way: Option<BalanceListingUnderWay>,
    /// So many runs got no page that could be used.
    #[serde(default)]
    pub failed_runs: u32,
    /// Why they cannot be had for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<Obstacle>,
}

/// How far a list of transactions is, which goes from the newest to the oldest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceListingUnderWay {
    /// The second that its first page stands for.
    pub as_of: UnixSeconds,
    /// The first transaction of that page; none if there is no transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// The transaction that came last.
    pub after: String,
}

impl Record {
    /// Whether it is a customer with transactions that are not here.
    pub fn is_balance_to_list(&self) -> bool {
        let listed_until = self.balance_listing.as_ref().and_then(|listing| listing.listed_until);
        self.balance_changed_at > listed_until
    }

    /// The same record of a customer, with how far the transactions of the balance are listed.
    #[must_use]
    pub fn with_balance_listing(&self, listing: BalanceListing) -> Self {
        Self { balance_listing: Some(listing), ..self.clone() }.with_open_reason_of_stored()
    }

    /// The same record, of a customer of whom nothing was known before: one who has a balance has
    /// transactions.
    #[must_use]
    pub fn with_first_balance(self) -> Self {
        let is_known = self.balance_changed_at.is_some();
        if is_known || self.key.kind() != Some(Kind::CUSTOMER) || self.balance().unwrap_or_default() == 0 {
            return self;
        }
        let changed_at = self.as_of;
        self.with_balance_changed_at(changed_at)
    }

    /// The same record, of which the last change replaced these members.
    pub(super) fn with_replaced_balance(self, replaced: &Value) -> Self {
        let is_change = BALANCES.iter().any(|member| replaced.get(member).is_some());
        if self.key.kind() != Some(Kind::CUSTOMER) || !is_change {
            return self;
        }
        let changed_at = self.as_of;
        self.with_balance_changed_at(changed_at)
    }

    /// The same record, with what another of the same customer knows of the balance. Where the two show
    /// different ones, it has changed up to the later of them.
    pub(super) fn with_balance_of(self, other: &Self) -> Self {
        if self.key.kind() != Some(Kind::CUSTOMER) {
            return self;
        }
        let both = self.balance().zip(other.balance());
        let is_change = both.is_some_and(|(mine, others)| mine != others);
        let changed_at = is_change.then(|| self.as_of.max(other.as_of)).max(other.balance_changed_at);
        let (balance_listing, known) = match &self.balance_listing {
            Some(listing) => (Some(listing.clone()), self.balance_changed_at),
            None => (other.balance_listing.clone(), other.balance_changed_at),
        };
        let record = Self { balance_listing, ..self };
        let Some(changed_at) = changed_at.max(record.balance_changed_at) else { return record };
        let record = record.with_balance_changed_at(changed_at);
        match &record.balance_listing {
            // What stood in the way is tried again.
            Some(listing) if listing.obstacle.is_some() && record.balance_changed_at > known => {
                let listing = BalanceListing { obstacle: None, failed_runs: 0, ..listing.clone() };
                record.with_balance_listing(listing)
            }
            Some(_) | None => record,
        }
    }

    /// Notes a change of the balance, unless what was listed since has it.
    fn with_balance_changed_at(self, changed_at: UnixSeconds) -> Self {
        let listed_until = self.balance_listing.as_ref().and_then(|listing| listing.listed_until);
        let balance_changed_at = self.balance_changed_at.max(Some(changed_at));
        if Some(changed_at) <= listed_until && self.balance_changed_at.is_some() {
            return self.with_open_reason_of_stored();
        }
        Self { balance_changed_at, ..self }.with_open_reason_of_stored()
    }

    /// The balance in the default currency, if the object says it.
    fn balance(&self) -> Option<i64> {
        let object = self.parsed()?;
        object["balance"].as_i64().or_else(|| object["account_balance"].as_i64())
    }
}
