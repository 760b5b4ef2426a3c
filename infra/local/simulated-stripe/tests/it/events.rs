//! `/v1/events` lists and fetches as Stripe does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::json;
use simulated_stripe::{Fate, NewEvent, SimulatedStripe};

use crate::support::{Api, NOW, stripe};

fn emit(stripe: &SimulatedStripe, new: NewEvent) -> String {
    stripe.emit(new).unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn paging_in_either_direction_lists_every_event_once() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let mut seconds = BTreeMap::new();
    for n in 0..24 {
        let created = NOW + n / 8;
        let id = emit(&stripe, NewEvent::new("customer.created").created(created));
        seconds.entry(Reverse(created)).or_insert_with(Vec::new).push(id);
    }

    let mut listed = Vec::new();
    let mut query = "limit=10".to_owned();
    loop {
        let page = api.get(&format!("/v1/events?{query}")).await;
        listed.extend(page.ids().into_iter().map(str::to_owned));
        if page.body["has_more"] == false {
            break;
        }
        query = format!("limit=10&starting_after={}", listed.last().unwrap());
    }
    let of_a_second: Vec<&[String]> = listed.chunks(8).collect();
    for (listed, made) in of_a_second.iter().zip(seconds.values()) {
        assert_ne!(listed, made, "as they were made");
        let newest_first: Vec<_> = made.iter().rev().cloned().collect();
        assert_ne!(*listed, newest_first);
        assert_eq!(BTreeSet::from_iter(*listed), BTreeSet::from_iter(made), "the newest second first");
    }
    let forwards = listed;

    let mut listed = vec![forwards.last().unwrap().clone()];
    loop {
        let page = api.get(&format!("/v1/events?limit=10&ending_before={}", listed.last().unwrap())).await;
        listed.extend(page.ids().into_iter().rev().map(str::to_owned));
        if page.body["has_more"] == false {
            break;
        }
    }
    listed.reverse();
    assert_eq!(listed, forwards, "the order holds");
}

#[tokio::test]
async fn ten_are_listed_unless_asked_otherwise_up_to_a_hundred() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    for _ in 0..12 {
        stripe.emit("customer.created").unwrap();
    }
    assert_eq!(api.get("/v1/events").await.ids().len(), 10);
    assert_eq!(api.get("/v1/events?limit=100").await.ids().len(), 12);
    for limit in ["0", "101", "x"] {
        let refused = api.get(&format!("/v1/events?limit={limit}")).await;
        assert_eq!((refused.status, &refused.error()["param"]), (400, &json!("limit")));
    }
}

#[tokio::test]
async fn types_are_one_name_one_group_or_several_names() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let customer = emit(&stripe, "customer.created".into());
    let subscription = emit(&stripe, "customer.subscription.created".into());
    let invoice = emit(&stripe, "invoice.paid".into());
    let cases = [
        ("type=customer.created", vec![&*customer]),
        ("type=customer.*", vec![&*subscription, &*customer]),
        ("type=customer", vec![]),
        ("types[]=customer.created&types[]=invoice.paid", vec![&*invoice, &*customer]),
        ("types[0]=invoice.paid&types[1]=x.y", vec![&*invoice]),
    ];
    for (query, expected) in cases {
        let listed = api.get(&format!("/v1/events?{query}")).await;
        // They are of one second.
        assert_eq!(BTreeSet::from_iter(listed.ids()), expected.into_iter().collect(), "{query}");
    }
    assert_eq!(api.get("/v1/events?type=a&types[]=b").await.status, 400);
    let many = "types[]=invoice.paid&".repeat(21);
    assert_eq!(api.get(&format!("/v1/events?{many}")).await.status, 400);
}

#[tokio::test]
async fn created_is_a_time_or_bounds() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let at = |offset: i64| emit(&stripe, NewEvent::new("customer.created").created(NOW + offset));
    let (one, two, three) = (at(1), at(2), at(3));
    let cases = [
        (format!("created={}", NOW + 2), vec![&*two]),
        (format!("created[gt]={}", NOW + 2), vec![&*three]),
        (format!("created[gte]={}", NOW + 2), vec![&*three, &*two]),
        (format!("created[lt]={}", NOW + 2), vec![&*one]),
        (format!("created%5Bgte%5D={}&created[lte]={}", NOW + 1, NOW + 2), vec![&*two, &*one]),
    ];
    for (query, expected) in cases {
        assert_eq!(api.get(&format!("/v1/events?{query}")).await.ids(), expected, "{query}");
    }
    assert_eq!(api.get("/v1/events?created[since]=1").await.error()["code"], "parameter_unknown");
}

#[tokio::test]
async fn events_are_gone_after_thirty_days() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let id = emit(&stripe, "customer.created".into());
    stripe.advance(30 * 24 * 3600);
    assert_eq!(api.get(&format!("/v1/events/{id}")).await.body["id"], id);
    stripe.advance(1);
    let gone = api.get(&format!("/v1/events/{id}")).await;
    assert_eq!(
        (gone.status, &gone.error()["code"], &gone.error()["param"]),
        (404, &json!("resource_missing"), &json!("id"))
    );
    assert!(api.get("/v1/events").await.ids().is_empty());
}

#[tokio::test]
async fn an_event_is_shown_in_the_version_it_was_emitted_in() {
    let stripe = stripe();
    let id = emit(
        &stripe,
        NewEvent { api_version: Some("2024-06-20".to_owned()), ..NewEvent::new("invoice.paid") },
    );
    let asked = [("stripe-version", "2026-10-28.endive")];
    let event = Api::new(&stripe).call(Method::GET, &format!("/v1/events/{id}"), &[], &asked).await.unwrap();
    assert_eq!(event.body["api_version"], "2024-06-20");
}

#[tokio::test]
async fn a_connected_accounts_events_are_apart() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    let ours = emit(&stripe, "customer.created".into());
    let theirs = emit(&stripe, NewEvent::new("customer.created").account("acct_2"));
    assert_eq!(api.get("/v1/events").await.ids(), [&*ours]);
    let as_them = [("stripe-account", "acct_2")];
    let listed = api.call(Method::GET, "/v1/events", &[], &as_them).await.unwrap();
    assert_eq!((listed.ids(), &listed.body["data"][0]["account"]), (vec![&*theirs], &json!("acct_2")));
    let as_us = [("stripe-account", "acct_1Simulated")];
    assert_eq!(api.call(Method::GET, "/v1/events", &[], &as_us).await.unwrap().ids(), [&*ours]);
}

#[tokio::test]
async fn a_lost_event_is_nowhere_but_its_object_changed() {
    let stripe = stripe();
    let api = Api::new(&stripe);
    stripe.emit(NewEvent::new("customer.created").object_id("cus_1").fate(Fate::Lost)).unwrap();
    assert!(api.get("/v1/events").await.ids().is_empty());
    assert_eq!(api.get("/v1/customers/cus_1").await.body["id"], "cus_1");
}

#[tokio::test]
async fn a_cursor_has_to_be_known() {
    let stripe = stripe();
    let refused = Api::new(&stripe).get("/v1/events?starting_after=evt_x").await;
    assert_eq!((refused.status, &refused.error()["param"]), (400, &json!("starting_after")));
    let id = emit(&stripe, "customer.created".into());
    let both = format!("/v1/events?starting_after={id}&ending_before={id}");
    assert_eq!(Api::new(&stripe).get(&both).await.status, 400);
}
