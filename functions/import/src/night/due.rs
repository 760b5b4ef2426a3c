//! When a night is due, and which events it looks at. Pure.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use shared::registry::{DriftPass, DriftProgress, DriftReport, FinishedPass};

use super::ON_THEIR_WAY;

/// The hour (UTC) from which a night's comparison is due.
const HOUR: i8 = 2;
/// How far the first comparison looks back.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// Is there something to compare: a comparison that is not finished, or the night's? The first of all is due at once.
pub(crate) fn is_due(kept: &DriftProgress, now: Timestamp) -> bool {
    let date_and_hour = |at: Timestamp| {
        let at = TimeZone::UTC.to_datetime(at);
        (at.date(), at.hour())
    };
    let begun_at = kept.last.as_ref().and_then(|last| Timestamp::from_millisecond(last.begun_at).ok());
    let (today, hour) = date_and_hour(now);
    kept.walk.is_some() || begun_at.is_none_or(|begun_at| date_and_hour(begun_at).0 < today && hour >= HOUR)
}

/// It looks at what has come in since the last one, so that nothing is left out where a night was.
pub(super) fn begin(last: Option<&FinishedPass>, now: Timestamp) -> DriftPass {
    let until = (now - ON_THEIR_WAY).as_millisecond();
    let since = last.map_or((now - A_DAY).as_millisecond(), |last| last.until).min(until);
    DriftPass {
        begun_at: now.as_millisecond(),
        since,
        until,
        after: None,
        walked: false,
        doubts: Vec::new(),
        stuck: None,
        seen: DriftReport::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn begun(time: &str) -> DriftProgress {
        let begun_at = at(time).as_millisecond();
        let last =
            FinishedPass { begun_at, finished_at: begun_at, until: begun_at, seen: DriftReport::default() };
        DriftProgress { last: Some(last), ..DriftProgress::default() }
    }

    #[test]
    fn a_night_is_due_once_from_two_oclock_on() {
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
    fn the_first_and_one_that_is_not_finished_are_due_at_any_hour() {
        let now = at("2026-11-24T00:30:00Z");
        assert!(is_due(&DriftProgress::default(), now));
        let walk = Some(begin(None, now));
        assert!(is_due(&DriftProgress { walk, ..begun("2026-11-24T00:10:00Z") }, now));
    }

    #[test]
    fn each_looks_at_what_has_come_in_since_the_last_and_leaves_the_youngest_to_the_next() {
        let now = at("2026-11-24T02:00:00Z");
        let first = begin(None, now);
        assert_eq!(first.since, at("2026-11-23T02:00:00Z").as_millisecond());
        assert_eq!(first.until, at("2026-11-24T01:50:00Z").as_millisecond());
        let last = begun("2026-11-20T02:00:00Z").last;
        assert_eq!(begin(last.as_ref(), now).since, at("2026-11-20T02:00:00Z").as_millisecond());
        let ahead = begun("2026-11-25T02:00:00Z").last;
        assert_eq!(begin(ahead.as_ref(), now).since, first.until);
    }
}
