//! An event that fails each time and one that kills its process each time hold no other back, and end as dead on schedule.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::ledger::{EventState, LedgerRow, OpenCount};
use shared::retry::Retry;
use simulation::{Applier, BEGINS, Work, World};
use test_cloud::Death;

/// Good events, each of an object of its own.
const GOOD: usize = 1_000;
/// Lambda's `BatchSize` and `MaximumRetryAttempts` for the stream (template.yaml).
const BATCH: usize = 100;
const RETRIES: u32 = 2;
/// The event whose record cannot be written: its process dies each time.
const KILLER: &str = "evt_kills";
const KILLED_AT: &str = "-/customer/cus_kills";
/// The event that fails each time: it ties with another one, and Stripe does not know their object.
const FAILING: &str = "evt_fails";

fn updated(id: &str, customer: &str, email: &str) -> String {
    let object: Value =
        json!({ "object": "customer", "id": customer, "created": BEGINS, "email": email, "metadata": {} });
    json!({
        "id": id, "object": "event", "type": "customer.updated", "created": BEGINS, "livemode": false,
        "api_version": "2026-07-29.dahlia", "data": { "object": object },
    })
    .to_string()
}

fn bodies() -> Vec<String> {
    let good = |i| updated(&format!("evt_{i}"), &format!("cus_{i}"), "a@example.com");
    let mut bodies: Vec<String> = (0..GOOD).map(good).collect();
    bodies.insert(250, updated(KILLER, "cus_kills", "a@example.com"));
    bodies.insert(500, updated("evt_fails_other", "cus_fails", "a@example.com"));
    bodies.insert(700, updated(FAILING, "cus_fails", "b@example.com"));
    bodies
}

fn at_killer() -> Option<Death> {
    Some(Death::AtRecord(KILLED_AT.to_owned()))
}

/// Rings for all rows as Lambda does: a batch whose process dies is halved and tried again, and in the end left to the sweep.
async fn ring_all(applier: &mut Applier<'_>, rows: &[LedgerRow]) -> usize {
    let mut died = 0;
    let mut batches: VecDeque<(Vec<LedgerRow>, u32)> =
        rows.chunks(BATCH).map(|batch| (batch.to_vec(), 0)).collect();
    while let Some((rows, tries)) = batches.pop_front() {
        match applier.ring(&rows, at_killer()).await {
            Work::Done(done) => assert!(done.is_ok()),
            Work::Died => {
                died += 1;
                if tries < RETRIES {
                    let (first, second) = rows.split_at(rows.len() / 2);
                    batches.push_front((second.to_vec(), tries + 1));
                    batches.push_front((first.to_vec(), tries + 1));
                }
            }
        }
    }
    died
}

async fn row(world: &World, id: &str) -> LedgerRow {
    world.row(id).await.unwrap()
}

async fn all_good_are_applied(world: &World) -> bool {
    let open = world.ledger().count(EventState::Pending).await.unwrap();
    let failed = world.ledger().count(EventState::Failed).await.unwrap();
    let at_most = |count| matches!(count, OpenCount::Exactly(0 | 1));
    at_most(open) && at_most(failed)
}

#[tokio::test]
async fn what_fails_or_kills_each_time_holds_no_other_back_and_is_dead_on_schedule() {
    let world = World::of(&[]).await;
    let mut receiver = world.receiver();
    let mut rows = Vec::new();
    for body in bodies() {
        assert!(matches!(receiver.deliver(&body, None).await, Work::Done(200)));
        let id: Value = serde_json::from_str(&body).unwrap();
        rows.push(row(&world, id["id"].as_str().unwrap()).await);
    }
    let mut applier = world.applier();
    assert_eq!(ring_all(&mut applier, &rows).await, 3, "its batch of 100, of 50 and of 25");

    let mut minutes = 0;
    let mut died = 0;
    let mut killer = Attempts::of(row(&world, KILLER).await);
    let mut failing = Attempts::of(row(&world, FAILING).await);
    assert_eq!((killer.row.state, failing.row.state), (EventState::Pending, EventState::Failed));
    let mut good_after = None;
    while killer.row.state != EventState::Dead || failing.row.state != EventState::Dead {
        world.pass(Duration::from_secs(60));
        minutes += 1;
        assert!(minutes < 24 * 60, "{:?} {:?}", killer.row, failing.row);
        died += usize::from(matches!(applier.sweep(at_killer()).await, Work::Died));
        killer.see(row(&world, KILLER).await, world.now());
        failing.see(row(&world, FAILING).await, world.now());
        if good_after.is_none() && all_good_are_applied(&world).await {
            good_after = Some(minutes);
        }
    }
    // The doorbell leaves a row to itself for two minutes; the sweep that first dies has other rows in hand, which it had claimed.
    assert!(good_after.is_some_and(|minutes| minutes <= 5), "{good_after:?}");
    let attempts = Retry::default().attempts;
    assert_eq!((killer.row.attempts, failing.row.attempts), (attempts, attempts));
    assert_eq!(killer.at.len(), usize::try_from(attempts).unwrap(), "each attempt was seen");
    assert_eq!(died, usize::try_from(attempts).unwrap());
    killer.were_on_schedule();
    failing.were_on_schedule();
    for i in 0..GOOD {
        assert_eq!(row(&world, &format!("evt_{i}")).await.state, EventState::Processed, "evt_{i}");
    }
    assert_eq!(row(&world, "evt_fails_other").await.state, EventState::Processed);
}

/// The attempts of one event, as its row shows them.
struct Attempts {
    row: LedgerRow,
    at: Vec<Timestamp>,
}

impl Attempts {
    fn of(row: LedgerRow) -> Self {
        Self { row, at: Vec::new() }
    }

    fn see(&mut self, row: LedgerRow, now: Timestamp) {
        if row.attempts > self.row.attempts {
            self.at.push(now);
        }
        self.row = row;
    }

    /// Between two attempts lies the wait of the schedule, and at most two minutes more: one until the sweep comes, and one for a
    /// process that dies, because it cannot take back what its claim has added, or has not come to the other one.
    fn were_on_schedule(&self) {
        for (attempt, pair) in (1..).zip(self.at.windows(2)) {
            let due_at = Retry::default().due_at(&self.row.id, attempt, pair[0]);
            let late = pair[1].duration_since(due_at);
            let on_time = SignedDuration::ZERO..=SignedDuration::from_mins(2);
            assert!(on_time.contains(&late), "{} {attempt}: {late}", self.row.id);
        }
    }
}
