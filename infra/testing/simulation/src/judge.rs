//! What must hold in the end.
//!
//! - Each event has exactly one row, in a final state; one that changes no record is `ignored`, any other `processed` or
//!   `superseded`.
//! - Each object has exactly one record, which is the object as it stands at Stripe, and none is uncertain.
//! - No event was applied twice: an object's record was written at most once for each of its events, and when all rows are rung
//!   once more, no record is written and no row changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use shared::ledger::{EventState, LedgerRow};
use shared::records::Record;
use simulated_stripe::history::{Expected, Life, Told, Version};

use crate::hands::Work;
use crate::world::{World, key_of};

/// Rows rung at a time.
const BATCH: usize = 100;

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Events without a row, or whose row is not final or not in a state that fits.
    pub lost: Vec<String>,
    /// What was done twice.
    pub doubled: Vec<String>,
    /// Records that are not as the object is at Stripe.
    pub differ: Vec<String>,
    /// How many rows are in each state.
    pub states: BTreeMap<&'static str, usize>,
}

impl Verdict {
    /// Is nothing lost, doubled or different?
    pub fn is_good(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.differ.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, found) in [("lost", &self.lost), ("doubled", &self.doubled), ("differ", &self.differ)] {
            writeln!(f, "{what}: {}", found.len())?;
            found.iter().take(20).try_for_each(|one| writeln!(f, "  {one}"))?;
        }
        Ok(())
    }
}

/// Looks at everything once all events have arrived and nothing is left to do.
pub async fn judge(world: &World, lives: &[Life]) -> Verdict {
    let mut verdict = Verdict::default();
    world.cloud.mend();
    world.cloud.catch_up().await;
    let rows = rows(world, lives, &mut verdict).await;
    for life in lives {
        if let Some(difference) = difference(world, life).await {
            verdict.differ.push(format!("{}: {difference}", key_of(life)));
        }
    }
    count(world, lives, &mut verdict).await;
    ring_again(world, rows, &mut verdict).await;
    verdict
}

async fn rows(world: &World, lives: &[Life], verdict: &mut Verdict) -> Vec<LedgerRow> {
    let mut rows = Vec::new();
    for told in lives.iter().flat_map(|life| &life.events) {
        let Some(row) = world.row(&told.id).await else {
            verdict.lost.push(format!("{}: no row", told.id));
            continue;
        };
        *verdict.states.entry(row.state.as_str()).or_default() += 1;
        let fits = match told.expected {
            Expected::Applied => matches!(row.state, EventState::Processed | EventState::Superseded),
            Expected::Ignored => row.state == EventState::Ignored,
        };
        if !fits {
            verdict.lost.push(format!("{} ({}): {} {:?}", told.id, told.event_type, row.state, row.reason));
        }
        rows.push(row);
    }
    rows
}

/// How a record differs from the object at Stripe.
async fn difference(world: &World, life: &Life) -> Option<String> {
    let Some(record) = world.record(&key_of(life)).await else { return Some("no record".to_owned()) };
    let object: Value = match record.object().map(|bytes| serde_json::from_slice(&bytes)) {
        Ok(Ok(object)) => object,
        Ok(Err(_)) | Err(_) => return Some("its object cannot be read".to_owned()),
    };
    let right = right(life, &record, &object);
    if record.order_uncertain {
        Some("uncertain".to_owned())
    } else if record.deleted != life.is_deleted() {
        Some(format!("deleted: {}", record.deleted))
    } else if !right.contains(&object) {
        let fetched = if record.fetched { "fetched" } else { "told" };
        Some(format!("{fetched} {object}, and right were {right:?}; {}", story(life)))
    } else {
        None
    }
}

/// What the record may show: of a living object its end, in the version of the event or of the answer that it shows.
fn right(life: &Life, record: &Record, shown: &Value) -> Vec<Value> {
    let told = life.events.iter().find(|told| record.event.as_ref().is_some_and(|id| id.as_str() == told.id));
    let short = json!({ "id": life.id, "object": life.kind.object(), "deleted": true });
    match (life.is_deleted(), record.fetched, told) {
        (true, false, Some(told)) => vec![told.object.clone()],
        (true, _, _) => vec![short],
        (false, true, _) => life.end_in(Version::Dahlia).into_iter().collect(),
        (false, false, Some(told)) if told.object == *shown => {
            life.end_in(told.version).into_iter().collect()
        }
        (false, false, _) => Vec::new(),
    }
}

fn story(life: &Life) -> String {
    let line = |told: &Told| format!("\n    {} {} {} {}", told.created, told.id, told.event_type, told.body);
    life.events.iter().map(line).collect()
}

/// Counts what lies in the tables, and how often each record was written.
async fn count(world: &World, lives: &[Life], verdict: &mut Verdict) {
    let events: usize = lives.iter().map(|life| life.events.len()).sum();
    let rows = world.cloud.items("LedgerTable").await;
    let rows = rows.iter().filter(|item| item["part"]["N"] == "0").count();
    if rows > events {
        verdict.doubled.push(format!("{rows} rows for {events} events"));
    }
    let records = world.cloud.items("RecordsTable").await.len();
    if records > lives.len() {
        verdict.doubled.push(format!("{records} records for {} objects", lives.len()));
    }
    let mut written: BTreeMap<String, usize> = BTreeMap::new();
    for call in world.cloud.calls() {
        if call.done && call.operation == "PutItem" && call.table == "RecordsTable" {
            *written.entry(call.item).or_default() += 1;
        }
    }
    for life in lives {
        let applied = life.events.iter().filter(|told| told.expected == Expected::Applied).count();
        let key = key_of(life).to_string();
        let times = written.get(&key).copied().unwrap_or_default();
        if times > applied {
            verdict.doubled.push(format!("{key} was written {times} times for {applied} events"));
        }
    }
}

/// Rings all rows once more, as they were when they came in.
async fn ring_again(world: &World, mut rows: Vec<LedgerRow>, verdict: &mut Verdict) {
    let before = (items(world, "LedgerTable").await, items(world, "RecordsTable").await);
    world.cloud.forget();
    // What is written now would carry another time.
    world.pass(Duration::from_secs(60));
    rows.iter_mut().for_each(|row| row.state = EventState::Pending);
    let mut applier = world.applier();
    for batch in rows.chunks(BATCH) {
        match applier.ring(batch, None).await {
            Work::Done(Ok(_)) => {}
            Work::Done(Err(error)) => verdict.doubled.push(format!("ringing again failed: {error}")),
            Work::Died => verdict.doubled.push("ringing again died".to_owned()),
        }
    }
    for call in world.cloud.calls() {
        if call.done && call.operation == "PutItem" && call.table == "RecordsTable" {
            verdict.doubled.push(format!("rung again, {} was written", call.item));
        }
    }
    let after = (items(world, "LedgerTable").await, items(world, "RecordsTable").await);
    for (before, after) in [(before.0, after.0), (before.1, after.1)] {
        let changed = after.iter().filter(|item| !before.contains(*item));
        verdict.doubled.extend(changed.map(|item| format!("rung again, this is new: {item:.300}")));
    }
}

/// All rows or records, without the entries that list a preview under a second object: those are written again.
async fn items(world: &World, table: &str) -> BTreeSet<String> {
    let items = world.cloud.items(table).await;
    let other_parts = |item: &Value| item["part"]["N"].as_str().is_some_and(|part| part != "0");
    items.iter().filter(|item| !other_parts(item)).map(Value::to_string).collect()
}
