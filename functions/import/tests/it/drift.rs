//! The nightly comparison finds, corrects and reports what changed at Stripe without an event; nothing else.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::kind::Kind;
use shared::records::RecordListing;
use shared::registry::{DriftReport, Settings};
use simulated_stripe::{Fault, Key};
use test_cloud::fixtures::now;

use crate::support::{Stack, ago, customer, event, later, nested};

const KEY: &str = "-/customer/cus_1";

fn update(id: &str, email: &str, at: Timestamp) -> String {
    event(id, "customer.updated", at, &customer("cus_1", email))
}

fn stripe_calls(stack: &Stack) -> usize {
    stack.stripe.requests().len()
}

/// The first comparison, and the run that compares its mismatches again.
async fn compare(stack: &Stack) {
    stack.run(later(0)).await;
    stack.run(later(11)).await;
}

#[tokio::test]
async fn a_change_without_an_event_is_found_corrected_and_reported() {
    let stack = Stack::new().await;
    stack.apply(&update("evt_1", "old", ago(60)), ago(60)).await;
    stack.put(&customer("cus_1", "new"));
    stack.run(later(0)).await;
    assert_eq!(stack.object(KEY).await["email"], "old", "an event may be on its way");
    assert_eq!((stack.comparison().await.last, stripe_calls(&stack)), (None, 1));
    stack.run(later(9)).await;
    assert_eq!(stripe_calls(&stack), 1);
    stack.run(later(10)).await;
    assert_eq!(stack.object(KEY).await["email"], "new");
    let report = stack.report().await;
    assert_eq!((report.looked_at, report.differed.count), (1, 1));
    assert_eq!(
        (report.differed.first[0].key.to_string().as_str(), &report.differed.first[0].fields),
        (KEY, &vec!["email".to_owned()])
    );
    let last = stack.comparison().await.last.unwrap();
    assert_eq!((last.begun_at, last.finished_at), (now().into(), later(10).into()));
    // The status reads it.
    let rows = stack.registry().status_rows(&[], now()).await.unwrap();
    assert_eq!(rows.drift, Some(stack.comparison().await));
}

#[tokio::test]
async fn a_change_whose_event_was_on_its_way_is_not_reported() {
    let stack = Stack::new().await;
    stack.apply(&update("evt_1", "old", ago(60)), ago(60)).await;
    stack.put(&customer("cus_1", "new"));
    stack.run(later(0)).await;
    stack.apply(&update("evt_2", "new", now()), later(1)).await;
    stack.run(later(11)).await;
    assert_eq!(stack.report().await.differed.count, 0);
    assert_eq!(stack.record(KEY).await.unwrap().event.unwrap().as_str(), "evt_2");
}

#[tokio::test]
async fn a_mismatch_of_what_has_changed_again_is_left_to_the_next_night() {
    let stack = Stack::new().await;
    stack.apply(&update("evt_1", "old", ago(60)), ago(60)).await;
    stack.put(&customer("cus_1", "new"));
    stack.run(later(0)).await;
    stack.apply(&update("evt_2", "newer", later(5)), later(5)).await;
    stack.put(&customer("cus_1", "newest"));
    stack.run(later(11)).await;
    assert_eq!((stack.report().await.differed.count, stripe_calls(&stack)), (0, 1));
    assert_eq!(stack.object(KEY).await["email"], "newer", "the event of the newest is on its way");
    for minutes in [1_440, 1_451] {
        stack.run(later(minutes)).await;
    }
    assert_eq!((stack.report().await.differed.count, stripe_calls(&stack)), (1, 3));
    assert_eq!(stack.object(KEY).await["email"], "newest");
}

#[tokio::test]
async fn what_is_the_same_what_is_deleted_and_what_is_young_is_left_alone() {
    let stack = Stack::new().await;
    stack.apply(&update("evt_1", "same", ago(60)), ago(60)).await;
    stack.put(&customer("cus_1", "same"));
    stack.apply(&event("evt_2", "customer.deleted", ago(50), &customer("cus_2", "a")), ago(50)).await;
    // It has an event in time, and a younger one as well.
    stack.apply(&event("evt_3", "customer.updated", ago(40), &customer("cus_3", "a")), ago(40)).await;
    stack.apply(&event("evt_4", "customer.updated", ago(5), &customer("cus_3", "b")), ago(5)).await;
    stack.put(&customer("cus_3", "c"));
    // Too old for the first night, and no record at all.
    stack.apply(&event("evt_5", "customer.updated", ago(1_500), &customer("cus_5", "a")), ago(1_500)).await;
    stack.receive(&event("evt_6", "invoice.upcoming", ago(30), &json!({"object": "invoice"})), ago(30)).await;
    let before = stack.cloud.items("RecordsTable").await;
    compare(&stack).await;
    let calls = [(Kind::CUSTOMER, 1)].into();
    assert_eq!(stack.report().await, DriftReport { looked_at: 1, calls, ..DriftReport::default() });
    assert_eq!(stack.cloud.items("RecordsTable").await, before);
    assert_eq!(stripe_calls(&stack), 1);
}

#[tokio::test]
async fn an_object_is_looked_at_once_however_many_events_it_had() {
    let stack = Stack::new().await;
    for i in 0..150 {
        let at = ago(1_000 - i);
        stack.receive(&update(&format!("evt_{i:03}"), &i.to_string(), at), at).await;
    }
    stack.apply(&update("evt_last", "last", ago(30)), ago(30)).await;
    stack.put(&customer("cus_1", "last"));
    compare(&stack).await;
    assert_eq!((stripe_calls(&stack), stack.report().await.looked_at), (1, 1));
}

#[tokio::test]
async fn records_are_compared_once_a_night() {
    let stack = Stack::new().await;
    let at = |time: &str| -> Timestamp { time.parse().unwrap() };
    let begun = async || stack.comparison().await.last.map(|last| last.begun_at.to_timestamp().unwrap());
    for (time, expected) in [
        ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"),
        ("2026-11-24T12:01:00Z", "2026-11-24T12:00:00Z"),
        ("2026-11-25T01:59:00Z", "2026-11-24T12:00:00Z"),
        ("2026-11-25T02:00:00Z", "2026-11-25T02:00:00Z"),
        ("2026-11-25T02:01:00Z", "2026-11-25T02:00:00Z"),
        ("2026-11-26T09:00:00Z", "2026-11-26T09:00:00Z"),
    ] {
        stack.run(at(time)).await;
        assert_eq!(begun().await, Some(at(expected)), "at {time}");
    }
}

#[tokio::test]
async fn what_came_in_between_two_nights_is_looked_at_in_one_of_them() {
    let stack = Stack::new().await;
    stack.comparison_finished(ago(3 * 1_440)).await;
    for (id, minutes) in [("cus_a", 2 * 1_440), ("cus_b", 12), ("cus_c", 9)] {
        let body = event(&format!("evt_{id}"), "customer.updated", ago(minutes), &customer(id, "a"));
        stack.apply(&body, ago(minutes)).await;
        stack.put(&customer(id, "a"));
    }
    stack.run(later(0)).await;
    assert_eq!(stack.report().await.looked_at, 2, "the third is young");
    stack.run(later(1_440)).await;
    assert_eq!(stack.report().await.looked_at, 1);
    assert_eq!(stripe_calls(&stack), 3);
}

#[tokio::test]
async fn a_long_comparison_is_continued_run_by_run() {
    let mut stack = Stack::new().await;
    for i in 0..5 {
        let id = format!("cus_{i}");
        stack
            .apply(
                &event(&format!("evt_{i}"), "customer.updated", ago(60 - i), &customer(&id, "a")),
                ago(60 - i),
            )
            .await;
        stack.put(&customer(&id, if i % 2 == 0 { "a" } else { "b" }));
    }
    // One that came late, listed before each of the others.
    for i in 0..5 {
        let older = event(&format!("evt_late_{i}"), "customer.updated", ago(90), &customer("cus_0", "z"));
        stack.apply(&older, ago(58 - i)).await;
    }
    // Each run has time for one object.
    stack.deadline = Deadline::after(Duration::ZERO);
    let mut runs = 0;
    while stack.comparison().await.last.is_none() {
        stack.run(later(runs * 11)).await;
        runs += 1;
        assert!(runs < 20);
    }
    let report = stack.report().await;
    assert_eq!((report.looked_at, report.differed.count, stripe_calls(&stack)), (5, 2, 7));
    assert!(runs >= 7, "{runs}");
}

#[tokio::test]
async fn what_stripe_does_not_know_is_reported_and_never_deleted_but_a_draft() {
    let stack = Stack::new().await;
    let invoice =
        |id: &str, status: &str| json!({ "object": "invoice", "id": id, "created": 5, "status": status });
    for (i, (id, status)) in [("in_draft", "draft"), ("in_open", "open")].into_iter().enumerate() {
        stack
            .apply(&event(&format!("evt_{i}"), "invoice.updated", ago(60), &invoice(id, status)), ago(60))
            .await;
    }
    stack.apply(&update("evt_2", "a", ago(60)), ago(60)).await;
    compare(&stack).await;
    let report = stack.report().await;
    let missing: Vec<_> = report.missing.first.iter().map(ToString::to_string).collect();
    assert_eq!((report.missing.count, report.gone.count), (2, 0), "nobody knows which account it is");
    assert!(
        missing.contains(&"-/invoice/in_open".to_owned()) && missing.contains(&KEY.to_owned()),
        "{missing:?}"
    );
    assert!(!stack.record("-/invoice/in_open").await.unwrap().deleted);
    assert!(!stack.record(KEY).await.unwrap().deleted);
    let draft = stack.record("-/invoice/in_draft").await.unwrap();
    assert!(draft.deleted);
    assert_eq!(report.differed.first[0].fields, ["deleted"]);
    assert_eq!(
        stack.object("-/invoice/in_draft").await,
        json!({"id": "in_draft", "object": "invoice", "created": 5, "status": "draft", "deleted": true}),
        "what was known stays"
    );
}

#[tokio::test]
async fn what_stripe_does_not_know_is_gone_unless_the_key_is_of_another_account() {
    // The simulated account, another, one that the key may not name, and one that was never named.
    for (account, may_ask, is_gone) in [
        (Some("acct_1Simulated"), true, true),
        (Some("acct_other"), true, false),
        (Some("acct_1Simulated"), false, true),
        (Some("acct_other"), false, false),
        (None, true, false),
    ] {
        let stack = Stack::new().await;
        let registry = stack.registry();
        let old = registry.settings().await.unwrap().unwrap();
        let mut new = Settings { stripe_account: account.map(str::to_owned), ..old.clone() };
        registry.store_settings(Some(&old), &mut new).await.unwrap();
        if !may_ask {
            let key = Key::restricted(&stack.stripe.key(), &["customers:read"]);
            stack.stripe.set_keys(vec![key]);
        }
        for id in ["cus_1", "cus_2"] {
            let body = event(&format!("evt_{id}"), "customer.updated", ago(60), &customer(id, "a"));
            stack.apply(&body, ago(60)).await;
        }
        stack.run(later(0)).await;
        let report = stack.report().await;
        let expected = if is_gone { (2, 0) } else { (0, 2) };
        assert_eq!((report.gone.count, report.missing.count), expected, "{account:?} {may_ask}");
        let record = stack.record(KEY).await.unwrap();
        assert_eq!((record.gone_at_stripe, record.deleted), (is_gone, false), "{account:?} {may_ask}");
        let asked = stack.stripe.requests().iter().filter(|call| call.path == "/v1/account").count();
        assert_eq!(asked, usize::from(account.is_some()), "once a run");
    }
}

#[tokio::test]
async fn what_can_be_deleted_for_good_is_deleted_if_stripe_does_not_know_it_and_the_key_is_of_its_account() {
    for (account, is_deleted) in [(Some("acct_1Simulated"), true), (Some("acct_other"), false), (None, false)]
    {
        let stack = Stack::new().await;
        let registry = stack.registry();
        let old = registry.settings().await.unwrap().unwrap();
        let mut new = Settings { stripe_account: account.map(str::to_owned), ..old.clone() };
        registry.store_settings(Some(&old), &mut new).await.unwrap();
        let coupon = json!({ "object": "coupon", "id": "WELCOME10", "created": 5, "percent_off": 10 });
        stack.apply(&event("evt_1", "coupon.updated", ago(60), &coupon), ago(60)).await;
        compare(&stack).await;
        let record = stack.record("-/coupon/WELCOME10").await.unwrap();
        assert_eq!((record.deleted, record.gone_at_stripe), (is_deleted, false), "{account:?}");
        let report = stack.report().await;
        assert_eq!((report.gone.count, report.missing.count), (0, u64::from(!is_deleted)), "{account:?}");
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_asked_for_now_halts_the_comparison() {
    let stack = Stack::new().await;
    let registry = stack.registry();
    let old = registry.settings().await.unwrap().unwrap();
    let mut new = Settings { stripe_account: Some("acct_1Simulated".into()), ..old.clone() };
    registry.store_settings(Some(&old), &mut new).await.unwrap();
    stack.apply(&update("evt_1", "a", ago(60)), ago(60)).await;
    stack.stripe.add_fault(Fault::rate_limit(Some(false)).on("GET", "/v1/account").times(100));
    stack.run(later(0)).await;
    assert!(stack.comparison().await.halted.is_some());
    stack.stripe.clear_faults();
    stack.run(later(1)).await;
    assert_eq!(stack.report().await.gone.count, 1);
}

#[tokio::test]
async fn an_event_that_is_applied_after_the_night_in_which_it_came_is_compared_in_the_next() {
    let stack = Stack::new().await;
    // Received before the night, and not applied when it comes: it failed, say.
    stack.receive(&update("evt_1", "old", ago(60)), ago(60)).await;
    stack.put(&customer("cus_1", "new"));
    stack.run(later(0)).await;
    assert_eq!((stack.report().await.looked_at, stripe_calls(&stack)), (0, 0));
    // It waits for one more night.
    stack.run(later(1_440)).await;
    assert_eq!(stack.report().await.looked_at, 0);
    stack.sweep(later(1_500)).await;
    for minutes in [2 * 1_440, 2 * 1_440 + 11] {
        stack.run(later(minutes)).await;
    }
    let report = stack.report().await;
    assert_eq!((report.looked_at, report.differed.count), (1, 1));
    assert_eq!(stack.object(KEY).await["email"], "new");
    let calls = stripe_calls(&stack);
    stack.run(later(3 * 1_440)).await;
    assert_eq!((stack.report().await.looked_at, stripe_calls(&stack)), (0, calls), "it is looked at once");
}

#[tokio::test]
async fn an_event_that_waited_is_compared_though_it_was_applied_by_a_run_that_had_begun_before_the_night() {
    let stack = Stack::new().await;
    stack.receive(&update("evt_1", "old", ago(60)), ago(60)).await;
    stack.put(&customer("cus_1", "new"));
    stack.run(later(0)).await;
    // Its row says when the run had begun that applied it, not when it was written.
    stack.sweep(ago(1)).await;
    for minutes in [1_440, 1_451] {
        stack.run(later(minutes)).await;
    }
    let report = stack.report().await;
    assert_eq!((report.looked_at, report.differed.count), (1, 1));
}

/// A night in which so many events waited, which were applied after it.
async fn applied_after_the_night(count: u64) -> Stack {
    let stack = Stack::new().await;
    for i in 0..count {
        let id = format!("cus_{i:03}");
        let body = event(&format!("evt_{i:03}"), "customer.updated", ago(60), &customer(&id, "a"));
        stack.receive(&body, ago(60)).await;
        stack.put(&customer(&id, "a"));
    }
    stack.run(later(0)).await;
    stack.sweep(later(30)).await;
    assert_eq!(stack.count().await as u64, count);
    stack
}

#[tokio::test]
async fn more_events_that_waited_than_a_page_has_are_all_looked_at() {
    let stack = applied_after_the_night(105).await;
    stack.run(later(1_440)).await;
    assert_eq!((stack.report().await.looked_at, stripe_calls(&stack)), (105, 105));
}

#[tokio::test]
async fn a_comparison_of_what_waited_is_continued_run_by_run() {
    let mut stack = applied_after_the_night(4).await;
    // Each run has time for one object.
    stack.deadline = Deadline::after(Duration::ZERO);
    for run in 0..4 {
        assert_eq!(stack.comparison().await.again.len(), if run == 0 { 0 } else { 4 - run });
        stack.run(later(1_440 + i64::try_from(run).unwrap())).await;
    }
    for run in 4..6 {
        stack.run(later(1_440 + run)).await;
    }
    assert_eq!((stack.report().await.looked_at, stripe_calls(&stack)), (4, 4));
}

#[tokio::test]
async fn addresses_that_are_signed_anew_and_keys_that_say_nothing_are_no_difference() {
    let stack = Stack::new().await;
    let charge = |fraud_details: Value, receipt: &str| {
        json!({
            "object": "charge", "id": "ch_1", "created": 5, "fraud_details": fraud_details,
            "receipt_url": format!("https://pay.stripe.com/receipts/{receipt}"),
        })
    };
    let body = event("evt_1", "charge.updated", ago(60), &charge(json!({ "user_report": null }), "1"));
    stack.apply(&body, ago(60)).await;
    stack.put(&charge(json!({}), "1"));
    stack.run(later(0)).await;
    let report = stack.report().await;
    assert_eq!((report.looked_at, report.differed.count), (1, 0), "finished without a mismatch");
}

#[tokio::test]
async fn half_an_emoji_is_compared_and_its_record_is_still_found_where_it_belongs() {
    let charge = |description: &str| {
        json!({
            "object": "charge", "id": "ch_1", "created": 5, "customer": "cus_1", "description": description,
        })
    };
    for (before, at_stripe, differing) in [("a\u{fffd}", "a\u{fffd}", 0), ("a", "a\u{fffd}", 1)] {
        let stack = Stack::new().await;
        let body = event("evt_1", "charge.updated", ago(60), &charge(before)).replace('\u{fffd}', "\\ud83d");
        stack.apply(&body, ago(60)).await;
        stack.put(&charge(at_stripe));
        compare(&stack).await;
        let report = stack.report().await;
        assert_eq!((report.looked_at, report.differed.count), (1, differing), "{before}");
        let kept = stack.record("-/charge/ch_1").await.unwrap().object().unwrap();
        assert!(String::from_utf8(kept).unwrap().contains(r#""a\ud83d""#), "{before}");
        let of_customer = RecordListing::Customer {
            account: AccountKey::OWN,
            customer: "cus_1".into(),
            kind: Kind::CHARGE,
        };
        let listed = stack.records().list(&of_customer, None, 10, |_| true).await.unwrap();
        assert_eq!(listed.records.len(), 1, "{before}");
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_held_is_reported_as_unread_and_its_record_stays() {
    let stack = Stack::new().await;
    stack.apply(&update("evt_1", "a", ago(60)), ago(60)).await;
    let mut customer = customer("cus_1", "b");
    customer["metadata"] = nested();
    stack.put(&customer);
    compare(&stack).await;
    let report = stack.report().await;
    assert_eq!((report.unread.count, report.differed.count), (1, 0), "{report:?}");
    let unread = &report.unread.first[0];
    assert_eq!(unread.key.to_string(), KEY);
    assert!(unread.failure.message.contains("127 levels"), "{unread:?}");
    assert!(unread.failure.request_id.is_some());
    assert_eq!(stack.object(KEY).await["email"], "a");
}

#[tokio::test]
async fn a_customer_that_stripe_shows_as_deleted_is_deleted() {
    let stack = Stack::new().await;
    stack.apply(&update("evt_1", "a", ago(60)), ago(60)).await;
    let position = stack.record(KEY).await.unwrap().list_position().to_owned();
    stack.put(&json!({ "object": "customer", "id": "cus_1", "deleted": true }));
    compare(&stack).await;
    let record = stack.record(KEY).await.unwrap();
    assert!(record.deleted);
    assert_eq!(record.list_position(), position, "it stays where it was in lists");
    assert_eq!(stack.object(KEY).await["email"], "a", "what was known stays");
}

#[tokio::test]
async fn what_the_key_may_not_read_is_reported_once_and_not_fetched_again() {
    let stack = Stack::new().await;
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["charges:read"])]);
    for i in 0..3 {
        let id = format!("cus_{i}");
        stack
            .apply(&event(&format!("evt_{i}"), "customer.updated", ago(60), &customer(&id, "a")), ago(60))
            .await;
    }
    let charge = |status: &str| json!({ "object": "charge", "id": "ch_1", "created": 5, "status": status });
    stack.apply(&event("evt_c", "charge.updated", ago(60), &charge("pending")), ago(60)).await;
    stack.put(&charge("succeeded"));
    compare(&stack).await;
    let report = stack.report().await;
    assert_eq!((report.refused.count, report.differed.count, report.looked_at), (1, 1, 1));
    assert_eq!(report.refused.first[0].kind.plural(), "customers");
    assert_eq!(stripe_calls(&stack), 1 + 2);
}

#[tokio::test]
async fn objects_of_connected_accounts_are_fetched_there() {
    let stack = Stack::new().await;
    for (id, account) in [("evt_1", "acct_1"), ("evt_2", "acct_2")] {
        let mut body: Value = serde_json::from_str(&update(id, "old", ago(60))).unwrap();
        body["account"] = json!(account);
        stack.apply(&body.to_string(), ago(60)).await;
        stack.stripe.put_object(Some(account), &customer("cus_1", "new"));
    }
    stack.stripe.disconnect("acct_2");
    compare(&stack).await;
    assert_eq!(stack.object("acct_1/customer/cus_1").await["email"], "new");
    assert_eq!(stack.object("acct_2/customer/cus_1").await["email"], "old");
    let report = stack.report().await;
    assert_eq!(report.refused.first[0].account.as_deref(), Some("acct_2"));
}

#[tokio::test]
async fn a_stripe_that_does_not_answer_halts_the_comparison_and_the_next_run_continues() {
    let stack = Stack::new().await;
    stack.apply(&update("evt_1", "a", ago(60)), ago(60)).await;
    stack.put(&customer("cus_1", "a"));
    for fault in [Fault::status(500), Fault::rate_limit(Some(false)), Fault::status(401)] {
        stack.stripe.add_fault(fault.on("GET", "/v1/customers").times(100));
        stack.run(later(0)).await;
        let progress = stack.comparison().await;
        assert!(progress.halted.is_some() && progress.last.is_none(), "{progress:?}");
        stack.stripe.clear_faults();
    }
    stack.run(later(1)).await;
    let progress = stack.comparison().await;
    assert_eq!((progress.halted, progress.last.unwrap().report.looked_at), (None, 1));
}

#[tokio::test]
async fn changes_of_which_stripe_never_makes_an_event_are_corrected_and_not_reported() {
    let stack = Stack::new().await;
    let invoice =
        |at: Value| json!({ "object": "invoice", "id": "in_1", "created": 5, "webhooks_delivered_at": at });
    stack.apply(&event("evt_1", "invoice.paid", ago(60), &invoice(Value::Null)), ago(60)).await;
    stack.put(&invoice(json!(9)));
    stack.run(later(0)).await;
    assert_eq!((stack.report().await.differed.count, stripe_calls(&stack)), (0, 1), "it is no mismatch");
    assert_eq!(stack.object("-/invoice/in_1").await["webhooks_delivered_at"], 9);
}

#[tokio::test]
async fn an_import_and_a_comparison_share_a_run() {
    let stack = Stack::new().await;
    stack.apply(&update("evt_1", "old", ago(60)), ago(60)).await;
    stack.put(&customer("cus_1", "new"));
    stack.import(json!({ "kinds": ["customers"] })).await;
    let run = stack.run(later(0)).await;
    assert_eq!((&run["comparison"]["asked"], &run["import"]["ended"]), (&json!(1), &json!("finished")));
    // The import has corrected the mismatch.
    stack.run(later(11)).await;
    assert_eq!(stack.report().await.differed.count, 0);
    assert_eq!(stack.object(KEY).await["email"], "new");
}

#[tokio::test]
async fn a_coupon_of_which_only_the_deletion_was_told_is_compared_and_found_made_again() {
    let coupon = |made: i64, percent: i64| json!({ "object": "coupon", "id": "WELCOME10", "created": made, "percent_off": percent });
    for made_again in [true, false] {
        let stack = Stack::new().await;
        stack.apply(&event("evt_1", "coupon.deleted", ago(60), &coupon(5, 10)), ago(60)).await;
        if made_again {
            stack.put(&coupon(ago(59).as_second(), 20));
        }
        compare(&stack).await;
        let record = stack.record("-/coupon/WELCOME10").await.unwrap();
        assert_eq!(record.deleted, !made_again);
        let report = stack.report().await;
        assert_eq!((report.differed.count, report.gone.count), (u64::from(made_again), 0));
        assert_eq!(report.missing.count, 0, "that it is not there is no news");
    }
}

#[tokio::test]
async fn what_changes_without_an_event_is_mended_and_not_reported() {
    for (kind, event_type, field, is_reported) in [
        ("invoiceitem", "invoiceitem.created", "amount", false),
        ("quote", "quote.created", "description", false),
        ("quote", "quote.created", "status", true),
        ("coupon", "coupon.created", "times_redeemed", false),
        ("coupon", "coupon.created", "name", true),
        ("promotion_code", "promotion_code.created", "times_redeemed", false),
        ("payment_intent", "payment_intent.created", "description", false),
        ("payment_intent", "payment_intent.created", "status", true),
        ("setup_intent", "setup_intent.created", "metadata", false),
        ("checkout.session", "checkout.session.completed", "customer_details", false),
    ] {
        let stack = Stack::new().await;
        let object = |value: &str| json!({ "object": kind, "id": "x_1", "created": 5, field: value });
        stack.apply(&event("evt_1", event_type, ago(60), &object("old")), ago(60)).await;
        stack.put(&object("new"));
        compare(&stack).await;
        let report = stack.report().await;
        assert_eq!((report.looked_at, report.differed.count), (1, u64::from(is_reported)), "{kind} {field}");
        assert_eq!(stack.object(&format!("-/{kind}/x_1")).await[field], "new", "{kind} {field}");
    }
}

#[tokio::test]
async fn of_what_differs_only_that_is_reported_which_has_an_event() {
    let stack = Stack::new().await;
    let coupon = |name: &str, uses: u8| json!({ "object": "coupon", "id": "A", "created": 5, "name": name, "times_redeemed": uses });
    stack.apply(&event("evt_1", "coupon.created", ago(60), &coupon("a", 0)), ago(60)).await;
    stack.put(&coupon("b", 3));
    compare(&stack).await;
    assert_eq!(stack.report().await.differed.first[0].fields, ["name"]);
    assert_eq!(stack.object("-/coupon/A").await["times_redeemed"], 3);
}
