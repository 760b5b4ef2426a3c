//! Checks of the events that are not final: those that failed, that are set aside, that wait.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::health::{CommonReason, OpenEvents};
use shared::ledger::OpenCount;

use super::{fails, holds};
use crate::verdict::{Check, Count, Severity};

/// A failed event is tried again by itself; after this it is worth an alarm.
const FAILING_AFTER: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn checks(open: &OpenEvents, now: Timestamp) -> Vec<Check> {
    vec![failed(open, now), quarantined(open), backlog(open)]
}

fn failed(open: &OpenEvents, now: Timestamp) -> Check {
    let code = "events_failed";
    let long = |because: &CommonReason| {
        Timestamp::from_millisecond(because.since)
            .is_ok_and(|since| now.duration_since(since) > FAILING_AFTER)
    };
    let failing = !none(open.failed) && open.failed_because.as_ref().is_some_and(long);
    let evidence = json!({
        "failed": Count(open.failed),
        "failed_because": open.failed_because.as_ref().map(why),
        "dead": Count(open.dead),
        "dead_because": open.dead_because.as_ref().map(why),
    });
    if !none(open.dead) {
        fails(
            code,
            Severity::Error,
            "events could not be applied, so records may be older than Stripe's",
            evidence,
            "GET /events?state=dead shows them with the reason of each; mend that, then POST /events/replay {\"state\":\"dead\"}",
        )
    } else if failing {
        fails(
            code,
            Severity::Error,
            "events have failed for over ten minutes, so records may be older than Stripe's; they will be tried again",
            evidence,
            "GET /events?state=failed shows them with the reason of each, and when they are tried again",
        )
    } else if none(open.failed) {
        holds(code, Severity::Error, "no event has failed", evidence)
    } else {
        holds(code, Severity::Error, "events that failed will be tried again in a moment", evidence)
    }
}

fn quarantined(open: &OpenEvents) -> Check {
    let code = "events_quarantined";
    let evidence = json!({
        "quarantined": Count(open.quarantined),
        "because": open.quarantined_because.as_ref().map(why),
    });
    if none(open.quarantined) {
        return holds(code, Severity::Warning, "no event is set aside", evidence);
    }
    fails(
        code,
        Severity::Warning,
        "events are set aside: of the other mode, or in a shape that cannot be read",
        evidence,
        "GET /events?state=quarantined shows them with the reason of each; replay or discard them with POST /events/{id}/replay or /discard, or many at once with POST /events/replay or /discard",
    )
}

fn backlog(open: &OpenEvents) -> Check {
    let code = "backlog";
    let pending = Count(open.pending);
    match &open.overdue {
        None => holds(code, Severity::Error, "no event waits beyond its time", json!({ "pending": pending })),
        Some(oldest) => fails(
            code,
            Severity::Error,
            "events have waited over a minute beyond their time: the function that applies them does not run, or not fast enough",
            json!({ "pending": pending, "oldest": oldest }),
            "look at the process function's log and its throttling; GET /events?state=pending shows what waits",
        ),
    }
}

fn none(count: OpenCount) -> bool {
    count == OpenCount::Exactly(0)
}

fn why(because: &CommonReason) -> Value {
    json!({
        "commonest_reason": because.reason,
        "events": because.count,
        "of": because.looked_at,
        "example": because.example,
        "since": Timestamp::from_millisecond(because.since).ok(),
    })
}
