//! The rules of the stack: what is ignored, and how often a failed event is tried again.

use shared::ledger::EventState;
use shared::registry::Rules;
use shared::retry::Retry;
use shared::unix_time::UnixMillis;
use test_cloud::Fault;
use test_cloud::fixtures::now;

use crate::support::{Stack, later, subscription};

async fn store_rules(stack: &Stack, ignore: &[&str], retry: Retry) {
    let registry = stack.registry();
    let old = registry.rules().await.unwrap();
    let ignore = ignore.iter().map(|pattern| (*pattern).to_owned()).collect();
    let mut new = Rules { ignore, retry, rev: 0 };
    registry.store_rules(&old, &mut new).await.unwrap();
}

#[tokio::test]
async fn what_is_ignored_is_kept_and_applied_when_it_is_replayed_after_the_pattern_went() {
    let stack = Stack::start().await;
    store_rules(&stack, &["customer.subscription.*"], Retry::default()).await;
    let row = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    stack.ring(&[row]).await;
    assert_eq!(stack.state("evt_1").await, (EventState::Ignored, Some("filter".into())));
    assert!(stack.record("-/subscription/sub_1").await.is_none());

    store_rules(&stack, &[], Retry::default()).await;
    let ignored = stack.row("evt_1").await;
    let admin = shared::ledger::Actor { by: "a@example.com", why: None };
    stack.ledger().replay(&ignored, admin, now()).await.unwrap();
    assert_eq!(stack.sweep(later(120)).await.count(EventState::Processed), 1);
    assert_eq!(stack.object("-/subscription/sub_1").await["status"], "active");
    let states: Vec<_> = stack.row("evt_1").await.history.iter().map(|change| change.state).collect();
    assert_eq!(states, [EventState::Ignored, EventState::Pending], "its history is kept");
}

#[tokio::test]
async fn a_change_holds_after_ten_seconds_and_not_every_batch_reads_them() {
    let stack = Stack::start().await;
    let mut states = Vec::new();
    for (i, seconds) in [0, 5, 9, 10].into_iter().enumerate() {
        let row = stack
            .receive(&subscription(&format!("evt_{i}"), "updated", 5 + i64::try_from(i).unwrap(), "active"))
            .await;
        stack.ring_at(std::slice::from_ref(&row), later(seconds)).await.unwrap();
        states.push(stack.state(row.id.as_str()).await.0);
        if i == 0 {
            store_rules(&stack, &["customer.subscription.updated"], Retry::default()).await;
            stack.cloud.clear_calls();
        }
    }
    assert_eq!(
        states,
        [EventState::Processed, EventState::Processed, EventState::Processed, EventState::Ignored]
    );
    assert_eq!(stack.cloud.count("GetItem", "RegistryTable"), 1);
}

#[tokio::test]
async fn attempts_and_delays_are_the_stacks() {
    let stack = Stack::start().await;
    store_rules(&stack, &[], Retry { attempts: 3, first_delay_s: 600, longest_delay_s: 900 }).await;
    stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    let mut at = 120;
    for attempt in 1..=3 {
        stack.cloud.fail("PutItem", "RecordsTable", 3, Fault::ServerError);
        stack.sweep(later(at)).await;
        let row = stack.row("evt_1").await;
        assert_eq!(
            row.state,
            if attempt < 3 { EventState::Failed } else { EventState::Dead },
            "attempt {attempt}"
        );
        if attempt < 3 {
            let wait = (row.due_at.unwrap() - UnixMillis::from(later(at))).as_secs();
            assert!((480..=900).contains(&wait), "attempt {attempt}: {wait} s");
        }
        at += 1_000;
    }
}

#[tokio::test]
async fn while_the_rules_cannot_be_read_those_read_last_hold_and_without_any_nothing_is_applied() {
    let stack = Stack::start().await;
    let row = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    let fail = || stack.cloud.fail("GetItem", "RegistryTable", 3, Fault::ServerError);
    fail();
    stack.ring_at(std::slice::from_ref(&row), later(1)).await.unwrap_err();
    assert_eq!(stack.state("evt_1").await.0, EventState::Pending, "the sweep will find it");
    store_rules(&stack, &["customer.subscription.*"], Retry::default()).await;
    stack.cloud.clear_faults();
    stack.ring_at(&[row], later(2)).await.unwrap();
    assert_eq!(stack.state("evt_1").await.0, EventState::Ignored);
    let row = stack.receive(&subscription("evt_2", "updated", 6, "active")).await;
    fail();
    stack.ring_at(&[row], later(60)).await.unwrap();
    assert_eq!(stack.state("evt_2").await.0, EventState::Ignored, "the pattern still holds");
}
