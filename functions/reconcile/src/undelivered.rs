//! Which endpoints Stripe could not reach, and what a probe to them comes to.
//!
//! An endpoint is unreachable when Stripe could not deliver an event that it wants, and nothing was delivered
//! since that event was made. As long as it is, each run sends it a probe, so that the status can say what
//! stands in the way.

use std::collections::{BTreeMap, HashMap};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared::aws::error_chain;
use shared::deadline::Deadline;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::health::{GapReport, HealthSnapshot, StripeView, Undelivered};
use shared::probe::{ProbeOutcome, probe};
use shared::registry::EndpointActivity;
use shared::unix_time::{UnixMillis, UnixSeconds};

use crate::deps::Deps;

/// An event that Stripe could not deliver counts for this long.
pub(crate) const COUNTS_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Returns what Stripe could not deliver to each endpoint within the last day, found by this run or an
/// earlier one. What was missed before an endpoint's registration is left out.
pub(crate) fn within_a_day(
    last: Option<&HealthSnapshot>,
    events: &StripeView<GapReport>,
    rows: &[EndpointRow],
    now: Timestamp,
) -> BTreeMap<String, Undelivered> {
    let mut all = last.map(|snapshot| snapshot.undelivered.clone()).unwrap_or_default();
    if let StripeView::Answered { value: gaps, .. } = events {
        for (name, found) in &gaps.undelivered {
            let known = all.entry(name.clone()).or_default();
            // A later run sees less of the same.
            if (found.newest, found.count) >= (known.newest, known.count) {
                *known = *found;
            }
        }
    }
    let earliest = UnixSeconds::from(now) - COUNTS_FOR;
    all.retain(|name, missed| {
        let row = rows.iter().find(|row| row.name.as_str() == name);
        let is_subscribed = |row: &EndpointRow| UnixMillis::from(missed.newest) >= row.subscribed_since;
        missed.newest >= earliest && row.is_some_and(is_subscribed)
    });
    all
}

/// Sends a probe to each endpoint that is unreachable, all at once, as far as it can be signed and the time
/// goes.
pub(crate) async fn probe_unreachable(
    deps: &Deps,
    rows: &[EndpointRow],
    undelivered: &BTreeMap<String, Undelivered>,
    activity: &HashMap<String, EndpointActivity>,
    deadline: Deadline,
    now: Timestamp,
) -> BTreeMap<String, ProbeOutcome> {
    let is_unreachable = |row: &&EndpointRow| {
        let last_delivery_at = activity.get(row.name.as_str()).and_then(|activity| activity.at);
        let missed = undelivered.get(row.name.as_str());
        is_enabled(row) && missed.is_some_and(|missed| missed.still_holds(last_delivery_at))
    };
    let probes = rows.iter().filter(is_unreachable).map(async |row| {
        let outcome = deadline.bound(send_probe(deps, row, now)).await.flatten()?;
        Some((row.name.to_string(), outcome))
    });
    join_all(probes).await.into_iter().flatten().collect()
}

/// Whether Stripe is to send events to it.
pub(crate) fn is_enabled(row: &EndpointRow) -> bool {
    row.state.accepts_deliveries() && row.state != EndpointState::Disabled
}

/// Returns `None` if there is no secret to sign with; that is a check of its own.
async fn send_probe(deps: &Deps, row: &EndpointRow, now: Timestamp) -> Option<ProbeOutcome> {
    let version = row.secret.as_ref()?;
    let secrets = deps.secret_store.signing_secrets(version).await;
    let secrets = secrets.inspect_err(|error| {
        tracing::warn!(error = error_chain(error), endpoint.name = %row.name, "a probe could not be signed");
    });
    let newest = secrets.ok()?.signing.into_iter().next()?;
    Some(probe(&row.spec.url, &newest.secret, deps.mode, deps.local, now).await.outcome)
}
