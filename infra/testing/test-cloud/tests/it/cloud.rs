//! Late indexes are late and catch up; a process dies at the call it is told to, and what it had asked for is done.

use jiff::Timestamp;
use shared::aws::{AwsEnv, CallLimits};
use shared::event::{EventId, ParsedEvent, read};
use shared::ledger::{EventState, Ledger, LedgerRow, Recorded};
use shared::payload;
use test_cloud::{Death, TestCloud};

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn later() -> Timestamp {
    "2026-11-24T13:00:00Z".parse().unwrap()
}

fn ledger(aws: &AwsEnv) -> Ledger {
    Ledger::new(aws.dynamodb(CallLimits::PATIENT), "LedgerTable")
}

fn row(id: &str) -> LedgerRow {
    let body = format!(
        r#"{{"id":"{id}","object":"event","type":"invoice.paid","created":5,"livemode":false,"data":{{"object":{{"object":"invoice","id":"in_1"}}}}}}"#
    );
    let ParsedEvent::Event(event) = read(body.as_bytes()) else { panic!("{body}") };
    LedgerRow::of(&event, "main", now(), payload::pack(body.as_bytes()).unwrap())
}

async fn due(ledger: &Ledger) -> Vec<EventId> {
    let mut due = ledger.due(EventState::Pending, later(), 10).await.unwrap();
    due.sort();
    due
}

#[tokio::test]
async fn late_indexes_show_what_was_true_some_writes_ago_and_rows_what_is() {
    let cloud = TestCloud::start().await;
    let (seen, known) = (ledger(&cloud.aws()), ledger(&cloud.past_the_door()));
    seen.record(&row("evt_1")).await.unwrap();
    cloud.late_indexes(2).await;
    for id in ["evt_2", "evt_3", "evt_4"] {
        seen.record(&row(id)).await.unwrap();
    }
    assert_eq!(due(&seen).await.len(), 2, "the first was there before, and the second two writes ago");
    assert_eq!(due(&known).await.len(), 4);
    assert!(
        seen.get(&"evt_4".parse().unwrap(), now()).await.unwrap().is_some(),
        "the table itself is not late"
    );
    assert_eq!(seen.record(&row("evt_4")).await.unwrap(), Recorded::New, "it meets itself");
    assert_eq!(due(&seen).await.len(), 2, "what is refused is no write");
    cloud.catch_up().await;
    assert_eq!(due(&seen).await, due(&known).await);
}

#[tokio::test]
async fn a_process_dies_before_or_after_the_call_it_is_told_to() {
    let cloud = TestCloud::start().await;
    for (death, stored) in [(Death::Before(2), 1), (Death::After(2), 2)] {
        let process = cloud.process();
        let of_process = ledger(&process.aws());
        let dies = process.dies(death.clone());
        let work = async {
            for id in ["evt_1", "evt_2", "evt_3"] {
                let id = format!("{id}_{}", process.name());
                of_process.record(&row(&id)).await.unwrap();
            }
        };
        // Calls of others do not count.
        ledger(&cloud.aws()).record(&row("evt_other")).await.unwrap();
        tokio::select! {
            biased;
            () = dies => {}
            () = work => panic!("it lives on"),
        }
        let rows = cloud.items("LedgerTable").await;
        let its = rows.iter().filter(|row| row["id"]["S"].as_str().unwrap().ends_with(process.name()));
        assert_eq!(its.count(), stored, "{death:?}");
    }
}
