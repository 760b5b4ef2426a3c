//! Events are made from samples, from stored objects, or whole; a life cycle links them.

use serde_json::json;
use simulated_stripe::{NewEvent, SimulatedStripe};

use crate::support::{Api, NOW, stripe};

#[tokio::test]
async fn an_event_comes_from_its_sample_with_an_id_of_its_own() {
    let stripe = stripe();
    let (one, two) = (stripe.emit("invoice.paid").unwrap(), stripe.emit("invoice.paid").unwrap());
    assert_ne!(one["id"], two["id"]);
    assert_eq!((&one["created"], &one["livemode"]), (&json!(NOW), &json!(false)));
    assert_eq!(one["data"]["object"]["status"], "paid");
}

#[tokio::test]
async fn fields_are_merged_into_the_object() {
    let stripe = stripe();
    let new = NewEvent::new("customer.created")
        .object_id("cus_1")
        .set("email", "a@example.com")
        .set("address", json!({ "city": "Graz" }))
        .set("metadata", json!({ "plan": "pro" }));
    let object = stripe.emit(new).unwrap()["data"]["object"].clone();
    assert_eq!((&object["id"], &object["email"]), (&json!("cus_1"), &json!("a@example.com")));
    assert_eq!((&object["address"]["city"], &object["address"]["line1"]), (&json!("Graz"), &json!(null)));
    assert_eq!(object["metadata"], json!({ "plan": "pro" }));
}

#[tokio::test]
async fn an_update_says_what_was_before() {
    let stripe = stripe();
    stripe
        .emit(NewEvent::new("customer.created").object_id("cus_1").set("metadata", json!({ "a": "1" })))
        .unwrap();
    let change = NewEvent::update("customer.updated", "cus_1")
        .set("email", "new@example.com")
        .set("metadata", json!({ "a": "2", "b": "3" }));
    let event = stripe.emit(change).unwrap();
    let before = json!({ "email": "jenny@example.com", "metadata": { "a": "1", "b": null } });
    assert_eq!(event["data"]["previous_attributes"], before);
    assert!(stripe.emit(NewEvent::update("customer.updated", "cus_2")).is_err());
}

#[tokio::test]
async fn an_unknown_type_needs_its_object() {
    let stripe = stripe();
    assert!(stripe.emit("financial_connections.account.created").is_err());
    let object = Some(json!({ "id": "fca_1", "object": "financial_connections.account" }));
    let event =
        stripe.emit(NewEvent { object, ..NewEvent::new("financial_connections.account.created") }).unwrap();
    assert_eq!(
        (&event["type"], &event["data"]["object"]["id"]),
        (&json!("financial_connections.account.created"), &json!("fca_1"))
    );
}

#[tokio::test]
async fn a_live_account_makes_live_events() {
    let stripe = SimulatedStripe::start(simulated_stripe::Options::for_tests().live()).unwrap();
    let event = stripe.emit("customer.created").unwrap();
    assert_eq!((&event["livemode"], &event["data"]["object"]["livemode"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn a_life_cycle_links_its_objects() {
    let stripe = stripe();
    let lifecycle = stripe.customer_lifecycle();
    let object = |id: &String| stripe.object(None, id).unwrap();
    assert_eq!(object(&lifecycle.subscription)["customer"], lifecycle.customer);
    assert_eq!(object(&lifecycle.subscription)["latest_invoice"], lifecycle.invoice);
    assert_eq!(object(&lifecycle.subscription)["status"], "active");
    assert_eq!(object(&lifecycle.invoice)["status"], "paid");
    assert_eq!(
        object(&lifecycle.invoice)["parent"]["subscription_details"]["subscription"],
        lifecycle.subscription
    );
    assert_eq!(
        object(&lifecycle.invoice)["lines"]["url"],
        format!("/v1/invoices/{}/lines", lifecycle.invoice)
    );
    assert_eq!(object(&lifecycle.invoice_payment)["payment"]["payment_intent"], lifecycle.payment_intent);
    assert_eq!(object(&lifecycle.payment_intent)["latest_charge"], lifecycle.charge);
    let secret = object(&lifecycle.payment_intent)["client_secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with(&lifecycle.payment_intent), "{secret}");
    assert_eq!(object(&lifecycle.charge)["refunded"], true);
    assert_eq!(object(&lifecycle.refund)["charge"], lifecycle.charge);
    assert_eq!(object(&lifecycle.disputed_charge)["payment_intent"], lifecycle.disputed_payment_intent);
    assert_eq!(object(&lifecycle.disputed_charge)["customer"], lifecycle.customer);
    assert_eq!(object(&lifecycle.dispute)["charge"], lifecycle.disputed_charge);
    assert_ne!(lifecycle.charge, lifecycle.disputed_charge);
}

#[tokio::test]
async fn life_cycles_share_no_object_and_end_now() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let (one, two) = (stripe.customer_lifecycle(), stripe.customer_lifecycle());
    assert_ne!(one.customer, two.customer);
    let listed = api.get("/v1/events?limit=100").await;
    assert_eq!(listed.ids().len(), one.events.len() + two.events.len());
    assert!(!listed.body.to_string().contains("Syn"), "no id of the samples is left");
    let last = api.get(&format!("/v1/events/{}", one.events.last().unwrap())).await;
    assert_eq!(last.body["created"], NOW);
}

#[tokio::test]
async fn a_life_cycle_can_happen_on_a_connected_account() {
    let stripe = stripe();
    let lifecycle = stripe.customer_lifecycle_on("acct_2");
    assert!(stripe.object(None, &lifecycle.customer).is_none());
    assert!(stripe.object(Some("acct_2"), &lifecycle.customer).is_some());
}

#[tokio::test]
async fn keys_that_say_nothing_any_more_go_and_previous_attributes_tell_both_ways() {
    let stripe = stripe();
    stripe.emit(NewEvent::new("charge.succeeded").object_id("ch_1")).unwrap();
    let report = |value: serde_json::Value| {
        let change = NewEvent::update("charge.updated", "ch_1");
        let event = stripe.emit(change.set("fraud_details", json!({ "user_report": value }))).unwrap();
        let data = event["data"].clone();
        (data["object"]["fraud_details"].clone(), data["previous_attributes"]["fraud_details"].clone())
    };
    assert_eq!(report(json!("safe")), (json!({ "user_report": "safe" }), json!({ "user_report": null })));
    assert_eq!(report(json!(null)), (json!({}), json!({ "user_report": "safe" })));
}

#[tokio::test]
async fn each_rendering_of_a_charge_has_another_receipt_url() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let receipt = "https://pay.stripe.com/receipts/1";
    stripe.emit(NewEvent::new("charge.succeeded").object_id("ch_1").set("receipt_url", receipt)).unwrap();
    let event = stripe.emit(NewEvent::update("charge.updated", "ch_1").set("description", "a")).unwrap();
    let (fetched, listed) = (api.get("/v1/charges/ch_1").await.body, api.get("/v1/charges").await.body);
    let events = api.get(&format!("/v1/events/{}", event["id"].as_str().unwrap())).await.body;
    let urls = [
        &event["data"]["object"]["receipt_url"],
        &event["data"]["previous_attributes"]["receipt_url"],
        &fetched["receipt_url"],
        &listed["data"][0]["receipt_url"],
    ];
    for (i, url) in urls.iter().enumerate() {
        assert!(url.as_str().is_some_and(|url| url.starts_with(receipt)), "{url}");
        assert!(!urls[..i].contains(url), "{urls:?}");
    }
    assert_eq!(events["data"], event["data"], "what an event says never changes");
}

#[tokio::test]
async fn a_page_may_hold_less_than_was_asked_for_and_say_that_there_is_more() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    for id in ["cus_1", "cus_2", "cus_3"] {
        stripe.emit(NewEvent::new("customer.created").object_id(id)).unwrap();
    }
    stripe.set_longest_page(2);
    for path in ["/v1/customers?limit=100", "/v1/events?limit=3"] {
        let page = api.get(path).await;
        assert_eq!((page.ids().len(), &page.body["has_more"]), (2, &json!(true)), "{path}");
    }
    assert_eq!(api.get("/v1/customers?limit=1").await.ids().len(), 1);
}
