//! Events that wait to be applied when a comparison comes to them: the next comparison looks at them again,
//! because by then their objects may have changed here. Pure.
//!
//! A thousand are named, which are 40 kB of a row. If more wait, the next comparison begins at the earliest
//! of the rest; what the last one has seen applied it does not look at again.

use jiff::{SignedDuration, Timestamp};
use shared::ledger::LedgerRow;
use shared::registry::{DriftPass, DriftProgress};
use shared::unix_time::UnixMillis;

use super::schedule::new_pass;

/// An event's row says when the run began that applied it; it may have been applied so much later (the
/// timeout of `process`).
const APPLIED_WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// Events that are named.
const NAMED: usize = 1_000;

/// Begins a pass over what has come in since the last one, and over what waited then.
pub(super) fn begin_pass(progress: &mut DriftProgress, now: Timestamp) -> DriftPass {
    let mut pass = new_pass(progress.last.as_ref(), now);
    if let Some(since) = progress.waiting_since.take() {
        pass.since = pass.since.min(since);
    }
    progress.again.append(&mut progress.waiting);
    pass
}

/// Notes an event that waits.
pub(super) fn note(progress: &mut DriftProgress, row: &LedgerRow) {
    if progress.waiting.contains(&row.id) {
        return;
    }
    if progress.waiting.len() < NAMED {
        progress.waiting.push(row.id.clone());
    } else {
        let since = progress.waiting_since.get_or_insert(row.received_at);
        *since = row.received_at.min(*since);
    }
}

/// Whether the last comparison has certainly come to this event when it had been applied. It says nothing
/// about one that waited then.
pub(super) fn was_seen_applied(progress: &DriftProgress, row: &LedgerRow) -> bool {
    let Some(last) = &progress.last else { return false };
    let was_applied_before =
        |begun_at: UnixMillis| row.marked_at.is_none_or(|marked_at| marked_at + APPLIED_WITHIN <= begun_at);
    !row.state.is_open() && row.received_at < last.until && was_applied_before(last.begun_at)
}

#[cfg(test)]
mod tests {
    use shared::ledger::EventState;
    use shared::registry::{DriftReport, FinishedPass};
    use test_cloud::fixtures::{event, ledger_row, now};

    use super::*;

    fn row(i: usize) -> LedgerRow {
        let object = serde_json::json!({ "object": "charge", "id": "ch_1" });
        ledger_row(&event(&format!("evt_{i}"), "charge.updated", 5, &object), now())
    }

    fn finished() -> DriftProgress {
        let at = UnixMillis::from(now());
        let last = FinishedPass { begun_at: at, finished_at: at, until: at, report: DriftReport::default() };
        DriftProgress { last: Some(last), ..DriftProgress::default() }
    }

    #[test]
    fn a_thousand_are_named_once_and_from_the_earliest_other_the_next_pass_begins() {
        let mut progress = finished();
        let earlier = UnixMillis::new(row(0).received_at.get() - 3_600_000);
        for i in (0..1_002).chain(0..1_002) {
            let mut row = row(i);
            if i == 1_001 {
                row.received_at = earlier;
            }
            note(&mut progress, &row);
        }
        assert_eq!((progress.waiting.len(), progress.waiting_since), (1_000, Some(earlier)));
        let pass = begin_pass(&mut progress, now());
        assert_eq!((pass.since, progress.again.len()), (earlier, 1_000));
        assert_eq!((progress.waiting.len(), progress.waiting_since), (0, None));
    }

    #[test]
    fn what_was_applied_when_the_last_pass_came_to_it_is_not_looked_at_again() {
        let progress = finished();
        let millis = |after: i64| UnixMillis::new(UnixMillis::from(now()).get() + after);
        for (received, applied, state, was_seen) in [
            (-95_000, Some(-60_000), EventState::Processed, true),
            (-95_000, None, EventState::Ignored, true),
            (-95_000, Some(-59_999), EventState::Processed, false),
            (-95_000, Some(1), EventState::Processed, false),
            (0, Some(-60_000), EventState::Processed, false),
            (5_000, Some(6_000), EventState::Processed, false),
            // It failed before, and waits still.
            (-95_000, Some(-60_000), EventState::Failed, false),
            (-95_000, None, EventState::Pending, false),
        ] {
            let mut row = row(1);
            (row.received_at, row.marked_at, row.state) = (millis(received), applied.map(millis), state);
            assert_eq!(was_seen_applied(&progress, &row), was_seen, "{received} {applied:?} {state}");
        }
        assert!(!was_seen_applied(&DriftProgress::default(), &row(1)));
    }
}
