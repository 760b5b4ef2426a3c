//! An event that fails each time and one that kills its process each time delay no other, and are dead on
//! schedule.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::ledger::{EventState, LedgerRow, OpenCount};
use shared::retry::Retry;
use simulation::{Environment, Invocation, ProcessWorker, START};
use test_cloud::KillPoint;

/// Events that can be applied, each of an object of its own.
const APPLICABLE: usize = 1_000;
/// Lambda's `BatchSize` and `MaximumRetryAttempts` for the stream (template.yaml).
const BATCH: usize = 100;
const RETRIES: u32 = 2;
/// The event whose record cannot be written: its process is killed each time.
const KILLER: &str = "evt_kills";
const KILLED_AT: &str = "-/customer/cus_kills";
/// The event that fails each time: it ties with another one, and Stripe does not know their object.
const FAILING: &str = "evt_fails";

fn updated(id: &str, customer: &str, email: &str) -> String {
    let object: Value =
        json!({ "object": "customer", "id": customer, "created": START, "email": email, "metadata": {} });
    json!({
        "id": id, "object": "event", "type": "customer.updated", "created": START, "livemode": false,
        "api_version": "2026-10-28.endive", "data": { "object": object },
    })
    .to_string()
}

fn bodies() -> Vec<String> {
    let applicable = |i| updated(&format!("evt_{i}"), &format!("cus_{i}"), "a@example.com");
    let mut bodies: Vec<String> = (0..APPLICABLE).map(applicable).collect();
    bodies.insert(250, updated(KILLER, "cus_kills", "a@example.com"));
    bodies.insert(500, updated("evt_fails_other", "cus_fails", "a@example.com"));
    bodies.insert(700, updated(FAILING, "cus_fails", "b@example.com"));
    bodies
}

fn at_killer_record() -> Option<KillPoint> {
    Some(KillPoint::RecordWrite(KILLED_AT.to_owned()))
}

/// Rings the doorbell for all rows as Lambda does: a batch whose process is killed is halved and tried again,
/// and in the end left to the sweep.
async fn ring_doorbell(worker: &mut ProcessWorker<'_>, rows: &[LedgerRow]) -> usize {
    let mut killed = 0;
    let mut batches: VecDeque<(Vec<LedgerRow>, u32)> =
        rows.chunks(BATCH).map(|batch| (batch.to_vec(), 0)).collect();
    while let Some((rows, tries)) = batches.pop_front() {
        match worker.ring_doorbell(&rows, at_killer_record()).await {
            Invocation::Completed(result) => assert!(result.is_ok()),
            Invocation::Killed => {
                killed += 1;
                if tries < RETRIES {
                    let (first, second) = rows.split_at(rows.len() / 2);
                    batches.push_front((second.to_vec(), tries + 1));
                    batches.push_front((first.to_vec(), tries + 1));
                }
            }
        }
    }
    killed
}

async fn row(environment: &Environment, id: &str) -> LedgerRow {
    environment.row(id).await.unwrap()
}

async fn all_others_are_applied(environment: &Environment) -> bool {
    let open = environment.ledger().count(EventState::Pending).await.unwrap();
    let failed = environment.ledger().count(EventState::Failed).await.unwrap();
    let at_most = |count| matches!(count, OpenCount::Exactly(0 | 1));
    at_most(open) && at_most(failed)
}

#[tokio::test]
async fn an_event_that_fails_or_kills_each_time_delays_no_other_and_is_dead_on_schedule() {
    let environment = Environment::start(&[]).await;
    let mut receive = environment.receive_worker();
    let mut rows = Vec::new();
    for body in bodies() {
        assert!(matches!(receive.deliver(&body, None).await, Invocation::Completed(200)));
        let id: Value = serde_json::from_str(&body).unwrap();
        rows.push(row(&environment, id["id"].as_str().unwrap()).await);
    }
    let mut process = environment.process_worker();
    assert_eq!(ring_doorbell(&mut process, &rows).await, 3, "its batch of 100, of 50 and of 25");

    let mut minutes = 0;
    let mut killed = 0;
    let mut killer = Attempts::new(row(&environment, KILLER).await);
    let mut failing = Attempts::new(row(&environment, FAILING).await);
    assert_eq!((killer.row.state, failing.row.state), (EventState::Pending, EventState::Failed));
    let mut others_after = None;
    while killer.row.state != EventState::Dead || failing.row.state != EventState::Dead {
        environment.advance(Duration::from_secs(60));
        minutes += 1;
        assert!(minutes < 24 * 60, "{:?} {:?}", killer.row, failing.row);
        killed += usize::from(matches!(process.sweep(at_killer_record()).await, Invocation::Killed));
        killer.observe(row(&environment, KILLER).await, environment.now());
        failing.observe(row(&environment, FAILING).await, environment.now());
        if others_after.is_none() && all_others_are_applied(&environment).await {
            others_after = Some(minutes);
        }
    }
    // The sweep leaves a row to the doorbell for two minutes; the sweep that is killed first has claimed
    // other rows.
    assert!(others_after.is_some_and(|minutes| minutes <= 5), "{others_after:?}");
    let attempts = Retry::default().attempts;
    assert_eq!((killer.row.attempts, failing.row.attempts), (attempts, attempts));
    assert_eq!(killer.at.len(), usize::try_from(attempts).unwrap(), "each attempt was seen");
    assert_eq!(killed, usize::try_from(attempts).unwrap());
    killer.assert_on_schedule();
    failing.assert_on_schedule();
    for i in 0..APPLICABLE {
        assert_eq!(row(&environment, &format!("evt_{i}")).await.state, EventState::Processed, "evt_{i}");
    }
    assert_eq!(row(&environment, "evt_fails_other").await.state, EventState::Processed);
}

/// The attempts of one event, as its row shows them.
struct Attempts {
    row: LedgerRow,
    at: Vec<Timestamp>,
}

impl Attempts {
    fn new(row: LedgerRow) -> Self {
        Self { row, at: Vec::new() }
    }

    fn observe(&mut self, row: LedgerRow, now: Timestamp) {
        if row.attempts > self.row.attempts {
            self.at.push(now);
        }
        self.row = row;
    }

    /// Asserts that between two attempts lies the wait of the schedule, and at most two minutes more: one
    /// until the sweep, and one because a killed process cannot take back what its claim has added, or has
    /// not reached the other event.
    fn assert_on_schedule(&self) {
        for (attempt, pair) in (1..).zip(self.at.windows(2)) {
            let due_at = Retry::default().due_at(&self.row.id, attempt, pair[0]);
            let late = pair[1].duration_since(due_at);
            let on_time = SignedDuration::ZERO..=SignedDuration::from_mins(2);
            assert!(on_time.contains(&late), "{} {attempt}: {late}", self.row.id);
        }
    }
}
