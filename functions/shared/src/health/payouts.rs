//! Which payouts something is wrong with, as it is kept and as the status reads it. It has one size, however
//! many payouts there are.

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::StoreError;
use crate::ledger::OpenCount;
use crate::object_key::ObjectKey;
use crate::page::MAX_LIMIT;
use crate::records::{OpenOrder, OpenReason, Record, Records};
use crate::stripe::StripeFailure;
use crate::unix_time::UnixSeconds;

/// So many are named of what there can be many of.
const NAMED: usize = 10;
/// How long a payout that failed is warned of: Stripe tries again once the bank account is put right.
const FAILED_WARNS_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Banks book a payout on its date or on the next day.
const LATE_AFTER: SignedDuration = SignedDuration::from_hours(2 * 24);

/// How long a payout that does not arrive is warned of: by then Stripe or the bank has been asked, or its
/// account has left.
const LATE_WARNS_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How payouts are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutHealth {
    /// Reconciled ones whose transactions are not all here.
    pub to_list: OpenCount,
    /// For which second the earliest of these stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_list_since: Option<UnixSeconds>,
    /// Those whose transactions do not add up, or that Stripe does not list.
    pub unexplained: OpenCount,
    /// The first of them.
    pub first_unexplained: Vec<PayoutInTrouble>,
    /// Those that failed in the last week.
    pub failed: OpenCount,
    /// The latest of them.
    pub first_failed: Vec<PayoutInTrouble>,
    /// Those that should have arrived by now.
    pub late: OpenCount,
    /// The first of them.
    pub first_late: Vec<PayoutInTrouble>,
}

/// A payout that something is wrong with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutInTrouble {
    /// Which.
    pub key: ObjectKey,
    /// Its amount in the smallest unit of its currency.
    pub amount: Option<i64>,
    /// Its currency.
    pub currency: Option<String>,
    /// Its status.
    pub status: Option<String>,
    /// When it should arrive.
    pub arrival_date: Option<UnixSeconds>,
    /// Why it failed, as Stripe says.
    pub failure_code: Option<String>,
    /// Its amount minus what its transactions come to, if that can be said.
    pub difference: Option<i64>,
    /// Why Stripe does not list its transactions.
    pub failure: Option<StripeFailure>,
}

/// Which payouts something is wrong with. A hundred of each kind are looked at.
///
/// # Errors
/// If the records cannot be read.
pub async fn payouts(records: &Records, now: Timestamp) -> Result<PayoutHealth, StoreError> {
    let read = |(reason, order)| Box::pin(records.open_records(reason, MAX_LIMIT, order));
    let lists = try_join_all(
        [
            (OpenReason::PayoutToList, OpenOrder::EarliestFirst),
            (OpenReason::PayoutUnexplained, OpenOrder::EarliestFirst),
            (OpenReason::PayoutFailed, OpenOrder::LatestFirst),
            (OpenReason::PayoutOnItsWay, OpenOrder::EarliestFirst),
        ]
        .map(read),
    );
    let counts = [OpenReason::PayoutToList, OpenReason::PayoutUnexplained]
        .map(|reason| Box::pin(records.open(reason)));
    let (lists, counts) = tokio::try_join!(lists, try_join_all(counts))?;
    let mut lists = lists.into_iter();
    let mut next = || lists.next().unwrap_or_default();
    let (to_list, unexplained, failed, on_their_way) = (next(), next(), next(), next());
    let mut counts = counts.into_iter().map(|open| open.count);
    let (waiting, unexplained_count) = (counts.next().unwrap_or_default(), counts.next().unwrap_or_default());
    // Of one that does not add up, or is being listed, it may hold as well.
    let all = || {
        to_list.iter().chain(&unexplained).chain(&failed).chain(&on_their_way).filter_map(Payout::from_record)
    };
    let failed: Vec<_> = all()
        .filter(|payout| payout.failed_at().is_some_and(|at| at + FAILED_WARNS_FOR > now.into()))
        .collect();
    let is_late = |payout: &Payout<'_>| {
        let arrival = payout.object["arrival_date"].as_i64().map(UnixSeconds::new);
        payout.has_status(&["pending", "in_transit"])
            && arrival.is_some_and(|arrival| {
                let late_since = arrival + LATE_AFTER;
                late_since < now.into() && late_since + LATE_WARNS_FOR > now.into()
            })
    };
    let late: Vec<_> = all().filter(is_late).collect();
    let first = |payouts: &[Payout<'_>]| payouts.iter().take(NAMED).map(Payout::in_trouble).collect();
    let unexplained: Vec<_> = unexplained.iter().filter_map(Payout::from_record).collect();
    let left = unexplained.iter().filter(|payout| payout.has_left()).count();
    let unexplained: Vec<_> = unexplained.into_iter().filter(|payout| !payout.has_left()).collect();
    Ok(PayoutHealth {
        to_list: waiting,
        to_list_since: to_list.iter().map(waiting_since).min(),
        unexplained: unexplained_count.less(left),
        first_unexplained: first(&unexplained),
        failed: OpenCount::from_count(failed.len()),
        first_failed: first(&failed),
        late: OpenCount::from_count(late.len()),
        first_late: first(&late),
    })
}

/// Since when a payout waits for its transactions.
fn waiting_since(record: &Record) -> UnixSeconds {
    let again_since = record.transactions.as_ref().and_then(|known| known.again_since);
    again_since.unwrap_or(record.as_of)
}

struct Payout<'a> {
    record: &'a Record,
    object: Value,
}

impl<'a> Payout<'a> {
    fn from_record(record: &'a Record) -> Option<Self> {
        Some(Self { record, object: record.parsed()? })
    }

    fn has_status(&self, statuses: &[&str]) -> bool {
        self.object["status"].as_str().is_some_and(|status| statuses.contains(&status))
    }

    /// When it failed, as far as that is known: of one that was fetched, when it should have arrived.
    fn failed_at(&self) -> Option<UnixSeconds> {
        let arrival = || self.object["arrival_date"].as_i64().map(UnixSeconds::new);
        let at = if self.record.fetched { arrival() } else { Some(self.record.as_of) };
        at.filter(|_| self.has_status(&["failed"]))
    }

    /// Whether its account is not connected any more, so that nobody can list its transactions.
    fn has_left(&self) -> bool {
        let failure = self.record.transactions.as_ref().and_then(|known| known.failure.as_ref());
        failure.is_some_and(|failure| failure.says_account_left(self.record.key.account_key()))
    }

    fn in_trouble(&self) -> PayoutInTrouble {
        let text = |member: &str| self.object[member].as_str().map(str::to_owned);
        let known = self.record.transactions.as_ref();
        PayoutInTrouble {
            key: self.record.key.clone(),
            amount: self.object["amount"].as_i64(),
            currency: text("currency"),
            status: text("status"),
            arrival_date: self.object["arrival_date"].as_i64().map(UnixSeconds::new),
            failure_code: text("failure_code"),
            difference: known.and_then(|known| known.difference(&self.object)),
            failure: known.and_then(|known| known.failure.clone()),
        }
    }
}
