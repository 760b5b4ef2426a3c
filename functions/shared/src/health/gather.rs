//! Gathers what a [`HealthSnapshot`](super::HealthSnapshot) is made of: Stripe's endpoints, open events,
//! secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::snapshot::{CommonReason, OpenEvents, OwnStack, SecretPresence, StripeView};
use crate::aws::{StoreError, error_chain};
use crate::deadline::Deadline;
use crate::endpoint::EndpointRow;
use crate::ledger::{EventState, Ledger, LedgerRow, OpenCount};
use crate::secret_store::SecretStore;
use crate::stripe::{Session, StripeResponse, WebhookEndpoint};

/// A pending event this long after its time waits for something that does not happen: the sweep runs every
/// minute.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// Events of one state that are looked at for why.
const ROWS_SAMPLED: usize = 25;
/// Beyond this an answer of Stripe tells nothing of its clock.
const CLOCK_ROUND_TRIP: Duration = Duration::from_secs(2);

/// What Stripe says of the account's endpoints, and how far our clock is ahead of its.
pub async fn endpoints(
    session: Option<&Session<'_>>,
    ours: OwnStack<'_>,
    now: Timestamp,
) -> (StripeView<Vec<WebhookEndpoint>>, Option<i64>) {
    let Some(session) = session else { return (StripeView::NotAsked, None) };
    let begun = Instant::now();
    match session.endpoints().await {
        Ok(answer) => {
            let ahead = clock_ahead(&answer, now, begun.elapsed());
            let matter = answer.value.into_iter().filter(|endpoint| ours.concerns(endpoint));
            (StripeView::Answered { value: matter.collect(), request_id: answer.request_id }, ahead)
        }
        Err(error) => (error.into(), None),
    }
}

/// By Stripe's `Date`. Nothing is known below a second, and nothing while an answer took long.
fn clock_ahead<T>(answer: &StripeResponse<T>, began: Timestamp, took: Duration) -> Option<i64> {
    let date = answer.date.filter(|_| answer.round_trip < CLOCK_ROUND_TRIP)?;
    // Tries that were lost took their time too.
    Some(began.as_millisecond() + i64::try_from(took.as_millis()).ok()? - date.as_millisecond())
}

/// Which events wait. One state after the other: each count asks all shards at once, and 64 new connections
/// would take longer.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn open_events(ledger: &Ledger, now: Timestamp) -> Result<OpenEvents, StoreError> {
    let pending = ledger.count(EventState::Pending).await?;
    let overdue = if pending == OpenCount::Exactly(0) {
        None
    } else {
        ledger.due(EventState::Pending, now - OVERDUE_AFTER, 1).await?.into_iter().next()
    };
    let (failed, failed_because) = waiting(ledger, EventState::Failed, now).await?;
    let (dead, dead_because) = waiting(ledger, EventState::Dead, now).await?;
    let (quarantined, quarantined_because) = waiting(ledger, EventState::Quarantined, now).await?;
    Ok(OpenEvents {
        pending,
        failed,
        dead,
        quarantined,
        overdue,
        failed_because,
        dead_because,
        quarantined_because,
    })
}

async fn waiting(
    ledger: &Ledger,
    state: EventState,
    now: Timestamp,
) -> Result<(OpenCount, Option<CommonReason>), StoreError> {
    let count = ledger.count(state).await?;
    if count == OpenCount::Exactly(0) {
        return Ok((count, None));
    }
    // Those that are due first and last: with long delays, either may have failed the longest.
    let mut ids = ledger.due_last(state, ROWS_SAMPLED).await?;
    ids.extend(ledger.due_first(state, ROWS_SAMPLED).await?);
    let ids: BTreeSet<_> = ids.into_iter().collect();
    let rows = ledger.rows(&ids, now).await?;
    let because = CommonReason::most_common(rows.values().filter(|row| row.state == state));
    // The index is late: by now none is in this state any more.
    Ok(because.map_or_else(Default::default, |because| (count, Some(because))))
}

impl CommonReason {
    fn most_common<'a>(rows: impl Iterator<Item = &'a LedgerRow>) -> Option<Self> {
        let mut by_reason: BTreeMap<&str, Vec<&LedgerRow>> = BTreeMap::new();
        for row in rows {
            by_reason.entry(row.reason.as_deref().unwrap_or_default()).or_default().push(row);
        }
        let looked_at = by_reason.values().map(Vec::len).sum();
        let since = by_reason.values().flatten().map(|row| row.in_state_since()).min()?;
        let (reason, rows) = by_reason.into_iter().max_by_key(|(_, rows)| rows.len())?;
        let example = rows.iter().map(|row| &row.id).min()?.clone();
        Some(Self { looked_at, reason: reason.to_owned(), count: rows.len(), example, since })
    }
}

/// Whether each endpoint's secret is there, as far as Secrets Manager says so before `deadline`.
pub async fn secrets(
    secret_store: &SecretStore,
    rows: &[EndpointRow],
    deadline: Deadline,
) -> BTreeMap<String, SecretPresence> {
    let lookups =
        rows.iter().map(async |row| (row.name.to_string(), secret(secret_store, row, deadline).await));
    join_all(lookups).await.into_iter().collect()
}

async fn secret(secret_store: &SecretStore, row: &EndpointRow, deadline: Deadline) -> SecretPresence {
    let Some(version) = &row.secret else { return SecretPresence::NotNamed };
    match deadline.bound(secret_store.has(version)).await {
        Some(Ok(true)) => SecretPresence::There,
        Some(Ok(false)) => SecretPresence::Missing,
        Some(Err(error)) => {
            tracing::warn!(error = error_chain(&error), endpoint.name = %row.name, "a secret could not be looked for");
            SecretPresence::Unknown
        }
        None => SecretPresence::Unknown,
    }
}
