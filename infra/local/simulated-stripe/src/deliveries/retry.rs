//! The schedule of attempts after a delivery failed.
//!
//! Stripe publishes the frame and not the times in it: in test mode three more tries over a few hours, in
//! live mode for up to three days, further and further apart.

use crate::options::Mode;

/// Test mode: ten minutes, an hour and three hours after the try before.
const TEST_GAPS: [i64; 3] = [600, 3_600, 10_800];

/// Live mode: five minutes, then twice as long each time: 5 · (2^9 - 1) minutes are the 42.6 hours within
/// three days.
const LIVE_FIRST_GAP: i64 = 300;
const LIVE_FRAME: i64 = 3 * 24 * 3600;

/// Returns when the next attempt is due after so many that failed; `None` when they are used up.
pub(crate) fn next(mode: Mode, tries: u32, first_due: i64, now: i64) -> Option<i64> {
    let done = tries.saturating_sub(1);
    match mode {
        Mode::Test => TEST_GAPS.get(done as usize).map(|gap| now + gap),
        Mode::Live => {
            let due = now.saturating_add(LIVE_FIRST_GAP.saturating_mul(2_i64.saturating_pow(done)));
            (due <= first_due + LIVE_FRAME).then_some(due)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(mode: Mode) -> Vec<i64> {
        let mut made = vec![0];
        while let Some(due) = next(mode, u32::try_from(made.len()).unwrap(), 0, made[made.len() - 1]) {
            made.push(due);
        }
        made
    }

    #[test]
    fn test_mode_tries_three_more_times_over_a_few_hours() {
        assert_eq!(tries(Mode::Test), [0, 600, 4_200, 15_000]);
    }

    #[test]
    fn live_mode_tries_ever_more_slowly_for_up_to_three_days() {
        let tries = tries(Mode::Live);
        assert_eq!(tries[..4], [0, 300, 900, 2_100]);
        assert_eq!(tries.len(), 10);
        assert!(tries[9] <= LIVE_FRAME);
    }
}
