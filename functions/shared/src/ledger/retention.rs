//! How long a row is kept once its state is final.
//!
//! Stripe lists events and sends them again for 30 days (its documentation, "Webhooks"). A row must outlive
//! that, or an event sent again would count as new; so there is a least time.

use std::str::FromStr;

use crate::unix_time::UnixSeconds;
use jiff::{SignedDuration, Timestamp};

/// The days for which final rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(u16);

/// A number of days that is too small or too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("events are kept for a number of days from {} to {}", Retention::LEAST, Retention::MOST)]
pub struct InvalidRetention;

impl Retention {
    /// Stripe's 30 days, and some to spare.
    pub const LEAST: u16 = 35;
    /// Ten years.
    pub const MOST: u16 = 3_650;

    /// The second from which on no event is gone yet, as long as events have always been kept for so many
    /// days: none is final before Stripe makes it.
    pub fn whole_since(self, now: Timestamp) -> UnixSeconds {
        UnixSeconds::from(now) - self.duration() + SignedDuration::from_secs(1)
    }

    fn duration(self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.0))
    }

    /// When a row that becomes final now is gone: the form DynamoDB's time to live asks for.
    pub(super) fn expires_at(self, now: Timestamp) -> UnixSeconds {
        UnixSeconds::from(now + self.duration())
    }
}

impl FromStr for Retention {
    type Err = InvalidRetention;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let days = text.parse().ok().filter(|days| (Self::LEAST..=Self::MOST).contains(days));
        days.map(Self).ok_or(InvalidRetention)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_stripe_sends_again_is_refused() {
        for wrong in ["34", "0", "-1", "3651", "", "90 days"] {
            assert_eq!(wrong.parse::<Retention>(), Err(InvalidRetention), "{wrong}");
        }
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let gone_at = "35".parse::<Retention>().unwrap().expires_at(now).to_timestamp().unwrap();
        assert_eq!(gone_at.to_string(), "2026-12-29T12:00:00Z");
    }

    #[test]
    fn what_became_final_in_the_first_whole_second_is_still_there() {
        let now: Timestamp = "2026-11-24T12:00:00.9Z".parse().unwrap();
        for days in ["35", "90"] {
            let retention: Retention = days.parse().unwrap();
            let since = retention.whole_since(now);
            let expires_at = |at: UnixSeconds| retention.expires_at(at.to_timestamp().unwrap());
            assert!(expires_at(since) > UnixSeconds::from(now), "{days}");
            let before = since - SignedDuration::from_secs(1);
            assert!(expires_at(before) <= UnixSeconds::from(now), "{days}: one second earlier is not");
        }
    }
}
