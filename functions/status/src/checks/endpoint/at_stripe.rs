//! Checks of one endpoint at Stripe: whether it is there, and as it is wanted here.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::endpoint::EndpointState;
use shared::event_type::with_later_types;
use shared::health::StripeView;
use shared::mode::Mode;
use shared::stripe::WebhookEndpoint;

use crate::checks::remedy;
use crate::checks::sample::sample;
use crate::inputs::{EndpointInputs, StatusInputs};
use crate::report::{Check, Severity};

pub(super) fn checks(endpoint: &EndpointInputs, inputs: &StatusInputs) -> Vec<Check> {
    let endpoint = &EndpointInputs { row: endpoint.row.with_live_endpoint(), ..endpoint.clone() };
    let (at_stripe, found) = at_stripe(endpoint, &inputs.at_stripe);
    let mut checks = vec![at_stripe];
    match found {
        Some(found) => checks.extend(as_wanted(endpoint, found, inputs.mode)),
        None => checks.extend(nothing_to_compare(endpoint, inputs.mode)),
    }
    checks
}

/// The check, and the endpoint at Stripe if there is one to look at.
fn at_stripe<'a>(
    endpoint: &EndpointInputs,
    stripe_view: &'a StripeView<Vec<WebhookEndpoint>>,
) -> (Check, Option<&'a WebhookEndpoint>) {
    let code = "at_stripe";
    let id = endpoint.row.stripe_id.as_deref();
    let StripeView::Answered { value: list, request_id } = stripe_view else {
        let unknown = Check::unknown(
            code,
            Severity::Error,
            "it is not known how it stands at Stripe, because Stripe could not be asked",
            json!({ "stripe_id": id }),
            "mend what the checks of the stack say about the key or about Stripe",
        );
        return (unknown, None);
    };
    let found = list.iter().find(|found| Some(found.id.as_str()) == id);
    let check = if found.is_some() {
        let evidence = json!({ "stripe_id": id, "stripe_request": request_id });
        Check::pass(code, Severity::Error, "Stripe knows it", evidence)
    } else {
        let ids: Vec<_> = list.iter().map(|found| &found.id).collect();
        Check::fail(
            code,
            Severity::Error,
            "Stripe does not know it: it was deleted there",
            json!({ "wanted": id, "found": ids, "stripe_request": request_id }),
            remedy::repair(&endpoint.row.name),
        )
    };
    (check, found)
}

/// What cannot be looked at without the endpoint at Stripe.
fn nothing_to_compare(endpoint: &EndpointInputs, mode: Mode) -> [Check; 5] {
    let spec = &endpoint.row.spec;
    let unknown = |code: &'static str, evidence: Value| {
        let summary = "it is not known how it stands at Stripe";
        Check::unknown(code, Severity::Error, summary, evidence, "what `at_stripe` says")
    };
    let wanted = |wanted: Value| json!({ "wanted": wanted, "found": null });
    let types = json!({ "wanted": spec.events.len(), "found": 0, "missing": [], "more": [] });
    let is_enabled = endpoint.row.state != EndpointState::Disabled;
    [
        unknown("enabled_at_stripe", wanted(json!(if is_enabled { "enabled" } else { "disabled" }))),
        unknown("url_as_wanted", wanted(json!(spec.url))),
        unknown("events_as_wanted", types),
        unknown("api_version_as_wanted", wanted(json!(spec.api_version))),
        unknown("mode_as_wanted", wanted(json!(mode))),
    ]
}

fn as_wanted(endpoint: &EndpointInputs, found: &WebhookEndpoint, mode: Mode) -> [Check; 5] {
    let endpoint = &expected(endpoint, found);
    let spec = &endpoint.row.spec;
    let name = &endpoint.row.name;
    [
        enabled_at_stripe(endpoint, found),
        compare(
            "url_as_wanted",
            "Stripe sends to the address that is wanted",
            "Stripe sends to another address",
            json!(spec.url),
            json!(found.url),
            remedy::repair(name),
        ),
        events_as_wanted(endpoint, found),
        // It decides the shape of every event, and Stripe cannot change it in place.
        compare(
            "api_version_as_wanted",
            "events come in the API version that is wanted",
            "events come in another API version",
            json!(spec.api_version),
            json!(found.api_version),
            format!(
                "Stripe cannot change it: POST /endpoints/{name}/rotate {{\"api_version\":\"{}\"}} switches over without losing an event",
                spec.api_version
            ),
        ),
        compare(
            "mode_as_wanted",
            "it is on the side of Stripe that this stack serves",
            "it is on the other side of Stripe, so all its events are set aside",
            json!(mode),
            json!(Mode::from_livemode(found.livemode)),
            remedy::register_again(name),
        ),
    ]
}

/// The endpoint as it is expected at Stripe: while a change is under way, as it becomes or as it was.
fn expected(endpoint: &EndpointInputs, found: &WebhookEndpoint) -> EndpointInputs {
    let mut expected = endpoint.clone();
    if let Some(change) = &endpoint.row.pending_change {
        let sorted = |events: &[String]| events.iter().cloned().collect::<BTreeSet<_>>();
        let is_changed = found.url == change.spec.url
            && sorted(&found.enabled_events) == sorted(&change.spec.events)
            && found.is_enabled() != change.disabled;
        let disabled = if is_changed { change.disabled } else { change.was_disabled };
        expected.row.state = if disabled { EndpointState::Disabled } else { EndpointState::Active };
        if is_changed {
            expected.row.spec = change.spec.clone();
        }
    }
    expected
}

fn enabled_at_stripe(endpoint: &EndpointInputs, found: &WebhookEndpoint) -> Check {
    let code = "enabled_at_stripe";
    let is_wanted = endpoint.row.state != EndpointState::Disabled;
    let wanted = if is_wanted { "enabled" } else { "disabled" };
    let evidence = json!({ "wanted": wanted, "found": found.status });
    let repair = remedy::repair(&endpoint.row.name);
    match (is_wanted, found.is_enabled()) {
        (true, true) => Check::pass(code, Severity::Error, "it is enabled at Stripe", evidence),
        (false, false) => {
            let summary = "it is disabled at Stripe, as is wanted here";
            Check::pass(code, Severity::Error, summary, evidence)
        }
        (true, false) => Check::fail(
            code,
            Severity::Error,
            "it is disabled at Stripe, so Stripe sends nothing",
            evidence,
            format!("{repair}; Stripe disables an endpoint itself after days of failed deliveries"),
        ),
        // What arrives is taken, so nothing is lost.
        (false, true) => Check::fail(
            code,
            Severity::Warning,
            "it is disabled here, and Stripe sends all the same",
            evidence,
            repair,
        ),
    }
}

fn events_as_wanted(endpoint: &EndpointInputs, found: &WebhookEndpoint) -> Check {
    let code = "events_as_wanted";
    let chosen: BTreeSet<&str> = endpoint.row.spec.events.iter().map(String::as_str).collect();
    let with_later = with_later_types(&endpoint.row.spec.events);
    let wanted: BTreeSet<&str> = with_later.iter().map(String::as_str).collect();
    let sent: BTreeSet<&str> = found.enabled_events.iter().map(String::as_str).collect();
    // `*` is every type that wants no explicit choice; those that do are none that Billhook applies.
    let sends_all = sent.contains("*");
    let missing: Vec<&str> = wanted.difference(&sent).copied().filter(|_| !sends_all).collect();
    let more: Vec<&str> = sent.difference(&wanted).copied().collect();
    let evidence = json!({
        "wanted": wanted.len(), "found": sent.len(), "missing": sample(&missing), "more": sample(&more),
    });
    let repair = remedy::repair(&endpoint.row.name);
    if !missing.is_empty() && missing.iter().all(|event_type| !chosen.contains(event_type)) {
        let summary = "the endpoint does not ask for all that Billhook applies by now";
        Check::fail(code, Severity::Warning, summary, evidence, repair)
    } else if !missing.is_empty() {
        let summary = "Stripe does not send all events that are wanted";
        Check::fail(code, Severity::Error, summary, evidence, repair)
    } else if !more.is_empty() {
        let summary = "Stripe sends more events than are wanted";
        Check::fail(code, Severity::Warning, summary, evidence, repair)
    } else {
        Check::pass(code, Severity::Error, "Stripe sends the events that are wanted", evidence)
    }
}

/// A check that is ok if both values are the same.
fn compare(
    code: &'static str,
    same: &str,
    different: &str,
    wanted: Value,
    found: Value,
    remedy: String,
) -> Check {
    let is_same = wanted == found;
    let evidence = json!({ "wanted": wanted, "found": found });
    if is_same {
        Check::pass(code, Severity::Error, same, evidence)
    } else {
        Check::fail(code, Severity::Error, different, evidence, remedy)
    }
}
