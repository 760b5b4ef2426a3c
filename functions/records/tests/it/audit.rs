//! The audit lists who did what, the latest first.

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::StatusCode;
use shared::access::{Caller, Role};
use shared::audit::{AuditDetails, AuditEntry};
use shared::http::ApiError;
use shared::page::write_cursor;
use test_cloud::fixtures::{error_code, now};

use crate::support::Stack;

fn caller(subject: &str) -> Caller {
    Caller {
        role: Some(Role::Admin),
        subject: subject.into(),
        email: Some("a@example.com".into()),
        address: Some("192.0.2.1".into()),
        claimed: None,
        request_id: None,
    }
}

fn entry(action: &str, at: Timestamp) -> AuditEntry {
    AuditEntry::new(&caller("sub-1"), action, "main", "done", at)
}

#[tokio::test]
async fn entries_of_several_years_are_one_list() {
    let stack = Stack::start().await;
    let times =
        ["2026-11-24T11:00:00Z", "2026-11-24T10:59:59.5Z", "2026-11-24T10:59:59Z", "2026-01-01T00:00:00Z"];
    for (i, at) in times.iter().enumerate().rev() {
        stack.audit().add(&entry(&format!("action.{i}"), at.parse().unwrap())).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = stack.ok(&format!("/audit?limit=3{cursor}")).await;
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["action.0", "action.1", "action.2", "action.3"]);
    let first = &stack.ok("/audit").await["data"][0];
    assert_eq!((first["email"].as_str(), first["subject"].as_str()), (Some("a@example.com"), Some("sub-1")));
    assert_eq!(
        (first["at"].as_str(), first["result"].as_str()),
        (Some("2026-11-24T11:00:00.000Z"), Some("done"))
    );
    let next_year: Timestamp = "2027-06-01T00:00:00Z".parse().unwrap();
    let (entries, _) = stack.audit().list(None, 10, next_year).await.unwrap();
    assert_eq!(entries.len(), 4, "last year's are listed too");
    assert!(now() < next_year);
}

#[tokio::test]
async fn a_cursor_with_a_place_that_no_entry_has_is_refused() {
    let stack = Stack::start().await;
    stack.audit().add(&entry("action", now())).await.unwrap();
    for place in ["", "#", "9999", "2026-11-24#x", "2026-11-24T11:00:00.000Z#", "\u{1F600}#x"] {
        let cursor = write_cursor("test audit", place);
        let (status, answer) = stack.get(&format!("/audit?cursor={cursor}")).await;
        assert_eq!((status, error_code(&answer)), (400, "parameter_invalid"), "{place:?}: {answer}");
    }
}

#[tokio::test]
async fn what_somebody_without_a_role_tries_is_one_entry_an_hour_for_each_action() {
    let stack = Stack::start().await;
    let forbidden = || Err::<(), _>(ApiError::new(StatusCode::FORBIDDEN, "forbidden", "no"));
    let stranger = |subject: &str| Caller { role: None, ..caller(subject) };
    let record = async |caller: &Caller, action: &str, result, minute: i64| {
        let at = now() + SignedDuration::from_mins(minute);
        stack.audit().record_result(caller, action, "main", AuditDetails::default(), &result, at).await;
    };
    // now() is a full hour.
    for minute in 1..20 {
        record(&stranger("s"), "endpoint.register", forbidden(), minute).await;
    }
    let entries = async || stack.ok("/audit?limit=100").await["data"].as_array().unwrap().clone();
    let first = entries().await;
    assert_eq!(first.len(), 1, "{first:?}");
    let at = (now() + SignedDuration::from_mins(1)).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
    assert_eq!(
        (first[0]["at"].as_str(), first[0]["result"].as_str()),
        (Some(at.as_str()), Some("forbidden"))
    );
    record(&stranger("s"), "endpoint.rotate", forbidden(), 1).await;
    record(&stranger("t"), "endpoint.register", forbidden(), 1).await;
    record(&stranger("s"), "endpoint.register", forbidden(), 61).await;
    assert_eq!(entries().await.len(), 4, "another action, person or hour");
    // A viewer is known, and so is who does what.
    let viewer = Caller { role: Some(Role::Viewer), ..caller("v") };
    record(&viewer, "endpoint.register", forbidden(), 2).await;
    record(&viewer, "endpoint.register", forbidden(), 3).await;
    record(&stranger("s"), "endpoint.register", Ok(()), 4).await;
    assert_eq!(entries().await.len(), 7);
}
