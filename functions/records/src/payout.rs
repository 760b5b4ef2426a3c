//! What only payouts show: when the money arrives, and what it is made of, as far as it is known.
//!
//! The sums are kept with the record by `import`, which lists a payout's transactions once Stripe has
//! reconciled it. Money that is not known to add up is never said to.

pub(crate) mod transactions;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::kind::Kind;
use shared::records::{PayoutTransactions, TransactionSum, is_reconciled};
use shared::unix_time::UnixSeconds;

use crate::view::LoadedRecord;

/// What only payouts show.
#[derive(Debug, Serialize)]
pub(crate) struct PayoutView {
    arrival_date: Option<Timestamp>,
    /// What the payout itself costs, as an instant one does; null while its transactions are not all listed.
    fee: Option<i64>,
    transactions: TransactionsView,
}

/// What a payout is made of.
#[derive(Debug, Serialize)]
struct TransactionsView {
    state: ListState,
    /// For people.
    message: String,
    as_of: Option<Timestamp>,
    count: u64,
    currency: Option<String>,
    /// Sums over all, in the smallest unit of the payout's currency; null if some are of another.
    amount: Option<i64>,
    fee: Option<i64>,
    net: Option<i64>,
    /// Null while nobody can say.
    adds_up: Option<bool>,
    /// The payout's amount and fee minus the sum of `net`.
    difference: Option<i64>,
    sums: Vec<TransactionSum>,
    of_other_payouts: Vec<String>,
}

/// How far the list of a payout's transactions is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum ListState {
    /// All are here.
    Complete,
    /// They are being listed, or will be within minutes.
    Listing,
    /// Stripe has not reconciled the payout yet.
    Waiting,
    /// Stripe lists those of automatic payouts alone.
    NotListed,
    /// Stripe refuses the list, or never answers it.
    Refused,
}

/// A time that an object gives in seconds.
pub(crate) fn time(seconds: &Value) -> Option<Timestamp> {
    UnixSeconds::new(seconds.as_i64()?).to_timestamp()
}

/// The status of a balance transaction. Stripe makes no event of one becoming available: it does on its date.
pub(crate) fn balance_status(transaction: &Value, now: Timestamp) -> Option<String> {
    let status = transaction["status"].as_str()?;
    let is_due = time(&transaction["available_on"]).is_some_and(|at| at <= now);
    Some(if status == "pending" && is_due { "available" } else { status }.to_owned())
}

impl PayoutView {
    /// What a payout shows; none for other records.
    pub(crate) fn from_record(record: &LoadedRecord) -> Option<Self> {
        if record.kind != Kind::PAYOUT {
            return None;
        }
        let payout = &record.object;
        let known = record.record.transactions.clone().unwrap_or_default();
        Some(Self {
            arrival_date: time(&payout["arrival_date"]),
            fee: known.complete.then_some(known.own_fee),
            transactions: TransactionsView::new(payout, known),
        })
    }
}

impl TransactionsView {
    fn new(payout: &Value, known: PayoutTransactions) -> Self {
        let (state, adds_up) = (ListState::new(payout, &known), known.adds_up(payout));
        let is_other = |sum: &TransactionSum| payout["currency"] != sum.currency;
        let is_of_one_currency = !known.sums.iter().any(is_other);
        let sum = |part: fn(&TransactionSum) -> i64| {
            (is_of_one_currency && known.count > 0).then(|| known.sums.iter().map(part).sum())
        };
        let difference = known.difference(payout);
        Self {
            state,
            message: message(state, adds_up, &known),
            as_of: known.as_of.to_timestamp().filter(|_| known.as_of != UnixSeconds::default()),
            count: known.count,
            currency: payout["currency"].as_str().map(str::to_owned),
            amount: sum(|sum| sum.amount),
            fee: sum(|sum| sum.fee),
            net: sum(|sum| sum.net),
            adds_up,
            difference,
            of_other_payouts: known.of_other_payouts,
            sums: known.sums,
        }
    }
}

impl ListState {
    fn new(payout: &Value, known: &PayoutTransactions) -> Self {
        if known.failure.is_some() {
            Self::Refused
        } else if known.complete {
            Self::Complete
        } else if is_reconciled(payout) {
            Self::Listing
        } else if payout["automatic"] == false || payout["reconciliation_status"] == "not_applicable" {
            Self::NotListed
        } else {
            Self::Waiting
        }
    }
}

fn message(state: ListState, adds_up: Option<bool>, known: &PayoutTransactions) -> String {
    let fixed = match (state, adds_up) {
        (ListState::Complete, Some(true)) if known.own_fee != 0 => {
            "All transactions are here and come to the payout's amount and its fee."
        }
        (ListState::Complete, Some(true)) => "All transactions are here and come to the payout's amount.",
        (ListState::Complete, _) if !known.of_other_payouts.is_empty() => {
            "Some transactions are of another payout too, so what this one is made of is not certain."
        }
        (ListState::Complete, _) => {
            "The transactions that Stripe lists do not come to the payout's amount. They are listed again each night."
        }
        (ListState::Listing, _) => "Stripe has reconciled the payout; its transactions are being listed.",
        (ListState::Waiting, _) => "Stripe has not reconciled the payout yet.",
        (ListState::NotListed, _) => {
            "Stripe does not say what a payout is made of that was not made automatically."
        }
        (ListState::Refused, _) => {
            let message = known.failure.as_ref().map(|failure| failure.message.as_str()).unwrap_or_default();
            return format!(
                "Stripe does not list the transactions: {message}. They are asked for again each night."
            );
        }
    };
    fixed.to_owned()
}
