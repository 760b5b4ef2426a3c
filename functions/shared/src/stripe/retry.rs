//! When a call is tried again: the rule of Stripe's own libraries (stripe-node and stripe-python agree).
//!
//! `Stripe-Should-Retry` decides if it is there. Else: no answer, 409 (the same call is running) and server
//! errors are tried again, and 408 too, which is no answer in other words; 429 is not, because more calls
//! make it worse. An answer replayed from an idempotency key will not change.

use std::time::Duration;

/// Tries in all, the first counted.
pub(super) const TRIES: u32 = 3;
/// A longer wait asked for by `Retry-After` is not waited for.
const LONGEST_ADVICE: Duration = Duration::from_secs(10);

/// What is known of a try that failed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Failed {
    /// The status; none if there was no answer.
    pub(super) status: Option<u16>,
    /// `Stripe-Should-Retry`.
    pub(super) should_retry: Option<bool>,
    /// `Idempotent-Replayed`.
    pub(super) replayed: bool,
    /// `Retry-After`.
    pub(super) retry_after: Option<Duration>,
}

/// How long to wait before the next try, if there is to be one. `tried` is how often it was tried, `random`
/// is from 0 to 1.
pub(super) fn delay(failed: Failed, tried: u32, random: f64) -> Option<Duration> {
    if tried >= TRIES || failed.replayed {
        return None;
    }
    let worthwhile =
        failed.should_retry.unwrap_or(failed.status.is_none_or(|status| matches!(status, 408 | 409 | 500..)));
    if !worthwhile {
        return None;
    }
    // min(0.5 s doubled each time, 5 s), times 0.5 to 1, at least 0.5 s.
    let doubled = (0.5 * f64::from(1_u32 << (tried - 1).min(8))).min(5.0);
    let wait = Duration::from_secs_f64((doubled * (0.5 + random.clamp(0.0, 1.0) / 2.0)).max(0.5));
    Some(
        failed.retry_after.filter(|advice| *advice <= LONGEST_ADVICE).map_or(wait, |advice| wait.max(advice)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried_again(status: Option<u16>, should_retry: Option<bool>) -> bool {
        delay(Failed { status, should_retry, ..Failed::default() }, 1, 0.5).is_some()
    }

    #[test]
    fn stripe_decides_and_else_only_what_may_pass_is_tried_again() {
        let cases = [
            (None, None, true),
            (Some(500), None, true),
            (Some(503), None, true),
            (Some(408), None, true),
            (Some(409), None, true),
            (Some(429), None, false),
            (Some(400), None, false),
            (Some(401), None, false),
            (Some(429), Some(true), true),
            (Some(500), Some(false), false),
            (Some(400), Some(true), true),
        ];
        for (status, should_retry, expected) in cases {
            assert_eq!(tried_again(status, should_retry), expected, "{status:?} {should_retry:?}");
        }
    }

    #[test]
    fn tries_end_and_a_replayed_answer_is_final() {
        assert!(delay(Failed { status: Some(500), ..Failed::default() }, TRIES, 0.5).is_none());
        assert!(delay(Failed { status: Some(500), replayed: true, ..Failed::default() }, 1, 0.5).is_none());
    }

    #[test]
    fn waits_grow_and_obey_short_advice() {
        let failed = Failed { status: Some(500), ..Failed::default() };
        let wait = |tried, random| delay(failed, tried, random).unwrap().as_millis();
        assert_eq!((wait(1, 0.0), wait(1, 1.0), wait(2, 0.0), wait(2, 1.0)), (500, 500, 500, 1_000));
        let advised = |seconds| {
            let failed = Failed { retry_after: Some(Duration::from_secs(seconds)), ..failed };
            delay(failed, 1, 1.0).unwrap().as_millis()
        };
        assert_eq!((advised(3), advised(60)), (3_000, 500));
    }
}
