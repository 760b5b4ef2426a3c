//! What cannot be answered is refused with a code and the field at fault.

use lambda_http::http::Method;
use shared::page::write_cursor;
use test_cloud::Fault;

use crate::support::{Stack, request};

#[tokio::test]
async fn each_refusal_names_the_field_and_the_reason() {
    let stack = Stack::start().await;
    for (path, status, code, field) in [
        ("/records/things", 404, "not_found", None),
        ("/records/payments/pi_none", 404, "not_found", None),
        ("/events/evt_none", 404, "not_found", None),
        ("/events/%20", 404, "not_found", None),
        ("/records/payments/pi_1/more", 404, "not_found", None),
        ("/records/payments?custmer=cus_1", 400, "parameter_unknown", Some("custmer")),
        ("/records/refunds?customer=", 400, "parameter_invalid", Some("customer")),
        ("/records/customers?customer=cus_1&cursor=x", 400, "parameter_invalid", Some("cursor")),
        ("/records/payments?limit=0", 400, "parameter_invalid", Some("limit")),
        ("/events?limit=101", 400, "parameter_invalid", Some("limit")),
        ("/events?limit=x", 400, "parameter_invalid", Some("limit")),
        ("/events?state=deed", 400, "parameter_invalid", Some("state")),
        ("/events?since=yesterday", 400, "parameter_invalid", Some("since")),
        ("/events?until=today", 400, "parameter_invalid", Some("until")),
        ("/events?object=thing", 400, "parameter_invalid", Some("object")),
        ("/events?cursor=x", 400, "parameter_invalid", Some("cursor")),
        ("/audit?since=1", 400, "parameter_unknown", Some("since")),
    ] {
        let (got, body) = stack.get(path).await;
        let error = &body["error"];
        assert_eq!(
            (got, error["code"].as_str(), error["field"].as_str()),
            (status, Some(code), field),
            "{path}: {body}"
        );
        assert!(error["message"].is_string() && error["request_id"].is_string());
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_or_other_filters_is_refused() {
    let stack = Stack::start().await;
    for i in 0..3 {
        stack.record(&serde_json::json!({"object": "refund", "id": format!("re_{i}"), "created": i})).await;
    }
    let page = stack.ok("/records/refunds?limit=1").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    for path in
        ["/records/charges?limit=1", "/records/refunds?status=failed", "/events?limit=1", "/audit?limit=1"]
    {
        assert_eq!(stack.get(&format!("{path}&cursor={cursor}")).await.0, 400, "{path}");
    }
    assert_eq!(
        stack.get(&format!("/records/refunds?limit=2&cursor={cursor}")).await.0,
        200,
        "another limit is fine"
    );
    // Positions that these lists cannot have.
    let long = format!("payment_intent#{}", "0".repeat(1_024));
    let forged = [
        ("/records/payments", write_cursor("test records payments", long)),
        ("/records/payments", write_cursor("test records payments", "a")),
        ("/events", write_cursor("test events", serde_json::json!({"sort": 5, "id": "evt_1"}))),
    ];
    for (path, cursor) in forged {
        assert_eq!(stack.get(&format!("{path}?cursor={cursor}")).await.0, 400, "{path}");
    }
}

#[tokio::test]
async fn other_methods_than_get_are_refused() {
    let stack = Stack::start().await;
    let mut post = request("/events");
    *post.method_mut() = Method::POST;
    let (status, body) = stack.respond(post).await;
    assert_eq!((status, body["error"]["code"].as_str()), (405, Some("method_not_allowed")));
}

#[tokio::test]
async fn a_store_outage_is_a_503_that_reveals_nothing_of_the_inside() {
    let stack = Stack::start().await;
    for (operation, table, path) in [
        ("GetItem", "LedgerTable", "/events/evt_1"),
        ("Query", "LedgerTable", "/events?object=in_1"),
        ("GetItem", "RecordsTable", "/records/payments/pi_1"),
        ("Query", "RecordsTable", "/records/payments"),
        ("GetItem", "RegistryTable", "/events"),
        ("Query", "AuditTable", "/audit"),
    ] {
        stack.cloud.fail(operation, table, 100, Fault::ServerError);
        let (status, body) = stack.get(path).await;
        assert_eq!(
            (status, body["error"]["code"].as_str()),
            (503, Some("temporarily_unavailable")),
            "{path}"
        );
        assert!(!body.to_string().contains("Table"), "{body}");
        stack.cloud.clear_faults();
    }
}
