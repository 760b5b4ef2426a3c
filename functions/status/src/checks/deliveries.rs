//! Checks of an endpoint's deliveries: whether Stripe's arrive, and if not, what stands in the way.
//!
//! An endpoint is unreachable when an event that it wants did not arrive, and nothing was delivered since
//! that event was made. Only then is what was refused here an error: anybody can send bad requests, but
//! nobody can keep Stripe's events from arriving by it.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::health::{Arrived, StripeView, TypeArrivals};
use shared::probe::ProbeOutcome;
use shared::unix_time::{UnixMillis, UnixSeconds};

use super::remedy;
use super::sample::sample;
use crate::inputs::{EndpointInputs, StatusInputs};
use crate::report::{Check, Severity};

/// One event of a type that had to be fetched may have been late; two are a pattern.
const PATTERN: u64 = 2;
/// Of one event in so many that had to be fetched, most arrive.
const ONE_IN: u64 = 10;
/// Events that do not arrive are an error for this long after the last one; then a warning, because the
/// cause may be mended and Stripe have made none since.
const ERROR_FOR: SignedDuration = SignedDuration::from_hours(1);
/// A delivery of this long ago says that deliveries arrive, also where nobody can tell what is missing.
const LATELY: SignedDuration = SignedDuration::from_hours(1);
/// Types whose counts evidence shows.
const SHOWN: usize = 10;

/// `is_as_wanted`: whether it stands at Stripe as it is wanted here.
pub(super) fn checks(endpoint: &EndpointInputs, inputs: &StatusInputs, is_as_wanted: bool) -> [Check; 3] {
    [deliveries_arrive(endpoint, inputs), probe_arrives(endpoint), signatures_match(endpoint, is_as_wanted)]
}

/// The types of which too much had to be fetched.
struct LostTypes<'a> {
    /// Most had to be, nothing was delivered since, and the last was within the hour.
    refused: Vec<&'a str>,
    /// The others.
    doubtful: Vec<&'a str>,
}

impl<'a> LostTypes<'a> {
    /// `is_unreachable`: nothing arrives, of whatever type. Where something does, the types count of which
    /// events were lost while others arrived; what was lost in an outage that is over does not.
    fn from_counts(counts: &'a TypeArrivals, is_unreachable: bool, now: UnixSeconds) -> Self {
        let mut lost = Self { refused: Vec::new(), doubtful: Vec::new() };
        for (event_type, arrived) in counts {
            let Arrived { delivered, fetched, newest_delivered, newest_fetched, .. } = *arrived;
            if !is_unreachable && !arrived.is_lost_among_others() {
                continue;
            }
            if fetched < PATTERN || fetched.saturating_mul(ONE_IN) < fetched + delivered {
                continue;
            }
            let none_since = newest_fetched > newest_delivered && fetched >= delivered;
            let is_recent = newest_fetched.is_some_and(|newest| now - newest <= ERROR_FOR);
            let list = if none_since && is_recent { &mut lost.refused } else { &mut lost.doubtful };
            list.push(event_type);
        }
        lost
    }
}

fn deliveries_arrive(endpoint: &EndpointInputs, inputs: &StatusInputs) -> Check {
    let code = "deliveries_arrive";
    let counts = endpoint.arrivals.total();
    let lost = LostTypes::from_counts(&counts, endpoint.is_unreachable(), inputs.now.into());
    let last_delivery_at = endpoint.activity.at.and_then(UnixMillis::to_timestamp);
    let evidence = json!({
        "undelivered": endpoint.undelivered.map(|missed| missed.count),
        "newest_undelivered_made_at": endpoint.newest_missed().and_then(UnixSeconds::to_timestamp),
        "last_delivery_at": last_delivery_at,
        "fetched": fetched(&counts),
    });
    let fail = |severity, summary: String, remedy: &str| {
        Check::fail(code, severity, summary, evidence.clone(), remedy)
    };
    if endpoint.is_unreachable() {
        let ever = if last_delivery_at.is_some() { "since they were made" } else { "ever" };
        let summary = format!(
            "events did not arrive, and nothing has arrived {ever}; they were fetched and are applied"
        );
        return if endpoint.was_probed_since() && lost.refused.is_empty() {
            let summary = format!("{summary}. A request of ours came through after them");
            fail(
                Severity::Warning,
                summary,
                "the next delivery shows whether it is mended; or send one event again in Stripe's dashboard",
            )
        } else {
            fail(Severity::Error, summary, WHAT_STANDS_IN_THE_WAY)
        };
    }
    if !lost.refused.is_empty() {
        let types = sample(&lost.refused).join(", ");
        let summary =
            format!("others arrive, and these types do not: {types}; they were fetched and are applied");
        return fail(Severity::Error, summary, A_TYPE_IS_REFUSED);
    }
    if !lost.doubtful.is_empty() {
        let types = sample(&lost.doubtful).join(", ");
        let summary = format!(
            "events of these types did not all arrive in the last day: {types}; they were fetched and are applied"
        );
        return fail(Severity::Warning, summary, A_TYPE_IS_REFUSED);
    }
    let was_heard_lately = endpoint.activity.at.is_some_and(|at| UnixMillis::from(inputs.now) - at <= LATELY);
    let is_compared = matches!(inputs.gaps, StripeView::Answered { .. });
    match endpoint.activity.at {
        None => Check::unknown(
            code,
            Severity::Error,
            "nothing has been delivered yet, and nothing is known to be missing",
            evidence,
            "the first delivery of Stripe; until then POST /endpoints/{name}/test tries the way"
                .replace("{name}", endpoint.row.name.as_str()),
        ),
        Some(_) if was_heard_lately || is_compared => {
            let summary = "what Stripe made and is wanted here arrives";
            Check::pass(code, Severity::Error, summary, evidence)
        }
        Some(_) => Check::unknown(
            code,
            Severity::Error,
            "nothing has been delivered for an hour, and Stripe's events have not been compared with the ledger",
            evidence,
            "the next delivery, or the next reconciliation that may read Stripe's events",
        ),
    }
}

const WHAT_STANDS_IN_THE_WAY: &str = "mend what the other checks of this endpoint say; else Stripe's dashboard shows under Developers > Webhooks what its deliveries were answered, or that something else answered them. Stripe sends by itself again, or send one event again there";
const A_TYPE_IS_REFUSED: &str = "does a firewall or proxy refuse some bodies, by their size or content? Stripe's dashboard shows under Developers > Webhooks what the deliveries of these types were answered. The next ones that arrive end this, or a day without one that does not";

/// The types of which something had to be fetched, those with most first.
fn fetched(counts: &TypeArrivals) -> Vec<Value> {
    let mut fetched: Vec<_> = counts.iter().filter(|(_, arrived)| arrived.fetched > 0).collect();
    fetched.sort_by_key(|(_, arrived)| std::cmp::Reverse(arrived.fetched));
    let shown = fetched.into_iter().take(SHOWN);
    let view = |(event_type, arrived): (&String, &Arrived)| json!({ "type": event_type, "fetched": arrived.fetched, "delivered": arrived.delivered });
    shown.map(view).collect()
}

/// What the last probe came to. A delivery of Stripe's since then says more.
fn probe_arrives(endpoint: &EndpointInputs) -> Check {
    let code = "probe_arrives";
    let probe = endpoint.probe.as_ref();
    let evidence = json!({
        "url": endpoint.row.spec.url,
        "probe": endpoint.probe_outcome(),
        "at": probe.and_then(|probe| probe.at.to_timestamp()),
    });
    let was_heard = probe.map_or(endpoint.activity.at.is_some(), |probe| endpoint.was_heard_since(probe));
    if was_heard && !endpoint.is_unreachable() {
        let summary = "Stripe's own deliveries reach the endpoint";
        return Check::pass(code, Severity::Error, summary, evidence);
    }
    let Some(outcome) = endpoint.probe_outcome() else {
        let summary = "no request of ours was sent to the endpoint yet";
        let test = format!(
            "the next reconciliation, which sends one; or POST /endpoints/{}/test",
            endpoint.row.name
        );
        return Check::unknown(code, Severity::Error, summary, evidence, test);
    };
    match outcome.problem().filter(|_| *outcome != ProbeOutcome::Changed) {
        // What is changed on the way does arrive; `signatures_match` reports it.
        None => {
            let summary = "a request of ours reaches the endpoint";
            Check::pass(code, Severity::Error, summary, evidence)
        }
        Some((summary, remedy)) => Check::fail(code, Severity::Error, summary, evidence, remedy),
    }
}

/// Requests whose signature does not match are an error only where Stripe's own do not arrive. Where nothing
/// ever arrived they are a warning, and the endpoint is not active: they may be Stripe's, or anybody's.
fn signatures_match(endpoint: &EndpointInputs, is_as_wanted: bool) -> Check {
    let code = "signatures_match";
    let activity = endpoint.activity;
    let evidence = json!({
        "mismatches": activity.mismatches,
        "since": activity.mismatches_since.and_then(UnixMillis::to_timestamp),
        "last_at": activity.mismatched_at.and_then(UnixMillis::to_timestamp),
        "probe": endpoint.probe_outcome(),
    });
    let fail = |severity, summary: &str, remedy: String| {
        Check::fail(code, severity, summary, evidence.clone(), remedy)
    };
    let another_secret = format!(
        "if the secret was rolled in Stripe's dashboard, {}",
        remedy::register_again(&endpoint.row.name)
    );
    let (changed, proxy) = ProbeOutcome::Changed.problem().unwrap_or_default();
    let is_unreachable = endpoint.is_unreachable();
    let was_changed = endpoint.probe.as_ref().is_some_and(|probe| {
        probe.report.outcome == ProbeOutcome::Changed && (is_unreachable || !endpoint.was_heard_since(probe))
    });
    if was_changed {
        return fail(Severity::Error, changed, proxy.to_owned());
    }
    // Where Stripe sends elsewhere or nothing, what came is somebody else's.
    if is_unreachable && is_as_wanted && endpoint.may_be_undelivered(activity.mismatched_at) {
        return if endpoint.probe_outcome() == Some(&ProbeOutcome::Stored) {
            fail(
                Severity::Error,
                "requests came that are signed with another secret than the one kept here, and one of ours came through unchanged: if they are Stripe's, it signs with another secret",
                another_secret,
            )
        } else {
            fail(
                Severity::Error,
                "requests came whose signature does not match: they are signed with another secret, or were changed on the way",
                format!("{another_secret}; or {proxy}"),
            )
        };
    }
    if endpoint.has_only_mismatches() {
        return fail(
            Severity::Warning,
            "all that ever came is signed with another secret than the one kept here: it may be Stripe's, or anybody's",
            format!("{another_secret}; else wait for Stripe's first delivery"),
        );
    }
    if activity.at.is_none() {
        let summary = "nothing was delivered yet whose signature could be checked";
        return Check::unknown(code, Severity::Error, summary, evidence, "the first delivery of Stripe");
    }
    if is_unreachable {
        let summary = "no request came whose signature does not match";
        return Check::pass(code, Severity::Error, summary, evidence);
    }
    let summary = "Stripe's deliveries are signed with the secret that is kept here";
    Check::pass(code, Severity::Error, summary, evidence)
}
