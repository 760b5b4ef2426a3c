//! Which endpoints Stripe could not reach, and what a probe to them comes to.
//!
//! An endpoint is out of reach when nothing was delivered to it since an event was made that it wants and that Stripe could not deliver.
//! As long as it is, each run sends it a probe, so that the status can say what stands in the way.

use std::collections::BTreeMap;

use futures::future::join_all;
use jiff::Timestamp;
use shared::aws::error_chain;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::health::{GapReport, HealthSnapshot, StripeView, Undelivered};
use shared::probe::{ProbeOutcome, probe};
use shared::registry::EndpointActivity;
use tokio::time::Instant;

use crate::Deps;

const A_DAY: i64 = 86_400;

/// What Stripe could not deliver to each endpoint within the last day, by this run or by those before. Without what an endpoint of before missed.
pub(crate) fn undelivered(
    before: Option<&HealthSnapshot>,
    events: &StripeView<GapReport>,
    rows: &[EndpointRow],
    now: Timestamp,
) -> BTreeMap<String, Undelivered> {
    let mut all = before.map(|facts| facts.undelivered.clone()).unwrap_or_default();
    if let StripeView::Answered { value: gaps, .. } = events {
        for (name, found) in &gaps.undelivered {
            let known = all.entry(name.clone()).or_default();
            // A later run sees less of the same.
            if (found.newest, found.count) >= (known.newest, known.count) {
                *known = *found;
            }
        }
    }
    let of = |name: &str| rows.iter().find(|row| row.name.as_str() == name);
    let yesterday = now.as_second() - A_DAY;
    all.retain(|name, one| {
        one.newest >= yesterday && of(name).is_some_and(|row| one.newest * 1_000 >= row.subscribed_since)
    });
    all
}

/// Sends a probe to each endpoint that is out of reach, all at once, as far as it can be signed and the time goes.
pub(crate) async fn probes(
    deps: &Deps,
    rows: &[EndpointRow],
    undelivered: &BTreeMap<String, Undelivered>,
    activity: &std::collections::HashMap<String, EndpointActivity>,
    until: Instant,
    now: Timestamp,
) -> BTreeMap<String, ProbeOutcome> {
    let out_of_reach = |row: &&EndpointRow| {
        let last_delivery_at = activity.get(row.name.as_str()).and_then(|activity| activity.at);
        let is_asked_for = row.state.takes_deliveries() && row.state != EndpointState::Disabled;
        is_asked_for && undelivered.get(row.name.as_str()).is_some_and(|one| one.stands(last_delivery_at))
    };
    let sent = rows.iter().filter(out_of_reach).map(async |row| {
        let probed = tokio::time::timeout_at(until, sent(deps, row, now)).await.ok().flatten()?;
        Some((row.name.to_string(), probed))
    });
    join_all(sent).await.into_iter().flatten().collect()
}

/// None if there is no secret to sign with; that is a check of its own.
async fn sent(deps: &Deps, row: &EndpointRow, now: Timestamp) -> Option<ProbeOutcome> {
    let version = row.secret.as_ref()?;
    let secrets = deps.secret_store.signing_secrets(version).await;
    let secrets = secrets.inspect_err(|error| {
        tracing::warn!(error = error_chain(error), endpoint.name = %row.name, "a probe could not be signed");
    });
    let newest = secrets.ok()?.signing.into_iter().next()?;
    Some(probe(&row.spec.url, &newest.secret, deps.mode, deps.local, now).await.probed)
}
