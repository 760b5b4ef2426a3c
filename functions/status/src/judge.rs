//! Judges the facts. Pure: the same facts give the same status.
//!
//! The one word, as the contract has it: `error` if an error check fails somewhere; else `inactive` if no endpoint takes
//! deliveries; else `active`.
//!
//! What is an error and what a warning: an error is what keeps events from Stripe out of the records, or may do so. So:
//! - without an endpoint nothing is expected to arrive, and a missing or refused key, or a Stripe that does not answer, is a
//!   warning: a new stack is `inactive`, not broken;
//! - quarantined events are a warning: they were set aside on purpose and are kept; failed and dead ones are errors;
//! - an event type that Stripe does not send though it is wanted is an error, one too many a warning: it costs and is ignored.
//!
//! What is not known is not told as if it were: a check that needs an answer which did not come is left out. One thing must still be
//! said of each endpoint, or it would look well: `at_stripe` then fails with the summary that it is not known.

mod deliveries;
mod endpoint;
mod events;
mod objects;
mod reconciled;
mod stack;

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use shared::ledger::EventState;
use shared::registry::HourlyCounts;

use crate::facts::{EndpointFacts, Facts};
use crate::verdict::{Check, Condition, Count, Counts, EndpointStatus, Severity, Status};

/// Says whether it works.
pub(crate) fn judge(facts: &Facts) -> Status {
    let mut checks = stack::checks(facts);
    checks.extend(objects::checks(facts));
    let endpoints: Vec<EndpointStatus> =
        facts.endpoints.iter().map(|endpoint| endpoint::judge(endpoint, facts)).collect();
    let broken = checks.iter().any(Check::is_error)
        || endpoints.iter().any(|endpoint| endpoint.status == Condition::Error);
    let status = if broken {
        Condition::Error
    } else if endpoints.iter().all(|endpoint| endpoint.status == Condition::Inactive) {
        Condition::Inactive
    } else {
        Condition::Active
    };
    Status {
        status,
        mode: facts.mode,
        endpoints,
        checks,
        counts: Counts {
            pending: Count(facts.open.pending),
            failed: Count(facts.open.failed),
            dead: Count(facts.open.dead),
            quarantined: Count(facts.open.quarantined),
        },
        last_day: facts.hours.iter().map(hour).collect(),
    }
}

/// Hours count what events came to, so every state but `pending`.
fn hour(hour: &HourlyCounts) -> Value {
    let counts: HashMap<EventState, u64> = hour.counts.iter().copied().collect();
    let mut row = Map::new();
    row.insert("hour".to_owned(), json!(hour.begins));
    for state in EventState::ALL.into_iter().filter(|state| *state != EventState::Pending) {
        row.insert(state.to_string(), json!(counts.get(&state).copied().unwrap_or(0)));
    }
    Value::Object(row)
}

/// A check that holds.
fn holds(code: &'static str, severity: Severity, summary: impl Into<String>, evidence: Value) -> Check {
    Check { code, ok: true, severity, summary: summary.into(), evidence, remedy: None }
}

/// A check that fails.
fn fails(
    code: &'static str,
    severity: Severity,
    summary: impl Into<String>,
    evidence: Value,
    remedy: impl Into<String>,
) -> Check {
    Check { code, ok: false, severity, summary: summary.into(), evidence, remedy: Some(remedy.into()) }
}

fn repair(endpoint: &EndpointFacts) -> String {
    format!("POST /endpoints/{}/repair puts it back to what is wanted", endpoint.row.name)
}

fn anew(endpoint: &EndpointFacts) -> String {
    let name = &endpoint.row.name;
    format!("register it anew: DELETE /endpoints/{name}?confirm={name}, then POST /endpoints")
}

#[cfg(test)]
mod objects_tests;
#[cfg(test)]
mod tests;
