//! How the events that Stripe made came here, by endpoint and type: delivered, or fetched because they were
//! not.
//!
//! Reconciliation sees it when it compares Stripe's list with the ledger, so counting costs no write of its
//! own. Only types that are applied are counted, which bounds the size.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::event_type::is_applied;
use crate::unix_time::UnixSeconds;

/// Counts are kept for one to two of these.
const COUNTED_FOR: SignedDuration = SignedDuration::from_hours(12);

/// Counts by event type.
pub type TypeArrivals = BTreeMap<String, Arrived>;

/// How events of one type came to one endpoint. Times are Stripe's `created`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    /// How many were delivered.
    #[serde(default)]
    pub delivered: u64,
    /// How many had to be fetched.
    #[serde(default)]
    pub fetched: u64,
    /// When the newest that was delivered was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_delivered: Option<UnixSeconds>,
    /// When the newest that had to be fetched was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_fetched: Option<UnixSeconds>,
    /// When the oldest that had to be fetched was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_fetched: Option<UnixSeconds>,
    /// When the first event after that one was made that was delivered, of whatever type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_delivered: Option<UnixSeconds>,
}

impl Arrived {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.fetched += other.fetched;
        self.newest_delivered = self.newest_delivered.max(other.newest_delivered);
        self.newest_fetched = self.newest_fetched.max(other.newest_fetched);
        self.oldest_fetched = earliest(self.oldest_fetched, other.oldest_fetched);
        self.others_delivered = earliest(self.others_delivered, other.others_delivered);
    }

    /// Returns whether something was delivered between two events of this type that were not. Where nothing
    /// was, the endpoint as a whole was out of reach, and that is over with its next delivery.
    pub fn is_lost_among_others(&self) -> bool {
        self.others_delivered.zip(self.newest_fetched).is_some_and(|(others, newest)| others < newest)
    }

    fn see_deliveries(&mut self, delivered: &BTreeSet<UnixSeconds>) {
        let Some(oldest) = self.oldest_fetched else { return };
        let after = delivered.range((Bound::Excluded(oldest), Bound::Unbounded)).next().copied();
        self.others_delivered = earliest(self.others_delivered, after);
    }
}

fn earliest(one: Option<UnixSeconds>, other: Option<UnixSeconds>) -> Option<UnixSeconds> {
    one.into_iter().chain(other).min()
}

/// How the events came to one endpoint that one run of reconciliation looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunArrivals {
    counts: TypeArrivals,
    /// When those were made that were delivered, of whatever type.
    delivered: BTreeSet<UnixSeconds>,
}

impl RunArrivals {
    /// Counts an event. Only types that are applied have counts.
    pub fn count(&mut self, event_type: &str, delivered: bool, created: UnixSeconds) {
        if delivered {
            self.delivered.insert(created);
        }
        if !is_applied(event_type) {
            return;
        }
        let one = if delivered {
            Arrived { delivered: 1, newest_delivered: Some(created), ..Arrived::default() }
        } else {
            let made = Some(created);
            Arrived { fetched: 1, newest_fetched: made, oldest_fetched: made, ..Arrived::default() }
        };
        self.counts.entry(event_type.to_owned()).or_default().add(one);
    }

    /// Adds what was counted in another account.
    pub fn add(&mut self, other: Self) {
        add_all(&mut self.counts, &other.counts);
        self.delivered.extend(other.delivered);
    }
}

fn add_all(counts: &mut TypeArrivals, others: &TypeArrivals) {
    for (event_type, arrived) in others {
        counts.entry(event_type.clone()).or_default().add(*arrived);
    }
}

/// The counts of an endpoint over the last twelve hours to a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// Since when `counts` are counted.
    pub since: UnixSeconds,
    /// The present counts.
    pub counts: TypeArrivals,
    /// Those of the twelve hours or more before.
    #[serde(default)]
    pub before: TypeArrivals,
}

impl Arrivals {
    /// Adds what a run has counted, and drops what is older than a day.
    pub fn add(&mut self, run: &RunArrivals, now: UnixSeconds) {
        if now - self.since >= COUNTED_FOR {
            self.before = if now - self.since >= COUNTED_FOR + COUNTED_FOR {
                TypeArrivals::new()
            } else {
                std::mem::take(&mut self.counts)
            };
            self.counts = TypeArrivals::new();
            self.since = now;
        }
        add_all(&mut self.counts, &run.counts);
        self.counts
            .values_mut()
            .chain(self.before.values_mut())
            .for_each(|arrived| arrived.see_deliveries(&run.delivered));
    }

    /// Returns when the newest event that had to be fetched was made.
    pub fn newest_fetched(&self) -> Option<UnixSeconds> {
        self.counts.values().chain(self.before.values()).filter_map(|arrived| arrived.newest_fetched).max()
    }

    /// Returns all that is counted.
    pub fn total(&self) -> TypeArrivals {
        let mut total = self.before.clone();
        add_all(&mut total, &self.counts);
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    fn fetched(count: u64) -> RunArrivals {
        let mut run = RunArrivals::default();
        for _ in 0..count {
            run.count("invoice.paid", false, UnixSeconds::new(5));
        }
        run
    }

    #[test]
    fn counts_last_for_half_a_day_and_no_longer_than_a_day() {
        let mut arrivals = Arrivals::default();
        let day = 100 * 24 * HOUR;
        let mut total = |hours: i64, counted: u64| {
            arrivals.add(&fetched(counted), UnixSeconds::new(day + hours * HOUR));
            arrivals.total().get("invoice.paid").map_or(0, |arrived| arrived.fetched)
        };
        assert_eq!([total(0, 1), total(11, 2), total(12, 0), total(23, 4)], [1, 3, 3, 7]);
        assert_eq!([total(24, 0), total(35, 0), total(36, 0)], [4, 4, 0], "the older half goes first");
        assert_eq!([total(37, 1), total(37 + 24, 0)], [1, 0], "after a day without a run all of it goes");
    }

    #[test]
    fn only_what_is_applied_is_counted_with_its_newest() {
        let mut run = fetched(2);
        run.count("financial_connections.account.created", false, UnixSeconds::new(6));
        run.count("invoice.paid", true, UnixSeconds::new(3));
        let expected = Arrived {
            delivered: 1,
            fetched: 2,
            newest_delivered: Some(UnixSeconds::new(3)),
            newest_fetched: Some(UnixSeconds::new(5)),
            oldest_fetched: Some(UnixSeconds::new(5)),
            others_delivered: None,
        };
        assert_eq!(run.counts, [("invoice.paid".to_owned(), expected)].into());
    }

    /// Runs of reconciliation that looked at these events of two types: when each was made, and whether it
    /// was delivered. Returns whether the first type is lost among others.
    fn is_lost_among_others(runs: &[&[(&str, i64, bool)]]) -> bool {
        let mut arrivals = Arrivals::default();
        for (i, events) in runs.iter().enumerate() {
            let mut run = RunArrivals::default();
            // Stripe lists the newest first.
            for (event_type, created, delivered) in events.iter().rev() {
                run.count(event_type, *delivered, UnixSeconds::new(*created));
            }
            arrivals.add(&run, UnixSeconds::new(20_000 * HOUR + i64::try_from(i).unwrap() * 8 * HOUR));
        }
        arrivals.total()["invoice.paid"].is_lost_among_others()
    }

    #[test]
    fn a_type_is_lost_among_others_only_if_something_arrived_between() {
        let (lost, other) = ("invoice.paid", "refund.created");
        // A type that Billhook does not apply is delivered all the same.
        for other in [other, "financial_connections.account.created"] {
            assert!(is_lost_among_others(&[&[(lost, 1, false), (other, 2, true), (lost, 3, false)]]));
            assert!(
                is_lost_among_others(&[&[(lost, 1, false)], &[(other, 2, true)], &[(lost, 3, false)]]),
                "over runs, and over the half day after which counts grow old"
            );
        }
        // Everything was lost for a time, before which and after which everything arrived.
        let outage =
            [(other, 1, true), (lost, 2, false), (other, 3, false), (lost, 4, false), (other, 5, true)];
        assert!(!is_lost_among_others(&[&outage]));
        assert!(!is_lost_among_others(&[&outage[..2], &outage[2..4], &outage[4..]]));
        assert!(!is_lost_among_others(&[&[(lost, 2, false), (other, 2, true)]]), "in one second");
    }
}
