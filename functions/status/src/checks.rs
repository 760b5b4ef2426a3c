//! The checks. Pure: the same inputs give the same report. Each function that makes one check has the check's
//! code as its name.
//!
//! The overall status, as the API promises it: `error` if an error check fails somewhere; else `inactive`
//! if no endpoint is active: none is registered, all are disabled, or none was heard or reached by a probe
//! yet; else `active`.
//!
//! An error is what keeps events from Stripe out of the records, or may do so; all else is a warning. So:
//! - without an endpoint nothing is expected to arrive, and a missing or rejected key, or a Stripe that does
//!   not answer, is a warning: a new stack is `inactive`, not broken;
//! - quarantined events are a warning: they were set aside on purpose and are kept; failed and dead ones are
//!   errors;
//! - an event type that is wanted and that Stripe does not send is an error; one too many is a warning,
//!   because it costs and is ignored.
//!
//! Nothing is `ok` that nobody has looked at. Where there is no evidence, or not yet, the outcome is
//! `unknown`, and the remedy says what it waits for; every check is listed whatever its outcome. What keeps
//! evidence from coming (a key that is refused, a Stripe or a Secrets Manager that does not answer, no
//! reconciliation for a quarter of an hour) fails a check of its own.

mod applied;
mod clock;
mod deliveries;
mod endpoint;
mod erasures;
mod evidence;
mod open_events;
mod payouts;
mod reconciliation;
mod records;
mod remedy;
mod sample;
mod secrets_manager;
mod stack;
mod stripe_key;
mod whole_records;

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use shared::ledger::EventState;
use shared::registry::HourlyCounts;

use crate::inputs::StatusInputs;
use crate::report::{
    Check, EndpointReport, HealthStatus, OpenCountView, OpenEventCounts, Severity, StatusReport,
};

/// Runs every check.
pub(crate) fn run(inputs: &StatusInputs) -> StatusReport {
    let checks = stack_checks(inputs);
    let endpoints: Vec<EndpointReport> =
        inputs.endpoints.iter().map(|endpoint| endpoint::report(endpoint, inputs)).collect();
    let broken = checks.iter().any(Check::is_error)
        || endpoints.iter().any(|endpoint| endpoint.status == HealthStatus::Error);
    let status = if broken {
        HealthStatus::Error
    } else if endpoints.iter().all(|endpoint| endpoint.status == HealthStatus::Inactive) {
        HealthStatus::Inactive
    } else {
        HealthStatus::Active
    };
    StatusReport {
        status,
        mode: inputs.mode,
        stripe_asked_at: inputs.stripe_asked_at,
        endpoints,
        checks,
        counts: OpenEventCounts {
            pending: OpenCountView(inputs.open.pending),
            failed: OpenCountView(inputs.open.failed),
            dead: OpenCountView(inputs.open.dead),
            quarantined: OpenCountView(inputs.open.quarantined),
        },
        last_day: inputs.hours.iter().map(hour).collect(),
    }
}

fn stack_checks(inputs: &StatusInputs) -> Vec<Check> {
    // Without an endpoint nobody depends on Stripe yet.
    let severity = if inputs.endpoints.is_empty() { Severity::Warning } else { Severity::Error };
    let mut checks = vec![stack::endpoint_registered(inputs)];
    checks.push(secrets_manager::secrets_manager_answers(inputs, severity));
    checks.extend(stripe_key::checks(inputs, severity));
    checks.push(stack::left_over_at_stripe(inputs));
    checks.extend(open_events::checks(&inputs.open, inputs.now));
    checks.push(records::order_uncertain(&inputs.uncertain));
    checks.push(whole_records::records_whole(inputs));
    checks.extend(reconciliation::checks(inputs, severity));
    checks.push(clock::clock(inputs));
    checks.push(stack::strangers_at_stripe(inputs));
    checks.push(records::records_as_stripe(inputs));
    checks.push(records::import_goes_on(inputs));
    checks.push(payouts::payouts_add_up(inputs));
    checks.push(payouts::payouts_arrive(inputs));
    checks.push(erasures::erasures_go_on(inputs));
    checks
}

/// Hours count what events came to, so every state but `pending`, and how long the applied ones took.
fn hour(hour: &HourlyCounts) -> Value {
    let counts: HashMap<EventState, u64> = hour.counts.iter().copied().collect();
    let mut row = Map::new();
    row.insert("hour".to_owned(), json!(hour.begins));
    for state in EventState::ALL.into_iter().filter(|state| *state != EventState::Pending) {
        row.insert(state.to_string(), json!(counts.get(&state).copied().unwrap_or(0)));
    }
    let lag =
        hour.lags.by_bound().map(|(within_s, events)| json!({ "within_s": within_s, "events": events }));
    row.insert("lag".to_owned(), lag.collect());
    Value::Object(row)
}

#[cfg(test)]
mod tests;
