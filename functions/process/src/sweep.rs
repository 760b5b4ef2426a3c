//! What the doorbell missed, and what failed: rows whose time has come.
//!
//! A row is claimed right before it is tried: its attempt is counted and its next time set by one conditional write. So two
//! sweeps do not share a row, and an event that kills its process is counted like any other and ends as dead.

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use shared::aws::chain;
use shared::event::EventId;
use shared::ledger::{Mark, Marked, State};

use crate::error::ProcessError;
use crate::retry::Retry;
use crate::{AT_ONCE, Deps, STARTS_WITHIN, apply, by_object};

/// Rows taken from each of the 16 shards and two states: at most 3,200 a sweep.
const A_SHARD: usize = 100;

pub(crate) async fn run(deps: &Deps, now: Timestamp) -> Result<Vec<State>, ProcessError> {
    let mut due = deps.ledger.due(State::Pending, now, A_SHARD).await?;
    due.extend(deps.ledger.due(State::Failed, now, A_SHARD).await?);
    let rows = deps.ledger.rows(&due).await?;
    let begun = std::time::Instant::now();
    let work = by_object(rows.into_values()).into_iter().map(|rows| async move {
        let mut ended = Vec::new();
        for row in rows {
            if begun.elapsed() < STARTS_WITHIN {
                ended.extend(one(deps, &row.id, now).await);
            }
        }
        ended
    });
    Ok(futures::stream::iter(work).buffer_unordered(AT_ONCE).concat().await)
}

async fn one(deps: &Deps, id: &EventId, now: Timestamp) -> Option<State> {
    match claim(deps, id, now).await {
        Ok(Claimed::Row(row)) => apply::settle(deps, &row, now).await,
        Ok(Claimed::Dead) => Some(State::Dead),
        Ok(Claimed::NotDue) => None,
        Err(error) => {
            tracing::error!(error = chain(&error), event.id = %id, "a due event could not be taken");
            None
        }
    }
}

enum Claimed {
    Row(Box<shared::ledger::Row>),
    Dead,
    NotDue,
}

async fn claim(deps: &Deps, id: &EventId, now: Timestamp) -> Result<Claimed, shared::aws::StoreError> {
    // What was listed may have been settled since; the row itself decides.
    let Some(row) = deps.ledger.get(id).await? else { return Ok(Claimed::NotDue) };
    let open = matches!(row.state, State::Pending | State::Failed);
    if !open || row.due_at.is_none_or(|due_at| due_at > now.as_millisecond()) {
        return Ok(Claimed::NotDue);
    }
    if Retry::DEFAULT.used_up(row.attempts) {
        // Claimed often enough, but no attempt lived to mark it.
        let reason =
            row.reason.clone().unwrap_or_else(|| "every attempt ended before it could say why".to_owned());
        let marked = deps.ledger.mark(&row, &Mark::because(State::Dead, reason), now).await?;
        return Ok(match marked {
            Marked::Done => Claimed::Dead,
            Marked::Overtaken => Claimed::NotDue,
        });
    }
    let due_at = Retry::DEFAULT.due_at(id, row.attempts + 1, now) + SignedDuration::from_mins(1);
    Ok(deps.ledger.claim(&row, due_at).await?.map_or(Claimed::NotDue, |row| Claimed::Row(Box::new(row))))
}
