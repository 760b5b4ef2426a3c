//! Checks of the events that are not final: those that failed, that are set aside, that wait.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::health::{CommonReason, OpenEvents};
use shared::ledger::OpenCount;

use crate::report::{Check, OpenCountView, Severity};

/// A failed event is tried again by itself; after this it is worth an alarm.
const FAILING_AFTER: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn checks(open: &OpenEvents, now: Timestamp) -> [Check; 3] {
    [events_failed(open, now), events_quarantined(open), backlog(open)]
}

fn events_failed(open: &OpenEvents, now: Timestamp) -> Check {
    let code = "events_failed";
    let is_long_ago = |reason: &CommonReason| {
        reason.since.to_timestamp().is_some_and(|since| now.duration_since(since) > FAILING_AFTER)
    };
    let is_failing = !is_none(open.failed) && open.failed_because.as_ref().is_some_and(is_long_ago);
    let evidence = json!({
        "failed": OpenCountView(open.failed),
        "failed_because": open.failed_because.as_ref().map(common_reason),
        "dead": OpenCountView(open.dead),
        "dead_because": open.dead_because.as_ref().map(common_reason),
    });
    if !is_none(open.dead) {
        Check::fail(
            code,
            Severity::Error,
            "events could not be applied, so records may be older than Stripe's",
            evidence,
            "GET /events?state=dead shows them with the reason of each; mend that, then POST /events/replay {\"state\":\"dead\"}",
        )
    } else if is_failing {
        Check::fail(
            code,
            Severity::Error,
            "events have failed for over ten minutes, so records may be older than Stripe's; they will be tried again",
            evidence,
            "GET /events?state=failed shows them with the reason of each, and when they are tried again",
        )
    } else if is_none(open.failed) {
        Check::pass(code, Severity::Error, "no event has failed", evidence)
    } else {
        let summary = "events that failed will be tried again in a moment";
        Check::pass(code, Severity::Error, summary, evidence)
    }
}

fn events_quarantined(open: &OpenEvents) -> Check {
    let code = "events_quarantined";
    let evidence = json!({
        "quarantined": OpenCountView(open.quarantined),
        "because": open.quarantined_because.as_ref().map(common_reason),
    });
    if is_none(open.quarantined) {
        return Check::pass(code, Severity::Warning, "no event is set aside", evidence);
    }
    Check::fail(
        code,
        Severity::Warning,
        "events are set aside: of the other mode, or in a shape that cannot be read",
        evidence,
        "GET /events?state=quarantined shows them with the reason of each; replay or discard them with POST /events/{id}/replay or /discard, or many at once with POST /events/replay or /discard",
    )
}

fn backlog(open: &OpenEvents) -> Check {
    let code = "backlog";
    let pending = OpenCountView(open.pending);
    match &open.overdue {
        None => {
            let summary = "no event waits beyond its time";
            Check::pass(code, Severity::Error, summary, json!({ "pending": pending }))
        }
        Some(oldest) => Check::fail(
            code,
            Severity::Error,
            "events have waited over a minute beyond their time: the function that applies them does not run, or not fast enough",
            json!({ "pending": pending, "oldest": oldest }),
            "look at the process function's log and its throttling; GET /events?state=pending shows what waits",
        ),
    }
}

fn is_none(count: OpenCount) -> bool {
    count == OpenCount::Exactly(0)
}

fn common_reason(reason: &CommonReason) -> Value {
    json!({
        "commonest_reason": reason.reason,
        "events": reason.count,
        "of": reason.looked_at,
        "example": reason.example,
        "since": reason.since.to_timestamp(),
    })
}
