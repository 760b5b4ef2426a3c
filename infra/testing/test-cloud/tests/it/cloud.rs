//! Short pages are read to their end; lagging indexes lag and catch up; a process is killed at the call that
//! was named, and what it had asked for is done.

use jiff::Timestamp;
use serde_json::json;
use shared::event::EventId;
use shared::ledger::{EventListing, EventState, Ledger, LedgerRow, OpenCount, Recorded};
use test_cloud::fixtures::{event, ledger, ledger_row, now};
use test_cloud::{KillPoint, TestCloud};

fn later() -> Timestamp {
    "2026-11-24T13:00:00Z".parse().unwrap()
}

fn row(id: &str) -> LedgerRow {
    ledger_row(&event(id, "invoice.paid", 5, &json!({ "object": "invoice", "id": "in_1" })), now())
}

async fn due(ledger: &Ledger) -> Vec<EventId> {
    let mut due = ledger.due(EventState::Pending, later(), 10).await.unwrap();
    due.sort();
    due
}

#[tokio::test]
async fn lagging_indexes_show_what_was_true_some_writes_ago_and_rows_what_is() {
    let cloud = TestCloud::start().await;
    let (lagging, direct) = (ledger(&cloud.aws()), ledger(&cloud.direct_aws()));
    lagging.record(&row("evt_1")).await.unwrap();
    cloud.lag_indexes(2).await;
    for id in ["evt_2", "evt_3", "evt_4"] {
        lagging.record(&row(id)).await.unwrap();
    }
    assert_eq!(due(&lagging).await.len(), 2, "the first was there before, and the second two writes ago");
    assert_eq!(due(&direct).await.len(), 4);
    assert!(
        lagging.get(&"evt_4".parse().unwrap(), now()).await.unwrap().is_some(),
        "the table itself does not lag"
    );
    assert_eq!(
        lagging.record(&row("evt_4")).await.unwrap(),
        Recorded::New,
        "the row is there, under the same delivery"
    );
    assert_eq!(due(&lagging).await.len(), 2, "a refused write does not count");
    cloud.catch_up_indexes().await;
    assert_eq!(due(&lagging).await, due(&direct).await);
}

#[tokio::test]
async fn short_pages_are_read_to_their_end() {
    let cloud = TestCloud::start().await;
    let (paged, direct) = (ledger(&cloud.aws()), ledger(&cloud.direct_aws()));
    for number in 0..40 {
        direct.record(&row(&format!("evt_{number}"))).await.unwrap();
    }
    let events = EventListing::Object("-/invoice/in_1".parse().unwrap());
    for whole in [false, true] {
        if whole {
            cloud.answer_in_whole_pages();
        }
        cloud.clear_calls();
        let page = paged.list(&events, None, 35, now(), |_| true).await.unwrap();
        assert_eq!(page, direct.list(&events, None, 35, now(), |_| true).await.unwrap());
        assert_eq!((page.rows.len(), page.next.is_some()), (35, true));
        let calls = ["Query", "BatchGetItem"].map(|operation| cloud.count(operation, "LedgerTable"));
        // All are of one second, so the index is read to its end.
        assert_eq!(calls.map(|calls| calls <= 2), [whole; 2], "{calls:?}");
        let due = paged.due(EventState::Pending, later(), 40).await.unwrap();
        assert_eq!((due.len(), paged.due_last(EventState::Pending, 40).await.unwrap().len()), (40, 40));
        assert_eq!(paged.count(EventState::Pending).await.unwrap(), OpenCount::Exactly(40));
    }
}

#[tokio::test]
async fn a_process_is_killed_before_or_after_the_call_that_was_named() {
    let cloud = TestCloud::start().await;
    for (point, stored) in [(KillPoint::BeforeCall(2), 1), (KillPoint::AfterCall(2), 2)] {
        let process = cloud.killable_process();
        let its_ledger = ledger(&process.aws());
        let killed = process.killed_at(point.clone());
        let work = async {
            for id in ["evt_1", "evt_2", "evt_3"] {
                let id = format!("{id}_{}", process.name());
                its_ledger.record(&row(&id)).await.unwrap();
            }
        };
        // Calls of others do not count.
        ledger(&cloud.aws()).record(&row("evt_other")).await.unwrap();
        tokio::select! {
            biased;
            () = killed => {}
            () = work => panic!("it was not killed"),
        }
        let rows = cloud.items("LedgerTable").await;
        let its = rows.iter().filter(|row| row["id"]["S"].as_str().unwrap().ends_with(process.name()));
        assert_eq!(its.count(), stored, "{point:?}");
    }
}
