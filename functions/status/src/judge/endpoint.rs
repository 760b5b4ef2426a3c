//! Checks of one endpoint: is it whole here, and is it at Stripe what is wanted here?

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::endpoint::EndpointState;
use shared::health::{SecretPresence, StripeView};
use shared::mode::Mode;
use shared::stripe::WebhookEndpoint;

use super::{anew, deliveries, fails, holds, repair};
use crate::facts::{EndpointFacts, Facts};
use crate::verdict::{Check, Condition, EndpointStatus, Severity};

/// A request to register or deregister ends within half a minute: what is still under way after this was left so.
const HALF_DONE_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// Event types named in evidence.
const NAMED: usize = 10;

pub(super) fn judge(endpoint: &EndpointFacts, facts: &Facts) -> EndpointStatus {
    let row = &endpoint.row;
    let mut checks = vec![whole(endpoint, facts.now)];
    // Before and after that, nothing is expected at Stripe or in the vault.
    if row.state.takes_deliveries() {
        checks.push(secret(endpoint));
        checks.push(rotation(endpoint, facts));
        let sending = EndpointFacts { row: row.with_live_endpoint(), ..endpoint.clone() };
        match found(&sending, &facts.at_stripe) {
            Ok((at_stripe, request_id)) => {
                checks.push(present(&sending, request_id));
                checks.extend(as_wanted(&sending, at_stripe, facts.mode));
            }
            Err(absent) => checks.push(*absent),
        }
        if row.state != EndpointState::Disabled {
            let as_wanted = !checks.iter().any(Check::is_error);
            checks.extend(deliveries::checks(endpoint, as_wanted));
        }
    }
    let status = if checks.iter().any(Check::is_error) {
        Condition::Error
    } else if row.state.takes_deliveries() && row.state != EndpointState::Disabled {
        Condition::Active
    } else {
        Condition::Inactive
    };
    let last_delivery_at = endpoint.activity.at.and_then(|at| Timestamp::from_millisecond(at).ok());
    EndpointStatus { name: row.name.to_string(), status, checks, last_delivery_at }
}

fn whole(endpoint: &EndpointFacts, now: Timestamp) -> Check {
    let code = "registered_whole";
    let row = &endpoint.row;
    let name = &row.name;
    let evidence = json!({ "state": row.state, "since": Timestamp::from_millisecond(row.state_since).ok() });
    let age = SignedDuration::from_millis(now.as_millisecond() - row.state_since);
    let half_done = |summary: &str, remedy: String| {
        if age < HALF_DONE_AFTER {
            holds(code, Severity::Error, "a request for it is under way", evidence.clone())
        } else {
            fails(code, Severity::Error, summary, evidence.clone(), remedy)
        }
    };
    match row.state {
        EndpointState::Registering => half_done(
            "registering it was not finished, so nothing can arrive",
            format!(
                "wait: it is finished, or taken back, within five minutes, if the stack has a key that Stripe accepts; or send the same POST /endpoints again, or undo it with DELETE /endpoints/{name}?confirm={name}"
            ),
        ),
        EndpointState::Deregistering => half_done(
            "deregistering it was not finished, so Stripe may still send what is refused here",
            format!(
                "wait: it is finished within five minutes; or send DELETE /endpoints/{name}?confirm={name} again"
            ),
        ),
        EndpointState::Changing => half_done(
            "a change of it was not confirmed, so Stripe may send what was wanted before or what is wanted now",
            format!(
                "wait: it is finished, or taken back, within five minutes, if the stack has a key that Stripe accepts; or send the same PATCH /endpoints/{name} again"
            ),
        ),
        EndpointState::Active | EndpointState::Rotating | EndpointState::Disabled => {
            holds(code, Severity::Error, "it is registered", evidence)
        }
    }
}

fn secret(endpoint: &EndpointFacts) -> Check {
    let code = "secret_present";
    let evidence = json!({ "secret": endpoint.row.secret.as_ref().map(|version| &version.name) });
    match endpoint.secret {
        SecretPresence::There => {
            holds(code, Severity::Error, "its signing secret is in Secrets Manager", evidence)
        }
        SecretPresence::Missing | SecretPresence::NotNamed => fails(
            code,
            Severity::Error,
            "its signing secret is lost, so deliveries cannot be told from forgeries and are refused",
            evidence,
            repair(endpoint),
        ),
        SecretPresence::Unknown => fails(
            code,
            Severity::Error,
            "it is not known whether its signing secret is there: Secrets Manager did not answer",
            evidence,
            "ask again in a moment; if it stays, look at the status function's log",
        ),
    }
}

/// A rotation ends some ten minutes after it began, or an hour for connected accounts, when all of before has been compared.
const ROTATED_AFTER: SignedDuration = SignedDuration::from_hours(3);
/// What is due is tried each five minutes; days late is worth a look.
const OVERDUE_BY: i64 = 2;

fn rotation(endpoint: &EndpointFacts, facts: &Facts) -> Check {
    let code = "rotation_ends";
    let row = &endpoint.row;
    let at = |millis| Timestamp::from_millisecond(millis).ok();
    let age = |since| SignedDuration::from_millis(facts.now.as_millisecond() - since);
    let since = row.rotated_at.unwrap_or(row.created_at);
    let next = row.rotation.as_ref();
    let evidence = json!({
        "secret_since": at(since),
        "begun_at": next.and_then(|next| at(next.begun_at)),
        "second_endpoint": next.and_then(|next| next.stripe_id.as_ref()),
        "second_gets_all_since": next.and_then(|next| Timestamp::from_second(next.live_since?).ok()),
    });
    let fails =
        |summary: &str, remedy: String| fails(code, Severity::Warning, summary, evidence.clone(), remedy);
    let again = format!(
        "POST /endpoints/{}/rotate goes on with it; is there a free place under Stripe's cap of endpoints?",
        row.name
    );
    match next {
        Some(next) if age(next.begun_at) > ROTATED_AFTER && next.live_since.is_none() => {
            fails("a change of its signing secret was begun and not finished", again)
        }
        Some(next) if age(next.begun_at) > ROTATED_AFTER => fails(
            "a change of its signing secret waits until all events of before are compared",
            "let the key read events, and look at the checks of reconciliation; until then both secrets are accepted".to_owned(),
        ),
        None if facts.rotate_days > 0
            && row.state == EndpointState::Active
            && age(since) > SignedDuration::from_hours(24 * (facts.rotate_days + OVERDUE_BY)) =>
        {
            fails("its signing secret is older than the stack wants it", again)
        }
        Some(_) | None => holds(code, Severity::Warning, "no change of its signing secret is overdue", evidence),
    }
}

/// The endpoint at Stripe, or the check that says why there is none to look at.
fn found<'a>(
    endpoint: &EndpointFacts,
    at_stripe: &'a StripeView<Vec<WebhookEndpoint>>,
) -> Result<(&'a WebhookEndpoint, Option<&'a String>), Box<Check>> {
    let code = "at_stripe";
    let id = endpoint.row.stripe_id.as_deref();
    let StripeView::Answered { value: list, request_id } = at_stripe else {
        return Err(Box::new(fails(
            code,
            Severity::Error,
            "it is not known how it stands at Stripe, because Stripe could not be asked",
            json!({ "stripe_id": id }),
            "mend what the checks of the stack say about the key or about Stripe",
        )));
    };
    match list.iter().find(|found| Some(found.id.as_str()) == id) {
        Some(found) => Ok((found, request_id.as_ref())),
        None => Err(Box::new(fails(
            code,
            Severity::Error,
            "Stripe does not know it: it was deleted there",
            json!({ "wanted": id, "found": list.iter().map(|found| &found.id).collect::<Vec<_>>(), "stripe_request": request_id }),
            repair(endpoint),
        ))),
    }
}

fn present(endpoint: &EndpointFacts, request_id: Option<&String>) -> Check {
    let evidence = json!({ "stripe_id": endpoint.row.stripe_id, "stripe_request": request_id });
    holds("at_stripe", Severity::Error, "Stripe knows it", evidence)
}

/// The endpoint as it is to be compared. While a change is under way, Stripe may be at the new wish or still at the old one.
fn settled(endpoint: &EndpointFacts, found: &WebhookEndpoint) -> EndpointFacts {
    let mut settled = endpoint.clone();
    if let Some(change) = &endpoint.row.pending_change {
        let sorted = |events: &[String]| events.iter().cloned().collect::<BTreeSet<_>>();
        let is_new = found.url == change.spec.url
            && sorted(&found.enabled_events) == sorted(&change.spec.events)
            && found.is_enabled() != change.disabled;
        let disabled = if is_new { change.disabled } else { change.was_disabled };
        settled.row.state = if disabled { EndpointState::Disabled } else { EndpointState::Active };
        if is_new {
            settled.row.spec = change.spec.clone();
        }
    }
    settled
}

fn as_wanted(endpoint: &EndpointFacts, found: &WebhookEndpoint, mode: Mode) -> Vec<Check> {
    let endpoint = &settled(endpoint, found);
    let spec = &endpoint.row.spec;
    let mode_found = Mode::from_livemode(found.livemode);
    vec![
        enabled(endpoint, found),
        same(
            "url_as_wanted",
            "Stripe sends to the address that is wanted",
            "Stripe sends to another address",
            json!(spec.url),
            json!(found.url),
            repair(endpoint),
        ),
        events(endpoint, found),
        // It decides the shape of every event, and Stripe cannot change it in place: this is never a harmless slip.
        same(
            "api_version_as_wanted",
            "events come in the API version that is wanted",
            "events come in another API version",
            json!(spec.api_version),
            json!(found.api_version),
            format!(
                "Stripe cannot change it: POST /endpoints/{}/rotate {{\"api_version\":\"{}\"}} switches over without losing an event",
                endpoint.row.name, endpoint.row.spec.api_version
            ),
        ),
        same(
            "mode_as_wanted",
            "it is on the side of Stripe that this stack serves",
            "it is on the other side of Stripe, so all its events are set aside",
            json!(mode),
            json!(mode_found),
            anew(endpoint),
        ),
    ]
}

fn enabled(endpoint: &EndpointFacts, found: &WebhookEndpoint) -> Check {
    let code = "enabled_at_stripe";
    let wanted = endpoint.row.state != EndpointState::Disabled;
    let word = |enabled| if enabled { "enabled" } else { "disabled" };
    let evidence = json!({ "wanted": word(wanted), "found": found.status });
    match (wanted, found.is_enabled()) {
        (true, true) => holds(code, Severity::Error, "it is enabled at Stripe", evidence),
        (false, false) => {
            holds(code, Severity::Error, "it is disabled at Stripe, as is wanted here", evidence)
        }
        (true, false) => fails(
            code,
            Severity::Error,
            "it is disabled at Stripe, so Stripe sends nothing",
            evidence,
            format!(
                "{}; Stripe disables an endpoint itself after days of failed deliveries",
                repair(endpoint)
            ),
        ),
        // What arrives is taken, so nothing is lost.
        (false, true) => fails(
            code,
            Severity::Warning,
            "it is disabled here, and Stripe sends all the same",
            evidence,
            repair(endpoint),
        ),
    }
}

fn events(endpoint: &EndpointFacts, found: &WebhookEndpoint) -> Check {
    let code = "events_as_wanted";
    let wanted: BTreeSet<&str> = endpoint.row.spec.events.iter().map(String::as_str).collect();
    let there: BTreeSet<&str> = found.enabled_events.iter().map(String::as_str).collect();
    // `*` is every type that wants no explicit choice; those that do are none that Billhook applies.
    let all = there.contains("*");
    let missing: Vec<&str> = wanted.difference(&there).copied().filter(|_| !all).collect();
    let more: Vec<&str> = there.difference(&wanted).copied().collect();
    let evidence = json!({
        "wanted": wanted.len(), "found": there.len(), "missing": named(&missing), "more": named(&more),
    });
    let remedy = || repair(endpoint);
    if !missing.is_empty() {
        fails(code, Severity::Error, "Stripe does not send all events that are wanted", evidence, remedy())
    } else if !more.is_empty() {
        fails(code, Severity::Warning, "Stripe sends more events than are wanted", evidence, remedy())
    } else {
        holds(code, Severity::Error, "Stripe sends the events that are wanted", evidence)
    }
}

/// The first few, and how many more.
fn named(types: &[&str]) -> Vec<String> {
    let more = types.len().saturating_sub(NAMED);
    let shown = types.iter().take(NAMED).map(|name| (*name).to_owned());
    shown.chain((more > 0).then(|| format!("and {more} more"))).collect()
}

fn same(code: &'static str, good: &str, bad: &str, wanted: Value, found: Value, remedy: String) -> Check {
    let is_same = wanted == found;
    let evidence = json!({ "wanted": wanted, "found": found });
    if is_same {
        holds(code, Severity::Error, good, evidence)
    } else {
        fails(code, Severity::Error, bad, evidence, remedy)
    }
}
