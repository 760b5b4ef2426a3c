//! A list is searched by what people know its records by.

use serde_json::{Value, json};

use crate::support::Stack;

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn records_are_found_by_a_part_of_their_id_name_or_address_in_any_case() {
    let stack = Stack::start().await;
    for object in [
        json!({"object": "customer", "id": "cus_1", "created": 1, "name": "Anna Ärmel", "email": "anna@example.com"}),
        json!({"object": "customer", "id": "cus_2", "created": 2, "name": null, "email": "Joanna@Example.org"}),
        json!({"object": "customer", "id": "cus_3", "created": 3, "metadata": {"note": "anna"}}),
        json!({"object": "charge", "id": "ch_1", "created": 4, "billing_details": {"email": "anna@example.com"}, "amount": 5, "status": "succeeded"}),
        json!({"object": "charge", "id": "ch_2", "created": 5, "payment_intent": "pi_1", "amount": 5, "status": "succeeded"}),
        json!({"object": "payment_intent", "id": "pi_1", "created": 5, "receipt_email": "anna@example.com", "amount": 5, "status": "succeeded"}),
        json!({"object": "invoice", "id": "in_1", "created": 6, "number": "ABC-0001", "status": "open"}),
        json!({"object": "invoice", "id": "in_2", "created": 7, "number": "ABC-0002", "status": "paid"}),
    ] {
        stack.record(&object).await;
    }
    for (path, expected) in [
        ("/records/customers?search=anna", &["cus_2", "cus_1"][..]),
        ("/records/customers?search=ANNA@EXAMPLE.C", &["cus_1"]),
        ("/records/customers?search=%C3%A4rmel", &["cus_1"]),
        ("/records/customers?search=cus_3", &["cus_3"]),
        ("/records/customers?search=note", &[]),
        ("/records/charges?search=anna", &["ch_1"]),
        // A charge without a PaymentIntent is a payment too.
        ("/records/payments?search=anna", &["pi_1", "ch_1"]),
        ("/records/invoices?search=abc-&status=open", &["in_1"]),
        ("/records/refunds?search=anna", &[]),
    ] {
        assert_eq!(ids(&stack.ok(path).await), expected, "{path}");
    }
}

#[tokio::test]
async fn a_search_goes_on_page_by_page_and_its_cursor_is_its_own() {
    let stack = Stack::start().await;
    for i in 0..7 {
        let id = format!("cus_{i}");
        stack.record(&json!({"object": "customer", "id": id, "created": i, "name": "Anna"})).await;
        let id = format!("cus_other{i}");
        stack.record(&json!({"object": "customer", "id": id, "created": i, "name": "Bert"})).await;
    }
    let first = stack.ok("/records/customers?search=anna&limit=3").await;
    assert_eq!(ids(&first), ["cus_6", "cus_5", "cus_4"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = stack.ok(&format!("/records/customers?search=anna&limit=3&cursor={cursor}")).await;
    assert_eq!(ids(&second), ["cus_3", "cus_2", "cus_1"]);
    let (status, refused) = stack.get(&format!("/records/customers?search=bert&cursor={cursor}")).await;
    assert_eq!((status, &refused["error"]["field"]), (400, &"cursor".into()));
}

#[tokio::test]
async fn an_empty_search_and_one_that_is_too_long_are_refused() {
    let stack = Stack::start().await;
    for search in ["", "%20%20", &"a".repeat(201)] {
        let (status, refused) = stack.get(&format!("/records/customers?search={search}")).await;
        assert_eq!((status, &refused["error"]["field"]), (400, &"search".into()), "{search}");
    }
}
