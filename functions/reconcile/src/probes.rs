//! Sends probes: to an endpoint that missed an event and was not heard since, each run; to one that was not
//! heard for hours, each run until one is stored, and then again after hours.

use std::collections::BTreeMap;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, error_chain};
use shared::deadline::Deadline;
use shared::endpoint::EndpointRow;
use shared::health::is_still_missed;
use shared::probe::{ProbeOutcome, probe};
use shared::registry::{LastProbe, StatusRows};
use shared::unix_time::{UnixMillis, UnixSeconds};

use crate::deps::Deps;
use crate::undelivered::is_enabled;

/// After so long without a delivery an endpoint's way is tried.
const QUIET_FOR: SignedDuration = SignedDuration::from_hours(6);

/// Sends a probe to each endpoint that is due for one, all at once, as far as it can be signed and the time
/// goes, and keeps what came back.
pub(crate) async fn send(
    deps: &Deps,
    rows: &[EndpointRow],
    missed: &BTreeMap<String, UnixSeconds>,
    stored: &StatusRows,
    deadline: Deadline,
    now: Timestamp,
) -> Result<(), StoreError> {
    let due = rows.iter().filter(|row| is_due(row, missed.get(row.name.as_str()).copied(), stored, now));
    let sent = due.map(async |row| match deadline.bound(send_one(deps, row, now)).await.flatten() {
        Some(probe) => deps.registry.record_probe(&row.name, &probe).await,
        None => Ok(()),
    });
    join_all(sent).await.into_iter().collect()
}

fn is_due(row: &EndpointRow, missed: Option<UnixSeconds>, stored: &StatusRows, now: Timestamp) -> bool {
    let name = row.name.as_str();
    let last_delivery_at = stored.activity.get(name).and_then(|activity| activity.at);
    let is_old = |at: UnixMillis| UnixMillis::from(now) - at > QUIET_FOR;
    let is_missing = missed.is_some_and(|newest| is_still_missed(newest, last_delivery_at));
    let last = stored.probes.get(name).filter(|probe| probe.is_about(row));
    let was_stored_lately =
        last.is_some_and(|probe| probe.report.outcome == ProbeOutcome::Stored && !is_old(probe.at));
    is_enabled(row) && (is_missing || last_delivery_at.is_none_or(is_old) && !was_stored_lately)
}

/// Returns `None` if there is no secret to sign with; that is a check of its own.
async fn send_one(deps: &Deps, row: &EndpointRow, now: Timestamp) -> Option<LastProbe> {
    let version = row.secret.as_ref()?;
    let secrets = deps.secret_store.signing_secrets(version).await;
    let secrets = secrets.inspect_err(|error| {
        tracing::warn!(error = error_chain(error), endpoint.name = %row.name, "a probe could not be signed");
    });
    let newest = secrets.ok()?.signing.into_iter().next()?;
    let url = row.spec.url.clone();
    let report = probe(&url, &newest.secret, deps.mode, deps.local, now).await;
    Some(LastProbe { at: now.into(), url, report })
}
