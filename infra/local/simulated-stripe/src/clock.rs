//! The simulated Stripe's clock: it stamps events and signatures, and decides what is due, listed or expired.
//!
//! Tests move it instead of sleeping. The `Date` header can differ from it, as when two machines disagree.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Real time plus an offset, or a time that stands still until it is moved.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    stopped_at: Option<i64>,
    offset: i64,
    date_skew: i64,
}

impl Clock {
    pub(crate) fn new(stopped_at: Option<i64>) -> Self {
        Self { stopped_at, offset: 0, date_skew: 0 }
    }

    /// Returns the time in unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.stopped_at.unwrap_or_else(real_time) + self.offset
    }

    pub(crate) fn advance(&mut self, seconds: i64) {
        self.offset += seconds;
    }

    pub(crate) fn set(&mut self, now: i64) {
        self.offset += now - self.now();
    }

    pub(crate) fn skew_date(&mut self, seconds: i64) {
        self.date_skew = seconds;
    }

    /// Returns the `Date` header of an answer given now.
    pub(crate) fn date(&self) -> String {
        self.date_in(0)
    }

    /// Returns the date so many seconds later, by the clock of the `Date` header.
    pub(crate) fn date_in(&self, seconds: i64) -> String {
        let time = self.now() + self.date_skew + seconds;
        let time = Timestamp::from_second(time).unwrap_or(Timestamp::UNIX_EPOCH);
        time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

fn real_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_only_when_it_is_moved() {
        let mut clock = Clock::new(Some(1_785_000_000));
        clock.advance(90);
        assert_eq!(clock.now(), 1_785_000_090);
        clock.set(1_785_000_000);
        assert_eq!(clock.now(), 1_785_000_000);
    }

    #[test]
    fn the_date_is_written_as_http_wants_it() {
        let mut clock = Clock::new(Some(784_111_777));
        assert_eq!(clock.date(), "Sun, 06 Nov 1994 08:49:37 GMT");
        clock.skew_date(-1);
        assert_eq!(clock.date(), "Sun, 06 Nov 1994 08:49:36 GMT");
    }
}
