//! Erases personal data from one object: from its record, then from the payloads of its events.
//!
//! The record first: from then on every writer reduces what it puts there. An event that is not final is left
//! and counted: applying it needs its payload. What comes in after the list was read is found by the next
//! pass.

use futures::StreamExt;
use jiff::Timestamp;
use shared::event::EventId;
use shared::ledger::{EventListing, LedgerRow, Transitioned};
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
}

impl Erased {
    pub(crate) fn add(&mut self, other: Self) {
        self.records += other.records;
        self.events += other.events;
        self.waiting.extend(other.waiting);
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
    let (mut erased, mut from) = (Erased::default(), None);
    loop {
        let page = deps.ledger.list(&listing, from, MAX_LIMIT, now, |row| !row.is_erased()).await?;
        let writes = page.rows.into_iter().map(async |row| {
            let is_done = erase_event(deps, &row).await?;
            Ok::<_, EraseError>((row.id, is_done))
        });
        let mut writes = futures::stream::iter(writes).buffer_unordered(CONCURRENT_WRITES);
        while let Some(write) = writes.next().await {
            match write? {
                (_, true) => erased.events += 1,
                (id, false) => erased.waiting.push(id),
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(erased);
        }
    }
}

/// Returns whether the payload is gone; if not, the event is not final.
async fn erase_event(deps: &Deps, row: &LedgerRow) -> Result<bool, EraseError> {
    if row.state.is_open() {
        return Ok(false);
    }
    // A conflict: an admin has just had it replayed.
    Ok(deps.ledger.erase(row).await? == Transitioned::Done)
}
