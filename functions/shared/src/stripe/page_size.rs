//! How many items a page of a list is asked for: a hundred, or fewer while so many do not fit into an answer.
//!
//! After a page that fits, more are asked for only if as many items of that size would fit too: else every
//! other call of a list of large objects would be for a page that cannot be read.

use std::sync::atomic::{AtomicU32, Ordering};

/// The most that Stripe lists at once (its API reference, "Pagination").
const LARGEST_PAGE: u32 = 100;
/// Pages become smaller and larger by this factor: four calls lead from a hundred to one.
const STEP: u32 = 4;

/// How many items a page of a list is asked for.
#[derive(Debug)]
pub(super) struct PageSize(AtomicU32);

impl Default for PageSize {
    fn default() -> Self {
        Self(AtomicU32::new(LARGEST_PAGE))
    }
}

impl PageSize {
    pub(super) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes that a page of up to `limit` items took so many of the bytes that an answer may have.
    pub(super) fn note_fitting(&self, limit: u32, taken: usize, largest: usize) {
        if taken.saturating_mul(STEP as usize) <= largest {
            self.grow_from(limit);
        }
    }

    pub(super) fn grow_from(&self, limit: u32) {
        self.0.store((limit * STEP).min(LARGEST_PAGE), Ordering::Relaxed);
    }

    pub(super) fn shrink_from(&self, limit: u32) {
        self.0.store((limit / STEP).max(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_smaller_down_to_one_and_larger_again() {
        let size = PageSize::default();
        let mut sizes = vec![size.get()];
        for _ in 0..4 {
            size.shrink_from(size.get());
            sizes.push(size.get());
        }
        assert_eq!(sizes, [100, 25, 6, 1, 1]);
        for _ in 0..5 {
            size.grow_from(size.get());
        }
        assert_eq!(size.get(), 100);
    }

    #[test]
    fn they_become_larger_only_if_four_times_as_much_fits() {
        for (taken, next) in [(0, 100), (25, 100), (26, 25), (100, 25), (usize::MAX, 25)] {
            let size = PageSize::default();
            size.shrink_from(100);
            size.note_fitting(25, taken, 100);
            assert_eq!(size.get(), next, "{taken}");
        }
        let size = PageSize::default();
        size.note_fitting(100, 90, 100);
        assert_eq!(size.get(), 100, "one that fits is never made smaller");
    }
}
