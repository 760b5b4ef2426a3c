//! What records were (`?at=` of `records`) brings no person back.

use jiff::Timestamp;
use lambda_http::Body;
use serde_json::{Value, json};
use shared::mode::Mode;
use test_cloud::fixtures::{access, api_event, http_request, now, retention};

use crate::support::{PERSON, Stack, later, object};

/// Before the last change of the subscription.
const THEN: i64 = -40;

/// Ann's subscription, which has changed since.
async fn with_changed_subscription() -> Stack {
    let stack = Stack::with_customer().await;
    let canceled = object("subscription", "sub_1", json!({ "customer": "cus_1", "status": "canceled" }));
    stack.apply("evt_20", "customer.subscription.deleted", -30, &canceled).await;
    stack
}

async fn get(stack: &Stack, path: &str, at: Timestamp) -> (Value, String) {
    let deps = records::Deps::new(records::Config {
        aws: stack.cloud.direct_aws(),
        mode: Mode::Test,
        access: access(),
        retention: retention(),
        ledger_table: "LedgerTable".into(),
        records_table: "RecordsTable".into(),
        registry_table: "RegistryTable".into(),
        audit_table: "AuditTable".into(),
    });
    let path = format!("/records/{path}?at={at}");
    let event = api_event(include_str!("../../../../events/records/payment.json"), "GET", &path);
    let response = records::handle(&deps, http_request(&event), now()).await;
    let Body::Text(text) = response.body() else { panic!("{response:?}") };
    assert_eq!(response.status(), 200, "{path}: {text}");
    (serde_json::from_str(text).unwrap(), text.clone())
}

#[tokio::test]
async fn of_an_erased_customer_no_time_shows_the_person() {
    let stack = with_changed_subscription().await;
    let (before, text) = get(&stack, "subscriptions/sub_1", later(THEN)).await;
    assert_eq!(before["record"]["status"], "active");
    assert!(text.contains(PERSON), "before the erasure it says what it said");
    stack.erase("cus_1").await;
    stack.run(now()).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    let (then, _) = get(&stack, "subscriptions/sub_1", later(THEN)).await;
    assert_eq!(
        (&then["known"], &then["existed"], &then["unknown_reason"]),
        (&json!(false), &json!(true), &json!("erased"))
    );
    let paths = [
        "subscriptions/sub_1",
        "customers/cus_1",
        "invoices/in_1",
        "payments/pi_1",
        "charges/ch_1",
        "refunds/re_1",
        "disputes/dp_1",
    ];
    let lists = ["subscriptions", "customers", "invoices", "payments", "charges"];
    for minutes in (-61..=0).step_by(3) {
        for path in paths.iter().chain(&lists) {
            let (_, text) = get(&stack, path, later(minutes)).await;
            assert!(!text.contains(PERSON), "{path} {minutes}: {text}");
        }
    }
    // What has not changed since the erasure is known, and reduced.
    let (payment, _) = get(&stack, "payments/pi_1", now()).await;
    assert_eq!(
        (&payment["record"]["erased"], &payment["record"]["amount_captured"]),
        (&json!(true), &json!(700))
    );
}

#[tokio::test]
async fn while_the_events_are_still_to_be_erased_what_they_say_is_reduced() {
    let stack = with_changed_subscription().await;
    let record = stack.record("-/subscription/sub_1").await;
    stack.records().replace(&record, &record.erased().unwrap()).await.unwrap();
    let (then, text) = get(&stack, "subscriptions/sub_1", later(THEN)).await;
    assert_eq!(
        (&then["known"], &then["record"]["status"], &then["record"]["erased"]),
        (&json!(true), &json!("active"), &json!(true))
    );
    assert!(!text.contains(PERSON), "{text}");
}
