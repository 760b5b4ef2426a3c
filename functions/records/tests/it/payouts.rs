//! A deposit is explained to the cent, in few reads, as JSON and as CSV; and a payment says what of it came.

use lambda_http::http::{HeaderValue, header};
use lambda_http::{Body, Request};
use records::handle;
use serde_json::{Value, json};
use shared::object_key::ObjectKey;
use shared::records::{PayoutTransactions, Put, Record, TransactionLinks};
use shared::stripe::StripeFailure;
use test_cloud::fixtures::{self, now};

use crate::support::{Stack, provenance, request};

fn payout(id: &str, amount: i64) -> Value {
    json!({
        "object": "payout", "id": id, "amount": amount, "currency": "eur", "automatic": true, "status": "paid",
        "reconciliation_status": "completed", "created": 1_784_900_000, "arrival_date": 1_785_024_000,
    })
}

fn transaction(id: &str, created: i64, amount: i64, fee: i64) -> Value {
    json!({
        "object": "balance_transaction", "id": id, "type": "charge", "reporting_category": "charge",
        "amount": amount, "fee": fee, "net": amount - fee, "currency": "eur", "status": "available",
        "created": created, "available_on": 1_784_950_000, "description": "Order 7", "source": "ch_1",
        "fee_details": [{ "type": "stripe_fee", "amount": fee, "currency": "eur", "description": null }],
    })
}

fn links(payout: Option<&str>) -> TransactionLinks {
    let text = |id: &str| Some(id.to_owned());
    TransactionLinks {
        payout: payout.map(str::to_owned),
        charge: text("ch_1"),
        payment: text("pi_1"),
        invoice: text("in_1"),
        customer: text("cus_1"),
        ..TransactionLinks::default()
    }
}

fn record_of(account: Option<&str>, object: &Value) -> Record {
    let text = |field: &str| object[field].as_str().unwrap();
    let key = ObjectKey::new(account, text("object"), text("id")).unwrap();
    Record::new(key, provenance("evt_1", 1_785_000_000), object.to_string().as_bytes(), object).unwrap()
}

impl Stack {
    async fn put(&self, record: &Record) {
        let put = fixtures::records(&self.cloud.aws()).put_if_newer(record).await.unwrap();
        assert_eq!(put, Put::Done);
    }

    async fn put_transaction(&self, account: Option<&str>, object: &Value, links: TransactionLinks) {
        self.put(&record_of(account, object).with_links(links)).await;
    }

    /// A payout of so many charges of 1000 with a fee of 59, and what is known of them.
    async fn put_payout(&self, account: Option<&str>, id: &str, count: i64, amount: i64) {
        let payout = payout(id, amount);
        let mut known = PayoutTransactions { complete: true, ..PayoutTransactions::default() };
        for i in 0..count {
            let object = transaction(&format!("txn_{id}_{i:04}"), 1_784_000_000 + i, 1000, 59);
            known.add(&payout, &object);
            self.put_transaction(account, &object, links(Some(id))).await;
        }
        self.put(&record_of(account, &payout).with_transactions(known)).await;
    }

    async fn csv(&self, path: &str) -> (u16, String, Option<String>) {
        let response = handle(&self.deps, csv_request(path), now()).await;
        let next = response.headers().get(header::LINK).map(|link| link.to_str().unwrap().to_owned());
        let Body::Text(text) = response.body() else { panic!("{response:?}") };
        (response.status().as_u16(), text.clone(), next)
    }
}

fn csv_request(path: &str) -> Request {
    let mut request = request(path);
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/csv, */*;q=0.1"));
    request
}

fn rows(csv: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_payout_says_what_it_is_made_of_and_that_it_adds_up() {
    let stack = Stack::start().await;
    stack.put_payout(None, "po_1", 3, 2823).await;
    let expected = json!({
        "state": "complete", "message": "All transactions are here and come to the payout's amount.",
        "as_of": null, "count": 3, "currency": "eur", "amount": 3000, "fee": 177, "net": 2823,
        "adds_up": true, "difference": 0, "of_other_payouts": [],
        "sums": [{ "type": "charge", "currency": "eur", "count": 3, "amount": 3000, "fee": 177, "net": 2823 }],
    });
    let listed = stack.ok("/records/payouts").await["data"][0].clone();
    for record in [stack.ok("/records/payouts/po_1").await, listed] {
        assert_eq!(record["transactions"], expected);
        assert_eq!(record["arrival_date"], "2026-07-26T00:00:00Z");
    }
}

#[tokio::test]
async fn the_fee_of_the_payout_itself_is_shown_once_it_is_listed() {
    let stack = Stack::start().await;
    let payout = payout("po_1", 2773);
    let mut known = PayoutTransactions { complete: true, ..PayoutTransactions::default() };
    for i in 0..3 {
        known.add(&payout, &transaction(&format!("txn_{i}"), 5, 1000, 59));
    }
    let mut own = transaction("txn_own", 5, -2773, 50);
    (own["type"], own["source"]) = (json!("payout"), json!("po_1"));
    known.add(&payout, &own);
    let listing = PayoutTransactions { complete: false, ..known.clone() };
    stack.put(&record_of(None, &payout).with_transactions(known)).await;
    stack.put(&record_of(None, &self::payout("po_listing", 2773)).with_transactions(listing)).await;
    stack.put_payout(None, "po_free", 3, 2823).await;

    let listed = stack.ok("/records/payouts").await["data"].clone();
    let listed = listed.as_array().unwrap().iter().find(|row| row["id"] == "po_1").unwrap().clone();
    for record in [stack.ok("/records/payouts/po_1").await, listed] {
        let of = &record["transactions"];
        assert_eq!((&record["fee"], &of["net"], &of["fee"]), (&json!(50), &json!(2773 + 50), &json!(3 * 59)));
        assert_eq!((&of["adds_up"], &of["difference"]), (&json!(true), &json!(0)));
        assert_eq!(of["message"], "All transactions are here and come to the payout's amount and its fee.");
    }
    for (id, fee) in [("po_listing", Value::Null), ("po_free", json!(0))] {
        assert_eq!(stack.ok(&format!("/records/payouts/{id}")).await["fee"], fee, "{id}");
    }
}

#[tokio::test]
async fn nothing_is_said_to_add_up_that_is_not_known_to() {
    let stack = Stack::start().await;
    stack.put_payout(None, "po_short", 3, 2824).await;
    let failure = StripeFailure::happened("no".to_owned());
    let failed = PayoutTransactions { failure: Some(failure), ..PayoutTransactions::default() };
    stack.put(&record_of(None, &payout("po_refused", 5)).with_transactions(failed)).await;
    let mut moved = PayoutTransactions { complete: true, ..PayoutTransactions::default() };
    moved.add(&payout("po_moved", 941), &transaction("txn_1", 5, 1000, 59));
    moved.of_other_payouts.push("txn_1".to_owned());
    stack.put(&record_of(None, &payout("po_moved", 941)).with_transactions(moved)).await;
    let mut foreign = PayoutTransactions { complete: true, ..PayoutTransactions::default() };
    let mut dollars = transaction("txn_2", 5, 1000, 59);
    dollars["currency"] = json!("usd");
    foreign.add(&payout("po_foreign", 941), &dollars);
    stack.put(&record_of(None, &payout("po_foreign", 941)).with_transactions(foreign)).await;
    for (id, field, value) in [
        ("po_listing", "status", json!("paid")),
        ("po_waiting", "reconciliation_status", json!("in_progress")),
        ("po_manual", "automatic", json!(false)),
    ] {
        let mut payout = payout(id, 5);
        payout[field] = value;
        stack.record(&payout).await;
    }
    for (id, state, adds_up, difference) in [
        ("po_short", "complete", json!(false), json!(1)),
        ("po_refused", "refused", Value::Null, Value::Null),
        ("po_moved", "complete", json!(false), json!(0)),
        ("po_foreign", "complete", json!(false), Value::Null),
        ("po_listing", "listing", Value::Null, Value::Null),
        ("po_waiting", "waiting", Value::Null, Value::Null),
        ("po_manual", "not_listed", Value::Null, Value::Null),
    ] {
        let shown = stack.ok(&format!("/records/payouts/{id}")).await["transactions"].clone();
        let is = [&shown["state"], &shown["adds_up"], &shown["difference"]];
        assert_eq!(is, [&json!(state), &adds_up, &difference], "{id}");
        assert!(!shown["message"].as_str().unwrap().is_empty());
        assert_eq!(
            stack.ok(&format!("/records/payouts/{id}/transactions")).await["next_cursor"],
            Value::Null
        );
    }
    assert_eq!(stack.ok("/records/payouts/po_foreign").await["transactions"]["net"], Value::Null);
}

#[tokio::test]
async fn its_transactions_are_listed_with_the_invoice_and_the_customer_behind_each() {
    let stack = Stack::start().await;
    stack.put_payout(None, "po_1", 7, 6587).await;
    let mut own = transaction("txn_own", 5, -6587, 0);
    (own["type"], own["source"]) = (json!("payout"), json!("po_1"));
    stack
        .put_transaction(None, &own, TransactionLinks { payout: Some("po_1".into()), ..Default::default() })
        .await;
    let first = stack.ok("/records/payouts/po_1/transactions?limit=1").await["data"][0].clone();
    assert_eq!(
        first,
        json!({
            "id": "txn_po_1_0006", "account": null, "type": "charge", "reporting_category": "charge",
            "description": "Order 7", "created": "2026-07-14T03:33:26Z",
            "available_on": "2026-07-25T03:26:40Z", "status": "available", "currency": "eur",
            "amount": 1000, "fee": 59, "net": 941,
            "fee_details": [{ "type": "stripe_fee", "amount": 59, "currency": "eur", "description": null }],
            "source": "ch_1", "charge": "ch_1", "refund": null, "dispute": null, "payment": "pi_1",
            "invoice": "in_1", "customer": "cus_1", "payout": "po_1",
        })
    );
    let ids: Vec<String> = (0..7).rev().map(|i| format!("txn_po_1_{i:04}")).collect();
    for limit in [1, 3, 7, 100] {
        assert_eq!(stack.ids_of_all_pages("/records/payouts/po_1/transactions", limit).await, ids, "{limit}");
    }
    let own = stack.ok("/records/balance_transactions/txn_own").await;
    assert_eq!(own["links"]["payout"], "po_1");
}

#[tokio::test]
async fn a_deposit_is_explained_in_two_reads_a_hundred_rows() {
    let stack = Stack::start().await;
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    stack.put_payout(None, "po_1", 250, 250 * 941).await;
    let mut reads = Vec::new();
    let (mut cursor, mut seen) = (String::new(), 0);
    loop {
        stack.cloud.clear_calls();
        let page = stack.ok(&format!("/records/payouts/po_1/transactions?limit=100{cursor}")).await;
        // The payout itself, to say 404 where there is none.
        reads.push(stack.cloud.calls().len() - stack.cloud.count("GetItem", "RecordsTable"));
        seen += page["data"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen, reads), (250, vec![2, 2, 2]));
    stack.cloud.clear_calls();
    let (status, csv, next) = stack.csv("/records/payouts/po_1/transactions").await;
    assert_eq!((status, rows(&csv).len(), next), (200, 250, None));
    assert!(stack.cloud.calls().len() <= 1 + 6, "{}", stack.cloud.calls().len());
}

#[tokio::test]
async fn as_csv_the_amounts_come_to_the_deposit_and_no_text_is_a_formula() {
    let stack = Stack::start().await;
    stack.put_payout(None, "po_1", 3, 2823).await;
    let mut hostile = transaction("txn_x", 5, -50, 0);
    hostile["description"] = json!("=HYPERLINK(\"https://example.com\",\"a,b\")\nnext");
    (hostile["type"], hostile["source"]) = (json!("refund"), Value::Null);
    stack.put_transaction(None, &hostile, links(Some("po_1"))).await;
    let (status, csv, next) = stack.csv("/records/payouts/po_1/transactions").await;
    assert_eq!((status, next), (200, None));
    let rows = rows(&csv);
    let net: i64 = rows.iter().map(|row| row["net"].parse::<i64>().unwrap()).sum();
    assert_eq!((rows.len(), net), (4, 2773));
    let refund = rows.iter().find(|row| row["id"] == "txn_x").unwrap();
    assert_eq!((&*refund["amount"], &*refund["net_decimal"]), ("-50", "-0.50"));
    assert_eq!(refund["description"], "'=HYPERLINK(\"https://example.com\",\"a,b\")\nnext");
    assert_eq!((&*refund["invoice"], &*refund["customer"], &*refund["source"]), ("in_1", "cus_1", ""));
    let response = handle(&stack.deps, csv_request("/records/payouts/po_1/transactions"), now()).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(response.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"po_1.csv\"");
}

#[tokio::test]
async fn as_csv_a_long_list_leads_on() {
    let stack = Stack::start().await;
    stack.put_payout(Some("acct_1"), "po_1", 5, 5).await;
    let mut path = "/records/payouts/po_1/transactions?account=acct_1&limit=2".to_owned();
    let mut ids = Vec::new();
    loop {
        let (status, csv, next) = stack.csv(&path).await;
        assert_eq!(status, 200, "{csv}");
        ids.extend(rows(&csv).into_iter().map(|row| row["id"].clone()));
        let Some(next) = next else { break };
        let query = next.strip_prefix("<?").and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).unwrap();
        path = format!("/records/payouts/po_1/transactions?{query}");
    }
    assert_eq!(ids, (0..5).rev().map(|i| format!("txn_po_1_{i:04}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused_by_name() {
    let stack = Stack::start().await;
    stack.put_payout(None, "po_1", 1, 941).await;
    for (path, status, field) in [
        ("/records/payouts/po_none/transactions", 404, Value::Null),
        ("/records/payouts/po_1/transactions?account=acct_1", 404, Value::Null),
        ("/records/payouts/po_1/transactions?limit=101", 400, json!("limit")),
        ("/records/payouts/po_1/transactions?cursor=x", 400, json!("cursor")),
        ("/records/payouts/po_1/transactions?customer=cus_1", 400, json!("customer")),
        ("/records/charges/po_1/transactions", 404, Value::Null),
    ] {
        let (got, body) = stack.get(path).await;
        assert_eq!((got, &body["error"]["field"]), (status, &field), "{path}: {body}");
    }
    let (status, body, _) = stack.csv("/records/payouts/po_1/transactions?limit=2001").await;
    assert_eq!(status, 400, "{body}");
    // The cursor of another payout's list.
    stack.put_payout(None, "po_2", 2, 1882).await;
    let other = stack.ok("/records/payouts/po_2/transactions?limit=1").await["next_cursor"].clone();
    let path = format!("/records/payouts/po_1/transactions?limit=1&cursor={}", other.as_str().unwrap());
    assert_eq!(stack.get(&path).await.0, 400);
}

#[tokio::test]
async fn a_payment_and_its_parts_say_what_of_them_reached_the_bank() {
    let stack = Stack::start().await;
    let part = |object: &str, id: &str| json!({ "object": object, "id": id, "created": 5, "customer": "cus_1", "payment_intent": "pi_1", "charge": "ch_1" });
    let mut charge = part("charge", "ch_1");
    charge["balance_transaction"] = json!("txn_1");
    // Expanded; and one that Stripe has not made yet.
    let mut refund = part("refund", "re_1");
    refund["balance_transaction"] = json!({ "id": "txn_2", "object": "balance_transaction" });
    let mut dispute = part("dispute", "du_1");
    let shown = transaction("txn_3", 5, -1000, 1500);
    dispute["balance_transactions"] = json!([shown]);
    let mut young = part("charge", "ch_2");
    young["balance_transaction"] = Value::Null;
    stack
        .record(&json!({ "object": "payment_intent", "id": "pi_1", "created": 5, "customer": "cus_1" }))
        .await;
    for object in [&charge, &refund, &dispute, &young] {
        stack.record(object).await;
    }
    stack.record(&payout("po_1", 5)).await;
    stack.put_transaction(None, &transaction("txn_1", 5, 1000, 59), links(Some("po_1"))).await;
    stack.put_transaction(None, &transaction("txn_2", 6, -400, 0), links(None)).await;

    let settlement = stack.ok("/records/charges/ch_1").await["settlement"].clone();
    assert_eq!(
        settlement,
        json!({
            "currency": "eur", "amount": 1000, "fee": 59, "net": 941, "available_on": "2026-07-25T03:26:40Z",
            "payout": "po_1", "payout_status": "paid", "arrival_date": "2026-07-26T00:00:00Z",
            "transactions": [{
                "id": "txn_1", "type": "charge", "status": "available", "currency": "eur", "amount": 1000,
                "fee": 59, "net": 941, "available_on": "2026-07-25T03:26:40Z", "payout": "po_1",
                "payout_status": "paid", "arrival_date": "2026-07-26T00:00:00Z",
            }],
        })
    );
    for (kind, id, net, payout) in [
        ("charges", "ch_1", json!(941), json!("po_1")),
        ("charges", "ch_2", Value::Null, Value::Null),
        ("refunds", "re_1", json!(-400), Value::Null),
        // As the dispute itself shows it.
        ("disputes", "du_1", json!(-2500), Value::Null),
    ] {
        let list = stack.ok(&format!("/records/{kind}")).await["data"].clone();
        let listed = list.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone();
        let by_customer = stack.ok(&format!("/records/{kind}?customer=cus_1")).await["data"].clone();
        let by_customer = by_customer.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone();
        for record in [stack.ok(&format!("/records/{kind}/{id}")).await, listed, by_customer] {
            let settlement = &record["settlement"];
            assert_eq!([&settlement["net"], &settlement["payout"]], [&net, &payout], "{id}: {settlement}");
        }
    }
    let payment = stack.ok("/records/payments/pi_1").await["settlement"].clone();
    assert_eq!((&payment["net"], &payment["fee"]), (&json!(941 - 400 - 2500), &json!(1559)));
    assert_eq!(payment["transactions"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn amounts_of_several_currencies_are_never_added() {
    let stack = Stack::start().await;
    let charge = json!({
        "object": "charge", "id": "ch_1", "created": 5, "balance_transaction": "txn_1",
        "failure_balance_transaction": "txn_2",
    });
    stack.record(&charge).await;
    let mut dollars = transaction("txn_2", 5, -1000, 0);
    dollars["currency"] = json!("usd");
    stack.put_transaction(None, &transaction("txn_1", 5, 1000, 59), links(None)).await;
    stack.put_transaction(None, &dollars, links(None)).await;
    let settlement = stack.ok("/records/charges/ch_1").await["settlement"].clone();
    for sum in ["currency", "amount", "fee", "net"] {
        assert_eq!(settlement[sum], Value::Null, "{sum}");
    }
    assert_eq!(settlement["transactions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn while_a_transaction_is_not_here_nobody_says_what_a_payment_came_to() {
    let stack = Stack::start().await;
    let named = |object: &str, id: &str, transaction: &str| json!({ "object": object, "id": id, "created": 5, "payment_intent": "pi_1", "balance_transaction": transaction });
    stack.record(&json!({ "object": "payment_intent", "id": "pi_1", "created": 5 })).await;
    stack.record(&named("charge", "ch_1", "txn_1")).await;
    stack.record(&named("refund", "re_1", "txn_not_here")).await;
    assert_eq!(stack.ok("/records/payments/pi_1").await["settlement"], Value::Null);
    stack.put_transaction(None, &transaction("txn_1", 5, 1000, 59), links(None)).await;
    let settlement = stack.ok("/records/payments/pi_1").await["settlement"].clone();
    assert_eq!([&settlement["amount"], &settlement["fee"], &settlement["net"]], [&Value::Null; 3]);
    assert_eq!(settlement["transactions"].as_array().unwrap().len(), 2);
    assert_eq!(stack.ok("/records/charges/ch_1").await["settlement"]["net"], 941, "its own are all here");
}

#[tokio::test]
async fn a_payout_that_failed_does_not_arrive_and_what_was_pending_is_available_on_its_date() {
    let stack = Stack::start().await;
    for (status, arrives) in [("paid", true), ("in_transit", true), ("failed", false), ("canceled", false)] {
        let (charge, txn, po) = (format!("ch_{status}"), format!("txn_{status}"), format!("po_{status}"));
        let mut payout = payout(&po, 5);
        payout["status"] = json!(status);
        stack.record(&payout).await;
        stack
            .record(&json!({ "object": "charge", "id": charge, "created": 5, "balance_transaction": txn }))
            .await;
        let mut pending = transaction(&txn, 5, 1000, 59);
        pending["status"] = json!("pending");
        stack.put_transaction(None, &pending, links(Some(&po))).await;
        let settlement = stack.ok(&format!("/records/charges/{charge}")).await["settlement"].clone();
        assert_eq!((&settlement["payout"], &settlement["payout_status"]), (&json!(po), &json!(status)));
        assert_eq!(settlement["arrival_date"].is_string(), arrives, "{status}");
        // Its date has passed, and Stripe makes no event of that.
        assert_eq!(settlement["transactions"][0]["status"], "available");
    }
    let mut later = transaction("txn_later", 5, 1000, 59);
    (later["status"], later["available_on"]) = (json!("pending"), json!(4_000_000_000_i64));
    stack.put_transaction(None, &later, links(None)).await;
    stack.record(&json!({ "object": "charge", "id": "ch_later", "created": 5, "balance_transaction": "txn_later" })).await;
    let settlement = stack.ok("/records/charges/ch_later").await["settlement"].clone();
    assert_eq!(settlement["transactions"][0]["status"], "pending");
}
