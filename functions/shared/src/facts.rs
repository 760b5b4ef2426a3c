//! What is known of the stack beyond its own rows: what Stripe says, whether secrets are there, which events wait.
//!
//! Reconciliation gathers these facts every few minutes and keeps them in the registry, so that the status answers from a read or
//! two, whatever the size; `GET /status?live=true` gathers them anew. What could not be had is said to be unknown, never left as
//! it was.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::aws::{StoreError, chain};
use crate::event::EventId;
use crate::ledger::{Ledger, OpenCount, Row, State};
use crate::probe::Probed;
use crate::records::Uncertain;
use crate::registry::Endpoint;
use crate::stripe::{Answered, Refusal, Session, StripeError, WebhookEndpoint};
use crate::vault::Vault;

/// A pending event this long after its time waits for something that does not happen: the sweep runs every minute.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// How often receive notes that an endpoint was heard, in milliseconds.
const NOTED_EVERY: i64 = 60_000;
/// Events of one state that are looked at for why.
const LOOKED_AT: usize = 25;
/// Beyond this an answer of Stripe tells nothing of its clock.
const QUICK: Duration = Duration::from_secs(2);

/// All that was gathered at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// When, in unix milliseconds.
    pub at: i64,
    /// The account's endpoints at Stripe: those of this stack, and others that point here.
    pub endpoints: Said<Vec<WebhookEndpoint>>,
    /// How far our clock is ahead of Stripe's, in milliseconds, give or take a second: its `Date` has whole ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead: Option<i64>,
    /// What comparing Stripe's events with the ledger came to.
    pub events: Said<Gaps>,
    /// What Stripe could not deliver to an endpoint, by its name.
    pub undelivered: BTreeMap<String, Undelivered>,
    /// What became of a probe to each endpoint that Stripe could not reach, by its name.
    pub probes: BTreeMap<String, Probed>,
    /// The signing secret of each endpoint, by its name here.
    pub secrets: BTreeMap<String, Secret>,
    /// Events that are not final.
    pub open: Open,
    /// Records whose events could not be put in order.
    pub uncertain: Uncertain,
}

/// An answer of Stripe, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said<T> {
    /// It was not asked: there is no key, or nothing to ask for.
    Nothing,
    /// This.
    This {
        /// The answer.
        value: T,
        /// Stripe's `Request-Id`.
        request_id: Option<String>,
    },
    /// It does not accept the key.
    KeyRefused(Refusal),
    /// The key may not ask this.
    MayNot(Refusal),
    /// It gave no answer that counts.
    NoAnswer(Refusal),
}

impl<T> From<StripeError> for Said<T> {
    fn from(error: StripeError) -> Self {
        match error {
            StripeError::Unauthorized(refusal) => Self::KeyRefused(*refusal),
            StripeError::Forbidden(refusal) => Self::MayNot(*refusal),
            // A limit on calls, or something between us and Stripe: either way nothing is known.
            StripeError::Refused(refusal) | StripeError::Spent(refusal) | StripeError::NoAnswer(refusal) => {
                Self::NoAnswer(*refusal)
            }
        }
    }
}

/// What comparing events came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Everything up to this second of Stripe's has been compared, in every account.
    pub until: i64,
    /// Events looked at in the last run.
    pub looked_at: u64,
    /// Of those, wanted and not here; they are now.
    pub filled: u64,
    /// Of those looked at, what Stripe could not deliver, by the endpoint that wants it.
    pub undelivered: BTreeMap<String, Undelivered>,
    /// Is a stretch left for the next run?
    pub more: bool,
    /// Connected accounts that Stripe does not let the key ask for, the first ten.
    pub refused: Vec<String>,
    /// Connected accounts for which Stripe did not answer, the first ten.
    pub unanswered: Vec<String>,
}

/// Events of the last day that an endpoint wants and Stripe says are not delivered, though it tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// When the newest was made, in unix seconds of Stripe's.
    pub newest: i64,
    /// How many a run saw.
    pub count: u64,
}

impl Undelivered {
    /// Has nothing been delivered since the newest was made? `heard_at` is when a delivery last came in, in unix milliseconds; that is
    /// noted once a minute, so one from the minute before may stand for a later one. What another endpoint of the account failed to
    /// take counts as undelivered too, and then this one was heard.
    pub fn stands(&self, heard_at: Option<i64>) -> bool {
        heard_at.is_none_or(|heard_at| heard_at + NOTED_EVERY < self.newest * 1_000)
    }
}

/// Is a signing secret where the endpoint's row says?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// It is.
    There,
    /// It is not.
    Missing,
    /// The row names none.
    NotNamed,
    /// Secrets Manager could not be asked.
    Unknown,
}

/// Events that are not final.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// To be applied.
    pub pending: OpenCount,
    /// To be tried again.
    pub failed: OpenCount,
    /// Tried often enough.
    pub dead: OpenCount,
    /// Set aside.
    pub quarantined: OpenCount,
    /// The pending event that has waited longest beyond its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<EventId>,
    /// Of those that failed, a few that have done so the longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_because: Option<Because>,
    /// Of the dead, the last few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_because: Option<Because>,
    /// Of those set aside, the last few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined_because: Option<Because>,
}

/// What some of the events in one state say of why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// How many were looked at.
    pub looked_at: usize,
    /// The commonest reason.
    pub reason: String,
    /// How many have it.
    pub count: usize,
    /// One of them.
    pub example: EventId,
    /// Since when the first of those looked at has been so, in unix milliseconds.
    pub since: i64,
}

/// How the endpoints of this stack are known.
#[derive(Debug, Clone, Copy)]
pub struct Ours<'a> {
    /// The stack's name, which marks them.
    pub stack: &'a str,
    /// The address they point to, without a slash at its end.
    pub public_url: &'a str,
    /// Their rows here.
    pub rows: &'a [Endpoint],
}

impl Ours<'_> {
    /// Is it of this stack, or does it point here?
    fn concerns(&self, endpoint: &WebhookEndpoint) -> bool {
        endpoint.mark().is_some_and(|mark| mark.stack == self.stack)
            || self.rows.iter().any(|row| row.stripe_id.as_deref() == Some(&endpoint.id))
            || endpoint.url.starts_with(&format!("{}/", self.public_url))
    }
}

/// What Stripe says of the account's endpoints, and how far our clock is ahead of its.
pub async fn endpoints(
    session: Option<&Session<'_>>,
    ours: Ours<'_>,
    now: Timestamp,
) -> (Said<Vec<WebhookEndpoint>>, Option<i64>) {
    let Some(session) = session else { return (Said::Nothing, None) };
    let begun = Instant::now();
    match session.endpoints().await {
        Ok(answer) => {
            let ahead = clock_ahead(&answer, now, begun.elapsed());
            let matter = answer.value.into_iter().filter(|endpoint| ours.concerns(endpoint));
            (Said::This { value: matter.collect(), request_id: answer.request_id }, ahead)
        }
        Err(error) => (error.into(), None),
    }
}

/// By Stripe's `Date`. Nothing is known below a second, and nothing while an answer took long.
fn clock_ahead<T>(answer: &Answered<T>, began: Timestamp, took: Duration) -> Option<i64> {
    let date = answer.date.filter(|_| answer.round_trip < QUICK)?;
    // Tries that were lost took their time too.
    Some(began.as_millisecond() + i64::try_from(took.as_millis()).ok()? - date.as_millisecond())
}

/// Which events wait. One state after the other: each count asks all shards at once, and 64 new connections would take longer.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn open(ledger: &Ledger, now: Timestamp) -> Result<Open, StoreError> {
    let pending = ledger.count(State::Pending).await?;
    let overdue = if pending == OpenCount::Exactly(0) {
        None
    } else {
        ledger.due(State::Pending, now - OVERDUE_AFTER, 1).await?.into_iter().next()
    };
    let (failed, failed_because) = waiting(ledger, State::Failed, now).await?;
    let (dead, dead_because) = waiting(ledger, State::Dead, now).await?;
    let (quarantined, quarantined_because) = waiting(ledger, State::Quarantined, now).await?;
    Ok(Open {
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
    state: State,
    now: Timestamp,
) -> Result<(OpenCount, Option<Because>), StoreError> {
    let count = ledger.count(state).await?;
    if count == OpenCount::Exactly(0) {
        return Ok((count, None));
    }
    // Those that are due first and last: with long delays, either may have failed the longest.
    let mut ids = ledger.due_last(state, LOOKED_AT).await?;
    ids.extend(ledger.due_first(state, LOOKED_AT).await?);
    let ids: BTreeSet<_> = ids.into_iter().collect();
    let rows = ledger.rows(&ids, now).await?;
    let because = Because::of(rows.values().filter(|row| row.state == state));
    // The index is late: by now none is in this state any more.
    Ok(because.map_or_else(Default::default, |because| (count, Some(because))))
}

impl Because {
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<Self> {
        let mut by_reason: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
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

/// Whether each endpoint's secret is there, as far as Secrets Manager says so before `until`.
pub async fn secrets(vault: &Vault, rows: &[Endpoint], until: Instant) -> BTreeMap<String, Secret> {
    let of = rows.iter().map(async |row| (row.name.to_string(), secret(vault, row, until).await));
    join_all(of).await.into_iter().collect()
}

async fn secret(vault: &Vault, row: &Endpoint, until: Instant) -> Secret {
    let Some(version) = &row.secret else { return Secret::NotNamed };
    match tokio::time::timeout_at(until, vault.has(version)).await {
        Ok(Ok(true)) => Secret::There,
        Ok(Ok(false)) => Secret::Missing,
        Ok(Err(error)) => {
            tracing::warn!(error = chain(&error), endpoint.name = %row.name, "a secret could not be looked for");
            Secret::Unknown
        }
        Err(_) => Secret::Unknown,
    }
}
