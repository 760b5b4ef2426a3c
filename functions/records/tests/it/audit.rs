//! The audit lists who did what, the latest first.

use jiff::Timestamp;
use shared::access::{Caller, Role};
use shared::audit::AuditEntry;
use test_cloud::fixtures::now;

use crate::support::Stack;

fn entry(action: &str, at: Timestamp) -> AuditEntry {
    let caller = Caller {
        role: Some(Role::Admin),
        subject: "sub-1".into(),
        email: Some("a@example.com".into()),
        address: Some("192.0.2.1".into()),
    };
    AuditEntry::new(&caller, action, "main", "done", at)
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
