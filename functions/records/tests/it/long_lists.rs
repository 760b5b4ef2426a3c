//! Records with long lists are shown whole at their own path, and hide no others where there are many.

use serde_json::{Value, json};
use shared::records::{BalanceListing, ListProgress, Obstacle};

use crate::support::{Stack, ids, provenance};
use test_cloud::fixtures;

/// An invoice of so many lines, of 2 kB each.
fn invoice(id: &str, lines: usize, more: bool) -> Value {
    let line = |i: usize| json!({ "id": format!("il_{i}"), "description": "x".repeat(2_000) });
    let lines =
        json!({ "object": "list", "data": (0..lines).map(line).collect::<Vec<_>>(), "has_more": more });
    json!({ "object": "invoice", "id": id, "created": 5, "customer": "cus_1", "lines": lines })
}

#[tokio::test]
async fn a_record_says_whether_it_is_whole_and_why_not() {
    let stack = Stack::start().await;
    let records = fixtures::records(&stack.cloud.aws());
    let shown = async |stack: &Stack| {
        let record = stack.ok("/records/invoices/in_1").await;
        (record["complete"].clone(), record["incomplete_reason"].clone())
    };
    stack.record_raw(None, &invoice("in_1", 3, false).to_string(), provenance("evt_1", 5)).await;
    assert_eq!(shown(&stack).await, (json!(true), Value::Null));
    stack.record_raw(None, &invoice("in_1", 10, true).to_string(), provenance("evt_2", 6)).await;
    assert_eq!(shown(&stack).await, (json!(false), json!("fetching")));
    let refusal = || shared::stripe::StripeFailure::happened("no");
    for (obstacle, reason) in [
        (Obstacle::TooLarge, "too_large"),
        (Obstacle::Refused(refusal()), "refused"),
        (Obstacle::Unanswered(refusal()), "unanswered"),
    ] {
        let record = records.get(&"-/invoice/in_1".parse().unwrap()).await.unwrap().unwrap();
        let list = ListProgress { obstacle: Some(obstacle), ..ListProgress::begun("lines") };
        records.replace(&record, &record.with_list(list)).await.unwrap();
        assert_eq!(shown(&stack).await, (json!(false), json!(reason)));
        let listed = stack.ok("/records/invoices").await["data"][0].clone();
        assert_eq!((&listed["complete"], &listed["incomplete_reason"]), (&json!(false), &json!(reason)));
    }
    let record = records.get(&"-/invoice/in_1".parse().unwrap()).await.unwrap().unwrap();
    records.replace(&record, &record.with_gone_at_stripe(true)).await.unwrap();
    assert_eq!(shown(&stack).await, (json!(false), json!("gone")));
}

#[tokio::test]
async fn a_customer_is_whole_once_what_moved_the_balance_is_here() {
    let stack = Stack::start().await;
    let records = fixtures::records(&stack.cloud.aws());
    let key = "-/customer/cus_1".parse().unwrap();
    let shown = async || {
        let record = stack.ok("/records/customers/cus_1").await;
        (record["complete"].clone(), record["incomplete_reason"].clone())
    };
    let customer =
        |balance: i64| json!({ "object": "customer", "id": "cus_1", "created": 5, "balance": balance });
    stack.record_raw(None, &customer(0).to_string(), provenance("evt_1", 5)).await;
    assert_eq!(shown().await, (json!(true), Value::Null));
    stack.record_raw(None, &customer(-5).to_string(), provenance("evt_2", 6)).await;
    assert_eq!(shown().await, (json!(false), json!("fetching")));
    let refused = Some(Obstacle::Refused(shared::stripe::StripeFailure::happened("no")));
    let listed_until = Some(shared::unix_time::UnixSeconds::new(6));
    for (listing, complete, reason) in [
        (BalanceListing { obstacle: refused, ..BalanceListing::default() }, false, json!("refused")),
        (BalanceListing { listed_until, ..BalanceListing::default() }, true, Value::Null),
    ] {
        let record = records.get(&key).await.unwrap().unwrap();
        records.replace(&record, &record.with_balance_listing(listing)).await.unwrap();
        assert_eq!(shown().await, (json!(complete), reason));
    }
    let transaction = json!({
        "object": "customer_balance_transaction", "id": "cbtxn_1", "created": 6, "amount": -5, "currency": "usd",
        "customer": "cus_1", "type": "adjustment",
    });
    stack.record(&transaction).await;
    let listed = stack.ok("/records/customer_balance_transactions?customer=cus_1").await;
    assert_eq!(ids(&listed["data"]), ["cbtxn_1"]);
}

#[tokio::test]
async fn whole_invoices_are_listed_in_pages_that_fit_and_none_is_left_out() {
    let stack = Stack::start().await;
    let mut expected = Vec::new();
    for i in 0..7 {
        let id = format!("in_{i}");
        stack.record(&invoice(&id, 900, false)).await;
        expected.insert(0, id);
    }
    assert_eq!(stack.ids_of_all_pages("/records/invoices", 100).await, expected);
    let page = stack.ok("/records/invoices?limit=100").await;
    assert_eq!(ids(&page["data"]).len(), 2, "each has 1.8 MB");
    assert_eq!(page["data"][0]["object"]["lines"]["data"].as_array().unwrap().len(), 900);
}

#[tokio::test]
async fn a_customers_page_shows_the_beginning_of_lists_and_so_each_invoice() {
    let stack = Stack::start().await;
    stack.record(&json!({ "object": "customer", "id": "cus_1", "created": 5 })).await;
    for (id, lines) in [("in_1", 900), ("in_2", 10), ("in_3", 3)] {
        stack.record(&invoice(id, lines, false)).await;
    }
    let invoices = stack.ok("/records/customers/cus_1").await["invoices"].clone();
    assert_eq!(ids(&invoices), ["in_3", "in_2", "in_1"]);
    let lines = |i: usize| {
        let lines = &invoices[i]["object"]["lines"];
        (lines["data"].as_array().unwrap().len(), lines["has_more"].clone())
    };
    assert_eq!((lines(0), lines(1), lines(2)), ((3, json!(false)), (10, json!(false)), (10, json!(true))));
    assert_eq!(invoices[2]["complete"], true);
}
