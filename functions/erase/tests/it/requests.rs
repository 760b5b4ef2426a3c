//! The requests: who may, what is refused, what is shown, what the audit says.

use erase::handle;
use serde_json::{Value, json};
use shared::deadline::Deadline;
use test_cloud::fixtures::{self, CHOSEN_IDS, error_code, now, path_forms, trigger_answer};

use crate::support::{Stack, object};

fn asked(customer: &str) -> Value {
    json!({ "customer": customer, "confirm": customer, "why": "asked for by mail" })
}

#[tokio::test]
async fn a_viewer_may_look_and_not_erase() {
    let stack = Stack::with_customer().await;
    let (status, answer) = stack.call("viewer", "POST", "/erasures", asked("cus_1")).await;
    assert_eq!((status, error_code(&answer)), (403, "forbidden"));
    let (status, answer) = stack.call("viewer", "GET", "/erasures", Value::Null).await;
    assert_eq!((status, answer), (200, json!({ "data": [], "next_cursor": null })));
    let (status, answer) = stack.call("nobody", "GET", "/erasures", Value::Null).await;
    assert_eq!((status, error_code(&answer)), (403, "forbidden"));
    let (status, answer) = stack.call("viewer", "GET", "/erasures/cus_1", Value::Null).await;
    assert_eq!((status, error_code(&answer)), (404, "not_found"));
    let (status, answer) = stack.call("admin", "DELETE", "/erasures/cus_1", Value::Null).await;
    assert_eq!((status, error_code(&answer)), (405, "method_not_allowed"));
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let stack = Stack::with_customer().await;
    stack.apply("evt_40", "customer.created", -50, &object("customer", "cus_3", json!({}))).await;
    stack.stripe.put_object(None, &object("customer", "cus_3", json!({})));
    let long = "x".repeat(301);
    for (body, status, code, field) in [
        (json!({}), 400, "parameter_missing", json!("customer")),
        (json!({ "customer": "cus_1" }), 400, "confirmation_required", json!("confirm")),
        (json!({ "customer": "cus_1", "confirm": "cus_2" }), 400, "confirmation_required", json!("confirm")),
        (json!({ "customer": "", "confirm": "" }), 400, "parameter_invalid", json!("customer")),
        (
            json!({ "customer": "cus_1", "confirm": "cus_1", "account": "a/b" }),
            400,
            "parameter_invalid",
            json!("account"),
        ),
        (
            json!({ "customer": "cus_1", "confirm": "cus_1", "why": long }),
            400,
            "parameter_invalid",
            json!("why"),
        ),
        (
            json!({ "customer": "cus_1", "confirm": "cus_1", "name": "Ann" }),
            400,
            "parameter_unknown",
            json!("name"),
        ),
        (asked("cus_unknown"), 404, "not_found", Value::Null),
        (
            json!({ "customer": "cus_1", "confirm": "cus_1", "account": "acct_1" }),
            404,
            "not_found",
            Value::Null,
        ),
        (asked("cus_3"), 409, "customer_not_deleted", Value::Null),
    ] {
        let (answered, answer) = stack.call("admin", "POST", "/erasures", body.clone()).await;
        assert_eq!(
            (answered, error_code(&answer), &answer["error"]["field"]),
            (status, code, &field),
            "{body}"
        );
        assert!(answer["error"]["remedy"].is_string(), "{answer}");
    }
    assert_eq!(stack.run(now()).await, Value::Null);
}

#[tokio::test]
async fn an_erasure_is_found_by_an_id_that_a_merchant_chose_in_whichever_form_the_path_comes() {
    let stack = Stack::start().await;
    for (id, _) in CHOSEN_IDS {
        let deleted = json!({ "object": "customer", "id": id, "deleted": true });
        stack.store(&format!("-/customer/{id}"), &deleted).await;
        let record = stack.record(&format!("-/customer/{id}")).await;
        stack.records().replace(&record, &record.with_gone_at_stripe(true)).await.unwrap();
        stack.erase(id).await;
    }
    for (id, encoded) in CHOSEN_IDS {
        for form in path_forms(id, encoded) {
            let (status, shown) = stack.call_at("viewer", "GET", &format!("/erasures/{form}")).await;
            assert_eq!((status, shown["customer"].as_str()), (200, Some(id)), "{form}: {shown}");
        }
    }
    let (status, _) = stack.call_at("viewer", "GET", "/erasures/51%25").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_request_that_is_not_what_it_says_is_answered() {
    let stack = Stack::start().await;
    let mut event: Value =
        serde_json::from_str(include_str!("../../../../events/erase/start-erasure.json")).unwrap();
    event["isBase64Encoded"] = true.into();
    event["body"] = "not base64".into();
    let answer = handle(&stack.cold(), event, "request", now(), Deadline::NEVER).await.unwrap();
    let (status, answer) = trigger_answer(&answer);
    assert_eq!((status, error_code(&answer)), (400, "body_invalid"));
    assert_eq!(answer["error"]["request_id"], "request");
}

#[tokio::test]
async fn one_at_a_time_and_again_is_harmless() {
    let stack = Stack::with_customer().await;
    stack.erase("cus_1").await;
    let (status, answer) = stack.call("admin", "POST", "/erasures", asked("cus_1")).await;
    assert_eq!((status, error_code(&answer)), (409, "erasure_running"));
    stack.run(now()).await;
    let before = stack.erasure("cus_1").await;
    stack.erase("cus_1").await;
    stack.run(now()).await;
    assert_eq!(stack.erasure("cus_1").await, before);
}

#[tokio::test]
async fn the_list_has_pages() {
    let stack = Stack::with_customer().await;
    stack.apply("evt_41", "customer.deleted", -49, &object("customer", "cus_3", json!({}))).await;
    stack.erase("cus_1").await;
    stack.erase("cus_3").await;
    let (_, first) = stack.call("viewer", "GET", "/erasures?limit=1", Value::Null).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, second) =
        stack.call("viewer", "GET", &format!("/erasures?limit=1&cursor={cursor}"), Value::Null).await;
    assert_eq!(
        (&first["data"][0]["customer"], &second["data"][0]["customer"]),
        (&json!("cus_3"), &json!("cus_1"))
    );
    assert_eq!(second["next_cursor"], Value::Null);
    let (status, answer) = stack.call("viewer", "GET", "/erasures?cursor=x", Value::Null).await;
    assert_eq!((status, error_code(&answer)), (400, "parameter_invalid"));
}

#[tokio::test]
async fn the_audit_says_who_and_why_and_the_job_holds_ids_only() {
    let stack = Stack::with_customer().await;
    stack.call("viewer", "POST", "/erasures", asked("cus_1")).await;
    stack.call("admin", "POST", "/erasures", asked("cus_unknown")).await;
    stack.call("admin", "POST", "/erasures", asked("cus_1")).await;
    let (entries, _) = fixtures::audit(&stack.cloud.direct_aws()).list(None, 10, now()).await.unwrap();
    let mut results: Vec<_> = entries.iter().map(|entry| entry.result.as_str()).collect();
    results.sort_unstable();
    assert_eq!(results, ["done", "forbidden", "not_found"]);
    let done = entries.iter().find(|entry| entry.result == "done").unwrap();
    assert_eq!(
        (done.action.as_str(), done.target.as_str(), done.email.as_deref()),
        ("erasure.start", "records", Some("a@example.com"))
    );
    let after = json!({
        "customer": "cus_1", "account": null, "deleted_at_stripe": false, "why": "asked for by mail",
    });
    assert_eq!(done.after, Some(after));
    let rows = stack.cloud.items("RegistryTable").await;
    let row = rows.iter().find(|row| row["kind"]["S"] == "erasure").unwrap().to_string();
    assert!(!row.contains("example.com") && !row.contains("mail"), "{row}");
}
