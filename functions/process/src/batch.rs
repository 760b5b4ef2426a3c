//! The order of work on several rows: those of one object one after another, those of different objects in
//! parallel.

use std::collections::BTreeMap;

use futures::StreamExt;
use shared::ledger::{EventState, LedgerRow};

use crate::connected_accounts::connected_accounts;
use crate::invocation::{CONCURRENCY, Invocation};
use crate::metrics::{EventOutcome, created_if_delivered};

/// Works on rows with `apply_row`, which returns the state it put the row into, if it put it into one.
pub(crate) async fn run(
    invocation: Invocation<'_>,
    rows: impl IntoIterator<Item = LedgerRow>,
    apply_row: impl AsyncFn(LedgerRow) -> Option<EventState>,
) -> Vec<EventOutcome> {
    let apply_row = &apply_row;
    let rows: Vec<LedgerRow> = rows.into_iter().collect();
    let accounts = connected_accounts(&rows);
    let objects = group_by_object(rows).into_iter().map(|rows| async move {
        let mut outcomes = Vec::new();
        for row in rows {
            if invocation.has_time() {
                let created = created_if_delivered(&row);
                let state = apply_row(row).await;
                outcomes.extend(state.map(|state| EventOutcome::new(invocation, created, state)));
            }
        }
        outcomes
    });
    let outcomes = futures::stream::iter(objects).buffer_unordered(CONCURRENCY).concat().await;
    let deps = invocation.deps;
    deps.connected_accounts.record(accounts, &deps.registry, invocation.now).await;
    outcomes
}

/// Returns rows by their object, in the order in which Stripe made them, so that they do not conflict and
/// most records are written in one go.
fn group_by_object(rows: impl IntoIterator<Item = LedgerRow>) -> Vec<Vec<LedgerRow>> {
    let mut objects: BTreeMap<String, Vec<LedgerRow>> = BTreeMap::new();
    for row in rows {
        let object = row.object.as_ref().map_or_else(|| row.id.to_string(), ToString::to_string);
        objects.entry(object).or_default().push(row);
    }
    let mut objects: Vec<_> = objects.into_values().collect();
    objects.iter_mut().for_each(|rows| rows.sort_by_key(|row| row.created));
    objects
}
