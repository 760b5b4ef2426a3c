//! An import is started and stopped by admins and shown to viewers; a refusal names the field at fault.

use serde_json::{Value, json};
use shared::audit::Audit;
use shared::aws::CallLimits;
use shared::deadline::Deadline;
use shared::kind::Kind;
use test_cloud::Fault;
use test_cloud::fixtures::now;

use crate::support::{Stack, ago, later, schedule};

#[tokio::test]
async fn an_import_is_started_once_and_shown() {
    let stack = Stack::start().await;
    assert_eq!(stack.progress().await["state"], "none");
    let since = ago(60).to_string();
    let (status, answer) =
        stack.call("admin", "POST", json!({ "since": since, "kinds": ["charges", "customers"] })).await;
    assert_eq!((status, &answer["state"], &answer["since"]), (202, &json!("running"), &json!(since)));
    assert_eq!(answer["kinds"], json!(["customers", "charges"]));
    assert_eq!((&answer["by"], &answer["looked_at"]), (&json!("a@example.com"), &json!(0)));
    assert_eq!(answer["progress"].as_array().unwrap().len(), 2);
    assert!(stack.stripe.requests().is_empty(), "the schedule does the work");
    let (status, answer) = stack.call("admin", "POST", json!({})).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (409, Some("import_running")));
    assert!(answer["error"]["remedy"].is_string());
}

#[tokio::test]
async fn by_default_all_of_every_kind_is_imported() {
    let stack = Stack::start().await;
    stack.import(Value::Null).await;
    // The sample's body is narrower.
    stack.call("admin", "DELETE", Value::Null).await;
    stack.import(json!({})).await;
    let answer = stack.progress().await;
    let kinds: Vec<&str> = answer["kinds"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for kind in ["customers", "payments", "invoice_payments", "payouts", "prices", "checkout_sessions"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    // Stripe has no list of the first, and no restricted key can be given the right to the others.
    for kind in ["mandates", "early_fraud_warnings", "credit_grants", "credit_balance_transactions"] {
        assert!(!kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    assert_eq!((kinds.len() + 4, &answer["since"]), (Kind::all().count(), &Value::Null));
}

#[tokio::test]
async fn it_can_be_stopped_and_another_one_started() {
    let stack = Stack::start().await;
    stack.put_many("customer", "cus", 3);
    let (status, answer) = stack.call("admin", "DELETE", Value::Null).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (409, Some("import_not_running")));
    stack.import(json!({})).await;
    let (status, answer) = stack.call("admin", "DELETE", Value::Null).await;
    assert_eq!((status, answer["state"].as_str()), (200, Some("stopped")));
    assert_eq!(answer["ended_at"], now().to_string());
    assert_eq!(stack.run(later(1)).await, Value::Null, "there is nothing to do");
    assert_eq!(stack.count().await, 0);
    stack.import(json!({})).await;
    stack.run(later(2)).await;
    assert_eq!((stack.progress().await["state"].as_str(), stack.count().await), (Some("finished"), 3));
}

#[tokio::test]
async fn each_refusal_names_what_is_wrong_and_nothing_is_started() {
    let stack = Stack::start().await;
    for (group, method, path, body, status, code, field) in [
        ("viewer", "POST", "/import", json!({}), 403, "forbidden", None),
        ("viewer", "DELETE", "/import", Value::Null, 403, "forbidden", None),
        ("stranger", "GET", "/import", Value::Null, 403, "forbidden", None),
        ("admin", "PUT", "/import", json!({}), 405, "method_not_allowed", None),
        ("admin", "POST", "/import/all", json!({}), 404, "not_found", None),
        ("admin", "POST", "/import", json!({"since": "today"}), 400, "parameter_invalid", Some("since")),
        (
            "admin",
            "POST",
            "/import",
            json!({"since": later(1).to_string()}),
            400,
            "parameter_invalid",
            Some("since"),
        ),
        ("admin", "POST", "/import", json!({"kinds": "charges"}), 400, "parameter_invalid", Some("kinds")),
        ("admin", "POST", "/import", json!({"kinds": ["charge"]}), 400, "parameter_invalid", Some("kinds")),
        ("admin", "POST", "/import", json!({"kinds": []}), 400, "parameter_invalid", Some("kinds")),
        ("admin", "POST", "/import", json!({"from": "x"}), 400, "parameter_unknown", Some("from")),
    ] {
        let (got, answer) = stack.call_to(path, group, method, body).await;
        let error = &answer["error"];
        assert_eq!(
            (got, error["code"].as_str(), error["field"].as_str()),
            (status, Some(code), field),
            "{answer}"
        );
        if got != 404 {
            assert!(error["remedy"].is_string(), "{answer}");
        }
    }
    assert_eq!(stack.progress().await["state"], "none");
}

#[tokio::test]
async fn without_a_stripe_key_no_import_starts() {
    let stack = Stack::start().await;
    let client = stack.cloud.direct_aws().dynamodb(CallLimits::PATIENT);
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let delete = client.delete_item().table_name("RegistryTable").key("kind", text("settings"));
    delete.key("name", text("stack")).send().await.unwrap();
    let (status, answer) = stack.call("admin", "POST", json!({})).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (409, Some("stripe_key_missing")));
    assert_eq!(stack.run(now()).await, Value::Null);
}

#[tokio::test]
async fn who_started_stopped_or_tried_is_in_the_audit() {
    let stack = Stack::start().await;
    stack.call("viewer", "POST", json!({ "kinds": ["charges"] })).await;
    stack.call("admin", "POST", json!({ "kinds": ["charges"] })).await;
    stack.call("admin", "POST", json!({ "kinds": ["x"] })).await;
    stack.call("admin", "DELETE", Value::Null).await;
    stack.call("viewer", "GET", Value::Null).await;
    let audit = Audit::new(stack.cloud.aws().dynamodb(CallLimits::PATIENT), "AuditTable");
    let entries = audit.list(None, 10, later(1)).await.unwrap().0;
    let mut results: Vec<_> =
        entries.iter().map(|entry| (entry.action.as_str(), entry.result.as_str())).collect();
    results.sort_unstable();
    assert_eq!(
        results,
        [
            ("import.start", "done"),
            ("import.start", "forbidden"),
            ("import.start", "parameter_invalid"),
            ("import.stop", "done"),
        ]
    );
    let started =
        entries.iter().find(|entry| entry.result == "done" && entry.action == "import.start").unwrap();
    assert_eq!(started.after, Some(json!({ "since": null, "kinds": ["charges"] })));
}

#[tokio::test]
async fn a_store_that_is_down_is_a_503_and_an_error_of_the_schedule() {
    let stack = Stack::start().await;
    stack.cloud.fail("GetItem", "RegistryTable", 100, Fault::ServerError);
    stack.cloud.fail("BatchGetItem", "RegistryTable", 100, Fault::ServerError);
    for (method, body) in [("POST", json!({})), ("GET", Value::Null), ("DELETE", Value::Null)] {
        let (status, answer) = stack.call("admin", method, body).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (503, Some("temporarily_unavailable")));
    }
    stack.try_run(&stack.cold(), now()).await.unwrap_err();
}

#[tokio::test]
async fn an_input_that_is_neither_a_request_nor_the_schedules_is_an_error() {
    let stack = Stack::start().await;
    for input in [Value::Null, json!({}), json!({"requestContext": {}})] {
        import::handle(&stack.cold(), input, "r", now(), Deadline::NEVER).await.unwrap_err();
    }
}

#[tokio::test]
async fn the_schedule_costs_four_reads_when_there_is_nothing_to_do() {
    let stack = Stack::start().await;
    stack.cloud.clear_calls();
    assert_eq!(
        import::handle(&stack.cold(), schedule(), "r", now(), Deadline::NEVER).await.unwrap(),
        Value::Null
    );
    // The rows, the payouts that wait, the lists that do, and the balances.
    let count = |operation, table| stack.cloud.count(operation, table);
    assert_eq!((count("BatchGetItem", "RegistryTable"), count("Query", "RecordsTable")), (1, 3));
    assert_eq!(stack.cloud.calls().len(), 4);
}
