//! What a payout is made of is here once Stripe has reconciled it, linked and summed, whatever stands in the
//! way.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::ledger::OpenCount;
use shared::page::MAX_LIMIT;
use shared::records::{OpenOrder, OpenReason, PayoutTransactions, Record, RecordListing};
use simulated_stripe::{Answer, Effect, Fault, Key};
use test_cloud::KillPoint;
use test_cloud::fixtures::now;

use crate::support::{Stack, account_lists, ago, event, later, listen_to_connected_accounts};

/// A reconciled payout of so much, made an hour ago.
fn payout(id: &str, amount: i64) -> Value {
    json!({
        "object": "payout", "id": id, "amount": amount, "currency": "usd", "automatic": true,
        "status": "paid", "reconciliation_status": "completed", "created": ago(60).as_second(),
        "arrival_date": ago(30).as_second(), "balance_transaction": format!("txn_of_{id}"),
    })
}

/// A balance transaction as Stripe keeps it, and with which payout it is listed.
fn transaction(id: &str, payout: &str, kind: &str, amount: i64, fee: i64, source: &str) -> Value {
    json!({
        "object": "balance_transaction", "id": id, "type": kind, "reporting_category": kind,
        "amount": amount, "fee": fee, "net": amount - fee, "currency": "usd", "status": "available",
        "created": ago(90).as_second(), "available_on": ago(70).as_second(), "source": source,
        "fee_details": [{ "type": "stripe_fee", "amount": fee, "currency": "usd", "description": null }],
        "description": null, "exchange_rate": null, "_payout": payout,
    })
}

/// The payout's own transaction, which its list holds as well.
fn own(payout: &str, amount: i64) -> Value {
    transaction(&format!("txn_of_{payout}"), payout, "payout", -amount, 0, payout)
}

/// Puts a payout of so many charges of 1000 with a fee of 59 each at Stripe, and returns it.
fn put_payout_of_charges(stack: &Stack, id: &str, count: i64) -> Value {
    let payout = payout(id, count * 941);
    stack.put(&payout);
    stack.put(&own(id, count * 941));
    for i in 0..count {
        stack.put(&transaction(&format!("txn_{id}_{i:04}"), id, "charge", 1000, 59, &format!("ch_{id}_{i}")));
    }
    payout
}

/// A stack whose nights list payouts.
async fn start() -> Stack {
    Stack { lists_payouts: true, ..Stack::start().await }
}

async fn emit(stack: &Stack, payout: &Value) {
    let id = payout["id"].as_str().unwrap();
    let emitted = event(&format!("evt_{id}"), "payout.reconciliation_completed", ago(20), payout);
    stack.apply(&emitted, ago(20)).await;
}

async fn payout_record(stack: &Stack, id: &str) -> Record {
    stack.record(&format!("-/payout/{id}")).await.unwrap()
}

async fn known(stack: &Stack, id: &str) -> PayoutTransactions {
    payout_record(stack, id).await.transactions.unwrap_or_default()
}

async fn adds_up(stack: &Stack, id: &str) -> Option<bool> {
    let object = stack.object(&format!("-/payout/{id}")).await;
    known(stack, id).await.adds_up(&object)
}

async fn listed(stack: &Stack, payout: &str) -> Vec<String> {
    let listing = RecordListing::Payout { account: "-".parse().unwrap(), payout: payout.to_owned() };
    let records = stack.records().all(&listing).await.unwrap();
    records.iter().map(|record| record.key.id().to_owned()).collect()
}

async fn open(stack: &Stack, reason: OpenReason) -> Vec<String> {
    let keys = stack.records().open_keys(reason, MAX_LIMIT, OpenOrder::EarliestFirst).await.unwrap();
    keys.iter().map(|key| key.id().to_owned()).collect()
}

fn lists_of_transactions(stack: &Stack) -> usize {
    let requests = stack.stripe.requests();
    requests.iter().filter(|request| request.path.contains("balance_transactions")).count()
}

#[tokio::test]
async fn a_payout_that_is_reconciled_gets_its_transactions_and_adds_up() {
    let stack = start().await;
    let payout = put_payout_of_charges(&stack, "po_1", 230);
    emit(&stack, &payout).await;
    assert_eq!(open(&stack, OpenReason::PayoutToList).await, ["po_1"]);
    stack.run(later(1)).await;
    let known = known(&stack, "po_1").await;
    assert!(known.complete && known.failure.is_none(), "{known:?}");
    let [sum] = known.sums.as_slice() else { panic!("{known:?}") };
    assert_eq!(
        (sum.kind.as_str(), sum.count, sum.amount, sum.fee, sum.net),
        ("charge", 230, 230_000, 13_570, 216_430)
    );
    assert_eq!((adds_up(&stack, "po_1").await, known.count), (Some(true), 230));
    assert_eq!(listed(&stack, "po_1").await.len(), 230, "its own is not listed");
    let own = stack.record("-/balance_transaction/txn_of_po_1").await.unwrap();
    assert_eq!(own.links.unwrap().payout.as_deref(), Some("po_1"));
    assert!(open(&stack, OpenReason::PayoutToList).await.is_empty());
    // Three pages of a hundred; nothing is asked again.
    assert_eq!(lists_of_transactions(&stack), 3);
    stack.run(later(2)).await;
    assert_eq!(lists_of_transactions(&stack), 3);
}

#[tokio::test]
async fn each_type_is_summed_and_only_all_together_come_to_the_payout() {
    let stack = start().await;
    let payout = payout("po_1", 941 - 400 - 1000 - 1500 + 5000 - 20);
    stack.put(&payout);
    for object in [
        own("po_1", 3021),
        transaction("txn_1", "po_1", "charge", 1000, 59, "ch_1"),
        transaction("txn_2", "po_1", "refund", -400, 0, "re_1"),
        transaction("txn_3", "po_1", "adjustment", -1000, 1500, "du_1"),
        transaction("txn_4", "po_1", "payout_failure", 5000, 0, "po_0"),
        transaction("txn_5", "po_1", "stripe_fee", -20, 0, ""),
    ] {
        stack.put(&object);
    }
    emit(&stack, &payout).await;
    stack.run(later(1)).await;
    let nets: BTreeMap<String, i64> =
        known(&stack, "po_1").await.sums.into_iter().map(|sum| (sum.kind, sum.net)).collect();
    let expected = [
        ("adjustment", -2500),
        ("charge", 941),
        ("payout_failure", 5000),
        ("refund", -400),
        ("stripe_fee", -20),
    ];
    assert_eq!(nets, expected.map(|(kind, net)| (kind.to_owned(), net)).into());
    assert_eq!(adds_up(&stack, "po_1").await, Some(true));
}

#[tokio::test]
async fn a_transaction_names_its_charge_payment_invoice_and_customer() {
    let stack = start().await;
    let invoice_payment = json!({
        "object": "invoice_payment", "id": "inpay_1", "created": 5, "status": "paid", "invoice": "in_1",
        "payment": { "type": "payment_intent", "payment_intent": "pi_1" },
    });
    stack.apply(&event("evt_inpay", "invoice_payment.paid", ago(100), &invoice_payment), ago(100)).await;
    let charge = |id: &str| json!({ "object": "charge", "id": id, "created": 5, "customer": "cus_1", "payment_intent": "pi_1" });
    // One is only here, as one that was made before Stripe lets the key expand it.
    stack.apply(&event("evt_ch", "charge.succeeded", ago(100), &charge("ch_here")), ago(100)).await;
    stack.put(&charge("ch_1"));
    stack.put(&json!({ "object": "refund", "id": "re_1", "charge": "ch_here", "payment_intent": "pi_1" }));
    stack.put(&json!({ "object": "dispute", "id": "du_1", "charge": "ch_here", "payment_intent": null }));
    let payout = payout("po_1", 0);
    stack.put(&payout);
    for (id, kind, source) in [
        ("txn_1", "charge", "ch_1"),
        ("txn_2", "charge", "ch_here"),
        ("txn_3", "refund", "re_1"),
        ("txn_4", "adjustment", "du_1"),
        ("txn_5", "stripe_fee", ""),
    ] {
        stack.put(&transaction(id, "po_1", kind, 0, 0, source));
    }
    emit(&stack, &payout).await;
    stack.run(later(1)).await;
    for (id, charge, refund, dispute) in [
        ("txn_1", Some("ch_1"), None, None),
        ("txn_2", Some("ch_here"), None, None),
        ("txn_3", Some("ch_here"), Some("re_1"), None),
        ("txn_4", Some("ch_here"), None, Some("du_1")),
    ] {
        let links = stack.record(&format!("-/balance_transaction/{id}")).await.unwrap().links.unwrap();
        assert_eq!(
            (links.charge.as_deref(), links.refund.as_deref(), links.dispute.as_deref()),
            (charge, refund, dispute),
            "{id}"
        );
        assert_eq!(
            (links.payment.as_deref(), links.invoice.as_deref(), links.customer.as_deref()),
            (Some("pi_1"), Some("in_1"), Some("cus_1")),
            "{id}"
        );
        let source = stack.object(&format!("-/balance_transaction/{id}")).await["source"].clone();
        assert!(source.is_string(), "kept as Stripe shows it where nothing is expanded: {source}");
    }
    let fee = stack.record("-/balance_transaction/txn_5").await.unwrap().links.unwrap();
    assert_eq!((fee.customer, fee.payout.as_deref()), (None, Some("po_1")));
}

#[tokio::test]
async fn what_stripe_does_not_list_is_not_asked_for() {
    let stack = start().await;
    for (id, field, value) in [
        ("po_manual", "automatic", json!(false)),
        ("po_young", "reconciliation_status", json!("in_progress")),
        ("po_none", "reconciliation_status", json!("not_applicable")),
    ] {
        let mut payout = payout(id, 5);
        payout[field] = value;
        stack.put(&payout);
        let emitted = event(&format!("evt_{id}"), "payout.updated", ago(20), &payout);
        stack.apply(&emitted, ago(20)).await;
    }
    stack.run(later(1)).await;
    assert_eq!(lists_of_transactions(&stack), 0);
    // A version of the API that does not show how far the reconciliation is.
    let mut old = payout("po_old", 0);
    old.as_object_mut().unwrap().remove("reconciliation_status");
    stack.put(&old);
    emit(&stack, &old).await;
    stack.run(later(2)).await;
    assert_eq!(adds_up(&stack, "po_old").await, Some(true));
}

#[tokio::test]
async fn what_does_not_add_up_is_named_and_listed_again_the_next_night() {
    let stack = start().await;
    let payout = put_payout_of_charges(&stack, "po_1", 3);
    stack.stripe.remove_object(None, "txn_po_1_0001");
    emit(&stack, &payout).await;
    stack.run(later(1)).await;
    assert_eq!(adds_up(&stack, "po_1").await, Some(false));
    let object = stack.object("-/payout/po_1").await;
    assert_eq!(known(&stack, "po_1").await.difference(&object), Some(941));
    assert_eq!(open(&stack, OpenReason::PayoutUnexplained).await, ["po_1"]);
    // Nothing is asked again before the night.
    stack.run(later(2)).await;
    assert_eq!(lists_of_transactions(&stack), 1);
    stack.put(&transaction("txn_po_1_0001", "po_1", "charge", 1000, 59, "ch_1"));
    stack.run(later(24 * 60)).await;
    stack.run(later(24 * 60 + 1)).await;
    assert_eq!(adds_up(&stack, "po_1").await, Some(true));
    assert!(open(&stack, OpenReason::PayoutUnexplained).await.is_empty());
}

#[tokio::test]
async fn amounts_of_another_currency_are_not_added() {
    let stack = start().await;
    let payout = put_payout_of_charges(&stack, "po_1", 1);
    let mut other = transaction("txn_eur", "po_1", "charge", 0, 0, "ch_2");
    other["currency"] = json!("eur");
    stack.put(&other);
    emit(&stack, &payout).await;
    stack.run(later(1)).await;
    let object = stack.object("-/payout/po_1").await;
    assert_eq!(
        (adds_up(&stack, "po_1").await, known(&stack, "po_1").await.difference(&object)),
        (Some(false), None)
    );
}

#[tokio::test]
async fn a_transaction_stays_with_the_payout_that_named_it_first() {
    let stack = start().await;
    let first = put_payout_of_charges(&stack, "po_1", 1);
    emit(&stack, &first).await;
    stack.run(later(1)).await;
    let mut moved = transaction("txn_po_1_0000", "po_2", "charge", 1000, 59, "ch_1");
    moved["_payout"] = json!("po_2");
    stack.put(&moved);
    let second = payout("po_2", 941);
    stack.put(&second);
    emit(&stack, &second).await;
    stack.run(later(2)).await;
    assert_eq!(listed(&stack, "po_1").await, ["txn_po_1_0000"]);
    assert!(listed(&stack, "po_2").await.is_empty());
    assert_eq!(known(&stack, "po_2").await.of_other_payouts, ["txn_po_1_0000"]);
    assert_eq!(adds_up(&stack, "po_2").await, Some(false));
}

#[tokio::test]
async fn a_run_that_is_killed_goes_on_where_it_was_and_writes_nothing_twice() {
    let stack = start().await;
    let payout = put_payout_of_charges(&stack, "po_1", 250);
    emit(&stack, &payout).await;
    stack.cloud.clear_calls();
    let puts = |stack: &Stack| stack.cloud.count("PutItem", "RecordsTable");
    // The first page is written, and how far it is; the second page's writes begin.
    let process = stack.cloud.killable_process();
    let deps = stack.cold_at(process.aws());
    let at = KillPoint::RecordWrite("-/balance_transaction/txn_po_1_0000".to_owned());
    tokio::select! {
        () = process.killed_at(at) => {}
        ended = stack.try_run(&deps, later(1)) => panic!("it was not killed: {ended:?}"),
    }
    drop(deps);
    assert!(puts(&stack) > 101, "{}", puts(&stack));
    stack.run(later(10)).await;
    assert_eq!(adds_up(&stack, "po_1").await, Some(true));
    // Each transaction, its payout's own, and how far the payout is after each page.
    assert!(puts(&stack) <= 251 + 3 + 1, "{}", puts(&stack));
}

#[tokio::test]
async fn a_key_that_may_not_list_them_holds_up_no_other_account_and_is_reported() {
    let stack = start().await;
    let payout = put_payout_of_charges(&stack, "po_1", 1);
    emit(&stack, &payout).await;
    stack.stripe.add_fault(fails("/v1/balance_transactions", 403, "you may not"));
    stack.run(later(1)).await;
    let progress = stack.registry().scheduled_work().await.unwrap().payouts;
    assert_eq!((progress.refused.count, progress.halted), (1, None));
    assert!(known(&stack, "po_1").await.failure.is_none(), "it goes on by itself with the right");
    stack.stripe.clear_faults();
    stack.run(later(2)).await;
    assert_eq!(adds_up(&stack, "po_1").await, Some(true));
    let progress = stack.registry().scheduled_work().await.unwrap().payouts;
    assert_eq!(progress.refused.count, 0);
}

#[tokio::test]
async fn what_stripe_refuses_or_never_answers_is_passed_and_asked_again_the_next_night() {
    for (status, runs) in [(400, 1), (500, 5)] {
        let stack = start().await;
        let payout = put_payout_of_charges(&stack, "po_1", 1);
        emit(&stack, &payout).await;
        stack.stripe.add_fault(fails("/v1/balance_transactions", status, "no"));
        for run in 0..runs {
            assert_eq!(open(&stack, OpenReason::PayoutToList).await, ["po_1"], "{status} {run}");
            stack.run(later(1 + run)).await;
        }
        assert_eq!(open(&stack, OpenReason::PayoutUnexplained).await, ["po_1"], "{status}");
        let failure = known(&stack, "po_1").await.failure.unwrap();
        assert_eq!((failure.status, adds_up(&stack, "po_1").await), (Some(status), None));
        stack.stripe.clear_faults();
        stack.run(later(24 * 60)).await;
        stack.run(later(24 * 60 + 1)).await;
        assert_eq!(adds_up(&stack, "po_1").await, Some(true), "{status}");
    }
}

#[tokio::test]
async fn after_an_answer_that_is_not_stripes_it_still_waits() {
    let stack = start().await;
    let payout = put_payout_of_charges(&stack, "po_1", 1);
    emit(&stack, &payout).await;
    for (minutes, body) in [
        (1, json!("<html>")),
        (2, json!({ "object": "list", "data": [{ "object": "charge", "id": "ch_1" }], "has_more": false })),
    ] {
        stack.stripe.add_fault(answers("/v1/balance_transactions", body.clone()));
        stack.run(later(minutes)).await;
        stack.stripe.clear_faults();
        let known = known(&stack, "po_1").await;
        assert!(!known.complete && known.count == 0 && known.failure.is_none(), "{body}: {known:?}");
        assert_eq!(open(&stack, OpenReason::PayoutToList).await, ["po_1"], "{body}");
    }
    stack.run(later(3)).await;
    assert_eq!(adds_up(&stack, "po_1").await, Some(true));
}

#[tokio::test]
async fn payouts_of_an_account_that_has_left_wait_for_nothing_and_hold_up_nothing() {
    let stack = start().await;
    let mut theirs = payout("po_theirs", 5);
    theirs["created"] = ago(1_000).as_second().into();
    let mut emitted: Value =
        serde_json::from_str(&event("evt_theirs", "payout.paid", ago(20), &theirs)).unwrap();
    emitted["account"] = json!("acct_1");
    stack.apply(&emitted.to_string(), ago(20)).await;
    stack.stripe.disconnect("acct_1");
    let ours = put_payout_of_charges(&stack, "po_1", 1);
    emit(&stack, &ours).await;
    stack.run(later(1)).await;
    assert_eq!(adds_up(&stack, "po_1").await, Some(true));
    assert!(open(&stack, OpenReason::PayoutToList).await.is_empty());
    let health = shared::health::payouts(&stack.records(), later(1)).await.unwrap();
    assert_eq!(health.unexplained, OpenCount::Exactly(0), "nobody can do anything about it");
}

#[tokio::test]
async fn transactions_that_were_refused_one_night_are_listed_the_next() {
    let stack = start().await;
    let mut young = transaction("txn_young", "", "charge", 500, 20, "ch_young");
    young["created"] = later(60).as_second().into();
    stack.put(&young);
    stack.stripe.add_fault(fails("/v1/balance_transactions", 403, "you may not"));
    stack.run(later(24 * 60)).await;
    assert!(stack.record("-/balance_transaction/txn_young").await.is_none());
    stack.stripe.clear_faults();
    stack.run(later(48 * 60)).await;
    assert!(stack.record("-/balance_transaction/txn_young").await.is_some());
}

#[tokio::test]
async fn a_fee_of_the_payout_itself_is_no_difference() {
    let stack = start().await;
    let payout = payout("po_1", 931);
    stack.put(&payout);
    let mut own = own("po_1", 931);
    (own["fee"], own["net"]) = (json!(10), json!(-941));
    stack.put(&own);
    stack.put(&transaction("txn_1", "po_1", "charge", 1000, 59, "ch_1"));
    emit(&stack, &payout).await;
    stack.run(later(1)).await;
    assert_eq!(adds_up(&stack, "po_1").await, Some(true));
}

#[tokio::test]
async fn transactions_that_come_to_the_payouts_own_and_not_to_its_amount_do_not_add_up() {
    let stack = start().await;
    let payout = payout("po_1", 940);
    stack.put(&payout);
    stack.put(&own("po_1", 941));
    stack.put(&transaction("txn_1", "po_1", "charge", 1000, 59, "ch_1"));
    emit(&stack, &payout).await;
    stack.run(later(1)).await;
    assert_eq!(adds_up(&stack, "po_1").await, Some(false), "the payout says what the bank gets");
}

#[tokio::test]
async fn payouts_that_failed_lately_or_are_late_are_found_and_no_others() {
    let stack = start().await;
    const HOUR: i64 = 60;
    for (id, status, arrival, is_fetched) in [
        ("po_late", "in_transit", 49 * HOUR, false),
        ("po_pending", "pending", 49 * HOUR, false),
        ("po_coming", "in_transit", 47 * HOUR, false),
        ("po_long_ago", "in_transit", 33 * 24 * HOUR, false),
        ("po_failed", "failed", 9 * 24 * HOUR, false),
        ("po_failed_before", "failed", 9 * 24 * HOUR, true),
        ("po_paid", "paid", 49 * HOUR, false),
    ] {
        let mut payout = payout(id, 5);
        (payout["status"], payout["reconciliation_status"]) = (json!(status), json!("in_progress"));
        payout["arrival_date"] = ago(arrival).as_second().into();
        if is_fetched {
            stack.put(&payout);
        } else {
            let emitted = event(&format!("evt_{id}"), "payout.updated", ago(20), &payout);
            stack.apply(&emitted, ago(20)).await;
        }
    }
    stack.import(json!({ "kinds": ["payouts"] })).await;
    stack.run(later(1)).await;
    let health = shared::health::payouts(&stack.records(), now()).await.unwrap();
    let ids = |payouts: &[shared::health::PayoutInTrouble]| -> Vec<String> {
        let mut ids: Vec<_> = payouts.iter().map(|payout| payout.key.id().to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&health.first_late), ["po_late", "po_pending"]);
    assert_eq!(
        ids(&health.first_failed),
        ["po_failed"],
        "what was fetched failed when it should have arrived"
    );
    assert_eq!((health.late, health.failed), (OpenCount::Exactly(2), OpenCount::Exactly(1)));
}

#[tokio::test]
async fn a_later_event_leaves_the_sums_and_the_transactions() {
    let stack = start().await;
    let mut payout = put_payout_of_charges(&stack, "po_1", 2);
    emit(&stack, &payout).await;
    stack.run(later(1)).await;
    payout["status"] = json!("failed");
    stack.apply(&event("evt_failed", "payout.failed", ago(10), &payout), ago(10)).await;
    assert_eq!(stack.object("-/payout/po_1").await["status"], "failed");
    assert_eq!(adds_up(&stack, "po_1").await, Some(true));
    assert_eq!(open(&stack, OpenReason::PayoutFailed).await, ["po_1"]);
    stack.run(later(2)).await;
    assert_eq!(lists_of_transactions(&stack), 1);
}

#[tokio::test]
async fn the_night_finds_payouts_without_events_and_transactions_without_payouts() {
    let stack = start().await;
    put_payout_of_charges(&stack, "po_1", 130);
    let mut young = transaction("txn_young", "", "charge", 500, 20, "ch_young");
    young["created"] = later(60).as_second().into();
    stack.put(&young);
    stack.run(later(24 * 60)).await;
    assert!(stack.record("-/payout/po_1").await.is_some());
    let young = stack.record("-/balance_transaction/txn_young").await.unwrap().links.unwrap();
    assert_eq!((young.payout, young.charge.as_deref()), (None, Some("ch_young")));
    stack.run(later(24 * 60 + 1)).await;
    assert_eq!(adds_up(&stack, "po_1").await, Some(true));
    assert_eq!(listed(&stack, "po_1").await.len(), 130);
    let last = stack.registry().scheduled_work().await.unwrap().payouts.last.unwrap();
    assert_eq!((last.looked_at, last.refused.count), (2, 0));
    // Once a night.
    let asked = lists_of_transactions(&stack);
    stack.run(later(24 * 60 + 2)).await;
    assert_eq!(lists_of_transactions(&stack), asked);
}

#[tokio::test]
async fn the_night_goes_through_connected_accounts_and_passes_one_that_refuses() {
    let stack = start().await;
    for account in ["acct_1", "acct_2"] {
        stack.registry().record_connected_account(&account.parse().unwrap(), later(0)).await.unwrap();
        stack.stripe.put_object(Some(account), &payout("po_same", 0));
    }
    stack.stripe.disconnect("acct_1");
    stack.run(later(24 * 60)).await;
    assert!(stack.record("acct_1/payout/po_same").await.is_none());
    assert!(stack.record("acct_2/payout/po_same").await.is_some());
    let last = stack.registry().scheduled_work().await.unwrap().payouts.last.unwrap();
    assert_eq!(last.refused.count, 0, "of an account that has left there is nothing to list");
}

#[tokio::test]
async fn each_night_finds_the_accounts_that_were_connected_since() {
    let mut stack = start().await;
    for number in 0..101 {
        stack.stripe.connect(&format!("acct_{number:03}"));
    }
    // Of the second page.
    stack.stripe.put_object(Some("acct_000"), &payout("po_unheard", 0));
    stack.run(later(24 * 60)).await;
    assert_eq!(account_lists(&stack), 0, "nobody wants what is theirs");
    listen_to_connected_accounts(&stack).await;
    // Ended after each page, the next run goes on there.
    stack.deadline = Deadline::after(Duration::ZERO);
    for minutes in 0..3 {
        stack.run(later(2 * 24 * 60 + minutes)).await;
    }
    assert_eq!(account_lists(&stack), 2);
    stack.deadline = Deadline::NEVER;
    stack.run(later(2 * 24 * 60 + 4)).await;
    assert!(stack.record("acct_000/payout/po_unheard").await.is_some());
    assert_eq!(account_lists(&stack), 2, "each page once a night");
    let last = stack.registry().scheduled_work().await.unwrap().payouts.last.unwrap();
    assert_eq!((last.connected_failure, last.refused.count), (None, 0));
}

#[tokio::test]
async fn accounts_that_stripe_refuses_to_list_do_not_hold_up_the_nights_payouts() {
    let stack = start().await;
    listen_to_connected_accounts(&stack).await;
    stack.put(&payout("po_own", 0));
    let key = Key::restricted(&stack.stripe.key(), &["payouts:read", "balance_transactions:read"]);
    stack.stripe.set_keys(vec![key]);
    stack.run(later(24 * 60)).await;
    assert!(stack.record("-/payout/po_own").await.is_some());
    let last = stack.registry().scheduled_work().await.unwrap().payouts.last.unwrap();
    let failure = last.connected_failure.unwrap();
    assert!(failure.message.contains("rak_connected_account_read"), "{failure:?}");
}

#[tokio::test]
async fn accounts_whose_list_never_comes_hold_up_the_night_for_a_few_runs_only() {
    let stack = start().await;
    listen_to_connected_accounts(&stack).await;
    stack.put(&payout("po_own", 0));
    stack.stripe.add_fault(answers("/v1/accounts", json!("<html>sign in</html>")));
    for minutes in 0..4 {
        stack.run(later(24 * 60 + minutes)).await;
        let progress = stack.registry().scheduled_work().await.unwrap().payouts;
        assert!(progress.halted.is_some() && progress.pass.is_some());
    }
    stack.run(later(24 * 60 + 4)).await;
    assert!(stack.record("-/payout/po_own").await.is_some());
    let progress = stack.registry().scheduled_work().await.unwrap().payouts;
    assert!(progress.halted.is_none() && progress.last.unwrap().connected_failure.is_some());
}

#[tokio::test]
async fn an_import_brings_transactions_with_what_they_belong_to() {
    let stack = start().await;
    let payout = put_payout_of_charges(&stack, "po_1", 1);
    emit(&stack, &payout).await;
    stack.run(later(1)).await;
    stack.put(&transaction("txn_old", "", "charge", 500, 20, "ch_old"));
    stack.import(json!({ "kinds": ["payouts", "balance_transactions"] })).await;
    stack.run(later(2)).await;
    let old = stack.record("-/balance_transaction/txn_old").await.unwrap().links.unwrap();
    assert_eq!(old.charge.as_deref(), Some("ch_old"));
    let of_payout = stack.record("-/balance_transaction/txn_po_1_0000").await.unwrap().links.unwrap();
    assert_eq!(of_payout.payout.as_deref(), Some("po_1"), "it stays with its payout");
    assert_eq!(listed(&stack, "po_1").await, ["txn_po_1_0000"]);
}

/// An error each time, which is not tried again within the run.
fn fails(path: &str, status: u16, message: &str) -> Fault {
    let body = Some(json!({ "error": { "type": "invalid_request_error", "message": message } }));
    let answer = Answer { status, body, should_retry: Some(false), retry_after: None };
    Fault { effect: Effect::Answer(answer), ..Fault::status(status) }.on("GET", path).times(1_000)
}

fn answers(path: &str, body: Value) -> Fault {
    let answer = Answer { status: 200, body: Some(body), should_retry: Some(false), retry_after: None };
    Fault { effect: Effect::Answer(answer), ..Fault::status(200) }.on("GET", path).times(1_000)
}
