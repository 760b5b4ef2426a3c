//! What importing and comparing cost, in calls to DynamoDB and Stripe and write units: the "Costs" of this
//! function's README.

use serde_json::{Value, json};

use crate::support::{Stack, ago, customer, event, later};
use crate::whole::{invoice, shown};

/// The write units of all calls on a table, and how many calls there were.
fn written(stack: &Stack, table: &str) -> (f64, usize) {
    let calls = stack.cloud.calls();
    let writes: Vec<_> = calls
        .iter()
        .filter(|call| call.table == table && matches!(&*call.operation, "PutItem" | "UpdateItem"))
        .collect();
    (writes.iter().flat_map(|call| call.write_units.values()).sum(), writes.len())
}

#[tokio::test]
async fn an_object_costs_its_record_and_its_index_entries_and_nothing_when_it_is_up_to_date() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stripe");
    for (sample, index_entries) in [
        ("customer.created", 1.0),
        ("customer.subscription.created", 2.0),
        ("invoice.paid", 2.0),
        ("invoice_payment.paid", 3.0),
        ("payment_intent.succeeded", 2.0),
        ("charge.succeeded", 3.0),
        ("refund.created", 2.0),
        ("charge.dispute.created", 2.0),
    ] {
        let text = std::fs::read_to_string(format!("{folder}/{sample}.json")).unwrap();
        let body: Value = serde_json::from_str(&text).unwrap();
        let stack = Stack::start().await;
        stack.put(&body["data"]["object"]);
        for (minutes, expected) in [(1, (1.0 + index_entries, 1)), (2, (0.0, 0))] {
            stack.import(json!({})).await;
            stack.cloud.clear_calls();
            stack.run(later(minutes)).await;
            assert_eq!(written(&stack, "RecordsTable"), expected, "{sample}");
        }
    }
}

#[tokio::test]
async fn a_page_costs_one_call_of_stripe_two_reads_and_one_write_of_progress() {
    let costs = async |count: i64| {
        let stack = Stack::start().await;
        // It counts calls.
        stack.cloud.answer_in_whole_pages();
        stack.put_many("refund", "re", count);
        for minutes in [1, 2] {
            stack.import(json!({ "kinds": ["refunds"] })).await;
            stack.cloud.clear_calls();
            stack.stripe.clear_requests();
            stack.run(later(minutes)).await;
        }
        let calls = |operation, table| stack.cloud.count(operation, table);
        [
            stack.stripe.requests().len(),
            calls("BatchGetItem", "RecordsTable"),
            calls("GetItem", "RegistryTable"),
            calls("PutItem", "RegistryTable"),
            stack.cloud.calls().len(),
        ]
    };
    let (one, two) = (costs(100).await, costs(200).await);
    let more: Vec<_> = two.iter().zip(one).map(|(two, one)| two - one).collect();
    // Of Stripe, of records, of the import's row, of its progress; and no others.
    assert_eq!(more, [1, 1, 1, 1, 3]);
}

#[tokio::test]
async fn an_object_that_is_compared_costs_one_call_of_stripe_and_writes_nothing() {
    let stack = Stack::new().await;
    for i in 0..10 {
        let object = customer(&format!("cus_{i}"), "a");
        stack.apply(&event(&format!("evt_{i}"), "customer.updated", ago(60), &object), ago(60)).await;
        stack.put(&object);
    }
    stack.cloud.clear_calls();
    stack.run(later(0)).await;
    assert_eq!(stack.stripe.requests().len(), 10);
    assert_eq!(written(&stack, "RecordsTable"), (0.0, 0));
    // The lease acquired and released; the pass begun, one page of a hundred events, finished.
    assert_eq!(written(&stack, "RegistryTable").1, 5);
}

#[tokio::test]
async fn an_invoice_whose_time_of_delivery_was_set_costs_its_record_once() {
    let stack = Stack::new().await;
    let invoice = |delivered_at: Value| json!({ "object": "invoice", "id": "in_1", "created": 5, "customer": "cus_1", "webhooks_delivered_at": delivered_at });
    stack.apply(&event("evt_1", "invoice.paid", ago(60), &invoice(Value::Null)), ago(60)).await;
    stack.put(&invoice(json!(9)));
    stack.cloud.clear_calls();
    stack.run(later(0)).await;
    assert_eq!(stack.stripe.requests().len(), 1);
    assert_eq!(written(&stack, "RecordsTable"), (1.0, 1));
    assert!(stack.comparison().await.last.is_some());
}

#[tokio::test]
async fn the_rest_of_a_list_costs_a_call_of_stripe_a_page_and_a_write_for_five() {
    let costs = async |lines: usize| {
        let stack = Stack::start().await;
        stack.cloud.answer_in_whole_pages();
        let invoice = invoice(lines);
        stack.put(&invoice);
        stack.apply(&event("evt_1", "invoice.updated", ago(60), &shown(&invoice)), ago(60)).await;
        stack.stripe.clear_requests();
        stack.cloud.clear_calls();
        stack.run(later(0)).await;
        (stack.stripe.requests().len(), written(&stack, "RecordsTable").1)
    };
    // What is left is looked at once more before the next five pages.
    assert_eq!(costs(100).await, (1, 1));
    assert_eq!(costs(500).await, (5, 1));
    assert_eq!(costs(1_000).await, (10, 2));
}

#[tokio::test]
async fn an_object_whose_lists_are_whole_costs_nothing_more() {
    for (lines, entries) in [(10, 0.0), (11, 1.0)] {
        let stack = Stack::start().await;
        let invoice = invoice(lines);
        stack.cloud.clear_calls();
        stack.apply(&event("evt_1", "invoice.updated", ago(60), &shown(&invoice)), ago(60)).await;
        // Its record, and its entries in `by_kind` and `by_customer`; one in `open` where the list is cut.
        assert_eq!(written(&stack, "RecordsTable").0, 3.0 + entries, "{lines}");
    }
}

#[tokio::test]
async fn a_payout_costs_its_transactions_and_a_write_a_page() {
    let stack = Stack::start().await;
    let payout = json!({
        "object": "payout", "id": "po_1", "amount": 150, "currency": "usd", "automatic": true, "status": "paid",
        "reconciliation_status": "completed", "created": ago(60).as_second(), "arrival_date": ago(60).as_second(),
    });
    stack.put(&payout);
    for i in 0..150 {
        stack.put(&json!({
            "object": "balance_transaction", "id": format!("txn_{i:03}"), "type": "charge", "amount": 1, "fee": 0,
            "net": 1, "currency": "usd", "status": "available", "created": ago(90).as_second(),
            "available_on": ago(90).as_second(), "source": null, "_payout": "po_1",
        }));
    }
    let emitted = event("evt_po", "payout.reconciliation_completed", ago(20), &payout);
    stack.apply(&emitted, ago(20)).await;
    stack.cloud.clear_calls();
    stack.stripe.clear_requests();
    stack.run(later(1)).await;
    // Each transaction: its record, its place among its kind and in its payout. The payout: its record after
    // each page, and when all is here its entry in `open` goes.
    assert_eq!(written(&stack, "RecordsTable"), (150.0 * 3.0 + 2.0 + 1.0, 152));
    assert_eq!(stack.stripe.requests().len(), 2);
}

#[tokio::test]
async fn a_balance_that_changed_costs_its_transactions_and_a_write_a_page() {
    let stack = Stack::start().await;
    let mut customer = customer("cus_1", "a");
    customer["balance"] = json!(-150);
    stack.put(&customer);
    for i in 0..150 {
        stack.put(&json!({
            "object": "customer_balance_transaction", "id": format!("cbtxn_{i:03}"), "amount": -1,
            "created": ago(90).as_second(), "customer": "cus_1", "invoice": null,
        }));
    }
    stack.apply(&event("evt_1", "customer.created", ago(20), &customer), ago(20)).await;
    stack.cloud.clear_calls();
    stack.stripe.clear_requests();
    stack.run(later(1)).await;
    // Each transaction: its record, its place among its kind and under its customer. The customer: the record
    // after each page, and when all is here its entry in `open` goes.
    assert_eq!(written(&stack, "RecordsTable"), (150.0 * 3.0 + 2.0 + 1.0, 152));
    assert_eq!(stack.stripe.requests().len(), 2);
}

#[tokio::test]
async fn what_customers_have_costs_a_call_of_stripe_and_a_write_of_progress_a_customer() {
    let costs = async |count: usize| {
        let stack = Stack::start().await;
        for i in 0..count {
            stack.put(&customer(&format!("cus_{i}"), "a"));
        }
        stack.import(json!({ "kinds": ["customer_balance_transactions"] })).await;
        stack.cloud.clear_calls();
        stack.stripe.clear_requests();
        stack.run(later(1)).await;
        [stack.stripe.requests().len(), written(&stack, "RegistryTable").1, stack.cloud.calls().len()]
    };
    let (two, three) = (costs(2).await, costs(3).await);
    let more: Vec<_> = three.iter().zip(two).map(|(three, two)| three - two).collect();
    // Of Stripe; of the progress; and beside that only the read of the import's row.
    assert_eq!((more, two[0]), (vec![1, 1, 2], 3));
}
