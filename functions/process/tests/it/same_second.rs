//! Where the events of one second cannot be put in order, Stripe is asked; and nothing is lost while it does
//! not answer.

use serde_json::{Value, json};
use shared::ledger::EventState;
use shared::records::OpenReason;
use shared::registry::Settings;
use simulated_stripe::{Fault, Key, Options, SimulatedStripe};
use test_cloud::fixtures::{event, now};

use crate::support::{Stack, later, subscription};

/// The second of the tie.
const TIE: i64 = 1_785_000_000;
const PATH: &str = "/v1/subscriptions/sub_1";

fn at_stripe(status: &str) -> Value {
    json!({ "object": "subscription", "id": "sub_1", "customer": "cus_1", "created": 5, "status": status })
}

/// A Stripe whose clock stands `after` seconds after the tie, and shows the subscription as `unpaid`.
fn stripe(after: i64) -> SimulatedStripe {
    let stripe = SimulatedStripe::start(Options::for_tests().at(TIE + after)).unwrap();
    stripe.put_object(None, &at_stripe("unpaid"));
    stripe
}

/// Two updates that do not say what they replaced.
fn tie() -> [String; 2] {
    [subscription("evt_1", "updated", TIE, "past_due"), subscription("evt_2", "updated", TIE, "active")]
}

async fn apply(stack: &Stack, body: &str) {
    let row = stack.receive(body).await;
    stack.ring(&[row]).await;
}

fn fetches(stripe: &SimulatedStripe) -> usize {
    stripe.requests().iter().filter(|request| request.path == PATH).count()
}

#[tokio::test]
async fn a_tie_ends_as_stripe_answers_in_either_order_with_one_fetch() {
    for order in [[0, 1], [1, 0]] {
        let stripe = stripe(60);
        let stack = Stack::with(&stripe).await;
        for i in order {
            apply(&stack, &tie()[i]).await;
        }
        let record = stack.record("-/subscription/sub_1").await.unwrap();
        assert_eq!(stack.object("-/subscription/sub_1").await, at_stripe("unpaid"));
        assert!(record.fetched && !record.order_uncertain && record.events.len() == 2);
        assert!((TIE..TIE + 60).contains(&record.as_of.get()), "{}", record.as_of);
        assert_eq!(fetches(&stripe), 1);
    }
}

#[tokio::test]
async fn what_stripe_answered_stands_against_older_events_and_gives_way_to_newer_ones() {
    let stripe = stripe(60);
    let stack = Stack::with(&stripe).await;
    for body in tie() {
        apply(&stack, &body).await;
    }
    apply(&stack, &subscription("evt_3", "updated", TIE, "incomplete")).await;
    apply(&stack, &subscription("evt_4", "updated", TIE + 30, "trialing")).await;
    assert_eq!(stack.object("-/subscription/sub_1").await["status"], "unpaid");
    apply(&stack, &subscription("evt_5", "updated", TIE + 60, "canceled")).await;
    assert_eq!(stack.object("-/subscription/sub_1").await["status"], "canceled");
    assert_eq!(fetches(&stripe), 1, "an answer settles the second");
    let states = [stack.state("evt_3").await.0, stack.state("evt_4").await.0, stack.state("evt_5").await.0];
    assert_eq!(states, [EventState::Superseded, EventState::Superseded, EventState::Processed]);
}

#[tokio::test]
async fn a_chain_of_states_needs_no_fetch() {
    let stripe = stripe(60);
    let stack = Stack::with(&stripe).await;
    let changed = |id: &str, from: &str, to: &str| {
        let mut body: Value = serde_json::from_str(&subscription(id, "updated", TIE, to)).unwrap();
        body["data"]["previous_attributes"] = json!({ "status": from });
        body.to_string()
    };
    apply(&stack, &changed("evt_9", "active", "past_due")).await;
    apply(&stack, &changed("evt_1", "past_due", "unpaid")).await;
    assert_eq!(stack.object("-/subscription/sub_1").await["status"], "unpaid");
    assert!(!stack.record("-/subscription/sub_1").await.unwrap().fetched);
    assert_eq!(fetches(&stripe), 0);
}

#[tokio::test]
async fn a_key_that_may_not_read_leaves_the_record_uncertain_and_the_same_in_either_order() {
    let mut records = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let stripe = stripe(60);
        stripe.set_keys(vec![Key::restricted("rk_test_withoutrights", &["events:read"])]);
        let stack = Stack::with(&stripe).await;
        for i in order {
            apply(&stack, &tie()[i]).await;
        }
        let record = stack.record("-/subscription/sub_1").await.unwrap();
        assert!(record.order_uncertain && !record.fetched);
        records.push((record.event, stack.object("-/subscription/sub_1").await));
    }
    assert_eq!(records[0], records[1]);
    assert_eq!(records[0].0.as_ref().unwrap().as_str(), "evt_2");
}

#[tokio::test]
async fn what_could_not_be_put_in_order_is_asked_for_once_the_key_may_and_an_event_is_applied_again() {
    let stripe = stripe(60);
    stripe.set_keys(vec![Key::restricted(&stripe.key(), &["events:read"])]);
    let stack = Stack::with(&stripe).await;
    for body in tie() {
        apply(&stack, &body).await;
    }
    let (state, reason) = stack.state("evt_2").await;
    assert_eq!(state, EventState::Processed);
    assert!(reason.unwrap().starts_with("order_uncertain: "), "so that it can be found");
    let uncertain = stack.records().open(OpenReason::OrderUncertain).await.unwrap();
    assert_eq!(uncertain.first, ["-/subscription/sub_1".parse().unwrap()]);

    stripe.set_keys(vec![Key::full(&stripe.key())]);
    let row = stack.row("evt_2").await;
    let admin = shared::ledger::Actor { by: "a@example.com", why: None };
    stack.ledger().replay(&row, admin, later(2)).await.unwrap();
    let fetched = fetches(&stripe);
    stack.sweep(later(130)).await;
    assert_eq!(stack.object("-/subscription/sub_1").await["status"], "unpaid");
    assert!(!stack.record("-/subscription/sub_1").await.unwrap().order_uncertain);
    assert_eq!(fetches(&stripe), fetched + 1);
    assert!(stack.records().open(OpenReason::OrderUncertain).await.unwrap().first.is_empty());
    let (_, reason) = stack.state("evt_2").await;
    assert!(reason.unwrap().contains("Stripe was asked"));
}

#[tokio::test]
async fn a_tie_of_which_one_event_has_expired_is_asked_about_and_never_decided_by_the_other() {
    let stripe = stripe(60);
    let stack = Stack::with(&stripe).await;
    stripe.add_fault(Fault::status(400).on("GET", PATH).times(100));
    for body in tie() {
        apply(&stack, &body).await;
    }
    assert_eq!(stack.state("evt_2").await.0, EventState::Dead);
    // Dead waits without end; the other is gone by the time an admin replays it.
    let at = now() + jiff::SignedDuration::from_hours(24 * 95);
    let replayed = async || {
        let ledger = stack.ledger();
        let row = ledger.get(&"evt_2".parse().unwrap(), at).await.unwrap().unwrap();
        let admin = shared::ledger::Actor { by: "a@example.com", why: None };
        ledger.replay(&row, admin, at).await.unwrap();
        let row = ledger.get(&"evt_2".parse().unwrap(), at).await.unwrap().unwrap();
        stack.ring_at(&[row], at).await.unwrap();
        stack.record("-/subscription/sub_1").await.unwrap()
    };
    stripe.clear_faults();
    let full = stripe.key();
    stripe.set_keys(vec![Key::restricted(&full, &["events:read"])]);
    let record = replayed().await;
    assert!(
        record.order_uncertain && record.event.unwrap().as_str() == "evt_1",
        "what it shows stays, marked as uncertain"
    );
    stripe.set_keys(vec![Key::full(&full)]);
    let record = replayed().await;
    assert!(record.fetched && !record.order_uncertain);
    assert_eq!(stack.object("-/subscription/sub_1").await["status"], "unpaid");
}

#[tokio::test]
async fn each_event_asks_once_also_while_others_write_the_record() {
    let stripe = stripe(60);
    stripe.set_keys(vec![Key::restricted(&stripe.key(), &["events:read"])]);
    let stack = Stack::with(&stripe).await;
    apply(&stack, &subscription("evt_0", "updated", TIE, "active")).await;
    let mut rows = Vec::new();
    for i in 1..6 {
        rows.push(stack.receive(&subscription(&format!("evt_{i}"), "updated", TIE, &format!("s{i}"))).await);
    }
    futures::future::join_all(rows.iter().map(|row| stack.ring(std::slice::from_ref(row)))).await;
    assert_eq!(stack.record("-/subscription/sub_1").await.unwrap().events.len(), 6);
    assert!(fetches(&stripe) <= 5, "{}", fetches(&stripe));
}

#[tokio::test]
async fn what_stripe_refuses_for_good_is_dead_at_once() {
    let stripe = stripe(60);
    let stack = Stack::with(&stripe).await;
    stripe.add_fault(Fault::status(400).on("GET", PATH).times(100));
    for body in tie() {
        apply(&stack, &body).await;
    }
    let row = stack.row("evt_2").await;
    assert_eq!((row.state, row.attempts), (EventState::Dead, 0), "{row:?}");
}

#[tokio::test]
async fn a_second_that_is_not_over_waits() {
    let stripe = stripe(0);
    let stack = Stack::with(&stripe).await;
    for body in tie() {
        apply(&stack, &body).await;
    }
    let (state, reason) = stack.state("evt_2").await;
    assert_eq!(state, EventState::Failed);
    assert!(reason.unwrap().contains("not over"));
    stripe.advance(2);
    assert_eq!(stack.sweep(later(60)).await.count(EventState::Processed), 1);
    assert_eq!(stack.object("-/subscription/sub_1").await["status"], "unpaid");
}

#[tokio::test]
async fn a_stripe_that_does_not_answer_or_throttles_loses_nothing() {
    let elses = |body: Value| Fault::status(200).body(body);
    for fault in [
        Fault::status(500),
        Fault::rate_limit(Some(false)),
        Fault::cut(),
        elses(json!("<html>sign in</html>")),
        elses(json!({ "id": "sub_1", "status": "active" })),
        elses(json!({ "id": "sub_2", "object": "subscription", "status": "active" })),
        elses(json!({ "id": "sub_1", "object": "customer", "status": "active" })),
    ] {
        let stripe = stripe(60);
        let stack = Stack::with(&stripe).await;
        stripe.add_fault(fault.on("GET", PATH).times(100));
        for body in tie() {
            apply(&stack, &body).await;
        }
        assert_eq!(stack.state("evt_2").await.0, EventState::Failed);
        stripe.clear_faults();
        stack.sweep(later(60)).await;
        assert_eq!(stack.object("-/subscription/sub_1").await["status"], "unpaid");
    }
}

/// Lets the settings know whose the stack's key is.
async fn know_account(stack: &Stack, account: &str) {
    let registry = stack.registry();
    let old = registry.settings().await.unwrap().unwrap();
    let mut new = Settings { stripe_account: Some(account.to_owned()), ..old.clone() };
    registry.store_settings(Some(&old), &mut new).await.unwrap();
}

#[tokio::test]
async fn an_object_that_is_gone_from_its_own_account_settles_and_nobody_is_told_to_do_anything() {
    let mut records = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let stripe = stripe(60);
        stripe.remove_object(None, "sub_1");
        let stack = Stack::with(&stripe).await;
        know_account(&stack, "acct_1Simulated").await;
        for i in order {
            apply(&stack, &tie()[i]).await;
        }
        for id in ["evt_1", "evt_2"] {
            let state = stack.state(id).await.0;
            assert!(matches!(state, EventState::Processed | EventState::Superseded), "{id}: {state}");
        }
        let record = stack.record("-/subscription/sub_1").await.unwrap();
        assert!(record.order_uncertain && record.gone_at_stripe && !record.deleted && !record.fetched);
        let uncertain = stack.records().open(OpenReason::OrderUncertain).await.unwrap();
        assert!(uncertain.first.is_empty(), "the status has nothing to say about it");
        records.push((record.event, stack.object("-/subscription/sub_1").await));
        // Applied once more, it is neither asked for nor changed.
        let asked = stripe.requests().len();
        let row = stack.row("evt_1").await;
        let admin = shared::ledger::Actor { by: "a@example.com", why: None };
        stack.ledger().replay(&row, admin, later(2)).await.unwrap();
        stack.sweep(later(130)).await;
        assert_eq!(stripe.requests().len(), asked);
        let reason =
            [stack.state("evt_1").await.1, stack.state("evt_2").await.1].map(Option::unwrap_or_default);
        assert!(reason.iter().any(|reason| reason.contains("no longer has the object")), "{reason:?}");
    }
    assert_eq!(records[0], records[1]);
}

#[tokio::test]
async fn an_object_that_is_gone_from_its_connected_account_settles_too() {
    let stripe = stripe(60);
    let stack = Stack::with(&stripe).await;
    for body in tie() {
        let mut body: Value = serde_json::from_str(&body).unwrap();
        body["account"] = "acct_1Connected".into();
        apply(&stack, &body.to_string()).await;
    }
    let record = stack.record("acct_1Connected/subscription/sub_1").await.unwrap();
    assert!(record.order_uncertain && record.gone_at_stripe);
}

#[tokio::test]
async fn an_account_that_is_another_or_cannot_be_asked_is_never_taken_for_ours() {
    let elses = Fault::status(200).body(json!({ "id": "acct_1Simulated" }));
    for fault in [None, Some(Fault::status(500)), Some(Fault::status(400)), Some(Fault::cut()), Some(elses)] {
        let stripe = stripe(60);
        stripe.remove_object(None, "sub_1");
        let stack = Stack::with(&stripe).await;
        let is_other = fault.is_none();
        know_account(&stack, if is_other { "acct_1Other" } else { "acct_1Simulated" }).await;
        if let Some(fault) = fault {
            stripe.add_fault(fault.on("GET", "/v1/account").times(100));
        }
        for body in tie() {
            apply(&stack, &body).await;
        }
        let (state, reason) = stack.state("evt_2").await;
        assert!(matches!(state, EventState::Failed | EventState::Dead), "{state}");
        assert_eq!(reason.unwrap().contains("another account"), is_other);
        assert!(!stack.record("-/subscription/sub_1").await.unwrap().gone_at_stripe);
    }
}

#[tokio::test]
async fn a_paid_invoice_whose_payment_is_detached_in_the_same_second_does_not_end_paid() {
    let invoice = |status: &str| json!({"object": "invoice", "id": "in_1", "created": 5, "status": status});
    for order in [[0, 1], [1, 0]] {
        let stripe = stripe(60);
        stripe.put_object(None, &invoice("open"));
        let stack = Stack::with(&stripe).await;
        let mut reopened: Value =
            serde_json::from_str(&event("evt_1", "invoice.updated", TIE, &invoice("open"))).unwrap();
        reopened["data"]["previous_attributes"] = json!({ "status": "paid" });
        let bodies = [reopened.to_string(), event("evt_2", "invoice.paid", TIE, &invoice("paid"))];
        for i in order {
            apply(&stack, &bodies[i]).await;
        }
        assert_eq!(stack.object("-/invoice/in_1").await["status"], "open");
    }
}

#[tokio::test]
async fn a_detached_invoice_payment_stays_detached_in_either_order_without_a_fetch() {
    for (order, status) in [([0, 1], "canceled"), ([1, 0], "canceled"), ([0, 1], "open"), ([1, 0], "open")] {
        let stripe = stripe(60);
        let stack = Stack::with(&stripe).await;
        let payment = |status: &str| json!({"object": "invoice_payment", "id": "inpay_1", "created": 5, "status": status});
        let bodies = [
            event("evt_1", "invoice_payment.detached", TIE, &payment(status)),
            event("evt_2", "invoice_payment.paid", TIE, &payment("paid")),
        ];
        for i in order {
            apply(&stack, &bodies[i]).await;
        }
        assert_eq!(stack.object("-/invoice_payment/inpay_1").await["status"], status);
        assert!(stripe.requests().is_empty());
    }
}

#[tokio::test]
async fn the_first_event_of_a_charge_gives_way_to_its_update_without_a_fetch() {
    let charge = |txn: Value, receipt: &str| {
        json!({
            "object": "charge", "id": "ch_1", "created": TIE, "status": "succeeded", "balance_transaction": txn,
            "receipt_url": format!("https://pay.stripe.com/receipts/{receipt}"),
        })
    };
    for order in [[0, 1], [1, 0]] {
        let stripe = stripe(60);
        let stack = Stack::with(&stripe).await;
        let mut updated: Value =
            serde_json::from_str(&event("evt_1", "charge.updated", TIE, &charge(json!("txn_1"), "a")))
                .unwrap();
        updated["data"]["previous_attributes"] =
            json!({ "balance_transaction": null, "receipt_url": "https://pay.stripe.com/receipts/b" });
        let bodies =
            [updated.to_string(), event("evt_2", "charge.succeeded", TIE, &charge(json!(null), "c"))];
        for i in order {
            apply(&stack, &bodies[i]).await;
        }
        assert_eq!(stack.object("-/charge/ch_1").await["balance_transaction"], "txn_1");
        assert!(stripe.requests().is_empty());
    }
}

#[tokio::test]
async fn half_an_emoji_is_kept_as_sent_and_what_cannot_be_held_is_set_aside_with_its_reason() {
    let stack = Stack::start().await;
    let with = |id: &str, name: &str| {
        event(id, "customer.updated", TIE, &json!({"object": "customer", "id": "cus_1", "name": "NAME"}))
            .replace("\"NAME\"", name)
    };
    apply(&stack, &with("evt_1", r#""a\ud83d""#)).await;
    assert_eq!(stack.state("evt_1").await.0, EventState::Processed);
    let kept = stack.record("-/customer/cus_1").await.unwrap().object().unwrap();
    assert!(String::from_utf8(kept).unwrap().contains(r#""a\ud83d""#));
    let deep = format!("{}{}", "[".repeat(130), "]".repeat(130));
    for (id, name, why) in [("evt_2", "1e999", "beyond any double"), ("evt_3", deep.as_str(), "127 levels")] {
        apply(&stack, &with(id, name)).await;
        let (state, reason) = stack.state(id).await;
        assert_eq!(state, EventState::Quarantined);
        assert!(reason.as_ref().unwrap().contains(why), "{reason:?}");
    }
}

#[tokio::test]
async fn an_object_that_stripe_does_not_know_is_an_error_and_never_a_deletion() {
    let stripe = stripe(60);
    stripe.remove_object(None, "sub_1");
    let stack = Stack::with(&stripe).await;
    for body in tie() {
        apply(&stack, &body).await;
    }
    let (state, reason) = stack.state("evt_2").await;
    assert_eq!(state, EventState::Failed);
    assert!(reason.unwrap().contains("another account"));
    assert!(!stack.record("-/subscription/sub_1").await.unwrap().deleted);
}

#[tokio::test]
async fn a_draft_invoice_that_is_gone_is_deleted() {
    let stripe = stripe(60);
    let stack = Stack::with(&stripe).await;
    for (id, amount) in [("evt_1", 5), ("evt_2", 7)] {
        let draft = json!({"object": "invoice", "id": "in_1", "status": "draft", "amount_due": amount});
        apply(&stack, &event(id, "invoice.updated", TIE, &draft)).await;
    }
    assert!(stack.record("-/invoice/in_1").await.unwrap().deleted);
}

#[tokio::test]
async fn what_stripe_has_deleted_stays_as_it_last_was_in_either_order() {
    let mut objects = std::collections::BTreeSet::new();
    for order in [[0, 1], [1, 0]] {
        let stripe = stripe(60);
        let stack = Stack::with(&stripe).await;
        know_account(&stack, "acct_1Simulated").await;
        let tax_id = |value: &str| json!({"object": "tax_id", "id": "txi_1", "created": 5, "customer": "cus_1", "value": value});
        let bodies = [
            event("evt_1", "customer.tax_id.updated", TIE, &tax_id("a")),
            event("evt_2", "customer.tax_id.updated", TIE, &tax_id("b")),
        ];
        for i in order {
            apply(&stack, &bodies[i]).await;
        }
        let record = stack.record("-/tax_id/txi_1").await.unwrap();
        assert!(record.deleted && record.fetched && !record.order_uncertain && !record.gone_at_stripe);
        let listing = shared::records::RecordListing::Customer {
            account: shared::account::AccountKey::OWN,
            customer: "cus_1".into(),
            kind: record.key.kind().unwrap(),
        };
        assert_eq!(stack.records().all(&listing).await.unwrap(), [record]);
        let mut object = stack.object("-/tax_id/txi_1").await;
        assert_eq!(object["deleted"].take(), true);
        objects.insert(object["value"].to_string());
    }
    assert_eq!(objects.len(), 1, "{objects:?}");
}

#[tokio::test]
async fn what_can_be_deleted_is_not_while_the_account_is_another_or_unknown() {
    for account in [Some("acct_1Other"), None] {
        let stripe = stripe(60);
        let stack = Stack::with(&stripe).await;
        if let Some(account) = account {
            know_account(&stack, account).await;
        }
        for (id, percent) in [("evt_1", 10), ("evt_2", 20)] {
            let coupon = json!({"object": "coupon", "id": "WELCOME", "created": 5, "percent_off": percent});
            apply(&stack, &event(id, "coupon.updated", TIE, &coupon)).await;
        }
        assert_eq!(stack.state("evt_2").await.0, EventState::Failed);
        let record = stack.record("-/coupon/WELCOME").await.unwrap();
        assert!(!record.deleted && !record.gone_at_stripe);
    }
}

#[tokio::test]
async fn a_customer_whom_stripe_shows_as_deleted_is_deleted() {
    let stripe = stripe(60);
    stripe.put_object(None, &json!({"object": "customer", "id": "cus_1", "deleted": true}));
    let stack = Stack::with(&stripe).await;
    for (id, email) in [("evt_1", "a@example.com"), ("evt_2", "b@example.com")] {
        let customer = json!({"object": "customer", "id": "cus_1", "email": email});
        apply(&stack, &event(id, "customer.updated", TIE, &customer)).await;
    }
    assert!(stack.record("-/customer/cus_1").await.unwrap().deleted);
    let customer = stack.object("-/customer/cus_1").await;
    let known = json!({"object": "customer", "id": "cus_1", "email": "b@example.com", "deleted": true});
    assert_eq!(customer, known, "what was known stays");
    apply(
        &stack,
        &event("evt_3", "customer.updated", TIE + 100, &json!({"object": "customer", "id": "cus_1"})),
    )
    .await;
    assert_eq!(stack.state("evt_3").await.0, EventState::Superseded);
}
