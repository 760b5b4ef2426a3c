//! Erases personal data from one object: from its record, then from the payloads of its events.
//!
//! The record first: from then on every writer reduces what it puts there. An event that is not final is left
//! and counted, because applying it needs its payload, and those of the other events of its second, with
//! which it is put in order. What comes in after the list was read is found by the next pass.

use std::collections::BTreeSet;

use futures::StreamExt;
use jiff::Timestamp;
use shared::event::EventId;
use shared::ledger::{EventListing, EventState, LedgerRow, Transitioned};
use shared::object_key::ObjectKey;
use shared::page::MAX_LIMIT;
use shared::records::{Put, Record};

use crate::deps::Deps;
use crate::error::EraseError;

/// Few processes write one record.
const MAX_ATTEMPTS: u32 = 10;
/// Payloads that are removed at once.
const CONCURRENT_WRITES: usize = 8;

/// What was done to some objects.
#[derive(Debug, Default)]
pub(crate) struct Erased {
    pub(crate) records: u64,
    pub(crate) events: u64,
    /// Events that are not final.
    pub(crate) waiting: Vec<EventId>,
    /// How many of these the program tries again by itself.
    pub(crate) tried_again: u64,
}

impl Erased {
    pub(crate) fn add(&mut self, other: Self) {
        self.records += other.records;
        self.events += other.events;
        self.waiting.extend(other.waiting);
        self.tried_again += other.tried_again;
    }

    fn wait_for(&mut self, id: EventId, is_tried_again: bool) {
        self.waiting.push(id);
        self.tried_again += u64::from(is_tried_again);
    }
}

/// Erases one object, whose record was read as `record`.
pub(crate) async fn erase(
    deps: &Deps,
    key: &ObjectKey,
    record: Option<Record>,
    now: Timestamp,
) -> Result<Erased, EraseError> {
    let records = match record {
        Some(record) => u64::from(erase_record(deps, record).await?),
        None => 0,
    };
    let mut erased = erase_events(deps, key, now).await?;
    erased.records = records;
    Ok(erased)
}

/// Returns whether there was something to erase.
async fn erase_record(deps: &Deps, mut record: Record) -> Result<bool, EraseError> {
    if record.erased {
        return Ok(false);
    }
    for _ in 0..MAX_ATTEMPTS {
        let erased = record.erased().map_err(EraseError::Compression)?;
        match deps.records.replace(&record, &erased).await? {
            Put::Done => return Ok(true),
            // After a lost response the SDK writes again and finds its own record.
            Put::Conflict(stored) if stored.erased => return Ok(true),
            Put::Conflict(stored) => record = *stored,
        }
    }
    Err(EraseError::Contended(record.key.to_string()))
}

async fn erase_events(deps: &Deps, key: &ObjectKey, now: Timestamp) -> Result<Erased, EraseError> {
    let listing = EventListing::Object(key.clone());
    let (mut erased, mut from, mut rows) = (Erased::default(), None, Vec::new());
    loop {
        let page = deps.ledger.list(&listing, from, MAX_LIMIT, now, |_| true).await?;
        rows.extend(page.rows);
        from = page.next;
        // The list is ordered by second, and the last one may go on on the next page.
        let rest = from.as_ref().map(|_| split_last_second(&mut rows)).unwrap_or_default();
        erased.add(erase_seconds(deps, std::mem::replace(&mut rows, rest)).await?);
        if from.is_none() {
            return Ok(erased);
        }
    }
}

/// Takes the rows of the last second away.
fn split_last_second(rows: &mut Vec<LedgerRow>) -> Vec<LedgerRow> {
    let last = rows.last().and_then(|row| row.created);
    let start = rows.iter().rposition(|row| row.created != last).map_or(0, |before| before + 1);
    rows.split_off(start)
}

/// Erases the events of whole seconds, but for those of which one is not final.
async fn erase_seconds(deps: &Deps, rows: Vec<LedgerRow>) -> Result<Erased, EraseError> {
    let mut erased = Erased::default();
    let (open, closed): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.state.is_open());
    let open_seconds: BTreeSet<_> = open.iter().map(|row| row.created).collect();
    for row in open {
        erased.wait_for(row.id, matches!(row.state, EventState::Pending | EventState::Failed));
    }
    let closed = closed.into_iter().filter(|row| !open_seconds.contains(&row.created));
    let writes = closed.map(async |row| {
        let outcome = deps.ledger.erase(&row).await?;
        Ok::<_, EraseError>((row, outcome))
    });
    let mut writes = futures::stream::iter(writes).buffer_unordered(CONCURRENT_WRITES);
    while let Some(write) = writes.next().await {
        match write? {
            (row, Transitioned::Done) => erased.events += u64::from(!row.erased),
            // An admin has just had it replayed.
            (row, Transitioned::Conflict) => erased.wait_for(row.id, true),
        }
    }
    drop(writes);
    Ok(erased)
}
