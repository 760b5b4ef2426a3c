//! Checks of one endpoint: whether it is complete here, and as it is wanted at Stripe (`at_stripe`).

mod at_stripe;

use jiff::SignedDuration;
use serde_json::json;
use shared::endpoint::EndpointState;
use shared::health::SecretPresence;
use shared::unix_time::UnixMillis;

use super::{applied, deliveries, remedy};
use crate::inputs::{EndpointInputs, StatusInputs};
use crate::report::{Check, EndpointReport, HealthStatus, Severity};

/// A rotation ends some ten minutes after it began, or an hour for connected accounts, when all events of
/// before have been compared.
const ROTATED_WITHIN: SignedDuration = SignedDuration::from_hours(3);
/// A rotation that is due is tried every five minutes; being overdue by this many days is worth a look.
const OVERDUE_DAYS: i64 = 2;

/// Runs the checks of one endpoint.
pub(super) fn report(endpoint: &EndpointInputs, inputs: &StatusInputs) -> EndpointReport {
    let row = &endpoint.row;
    let mut checks = vec![registered_whole(endpoint, inputs)];
    // Before and after that, nothing is expected at Stripe or in Secrets Manager.
    if row.state.accepts_deliveries() {
        checks.push(secret_present(endpoint));
        checks.push(rotation_ends(endpoint, inputs));
        checks.extend(at_stripe::checks(endpoint, inputs));
        if row.state != EndpointState::Disabled {
            let is_as_wanted = !checks.iter().any(Check::is_error);
            checks.extend(deliveries::checks(endpoint, inputs, is_as_wanted));
            checks.push(applied::events_applied(endpoint, &inputs.ignore));
        }
    }
    let status = if checks.iter().any(Check::is_error) {
        HealthStatus::Error
    } else if row.state.accepts_deliveries() && row.state != EndpointState::Disabled && endpoint.was_reached()
    {
        HealthStatus::Active
    } else {
        HealthStatus::Inactive
    };
    let last_delivery_at = endpoint.activity.at.and_then(UnixMillis::to_timestamp);
    EndpointReport { name: row.name.to_string(), status, checks, last_delivery_at }
}

fn registered_whole(endpoint: &EndpointInputs, inputs: &StatusInputs) -> Check {
    let code = "registered_whole";
    let row = &endpoint.row;
    let name = &row.name;
    let evidence = json!({ "state": row.state, "since": row.state_since.to_timestamp() });
    let unfinished = |summary: &str, remedy: String| {
        if row.is_left_half_done(inputs.now) {
            Check::fail(code, Severity::Error, summary, evidence.clone(), remedy)
        } else {
            let waits_for = "the end of that request, within a minute";
            let summary = "a request for it is under way";
            Check::unknown(code, Severity::Error, summary, evidence.clone(), waits_for)
        }
    };
    match row.state {
        EndpointState::Registering => unfinished(
            "registering it was not finished, so nothing can arrive",
            format!(
                "wait: it is finished, or taken back, within five minutes, if the stack has a key that Stripe accepts; or send the same POST /endpoints again, or undo it with DELETE /endpoints/{name}?confirm={name}"
            ),
        ),
        EndpointState::Deregistering => unfinished(
            "deregistering it was not finished, so Stripe may still send what is refused here",
            format!(
                "wait: it is finished within five minutes; or send DELETE /endpoints/{name}?confirm={name} again"
            ),
        ),
        EndpointState::Changing => unfinished(
            "a change of it was not confirmed, so Stripe may send what was wanted before or what is wanted now",
            format!(
                "wait: it is finished, or taken back, within five minutes, if the stack has a key that Stripe accepts; or send the same PATCH /endpoints/{name} again"
            ),
        ),
        EndpointState::Active | EndpointState::Rotating | EndpointState::Disabled => {
            Check::pass(code, Severity::Error, "it is registered", evidence)
        }
    }
}

fn secret_present(endpoint: &EndpointInputs) -> Check {
    let code = "secret_present";
    let evidence = json!({ "secret": endpoint.row.secret.as_ref().map(|version| &version.name) });
    match endpoint.secret {
        SecretPresence::There => {
            Check::pass(code, Severity::Error, "its signing secret is in Secrets Manager", evidence)
        }
        SecretPresence::Missing | SecretPresence::NotNamed => Check::fail(
            code,
            Severity::Error,
            "its signing secret is lost, so deliveries cannot be told from forgeries and are refused",
            evidence,
            remedy::repair(&endpoint.row.name),
        ),
        SecretPresence::Unknown => Check::unknown(
            code,
            Severity::Error,
            "it is not known whether its signing secret is there: Secrets Manager did not answer",
            evidence,
            "ask again in a moment; if it stays, look at the status function's log",
        ),
    }
}

fn rotation_ends(endpoint: &EndpointInputs, inputs: &StatusInputs) -> Check {
    let code = "rotation_ends";
    let row = &endpoint.row;
    let age = |since| UnixMillis::from(inputs.now) - since;
    let secret_since = row.rotated_at.unwrap_or(row.created_at);
    let rotation = row.rotation.as_ref();
    let evidence = json!({
        "secret_since": secret_since.to_timestamp(),
        "begun_at": rotation.and_then(|rotation| rotation.begun_at.to_timestamp()),
        "second_endpoint": rotation.and_then(|rotation| rotation.stripe_id.as_ref()),
        "second_gets_all_since": rotation.and_then(|rotation| rotation.live_since?.to_timestamp()),
        "given_up_at": row.rotation_given_up.as_ref().and_then(|given_up| given_up.at.to_timestamp()),
        "given_up_because": row.rotation_given_up.as_ref().map(|given_up| &given_up.reason),
    });
    let warning = |summary: &str, remedy: String| {
        Check::fail(code, Severity::Warning, summary, evidence.clone(), remedy)
    };
    let rotate = format!(
        "POST /endpoints/{}/rotate goes on with it; Stripe's limit on endpoints must leave room for one more",
        row.name
    );
    match rotation {
        Some(rotation) if age(rotation.begun_at) > ROTATED_WITHIN && rotation.live_since.is_none() => {
            warning("a change of its signing secret was begun and not finished", rotate)
        }
        Some(rotation) if age(rotation.begun_at) > ROTATED_WITHIN => warning(
            "a change of its signing secret waits until all events of before are compared",
            format!(
                "let the key read events, and look at the checks of reconciliation; until then both secrets are accepted. POST /endpoints/{0}/rotate {{\"at_once\":true}} ends it now, DELETE /endpoints/{0}/rotate gives it up",
                row.name
            ),
        ),
        None if row.rotation_given_up.is_some() => warning(
            "a change of its signing secret was given up, so the one of before is the one that is accepted",
            format!("POST /endpoints/{}/rotate begins another", row.name),
        ),
        None if inputs.rotate_days > 0
            && row.state == EndpointState::Active
            && age(secret_since) > SignedDuration::from_hours(24 * (inputs.rotate_days + OVERDUE_DAYS)) =>
        {
            warning("its signing secret is older than the stack wants it", rotate)
        }
        Some(_) | None => {
            let summary = "no change of its signing secret is overdue";
            Check::pass(code, Severity::Warning, summary, evidence)
        }
    }
}
