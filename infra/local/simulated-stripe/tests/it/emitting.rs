//! Events are made from samples, from what stands, or whole; a story links them.

use serde_json::json;
use simulated_stripe::{Emit, SimulatedStripe};

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
    let wanted = Emit::of("customer.created")
        .object_id("cus_1")
        .set("email", "a@example.com")
        .set("address", json!({ "city": "Graz" }))
        .set("metadata", json!({ "plan": "pro" }));
    let object = stripe.emit(wanted).unwrap()["data"]["object"].clone();
    assert_eq!((&object["id"], &object["email"]), (&json!("cus_1"), &json!("a@example.com")));
    assert_eq!((&object["address"]["city"], &object["address"]["line1"]), (&json!("Graz"), &json!(null)));
    assert_eq!(object["metadata"], json!({ "plan": "pro" }));
}

#[tokio::test]
async fn a_change_tells_what_was_before() {
    let stripe = stripe();
    stripe
        .emit(Emit::of("customer.created").object_id("cus_1").set("metadata", json!({ "a": "1" })))
        .unwrap();
    let change = Emit::change("customer.updated", "cus_1")
        .set("email", "new@example.com")
        .set("metadata", json!({ "a": "2", "b": "3" }));
    let event = stripe.emit(change).unwrap();
    let before = json!({ "email": "jenny@example.com", "metadata": { "a": "1", "b": null } });
    assert_eq!(event["data"]["previous_attributes"], before);
    assert!(stripe.emit(Emit::change("customer.updated", "cus_2")).is_err());
}

#[tokio::test]
async fn an_unknown_type_needs_its_object() {
    let stripe = stripe();
    assert!(stripe.emit("payout.paid").is_err());
    let object = Some(json!({ "id": "po_1", "object": "payout" }));
    let event = stripe.emit(Emit { object, ..Emit::of("payout.paid") }).unwrap();
    assert_eq!((&event["type"], &event["data"]["object"]["id"]), (&json!("payout.paid"), &json!("po_1")));
}

#[tokio::test]
async fn a_live_account_makes_live_events() {
    let stripe = SimulatedStripe::start(simulated_stripe::Options::for_tests().live()).unwrap();
    let event = stripe.emit("customer.created").unwrap();
    assert_eq!((&event["livemode"], &event["data"]["object"]["livemode"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn a_story_links_its_objects() {
    let stripe = stripe();
    let story = stripe.story();
    let object = |id: &String| stripe.object(None, id).unwrap();
    assert_eq!(object(&story.subscription)["customer"], story.customer);
    assert_eq!(object(&story.subscription)["latest_invoice"], story.invoice);
    assert_eq!(object(&story.subscription)["status"], "active");
    assert_eq!(object(&story.invoice)["status"], "paid");
    assert_eq!(object(&story.invoice)["parent"]["subscription_details"]["subscription"], story.subscription);
    assert_eq!(object(&story.invoice)["lines"]["url"], format!("/v1/invoices/{}/lines", story.invoice));
    assert_eq!(object(&story.invoice_payment)["payment"]["payment_intent"], story.payment_intent);
    assert_eq!(object(&story.payment_intent)["latest_charge"], story.charge);
    let secret = object(&story.payment_intent)["client_secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with(&story.payment_intent), "{secret}");
    assert_eq!(object(&story.charge)["refunded"], true);
    assert_eq!(object(&story.refund)["charge"], story.charge);
    assert_eq!(object(&story.disputed_charge)["payment_intent"], story.disputed_payment_intent);
    assert_eq!(object(&story.disputed_charge)["customer"], story.customer);
    assert_eq!(object(&story.dispute)["charge"], story.disputed_charge);
    assert_ne!(story.charge, story.disputed_charge);
}

#[tokio::test]
async fn stories_do_not_meet_and_end_now() {
    let stripe = stripe();
    let api = Api::of(&stripe);
    let (one, two) = (stripe.story(), stripe.story());
    assert_ne!(one.customer, two.customer);
    let listed = api.get("/v1/events?limit=100").await;
    assert_eq!(listed.ids().len(), one.events.len() + two.events.len());
    assert!(!listed.body.to_string().contains("Syn"), "no id of the samples is left");
    let last = api.get(&format!("/v1/events/{}", one.events.last().unwrap())).await;
    assert_eq!(last.body["created"], NOW);
}

#[tokio::test]
async fn a_story_can_happen_on_a_connected_account() {
    let stripe = stripe();
    let story = stripe.story_of("acct_2");
    assert!(stripe.object(None, &story.customer).is_none());
    assert!(stripe.object(Some("acct_2"), &story.customer).is_some());
}
