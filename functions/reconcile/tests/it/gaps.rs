//! What Stripe made, is wanted and missing is stored once; what is on its way, unwanted or here is left
//! alone.

use serde_json::{Value, json};
use shared::deadline::Deadline;
use shared::endpoint::EndpointRow;
use shared::health::StripeView;
use shared::ledger::{EventSource, EventState};
use simulated_stripe::{Fault, Key, NewEvent};
use test_cloud::fixtures::now;

use crate::support::{Stack, ago, later};

fn found(run: &Value) -> (u64, u64, bool) {
    (run["looked_at"].as_u64().unwrap(), run["filled"].as_u64().unwrap(), run["more"].as_bool().unwrap())
}

#[tokio::test]
async fn what_is_missing_is_stored_to_be_applied_as_stripe_lists_it() {
    let stack = Stack::start().await;
    let id = stack.missed("invoice.paid", ago(60));
    let run = stack.run(now()).await;
    assert_eq!(found(&run), (1, 1, false), "{run}");
    let row = stack.row(&id).await.unwrap();
    assert_eq!(
        (row.state, row.source, row.endpoint.as_str(), row.event_type.as_deref()),
        (EventState::Pending, Some(EventSource::Reconcile), "main", Some("invoice.paid"))
    );
    assert!(row.due_at.is_some() && row.object.is_some(), "so that it is applied like any other");
    let body = stack.ledger().body(&row).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["id"], id.as_str());
}

#[tokio::test]
async fn what_is_here_unwanted_too_old_or_on_its_way_is_left_alone() {
    let stack = Stack::start().await;
    let here = stack.missed("invoice.paid", ago(60));
    stack.run(now()).await;
    let before = stack.row(&here).await;
    let unwanted = stack.missed("charge.failed", ago(60));
    let before_registering = stack.missed("invoice.paid", ago(2 * 1_440 + 10));
    let young = stack.missed("customer.created", ago(2));
    assert_eq!(stack.run(now()).await["filled"], 0);
    assert_eq!(stack.row(&here).await, before);
    for id in [&unwanted, &before_registering, &young] {
        assert!(stack.row(id).await.is_none(), "{id}");
    }
    assert_eq!(stack.run(later(4)).await["filled"], 1, "six minutes old");
    assert!(stack.row(&young).await.is_some());
}

#[tokio::test]
async fn time_windows_overlap_for_what_stripe_lists_late() {
    let stack = Stack::start().await;
    stack.run(now()).await;
    // Stamped before what was compared, and listed only now.
    let listed_late = stack.missed("invoice.paid", ago(5 + 14));
    let too_late = stack.missed("invoice.paid", ago(5 + 16));
    assert_eq!(stack.run(later(5)).await["filled"], 1);
    assert!(stack.row(&listed_late).await.is_some() && stack.row(&too_late).await.is_none());
    let since = json!({ "since": ago(60).to_string() });
    assert_eq!(stack.call("admin", "POST", "/reconcile", since).await.1["filled"], 1);
    assert!(stack.row(&too_late).await.is_some());
}

#[tokio::test]
async fn a_long_outage_is_worked_through_run_by_run_and_nothing_is_left_or_doubled() {
    let mut stack = Stack::start().await;
    let ids: Vec<_> = (0..450).map(|i| stack.missed("invoice.paid", ago(1_000 - i / 3))).collect();
    let (mut runs, mut filled, mut newer) = (0, 0, Vec::new());
    loop {
        // Each run has time for one page.
        stack.deadline = Deadline::after(std::time::Duration::ZERO);
        let run = stack.run(later(runs)).await;
        filled += run["filled"].as_u64().unwrap();
        runs += 1;
        if run["more"] == false {
            break;
        }
        // Meanwhile life goes on.
        newer.push(stack.missed("customer.created", later(runs - 6)));
        assert!(runs < 20, "{run}");
    }
    assert!(runs >= 5, "{runs}");
    stack.deadline = Deadline::NEVER;
    filled += stack.run(later(runs + 10)).await["filled"].as_u64().unwrap();
    assert_eq!(filled, 450 + newer.len() as u64);
    for id in ids.iter().chain(&newer) {
        assert!(stack.row(id).await.is_some(), "{id}");
    }
}

#[tokio::test]
async fn a_run_that_dies_leaves_the_rest_to_the_next_and_what_is_done_is_not_done_again() {
    let stack = Stack::start().await;
    let ids: Vec<_> = (0..250).map(|i| stack.missed("invoice.paid", ago(1_000 - i))).collect();
    stack.cloud.clear_calls();
    // It dies while it keeps how far it is after the second page.
    tokio::select! {
        _ = stack.try_run(now()) => panic!("it is not over"),
        () = async {
            while stack.cloud.count("PutItem", "RegistryTable") < 2 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    // The lease of the dead one ends by itself.
    let run = stack.run(later(3)).await;
    assert_eq!(run["more"], false);
    assert!(run["looked_at"].as_u64().unwrap() < 200, "{run}");
    for id in &ids {
        assert!(stack.row(id).await.is_some(), "{id}");
    }
}

#[tokio::test]
async fn an_account_that_stripe_refuses_does_not_stop_the_others() {
    let stack = Stack::bare().await;
    stack.register("connect", &["invoice.paid"], true, ago(1_440)).await;
    for account in ["acct_1", "acct_2"] {
        stack.registry().record_connected_account(&account.parse().unwrap(), ago(100)).await.unwrap();
    }
    let ids = ["acct_1", "acct_2"]
        .map(|account| stack.emit(NewEvent::new("invoice.paid").account(account), ago(60)));
    stack.stripe.add_fault(Fault::status(403).on("GET", "/v1/events").times(1));
    assert_eq!(stack.run(now()).await["filled"], 1);
    assert!(stack.row(&ids[0]).await.is_none() && stack.row(&ids[1]).await.is_some());
    let StripeView::Answered { value: gaps, .. } = stack.snapshot().await.events else { panic!() };
    assert_eq!(gaps.refused, ["acct_1"]);
    assert_eq!(stack.run(later(5)).await["filled"], 1, "and it is asked for again");
}

#[tokio::test]
async fn with_time_for_one_account_only_each_has_its_turn() {
    let mut stack = Stack::bare().await;
    stack.register("connect", &["invoice.paid"], true, ago(1_440)).await;
    let accounts = ["acct_1", "acct_2", "acct_3"];
    let mut ids = Vec::new();
    for account in accounts {
        stack.registry().record_connected_account(&account.parse().unwrap(), ago(100)).await.unwrap();
        ids.push(stack.emit(NewEvent::new("invoice.paid").account(account), ago(60)));
    }
    stack.deadline = Deadline::after(std::time::Duration::ZERO);
    for (run, id) in ids.iter().enumerate() {
        let answer = stack.run(later(i64::try_from(run).unwrap() * 5)).await;
        assert_eq!((answer["filled"].as_u64(), answer["more"].as_bool()), (Some(1), Some(true)));
        assert!(stack.row(id).await.is_some(), "run {run}");
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_leaves_no_hole() {
    let stack = Stack::start().await;
    // Stripe's clock is an hour behind ours, and what it makes from then on as well.
    stack.stripe.skew_date(-3_600);
    stack.run(now()).await;
    stack.stripe.skew_date(0);
    let id = stack.missed("invoice.paid", ago(30));
    assert_eq!(stack.run(now()).await["filled"], 1);
    assert!(stack.row(&id).await.is_some());
}

#[tokio::test]
async fn connected_accounts_that_have_sent_an_event_are_compared_each_on_its_own() {
    let stack = Stack::start().await;
    stack.register("connect", &["invoice.paid"], true, ago(1_440)).await;
    stack.registry().record_connected_account(&"acct_1".parse().unwrap(), ago(100)).await.unwrap();
    let paid = |account: &str| NewEvent::new("invoice.paid").account(account);
    let known = stack.emit(paid("acct_1"), ago(60));
    let never_sent_any = stack.emit(paid("acct_2"), ago(60));
    let own = stack.missed("invoice.paid", ago(60));
    assert_eq!(stack.run(now()).await["filled"], 2);
    let row = stack.row(&known).await.unwrap();
    assert_eq!((row.endpoint.as_str(), row.object.unwrap().account()), ("connect", Some("acct_1")));
    assert_eq!(stack.row(&own).await.unwrap().endpoint, "main");
    assert!(stack.row(&never_sent_any).await.is_none());
}

#[tokio::test]
async fn a_disabled_endpoint_wants_nothing() {
    let stack = Stack::start().await;
    let registry = stack.registry();
    let row = registry.endpoint(&"main".parse().unwrap()).await.unwrap().unwrap();
    let mut disabled = row.clone();
    disabled.state = shared::endpoint::EndpointState::Disabled;
    registry.replace(&row, &mut disabled).await.unwrap();
    let id = stack.missed("invoice.paid", ago(60));
    stack.run(now()).await;
    assert!(stack.row(&id).await.is_none());
}

#[tokio::test]
async fn a_first_run_on_an_old_account_reaches_back_to_the_registration_or_thirty_days() {
    let stack = Stack::bare().await;
    stack.register("main", &["invoice.paid"], false, ago(50 * 1_440)).await;
    let (old, gone) =
        (stack.missed("invoice.paid", ago(29 * 1_440)), stack.missed("invoice.paid", ago(31 * 1_440)));
    stack.run(now()).await;
    assert!(stack.row(&old).await.is_some() && stack.row(&gone).await.is_none());
}

#[tokio::test]
async fn a_stripe_that_does_not_answer_costs_nothing_and_the_next_run_goes_on() {
    let stack = Stack::start().await;
    let id = stack.missed("invoice.paid", ago(60));
    for fault in [Fault::status(500), Fault::rate_limit(Some(false)), Fault::cut()] {
        stack.stripe.add_fault(fault.on("GET", "/v1/events").times(100));
        assert_eq!(stack.run(now()).await["events"], "no_answer");
        assert!(matches!(stack.snapshot().await.events, StripeView::Unavailable(_)));
        stack.stripe.clear_faults();
    }
    assert_eq!(stack.run(now()).await["filled"], 1);
    assert!(stack.row(&id).await.is_some());
}

#[tokio::test]
async fn two_runs_of_one_second_both_look() {
    let stack = Stack::start().await;
    stack.run(now()).await;
    let id = stack.missed("invoice.paid", ago(10));
    assert_eq!(stack.run(now()).await["filled"], 1);
    assert!(stack.row(&id).await.is_some());
    stack.stripe.set_keys(vec![Key::restricted(&stack.stripe.key(), &["webhook_endpoints:write"])]);
    assert_eq!(stack.run(now()).await["events"], "key_lacks_right");
}

#[tokio::test]
async fn a_listed_event_that_cannot_be_read_is_set_aside_with_the_reason() {
    let stack = Stack::start().await;
    let id = stack.emit(NewEvent::new("invoice.paid").set("object", 7), ago(60));
    assert_eq!(stack.run(now()).await["filled"], 1);
    let row = stack.row(&id).await.unwrap();
    assert_eq!((row.state, row.source), (EventState::Quarantined, Some(EventSource::Reconcile)));
    assert!(row.reason.is_some());
    assert_eq!(stack.run(later(5)).await["filled"], 0);
}

#[tokio::test]
async fn an_endpoint_registered_anew_gets_what_fell_in_between() {
    let stack = Stack::start().await;
    stack.run(ago(20)).await;
    // Stripe signs with another secret; the remedy is to register anew.
    let before = stack.missed("invoice.paid", ago(12));
    stack.register_anew("main", ago(10)).await;
    stack.run(now()).await;
    assert!(stack.row(&before).await.is_some());
    // Weeks without an endpoint are nobody's.
    let weeks = Stack::start().await;
    weeks.run(ago(20 * 1_440)).await;
    let (old, lately) = (weeks.missed("invoice.paid", ago(1_460)), weeks.missed("invoice.paid", ago(1_400)));
    weeks.register_anew("main", ago(10)).await;
    weeks.run(now()).await;
    assert!(weeks.row(&old).await.is_none() && weeks.row(&lately).await.is_some());
}

#[tokio::test]
async fn an_account_that_stripe_does_not_answer_for_comes_last_and_stops_no_other() {
    let stack = Stack::bare().await;
    stack.register("connect", &["invoice.paid"], true, ago(2 * 1_440)).await;
    for account in ["acct_1", "acct_2"] {
        stack.registry().record_connected_account(&account.parse().unwrap(), ago(100)).await.unwrap();
    }
    let paid = |account: &str| NewEvent::new("invoice.paid").account(account);
    let ids = ["acct_1", "acct_2"].map(|account| stack.emit(paid(account), ago(60)));
    // As many tries as one call has.
    stack.stripe.add_fault(Fault::status(500).on("GET", "/v1/events").times(3));
    assert_eq!(stack.run(now()).await["filled"], 1);
    assert!(stack.row(&ids[0]).await.is_none() && stack.row(&ids[1]).await.is_some());
    let StripeView::Answered { value: gaps, .. } = stack.snapshot().await.events else { panic!() };
    assert_eq!(gaps.unanswered, ["acct_1"]);
    assert!(gaps.until < ago(60).into(), "not all is compared");
    // The next time it is the other's turn first, so that one that never answers takes nobody's.
    stack.stripe.add_fault(Fault::status(500).on("GET", "/v1/events").times(3));
    stack.run(later(5)).await;
    let StripeView::Answered { value: gaps, .. } = stack.snapshot().await.events else { panic!() };
    assert_eq!(gaps.unanswered, ["acct_2"]);
    assert!(stack.row(&ids[0]).await.is_some());
    assert!(gaps.refused.is_empty());
}

#[tokio::test]
async fn a_change_of_an_endpoint_takes_nothing_of_what_it_wanted_away() {
    let stack = Stack::start().await;
    stack.run(ago(2 * 1_440 - 60)).await;
    // Nothing could be compared for over a day; then its address is changed.
    let id = stack.missed("invoice.paid", ago(1_440 + 300));
    let row = stack.registry().endpoint(&"main".parse().unwrap()).await.unwrap().unwrap();
    let mut changed = EndpointRow { subscribed_since: now().into(), ..row.clone() };
    stack.registry().replace(&row, &mut changed).await.unwrap();
    stack.run(later(1)).await;
    assert!(stack.row(&id).await.is_some());
}

/// An event of about this many megabytes that Stripe lists and sends nobody.
fn large(stack: &Stack, megabytes: usize, minutes: i64) -> String {
    let text = "x".repeat(megabytes * 1_000_000);
    stack.emit(NewEvent::new("invoice.paid").set("description", text), ago(minutes))
}

#[tokio::test]
async fn a_page_too_large_to_be_read_is_listed_in_smaller_ones() {
    let stack = Stack::start().await;
    for minutes in 60..78 {
        large(&stack, 1, minutes);
    }
    let run = stack.run(now()).await;
    assert_eq!((found(&run), &run["events"]), ((18, 18, false), &json!("ok")), "{run}");
    assert_eq!(found(&stack.run(later(5)).await).1, 0);
}

#[tokio::test]
async fn an_event_too_large_to_be_read_even_alone_is_set_aside_and_holds_nothing_up() {
    let stack = Stack::start().await;
    let younger = stack.missed("invoice.paid", ago(50));
    let huge = large(&stack, 17, 60);
    let older = stack.missed("invoice.paid", ago(70));
    let run = stack.run(now()).await;
    assert_eq!((found(&run), &run["events"]), ((3, 3, false), &json!("ok")), "{run}");
    for id in [&younger, &older] {
        assert_eq!(stack.row(id).await.unwrap().state, EventState::Pending, "{id}");
    }
    let row = stack.row(&huge).await.unwrap();
    assert_eq!((row.state, row.source), (EventState::Quarantined, Some(EventSource::Reconcile)));
    assert!(row.reason.as_ref().unwrap().contains("larger than 16 MiB"), "{row:?}");
    let body = stack.ledger().body(&row).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({ "id": huge, "object": "event" }));
    assert_eq!(found(&stack.run(later(5)).await).1, 0, "it is set aside once");
}
