//! Applying an event costs its budget in calls and write units of DynamoDB (functions/README.md, "What an
//! event costs").

use std::collections::BTreeMap;

use serde_json::{Value, json};
use test_cloud::fixtures;

use crate::support::{Stack, samples};

#[tokio::test]
async fn applying_a_sample_event_costs_its_budget() {
    for body in samples().into_iter().filter(|body| !body.contains("\"invoice.upcoming\"")) {
        let stack = Stack::start().await;
        let data = serde_json::from_str::<serde_json::Value>(&body).unwrap()["data"].clone();
        let (object, replaced) = (&data["object"], &data["previous_attributes"]);
        let kind = object["object"].as_str().unwrap().to_owned();
        let first = stack.receive(&body).await;
        stack.cloud.clear_calls();
        stack.ring(&[first]).await;
        // The list entry of an object is written with its first event only; so are those under its customer,
        // its payment and its invoice.
        let linked: &[&str] = match kind.as_str() {
            "customer" => &["by_kind"],
            "subscription" | "invoice" | "payment_intent" => &["by_kind", "by_customer"],
            "charge" => &["by_kind", "by_customer", "by_payment"],
            "invoice_payment" => &["by_invoice", "by_kind", "by_payment"],
            "refund" | "dispute" => &["by_kind", "by_payment"],
            _ => &["by_kind"],
        };
        let mut record: Vec<_> = linked.iter().map(|index| (*index, 1.0)).collect();
        // Of the other kinds some samples name no customer, or are no part of anything.
        if linked == ["by_kind"] && kind != "customer" {
            let names = |member: &str| object[member].is_string();
            // One that is taken off its customer stays listed under whom its event says.
            if names("customer") || replaced["customer"].is_string() {
                record.push(("by_customer", 1.0));
            }
            if ["payment_intent", "charge"].into_iter().any(names) && is_part(&kind)
                || kind == "mandate"
                || kind == "billing.credit_balance_transaction"
            {
                record.push(("by_payment", 1.0));
            }
            if kind == "credit_note" {
                record.push(("by_invoice", 1.0));
            }
            // As long as something is left to do about it.
            let is_open = matches!(object["status"].as_str(), Some("pending" | "in_transit" | "failed"));
            if kind == "payout" && (is_open || shared::records::is_reconciled(object)) {
                record.push(("open", 1.0));
            }
        }
        record.insert(0, ("", 1.0));
        record.sort_by(|a, b| a.0.cmp(b.0));
        expect(&stack, "PutItem", "RecordsTable", &record);
        expect(&stack, "UpdateItem", "LedgerTable", &[("", 1.0), ("open", 1.0)]);

        let event_type: &str = &serde_json::from_str::<serde_json::Value>(&body).unwrap()["type"].to_string();
        if event_type.ends_with(".deleted\"") && kind != "subscription" {
            continue; // a deleted object has no later event
        }
        let mut newer: serde_json::Value = serde_json::from_str(&body).unwrap();
        newer["id"] = "evt_later".into();
        newer["created"] = (newer["created"].as_i64().unwrap() + 1).into();
        let newer = newer.to_string();
        let second = stack.receive(&newer).await;
        stack.cloud.clear_calls();
        stack.ring(&[second]).await;
        let calls: Vec<_> =
            stack.cloud.calls().into_iter().map(|call| (call.operation, call.table)).collect();
        let put = ("PutItem", "RecordsTable");
        // What does not say when it was made keeps its place: the first write is refused, which is cheaper
        // than entries of indexes that move.
        let puts = if object["created"].is_i64() || object["date"].is_i64() { 1 } else { 2 };
        let expected = std::iter::repeat_n(put, puts)
            .chain([("UpdateItem", "LedgerTable"), ("UpdateItem", "RegistryTable")])
            .map(|(operation, table)| (operation.to_owned(), table.to_owned()));
        assert_eq!(calls, expected.collect::<Vec<_>>(), "nothing is read");
    }
}

fn is_part(kind: &str) -> bool {
    ["radar.early_fraud_warning", "review"].contains(&kind)
}

#[tokio::test]
async fn a_preview_costs_its_state_and_an_entry_in_its_customers_list() {
    let stack = Stack::start().await;
    let body = samples().into_iter().find(|body| body.contains("\"invoice.upcoming\"")).unwrap();
    let row = stack.receive(&body).await;
    stack.cloud.clear_calls();
    stack.ring(&[row]).await;
    let written: Vec<_> = stack
        .cloud
        .calls()
        .into_iter()
        .filter(|call| call.table == "LedgerTable")
        .map(|call| call.write_units.into_iter().collect::<Vec<_>>())
        .collect();
    let with_index = |index: &str| vec![(String::new(), 1.0), (index.to_owned(), 1.0)];
    assert_eq!(written, [with_index("object"), with_index("open")]);
}

#[tokio::test]
async fn a_later_event_of_an_object_writes_its_record_and_no_index() {
    let stack = Stack::start().await;
    let body = |id: &str, at: i64, status: &str| crate::support::subscription(id, "updated", at, status);
    let first = stack.receive(&body("evt_1", 5, "active")).await;
    stack.ring(&[first]).await;
    let second = stack.receive(&body("evt_2", 6, "past_due")).await;
    stack.cloud.clear_calls();
    stack.ring(&[second]).await;
    expect(&stack, "PutItem", "RecordsTable", &[("", 1.0)]);
}

#[tokio::test]
async fn a_customer_costs_an_entry_while_a_change_of_the_balance_is_to_be_listed() {
    let stack = Stack::start().await;
    let no_change = json!({ "email": "a" });
    let change = json!({ "email": "a", "balance": 0 });
    for (at, replaced, balance, expected) in [
        (5, Value::Null, 0, (1, 2.0)),
        // As ever.
        (6, no_change.clone(), 0, (1, 1.0)),
        // Its entry in `open`.
        (7, change, -5, (1, 2.0)),
        // From now on the first write is refused (1 more), so that what is noted stays.
        (8, no_change, -5, (2, 1.0)),
    ] {
        let event_type = if replaced.is_null() { "customer.created" } else { "customer.updated" };
        let object = json!({
            "id": "cus_1", "object": "customer", "created": 5, "email": format!("{at}@example.com"), "balance": balance,
        });
        let body = fixtures::event(&format!("evt_{at}"), event_type, at, &object);
        let mut body: Value = serde_json::from_str(&body).unwrap();
        if !replaced.is_null() {
            body["data"]["previous_attributes"] = replaced;
        }
        let row = stack.receive(&body.to_string()).await;
        stack.cloud.clear_calls();
        stack.ring(&[row]).await;
        let calls = stack.cloud.calls();
        let puts = calls.iter().filter(|call| call.operation == "PutItem" && call.table == "RecordsTable");
        let units = puts.clone().flat_map(|call| call.write_units.values()).sum::<f64>();
        assert_eq!((puts.count(), units), expected, "{at}");
    }
}

fn expect(stack: &Stack, operation: &str, table: &str, units: &[(&str, f64)]) {
    let calls = stack.cloud.calls();
    let call = calls.iter().find(|call| call.operation == operation && call.table == table).unwrap();
    let expected: BTreeMap<String, f64> =
        units.iter().map(|(index, units)| ((*index).to_owned(), *units)).collect();
    assert_eq!(call.write_units, expected, "{operation} on {table}");
}
