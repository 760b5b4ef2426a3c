//! Checks of an endpoint's deliveries: do Stripe's arrive, and if not, what stands in the way?
//!
//! An endpoint is out of reach when nothing was delivered to it since an event was made that it wants and that Stripe could not deliver.
//! Only then does count what was refused here: anybody can send bad requests, but nobody can keep Stripe's events from arriving by it.

use jiff::Timestamp;
use serde_json::json;
use shared::probe::ProbeOutcome;

use super::{anew, fails, holds};
use crate::facts::EndpointFacts;
use crate::verdict::{Check, Severity};

/// Notes are a minute late, and clocks differ: a refusal from then on may be of the event that was not delivered.
const BEFORE: i64 = 5 * 60_000;

/// `as_wanted`: does it stand at Stripe as it is wanted here?
pub(super) fn checks(endpoint: &EndpointFacts, as_wanted: bool) -> Vec<Check> {
    let mut checks = vec![arrive(endpoint)];
    checks.extend(reached(endpoint));
    checks.push(signed(endpoint, as_wanted));
    checks
}

/// Could Stripe not deliver, and has nothing come in since?
pub(super) fn out_of_reach(endpoint: &EndpointFacts) -> bool {
    endpoint.undelivered.is_some_and(|undelivered| undelivered.stands(endpoint.activity.at))
}

/// May something that happened then be about the events that were not delivered?
pub(super) fn is_about(endpoint: &EndpointFacts, at: Option<i64>) -> bool {
    let since = endpoint.undelivered.map(|undelivered| undelivered.newest * 1_000 - BEFORE);
    matches!((at, since), (Some(at), Some(since)) if at >= since)
}

fn time(millis: Option<i64>) -> Option<Timestamp> {
    millis.and_then(|at| Timestamp::from_millisecond(at).ok())
}

fn arrive(endpoint: &EndpointFacts) -> Check {
    let code = "deliveries_arrive";
    let last_delivery_at = time(endpoint.activity.at);
    let newest = endpoint.undelivered.and_then(|one| Timestamp::from_second(one.newest).ok());
    let evidence = json!({
        "undelivered": endpoint.undelivered.map(|one| one.count),
        "newest_undelivered_made_at": newest,
        "last_delivery_at": last_delivery_at,
    });
    if !out_of_reach(endpoint) {
        return holds(code, Severity::Error, "what Stripe made and is wanted here arrives", evidence);
    }
    let summary = match last_delivery_at {
        Some(_) => {
            "Stripe could not deliver events, and nothing has arrived since they were made; they were fetched and are applied"
        }
        None => {
            "Stripe could not deliver events, and nothing has ever arrived; they were fetched and are applied"
        }
    };
    fails(
        code,
        Severity::Error,
        summary,
        evidence,
        "mend what the other checks of this endpoint say; else Stripe's dashboard shows under Developers > Webhooks what its deliveries were answered. Stripe sends by itself again, or send one event again there",
    )
}

/// What a probe of ours came to; none is sent as long as Stripe's deliveries arrive.
fn reached(endpoint: &EndpointFacts) -> Option<Check> {
    let code = "probe_arrives";
    let probed = endpoint.probed.as_ref().filter(|_| out_of_reach(endpoint))?;
    let evidence = json!({ "url": endpoint.row.spec.url, "probe": probed });
    let reaches = "a request of ours reaches the endpoint";
    Some(match probed.trouble().filter(|_| *probed != ProbeOutcome::Changed) {
        // What is changed on the way does arrive; `signatures_match` tells it.
        None => holds(code, Severity::Error, reaches, evidence),
        Some((summary, remedy)) => fails(code, Severity::Error, summary, evidence, remedy),
    })
}

/// Requests whose signature does not match are an error only where Stripe's own do not arrive.
fn signed(endpoint: &EndpointFacts, as_wanted: bool) -> Check {
    let code = "signatures_match";
    let activity = endpoint.activity;
    let evidence = json!({
        "mismatches": activity.mismatches,
        "since": time(activity.mismatches_since),
        "last_at": time(activity.mismatched_at),
        "probe": endpoint.probed,
    });
    let fails =
        |summary: &str, remedy: String| fails(code, Severity::Error, summary, evidence.clone(), remedy);
    let another_secret = format!("if the secret was rolled in Stripe's dashboard, {}", anew(endpoint));
    let (changed, proxy) = ProbeOutcome::Changed.trouble().unwrap_or_default();
    if !out_of_reach(endpoint) {
        let summary = "Stripe's deliveries are signed with the secret that is kept here";
        return holds(code, Severity::Error, summary, evidence);
    }
    // Where Stripe sends elsewhere or nothing, what came is somebody else's.
    match (&endpoint.probed, as_wanted && is_about(endpoint, activity.mismatched_at)) {
        (Some(ProbeOutcome::Changed), _) => fails(changed, proxy.to_owned()),
        (Some(ProbeOutcome::Stored), true) => fails(
            "requests came that are signed with another secret than the one kept here, and one of ours came through unchanged: if they are Stripe's, it signs with another secret",
            another_secret,
        ),
        (Some(ProbeOutcome::Answered { .. } | ProbeOutcome::NoAnswer { .. }) | None, true) => fails(
            "requests came whose signature does not match: they are signed with another secret, or were changed on the way",
            format!("{another_secret}; or {proxy}"),
        ),
        (
            Some(ProbeOutcome::Stored | ProbeOutcome::Answered { .. } | ProbeOutcome::NoAnswer { .. }) | None,
            false,
        ) => holds(code, Severity::Error, "no request came whose signature does not match", evidence),
    }
}
