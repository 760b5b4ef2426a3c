//! A gate that opens at most once a minute: for log lines, metrics and writes that are allowed to lag, so
//! that what strangers send costs none of them each.

use jiff::{SignedDuration, Timestamp};
use shared::endpoint::ACTIVITY_INTERVAL;

/// A minute, which the status reckons with.
const INTERVAL: SignedDuration = ACTIVITY_INTERVAL;

/// Lets through at most one action a minute; the first at once.
#[derive(Debug, Default)]
pub(crate) struct OnceAMinute {
    passed_at: Option<Timestamp>,
}

impl OnceAMinute {
    /// Whether the action may happen now. If so, the next minute is closed to others.
    pub(crate) fn pass(&mut self, now: Timestamp) -> bool {
        let is_open = self.passed_at.is_none_or(|passed_at| now.duration_since(passed_at) >= INTERVAL);
        if is_open {
            self.passed_at = Some(now);
        }
        is_open
    }

    /// Opens the gate again, because the action failed.
    pub(crate) fn reopen(&mut self) {
        self.passed_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_passes_at_once_the_next_a_minute_later_and_after_a_failure_at_once() {
        let start: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let after = |seconds| start + SignedDuration::from_secs(seconds);
        let mut gate = OnceAMinute::default();
        assert!(gate.pass(after(0)) && !gate.pass(after(0)) && !gate.pass(after(59)));
        assert!(gate.pass(after(60)) && !gate.pass(after(119)));
        gate.reopen();
        assert!(gate.pass(after(119)) && !gate.pass(after(120)));
    }
}
