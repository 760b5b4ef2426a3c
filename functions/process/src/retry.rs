//! When an event that failed is tried again, and when no more.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::event::EventId;

/// How often and how patiently events are tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retry {
    /// Attempts of the sweep before an event is dead.
    pub(crate) attempts: u32,
    /// Before the first of them.
    pub(crate) first_delay: Duration,
    /// The longest wait between two.
    pub(crate) longest_delay: Duration,
}

impl Retry {
    /// Twelve attempts: after half a minute, doubling up to an hour; the last about six hours after the first failure.
    pub(crate) const DEFAULT: Self = Self {
        attempts: 12,
        first_delay: Duration::from_secs(30),
        longest_delay: Duration::from_secs(3_600),
    };

    /// When an event is due again that has been tried `attempts` times. A part of the wait, up to a fifth, depends on the
    /// event's id, so that what failed together is not tried together.
    pub(crate) fn due_at(&self, id: &EventId, attempts: u32, now: Timestamp) -> Timestamp {
        let wait = self.first_delay.saturating_mul(2_u32.saturating_pow(attempts)).min(self.longest_delay);
        let spread =
            id.as_str().bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
                % 200;
        let wait = wait.mul_f64(1.0 - f64::from(spread) / 1_000.0);
        now + SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(1))
    }

    /// Are the attempts used up?
    pub(crate) fn used_up(&self, attempts: u32) -> bool {
        attempts >= self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_differ_between_events() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let wait = |id: &str, attempts| {
            Retry::DEFAULT.due_at(&id.parse().unwrap(), attempts, now).duration_since(now).as_secs()
        };
        let waits: Vec<_> = (0..12).map(|attempts| wait("evt_1", attempts)).collect();
        assert!(waits.is_sorted() && (24..=30).contains(&waits[0]), "{waits:?}");
        assert!((2_880..=3_600).contains(&waits[11]) && (2_880..=3_600).contains(&wait("evt_1", u32::MAX)));
        assert_ne!(wait("evt_1", 9), wait("evt_2", 9));
    }
}
