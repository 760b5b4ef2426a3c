//! When an event that failed is tried again, and when no more: a setting of the stack.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::EventId;

/// How often and how patiently events are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts of the sweep before an event is dead: 1 to 100.
    pub attempts: u32,
    /// Seconds before the first of them: 1 to 3,600. The sweep runs each minute, so less than 60 means the
    /// next one.
    pub first_delay_s: u32,
    /// Seconds between two of them at most: from the first delay to a day.
    pub longest_delay_s: u32,
}

/// A setting that is out of its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is a whole number from {least} to {most}")]
pub struct OutOfBounds {
    /// The setting.
    pub field: &'static str,
    least: u32,
    most: u32,
}

impl Default for Retry {
    /// Twelve attempts: after half a minute, doubling up to an hour; the last about six hours after the first
    /// failure.
    fn default() -> Self {
        Self { attempts: 12, first_delay_s: 30, longest_delay_s: 3_600 }
    }
}

impl Retry {
    /// Most attempts.
    pub const MOST_ATTEMPTS: u32 = 100;
    /// The longest first delay, in seconds.
    pub const LONGEST_FIRST_DELAY: u32 = 3_600;
    /// The longest delay, in seconds.
    pub const LONGEST_DELAY: u32 = 86_400;

    /// Checks that each number is within its bounds.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(self) -> Result<Self, OutOfBounds> {
        for (field, value, least, most) in [
            ("retry.attempts", self.attempts, 1, Self::MOST_ATTEMPTS),
            ("retry.first_delay_s", self.first_delay_s, 1, Self::LONGEST_FIRST_DELAY),
            ("retry.longest_delay_s", self.longest_delay_s, self.first_delay_s, Self::LONGEST_DELAY),
        ] {
            if !(least..=most).contains(&value) {
                return Err(OutOfBounds { field, least, most });
            }
        }
        Ok(self)
    }

    /// When an event is due again that has been tried `attempts` times. The wait is shorter by up to a fifth,
    /// by event and attempt, so that what failed together is not tried together.
    pub fn due_at(&self, id: &EventId, attempts: u32, now: Timestamp) -> Timestamp {
        let first = Duration::from_secs(self.first_delay_s.into());
        let longest = Duration::from_secs(self.longest_delay_s.into());
        let wait = first.saturating_mul(2_u32.saturating_pow(attempts)).min(longest);
        let drawn = Sha256::digest(format!("{id} {attempts}"))[0];
        let wait = wait.mul_f64(1.0 - 0.2 * f64::from(drawn) / 256.0);
        now + SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(24))
    }

    /// Returns whether the attempts are used up.
    pub fn used_up(&self, attempts: u32) -> bool {
        attempts >= self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_differ_between_events_and_attempts() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let wait = |id: &str, attempts| {
            Retry::default().due_at(&id.parse().unwrap(), attempts, now).duration_since(now).as_secs()
        };
        for id in ["evt_1", "evt_2", "evt_3"] {
            assert!((24..=30).contains(&wait(id, 0)) && (48..=60).contains(&wait(id, 1)));
            assert!((2_880..=3_600).contains(&wait(id, 30)) && (2_880..=3_600).contains(&wait(id, u32::MAX)));
        }
        let all = |attempts| (0..50).map(|i| wait(&format!("evt_{i}"), attempts)).collect::<Vec<_>>();
        let mut seen = all(20);
        seen.dedup();
        assert!(seen.len() > 30, "{seen:?}");
        assert_ne!(all(20), all(21));
    }

    #[test]
    fn each_number_has_bounds() {
        let check = |attempts, first_delay_s, longest_delay_s| {
            Retry { attempts, first_delay_s, longest_delay_s }.check().map_err(|error| error.field)
        };
        assert!(
            check(1, 1, 1).is_ok() && check(100, 3_600, 86_400).is_ok() && Retry::default().check().is_ok()
        );
        assert_eq!(check(0, 30, 3_600), Err("retry.attempts"));
        assert_eq!(check(101, 30, 3_600), Err("retry.attempts"));
        assert_eq!(check(12, 0, 3_600), Err("retry.first_delay_s"));
        assert_eq!(check(12, 30, 29), Err("retry.longest_delay_s"));
        assert_eq!(check(12, 30, 86_401), Err("retry.longest_delay_s"));
    }
}
