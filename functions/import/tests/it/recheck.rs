//! A difference is reported only if no event explains it; events that could not be delivered come late, by
//! reconciliation.

use serde_json::json;

use crate::support::{Stack, ago, customer, event, later};

const KEY: &str = "-/customer/cus_1";

fn update(id: &str, email: &str, minutes: i64) -> String {
    event(id, "customer.updated", later(minutes), &customer("cus_1", email))
}

/// A customer that has changed at Stripe, and a comparison that has just found the mismatch.
async fn with_mismatch() -> Stack {
    let stack = Stack { reconciles: false, ..Stack::new().await };
    stack.apply(&update("evt_1", "old", -60), ago(60)).await;
    stack.put(&customer("cus_1", "new"));
    stack.run(later(0)).await;
    stack
}

async fn reported(stack: &Stack) -> Option<u64> {
    stack.comparison().await.last.map(|last| last.report.differed.count)
}

#[tokio::test]
async fn a_mismatch_waits_until_events_are_compared_past_it() {
    let stack = with_mismatch().await;
    stack.events_compared(later(-5)).await;
    for minutes in [11, 31, 60] {
        stack.run(later(minutes)).await;
        assert_eq!((reported(&stack).await, stack.stripe.requests().len()), (None, 1), "{minutes}");
    }
    // The event arrives in the end.
    stack.apply(&update("evt_2", "new", -1), later(60)).await;
    stack.events_compared(later(55)).await;
    stack.run(later(65)).await;
    assert_eq!(reported(&stack).await, Some(0));
    assert_eq!(stack.record(KEY).await.unwrap().event.unwrap().as_str(), "evt_2");
}

#[tokio::test]
async fn without_reconciliation_it_waits_for_half_an_hour() {
    let stack = with_mismatch().await;
    stack.run(later(29)).await;
    assert_eq!(reported(&stack).await, None);
    stack.run(later(30)).await;
    assert_eq!(reported(&stack).await, Some(1));
}

#[tokio::test]
async fn what_an_event_explains_is_corrected_and_not_reported() {
    // One that waits to be applied, and one that was applied but created after the mismatch was found.
    for (id, created, is_applied) in [("evt_waits", -1, false), ("evt_later", 1, true)] {
        let mut stack = with_mismatch().await;
        stack.reconciles = true;
        if is_applied {
            stack.apply(&update(id, "between", created), later(2)).await;
        } else {
            stack.receive(&update(id, "between", created), later(2)).await;
        }
        stack.run(later(15)).await;
        assert_eq!(reported(&stack).await, Some(0), "{id}");
        assert_eq!(stack.object(KEY).await["email"], json!("new"), "{id}");
    }
    // One created before it was found, and applied, explains nothing: it is what the record shows.
    let mut stack = with_mismatch().await;
    stack.reconciles = true;
    stack.apply(&update("evt_before", "between", -1), later(2)).await;
    stack.run(later(15)).await;
    assert_eq!(reported(&stack).await, Some(1));
}
