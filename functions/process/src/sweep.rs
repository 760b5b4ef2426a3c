//! What the doorbell missed, and what failed: rows whose time has come.
//!
//! A row is claimed right before it is tried: its attempt is counted and its next time set by one conditional write. So two
//! sweeps do not share a row, and an event that kills its process is counted like any other and ends as dead.

use jiff::{SignedDuration, Timestamp};
use shared::aws::{StoreError, error_chain};
use shared::event::EventId;
use shared::ledger::{EventState, LedgerRow, Transition, Transitioned};

use crate::error::ProcessError;
use crate::told::Ended;
use crate::{Invocation, apply, object_by_object};

/// Rows taken at a time from each of the 16 shards and two states: at most 3,200.
const A_SHARD: usize = 100;

/// Works through what is due, until nothing is or the time is up. Gives also how long the pending row that had waited longest was
/// beyond its time.
pub(crate) async fn run(invocation: Invocation<'_>) -> Result<(Vec<Ended>, SignedDuration), ProcessError> {
    let Invocation { deps, now, .. } = invocation;
    let mut ended = Vec::new();
    let mut backlog = None;
    loop {
        let mut due = deps.ledger.due(EventState::Pending, now, A_SHARD).await?;
        due.extend(deps.ledger.due(EventState::Failed, now, A_SHARD).await?);
        let rows = deps.ledger.rows(&due, now).await?;
        // The first round has the oldest: each shard gives its earliest.
        let backlog = *backlog.get_or_insert_with(|| waited(rows.values(), now));
        let round =
            object_by_object(invocation, rows.into_values(), async |row| one(invocation, &row.id).await)
                .await;
        // Of fewer than a shard's share there is no more; and where nothing could be done, nothing can be done now.
        let over = due.len() < A_SHARD || round.is_empty();
        ended.extend(round);
        if over || !invocation.has_time() {
            return Ok((ended, backlog));
        }
    }
}

/// How long the pending row that has waited longest is beyond its time; nothing if none is.
fn waited<'a>(rows: impl Iterator<Item = &'a LedgerRow>, now: Timestamp) -> SignedDuration {
    let due = rows.filter(|row| row.state == EventState::Pending).filter_map(|row| row.due_at).min();
    SignedDuration::from_millis(due.map_or(0, |due| (now.as_millisecond() - due).max(0)))
}

async fn one(invocation: Invocation<'_>, id: &EventId) -> Option<EventState> {
    match claim(invocation, id).await {
        Ok(Claimed::LedgerRow(row)) => apply::settle(invocation, &row).await,
        Ok(Claimed::Dead) => Some(EventState::Dead),
        Ok(Claimed::NotDue) => None,
        Err(error) => {
            tracing::error!(error = error_chain(&error), event.id = %id, "a due event could not be taken");
            None
        }
    }
}

enum Claimed {
    LedgerRow(Box<LedgerRow>),
    Dead,
    NotDue,
}

async fn claim(invocation: Invocation<'_>, id: &EventId) -> Result<Claimed, StoreError> {
    let Invocation { deps, rules, now, .. } = invocation;
    // What was listed may have been settled since; the row itself decides.
    let Some(row) = deps.ledger.get(id, now).await? else { return Ok(Claimed::NotDue) };
    let open = matches!(row.state, EventState::Pending | EventState::Failed);
    if !open || row.due_at.is_none_or(|due_at| due_at > now.as_millisecond()) {
        return Ok(Claimed::NotDue);
    }
    if rules.retry.used_up(row.attempts) {
        // Claimed often enough, but no attempt lived to mark it.
        let last = row.reason.clone().filter(|_| row.state == EventState::Failed);
        let reason = last.unwrap_or_else(|| "every attempt ended before it could say why".to_owned());
        let dead = Transition::because(EventState::Dead, reason);
        return Ok(match deps.ledger.transition(&row, &dead, deps.retention, now).await? {
            Transitioned::Done => Claimed::Dead,
            Transitioned::Conflict => Claimed::NotDue,
        });
    }
    let due_at = rules.retry.due_at(id, row.attempts + 1, now) + SignedDuration::from_mins(1);
    Ok(deps
        .ledger
        .claim(&row, due_at)
        .await?
        .map_or(Claimed::NotDue, |row| Claimed::LedgerRow(Box::new(row))))
}
