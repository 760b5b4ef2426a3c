//! What a payout is made of, as far as it is fetched, and what a balance transaction belongs to: kept beside
//! Stripe's objects, which say neither.
//!
//! Stripe lists the transactions of an automatic payout, complete once it is reconciled. The list also holds
//! the payout's own transaction, with the negative of its amount, so the others' `net` add up to the amount
//! and the payout's own fee. Amounts of different currencies are never added.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kind::reference_id;
use crate::stripe::StripeFailure;
use crate::unix_time::UnixSeconds;

/// So many ids are kept of what there can be many of.
const NAMED: usize = 10;

/// The transactions of a payout, summed as far as they are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutTransactions {
    /// When Stripe listed the last of them.
    pub as_of: UnixSeconds,
    /// Whether all are listed.
    pub complete: bool,
    /// The one that came last, while there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many there are, without the payout's own.
    pub count: u64,
    /// Sums by type and currency, without the payout's own.
    pub sums: Vec<TransactionSum>,
    /// The fee of the payout's own transaction, as an instant one has.
    #[serde(default)]
    pub own_fee: i64,
    /// The first of those that another payout has too, and that stay with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of_other_payouts: Vec<String>,
    /// Since when they are listed anew, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_since: Option<UnixSeconds>,
    /// So many runs got no answer to the next page.
    #[serde(default)]
    pub unanswered: u32,
    /// Why Stripe does not list them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<StripeFailure>,
}

/// The transactions of one type and currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionSum {
    /// Stripe's `type`, such as `charge`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The currency, in small letters.
    pub currency: String,
    /// How many there are.
    pub count: u64,
    /// The sum of their amounts before fees, in the currency's smallest unit, like the others.
    pub amount: i64,
    /// The sum of their fees.
    pub fee: i64,
    /// The sum of what they changed the balance by.
    pub net: i64,
}

/// What a balance transaction belongs to. Ids of the same account; none if there is none, or it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionLinks {
    /// The payout that brought it to the bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<String>,
    /// The charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
    /// The refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<String>,
    /// The dispute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispute: Option<String>,
    /// The payment of the charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// The invoice that the payment paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<String>,
    /// The customer who paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
}

impl PayoutTransactions {
    /// Adds a transaction of the payout. Its own is kept apart.
    pub fn add(&mut self, payout: &Value, transaction: &Value) {
        if payout["id"].as_str().is_some_and(|payout| is_own(payout, transaction)) {
            self.own_fee = transaction["fee"].as_i64().unwrap_or_default();
            return;
        }
        let text = |member: &str| transaction[member].as_str().unwrap_or_default();
        let (kind, currency) = (text("type"), text("currency"));
        let index = self.sums.iter().position(|sum| sum.kind == kind && sum.currency == currency);
        let index = index.unwrap_or_else(|| {
            let (kind, currency) = (kind.to_owned(), currency.to_owned());
            self.sums.push(TransactionSum { kind, currency, count: 0, amount: 0, fee: 0, net: 0 });
            self.sums.len() - 1
        });
        let number = |member: &str| transaction[member].as_i64().unwrap_or_default();
        self.count += 1;
        if let Some(sum) = self.sums.get_mut(index) {
            sum.count += 1;
            sum.amount += number("amount");
            sum.fee += number("fee");
            sum.net += number("net");
        }
    }

    /// Notes transactions that another payout has too.
    pub fn note_of_other_payouts(&mut self, ids: Vec<String>) {
        self.of_other_payouts.extend(ids);
        self.of_other_payouts.truncate(NAMED);
    }

    /// How far the payout's amount, with its own fee, is above what its transactions come to; 0 if they add
    /// up. None while they are not all here, or some are of another currency, whose amounts cannot be added.
    pub fn difference(&self, payout: &Value) -> Option<i64> {
        let is_other = |sum: &TransactionSum| payout["currency"] != sum.currency;
        if !self.complete || self.failure.is_some() || self.sums.iter().any(is_other) {
            return None;
        }
        let left = payout["amount"].as_i64()? + self.own_fee;
        Some(left - self.sums.iter().map(|sum| sum.net).sum::<i64>())
    }

    /// Whether all transactions are here and come to the payout's amount. None while nobody can say.
    pub fn adds_up(&self, payout: &Value) -> Option<bool> {
        if !self.complete || self.failure.is_some() {
            return None;
        }
        Some(self.difference(payout) == Some(0) && self.of_other_payouts.is_empty() && self.is_sound())
    }

    /// Whether each sum is the amount without the fee, as in each transaction of Stripe's.
    fn is_sound(&self) -> bool {
        self.sums.iter().all(|sum| sum.amount - sum.fee == sum.net)
    }
}

/// Whether a transaction is the payout's own: the money that left for the bank.
pub fn is_own(payout: &str, transaction: &Value) -> bool {
    transaction["type"] == "payout" && reference_id(&transaction["source"]) == Some(payout)
}

/// Whether Stripe lists what a payout is made of: it is automatic, and reconciled. Versions of the API before
/// the reconciliation's state was shown have only its own.
pub fn is_reconciled(payout: &Value) -> bool {
    let reconciled = match payout.get("reconciliation_status") {
        Some(status) => status == "completed",
        None => payout["status"] == "paid",
    };
    payout["automatic"] == true && reconciled
}
