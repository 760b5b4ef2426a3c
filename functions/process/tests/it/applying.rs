//! Each event is applied once, in Stripe's order, whatever the order of arrival.

use proptest::prelude::*;
use serde_json::{Value, json};
use shared::ledger::EventState;
use shared::records::RecordListing;
use test_cloud::fixtures::{event, now};

use crate::support::{Stack, later, samples, subscription};

async fn apply(stack: &Stack, body: &str) {
    let row = stack.receive(body).await;
    stack.ring(&[row]).await;
}

#[tokio::test]
async fn every_sample_event_ends_final_and_never_failed() {
    let stack = Stack::start().await;
    let mut rows = Vec::new();
    for body in samples() {
        rows.push(stack.receive(&body).await);
    }
    let summary = stack.ring(&rows).await;
    let applied: u64 = [EventState::Processed, EventState::Superseded, EventState::Ignored]
        .map(|state| summary.count(state))
        .iter()
        .sum();
    assert_eq!(applied, rows.len() as u64, "{summary:?}");
    for row in &rows {
        let row = stack.row(row.id.as_str()).await;
        assert!(!row.state.is_open() && row.due_at.is_none(), "{row:?}");
    }
}

#[tokio::test]
async fn a_record_is_the_object_as_stripe_wrote_it() {
    let stack = Stack::start().await;
    let body = samples().into_iter().find(|body| body.contains("\"invoice.paid\"")).unwrap();
    let row = stack.receive(&body).await;
    stack.ring(&[row]).await;
    let event: Value = serde_json::from_str(&body).unwrap();
    let id = event["data"]["object"]["id"].as_str().unwrap();
    let record = stack.record(&format!("-/invoice/{id}")).await.unwrap();
    let raw = String::from_utf8(record.object().unwrap()).unwrap();
    assert!(body.contains(&raw), "not byte for byte");
    assert_eq!(record.as_of.get(), event["created"].as_i64().unwrap());
    assert!(!record.deleted && !record.order_uncertain);
}

#[tokio::test]
async fn an_object_whose_id_a_merchant_chose_is_kept() {
    let stack = Stack::start().await;
    for (n, id) in ["acme/42", "50%25", "user 7", "gid://shop/Customer/1", "upcoming_in_x", "größe"]
        .into_iter()
        .enumerate()
    {
        let customer = json!({"object": "customer", "id": id, "name": "A"});
        let row = stack.receive(&event(&format!("evt_{n}"), "customer.created", 5, &customer)).await;
        assert_eq!(stack.ring(&[row]).await.count(EventState::Processed), 1, "{id}");
        assert_eq!(stack.object(&format!("-/customer/{id}")).await, customer, "{id}");
    }
}

#[tokio::test]
async fn an_event_is_applied_once_however_often_the_doorbell_rings() {
    let stack = Stack::start().await;
    let row = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    assert_eq!(stack.ring(std::slice::from_ref(&row)).await.count(EventState::Processed), 1);
    let (applied, record) = (stack.row("evt_1").await, stack.record("-/subscription/sub_1").await);
    stack.cloud.clear_calls();
    for _ in 0..3 {
        stack.ring(std::slice::from_ref(&row)).await;
    }
    let written = stack
        .cloud
        .calls()
        .into_iter()
        .filter(|call| call.table != "RegistryTable" && !call.write_units.is_empty())
        .count();
    assert_eq!(written, 0, "{:?}", stack.cloud.calls());
    assert_eq!(stack.row("evt_1").await, applied);
    assert_eq!(stack.record("-/subscription/sub_1").await, record);
}

#[tokio::test]
async fn one_record_change_comes_of_many_rings_at_once() {
    let stack = Stack::start().await;
    let row = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    let rings = (0..20).map(|_| stack.ring(std::slice::from_ref(&row)));
    let summaries: Vec<_> = futures::future::join_all(rings).await;
    assert_eq!(
        summaries.iter().map(|summary| summary.count(EventState::Processed)).sum::<u64>(),
        1,
        "{summaries:?}"
    );
    assert_eq!(stack.state("evt_1").await.0, EventState::Processed);
}

#[tokio::test]
async fn an_older_event_that_comes_later_is_superseded() {
    let stack = Stack::start().await;
    let newer = stack.receive(&subscription("evt_2", "updated", 9, "past_due")).await;
    let older = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    stack.ring(&[newer]).await;
    stack.ring(&[older]).await;
    assert_eq!(stack.state("evt_1").await.0, EventState::Superseded);
    assert_eq!(stack.object("-/subscription/sub_1").await["status"], "past_due");
}

#[tokio::test]
async fn creation_and_update_of_one_second_end_right_in_either_order() {
    for order in [[0, 1], [1, 0]] {
        let stack = Stack::start().await;
        let events = [
            subscription("evt_9", "created", 5, "incomplete"),
            subscription("evt_1", "updated", 5, "active"),
        ];
        for i in order {
            let row = stack.receive(&events[i]).await;
            stack.ring(&[row]).await;
        }
        let record = stack.record("-/subscription/sub_1").await.unwrap();
        assert_eq!(stack.object("-/subscription/sub_1").await["status"], "active");
        assert_eq!(record.events.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["evt_1", "evt_9"]);
        assert!(!record.order_uncertain);
    }
}

#[tokio::test]
async fn a_deleted_customer_stays_deleted_and_a_canceled_subscription_can_still_change() {
    let stack = Stack::start().await;
    let customer = |id, event_type, created, object: Value| event(id, event_type, created, &object);
    let whole = json!({"object": "customer", "id": "cus_1", "email": "a@example.com"});
    let short = json!({"object": "customer", "id": "cus_1", "deleted": true});
    for body in [
        customer("evt_1", "customer.deleted", 5, short),
        customer("evt_2", "customer.updated", 9, whole.clone()),
        customer("evt_3", "customer.created", 1, whole),
        subscription("evt_4", "deleted", 5, "canceled"),
        subscription("evt_5", "updated", 9, "canceled"),
    ] {
        let row = stack.receive(&body).await;
        stack.ring(&[row]).await;
    }
    assert!(stack.record("-/customer/cus_1").await.unwrap().deleted);
    assert_eq!(stack.state("evt_2").await.0, EventState::Superseded);
    let subscription = stack.record("-/subscription/sub_1").await.unwrap();
    assert!(!subscription.deleted && subscription.as_of.get() == 9);
}

#[tokio::test]
async fn a_record_keeps_its_position_in_lists_whatever_its_events_say_of_when_it_was_made() {
    let stack = Stack::start().await;
    let position = async |key: &str| stack.record(key).await.unwrap().list_position().to_owned();
    let apply = async |body: String| {
        let row = stack.receive(&body).await;
        stack.ring(&[row]).await;
    };
    // Invoices of before API 2019-03-14 have a `date`.
    let old = |id: &str, at| {
        event(id, "invoice.updated", at, &json!({"object": "invoice", "id": "in_1", "date": 3}))
    };
    apply(old("evt_1", 5)).await;
    let before = position("-/invoice/in_1").await;
    apply(old("evt_2", 6)).await;
    assert_eq!(position("-/invoice/in_1").await, before);

    let customer = json!({"object": "customer", "id": "cus_1", "created": 3});
    apply(event("evt_3", "customer.created", 3, &customer)).await;
    let before = position("-/customer/cus_1").await;
    apply(event(
        "evt_4",
        "customer.deleted",
        9,
        &json!({"object": "customer", "id": "cus_1", "deleted": true}),
    ))
    .await;
    let record = stack.record("-/customer/cus_1").await.unwrap();
    assert_eq!((record.deleted, record.list_position()), (true, before.as_str()));
}

#[tokio::test]
async fn a_deleted_customer_stands_in_lists_where_it_was_made_whichever_event_comes_first() {
    let mut positions = std::collections::BTreeSet::new();
    for order in [[0, 1, 2], [2, 1, 0], [2, 0, 1], [1, 2, 0]] {
        let stack = Stack::start().await;
        let customer = json!({"object": "customer", "id": "cus_1", "created": 3});
        let gone = json!({"object": "customer", "id": "cus_1", "deleted": true});
        let bodies = [
            event("evt_1", "customer.created", 3, &customer),
            event("evt_2", "customer.updated", 9, &customer),
            event("evt_3", "customer.deleted", 9, &gone),
        ];
        for at in order {
            let row = stack.receive(&bodies[at]).await;
            stack.ring(&[row]).await;
        }
        let record = stack.record("-/customer/cus_1").await.unwrap();
        assert!(record.deleted);
        positions.insert(record.list_position().to_owned());
    }
    assert_eq!(positions.into_iter().collect::<Vec<_>>(), ["customer#000000000003#-/cus_1"]);
}

#[tokio::test]
async fn two_accounts_never_share_a_record() {
    let stack = Stack::start().await;
    let own = subscription("evt_1", "created", 5, "active");
    let connected = subscription("evt_2", "created", 6, "canceled")
        .replace("\"livemode\"", "\"account\":\"acct_1\",\"livemode\"");
    let rows = [stack.receive(&own).await, stack.receive(&connected).await];
    stack.ring(&rows).await;
    assert_eq!(stack.object("-/subscription/sub_1").await["status"], "active");
    assert_eq!(stack.object("acct_1/subscription/sub_1").await["status"], "canceled");
}

#[tokio::test]
async fn an_event_of_the_other_mode_is_quarantined_and_a_type_that_is_not_applied_is_ignored() {
    let stack = Stack::start().await;
    let live =
        subscription("evt_1", "created", 5, "active").replace("\"livemode\":false", "\"livemode\":true");
    let new = event("evt_2", "something.new", 5, &json!({"object": "something", "id": "x_1"}));
    let rows = [stack.receive(&live).await, stack.receive(&new).await];
    let summary = stack.ring(&rows).await;
    assert_eq!(
        (summary.count(EventState::Quarantined), summary.count(EventState::Ignored)),
        (1, 1),
        "and counted"
    );
    assert_eq!(
        stack.state("evt_1").await,
        (EventState::Quarantined, Some("a live event at a test stack".into()))
    );
    assert_eq!(stack.state("evt_2").await, (EventState::Ignored, Some("type".into())));
    assert!(stack.record("-/subscription/sub_1").await.is_none());
}

#[tokio::test]
async fn a_preview_is_found_under_its_subscription_and_its_customer() {
    let stack = Stack::start().await;
    let preview = json!({
        "object": "invoice", "id": "upcoming_in_1", "customer": "cus_1",
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}},
    });
    let row = stack.receive(&event("evt_1", "invoice.upcoming", 5, &preview)).await;
    for _ in 0..2 {
        stack.ring(std::slice::from_ref(&row)).await;
    }
    let found = async |key: &str| {
        let listing = shared::ledger::EventListing::Object(key.parse().unwrap());
        let page = stack.ledger().list(&listing, None, 10, now(), |_| true).await.unwrap();
        page.rows.into_iter().map(|row| row.id.to_string()).collect::<Vec<_>>()
    };
    for key in ["-/subscription/sub_1", "-/customer/cus_1"] {
        assert_eq!(found(key).await, ["evt_1"], "{key}");
    }
    // The same where the settings ignore it.
    let registry = stack.registry();
    let mut rules = shared::registry::Rules { ignore: vec!["invoice.*".into()], ..Default::default() };
    registry.store_rules(&Default::default(), &mut rules).await.unwrap();
    let row = stack.receive(&event("evt_2", "invoice.upcoming", 6, &preview)).await;
    stack.ring_at(&[row], later(60)).await.unwrap();
    assert_eq!(stack.state("evt_2").await.1.as_deref(), Some("filter"));
    assert_eq!(found("-/customer/cus_1").await, ["evt_2", "evt_1"]);

    // Its entry in the customer's list expires with it.
    let client = stack.cloud.aws().dynamodb(shared::aws::CallLimits::PATIENT);
    let items = client.scan().table_name("LedgerTable").send().await.unwrap().items.unwrap();
    let expiries: Vec<_> = items.iter().map(|item| item.get("expires_at").is_some()).collect();
    assert_eq!(expiries, [true; 4]);
}

#[tokio::test]
async fn a_superseded_event_names_the_one_that_the_record_shows() {
    let stack = Stack::start().await;
    let newer = stack.receive(&subscription("evt_2", "updated", 9, "past_due")).await;
    let older = stack.receive(&subscription("evt_1", "created", 5, "active")).await;
    stack.ring(&[newer]).await;
    stack.ring(&[older]).await;
    assert_eq!(stack.state("evt_1").await.1.as_deref(), Some("the record shows evt_2"));
    assert_eq!(stack.state("evt_2").await.1, None);
}

#[tokio::test]
async fn what_has_no_record_is_ignored_and_what_cannot_be_read_is_quarantined_with_the_reason() {
    let stack = Stack::start().await;
    let upcoming = event("evt_1", "invoice.upcoming", 5, &json!({"object": "invoice", "customer": "cus_1"}));
    let strange = event("evt_2", "invoice.paid", 5, &json!({"object": "thing", "id": "x_1"}));
    let nameless = event("evt_3", "invoice.paid", 5, &json!({"object": "invoice"}));
    let mut deep = "1".to_owned();
    for _ in 0..200 {
        deep = format!("[{deep}]");
    }
    let deep = event("evt_4", "invoice.paid", 5, &json!({"object": "invoice", "id": "in_1", "x": "DEEP"}))
        .replace("\"DEEP\"", &deep);
    let fine = subscription("evt_5", "created", 5, "active");
    let mut rows = Vec::new();
    for body in [upcoming, strange, nameless, deep, fine] {
        rows.push(stack.receive(&body).await);
    }
    stack.ring(&rows).await;
    assert_eq!(stack.state("evt_1").await, (EventState::Ignored, Some("no_record".into())));
    for (id, part) in [("evt_2", "`thing`"), ("evt_3", "no id"), ("evt_4", "recursion")] {
        let (state, reason) = stack.state(id).await;
        assert_eq!(state, EventState::Quarantined);
        assert!(reason.as_deref().unwrap_or_default().contains(part), "{reason:?}");
    }
    assert_eq!(stack.state("evt_5").await.0, EventState::Processed, "nothing is held back");
}

fn history() -> impl Strategy<Value = Vec<String>> {
    let types = prop::sample::select(vec!["created", "updated", "updated", "deleted", "trial_will_end"]);
    let statuses = prop::sample::select(vec!["incomplete", "active", "past_due", "canceled"]);
    let event = (types, 1..4_i64, statuses);
    proptest::collection::vec(event, 2..7).prop_map(|events| {
        let events = events.into_iter().enumerate();
        events
            .map(|(i, (event_type, created, status))| {
                subscription(&format!("evt_{i}"), event_type, created, status)
            })
            .collect()
    })
}

async fn record_after(events: &[String]) -> (Value, Vec<String>, bool) {
    let stack = Stack::start().await;
    for body in events {
        let row = stack.receive(body).await;
        stack.ring(&[row]).await;
    }
    let record = stack.record("-/subscription/sub_1").await.unwrap();
    let object = stack.object("-/subscription/sub_1").await;
    (object, record.events.iter().map(ToString::to_string).collect(), record.order_uncertain)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_record_does_not_depend_on_the_order_of_arrival_or_on_repeats(
        (events, shuffled) in history().prop_flat_map(|events| {
            let twice = [events.clone(), events.clone()].concat();
            (Just(events), Just(twice).prop_shuffle())
        })
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (expected, got) = runtime.block_on(async { (record_after(&events).await, record_after(&shuffled).await) });
        prop_assert_eq!(expected, got);
    }
}

#[tokio::test]
async fn events_of_one_second_applied_at_once_are_all_considered() {
    for _ in 0..5 {
        let stack = Stack::start().await;
        let mut rows = Vec::new();
        for i in 0..6 {
            let body = subscription(&format!("evt_{i}"), "updated", 5, ["active", "past_due"][i % 2]);
            rows.push(stack.receive(&body).await);
        }
        futures::future::join_all(rows.iter().map(|row| stack.ring(std::slice::from_ref(row)))).await;
        assert_eq!(stack.record("-/subscription/sub_1").await.unwrap().events.len(), 6);
    }
}

#[tokio::test]
async fn a_payload_in_parts_is_applied_and_an_object_too_large_for_a_record_is_quarantined_with_the_reason() {
    let stack = Stack::start().await;
    // Two hundred events' worth of text in `request`, which is no part of the object; then in the object
    // itself.
    let noise: String = (0..40_000_u32)
        .map(|i| format!("{:08x}", i.wrapping_mul(2_654_435_761).rotate_left(9) ^ i.pow(2)))
        .collect();
    let outside = subscription("evt_1", "created", 5, "active")
        .replace("\"livemode\"", &format!("\"note\":\"{noise}{noise}{noise}\",\"livemode\""));
    let inside =
        event("evt_2", "invoice.paid", 5, &json!({"object": "invoice", "id": "in_1", "note": large()}));
    for body in [outside, inside] {
        stack.receive(&body).await;
    }
    stack.sweep(crate::support::later(120)).await;
    assert_eq!(stack.state("evt_1").await.0, EventState::Processed);
    assert!(stack.row("evt_2").await.parts.is_some());
    let (state, reason) = stack.state("evt_2").await;
    assert_eq!(state, EventState::Quarantined);
    assert!(reason.unwrap().contains("too large"));
}

/// Text that hardly compresses.
fn large() -> String {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from_digit(u32::try_from(state >> 59).unwrap(), 36).unwrap()
    };
    std::iter::repeat_with(next).take(900_000).collect()
}

#[tokio::test]
async fn what_does_not_say_when_it_was_made_keeps_its_first_place_and_its_index_entries() {
    let link = |active: bool| json!({"object": "payment_link", "id": "plink_1", "active": active});
    let stack = Stack::start().await;
    apply(&stack, &event("evt_1", "payment_link.created", 5, &link(true))).await;
    let first = stack.record("-/payment_link/plink_1").await.unwrap();
    for (id, created) in [("evt_2", 7), ("evt_3", 9)] {
        let row = stack.receive(&event(id, "payment_link.updated", created, &link(false))).await;
        stack.cloud.clear_calls();
        stack.ring(&[row]).await;
        let record = stack.record("-/payment_link/plink_1").await.unwrap();
        assert_eq!((record.as_of.get(), record.list_position()), (created, first.list_position()));
        let of_index = |call: &test_cloud::Call| call.write_units.keys().any(|index| !index.is_empty());
        let calls = stack.cloud.calls();
        let written = calls.iter().filter(|call| call.table == "RecordsTable" && of_index(call));
        assert_eq!(written.count(), 0, "no entry of an index is written");
    }
}

#[tokio::test]
async fn a_card_that_is_taken_off_its_customer_costs_one_write_where_its_event_says_whose_it_was() {
    let card = |customer: Value| json!({"object": "payment_method", "id": "pm_1", "created": 5, "customer": customer});
    for (says, writes) in [(true, 1), (false, 2)] {
        let stack = Stack::start().await;
        apply(&stack, &event("evt_1", "payment_method.attached", 5, &card(json!("cus_1")))).await;
        let mut detached: Value =
            serde_json::from_str(&event("evt_2", "payment_method.detached", 7, &card(Value::Null))).unwrap();
        if says {
            detached["data"]["previous_attributes"] = json!({"customer": "cus_1"});
        }
        let row = stack.receive(&detached.to_string()).await;
        stack.cloud.clear_calls();
        stack.ring(&[row]).await;
        let calls = stack.cloud.calls();
        let puts = calls.iter().filter(|call| call.operation == "PutItem" && call.table == "RecordsTable");
        assert_eq!(puts.count(), writes);
        let (account, customer) = (shared::account::AccountKey::OWN, "cus_1".to_owned());
        let kind = shared::kind::Kind::from_object_name("payment_method").unwrap();
        let now_theirs =
            RecordListing::Customer { account: account.clone(), customer: customer.clone(), kind };
        assert!(stack.records().all(&now_theirs).await.unwrap().is_empty(), "Stripe does not list it either");
        let once_theirs = RecordListing::CustomerEver { account, customer, kind };
        assert_eq!(stack.records().all(&once_theirs).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_coupon_that_is_made_again_under_its_old_id_takes_the_place_of_the_deleted_one_in_any_order() {
    let coupon = |made: i64, percent: i64| json!({"object": "coupon", "id": "WELCOME", "created": made, "percent_off": percent});
    let bodies = [
        event("evt_1", "coupon.created", 3, &coupon(3, 10)),
        event("evt_2", "coupon.deleted", 9, &coupon(3, 10)),
        event("evt_3", "coupon.created", 9, &coupon(9, 20)),
        event("evt_4", "coupon.updated", 12, &coupon(9, 25)),
    ];
    let mut records = std::collections::BTreeSet::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2], [2, 3, 1, 0]] {
        let stack = Stack::start().await;
        for at in order.into_iter().chain(order) {
            apply(&stack, &bodies[at]).await;
        }
        let record = stack.record("-/coupon/WELCOME").await.unwrap();
        let place = record.list_position().to_owned();
        records.insert((record.deleted, stack.object("-/coupon/WELCOME").await.to_string(), place));
    }
    let (deleted, object, place) = records.first().unwrap();
    assert_eq!((records.len(), *deleted), (1, false), "{records:?}");
    assert!(object.contains(r#""percent_off":25"#) && place.starts_with("coupon#000000000009#"));
}

#[tokio::test]
async fn a_customer_whose_id_the_merchant_chose_stays_deleted() {
    let stack = Stack::start().await;
    let customer = |made: i64| json!({"object": "customer", "id": "shop-1", "created": made});
    apply(&stack, &event("evt_1", "customer.deleted", 9, &customer(3))).await;
    apply(&stack, &event("evt_2", "customer.updated", 12, &customer(10))).await;
    assert!(stack.record("-/customer/shop-1").await.unwrap().deleted);
}
