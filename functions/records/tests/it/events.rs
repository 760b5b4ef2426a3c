//! The ledger is shown as it is, and filters combine.

use serde_json::json;
use shared::event::ParsedEvent;
use shared::ledger::{Actor, EventState, LedgerRow, Transition};
use shared::payload;
use test_cloud::fixtures::{now, retention};

use crate::support::{Stack, ago};

#[tokio::test]
async fn an_event_is_shown_with_its_payload_as_stripe_sent_it() {
    let stack = Stack::start().await;
    let row = stack
        .event("evt_1", "invoice.paid", &json!({"object": "invoice", "id": "in_1", "n": 1}), ago(5))
        .await;
    let event = stack.ok("/events/evt_1").await;
    assert_eq!(event["payload"]["data"]["object"]["n"], 1);
    assert_eq!(
        (event["state"].as_str(), event["attempts"].as_i64(), event["last_error"].as_str()),
        (Some("pending"), Some(0), None)
    );
    assert_eq!(
        (event["object"].as_str(), event["received_at"].as_str()),
        (Some("in_1"), Some("2026-11-24T11:59:55Z"))
    );
    assert!(event["due_at"].is_string());

    let failed =
        Transition { state: EventState::Failed, reason: Some("it broke".into()), due_at: Some(now()) };
    stack.ledger().transition(&row, &failed, retention(), now()).await.unwrap();
    let event = stack.ok("/events/evt_1").await;
    assert_eq!((event["state"].as_str(), event["last_error"].as_str()), (Some("failed"), Some("it broke")));
}

#[tokio::test]
async fn an_event_shows_all_its_states_with_who_and_why() {
    let stack = Stack::start().await;
    let ledger = stack.ledger();
    let row =
        stack.event("evt_1", "invoice.paid", &json!({"object": "invoice", "id": "in_1"}), ago(60)).await;
    let row_now = async || ledger.get(&row.id, now()).await.unwrap().unwrap();
    let failed =
        Transition { state: EventState::Failed, reason: Some("it broke".into()), due_at: Some(ago(40)) };
    for at in [50, 45] {
        ledger.transition(&row_now().await, &failed, retention(), ago(at)).await.unwrap();
    }
    ledger
        .transition(
            &row_now().await,
            &Transition::with_reason(EventState::Dead, "for good"),
            retention(),
            ago(40),
        )
        .await
        .unwrap();
    let actor = Actor { by: "a@example.com", why: Some("fixed") };
    ledger.replay(&row_now().await, actor, ago(30)).await.unwrap();
    ledger
        .transition(&row_now().await, &Transition::to(EventState::Processed), retention(), ago(20))
        .await
        .unwrap();
    let event = stack.ok("/events/evt_1").await;
    let states: Vec<_> = event["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|past| {
            let text = |field: &str| past[field].as_str().unwrap_or("-").to_owned();
            format!("{} {} {} {}", text("at"), text("state"), text("reason"), text("by"))
        })
        .collect();
    assert_eq!(
        states,
        [
            "2026-11-24T11:59:00Z pending - -",
            "2026-11-24T11:59:15Z failed it broke -",
            "2026-11-24T11:59:20Z dead for good -",
            "2026-11-24T11:59:30Z pending fixed a@example.com",
            "2026-11-24T11:59:40Z processed - -",
        ],
        "a repeated failure is the same state"
    );
    assert_eq!(event["expires_at"], "2027-02-22T11:59:40Z");
}

#[tokio::test]
async fn a_reason_is_a_filter() {
    let stack = Stack::start().await;
    for (id, reason) in [("evt_1", "filter"), ("evt_2", "discarded: of a test"), ("evt_3", "filtered")] {
        let row = stack.event(id, "invoice.paid", &json!({"object": "invoice", "id": "in_1"}), ago(5)).await;
        stack
            .ledger()
            .transition(&row, &Transition::with_reason(EventState::Ignored, reason), retention(), now())
            .await
            .unwrap();
    }
    assert_eq!(stack.ids_of_all_pages("/events?state=ignored&reason=filter", 10).await, ["evt_1"]);
    assert_eq!(stack.ids_of_all_pages("/events?reason=discarded", 10).await, ["evt_2"]);
}

#[tokio::test]
async fn a_payload_that_is_no_event_is_still_shown() {
    let stack = Stack::start().await;
    let body = br#"{"id":"evt_1","odd":true}"#;
    let ParsedEvent::Unreadable { id, reason } = shared::event::read(body) else { panic!() };
    let row = LedgerRow::unreadable(id, reason, "main", ago(5), payload::pack(body, "").unwrap());
    stack.ledger().record(&row).await.unwrap();
    let event = stack.ok("/events/evt_1").await;
    assert_eq!(
        (event["state"].as_str(), event["payload"]["odd"].as_bool()),
        (Some("quarantined"), Some(true))
    );
    assert_eq!(stack.ids_of_all_pages("/events?state=quarantined", 10).await, ["evt_1"]);
}

#[tokio::test]
async fn the_list_is_newest_first_over_days_and_complete() {
    let stack = Stack::start().await;
    let mut expected = Vec::new();
    for i in 0..45_i64 {
        // Five share each millisecond; the groups are six hours apart, over two days and a half.
        let id = format!("evt_{i:02}");
        stack
            .event(
                &id,
                "invoice.paid",
                &json!({"object": "invoice", "id": "in_1"}),
                ago((8 - i / 5) * 21_600),
            )
            .await;
        expected.push(id);
    }
    expected.reverse();
    for limit in [1, 4, 45, 100] {
        assert_eq!(stack.ids_of_all_pages("/events", limit).await, expected, "by {limit}");
        assert_eq!(stack.ids_of_all_pages("/events?object=in_1", limit).await, expected, "by {limit}");
    }
    let since = stack.ids_of_all_pages("/events?since=2026-11-24T06:00:00Z", 4).await;
    assert_eq!(since, expected[..10], "exactly six hours ago is in");
    let until = stack.ids_of_all_pages("/events?until=2026-11-24T06:00:00Z", 4).await;
    assert_eq!(until, expected[10..], "exactly six hours ago is out");
    let hours = "since=2026-11-24T00:00:00Z&until=2026-11-24T12:00:00Z";
    assert_eq!(stack.ids_of_all_pages(&format!("/events?{hours}"), 4).await, expected[5..15]);
    for other in ["&state=pending", "&object=in_1"] {
        assert_eq!(stack.ids_of_all_pages(&format!("/events?{hours}{other}"), 4).await, expected[5..15]);
    }
    let none = "/events?since=2026-11-24T12:00:00Z&until=2026-11-24T06:00:00Z";
    assert!(stack.ids_of_all_pages(none, 4).await.is_empty());
    assert!(stack.ids_of_all_pages("/events?until=2001-01-01T00:00:00Z", 4).await.is_empty());
}

#[tokio::test]
async fn filters_combine_and_a_page_without_a_hit_goes_on() {
    let stack = Stack::start().await;
    for i in 0..30 {
        let event_type = if i == 3 { "charge.dispute.created" } else { "invoice.paid" };
        let row = stack
            .event(
                &format!("evt_{i:02}"),
                event_type,
                &json!({"object": "invoice", "id": "in_1"}),
                ago(100 - i),
            )
            .await;
        if i % 2 == 1 {
            stack
                .ledger()
                .transition(&row, &Transition::to(EventState::Processed), retention(), now())
                .await
                .unwrap();
        }
    }
    assert_eq!(stack.ids_of_all_pages("/events?type=charge.dispute.*", 2).await, ["evt_03"]);
    assert_eq!(
        stack.ids_of_all_pages("/events?type=charge.dispute.created&state=processed&endpoint=main", 2).await,
        ["evt_03"]
    );
    assert_eq!(stack.ids_of_all_pages("/events?state=pending&type=charge.*", 2).await, [""; 0]);
    assert_eq!(stack.ids_of_all_pages("/events?state=pending", 4).await.len(), 15);
    assert_eq!(stack.ids_of_all_pages("/events?state=processed&object=in_1", 4).await.len(), 15);
    assert_eq!(stack.ids_of_all_pages("/events?endpoint=other", 4).await, [""; 0]);
    assert_eq!(stack.ids_of_all_pages("/events?account=acct_1", 4).await, [""; 0]);
}

#[tokio::test]
async fn a_page_costs_the_same_with_many_rows_as_with_few() {
    let stack = Stack::start().await;
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    let mut calls = Vec::new();
    for size in [20, 400] {
        for i in 0..size {
            stack
                .event(
                    &format!("evt_{size}_{i}"),
                    "invoice.paid",
                    &json!({"object": "invoice", "id": "in_1"}),
                    ago(i),
                )
                .await;
        }
        stack.cloud.clear_calls();
        stack.ok("/events?limit=10").await;
        calls.push(stack.cloud.calls().len());
    }
    assert_eq!(calls[0], calls[1]);
}

#[tokio::test]
async fn pages_show_each_event_that_was_there_once_whatever_is_written_meanwhile() {
    for path in ["/events", "/events?state=pending", "/events?object=in_1"] {
        let stack = Stack::start().await;
        let invoice = json!({"object": "invoice", "id": "in_1"});
        for i in 0..24 {
            // Three share each second.
            stack.event(&format!("evt_old_{i:02}"), "invoice.paid", &invoice, ago(600 - i / 3)).await;
        }
        let join = if path.contains('?') { '&' } else { '?' };
        let (mut seen, mut cursor, mut page) = (Vec::new(), String::new(), 0);
        loop {
            let answer = stack.ok(&format!("{path}{join}limit=4{cursor}")).await;
            let ids =
                answer["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned());
            seen.extend(ids.filter(|id| id.starts_with("evt_old")));
            // A newer event, one that comes late, and a change of state of one that was shown already.
            for (id, at) in [("new", ago(5)), ("late", ago(598))] {
                stack.event(&format!("evt_{id}_{page}"), "invoice.paid", &invoice, at).await;
            }
            let shown_id = seen[page].parse().unwrap();
            let row = stack.ledger().get(&shown_id, now()).await.unwrap().unwrap();
            stack
                .ledger()
                .transition(&row, &Transition::to(EventState::Processed), retention(), now())
                .await
                .unwrap();
            page += 1;
            match answer["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!((once.len(), seen.len()), (24, 24), "{path}");
    }
}
