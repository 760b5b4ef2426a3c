//! An import brings in all that Stripe lists, each object once.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::kind::Kind;
use shared::order::comparable;
use shared::records::RecordListing;
use simulated_stripe::{Fault, Key};
use test_cloud::KillPoint;
use test_cloud::fixtures::now;

use crate::support::{
    Stack, account_lists, ago, customer, event, later, listen_to_connected_accounts, nested,
};

/// A kind's state in the progress, how many objects were looked at, and how many records written.
fn kind_progress(progress: &Value, account: Option<&str>, kind: &str) -> (String, u64, u64) {
    let rows = progress["progress"].as_array().unwrap();
    let row = rows.iter().find(|row| row["account"].as_str() == account && row["kind"] == kind).unwrap();
    let number = |field: &str| row[field].as_u64().unwrap();
    (row["state"].as_str().unwrap().to_owned(), number("looked_at"), number("written"))
}

fn done(count: u64) -> (String, u64, u64) {
    ("done".to_owned(), count, count)
}

#[tokio::test]
async fn every_kind_comes_in_as_stripe_shows_it_and_is_found_where_it_belongs() {
    let stack = Stack::start().await;
    let lifecycle = stack.stripe.customer_lifecycle();
    let canceled = json!({ "object": "subscription", "id": "sub_old", "created": 5, "status": "canceled" });
    stack.put(&canceled);
    stack.import(json!({})).await;
    let run = stack.run(later(1)).await;
    assert_eq!(run["import"]["ended"], "finished", "{run}");
    let progress = stack.progress().await;
    assert_eq!(
        (&progress["state"], &progress["ended_at"]),
        (&json!("finished"), &json!(later(1).to_string()))
    );
    for (object, kind, id) in [
        ("customer", "customers", &lifecycle.customer),
        ("subscription", "subscriptions", &lifecycle.subscription),
        ("invoice", "invoices", &lifecycle.invoice),
        ("invoice_payment", "invoice_payments", &lifecycle.invoice_payment),
        ("payment_intent", "payments", &lifecycle.payment_intent),
        ("charge", "charges", &lifecycle.charge),
        ("refund", "refunds", &lifecycle.refund),
        ("dispute", "disputes", &lifecycle.dispute),
    ] {
        let key = format!("-/{object}/{id}");
        let record = stack.record(&key).await.unwrap_or_else(|| panic!("{key}"));
        let (kept, at_stripe) = (stack.object(&key).await, stack.stripe.object(None, id).unwrap());
        assert_eq!(comparable(&kept), comparable(&at_stripe), "its customer may be expanded");
        assert!(record.fetched && record.event.is_none() && record.events.is_empty() && !record.deleted);
        let called_at = later(1).as_second();
        assert!(
            (called_at - 30..called_at).contains(&record.as_of.get()),
            "a second that had passed when Stripe was called"
        );
        assert_eq!(kind_progress(&progress, None, kind).0, "done");
    }
    assert_eq!(stack.object("-/subscription/sub_old").await, canceled, "also one that has ended");
    let charge = serde_json::to_value(stack.record(&format!("-/charge/{}", lifecycle.charge)).await).unwrap();
    assert_eq!(charge["by_customer"], format!("-/{}", lifecycle.customer));
    assert!(charge["sort"].as_str().unwrap().starts_with("charge#"));
}

#[tokio::test]
async fn a_list_is_read_in_as_few_pages_as_it_has() {
    for count in [0, 1, 99, 100, 101, 200, 201] {
        let stack = Stack::start().await;
        stack.put_many("refund", "re", count);
        stack.import(json!({ "kinds": ["refunds"] })).await;
        stack.run(later(1)).await;
        let expected = u64::try_from(count).unwrap();
        let progress = stack.progress().await;
        assert_eq!(kind_progress(&progress, None, "refunds"), done(expected));
        assert_eq!(stack.count().await as u64, expected);
        let pages = stack.stripe.requests().len() as u64;
        assert_eq!(pages, expected.div_ceil(100).max(1), "{count}");
    }
}

#[tokio::test]
async fn a_long_import_is_done_run_by_run_and_each_object_is_listed_once() {
    let mut stack = Stack::start().await;
    stack.put_many("charge", "ch", 350);
    stack.put_many("refund", "re", 120);
    // Each run has time for one page.
    stack.deadline = Deadline::after(Duration::ZERO);
    stack.import(json!({ "kinds": ["charges", "refunds"] })).await;
    for run in 1..=6 {
        assert_eq!(stack.progress().await["state"], "running");
        stack.run(later(run)).await;
        assert_eq!(stack.progress().await["moved_at"], later(run).to_string());
        // Objects created meanwhile come by their events.
        stack
            .put(&json!({ "object": "charge", "id": format!("ch_new_{run}"), "created": now().as_second() }));
    }
    // The run after the last page finds that all is done.
    stack.run(later(7)).await;
    let progress = stack.progress().await;
    assert_eq!(progress["state"], "finished", "{progress}");
    assert_eq!(
        (kind_progress(&progress, None, "charges"), kind_progress(&progress, None, "refunds")),
        (done(350), done(120))
    );
    assert_eq!(stack.count().await, 470);
    let after: Vec<_> = stack.stripe.requests().iter().map(|seen| seen.params.clone()).collect();
    assert_eq!(
        after.len(),
        after.iter().collect::<BTreeSet<_>>().len() + 1,
        "two kinds begin at the beginning"
    );
}

#[tokio::test]
async fn since_leaves_out_what_is_older() {
    let stack = Stack::start().await;
    for (id, made) in [("cus_old", ago(61)), ("cus_edge", ago(60)), ("cus_new", ago(59))] {
        stack.put(&json!({ "object": "customer", "id": id, "created": made.as_second() }));
    }
    stack.import(json!({ "since": ago(60).to_string() })).await;
    stack.run(later(1)).await;
    assert!(stack.record("-/customer/cus_old").await.is_none());
    assert!(
        stack.record("-/customer/cus_edge").await.is_some()
            && stack.record("-/customer/cus_new").await.is_some()
    );
    let asked = stack.stripe.requests();
    let default: Vec<Kind> = Kind::all().filter(|kind| kind.is_imported_by_default()).collect();
    let of_account = |kind: &Kind| kind.account_lists().len();
    // Of what customers have, the customers and the list of each.
    let of_customers = 4 * default.iter().filter(|kind| kind.below_customer().is_some()).count();
    let lists = default.iter().map(of_account).sum::<usize>() + of_customers;
    assert_eq!(asked.len(), lists, "each list once");
    let bounded = asked.iter().filter(|asked| asked.params.iter().any(|(name, _)| name == "created[gte]"));
    let by_created = default.iter().filter(|kind| kind.is_listed_by_created());
    assert_eq!(bounded.count(), by_created.map(of_account).sum::<usize>());
}

#[tokio::test]
async fn a_list_without_a_bound_in_time_is_left_at_the_first_that_is_older() {
    let stack = Stack::start().await;
    for made in 0..250 {
        let created = ago(made).as_second();
        stack.put(
            &json!({ "object": "quote", "id": format!("qt_{made}"), "created": created, "status": "draft" }),
        );
    }
    stack.import(json!({ "since": ago(120).to_string(), "kinds": ["quotes"] })).await;
    stack.run(later(1)).await;
    assert_eq!(stack.count().await, 121);
    assert_eq!(stack.stripe.requests().len(), 2, "the third page is not asked for");
}

#[tokio::test]
async fn a_kind_that_the_key_may_not_read_is_shown_and_stops_no_other() {
    let stack = Stack::start().await;
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["customers:read", "refunds:read"])]);
    stack.put(&customer("cus_1", "a"));
    stack.put_many("charge", "ch", 1);
    stack.put_many("refund", "re", 1);
    stack.import(json!({ "kinds": ["customers", "charges", "refunds"] })).await;
    stack.run(later(1)).await;
    let progress = stack.progress().await;
    assert_eq!(progress["state"], "finished");
    assert_eq!(
        (kind_progress(&progress, None, "customers"), kind_progress(&progress, None, "refunds")),
        (done(1), done(1))
    );
    assert_eq!(kind_progress(&progress, None, "charges").0, "refused");
    assert_eq!(
        (&progress["refused"]["count"], &progress["refused"]["first"][0]["kind"]),
        (&json!(1), &json!("charges"))
    );
    let message = progress["refused"]["first"][0]["refusal"]["stripe_message"].as_str().unwrap();
    assert!(message.contains("rak_charge_read"), "{message}");
    let import = stack.registry().import().await.unwrap().unwrap();
    assert_eq!(import.refused.count, 1, "what the status reads");
    assert!(!format!("{import:?}{progress}").contains(&stack.stripe.key()));
}

#[tokio::test]
async fn connected_accounts_with_events_are_imported_each_on_its_own() {
    let stack = Stack::start().await;
    for account in ["acct_1", "acct_2"] {
        stack.registry().record_connected_account(&account.parse().unwrap(), now()).await.unwrap();
    }
    stack.put(&customer("cus_1", "ours"));
    for account in ["acct_1", "acct_2", "acct_3"] {
        stack.stripe.put_object(Some(account), &customer("cus_1", account));
    }
    stack.stripe.disconnect("acct_1");
    stack.import(json!({ "kinds": ["customers"] })).await;
    stack.run(later(1)).await;
    let progress = stack.progress().await;
    assert_eq!(
        (&progress["state"], &progress["accounts"]),
        (&json!("finished"), &json!({"known": 3, "through": 3, "refusal": null}))
    );
    assert_eq!(kind_progress(&progress, Some("acct_1"), "customers").0, "refused");
    assert_eq!(kind_progress(&progress, Some("acct_2"), "customers"), done(1));
    assert_eq!(stack.object("-/customer/cus_1").await["email"], "ours");
    assert_eq!(stack.object("acct_2/customer/cus_1").await["email"], "acct_2");
    assert!(stack.record("acct_1/customer/cus_1").await.is_none());
    assert!(stack.record("acct_3/customer/cus_1").await.is_none(), "no event has come from it");
    let refused = &progress["refused"]["first"][0];
    assert_eq!(refused["account"], "acct_1");
    assert!(refused["refusal"]["stripe_message"].as_str().unwrap().contains("may have been revoked"));
}

#[tokio::test]
async fn what_is_up_to_date_is_not_written_again() {
    let stack = Stack::start().await;
    stack.put_many("refund", "re", 150);
    stack.import(json!({ "kinds": ["refunds"] })).await;
    stack.run(later(1)).await;
    stack.put(
        &json!({ "object": "refund", "id": "re_0007", "created": ago(100_000 - 7).as_second(), "n": 8 }),
    );
    stack.import(json!({ "kinds": ["refunds"] })).await;
    stack.cloud.clear_calls();
    stack.run(later(2)).await;
    assert_eq!(kind_progress(&stack.progress().await, None, "refunds"), ("done".to_owned(), 150, 1));
    assert_eq!(stack.cloud.count("PutItem", "RecordsTable"), 1);
    assert_eq!(stack.object("-/refund/re_0007").await["n"], 8);
}

#[tokio::test]
async fn what_cannot_be_stored_is_counted_and_named_and_holds_nothing_back() {
    let stack = Stack::start().await;
    // Random enough that it does not compress to 380 kB.
    let noise: String =
        (0..60_000_u64).map(|i| format!("{:x}", i.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (i << 7))).collect();
    stack.put(&json!({ "object": "charge", "id": "ch_large", "created": 5, "noise": noise }));
    stack.put_many("charge", "ch", 3);
    stack.import(json!({ "kinds": ["charges"] })).await;
    stack.run(later(1)).await;
    let progress = stack.progress().await;
    assert_eq!(kind_progress(&progress, None, "charges"), ("done".to_owned(), 4, 3));
    assert_eq!(progress["progress"][0]["left_out"], json!({ "count": 1, "first": ["ch_large"] }));
    assert_eq!(stack.count().await, 3);
}

#[tokio::test]
async fn half_an_emoji_comes_in_as_stripe_sends_it_and_its_record_is_found_where_it_belongs() {
    let stack = Stack::start().await;
    let charge = json!({
        "object": "charge", "id": "ch_1", "created": 5, "customer": "cus_1", "description": "a\u{fffd}",
    });
    stack.put(&charge);
    stack.import(json!({ "kinds": ["charges"] })).await;
    stack.run(later(1)).await;
    assert_eq!(kind_progress(&stack.progress().await, None, "charges"), done(1));
    let kept = stack.record("-/charge/ch_1").await.unwrap().object().unwrap();
    assert!(String::from_utf8(kept).unwrap().contains(r#""a\ud83d""#));
    let of_customer =
        RecordListing::Customer { account: AccountKey::OWN, customer: "cus_1".into(), kind: Kind::CHARGE };
    let listed = stack.records().list(&of_customer, None, 10, |_| true).await.unwrap();
    assert_eq!(listed.records.len(), 1);
}

#[tokio::test]
async fn an_object_that_cannot_be_held_is_named_and_passed_wherever_it_stands_on_a_page() {
    let stack = Stack::start().await;
    // The newest, the last of the first page, and the oldest of all.
    let unreadable = ["ch_0249", "ch_0150", "ch_0000"];
    stack.put_many("charge", "ch", 250);
    for id in unreadable {
        let created = stack.stripe.object(None, id).unwrap()["created"].clone();
        stack.put(&json!({ "object": "charge", "id": id, "created": created, "metadata": nested() }));
    }
    stack.import(json!({ "kinds": ["charges"] })).await;
    stack.run(later(1)).await;
    let progress = stack.progress().await;
    assert_eq!(kind_progress(&progress, None, "charges"), ("done".to_owned(), 250, 247));
    assert_eq!(progress["progress"][0]["left_out"], json!({ "count": 3, "first": unreadable }));
    assert_eq!((&progress["state"], stack.count().await), (&json!("finished"), 247));
}

#[tokio::test]
async fn a_list_continues_where_the_last_object_is_gone() {
    let mut stack = Stack::start().await;
    stack.put_many("invoice", "in", 150);
    stack.deadline = Deadline::after(Duration::ZERO);
    stack.import(json!({ "kinds": ["invoices"] })).await;
    stack.run(later(1)).await;
    assert!(stack.stripe.remove_object(None, "in_0050"), "the hundredth: a draft that was deleted");
    stack.run(later(2)).await;
    assert_eq!(stack.count().await, 150);
    let (state, looked_at, _) = kind_progress(&stack.progress().await, None, "invoices");
    assert_eq!((state.as_str(), looked_at), ("done", 150), "it did not begin again");
}

#[tokio::test]
async fn a_stripe_that_does_not_answer_halts_the_run_and_the_next_continues() {
    let stack = Stack::start().await;
    stack.put_many("customer", "cus", 150);
    stack.import(json!({ "kinds": ["customers"] })).await;
    stack.stripe.set_keys(vec![Key::full("sk_test_another")]);
    stack.run(later(1)).await;
    let halted = stack.progress().await;
    assert_eq!((&halted["state"], &halted["halted"]["why"]), (&json!("running"), &json!("key_refused")));
    assert_eq!(halted["moved_at"], now().to_string(), "it did not get further");
    stack.stripe.set_keys(vec![Key::full(&stack.cloud.secret("stripe-key").unwrap())]);
    for fault in [Fault::status(500), Fault::rate_limit(Some(false)), Fault::cut()] {
        stack.stripe.add_fault(fault.on("GET", "/v1/customers").times(100));
        stack.run(later(2)).await;
        assert_eq!(stack.progress().await["halted"]["why"], "no_answer");
        stack.stripe.clear_faults();
    }
    stack.run(later(3)).await;
    let progress = stack.progress().await;
    assert_eq!((&progress["state"], &progress["halted"]), (&json!("finished"), &Value::Null));
    assert_eq!(kind_progress(&progress, None, "customers"), done(150));
}

/// An object of about this many kilobytes.
fn large(id: &str, created: i64, kilobytes: usize) -> Value {
    json!({ "object": "charge", "id": id, "created": created, "noise": "x".repeat(kilobytes * 1_000) })
}

#[tokio::test]
async fn a_page_too_large_to_be_read_is_listed_in_smaller_ones() {
    let stack = Stack::start().await;
    for i in 0..18 {
        stack.put(&large(&format!("ch_{i:02}"), 1_000 + i, 1_000));
    }
    stack.put_many("charge", "ch_small", 3);
    stack.import(json!({ "kinds": ["charges"] })).await;
    stack.run(later(1)).await;
    assert_eq!(kind_progress(&stack.progress().await, None, "charges"), done(21));
    assert_eq!(stack.count().await, 21);
}

#[tokio::test]
async fn pages_do_not_grow_beyond_what_an_answer_holds() {
    let stack = Stack::start().await;
    for i in 0..70 {
        stack.put(&large(&format!("ch_{i:02}"), 1_000 + i, 600));
    }
    stack.import(json!({ "kinds": ["charges"] })).await;
    stack.run(later(1)).await;
    assert_eq!(kind_progress(&stack.progress().await, None, "charges"), done(70));
    // A hundred do not fit; 25, 25 and 20 do, and four times as many would not.
    let calls = stack.stripe.requests().iter().filter(|call| call.path == "/v1/charges").count();
    assert_eq!(calls, 1 + 3);
}

#[tokio::test]
async fn an_object_too_large_to_be_read_even_alone_is_named_and_passed() {
    let stack = Stack::start().await;
    stack.put_many("charge", "ch_young", 2);
    stack.put(&large("ch_huge", 1_000, 17_000));
    stack.put(&large("ch_old", 500, 1_000));
    stack.import(json!({ "kinds": ["charges"] })).await;
    stack.run(later(1)).await;
    let progress = stack.progress().await;
    assert_eq!(kind_progress(&progress, None, "charges"), ("done".to_owned(), 4, 3));
    assert_eq!(progress["progress"][0]["left_out"], json!({ "count": 1, "first": ["ch_huge"] }));
    assert_eq!((&progress["state"], stack.count().await), (&json!("finished"), 3));
}

#[tokio::test]
async fn pages_that_hold_less_than_was_asked_for_are_followed_to_the_end() {
    let stack = Stack::start().await;
    stack.put_many("customer", "cus", 25);
    stack.stripe.set_longest_page(10);
    stack.import(json!({ "kinds": ["customers"] })).await;
    stack.run(later(1)).await;
    assert_eq!(kind_progress(&stack.progress().await, None, "customers"), done(25));
}

#[tokio::test]
async fn a_coupon_that_was_made_again_under_its_old_id_is_brought_in_and_one_that_was_not_stays_deleted() {
    let coupon =
        |made: i64| json!({ "object": "coupon", "id": "WELCOME10", "created": made, "percent_off": 10 });
    let stack = Stack::start().await;
    stack.apply(&event("evt_1", "coupon.deleted", ago(60), &coupon(5)), ago(60)).await;
    for (made, deleted) in [(5, true), (ago(59).as_second(), false)] {
        stack.put(&coupon(made));
        stack.import(json!({ "kinds": ["coupons"] })).await;
        stack.run(later(1)).await;
        assert_eq!(stack.record("-/coupon/WELCOME10").await.unwrap().deleted, deleted, "made {made}");
    }
}

/// How many objects of each kind there are; `IMPORT_OBJECTS=3000` makes some hundred thousand.
fn objects_of_a_kind() -> i64 {
    std::env::var("IMPORT_OBJECTS").map_or(25, |count| count.parse().unwrap())
}

#[tokio::test]
async fn an_import_of_all_kinds_that_dies_again_and_again_writes_each_record_once() {
    let stack = Stack::start().await;
    // It counts calls.
    stack.cloud.answer_in_whole_pages();
    let kinds: Vec<Kind> = Kind::all().filter(|kind| kind.is_listed()).collect();
    let count = objects_of_a_kind();
    for kind in &kinds {
        for i in 0..count {
            // Each customer has one of what Stripe lists each customer.
            let customer = kind.below_customer().map(|_| format!("customers_{i:05}"));
            stack.put(&json!({
                "object": kind.object(), "id": format!("{}_{i:05}", kind.plural()),
                "created": ago(200_000 - i).as_second(), "active": true, "open": true, "status": "open", "n": i,
                "customer": customer,
            }));
        }
    }
    let all = kinds.len() * usize::try_from(count).unwrap();
    stack.import(json!({ "kinds": kinds })).await;
    stack.cloud.clear_calls();
    let (mut minutes, mut kills) = (1, 0);
    while stack.progress().await["state"] == "running" {
        let process = stack.cloud.killable_process();
        let deps = stack.cold_at(process.aws());
        // Later each time, so that it gets further.
        let call = 5 + kills * 7 + usize::try_from(count).unwrap();
        tokio::select! {
            biased;
            () = process.killed_at(KillPoint::AfterCall(call)) => kills += 1,
            done = stack.try_run(&deps, later(minutes)) => drop(done.unwrap()),
        }
        // The lease of one that was killed ends by itself.
        minutes += 6;
    }
    assert!(kills > 3, "{kills}");
    assert_eq!(stack.count().await, all);
    let writes = stack.cloud.count("PutItem", "RecordsTable");
    assert_eq!(writes, all, "no record is written twice");
    let progress = stack.progress().await;
    let lists = progress["progress"].as_array().unwrap();
    let calls: u64 = lists.iter().map(|list| list["calls"].as_u64().unwrap()).sum();
    assert_eq!(progress["refused"]["count"], 0, "{progress}");
    let count = u64::try_from(count).unwrap();
    let pages_of = |kind: &Kind| match (kind.below_customer(), kind.account_lists().len() as u64) {
        (None, lists) => count.div_ceil(100) + lists - 1,
        // None are the account's own; each customer's is a page.
        (Some(_), lists) => lists + count.div_ceil(100) + count,
    };
    let pages: u64 = kinds.iter().map(pages_of).sum();
    // One that was killed lists a page again, and the customers.
    assert!(
        (pages..=pages + 2 * kills as u64).contains(&calls),
        "{calls} calls for {pages} pages, {kills} kills"
    );
}

#[tokio::test]
async fn connected_accounts_of_which_no_event_has_come_are_found_by_listing_them_all() {
    let mut stack = Stack::start().await;
    listen_to_connected_accounts(&stack).await;
    for number in 0..105 {
        stack.stripe.connect(&format!("acct_{number:03}"));
    }
    stack.stripe.connect("acct_left");
    stack.stripe.disconnect("acct_left");
    // Of the second page.
    stack.stripe.put_object(Some("acct_000"), &customer("cus_1", "a"));
    stack.import(json!({ "kinds": ["customers"] })).await;
    // Ended after each page, the next run goes on there.
    stack.deadline = Deadline::after(Duration::ZERO);
    for minutes in 1..4 {
        stack.run(later(minutes)).await;
    }
    stack.deadline = Deadline::NEVER;
    assert_eq!(account_lists(&stack), 2);
    stack.run(later(5)).await;
    let progress = stack.progress().await;
    assert_eq!((&progress["state"], &progress["accounts"]["known"]), (&json!("finished"), &json!(106)));
    assert!(progress["accounts"]["refusal"].is_null() && progress["refused"]["count"] == 0, "{progress}");
    assert!(stack.record("acct_000/customer/cus_1").await.is_some());
    assert_eq!(account_lists(&stack), 2, "each page once an import");
}

#[tokio::test]
async fn an_account_that_left_at_the_end_of_a_page_loses_none_of_the_others() {
    let mut stack = Stack::start().await;
    listen_to_connected_accounts(&stack).await;
    for number in 0..105 {
        stack.stripe.connect(&format!("acct_{number:03}"));
    }
    stack.import(json!({ "kinds": ["customers"] })).await;
    stack.deadline = Deadline::after(Duration::ZERO);
    stack.run(later(1)).await;
    // The last of the first page.
    stack.stripe.disconnect("acct_005");
    stack.deadline = Deadline::NEVER;
    stack.run(later(2)).await;
    let progress = stack.progress().await;
    assert_eq!((&progress["state"], &progress["accounts"]["known"]), (&json!("finished"), &json!(106)));
}

#[tokio::test]
async fn a_key_that_may_not_list_accounts_imports_the_rest_and_says_so() {
    let stack = Stack::start().await;
    listen_to_connected_accounts(&stack).await;
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["customers:read"])]);
    stack.stripe.connect("acct_1");
    stack.put(&customer("cus_1", "a"));
    stack.import(json!({ "kinds": ["customers"] })).await;
    stack.run(later(1)).await;
    let progress = stack.progress().await;
    assert_eq!((&progress["state"], &progress["accounts"]["known"]), (&json!("finished"), &json!(1)));
    let refusal = progress["accounts"]["refusal"]["stripe_message"].as_str().unwrap();
    assert!(refusal.contains("rak_connected_account_read"), "{refusal}");
    assert!(stack.record("-/customer/cus_1").await.is_some());
}

#[tokio::test]
async fn a_list_of_accounts_that_is_never_stripes_answer_holds_up_the_rest_for_a_few_runs_only() {
    let stack = Stack::start().await;
    listen_to_connected_accounts(&stack).await;
    stack.put(&customer("cus_1", "a"));
    let elses = Fault::status(200).body(json!("<html>sign in</html>"));
    stack.stripe.add_fault(elses.on("GET", "/v1/accounts").times(1_000));
    stack.import(json!({ "kinds": ["customers"] })).await;
    stack.run(later(1)).await;
    assert!(!stack.progress().await["halted"].is_null() && stack.record("-/customer/cus_1").await.is_none());
    for minutes in 2..6 {
        stack.run(later(minutes)).await;
    }
    let progress = stack.progress().await;
    assert_eq!(progress["state"], "finished", "{progress}");
    assert!(!progress["accounts"]["refusal"].is_null());
    assert!(stack.record("-/customer/cus_1").await.is_some());
}

#[tokio::test]
async fn where_no_endpoint_listens_to_connected_accounts_none_are_listed() {
    let stack = Stack::start().await;
    stack.stripe.connect("acct_1");
    stack.import(json!({ "kinds": ["customers"] })).await;
    stack.run(later(1)).await;
    assert_eq!((account_lists(&stack), &stack.progress().await["state"]), (0, &json!("finished")));
}
