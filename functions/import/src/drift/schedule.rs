//! When a nightly comparison is due, and which events it looks at. Pure.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use shared::registry::{DriftPass, DriftProgress, DriftReport, FinishedPass};
use shared::unix_time::UnixMillis;

/// Events of changes younger than this may still be on their way.
pub(super) const EVENT_GRACE: SignedDuration = SignedDuration::from_mins(10);
/// The hour (UTC) from which a night's comparison is due.
const FROM_HOUR: i8 = 2;
/// How far the first comparison looks back.
const FIRST_LOOKBACK: SignedDuration = SignedDuration::from_hours(24);

/// Whether there is something to compare: an unfinished comparison, the night's, or the first of all.
pub(crate) fn is_due(progress: &DriftProgress, now: Timestamp) -> bool {
    let begun_at = progress.last.as_ref().and_then(|last| last.begun_at.to_timestamp());
    progress.pass.is_some() || is_due_since(begun_at, now)
}

/// Whether a night's work is to begin, the last of which was begun then; the first at once.
pub(crate) fn is_due_since(begun_at: Option<Timestamp>, now: Timestamp) -> bool {
    let date_and_hour = |at: Timestamp| {
        let at = TimeZone::UTC.to_datetime(at);
        (at.date(), at.hour())
    };
    let (today, hour) = date_and_hour(now);
    begun_at.is_none_or(|begun_at| date_and_hour(begun_at).0 < today && hour >= FROM_HOUR)
}

/// Begins a comparison of what has come in since the last one, so a missed night leaves nothing out.
pub(super) fn new_pass(last: Option<&FinishedPass>, now: Timestamp) -> DriftPass {
    let until = UnixMillis::from(now - EVENT_GRACE);
    let since = last.map_or(UnixMillis::from(now - FIRST_LOOKBACK), |last| last.until).min(until);
    DriftPass {
        begun_at: now.into(),
        since,
        until,
        after: None,
        all_listed: false,
        mismatches: Vec::new(),
        unanswered: None,
        report: DriftReport::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn millis(time: &str) -> UnixMillis {
        at(time).into()
    }

    fn begun(time: &str) -> DriftProgress {
        let begun_at = millis(time);
        let last =
            FinishedPass { begun_at, finished_at: begun_at, until: begun_at, report: DriftReport::default() };
        DriftProgress { last: Some(last), ..DriftProgress::default() }
    }

    #[test]
    fn a_comparison_is_due_once_a_night_from_two_oclock_on() {
        let last = begun("2026-11-23T02:00:30Z");
        for (now, due) in [
            ("2026-11-23T23:59:59Z", false),
            ("2026-11-24T00:00:00Z", false),
            ("2026-11-24T01:59:59Z", false),
            ("2026-11-24T02:00:00Z", true),
            ("2026-11-24T23:00:00Z", true),
            ("2026-11-26T01:00:00Z", false),
        ] {
            assert_eq!(is_due(&last, at(now)), due, "{now}");
        }
        assert!(!is_due(&begun("2026-11-24T02:00:00Z"), at("2026-11-24T02:01:00Z")));
        assert!(!is_due(&begun("2026-11-25T02:00:00Z"), at("2026-11-24T03:00:00Z")), "a clock went back");
    }

    #[test]
    fn the_first_and_an_unfinished_one_are_due_at_any_hour() {
        let now = at("2026-11-24T00:30:00Z");
        assert!(is_due(&DriftProgress::default(), now));
        let pass = Some(new_pass(None, now));
        assert!(is_due(&DriftProgress { pass, ..begun("2026-11-24T00:10:00Z") }, now));
    }

    #[test]
    fn each_looks_at_what_has_come_in_since_the_last_and_leaves_the_youngest_to_the_next() {
        let now = at("2026-11-24T02:00:00Z");
        let first = new_pass(None, now);
        assert_eq!(first.since, millis("2026-11-23T02:00:00Z"));
        assert_eq!(first.until, millis("2026-11-24T01:50:00Z"));
        let last = begun("2026-11-20T02:00:00Z").last;
        assert_eq!(new_pass(last.as_ref(), now).since, millis("2026-11-20T02:00:00Z"));
        let ahead = begun("2026-11-25T02:00:00Z").last;
        assert_eq!(new_pass(ahead.as_ref(), now).since, first.until);
    }
}
