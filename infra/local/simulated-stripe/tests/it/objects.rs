//! Objects are fetched and listed as they stand now.

use serde_json::{Value, json};
use shared::kind::{Kind, ListPlace};
use simulated_stripe::{BalanceChange, NewEvent};

use crate::support::{Api, stripe};

#[tokio::test]
async fn every_kind_can_be_fetched_and_listed() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let lifecycle = stripe.customer_lifecycle();
    let made = [
        ("customers", &lifecycle.customer),
        ("subscriptions", &lifecycle.subscription),
        ("invoices", &lifecycle.invoice),
        ("invoice_payments", &lifecycle.invoice_payment),
        ("payment_intents", &lifecycle.payment_intent),
        ("charges", &lifecycle.charge),
        ("refunds", &lifecycle.refund),
        ("disputes", &lifecycle.dispute),
    ];
    for (plural, id) in made {
        let fetched = api.get(&format!("/v1/{plural}/{id}")).await;
        assert_eq!((fetched.status, &fetched.body["id"]), (200, &json!(id)), "{plural}");
        assert!(api.get(&format!("/v1/{plural}")).await.ids().contains(&id.as_str()), "{plural}");
    }
}

#[tokio::test]
async fn an_event_replaces_its_object() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.emit(NewEvent::new("customer.created").object_id("cus_1")).unwrap();
    stripe.emit(NewEvent::update("customer.updated", "cus_1").set("email", "new@example.com")).unwrap();
    assert_eq!(api.get("/v1/customers/cus_1").await.body["email"], "new@example.com");
}

#[tokio::test]
async fn a_deleted_customer_is_fetched_as_deleted_and_not_listed() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.emit(NewEvent::new("customer.created").object_id("cus_1")).unwrap();
    stripe.emit(NewEvent::update("customer.deleted", "cus_1")).unwrap();
    let fetched = api.get("/v1/customers/cus_1").await;
    assert_eq!(fetched.body, json!({ "id": "cus_1", "object": "customer", "deleted": true }));
    assert!(api.get("/v1/customers").await.ids().is_empty());
}

#[tokio::test]
async fn a_deleted_draft_and_an_unknown_object_are_missing() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.emit(NewEvent::new("invoice.created").object_id("in_1")).unwrap();
    assert_eq!(api.get("/v1/charges/in_1").await.status, 404, "it is no charge");
    stripe.emit(NewEvent::update("invoice.deleted", "in_1")).unwrap();
    for path in ["/v1/invoices/in_1", "/v1/disputes/du_1"] {
        let missing = api.get(path).await;
        assert_eq!((missing.status, &missing.error()["code"]), (404, &json!("resource_missing")));
        assert_eq!(missing.error()["param"], "id");
    }
}

#[tokio::test]
async fn a_canceled_subscription_is_fetched_but_listed_only_on_request() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.emit(NewEvent::new("customer.subscription.deleted").object_id("sub_1")).unwrap();
    assert_eq!(api.get("/v1/subscriptions/sub_1").await.body["status"], "canceled");
    assert!(api.get("/v1/subscriptions").await.ids().is_empty());
    for status in ["all", "canceled", "ended"] {
        assert_eq!(api.get(&format!("/v1/subscriptions?status={status}")).await.ids(), ["sub_1"]);
    }
}

#[tokio::test]
async fn lists_leave_out_inactive_prices_closed_reviews_and_tax_ids_of_customers() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    for object in [
        json!({ "object": "price", "id": "price_1", "created": 1, "active": true }),
        json!({ "object": "price", "id": "price_2", "created": 2, "active": false }),
        json!({ "object": "review", "id": "prv_1", "created": 1, "open": true }),
        json!({ "object": "review", "id": "prv_2", "created": 2, "open": false }),
        json!({ "object": "tax_id", "id": "txi_1", "created": 1, "customer": null, "owner": { "type": "self" } }),
        json!({ "object": "tax_id", "id": "txi_2", "created": 2, "customer": "cus_1" }),
        json!({ "object": "product", "id": "prod_1", "created": 1, "active": false }),
    ] {
        stripe.put_object(None, &object);
        let path = match object["object"].as_str().unwrap() {
            "tax_id" => "tax_ids".to_owned(),
            word => format!("{word}s"),
        };
        let id = object["id"].as_str().unwrap();
        assert_eq!(api.get(&format!("/v1/{path}/{id}")).await.body["id"], id, "by its id each is found");
    }
    for (list, ids) in [
        ("prices", &["price_1"][..]),
        ("prices?active=true", &["price_1"]),
        ("prices?active=false", &["price_2"]),
        ("reviews", &["prv_1"]),
        ("tax_ids", &["txi_1"]),
        ("products", &["prod_1"]),
        ("products?active=true", &[]),
    ] {
        assert_eq!(api.get(&format!("/v1/{list}")).await.ids(), ids, "{list}");
    }
}

#[tokio::test]
async fn lists_are_narrowed_and_paged() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    for (id, made, customer) in [("ch_1", 100, "cus_a"), ("ch_2", 200, "cus_b"), ("ch_3", 300, "cus_a")] {
        let charge =
            NewEvent::new("charge.succeeded").object_id(id).set("created", made).set("customer", customer);
        stripe.emit(charge).unwrap();
    }
    assert_eq!(api.get("/v1/charges").await.ids(), ["ch_3", "ch_2", "ch_1"]);
    assert_eq!(api.get("/v1/charges?customer=cus_a").await.ids(), ["ch_3", "ch_1"]);
    assert_eq!(api.get("/v1/charges?created[gte]=200&limit=1").await.ids(), ["ch_3"]);
    assert_eq!(api.get("/v1/charges?starting_after=ch_2").await.ids(), ["ch_1"]);
    assert_eq!(api.get("/v1/charges?customer=cus_a&ending_before=ch_2").await.ids(), ["ch_3"]);
    assert_eq!(api.get("/v1/charges?invoice=in_1").await.error()["code"], "parameter_unknown");
}

#[tokio::test]
async fn each_account_has_objects_of_its_own_and_one_that_left_has_none() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let headers = [("stripe-account", "acct_1")];
    let list = async || api.call(axum::http::Method::GET, "/v1/customers", &[], &headers).await.unwrap();
    stripe.put_object(Some("acct_1"), &json!({ "id": "cus_1", "object": "customer", "created": 5 }));
    assert_eq!(list().await.ids(), ["cus_1"]);
    assert!(api.get("/v1/customers").await.ids().is_empty());
    stripe.disconnect("acct_1");
    let refused = list().await;
    assert_eq!((refused.status, &refused.error()["code"]), (403, &json!("account_invalid")));
    assert_eq!(api.get("/v1/customers").await.status, 200, "our own account still has access");
}

#[tokio::test]
async fn a_list_cannot_go_on_after_an_object_that_was_removed() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    for (id, made) in [("in_1", 1), ("in_2", 2)] {
        stripe.put_object(None, &json!({ "id": id, "object": "invoice", "created": made }));
    }
    stripe.remove_object(None, "in_2");
    let refused = api.get("/v1/invoices?starting_after=in_2").await;
    let error = refused.error();
    assert_eq!(
        (refused.status, &error["code"], &error["param"]),
        (400, &json!("resource_missing"), &json!("starting_after"))
    );
    assert_eq!(api.get("/v1/invoices?created[lte]=2").await.ids(), ["in_1"]);
}

#[tokio::test]
async fn an_object_can_change_without_an_event() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.put_object(None, &json!({ "id": "re_1", "object": "refund", "status": "failed" }));
    assert_eq!(api.get("/v1/refunds/re_1").await.body["status"], "failed");
    assert!(stripe.remove_object(None, "re_1"));
    assert_eq!(api.get("/v1/refunds/re_1").await.status, 404);
}

/// An object of which a list has so many items.
fn with_list(object: &str, member: &str, items: usize) -> Value {
    let data: Vec<Value> = (0..items).map(|i| json!({ "id": format!("item_{i:02}") })).collect();
    let list = json!({ "object": "list", "data": data, "has_more": false, "url": "/v1" });
    json!({ "id": "x_1", "object": object, "created": 5, member: list })
}

#[tokio::test]
async fn an_object_shows_ten_items_of_a_list_and_the_list_has_all_in_pages() {
    for kind in Kind::all() {
        for list in kind.own_lists() {
            let stripe = stripe();
            let api = Api::new(&stripe);
            let path = kind.path().unwrap();
            stripe.put_object(None, &with_list(kind.object(), list.member, 12));
            let own = match list.place {
                ListPlace::BelowObject => format!("/v1/{path}/x_1/{}?", list.member),
                ListPlace::Filtered { path, param } => format!("/v1/{path}?{param}=x_1&"),
            };
            let shown = api.get(&format!("/v1/{path}/x_1")).await.body;
            let of_list = api.get(&format!("/v1/{path}")).await.body["data"][0].clone();
            for shown in [shown, of_list] {
                let list = &shown[list.member];
                assert_eq!((list["data"].as_array().unwrap().len(), &list["has_more"]), (10, &json!(true)));
            }
            assert_eq!(api.get(&own).await.ids().len(), 10, "{kind:?}");
            let all = api.get(&format!("{own}limit=100")).await;
            assert_eq!((all.ids().len(), &all.body["has_more"]), (12, &json!(false)), "{kind:?}");
            let rest = api.get(&format!("{own}starting_after=item_09")).await;
            assert_eq!(rest.ids(), ["item_10", "item_11"], "{kind:?}");
            let gone = api.get(&format!("{own}starting_after=item_99")).await;
            assert_eq!((gone.status, &gone.error()["param"]), (400, &json!("starting_after")), "{kind:?}");
            let missing = api.get(&own.replace("x_1", "x_2")).await;
            assert_eq!(missing.error()["code"], "resource_missing", "{kind:?}");
        }
    }
    let stripe = stripe();
    let api = Api::new(&stripe);
    assert_eq!(api.get("/v1/subscription_items").await.error()["code"], "parameter_missing");
}

#[tokio::test]
async fn an_event_shows_ten_items_of_a_list_and_its_object_keeps_them_all() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let invoice = with_list("invoice", "lines", 12);
    stripe.emit(NewEvent { object: Some(invoice), ..NewEvent::new("invoice.created") }).unwrap();
    let event = stripe.emit(NewEvent::update("invoice.paid", "x_1").set("status", "paid")).unwrap();
    let lines = &event["data"]["object"]["lines"];
    assert_eq!((lines["data"].as_array().unwrap().len(), &lines["has_more"]), (10, &json!(true)));
    assert_eq!(api.get("/v1/invoices/x_1/lines?limit=50").await.ids().len(), 12);
}

#[tokio::test]
async fn a_balance_that_changes_has_a_transaction_without_an_event_below_its_customer_alone() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.emit(NewEvent::new("customer.created").object_id("cus_1").set("balance", 0)).unwrap();
    let change = BalanceChange { customer: "cus_1".into(), amount: -500, ..BalanceChange::default() };
    let (first, event) = stripe.change_balance(&change).unwrap();
    assert_eq!(
        (&event["type"], &event["data"]["object"]["balance"]),
        (&json!("customer.updated"), &json!(-500))
    );
    assert_eq!(event["data"]["previous_attributes"], json!({ "balance": 0 }));
    stripe.advance(1);
    let invoice = Some("in_1".to_owned());
    let kind = Some("applied_to_invoice".to_owned());
    let (second, _) =
        stripe.change_balance(&BalanceChange { amount: 200, invoice, kind, ..change.clone() }).unwrap();
    let list = "/v1/customers/cus_1/balance_transactions";
    assert_eq!(api.get(list).await.ids(), [&*second, &*first]);
    assert_eq!(api.get(&format!("{list}?limit=1")).await.body["has_more"], true);
    assert_eq!(api.get(&format!("{list}?starting_after={second}")).await.ids(), [&*first]);
    let fetched = api.get(&format!("{list}/{second}")).await.body;
    assert_eq!(
        (&fetched["ending_balance"], &fetched["type"], &fetched["invoice"]),
        (&json!(-300), &json!("applied_to_invoice"), &json!("in_1"))
    );
    for unknown in ["/v1/customer_balance_transactions", "/v1/customers/cus_1/balance_transactions/x/y"] {
        assert_eq!(api.get(unknown).await.status, 404, "{unknown}");
    }
    stripe.emit(NewEvent::update("customer.deleted", "cus_1")).unwrap();
    for customer in ["cus_1", "cus_2"] {
        let missing = api.get(&format!("/v1/customers/{customer}/balance_transactions")).await;
        assert_eq!((missing.status, &missing.error()["code"]), (404, &json!("resource_missing")));
        assert!(
            stripe.change_balance(&BalanceChange { customer: customer.into(), ..change.clone() }).is_err()
        );
    }
}

#[tokio::test]
async fn tax_ids_of_a_customer_are_listed_below_it_alone() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.put_object(None, &json!({ "object": "customer", "id": "cus_1", "created": 1 }));
    let tax_id = json!({ "object": "tax_id", "id": "txi_1", "created": 1, "customer": "cus_1" });
    stripe.put_object(None, &tax_id);
    assert!(api.get("/v1/tax_ids").await.ids().is_empty());
    assert_eq!(api.get("/v1/customers/cus_1/tax_ids").await.ids(), ["txi_1"]);
    assert_eq!(api.get("/v1/customers/cus_1/tax_ids/txi_1").await.body["id"], "txi_1");
}
