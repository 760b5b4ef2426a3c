//! How the events that Stripe made came here, by endpoint and type: delivered, or fetched because they were
//! not.
//!
//! Reconciliation sees it when it compares Stripe's list with the ledger, so counting costs no write of its
//! own. Only types that are applied are counted, which bounds the size.

use std::collections::BTreeMap;

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
}

impl Arrived {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.fetched += other.fetched;
        self.newest_delivered = self.newest_delivered.max(other.newest_delivered);
        self.newest_fetched = self.newest_fetched.max(other.newest_fetched);
    }
}

/// Adds an event to the counts, if its type is applied.
pub fn count_arrival(counts: &mut TypeArrivals, event_type: &str, delivered: bool, created: UnixSeconds) {
    if !is_applied(event_type) {
        return;
    }
    let one = if delivered {
        Arrived { delivered: 1, newest_delivered: Some(created), ..Arrived::default() }
    } else {
        Arrived { fetched: 1, newest_fetched: Some(created), ..Arrived::default() }
    };
    counts.entry(event_type.to_owned()).or_default().add(one);
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
    pub fn add(&mut self, counted: &TypeArrivals, now: UnixSeconds) {
        if now - self.since >= COUNTED_FOR {
            self.before = if now - self.since >= COUNTED_FOR + COUNTED_FOR {
                TypeArrivals::new()
            } else {
                std::mem::take(&mut self.counts)
            };
            self.counts = TypeArrivals::new();
            self.since = now;
        }
        for (event_type, arrived) in counted {
            self.counts.entry(event_type.clone()).or_default().add(*arrived);
        }
    }

    /// Returns when the newest event that had to be fetched was made.
    pub fn newest_fetched(&self) -> Option<UnixSeconds> {
        self.counts.values().chain(self.before.values()).filter_map(|arrived| arrived.newest_fetched).max()
    }

    /// Returns all that is counted.
    pub fn total(&self) -> TypeArrivals {
        let mut total = self.before.clone();
        for (event_type, arrived) in &self.counts {
            total.entry(event_type.clone()).or_default().add(*arrived);
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    fn fetched(count: u64) -> TypeArrivals {
        let mut counts = TypeArrivals::new();
        for _ in 0..count {
            count_arrival(&mut counts, "invoice.paid", false, UnixSeconds::new(5));
        }
        counts
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
        let mut counts = fetched(2);
        count_arrival(&mut counts, "checkout.session.completed", false, UnixSeconds::new(6));
        count_arrival(&mut counts, "invoice.paid", true, UnixSeconds::new(3));
        let expected = Arrived {
            delivered: 1,
            fetched: 2,
            newest_delivered: Some(UnixSeconds::new(3)),
            newest_fetched: Some(UnixSeconds::new(5)),
        };
        assert_eq!(counts, [("invoice.paid".to_owned(), expected)].into());
    }
}
