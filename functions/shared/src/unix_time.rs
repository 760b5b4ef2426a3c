//! Unix time in the two units that are stored: whole seconds, as Stripe stamps, and milliseconds, as this
//! program does.
//!
//! Each is a type of its own, so that a second is never compared with a millisecond. In tables and in JSON
//! both are plain numbers.

use std::fmt;
use std::ops::{Add, Sub};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A second of Unix time, UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(i64);

/// A millisecond of Unix time, UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(i64);

macro_rules! unix_time {
    ($type:ident, $from:ident, $as:ident, $duration:ident, $of_duration:ident) => {
        impl $type {
            /// The earliest time there can be.
            pub const MIN: Self = Self(i64::MIN);
            /// The latest time there can be.
            pub const MAX: Self = Self(i64::MAX);

            /// Returns the time that is this many units after 1970.
            pub const fn new(units: i64) -> Self {
                Self(units)
            }

            /// Returns the units since 1970.
            pub const fn get(self) -> i64 {
                self.0
            }

            /// Returns the same time as a timestamp, or `None` beyond the years -9999 to 9999.
            pub fn to_timestamp(self) -> Option<Timestamp> {
                Timestamp::$from(self.0).ok()
            }
        }

        impl From<Timestamp> for $type {
            /// Cuts off what is finer than the unit.
            fn from(at: Timestamp) -> Self {
                Self(at.$as())
            }
        }

        impl Add<SignedDuration> for $type {
            type Output = Self;

            fn add(self, duration: SignedDuration) -> Self {
                Self(self.0.saturating_add($of_duration(duration)))
            }
        }

        impl Sub<SignedDuration> for $type {
            type Output = Self;

            fn sub(self, duration: SignedDuration) -> Self {
                Self(self.0.saturating_sub($of_duration(duration)))
            }
        }

        impl Sub for $type {
            type Output = SignedDuration;

            fn sub(self, earlier: Self) -> SignedDuration {
                SignedDuration::$duration(self.0.saturating_sub(earlier.0))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unix_time!(UnixSeconds, from_second, as_second, from_secs, whole_seconds);
unix_time!(UnixMillis, from_millisecond, as_millisecond, from_millis, whole_millis);

fn whole_seconds(duration: SignedDuration) -> i64 {
    duration.as_secs()
}

fn whole_millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl From<UnixSeconds> for UnixMillis {
    /// The first millisecond of the second.
    fn from(seconds: UnixSeconds) -> Self {
        Self(seconds.0.saturating_mul(1_000))
    }
}

impl From<UnixMillis> for UnixSeconds {
    /// The second that the millisecond is in.
    fn from(millis: UnixMillis) -> Self {
        Self(millis.0.div_euclid(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_goes_from_one_unit_to_the_other_and_back() {
        let at: Timestamp = "2026-11-30T02:00:00.789Z".parse().unwrap();
        let (seconds, millis) = (UnixSeconds::from(at), UnixMillis::from(at));
        assert_eq!(UnixSeconds::from(millis), seconds);
        assert_eq!(millis - UnixMillis::from(seconds), SignedDuration::from_millis(789));
        assert_eq!(millis.to_timestamp(), Some(at));
        assert_eq!(UnixSeconds::from(UnixMillis::new(-1)), UnixSeconds::new(-1), "the second before 1970");
        assert_eq!(UnixSeconds::MAX.to_timestamp(), None);
    }

    #[test]
    fn durations_are_added_in_the_unit_and_never_overflow() {
        let hour = SignedDuration::from_hours(1);
        assert_eq!(UnixSeconds::new(5) + hour, UnixSeconds::new(3_605));
        assert_eq!(UnixMillis::new(5) - hour, UnixMillis::new(-3_599_995));
        assert_eq!(UnixMillis::MAX + hour, UnixMillis::MAX);
        assert_eq!(UnixSeconds::new(9) - UnixSeconds::new(2), SignedDuration::from_secs(7));
    }

    #[test]
    fn both_are_stored_as_plain_numbers() {
        assert_eq!(serde_json::to_string(&(UnixSeconds::new(7), UnixMillis::new(8))).unwrap(), "[7,8]");
        assert_eq!(serde_json::from_str::<UnixMillis>("9").unwrap(), UnixMillis::new(9));
    }
}
