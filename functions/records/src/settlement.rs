//! What of a payment reached the balance and the bank: the balance transactions of its charges, refunds and
//! disputes, with fees, when they are available, and their payouts.
//!
//! A charge and a refund name their transactions by id, once Stripe has made them; a dispute holds them
//! whole. Those that are not here yet are shown as far as the object shows them; while the amount of one is
//! not known, neither are the sums.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::aws::StoreError;
use shared::kind::{Kind, reference_id};
use shared::object_key::ObjectKey;

use crate::deps::Deps;
use crate::payout::{balance_status, time};
use crate::view::LoadedRecord;

/// What the balance transactions of a record come to. Amounts are in the smallest unit of `currency`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Settlement {
    /// Null if there are several, whose amounts are never added.
    currency: Option<String>,
    amount: Option<i64>,
    fee: Option<i64>,
    net: Option<i64>,
    /// Of the one that is available last.
    available_on: Option<Timestamp>,
    payout: Option<String>,
    payout_status: Option<String>,
    /// None of a payout that failed or was canceled.
    arrival_date: Option<Timestamp>,
    transactions: Vec<SettledTransaction>,
}

/// A balance transaction of a record.
#[derive(Debug, Clone, Serialize)]
struct SettledTransaction {
    id: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    status: Option<String>,
    currency: Option<String>,
    amount: Option<i64>,
    fee: Option<i64>,
    net: Option<i64>,
    available_on: Option<Timestamp>,
    payout: Option<String>,
    payout_status: Option<String>,
    arrival_date: Option<Timestamp>,
}

/// Whether records of a kind show what of them reached the bank.
pub(crate) fn is_settled_kind(kind: Kind) -> bool {
    [Kind::CHARGE, Kind::REFUND, Kind::DISPUTE].contains(&kind)
}

/// What of each of these groups of records reached the bank; null for a group of which no transaction is
/// known.
pub(crate) async fn settlements(
    deps: &Deps,
    groups: &[Vec<&LoadedRecord>],
    now: Timestamp,
) -> Result<Vec<Option<Settlement>>, StoreError> {
    let groups: Vec<Vec<(ObjectKey, Value)>> =
        groups.iter().map(|records| records.iter().flat_map(|record| named(record)).collect()).collect();
    let keys: BTreeSet<ObjectKey> = groups.iter().flatten().map(|(key, _)| key.clone()).collect();
    let transactions = load(deps, keys).await?;
    let payout_of = |transaction: &LoadedRecord| {
        let payout = transaction.record.links.as_ref()?.payout.as_ref()?;
        transaction.record.key.sibling(Kind::PAYOUT, payout).ok()
    };
    let payouts = load(deps, transactions.values().filter_map(payout_of).collect()).await?;
    let settled = |(key, shown): &(ObjectKey, Value)| {
        let record = transactions.get(key);
        let object = record.map_or(shown, |record| &record.object);
        let payout = record.and_then(payout_of);
        SettledTransaction::new(
            key,
            object,
            payout.as_ref(),
            payout.as_ref().and_then(|key| payouts.get(key)),
            now,
        )
    };
    Ok(groups.iter().map(|named| Settlement::new(named.iter().map(settled).collect())).collect())
}

async fn load(
    deps: &Deps,
    keys: BTreeSet<ObjectKey>,
) -> Result<HashMap<ObjectKey, LoadedRecord>, StoreError> {
    let keys: Vec<ObjectKey> = keys.into_iter().collect();
    let records = deps.records.get_all(&keys).await?.into_iter().map(LoadedRecord::new);
    records.map(|record| record.map(|record| (record.record.key.clone(), record))).collect()
}

/// The transactions that a record names, each with what it shows of it; each once.
fn named(record: &LoadedRecord) -> Vec<(ObjectKey, Value)> {
    let object = &record.object;
    let many = object["balance_transactions"].as_array().into_iter().flatten();
    let all =
        [&object["balance_transaction"], &object["failure_balance_transaction"]].into_iter().chain(many);
    let mut named: Vec<(ObjectKey, Value)> = Vec::new();
    for transaction in all {
        let key = reference_id(transaction)
            .and_then(|id| record.record.key.sibling(Kind::BALANCE_TRANSACTION, id).ok());
        if let Some(key) = key.filter(|key| named.iter().all(|(other, _)| other != key)) {
            named.push((key, transaction.clone()));
        }
    }
    named
}

impl SettledTransaction {
    fn new(
        key: &ObjectKey,
        object: &Value,
        payout: Option<&ObjectKey>,
        record: Option<&LoadedRecord>,
        now: Timestamp,
    ) -> Self {
        let text = |member: &str| object[member].as_str().map(str::to_owned);
        let number = |member: &str| object[member].as_i64();
        let payout_status = record.and_then(|record| record.status().map(str::to_owned));
        let arrives = !matches!(payout_status.as_deref(), Some("failed" | "canceled"));
        let arrival = record.filter(|_| arrives).and_then(|record| time(&record.object["arrival_date"]));
        Self {
            id: key.id().to_owned(),
            kind: text("type"),
            status: balance_status(object, now),
            currency: text("currency"),
            amount: number("amount"),
            fee: number("fee"),
            net: number("net"),
            available_on: time(&object["available_on"]),
            payout: payout.map(|payout| payout.id().to_owned()),
            payout_status,
            arrival_date: arrival,
        }
    }
}

impl Settlement {
    /// None if no amount is known.
    fn new(transactions: Vec<SettledTransaction>) -> Option<Self> {
        let known = transactions.iter().filter(|transaction| transaction.net.is_some());
        let last = known.clone().max_by_key(|transaction| transaction.available_on)?;
        let is_one = known.clone().all(|transaction| transaction.currency == last.currency);
        let sum = |part: fn(&SettledTransaction) -> Option<i64>| {
            transactions.iter().map(part).sum::<Option<i64>>().filter(|_| is_one)
        };
        Some(Self {
            currency: last.currency.clone().filter(|_| is_one),
            amount: sum(|transaction| transaction.amount),
            fee: sum(|transaction| transaction.fee),
            net: sum(|transaction| transaction.net),
            available_on: last.available_on,
            payout: last.payout.clone(),
            payout_status: last.payout_status.clone(),
            arrival_date: last.arrival_date,
            transactions,
        })
    }
}
