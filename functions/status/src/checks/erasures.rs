//! Whether the erasing of personal data goes on: somebody waits for it, and often the law does.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::registry::{ErasureJob, ErasureState};
use shared::unix_time::UnixMillis;

use crate::inputs::StatusInputs;
use crate::report::{Check, Severity};

/// Each minute a run goes on with what is due, for three minutes; many can be due at once.
const GOES_ON_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// What the program tries again is applied by then, or an admin has to look at it.
const WAITS_AT_MOST: SignedDuration = SignedDuration::from_hours(24);
/// So many are named.
const NAMED: usize = 10;

pub(super) fn erasures_go_on(inputs: &StatusInputs) -> Check {
    let code = "erasures_go_on";
    let jobs = &inputs.erasures;
    if jobs.is_empty() {
        return Check::pass(code, Severity::Warning, "nobody's data was to be erased", Value::Null);
    }
    let now = UnixMillis::from(inputs.now);
    let is_overdue = |job: &ErasureJob| now - job.due_at.max(job.moved_at) > GOES_ON_WITHIN;
    let waits_for_long = |job: &ErasureJob| {
        let waits_for = job.waiting_since.map(|since| now - since);
        job.state == ErasureState::Running && waits_for.is_some_and(|waits_for| waits_for > WAITS_AT_MOST)
    };
    let fail = |summary: &str, is_it: &dyn Fn(&ErasureJob) -> bool, remedy: &str| {
        let named = jobs.iter().filter(|job| is_it(job)).take(NAMED);
        Check::fail(code, Severity::Warning, summary, evidence(jobs, named.map(erasure).collect()), remedy)
    };
    if jobs.iter().any(is_overdue) {
        let remedy = "look at the log of the erase function and at its schedule; what is erased stays erased, and it goes on by itself";
        fail("erasures that were due an hour ago were not gone on with", &is_overdue, remedy)
    } else if jobs.iter().any(|job| job.state == ErasureState::Stopped) {
        let is_stopped = |job: &ErasureJob| job.state == ErasureState::Stopped;
        let remedy = "if the customers are to be erased, delete them at Stripe: a day after the event `customer.deleted` at the latest it goes on by itself";
        fail("erasures were stopped, because their customers are not deleted at Stripe", &is_stopped, remedy)
    } else if jobs.iter().any(ErasureJob::waits_for_admin) {
        let remedy = "look at the events in `waiting`: have each applied with POST /events/{id}/replay, or close it with POST /events/{id}/discard; then ask for the erasure again, or wait for a day";
        fail(
            "erasures wait for events that an admin has to decide about",
            &ErasureJob::waits_for_admin,
            remedy,
        )
    } else if jobs.iter().any(waits_for_long) {
        let remedy = "GET /events/{id} says why an event in `waiting` fails; what `events_failed` says mends it, and the erasure then goes on by itself";
        fail("erasures wait for over a day for events that could not be applied", &waits_for_long, remedy)
    } else {
        Check::pass(code, Severity::Warning, "erasures go on, or are finished", evidence(jobs, Vec::new()))
    }
}

/// How many there are of each state, and those that something is wrong with.
fn evidence(jobs: &[ErasureJob], first: Vec<Value>) -> Value {
    let count = |state| jobs.iter().filter(|job| job.state == state).count();
    json!({
        "running": count(ErasureState::Running),
        "finished": count(ErasureState::Finished),
        "stopped": count(ErasureState::Stopped),
        "first": first,
    })
}

fn erasure(job: &ErasureJob) -> Value {
    json!({
        "customer": job.customer.id(),
        "account": job.customer.account(),
        "asked_at": job.asked_at.to_timestamp(),
        "moved_at": job.moved_at.to_timestamp(),
        "due_at": job.due_at.to_timestamp(),
        "waiting": job.waiting.first,
        "waiting_since": job.waiting_since.and_then(UnixMillis::to_timestamp),
    })
}
