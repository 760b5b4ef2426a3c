//! Checks of an endpoint's deliveries: whether Stripe's arrive, and if not, what stands in the way.
//!
//! An endpoint is unreachable when Stripe could not deliver an event that it wants, and nothing was delivered
//! since that event was made. Only then does it count what was refused here: anybody can send bad requests,
//! but nobody can keep Stripe's events from arriving by it.

use serde_json::json;
use shared::probe::ProbeOutcome;
use shared::unix_time::UnixMillis;

use super::remedy;
use crate::inputs::EndpointInputs;
use crate::report::{Check, Severity};

/// `is_as_wanted`: whether it stands at Stripe as it is wanted here.
pub(super) fn checks(endpoint: &EndpointInputs, is_as_wanted: bool) -> Vec<Check> {
    let mut checks = vec![deliveries_arrive(endpoint)];
    checks.extend(probe_arrives(endpoint));
    checks.push(signatures_match(endpoint, is_as_wanted));
    checks
}

fn deliveries_arrive(endpoint: &EndpointInputs) -> Check {
    let code = "deliveries_arrive";
    let last_delivery_at = endpoint.activity.at.and_then(UnixMillis::to_timestamp);
    let newest = endpoint.undelivered.and_then(|missed| missed.newest.to_timestamp());
    let evidence = json!({
        "undelivered": endpoint.undelivered.map(|missed| missed.count),
        "newest_undelivered_made_at": newest,
        "last_delivery_at": last_delivery_at,
    });
    if !endpoint.is_unreachable() {
        let summary = "what Stripe made and is wanted here arrives";
        return Check::pass(code, Severity::Error, summary, evidence);
    }
    let summary = match last_delivery_at {
        Some(_) => {
            "Stripe could not deliver events, and nothing has arrived since they were made; they were fetched and are applied"
        }
        None => {
            "Stripe could not deliver events, and nothing has ever arrived; they were fetched and are applied"
        }
    };
    Check::fail(
        code,
        Severity::Error,
        summary,
        evidence,
        "mend what the other checks of this endpoint say; else Stripe's dashboard shows under Developers > Webhooks what its deliveries were answered. Stripe sends by itself again, or send one event again there",
    )
}

/// What a probe of ours came to; none is sent as long as Stripe's deliveries arrive.
fn probe_arrives(endpoint: &EndpointInputs) -> Option<Check> {
    let code = "probe_arrives";
    let probe_outcome = endpoint.probe_outcome.as_ref().filter(|_| endpoint.is_unreachable())?;
    let evidence = json!({ "url": endpoint.row.spec.url, "probe": probe_outcome });
    Some(match probe_outcome.problem().filter(|_| *probe_outcome != ProbeOutcome::Changed) {
        // What is changed on the way does arrive; `signatures_match` reports it.
        None => {
            let summary = "a request of ours reaches the endpoint";
            Check::pass(code, Severity::Error, summary, evidence)
        }
        Some((summary, remedy)) => Check::fail(code, Severity::Error, summary, evidence, remedy),
    })
}

/// Requests whose signature does not match are an error only where Stripe's own do not arrive.
fn signatures_match(endpoint: &EndpointInputs, is_as_wanted: bool) -> Check {
    let code = "signatures_match";
    let activity = endpoint.activity;
    let evidence = json!({
        "mismatches": activity.mismatches,
        "since": activity.mismatches_since.and_then(UnixMillis::to_timestamp),
        "last_at": activity.mismatched_at.and_then(UnixMillis::to_timestamp),
        "probe": endpoint.probe_outcome,
    });
    let fail =
        |summary: &str, remedy: String| Check::fail(code, Severity::Error, summary, evidence.clone(), remedy);
    let another_secret = format!(
        "if the secret was rolled in Stripe's dashboard, {}",
        remedy::register_again(&endpoint.row.name)
    );
    let (changed, proxy) = ProbeOutcome::Changed.problem().unwrap_or_default();
    if !endpoint.is_unreachable() {
        let summary = "Stripe's deliveries are signed with the secret that is kept here";
        return Check::pass(code, Severity::Error, summary, evidence);
    }
    // Where Stripe sends elsewhere or nothing, what came is somebody else's.
    match (&endpoint.probe_outcome, is_as_wanted && endpoint.may_be_undelivered(activity.mismatched_at)) {
        (Some(ProbeOutcome::Changed), _) => fail(changed, proxy.to_owned()),
        (Some(ProbeOutcome::Stored), true) => fail(
            "requests came that are signed with another secret than the one kept here, and one of ours came through unchanged: if they are Stripe's, it signs with another secret",
            another_secret,
        ),
        (Some(ProbeOutcome::Answered { .. } | ProbeOutcome::NoAnswer { .. }) | None, true) => fail(
            "requests came whose signature does not match: they are signed with another secret, or were changed on the way",
            format!("{another_secret}; or {proxy}"),
        ),
        (
            Some(ProbeOutcome::Stored | ProbeOutcome::Answered { .. } | ProbeOutcome::NoAnswer { .. }) | None,
            false,
        ) => {
            let summary = "no request came whose signature does not match";
            Check::pass(code, Severity::Error, summary, evidence)
        }
    }
}
