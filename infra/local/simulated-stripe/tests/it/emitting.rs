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
    assert!(stripe.emit("payout.paid").is_err());
    let object = Some(json!({ "id": "po_1", "object": "payout" }));
    let event = stripe.emit(NewEvent { object, ..NewEvent::new("payout.paid") }).unwrap();
    assert_eq!((&event["type"], &event["data"]["object"]["id"]), (&json!("payout.paid"), &json!("po_1")));
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
