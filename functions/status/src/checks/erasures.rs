//! Whether the erasing of personal data goes on.

use serde_json::{Value, json};
use shared::health::{ErasureHealth, ErasureTrouble, StuckErasure};
use shared::unix_time::UnixMillis;

use crate::inputs::StatusInputs;
use crate::report::{Check, Severity};

pub(super) fn erasures_go_on(inputs: &StatusInputs) -> Check {
    let code = "erasures_go_on";
    let erasures = &inputs.erasures;
    if erasures.is_empty() {
        return Check::pass(code, Severity::Warning, "nobody's data was to be erased", Value::Null);
    }
    let (summary, remedy) = match erasures.trouble {
        None => {
            let summary = "erasures go on, or are finished";
            return Check::pass(code, Severity::Warning, summary, evidence(erasures));
        }
        Some(ErasureTrouble::Overdue) => (
            "erasures that were due an hour ago were not gone on with",
            "look at the log of the erase function and at its schedule; what is erased stays erased, and it goes on by itself",
        ),
        Some(ErasureTrouble::Stopped) => (
            "erasures were stopped, because their customers are not deleted at Stripe",
            "if the customers are to be erased, delete them at Stripe: a day after the event `customer.deleted` at the latest it goes on by itself; where no such event comes, ask for the erasure again",
        ),
        Some(ErasureTrouble::WaitsForAdmin) => (
            "erasures wait for events that an admin has to decide about",
            "look at the events in `waiting`: have each applied with POST /events/{id}/replay, or close it with POST /events/{id}/discard; then ask for the erasure again, or wait for a day",
        ),
        Some(ErasureTrouble::WaitsForLong) => (
            "erasures wait for over a day for events that could not be applied",
            "GET /events/{id} says why an event in `waiting` fails; what `events_failed` says mends it, and the erasure then goes on by itself",
        ),
    };
    Check::fail(code, Severity::Warning, summary, evidence(erasures), remedy)
}

/// How many there are of each state, and those that something is wrong with.
fn evidence(erasures: &ErasureHealth) -> Value {
    json!({
        "running": erasures.running,
        "finished": erasures.finished,
        "stopped": erasures.stopped,
        "first": erasures.first.iter().map(erasure).collect::<Vec<_>>(),
    })
}

fn erasure(erasure: &StuckErasure) -> Value {
    json!({
        "customer": erasure.customer.id(),
        "account": erasure.customer.account(),
        "asked_at": erasure.asked_at.to_timestamp(),
        "moved_at": erasure.moved_at.to_timestamp(),
        "due_at": erasure.due_at.to_timestamp(),
        "waiting": erasure.waiting,
        "waiting_since": erasure.waiting_since.and_then(UnixMillis::to_timestamp),
    })
}
