//! What the doorbell missed is found; what fails is tried again; what fails every time ends as dead.

use std::time::Duration;

use process::{Summary, handle};
use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::ledger::{Actor, EventState, OpenCount, Transition};
use test_cloud::Fault;
use test_cloud::fixtures::now;

use crate::support::{Stack, later, subscription};

#[tokio::test]
async fn an_event_whose_doorbell_was_lost_is_found_two_minutes_later() {
    let stack = Stack::start().await;
    stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    stack.sweep(later(119)).await;
    assert_eq!(
        stack.state("evt_1").await.0,
        EventState::Pending,
        "it is left to the doorbell for two minutes"
    );
    assert_eq!(stack.sweep(later(120)).await.count(EventState::Processed), 1);
    assert_eq!(stack.object("-/subscription/sub_1").await["status"], "active");
    assert_eq!(stack.ledger().count(EventState::Pending).await.unwrap(), OpenCount::Exactly(0));
}

#[tokio::test]
async fn a_thousand_lost_doorbells_are_found_in_one_sweep() {
    let stack = Stack::start().await;
    for i in 0..1_000 {
        let body = subscription(&format!("evt_{i}"), "updated", i, "active")
            .replace("sub_1", &format!("sub_{}", i % 100));
        stack.receive(&body).await;
    }
    let summary = stack.sweep(later(120)).await;
    assert_eq!(
        summary.count(EventState::Processed) + summary.count(EventState::Superseded),
        1_000,
        "{summary:?}"
    );
    assert_eq!(stack.ledger().count(EventState::Pending).await.unwrap(), OpenCount::Exactly(0));
    assert_eq!(stack.record("-/subscription/sub_7").await.unwrap().as_of.get(), 907);
}

#[tokio::test]
async fn a_sweep_costs_no_more_with_a_hundred_thousand_settled_events_than_with_a_hundred() {
    let mut costs = Vec::new();
    for settled in [100, 100_000] {
        let stack = Stack::start().await;
        stack.cloud.seed_ledger(settled, 40, now());
        stack.cloud.clear_calls();
        let summary = stack.sweep(now()).await;
        assert_eq!(summary.count(EventState::Processed) + summary.count(EventState::Superseded), 40);
        let due = stack.cloud.read_cost();
        stack.cloud.clear_calls();
        stack.sweep(now()).await;
        costs.push((due, stack.cloud.read_cost()));
    }
    let [(few, few_idle), (many, many_idle)] = costs[..] else { panic!() };
    assert_eq!(many_idle, few_idle, "with nothing due");
    // Of 40 due events some share an invoice, and how many of those lose differs.
    assert!(many.0 <= few.0 + 40 && many.1 <= few.1 + 40.0, "{few:?} with few, {many:?} with many");
}

#[tokio::test]
async fn what_failed_is_tried_again_and_keeps_no_reason_once_applied() {
    let stack = Stack::start().await;
    let row = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    stack.cloud.fail("PutItem", "RecordsTable", 3, Fault::ServerError);
    assert_eq!(stack.ring(&[row]).await.count(EventState::Failed), 1);
    let (state, reason) = stack.state("evt_1").await;
    assert_eq!(state, EventState::Failed);
    assert!(reason.unwrap().starts_with("writing a record failed: "));
    assert_eq!(stack.ledger().count(EventState::Failed).await.unwrap(), OpenCount::Exactly(1));
    assert_eq!(stack.sweep(later(10)).await.count(EventState::Processed), 0, "not before its time");
    assert_eq!(stack.sweep(later(60)).await.count(EventState::Processed), 1);
    assert_eq!(stack.state("evt_1").await, (EventState::Processed, None));
}

#[tokio::test]
async fn what_fails_every_time_is_dead_after_twelve_attempts_and_holds_nothing_back() {
    let stack = Stack::start().await;
    stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    let mut at = 120;
    for attempt in 1..=12 {
        stack.cloud.fail("PutItem", "RecordsTable", 3, Fault::ServerError);
        let summary = stack.sweep(later(at)).await;
        let expected = if attempt < 12 { EventState::Failed } else { EventState::Dead };
        assert_eq!(summary.count(expected), 1, "attempt {attempt}: {summary:?}");
        at += 3_700;
    }
    assert_eq!(stack.row("evt_1").await.attempts, 12);
    assert_eq!(stack.sweep(later(at)).await.count(EventState::Dead), 0, "dead is left to an admin");
}

#[tokio::test]
async fn an_event_that_kills_its_process_is_dead_like_any_other() {
    let stack = Stack::start().await;
    stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    let mut at = 120;
    for _ in 0..12 {
        // The process dies after the claim: neither the record nor the state is written.
        let due = stack.ledger().due(EventState::Pending, later(at), 10).await.unwrap();
        let row = stack.ledger().get(&due[0], now()).await.unwrap().unwrap();
        stack.ledger().claim(&row, later(at + 60)).await.unwrap().unwrap();
        at += 3_700;
    }
    assert_eq!(stack.sweep(later(at)).await.count(EventState::Dead), 1);
    assert!(stack.state("evt_1").await.1.unwrap().contains("every attempt ended"));
}

#[tokio::test]
async fn what_an_admin_wrote_when_replaying_is_not_kept_as_the_reason_of_a_death() {
    let stack = Stack::start().await;
    let row = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    let dead = Transition::with_reason(EventState::Dead, "x");
    stack.ledger().transition(&row, &dead, "90".parse().unwrap(), now()).await.unwrap();
    let admin = Actor { by: "a@example.com", why: Some("I repaired it") };
    stack.ledger().replay(&stack.row("evt_1").await, admin, later(1)).await.unwrap();
    let mut at = 200;
    for _ in 0..12 {
        stack.ledger().claim(&stack.row("evt_1").await, later(at + 60)).await.unwrap().unwrap();
        at += 3_700;
    }
    stack.sweep(later(at)).await;
    let row = stack.row("evt_1").await;
    assert_eq!((row.state, row.by), (EventState::Dead, None));
    assert!(row.reason.unwrap().contains("every attempt ended"));
}

#[tokio::test]
async fn a_sweep_goes_on_until_nothing_is_due() {
    let stack = Stack::start().await;
    // More than it takes at a time from a shard.
    stack.cloud.seed_ledger(0, 2_200, now());
    let summary = stack.sweep(now()).await;
    assert_eq!(
        summary.count(EventState::Processed) + summary.count(EventState::Superseded),
        2_200,
        "{summary:?}"
    );
}

#[tokio::test]
async fn when_the_time_is_up_no_row_is_started_and_none_is_lost() {
    let stack = Stack::start().await;
    stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    let over = Deadline::after(Duration::ZERO);
    assert_eq!(stack.sweep_until(over, later(120)).await, Summary::default());
    let row = stack.row("evt_1").await;
    assert_eq!((row.state, row.attempts), (EventState::Pending, 0), "left to the next sweep as it was");
}

#[tokio::test]
async fn a_row_that_a_sweep_is_working_on_is_not_taken_by_the_next() {
    let stack = Stack::start().await;
    stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    stack.cloud.fail("PutItem", "RecordsTable", 1, Fault::Hang);
    tokio::select! {
        _ = stack.sweep(later(120)) => panic!("it hangs"),
        () = async {
            while stack.cloud.count("PutItem", "RecordsTable") == 0 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    assert_eq!(stack.row("evt_1").await.attempts, 1);
    stack.sweep(later(179)).await;
    assert_eq!(stack.row("evt_1").await.attempts, 1, "a minute and more is left to the first");
    assert_eq!(stack.sweep(later(300)).await.count(EventState::Processed), 1, "then it counts as dead");
}

#[tokio::test]
async fn two_sweeps_do_not_share_a_row() {
    let stack = Stack::start().await;
    stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    let row = stack.row("evt_1").await;
    let ledger = stack.ledger();
    let claims =
        [ledger.claim(&row, later(200)).await.unwrap(), ledger.claim(&row, later(200)).await.unwrap()];
    assert_eq!(claims.iter().flatten().count(), 1);
    assert_eq!(stack.sweep(later(130)).await.count(EventState::Processed), 0, "claimed until 200");
    assert_eq!(stack.sweep(later(200)).await.count(EventState::Processed), 1);
}

#[tokio::test]
async fn an_input_that_is_neither_is_refused_by_name() {
    let stack = Stack::start().await;
    for input in [Value::Null, json!({}), json!({"Records": [{"body": "sqs"}]})] {
        let error = handle(&stack.deps, input, now(), Deadline::NEVER).await.unwrap_err();
        assert!(error.to_string().contains("neither"), "{error}");
    }
}

#[tokio::test]
async fn a_claim_whose_answer_is_lost_is_still_tried() {
    let stack = Stack::start().await;
    stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    stack.cloud.fail("UpdateItem", "LedgerTable", 1, Fault::DoneAndCut);
    assert_eq!(stack.sweep(later(120)).await.count(EventState::Processed), 1);
    assert_eq!(stack.row("evt_1").await.attempts, 1);
}

#[tokio::test]
async fn a_doorbell_that_fails_after_the_sweep_has_taken_the_row_does_not_change_its_state() {
    let stack = Stack::start().await;
    let before = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    stack.ledger().claim(&before, later(300)).await.unwrap().unwrap();
    stack.cloud.fail("PutItem", "RecordsTable", 3, Fault::ServerError);
    assert_eq!(stack.ring(&[before]).await.count(EventState::Failed), 0);
    let row = stack.row("evt_1").await;
    assert_eq!((row.state, row.attempts, row.due_at), (EventState::Pending, 1, Some(later(300).into())));
}
