//! What the doorbell missed, and what failed: rows whose time has come.
//!
//! A row is claimed right before it is tried: its attempt is counted and its next time set by one conditional
//! write. So two sweeps do not share a row, and an event that kills its process is counted like any other and
//! ends as dead.

use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, error_chain};
use shared::event::EventId;
use shared::ledger::{EventState, LedgerRow, Transition, Transitioned};
use shared::unix_time::UnixMillis;

use crate::error::ProcessError;
use crate::invocation::Invocation;
use crate::metrics::EventOutcome;
use crate::{apply, batch};

/// Rows taken at a time from each of the 16 shards and two states: at most 3,200.
const ROWS_PER_SHARD: usize = 100;

/// Works through what is due, until nothing is or the time is up. Returns the outcomes and the age of the
/// backlog (see [`backlog_age`]) as the sweep found it.
pub(crate) async fn run(
    invocation: Invocation<'_>,
) -> Result<(Vec<EventOutcome>, SignedDuration), ProcessError> {
    let Invocation { deps, now, .. } = invocation;
    let mut outcomes = Vec::new();
    let mut age = None;
    loop {
        let mut due = deps.ledger.due(EventState::Pending, now, ROWS_PER_SHARD).await?;
        due.extend(deps.ledger.due(EventState::Failed, now, ROWS_PER_SHARD).await?);
        let rows = deps.ledger.rows(&due, now).await?;
        // The first round has the oldest: each shard gives its earliest.
        let age = *age.get_or_insert_with(|| backlog_age(rows.values(), now));
        let claim_and_apply = async |row: LedgerRow| claim_and_apply(invocation, &row.id).await;
        let round = batch::run(invocation, rows.into_values(), claim_and_apply).await;
        // Fewer than one shard's share means that no more are due; a round without outcome, that nothing can
        // be done now.
        let is_last = due.len() < ROWS_PER_SHARD || round.is_empty();
        outcomes.extend(round);
        if is_last || !invocation.has_time() {
            return Ok((outcomes, age));
        }
    }
}

/// Returns for how long the pending row that has waited longest has been due; zero if none is.
fn backlog_age<'a>(rows: impl Iterator<Item = &'a LedgerRow>, now: Timestamp) -> SignedDuration {
    let pending = rows.filter(|row| row.state == EventState::Pending);
    let earliest = pending.filter_map(|row| row.due_at).min();
    earliest.map_or(SignedDuration::ZERO, |due_at| (UnixMillis::from(now) - due_at).max(SignedDuration::ZERO))
}

async fn claim_and_apply(invocation: Invocation<'_>, id: &EventId) -> Option<EventState> {
    match claim(invocation, id).await {
        Ok(Claimed::Row(row)) => apply::apply(invocation, &row).await,
        Ok(Claimed::Dead) => Some(EventState::Dead),
        Ok(Claimed::NotDue) => None,
        Err(error) => {
            tracing::error!(error = error_chain(&error), event.id = %id, "a due event could not be claimed");
            None
        }
    }
}

enum Claimed {
    /// The row is claimed.
    Row(Box<LedgerRow>),
    /// Its attempts were used up; its state is dead now.
    Dead,
    /// It is not due any more, or another sweep has claimed it.
    NotDue,
}

async fn claim(invocation: Invocation<'_>, id: &EventId) -> Result<Claimed, StoreError> {
    let Invocation { deps, rules, now, .. } = invocation;
    // What was listed may have been applied since; the row itself decides.
    let Some(row) = deps.ledger.get(id, now).await? else { return Ok(Claimed::NotDue) };
    let is_open = matches!(row.state, EventState::Pending | EventState::Failed);
    if !is_open || row.due_at.is_none_or(|due_at| due_at > UnixMillis::from(now)) {
        return Ok(Claimed::NotDue);
    }
    if rules.retry.used_up(row.attempts) {
        // Claimed often enough, but no attempt lived to write its state.
        let last = row.reason.clone().filter(|_| row.state == EventState::Failed);
        let reason = last.unwrap_or_else(|| "every attempt ended before it could say why".to_owned());
        let dead = Transition::with_reason(EventState::Dead, reason);
        return Ok(match deps.ledger.transition(&row, &dead, deps.retention, now).await? {
            Transitioned::Done => Claimed::Dead,
            Transitioned::Conflict => Claimed::NotDue,
        });
    }
    let due_at = rules.retry.due_at(id, row.attempts + 1, now) + SignedDuration::from_mins(1);
    let claimed = deps.ledger.claim(&row, due_at).await?;
    Ok(claimed.map_or(Claimed::NotDue, |row| Claimed::Row(Box::new(row))))
}
