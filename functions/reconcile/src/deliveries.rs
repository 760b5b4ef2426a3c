//! Which endpoints Stripe could not reach, and what a probe to them comes to.
//!
//! An endpoint is out of reach from when a run finds events that should have been delivered to it until a delivery comes in. As long
//! as it is, each run sends it a probe, so that the status can say what stands in the way.

use std::collections::BTreeMap;

use futures::future::join_all;
use jiff::Timestamp;
use shared::aws::chain;
use shared::facts::{Facts, Gaps, Missing, Said};
use shared::probe::{Probed, probe};
use shared::registry::{Endpoint, Heard};
use tokio::time::Instant;

use crate::Deps;

/// What each endpoint missed last: in this run, or as it was known before. Without those that are no more.
pub(crate) fn missing(
    before: Option<&Facts>,
    events: &Said<Gaps>,
    rows: &[Endpoint],
    now: Timestamp,
) -> BTreeMap<String, Missing> {
    let mut missing = before.map(|facts| facts.missing.clone()).unwrap_or_default();
    if let Said::This { value: gaps, .. } = events {
        let found = gaps.lately.iter();
        missing.extend(
            found.map(|(name, count)| (name.clone(), Missing { at: now.as_millisecond(), count: *count })),
        );
    }
    missing.retain(|name, missing| {
        rows.iter().any(|row| row.name.as_str() == name && row.created_at <= missing.at)
    });
    missing
}

/// Sends a probe to each endpoint that is out of reach, all at once, as far as it can be signed and the time goes.
pub(crate) async fn probes(
    deps: &Deps,
    rows: &[Endpoint],
    missing: &BTreeMap<String, Missing>,
    heard: &std::collections::HashMap<String, Heard>,
    until: Instant,
    now: Timestamp,
) -> BTreeMap<String, Probed> {
    let out_of_reach = |row: &&Endpoint| {
        let heard_at = heard.get(row.name.as_str()).and_then(|heard| heard.at);
        missing.get(row.name.as_str()).is_some_and(|missing| missing.stands(heard_at))
    };
    let sent = rows.iter().filter(out_of_reach).map(async |row| {
        let probed = tokio::time::timeout_at(until, sent(deps, row, now)).await.ok().flatten()?;
        Some((row.name.to_string(), probed))
    });
    join_all(sent).await.into_iter().flatten().collect()
}

/// None if there is no secret to sign with; that is a check of its own.
async fn sent(deps: &Deps, row: &Endpoint, now: Timestamp) -> Option<Probed> {
    let version = row.secret.as_ref()?;
    let secrets = deps.vault.signing_secrets(version).await;
    let secrets = secrets.inspect_err(|error| {
        tracing::warn!(error = chain(error), endpoint.name = %row.name, "a probe could not be signed");
    });
    let newest = secrets.ok()?.signing.into_iter().next()?;
    Some(probe(&row.wish.url, &newest.secret, deps.mode, deps.local, now).await.probed)
}
