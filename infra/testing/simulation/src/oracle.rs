//! The oracle: what must hold in the end.
//!
//! - Each event has exactly one row, in a final state; one that changes no record is `ignored`, any other
//!   `processed` or `superseded`.
//! - Each object has exactly one record, which equals the object at Stripe, and none is uncertain.
//! - No event was applied twice: an object's record was written at most once for each of its events, and when
//!   the doorbell rings for all rows once more, no record is written and no row changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::history::{ApiVersion, ExpectedOutcome, HistoryEvent, ObjectHistory, unsigned};
use serde_json::Value;
use shared::ledger::{EventState, LedgerRow};
use shared::records::Record;

use crate::environment::{Environment, record_key};
use crate::workers::Invocation;

/// Rows in a batch of the doorbell.
const BATCH: usize = 100;

/// What the oracle found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Events without a row, or whose row is not final or not in a state that fits.
    pub lost: Vec<String>,
    /// What was done twice.
    pub duplicated: Vec<String>,
    /// Records that differ from the object at Stripe.
    pub different: Vec<String>,
    /// How many rows are in each state.
    pub states: BTreeMap<&'static str, usize>,
}

impl Findings {
    /// Whether nothing is lost, duplicated or different.
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.duplicated.is_empty() && self.different.is_empty()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [("lost", &self.lost), ("duplicated", &self.duplicated), ("different", &self.different)];
        for (name, found) in lists {
            writeln!(f, "{name}: {}", found.len())?;
            found.iter().take(20).try_for_each(|item| writeln!(f, "  {item}"))?;
        }
        Ok(())
    }
}

/// Checks everything, once all events have arrived and none is open.
pub async fn verify(environment: &Environment, histories: &[ObjectHistory]) -> Findings {
    let mut findings = Findings::default();
    environment.cloud.clear_faults();
    environment.cloud.catch_up_indexes().await;
    let rows = check_rows(environment, histories, &mut findings).await;
    for history in histories {
        if let Some(difference) = difference(environment, history).await {
            findings.different.push(format!("{}: {difference}", record_key(history)));
        }
    }
    check_counts(environment, histories, &mut findings).await;
    check_replay(environment, rows, &mut findings).await;
    findings
}

async fn check_rows(
    environment: &Environment,
    histories: &[ObjectHistory],
    findings: &mut Findings,
) -> Vec<LedgerRow> {
    let mut rows = Vec::new();
    for event in histories.iter().flat_map(|history| &history.events) {
        let Some(row) = environment.row(&event.id).await else {
            findings.lost.push(format!("{}: no row", event.id));
            continue;
        };
        *findings.states.entry(row.state.as_str()).or_default() += 1;
        let fits = match event.expected {
            ExpectedOutcome::Applied => matches!(row.state, EventState::Processed | EventState::Superseded),
            ExpectedOutcome::Ignored => row.state == EventState::Ignored,
        };
        if !fits {
            findings
                .lost
                .push(format!("{} ({}): {} {:?}", event.id, event.event_type, row.state, row.reason));
        }
        rows.push(row);
    }
    rows
}

/// Returns how a record differs from the object at Stripe.
async fn difference(environment: &Environment, history: &ObjectHistory) -> Option<String> {
    let Some(record) = environment.record(&record_key(history)).await else {
        return Some("no record".to_owned());
    };
    let object: Value = match record.object().map(|bytes| serde_json::from_slice(&bytes)) {
        Ok(Ok(object)) => object,
        Ok(Err(_)) | Err(_) => return Some("its object cannot be read".to_owned()),
    };
    let allowed = allowed_objects(history, &record, &object);
    if record.order_uncertain {
        Some("uncertain".to_owned())
    } else if record.deleted != history.is_deleted() {
        Some(format!("deleted: {}", record.deleted))
    } else if !allowed.iter().any(|allowed| unsigned(allowed) == unsigned(&object)) {
        let source = if record.fetched { "fetched" } else { "from an event" };
        Some(format!("{source} {object}, allowed are {allowed:?}; {}", listing(history)))
    } else {
        None
    }
}

/// Returns what the record may hold: of an existing object its end, in the version of the event or of the
/// answer that it holds.
fn allowed_objects(history: &ObjectHistory, record: &Record, held: &Value) -> Vec<Value> {
    let event =
        history.events.iter().find(|event| record.event.as_ref().is_some_and(|id| id.as_str() == event.id));
    let as_deleted = |event: &HistoryEvent| {
        let mut object = event.object.clone();
        object["deleted"] = true.into();
        object
    };
    match (history.is_deleted(), record.fetched, event) {
        (true, false, Some(event)) => vec![event.object.clone()],
        // What was known of it stays.
        (true, _, _) => history.events.iter().map(as_deleted).collect(),
        (false, true, _) => history.end_in(ApiVersion::Endive).into_iter().collect(),
        (false, false, Some(event)) if event.object == *held => {
            history.end_in(event.version).into_iter().collect()
        }
        (false, false, _) => Vec::new(),
    }
}

fn listing(history: &ObjectHistory) -> String {
    let line = |event: &HistoryEvent| {
        format!("\n    {} {} {} {}", event.created, event.id, event.event_type, event.body)
    };
    history.events.iter().map(line).collect()
}

/// Counts the rows and records, and how often each record was written.
async fn check_counts(environment: &Environment, histories: &[ObjectHistory], findings: &mut Findings) {
    let events: usize = histories.iter().map(|history| history.events.len()).sum();
    let rows = environment.cloud.items("LedgerTable").await;
    let rows = rows.iter().filter(|item| item["part"]["N"] == "0").count();
    if rows > events {
        findings.duplicated.push(format!("{rows} rows for {events} events"));
    }
    let records = environment.cloud.items("RecordsTable").await.len();
    if records > histories.len() {
        findings.duplicated.push(format!("{records} records for {} objects", histories.len()));
    }
    let mut written: BTreeMap<String, usize> = BTreeMap::new();
    for call in environment.cloud.calls() {
        if call.done && call.operation == "PutItem" && call.table == "RecordsTable" {
            *written.entry(call.item).or_default() += 1;
        }
    }
    for history in histories {
        let applied =
            history.events.iter().filter(|event| event.expected == ExpectedOutcome::Applied).count();
        let key = record_key(history).to_string();
        let times = written.get(&key).copied().unwrap_or_default();
        if times > applied {
            findings.duplicated.push(format!("{key} was written {times} times for {applied} events"));
        }
    }
}

/// Rings the doorbell for all rows once more, as they were when they came in.
async fn check_replay(environment: &Environment, mut rows: Vec<LedgerRow>, findings: &mut Findings) {
    let before = (items(environment, "LedgerTable").await, items(environment, "RecordsTable").await);
    environment.cloud.clear_calls();
    // What is written now would carry another time.
    environment.advance(Duration::from_secs(60));
    rows.iter_mut().for_each(|row| row.state = EventState::Pending);
    let mut process = environment.process_worker();
    for batch in rows.chunks(BATCH) {
        match process.ring_doorbell(batch, None).await {
            Invocation::Completed(Ok(_)) => {}
            Invocation::Completed(Err(error)) => {
                findings.duplicated.push(format!("replaying failed: {error}"))
            }
            Invocation::Killed => findings.duplicated.push("the replay was killed".to_owned()),
        }
    }
    for call in environment.cloud.calls() {
        if call.done && call.operation == "PutItem" && call.table == "RecordsTable" {
            findings.duplicated.push(format!("replayed, {} was written", call.item));
        }
    }
    let after = (items(environment, "LedgerTable").await, items(environment, "RecordsTable").await);
    for (before, after) in [(before.0, after.0), (before.1, after.1)] {
        let changed = after.iter().filter(|item| !before.contains(*item));
        findings.duplicated.extend(changed.map(|item| format!("replayed, this is new: {item:.300}")));
    }
}

/// Returns all rows or records, without the entries that list a preview under a second object: those are
/// written again.
async fn items(environment: &Environment, table: &str) -> BTreeSet<String> {
    let items = environment.cloud.items(table).await;
    let is_other_part = |item: &Value| item["part"]["N"].as_str().is_some_and(|part| part != "0");
    items.iter().filter(|item| !is_other_part(item)).map(Value::to_string).collect()
}
