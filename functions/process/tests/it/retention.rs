//! Rows in a final state expire, rows that wait do not, and an expired row is as if it were not there.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::ledger::{EventState, LedgerRow, Recorded};
use shared::payload;
use shared::unix_time::UnixSeconds;
use test_cloud::Fault;
use test_cloud::fixtures::{event, now};

use crate::support::{Stack, later, subscription};

fn days(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

#[tokio::test]
async fn a_final_row_expires_after_ninety_days_and_an_open_one_never() {
    let stack = Stack::start().await;
    let bodies = [
        ("evt_processed", subscription("evt_processed", "updated", 9, "active")),
        ("evt_superseded", subscription("evt_superseded", "created", 5, "active")),
        (
            "evt_ignored",
            event(
                "evt_ignored",
                "financial_connections.account.created",
                5,
                &json!({"object": "financial_connections.account", "id": "fca_1"}),
            ),
        ),
    ];
    for (id, body) in &bodies {
        let row = stack.receive(body).await;
        assert_eq!(row.expires_at, None, "receive sets none");
        stack.ring(&[row]).await;
        let expires_at = stack.row(id).await.expires_at.unwrap();
        assert_eq!(expires_at, UnixSeconds::from(later(1) + SignedDuration::from_hours(90 * 24)), "{id}");
    }
    let odd = event("evt_odd", "invoice.paid", 5, &json!({"object": "invoice"}));
    let broken = subscription("evt_broken", "updated", 10, "active");
    for body in [&odd, &broken] {
        let row = stack.receive(body).await;
        stack.cloud.fail("PutItem", "RecordsTable", 3, Fault::ServerError);
        stack.ring(&[row]).await;
        stack.cloud.clear_faults();
    }
    for (id, state) in [("evt_odd", EventState::Quarantined), ("evt_broken", EventState::Failed)] {
        let row = stack.row(id).await;
        assert_eq!((row.state, row.expires_at), (state, None));
    }
}

#[tokio::test]
async fn what_has_expired_is_gone_before_dynamodb_has_removed_it() {
    let stack = Stack::start().await;
    let body = subscription("evt_1", "created", 5, "active");
    let row = stack.receive(&body).await;
    stack.ring(&[row]).await;
    let ledger = stack.ledger();
    let id = "evt_1".parse().unwrap();
    assert!(ledger.get(&id, days(90)).await.unwrap().is_some());
    assert!(ledger.get(&id, days(91)).await.unwrap().is_none());
    assert!(ledger.rows([&id], days(91)).await.unwrap().is_empty());

    let row_received_at = |at| {
        let shared::event::ParsedEvent::Event(event) = shared::event::read(body.as_bytes()) else { panic!() };
        LedgerRow::from_event(&event, "main", at, payload::pack(body.as_bytes(), "").unwrap())
    };
    assert_eq!(ledger.record(&row_received_at(days(90))).await.unwrap(), Recorded::Duplicate);
    assert_eq!(
        ledger.record(&row_received_at(days(91))).await.unwrap(),
        Recorded::New,
        "Stripe never does this"
    );
}
