//! What a record names is listed with what is known of it, and what is not here is said to be absent.

use serde_json::{Value, json};

use crate::support::{Stack, provenance};

fn product(name: &str) -> Value {
    json!({ "object": "product", "id": "prod_1", "created": 5, "name": name })
}

fn price(nickname: Value) -> Value {
    json!({ "object": "price", "id": "price_1", "created": 5, "nickname": nickname, "product": "prod_1" })
}

/// An invoice of these lines.
fn invoice(customer: Value, lines: Vec<Value>) -> Value {
    let lines = json!({ "object": "list", "data": lines, "has_more": false });
    json!({ "object": "invoice", "id": "in_1", "created": 5, "customer": customer, "charge": null, "lines": lines })
}

fn line(price: &str, product: &str) -> Value {
    json!({ "id": "il_1", "pricing": { "price_details": { "price": price, "product": product } } })
}

/// The references of a record: member, kind, id, whether it is here, label.
async fn references(stack: &Stack, path: &str) -> Vec<[Value; 5]> {
    let record = stack.ok(path).await;
    let shown = |one: &Value| ["member", "kind", "id", "here", "label"].map(|field| one[field].clone());
    record["references"].as_array().unwrap().iter().map(shown).collect()
}

fn row(member: &str, kind: &str, id: &str, here: bool, label: Value) -> [Value; 5] {
    [json!(member), json!(kind), json!(id), json!(here), label]
}

#[tokio::test]
async fn an_invoice_tells_its_customer_and_its_lines_prices_and_products_each_once() {
    let stack = Stack::start().await;
    let customer =
        json!({ "object": "customer", "id": "cus_1", "created": 5, "name": "", "email": "a@b.example" });
    let lines = vec![line("price_1", "prod_1"), line("price_2", "prod_1"), line("price_1", "prod_1")];
    for object in [customer, product("Gold"), price(Value::Null), invoice(json!("cus_1"), lines)] {
        stack.record(&object).await;
    }
    let (of_price, of_product) =
        ("lines.data.pricing.price_details.price", "lines.data.pricing.price_details.product");
    let expected = [
        row("customer", "customers", "cus_1", true, json!("a@b.example")),
        row(of_price, "prices", "price_1", true, Value::Null),
        row(of_product, "products", "prod_1", true, json!("Gold")),
        row(of_price, "prices", "price_2", false, Value::Null),
    ];
    assert_eq!(references(&stack, "/records/invoices/in_1").await, expected);
    let record = stack.ok("/records/invoices/in_1").await;
    assert_eq!(
        record["references"][1]["called_after"],
        json!({ "kind": "products", "id": "prod_1", "here": true, "deleted": false, "label": "Gold" })
    );
    assert_eq!(
        (&record["references"][3]["called_after"], &record["references_left_out"]),
        (&Value::Null, &json!(0))
    );
}

#[tokio::test]
async fn older_lines_and_items_name_an_expanded_price_or_a_plan() {
    let expanded = json!({ "id": "price_1", "object": "price", "nickname": "Monthly", "product": "prod_1" });
    let line = json!({ "id": "il_1", "price": expanded, "plan": { "id": "gold", "object": "plan", "product": "prod_1" } });
    let items = json!({ "object": "list", "data": [line], "has_more": false });
    let subscription = json!({ "object": "subscription", "id": "sub_1", "created": 5, "items": items });
    for (path, prefix, object) in [
        ("/records/invoices/in_1", "lines", invoice(Value::Null, vec![line.clone()])),
        ("/records/subscriptions/sub_1", "items", subscription),
    ] {
        let stack = Stack::start().await;
        stack.record(&object).await;
        stack.record(&product("Gold")).await;
        let member = |member: &str| format!("{prefix}.data.{member}");
        let expected = [
            row(&member("price"), "prices", "price_1", false, json!("Monthly")),
            row(&member("price.product"), "products", "prod_1", true, json!("Gold")),
            row(&member("plan"), "plans", "gold", false, Value::Null),
            row(&member("plan.product"), "products", "prod_1", true, json!("Gold")),
        ];
        assert_eq!(references(&stack, path).await, expected, "{path}");
        let record = stack.ok(path).await;
        assert_eq!(record["references"][2]["called_after"]["label"], "Gold", "{path}");
    }
}

#[tokio::test]
async fn what_is_null_names_nothing_and_a_product_that_is_deleted_says_so() {
    let stack = Stack::start().await;
    stack.record(&invoice(Value::Null, vec![json!({ "id": "il_1", "price": null, "pricing": null })])).await;
    assert_eq!(references(&stack, "/records/invoices/in_1").await, Vec::<[Value; 5]>::new());
    stack.record(&price(json!("Monthly"))).await;
    let deleted = json!({ "object": "product", "id": "prod_1", "deleted": true });
    let provenance = shared::records::Provenance { deleted: true, ..provenance("evt_2", 1_785_000_001) };
    stack.record_raw(None, &deleted.to_string(), provenance).await;
    let record = stack.ok("/records/prices/price_1").await;
    let reference = &record["references"][0];
    assert_eq!([&reference["here"], &reference["deleted"]], [&json!(true), &json!(true)]);
    assert_eq!(reference["label"], Value::Null);
}

#[tokio::test]
async fn an_object_of_another_account_is_not_the_one_that_is_named() {
    let stack = Stack::start().await;
    stack.record_in(Some("acct_1"), &product("Theirs")).await;
    stack.record(&price(Value::Null)).await;
    let expected = [row("product", "products", "prod_1", false, Value::Null)];
    assert_eq!(references(&stack, "/records/prices/price_1").await, expected);
    stack.record_in(Some("acct_1"), &price(Value::Null)).await;
    let expected = [row("product", "products", "prod_1", true, json!("Theirs"))];
    assert_eq!(references(&stack, "/records/prices/price_1?account=acct_1").await, expected);
}

#[tokio::test]
async fn a_hundred_are_told_in_two_batches_and_how_many_more_there_are() {
    let stack = Stack::start().await;
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    let lines = (0..130).map(|i| line(&format!("price_{i:03}"), &format!("prod_{i:03}"))).collect();
    stack.record(&invoice(json!("cus_1"), lines)).await;
    for i in 0..50 {
        let (id, product) = (format!("price_{i:03}"), format!("prod_x{i:03}"));
        stack.record(&json!({ "object": "price", "id": id, "created": 5, "product": product })).await;
        stack.record(&json!({ "object": "product", "id": product, "created": 5, "name": product })).await;
    }
    stack.cloud.clear_calls();
    let record = stack.ok("/records/invoices/in_1").await;
    let listed = record["references"].as_array().unwrap();
    assert_eq!((listed.len(), &record["references_left_out"]), (100, &json!(161)));
    assert_eq!(listed[1]["called_after"]["label"], "prod_x000");
    assert_eq!(stack.cloud.count("BatchGetItem", "RecordsTable"), 2);
}

#[tokio::test]
async fn each_kind_tells_what_its_table_says() {
    for kind in shared::kind::Kind::all() {
        let stack = Stack::start().await;
        let mut object = json!({ "object": kind.object(), "id": "x_1", "created": 5 });
        for reference in kind.references() {
            let mut place = &mut object;
            for name in reference.member.split('.') {
                place = &mut place[name];
            }
            *place = json!("y_1");
        }
        stack.record(&object).await;
        let plural = if kind == shared::kind::Kind::PAYMENT { "payments" } else { kind.plural() };
        let listed = references(&stack, &format!("/records/{plural}/x_1")).await;
        let members: Vec<&str> = listed.iter().map(|row| row[0].as_str().unwrap()).collect();
        let expected: Vec<&str> = kind.references().iter().map(|reference| reference.member).collect();
        assert_eq!(members, expected, "{kind:?}");
    }
}
