//! Ids that merchants chose: any text, in paths, lists, cursors and filters.

use serde_json::{Value, json};
use test_cloud::fixtures::{CHOSEN_IDS, http_request, path_forms};

use crate::support::{Stack, ago, ids, request};

fn customer(id: &str, created: usize) -> Value {
    json!({"object": "customer", "id": id, "created": created})
}

async fn shop() -> Stack {
    let stack = Stack::start().await;
    for (created, (id, _)) in CHOSEN_IDS.iter().enumerate() {
        stack.record(&customer(id, created)).await;
        let payment = json!({"object": "payment_intent", "id": format!("pi_{created}"), "created": created, "customer": id, "status": "succeeded", "amount": 9, "amount_received": 9});
        stack.record(&payment).await;
        let refund = json!({"object": "refund", "id": format!("re_{created}"), "created": created, "payment_intent": format!("pi_{created}"), "amount": 1, "status": "succeeded"});
        stack.record(&refund).await;
    }
    stack
}

#[tokio::test]
async fn each_is_read_by_its_id_in_whichever_form_the_path_comes() {
    let stack = shop().await;
    for (id, encoded) in CHOSEN_IDS {
        for form in path_forms(id, encoded) {
            // The path is put in apart from the query, as API Gateway does it.
            let mut event: Value =
                serde_json::from_str(include_str!("../../../../events/records/events.json")).unwrap();
            let path = format!("/records/customers/{form}");
            event["rawPath"] = path.as_str().into();
            event["rawQueryString"] = "".into();
            event["requestContext"]["http"]["path"] = path.into();
            let (status, shown) = stack.respond(http_request(&event)).await;
            assert_eq!((status, shown["id"].as_str()), (200, Some(id)), "{form}: {shown}");
            assert_eq!(ids(&shown["payments"]).len(), 1, "{id}");
            assert_eq!(ids(&shown["refunds"]).len(), 1, "{id}");
        }
    }
}

#[tokio::test]
async fn what_came_as_it_is_goes_before_what_it_could_mean() {
    let stack = shop().await;
    stack.record(&customer("50%", 20)).await;
    let (status, shown) = stack.respond(request("/records/customers/50%25")).await;
    assert_eq!((status, shown["id"].as_str()), (200, Some("50%25")));
    let (status, _) = stack.respond(request("/records/customers/51%25")).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn lists_and_their_cursors_hold_them() {
    let stack = shop().await;
    let mut all: Vec<&str> = CHOSEN_IDS.iter().map(|(id, _)| *id).collect();
    all.reverse();
    for limit in [1, 4, 100] {
        assert_eq!(stack.ids_of_all_pages("/records/customers", limit).await, all, "by {limit}");
    }
    for (created, (_, encoded)) in CHOSEN_IDS.iter().enumerate() {
        for (kind, id) in [("payments", format!("pi_{created}")), ("refunds", format!("re_{created}"))] {
            let path = format!("/records/{kind}?customer={encoded}");
            assert_eq!(stack.ids_of_all_pages(&path, 1).await, [id], "{path}");
        }
    }
}

#[tokio::test]
async fn their_events_are_found_by_kind_and_id() {
    let stack = Stack::start().await;
    for (n, (id, _)) in CHOSEN_IDS.iter().enumerate() {
        stack.event(&format!("evt_{n}"), "customer.updated", &customer(id, n), ago(60)).await;
    }
    for (n, (_, encoded)) in CHOSEN_IDS.iter().enumerate() {
        let events = stack.ok(&format!("/events?object=customer/{encoded}")).await;
        assert_eq!(ids(&events["data"]), [format!("evt_{n}")], "{encoded}");
    }
    // Without its kind, an id of no prefix is no word of Stripe's.
    for encoded in ["gid%3A%2F%2Fshop%2FCustomer%2F1", "50%2525", "ACME%2F42"] {
        let (status, refusal) = stack.get(&format!("/events?object={encoded}")).await;
        let remedy = refusal["error"]["remedy"].as_str().unwrap_or_default();
        assert!(status == 400 && remedy.contains("`customer/"), "{encoded}: {refusal}");
    }
}
