//! What goes and what stays.

use std::time::Duration;

use serde_json::json;
use shared::deadline::Deadline;
use shared::ledger::{Actor, EventState, Recorded, Transition};
use test_cloud::fixtures::{self, now, retention};

use crate::support::{PERSON, Stack, large_event, later, object};

#[tokio::test]
async fn the_person_goes_and_the_money_stays() {
    let stack = Stack::with_customer().await;
    assert_eq!(stack.naming(PERSON).await.len(), 8 + 9);
    stack.erase("cus_1").await;
    assert_eq!(stack.run(now()).await, json!({ "customers": 1, "records": 8, "events": 9 }));
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    assert_eq!(stack.naming("Bob").await, ["-/subscription/sub_2", "evt_10"]);

    let erased = stack.erasure("cus_1").await;
    assert_eq!(
        (&erased["state"], &erased["records"], &erased["events"]),
        (&json!("finished"), &json!(8), &json!(9))
    );
    let payment = stack.object("-/payment_intent/pi_1").await;
    let expected = json!({
        "object": "payment_intent", "id": "pi_1", "created": later(-10_000).as_second(), "amount": 700, "currency": "usd",
        "customer": "cus_1", "status": "succeeded", "amount_received": 700, "latest_charge": "ch_1",
    });
    assert_eq!(payment, expected);
    let joined = stack.object("-/invoice_payment/inpay_1").await;
    assert_eq!(joined["payment"], json!({ "type": "payment_intent", "payment_intent": "pi_1" }));
    let customer = stack.record("-/customer/cus_1").await;
    assert!(customer.erased && customer.deleted && customer.event.is_some());
    // A record that is not theirs is as it was.
    assert!(!stack.record("-/subscription/sub_2").await.erased);
}

#[tokio::test]
async fn what_is_said_of_them_with_the_money_in_the_balance_goes_too() {
    let stack = Stack::with_payment().await;
    let charge = object(
        "charge",
        "ch_1",
        json!({ "payment_intent": "pi_1", "balance_transaction": "txn_1", "failure_balance_transaction": "txn_2" }),
    );
    stack.apply("evt_04", "charge.updated", -50, &charge).await;
    let shown = object("balance_transaction", "txn_3", json!({}));
    let dispute = json!({ "charge": "ch_1", "payment_intent": "pi_1", "balance_transactions": [shown] });
    stack.apply("evt_05", "charge.dispute.created", -49, &object("dispute", "du_1", dispute)).await;
    for id in ["txn_1", "txn_2", "txn_3", "txn_of_others"] {
        let transaction = json!({
            "object": "balance_transaction", "id": id, "type": "charge", "amount": 1000, "fee": 59, "net": 941,
            "currency": "usd", "status": "available", "source": "ch_1", "description": format!("For {PERSON}"),
        });
        stack.store(&format!("-/balance_transaction/{id}"), &transaction).await;
    }
    stack.erase("cus_1").await;
    stack.run(now()).await;
    assert_eq!(stack.naming(PERSON).await, ["-/balance_transaction/txn_of_others"]);
    let erased = stack.object("-/balance_transaction/txn_1").await;
    let expected = json!({
        "object": "balance_transaction", "id": "txn_1", "type": "charge", "amount": 1000, "fee": 59, "net": 941,
        "currency": "usd", "status": "available",
    });
    assert_eq!(erased, expected);
}

#[tokio::test]
async fn an_event_without_its_payload_still_counts_as_held() {
    let stack = Stack::with_customer().await;
    let before = stack.row("evt_05").await;
    stack.erase("cus_1").await;
    stack.run(now()).await;
    let row = stack.row("evt_05").await;
    assert!(row.erased && row.body.is_none() && row.state == EventState::Processed);
    assert_eq!((row.expires_at, row.object, row.created), (before.expires_at, before.object, before.created));
    // Stripe sends it again, or reconciliation finds it in Stripe's list.
    let again = object("charge", "ch_1", json!({ "payment_intent": "pi_1" }));
    let body = fixtures::event("evt_05", "charge.succeeded", now().as_second(), &again);
    let outcome = stack.ledger().record(&fixtures::ledger_row(&body, now())).await.unwrap();
    assert_eq!(outcome, Recorded::Duplicate);
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_payload_in_parts_is_removed_from_each() {
    let stack = Stack::with_customer().await;
    let body = large_event("evt_20", -40, 1);
    // A receipt of it in another form, as of an endpoint of another API version, was cut off before its row.
    stack.store_first_part(&large_event("evt_20", -40, 2)).await;
    fixtures::receive(&stack.ledger(), &body, later(-40)).await;
    assert!(stack.naming(PERSON).await.contains(&"a part of evt_20".to_owned()));
    stack.sweep(later(-37)).await;
    assert!(stack.row("evt_20").await.parts.is_some(), "it is large enough");
    stack.erase("cus_1").await;
    stack.run(now()).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    let row = stack.row("evt_20").await;
    assert!(row.erased && row.parts.is_none());
    let items = stack.cloud.items("LedgerTable").await;
    let parts: Vec<_> = items.iter().filter(|item| item["id"]["S"] == "evt_20").collect();
    assert!(parts.len() > 3 && parts.iter().all(|part| part.get("body").is_none()), "{parts:?}");
    assert!(parts.iter().all(|part| part["expires_at"] == parts[0]["expires_at"]), "they go with the row");
}

#[tokio::test]
async fn what_an_admin_wrote_about_an_event_goes_with_it() {
    let stack = Stack::with_customer().await;
    stack.receive("evt_21", "customer.updated", -50, &object("customer", "cus_1", json!({}))).await;
    let row = stack.row("evt_21").await;
    let dead = Transition::with_reason(EventState::Dead, "invalid type: string \"Ann\"");
    stack.ledger().transition(&row, &dead, retention(), later(-49)).await.unwrap();
    let actor = Actor { by: "admin@example.com", why: Some("Ann has asked for it") };
    let row = stack.row("evt_21").await;
    stack.ledger().discard(&row, actor, retention(), later(-48)).await.unwrap();
    assert!(stack.naming(PERSON).await.contains(&"evt_21".to_owned()));
    stack.erase("cus_1").await;
    stack.run(now()).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    let row = stack.row("evt_21").await;
    assert_eq!((row.reason.as_deref(), row.by.as_deref()), (Some("erased"), Some("admin@example.com")));
}

#[tokio::test]
async fn the_second_page_of_records_and_of_events_is_erased_too() {
    let stack = Stack::with_customer().await;
    for i in 0..60 {
        let invoice =
            object("invoice", &format!("in_{i:03}"), json!({ "customer": "cus_1", "status": "paid" }));
        stack.receive(&format!("evt_i{i:03}"), "invoice.paid", -45, &invoice).await;
    }
    for i in 0..120 {
        let fields = json!({ "customer": "cus_1", "status": "active", "n": i });
        stack
            .receive(
                &format!("evt_s{i:03}"),
                "customer.subscription.updated",
                -300 + i,
                &object("subscription", "sub_1", fields),
            )
            .await;
    }
    stack.sweep(later(-42)).await;
    stack.erase("cus_1").await;
    // A run whose time is up does one page, and the next goes on after it.
    let mut runs = 0;
    while stack.erasure("cus_1").await["state"] == "running" {
        runs += 1;
        assert!(runs < 50, "{}", stack.erasure("cus_1").await);
        stack.try_run(&stack.cold(), later(runs), Deadline::NEVER.within(Duration::ZERO)).await.unwrap();
    }
    assert!(runs > 5, "{runs}");
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
    assert_eq!(stack.erasure("cus_1").await["records"], 68);
}

#[tokio::test]
async fn a_payment_of_nobody_is_theirs_by_the_charge_that_names_them() {
    let stack = Stack::start().await;
    stack.apply("evt_50", "customer.deleted", -60, &object("customer", "cus_1", json!({}))).await;
    for (n, charge, customer) in [(1, "ch_1", json!("cus_1")), (2, "ch_2", json!("cus_2"))] {
        let payment = format!("pi_{n}");
        let intent = json!({ "customer": null, "status": "succeeded", "latest_charge": charge, "receipt_email": "Ann@example.com" });
        stack
            .store(&format!("-/payment_intent/{payment}"), &object("payment_intent", &payment, intent))
            .await;
        let fields = json!({ "customer": customer, "payment_intent": payment, "status": "succeeded" });
        stack.store(&format!("-/charge/{charge}"), &object("charge", charge, fields)).await;
        let declined = json!({ "customer": null, "payment_intent": payment, "status": "failed" });
        let declined_id = format!("ch_{n}_declined");
        stack.store(&format!("-/charge/{declined_id}"), &object("charge", &declined_id, declined)).await;
        let refund = json!({ "payment_intent": payment, "status": "succeeded" });
        stack.store(&format!("-/refund/re_{n}"), &object("refund", &format!("re_{n}"), refund)).await;
    }
    // Of one payment, a declined try was somebody else's.
    let other = json!({ "customer": "cus_2", "payment_intent": "pi_1", "status": "failed" });
    stack.store("-/charge/ch_3", &object("charge", "ch_3", other)).await;
    stack
        .store(
            "-/dispute/dp_3",
            &object("dispute", "dp_3", json!({ "payment_intent": "pi_1", "charge": "ch_3" })),
        )
        .await;
    stack.erase("cus_1").await;
    assert_eq!(stack.run(now()).await["records"], 5);
    let left = ["-/charge/ch_2", "-/charge/ch_2_declined", "-/charge/ch_3", "-/dispute/dp_3"];
    let left = left.into_iter().chain(["-/payment_intent/pi_2", "-/refund/re_2"]);
    assert_eq!(stack.naming(PERSON).await, left.collect::<Vec<_>>());
}

#[tokio::test]
async fn what_names_an_invoice_and_no_payment_is_erased_with_the_invoice() {
    let stack = Stack::with_customer().await;
    let outside =
        json!({ "invoice": "in_1", "status": "paid", "payment": { "type": "out_of_band_payment" } });
    stack.store("-/invoice_payment/inpay_2", &object("invoice_payment", "inpay_2", outside)).await;
    stack.erase("cus_1").await;
    stack.run(now()).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_paid_an_invoice_of_theirs_and_names_nobody_is_theirs() {
    let stack = Stack::start().await;
    stack.apply("evt_70", "customer.deleted", -60, &object("customer", "cus_1", json!({}))).await;
    stack
        .apply("evt_71", "invoice.paid", -59, &object("invoice", "in_1", json!({"customer": "cus_1"})))
        .await;
    let store = async |kind: &str, id: &str, fields: serde_json::Value| {
        stack.store(&format!("-/{kind}/{id}"), &object(kind, id, fields)).await;
    };
    let paid_by =
        |payment: serde_json::Value| json!({ "invoice": "in_1", "status": "paid", "payment": payment });
    // A payment of nobody, with its charge and its refund, and with a payload.
    store("invoice_payment", "inpay_1", paid_by(json!({ "payment_intent": "pi_9" }))).await;
    let payment = object("payment_intent", "pi_9", json!({ "customer": null, "status": "succeeded" }));
    stack.apply("evt_72", "payment_intent.succeeded", -58, &payment).await;
    store("charge", "ch_9", json!({ "customer": null, "payment_intent": "pi_9" })).await;
    store("refund", "re_9", json!({ "charge": "ch_9", "status": "succeeded" })).await;
    // A charge of nobody without a payment.
    store("invoice_payment", "inpay_2", paid_by(json!({ "charge": "ch_8" }))).await;
    store("charge", "ch_8", json!({ "customer": null })).await;
    store("dispute", "dp_8", json!({ "charge": "ch_8" })).await;
    // A payment without a record, of which a charge is known.
    store("invoice_payment", "inpay_3", paid_by(json!({ "payment_intent": "pi_7" }))).await;
    store("charge", "ch_7", json!({ "customer": null, "payment_intent": "pi_7" })).await;
    // Somebody else has paid it.
    store("invoice_payment", "inpay_4", paid_by(json!({ "payment_intent": "pi_6" }))).await;
    store("payment_intent", "pi_6", json!({ "customer": "cus_2" })).await;
    store("charge", "ch_6", json!({ "customer": null, "payment_intent": "pi_6" })).await;
    store("invoice_payment", "inpay_5", paid_by(json!({ "charge": "ch_6" }))).await;
    stack.erase("cus_1").await;
    stack.run(now()).await;
    assert_eq!(stack.naming(PERSON).await, ["-/charge/ch_6", "-/payment_intent/pi_6"]);
}

#[tokio::test]
async fn a_card_that_was_taken_off_the_customer_goes_with_its_mandate_and_its_events() {
    let card =
        |customer: serde_json::Value| object("payment_method", "pm_1", json!({ "customer": customer }));
    let mandate = object("mandate", "mandate_1", json!({ "payment_method": "pm_1", "status": "active" }));
    // As they happened, and the last first.
    for order in [[0, 1, 2], [2, 1, 0]] {
        let stack = Stack::start().await;
        stack.apply("evt_01", "customer.deleted", -60, &object("customer", "cus_1", json!({}))).await;
        let events = [
            ("evt_02", "payment_method.attached", -59, card(json!("cus_1"))),
            ("evt_03", "payment_method.detached", -58, card(json!(null))),
            ("evt_04", "mandate.updated", -57, mandate.clone()),
        ];
        for number in order {
            let (id, event_type, minutes, object) = &events[number];
            stack.receive(id, event_type, *minutes, object).await;
            stack.sweep(later(-50 + i64::try_from(number).unwrap())).await;
        }
        assert_eq!(stack.naming(PERSON).await.len(), 3 + 4, "{order:?}");
        stack.erase("cus_1").await;
        stack.run(now()).await;
        assert_eq!(stack.naming(PERSON).await, Vec::<String>::new(), "{order:?}");
        assert!(stack.object("-/payment_method/pm_1").await["customer"].is_null());
    }
}

#[tokio::test]
async fn a_card_of_which_only_the_end_is_known_goes_by_what_its_event_replaced() {
    let stack = Stack::start().await;
    stack.apply("evt_01", "customer.deleted", -60, &object("customer", "cus_1", json!({}))).await;
    let card = object("payment_method", "pm_1", json!({ "customer": null }));
    let detached = fixtures::event("evt_02", "payment_method.detached", later(-58).as_second(), &card);
    let mut detached: serde_json::Value = serde_json::from_str(&detached).unwrap();
    detached["data"]["previous_attributes"] = json!({ "customer": "cus_1" });
    fixtures::receive(&stack.ledger(), &detached.to_string(), later(-58)).await;
    stack.sweep(later(-55)).await;
    stack.erase("cus_1").await;
    stack.run(now()).await;
    assert_eq!(stack.naming(PERSON).await, Vec::<String>::new());
}
