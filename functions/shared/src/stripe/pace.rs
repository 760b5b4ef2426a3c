//! How fast calls follow each other, and how many there were. Stripe allows 100 calls a second, in a sandbox
//! 25 (its documentation, "Rate limits"), for all programs of an account together.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The pace of a session's calls.
#[derive(Debug, Default)]
pub(super) struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
    calls: AtomicU64,
}

impl Pace {
    /// At least so long from the beginning of one call to that of the next.
    pub(super) fn of_interval(interval: Duration) -> Self {
        Self { interval, ..Self::default() }
    }

    /// Takes the next turn, counts it, and returns how long to wait for it.
    pub(super) fn take_turn(&self, now: Instant) -> Duration {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.interval);
        turn.duration_since(now)
    }

    /// How many turns were taken.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_begin_an_interval_apart_and_time_that_passed_is_not_made_up_for() {
        let pace = Pace::of_interval(Duration::from_millis(50));
        let begin = Instant::now();
        let waits = |now, count| (0..count).map(|_| pace.take_turn(now).as_millis()).collect::<Vec<_>>();
        assert_eq!(waits(begin, 4), [0, 50, 100, 150]);
        assert_eq!(waits(begin + Duration::from_secs(10), 3), [0, 50, 100]);
        assert_eq!(pace.calls(), 7);
    }

    #[test]
    fn without_an_interval_nothing_waits() {
        let (pace, now) = (Pace::default(), Instant::now());
        assert!((0..100).all(|_| pace.take_turn(now).is_zero()));
    }
}
