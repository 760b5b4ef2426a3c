//! What the ledger's events show of an object.

use shared::aws::StoreError;
use shared::event::{self, ParsedEvent};
use shared::ledger::LedgerRow;
use shared::object_key::ObjectKey;
use shared::order::Snapshot;

use crate::deps::Deps;

/// Reads what these events show of an object, in any order; without those whose payload is erased or damaged,
/// or shows another object.
///
/// # Errors
/// If the payloads cannot be read.
pub(crate) async fn read_snapshots(
    deps: &Deps,
    key: &ObjectKey,
    rows: &[LedgerRow],
) -> Result<Vec<Snapshot>, StoreError> {
    let bodies = deps.ledger.bodies(rows.iter().map(|row| &row.id)).await?;
    let snapshots = bodies.iter().filter_map(|body| match event::read(body) {
        ParsedEvent::Event(event) => Snapshot::from_event(&event).ok(),
        ParsedEvent::Unreadable { .. } | ParsedEvent::NotAnEvent(_) => None,
    });
    Ok(snapshots.filter(|snapshot| snapshot.key == *key).collect())
}
