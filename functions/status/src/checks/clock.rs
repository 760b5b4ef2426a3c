//! The check of the clock.

use jiff::SignedDuration;
use serde_json::json;
use shared::unix_time::UnixMillis;

use crate::inputs::StatusInputs;
use crate::report::{Check, Severity};

/// A signature older than this says nothing of the clock now.
const RECENT_SIGNATURE: SignedDuration = SignedDuration::from_mins(15);
/// From this difference on a clock is worth a look.
const ODD_CLOCK: SignedDuration = SignedDuration::from_secs(30);
/// From this difference on a clock is an error: at five minutes deliveries are refused.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_mins(4);

/// By the `Date` of Stripe's answers, and by the `t` of what it signed.
///
/// A delivery that comes late need not mean a clock that is ahead: it may have been held back on its way,
/// and anybody who has seen it can send it again within its five minutes. So late deliveries are never an
/// error, and count at all only while no answer of Stripe says that the clock is right. One that is signed
/// in our future can only mean a clock that is behind.
pub(super) fn clock(inputs: &StatusInputs) -> Check {
    let code = "clock";
    let by_answer = inputs.clock_ahead_ms.map(SignedDuration::from_millis);
    let by_signature = inputs
        .endpoints
        .iter()
        .filter_map(|endpoint| {
            Some((endpoint.activity.at?, SignedDuration::from_secs(-endpoint.activity.off_by_s?)))
        })
        .filter(|(at, _)| UnixMillis::from(inputs.now) - *at <= RECENT_SIGNATURE)
        .map(|(_, ahead)| ahead)
        .max_by_key(|ahead| ahead.abs());
    // A request that was signed long ago may be an old one that anybody sent again: it counts where Stripe's
    // own do not arrive.
    let by_refused =
        inputs.endpoints.iter().filter(|endpoint| endpoint.is_unreachable()).find_map(|endpoint| {
            let activity = endpoint.activity;
            let stale_by_s =
                activity.stale_by_s.filter(|_| endpoint.may_be_undelivered(activity.stale_at))?;
            Some(SignedDuration::from_secs(-stale_by_s))
        });
    let seconds = |ahead: Option<SignedDuration>| ahead.map(|ahead| ahead.as_secs());
    let evidence = json!({
        "seconds_ahead_of_stripe": seconds(by_answer),
        "seconds_ahead_of_signatures": seconds(by_signature),
        "seconds_ahead_of_refused_signatures": seconds(by_refused),
    });
    let is_late = |ahead: &SignedDuration| ahead.is_positive();
    let is_right = by_answer.is_some_and(|ahead| ahead.abs() < ODD_CLOCK);
    let late = by_signature.filter(is_late).filter(|_| !is_right);
    let sure = [by_answer, by_signature.filter(|ahead| !is_late(ahead)), by_refused];
    let sure = sure.into_iter().flatten().map(|ahead| ahead.abs()).max();
    if sure.is_none() && late.is_none() {
        return Check::unknown(
            code,
            Severity::Warning,
            "nothing says how the clock here stands to Stripe's",
            evidence,
            "an answer of Stripe says it, which needs a key; so does the next delivery",
        );
    }
    if sure.max(late).is_none_or(|ahead| ahead < ODD_CLOCK) {
        return Check::pass(code, Severity::Warning, "the clock here agrees with Stripe's", evidence);
    }
    let is_wrong = sure.is_some_and(|ahead| ahead >= WRONG_CLOCK);
    Check::fail(
        code,
        if is_wrong { Severity::Error } else { Severity::Warning },
        "the clock here differs from Stripe's, or deliveries are long on their way; over five minutes, they are refused as too old or too new",
        evidence,
        "on AWS clocks are kept right: where the function runs elsewhere, set that machine's clock by NTP; look for a proxy that holds deliveries back",
    )
}
