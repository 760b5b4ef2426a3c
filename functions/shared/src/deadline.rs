//! Until when a piece of work may go on. Like the time of day it is an argument: `main.rs` sets it, by the
//! monotonic clock, and everything below only looks at it.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

/// The moment at which work is to end. Work that has begun ends at its next step; what is left is for the
/// next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No bound, for work whose steps are bounded themselves.
    pub const NEVER: Self = Self(None);

    /// Returns the moment `duration` from now. With zero it has passed already.
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now().checked_add(duration))
    }

    /// Returns whether the moment has passed.
    pub fn has_passed(self) -> bool {
        self.0.is_some_and(|at| Instant::now() >= at)
    }

    /// Returns whether there is time for `duration` before the moment.
    pub fn allows(self, duration: Duration) -> bool {
        self.0.is_none_or(|at| Instant::now() + duration < at)
    }

    /// Returns the earlier of this moment and the one `duration` from now.
    #[must_use]
    pub fn within(self, duration: Duration) -> Self {
        let at = Instant::now() + duration;
        Self(Some(self.0.map_or(at, |own| own.min(at))))
    }

    /// Returns the moment that leaves `duration` before this one, for what has to follow.
    #[must_use]
    pub fn earlier_by(self, duration: Duration) -> Self {
        Self(self.0.map(|at| at.checked_sub(duration).unwrap_or(at)))
    }

    /// Returns the moment `duration` after this one, for what has begun when this one passes.
    #[must_use]
    pub fn later_by(self, duration: Duration) -> Self {
        Self(self.0.and_then(|at| at.checked_add(duration)))
    }

    /// Returns the moment at which `part` of `parts` of the time from now to this one have passed.
    #[must_use]
    pub fn fraction(self, part: u32, parts: u32) -> Self {
        Self(self.0.map(|at| {
            let now = Instant::now();
            now + at.saturating_duration_since(now) * part / parts.max(1)
        }))
    }

    /// Does `work`, unless the moment comes first: then what is left of it is dropped, and the result is
    /// `None`.
    pub async fn bound<T>(self, work: impl Future<Output = T>) -> Option<T> {
        // By reference, so that the two arms do not each hold the whole of it.
        let work = pin!(work);
        match self.0 {
            Some(at) => tokio::time::timeout_at(at, work).await.ok(),
            None => Some(work.await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_deadline_passes_when_its_time_has_come_and_never_never() {
        assert!(Deadline::after(Duration::ZERO).has_passed());
        assert!(!Deadline::after(HOUR).has_passed());
        assert!(!Deadline::NEVER.has_passed() && Deadline::NEVER.allows(HOUR));
        assert!(!Deadline::after(Duration::MAX).has_passed(), "beyond what the clock can count");
    }

    #[test]
    fn the_earlier_of_two_bounds_holds() {
        assert!(Deadline::NEVER.within(Duration::ZERO).has_passed());
        assert!(Deadline::after(Duration::ZERO).within(HOUR).has_passed());
        assert!(Deadline::after(HOUR).within(Duration::ZERO).has_passed());
        assert!(!Deadline::after(HOUR).within(HOUR).has_passed());
    }

    #[test]
    fn time_is_left_before_and_after() {
        assert!(Deadline::after(HOUR).earlier_by(HOUR).has_passed());
        assert!(!Deadline::after(Duration::ZERO).later_by(HOUR).has_passed());
        assert!(!Deadline::after(HOUR).allows(HOUR * 2) && Deadline::after(HOUR * 2).allows(HOUR));
        let three_quarters = Deadline::after(HOUR).fraction(3, 4);
        assert!(three_quarters.allows(HOUR / 2) && !three_quarters.allows(HOUR * 3 / 4));
        assert!(Deadline::after(Duration::ZERO).fraction(1, 2).has_passed());
        assert_eq!(Deadline::NEVER.earlier_by(HOUR), Deadline::NEVER);
    }

    #[tokio::test]
    async fn work_is_dropped_when_the_deadline_comes_first() {
        let waiting = std::future::pending::<()>();
        assert_eq!(Deadline::after(Duration::from_millis(1)).bound(waiting).await, None);
        assert_eq!(Deadline::after(HOUR).bound(async { 7 }).await, Some(7));
        assert_eq!(Deadline::NEVER.bound(async { 7 }).await, Some(7));
    }
}
