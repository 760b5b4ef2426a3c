//! The causes that keep deliveries from arriving are told apart, and what strangers send is none of them.

use shared::health::Arrived;
use shared::probe::{ProbeOutcome, ProbeStage};
use shared::stripe::StripeFailure;

use super::*;

/// Stripe could not deliver events to `main`, which had a delivery before, and this became of a probe.
fn make_unreachable(inputs: &mut StatusInputs, probe_outcome: ProbeOutcome) {
    add_undelivered(inputs, 60);
    inputs.endpoints[0].activity = activity(600);
    add_probe(inputs, 61, probe_outcome);
}

/// Requests came, the last one so long ago, whose signature does not match.
fn add_mismatches(inputs: &mut StatusInputs, seconds: i64) {
    let activity = &mut inputs.endpoints[0].activity;
    (activity.mismatched_at, activity.mismatches) = (Some(ago(seconds)), 7);
}

fn answered(status: u16, code: Option<&str>) -> ProbeOutcome {
    ProbeOutcome::Answered { status, code: code.map(str::to_owned) }
}

#[test]
fn the_causes_that_keep_deliveries_from_arriving_are_told_apart() {
    type Change = fn(&mut StatusInputs);
    let no_answer = |at| ProbeOutcome::NoAnswer { at, why: "w".into() };
    let outcomes: [(ProbeOutcome, &[&str], &str); 8] = [
        (ProbeOutcome::Stored, &["deliveries_arrive"], "Stripe's dashboard"),
        (ProbeOutcome::Changed, &["deliveries_arrive", "signatures_match"], "pass the body on"),
        (no_answer(ProbeStage::Name), &["deliveries_arrive", "probe_arrives"], "DNS"),
        (no_answer(ProbeStage::Connection), &["deliveries_arrive", "probe_arrives"], "firewall"),
        (no_answer(ProbeStage::Response), &["deliveries_arrive", "probe_arrives"], "throttling"),
        (answered(503, Some("temporarily_unavailable")), &["deliveries_arrive", "probe_arrives"], "ledger"),
        (answered(404, Some("endpoint_unknown")), &["deliveries_arrive", "probe_arrives"], "ten seconds"),
        (answered(403, None), &["deliveries_arrive", "probe_arrives"], "proxy"),
    ];
    for (probe_outcome, expected, remedy) in outcomes {
        let mut inputs = healthy();
        make_unreachable(&mut inputs, probe_outcome.clone());
        let report = run(&inputs);
        assert_eq!(
            (failing(&report), report.status),
            (expected.to_vec(), HealthStatus::Error),
            "{probe_outcome:?}"
        );
        let last = all(&report).filter(|check| check.outcome == CheckOutcome::Failed).last().unwrap();
        assert!(last.remedy.as_ref().unwrap().contains(remedy), "{probe_outcome:?}: {:?}", last.remedy);
        // A delivery comes in: whatever the probe came to, all is well.
        inputs.endpoints[0].activity = activity(0);
        add_mismatches(&mut inputs, 0);
        assert_eq!(run(&inputs).status, HealthStatus::Active, "{probe_outcome:?}");
    }
    let signed: [(Change, &str); 3] = [
        (|inputs| make_unreachable(inputs, ProbeOutcome::Stored), "it signs with another secret"),
        (
            |inputs| (make_unreachable(inputs, ProbeOutcome::Stored), inputs.endpoints[0].probe = None).1,
            "or were changed on the way",
        ),
        (|inputs| make_unreachable(inputs, ProbeOutcome::Changed), "a request of ours was"),
    ];
    for (change, summary) in signed {
        let mut inputs = healthy();
        change(&mut inputs);
        add_mismatches(&mut inputs, 120);
        let report = run(&inputs);
        assert_eq!(failing(&report), ["deliveries_arrive", "signatures_match"]);
        let check = all(&report).find(|check| check.code == "signatures_match").unwrap();
        assert!(check.summary.ends_with(summary), "{}", check.summary);
    }
    // Where Stripe sends nothing, what came is somebody else's.
    let mut inputs = healthy();
    make_unreachable(&mut inputs, ProbeOutcome::Stored);
    add_mismatches(&mut inputs, 120);
    main_at_stripe(&mut inputs).status = "disabled".into();
    assert_eq!(failing(&run(&inputs)), ["enabled_at_stripe", "deliveries_arrive"]);
    // A request of long before has nothing to do with it.
    let mut inputs = healthy();
    make_unreachable(&mut inputs, ProbeOutcome::Stored);
    add_mismatches(&mut inputs, 60 + 301);
    assert_eq!(failing(&run(&inputs)), ["deliveries_arrive"]);
}

#[test]
fn what_anybody_can_send_changes_nothing_as_long_as_deliveries_arrive() {
    let mut inputs = healthy();
    let activity = EndpointActivity {
        mismatched_at: Some(ago(0)),
        mismatches: 100_000,
        mismatches_since: Some(ago(600)),
        stale_at: Some(ago(0)),
        stale_by_s: Some(-86_400),
        ..activity(3_600)
    };
    inputs.endpoints[0].activity = activity;
    let report = run(&inputs);
    assert_eq!((failing(&report), report.status), (vec![], HealthStatus::Active));
    // The same, when Stripe's own do not arrive.
    add_undelivered(&mut inputs, 60);
    let report = run(&inputs);
    assert_eq!(failing(&report), ["clock", "deliveries_arrive", "signatures_match"]);
}

#[test]
fn an_endpoint_that_arrives_does_not_hide_one_that_does_not() {
    let mut inputs = healthy();
    inputs.endpoints.push(endpoint("second"));
    stripe_list(&mut inputs).push(at_stripe("second"));
    inputs.endpoints[1].activity = activity(600);
    inputs.endpoints[1].undelivered = Some(Undelivered { newest: ago(60).into(), count: 1 });
    let report = run(&inputs);
    assert_eq!((failing(&report), report.status), (vec!["deliveries_arrive"], HealthStatus::Error));
    assert_eq!(report.endpoints[0].status, HealthStatus::Active);
}

/// Nothing was ever delivered to `main`.
fn never_heard() -> StatusInputs {
    let mut inputs = healthy();
    inputs.endpoints[0].activity = EndpointActivity::default();
    inputs
}

/// So many events of a type were delivered, and so many fetched; the newest of each were made so many
/// seconds ago. Something was delivered between those that were fetched.
fn arrived(inputs: &mut StatusInputs, event_type: &str, delivered: (u64, i64), fetched: (u64, i64)) {
    let newest = |(count, seconds): (u64, i64)| (count > 0).then(|| ago(seconds).into());
    let counts = Arrived {
        delivered: delivered.0,
        fetched: fetched.0,
        newest_delivered: newest(delivered),
        newest_fetched: newest(fetched),
        oldest_fetched: newest((fetched.0, fetched.1 + 2)),
        others_delivered: newest((fetched.0, fetched.1 + 1)),
    };
    inputs.endpoints[0].arrivals.counts.insert(event_type.to_owned(), counts);
}

fn outcome(report: &StatusReport, code: &str) -> (CheckOutcome, Severity) {
    let check = all(report).find(|check| check.code == code).unwrap();
    (check.outcome, check.severity)
}

#[test]
fn an_endpoint_that_was_neither_heard_nor_reached_by_a_probe_is_not_active() {
    let mut inputs = never_heard();
    let report = run(&inputs);
    assert_eq!(unknown(&report), ["deliveries_arrive", "probe_arrives", "signatures_match"]);
    assert_eq!((failing(&report), report.status), (vec![], HealthStatus::Inactive));
    add_probe(&mut inputs, 5, ProbeOutcome::Stored);
    let report = run(&inputs);
    assert_eq!(unknown(&report), ["deliveries_arrive", "signatures_match"]);
    assert_eq!((failing(&report), report.status), (vec![], HealthStatus::Active));
    for outcome in
        [answered(200, None), ProbeOutcome::NoAnswer { at: ProbeStage::Connection, why: "refused".into() }]
    {
        add_probe(&mut inputs, 5, outcome);
        let report = run(&inputs);
        assert_eq!((failing(&report), report.status), (vec!["probe_arrives"], HealthStatus::Error));
    }
    add_probe(&mut inputs, 5, ProbeOutcome::Changed);
    assert_eq!(failing(&run(&inputs)), ["signatures_match"]);
}

#[test]
fn what_only_ever_came_with_a_wrong_signature_fails_and_is_not_active() {
    let mut inputs = never_heard();
    add_probe(&mut inputs, 5, ProbeOutcome::Stored);
    add_mismatches(&mut inputs, 0);
    let report = run(&inputs);
    assert_eq!((failing(&report), report.status), (vec!["signatures_match"], HealthStatus::Inactive));
    // Anybody can send such requests, so they alone are no error.
    assert_eq!(outcome(&report, "signatures_match"), (CheckOutcome::Failed, Severity::Warning));
    inputs.endpoints[0].activity.at = Some(ago(0));
    assert_eq!(run(&inputs).status, HealthStatus::Active);
}

#[test]
fn what_something_else_took_in_our_place_did_not_arrive() {
    let mut inputs = never_heard();
    arrived(&mut inputs, "invoice.paid", (0, 0), (5, 400));
    let report = run(&inputs);
    assert_eq!((failing(&report), report.status), (vec!["deliveries_arrive"], HealthStatus::Error));
    let check = all(&report).find(|check| check.code == "deliveries_arrive").unwrap();
    assert_eq!(check.evidence["fetched"], json!([{ "type": "invoice.paid", "fetched": 5, "delivered": 0 }]));
}

#[test]
fn types_that_do_not_arrive_among_others_are_named() {
    let refused = |seconds: i64| {
        let mut inputs = healthy();
        arrived(&mut inputs, "refund.created", (20, 0), (1, 9_000));
        arrived(&mut inputs, "invoice.paid", (0, 0), (4, seconds));
        inputs
    };
    let report = run(&refused(400));
    assert_eq!((failing(&report), report.status), (vec!["deliveries_arrive"], HealthStatus::Error));
    let check = all(&report).find(|check| check.code == "deliveries_arrive").unwrap();
    assert!(check.summary.contains("do not: invoice.paid;"), "{}", check.summary);
    // Stripe has made none for over an hour: it may be mended.
    let report = run(&refused(3_700));
    assert_eq!((failing(&report), report.status), (vec!["deliveries_arrive"], HealthStatus::Active));
    // It was: one is delivered. What was lost stays a warning while it is much of all.
    let mut inputs = refused(400);
    arrived(&mut inputs, "invoice.paid", (1, 60), (4, 400));
    assert_eq!(outcome(&run(&inputs), "deliveries_arrive"), (CheckOutcome::Failed, Severity::Warning));
    arrived(&mut inputs, "invoice.paid", (37, 60), (4, 400));
    assert_eq!(outcome(&run(&inputs), "deliveries_arrive").0, CheckOutcome::Ok, "under one in ten");
}

#[test]
fn what_was_lost_in_an_outage_is_over_with_the_next_delivery() {
    let mut inputs = healthy();
    arrived(&mut inputs, "invoice.paid", (3, 7_000), (40, 400));
    let counts = inputs.endpoints[0].arrivals.counts.get_mut("invoice.paid").unwrap();
    counts.others_delivered = Some(ago(60).into());
    inputs.endpoints[0].activity = activity(7_000);
    assert_eq!(outcome(&run(&inputs), "deliveries_arrive"), (CheckOutcome::Failed, Severity::Error));
    inputs.endpoints[0].activity = activity(30);
    let report = run(&inputs);
    assert_eq!((failing(&report), report.status), (vec![], HealthStatus::Active));
}

#[test]
fn a_probe_that_came_through_after_one_missed_event_makes_it_a_warning() {
    let mut inputs = healthy();
    inputs.endpoints[0].activity = activity(7_200);
    arrived(&mut inputs, "invoice.paid", (3, 7_200), (1, 900));
    let severity = |inputs: &StatusInputs| outcome(&run(inputs), "deliveries_arrive");
    assert_eq!(severity(&inputs), (CheckOutcome::Failed, Severity::Error));
    add_probe(&mut inputs, 1_000, ProbeOutcome::Stored);
    assert_eq!(severity(&inputs), (CheckOutcome::Failed, Severity::Error), "before it was made");
    add_probe(&mut inputs, 60, ProbeOutcome::Stored);
    assert_eq!(severity(&inputs), (CheckOutcome::Failed, Severity::Warning));
    assert_eq!(run(&inputs).status, HealthStatus::Active);
    // Where event after event is missed, requests of ours take another way than Stripe's.
    arrived(&mut inputs, "invoice.paid", (0, 0), (2, 900));
    assert_eq!(severity(&inputs), (CheckOutcome::Failed, Severity::Error));
}

#[test]
fn without_stripes_events_only_a_recent_delivery_says_that_they_arrive() {
    for gaps in [StripeView::NotAsked, StripeView::Forbidden(failure())] {
        let mut inputs = healthy();
        inputs.gaps = gaps;
        inputs.endpoints[0].activity = activity(3_600);
        assert_eq!(outcome(&run(&inputs), "deliveries_arrive").0, CheckOutcome::Ok);
        inputs.endpoints[0].activity = activity(3_601);
        assert_eq!(outcome(&run(&inputs), "deliveries_arrive").0, CheckOutcome::Unknown);
    }
}

#[test]
fn connected_accounts_that_nobody_knows_are_unknown() {
    let mut inputs = healthy();
    inputs.endpoints[0].row.spec.connect = true;
    assert_eq!(outcome(&run(&inputs), "accounts_readable").0, CheckOutcome::Unknown);
    gap_report(&mut inputs).connected = 1;
    assert_eq!(outcome(&run(&inputs), "accounts_readable").0, CheckOutcome::Ok);
}

#[test]
fn connected_accounts_that_stripe_does_not_list_are_told_where_an_endpoint_listens_to_them() {
    let mut inputs = healthy();
    gap_report(&mut inputs).connected = 1;
    let last = inputs.payout_progress.as_mut().and_then(|progress| progress.last.as_mut()).unwrap();
    last.connected_failure = Some(StripeFailure::happened("may not be read"));
    assert_eq!(outcome(&run(&inputs), "accounts_readable").0, CheckOutcome::Ok);
    inputs.endpoints[0].row.spec.connect = true;
    let report = run(&inputs);
    let check = all(&report).find(|check| check.code == "accounts_readable").unwrap();
    assert_eq!(check.outcome, CheckOutcome::Failed);
    assert_eq!(check.evidence["not_listed"]["stripe_message"], "may not be read");
}

#[test]
fn events_that_change_no_record_are_named() {
    let failed = |events: &[&str], ignore: &[&str]| {
        let mut inputs = healthy();
        inputs.endpoints[0].row.spec.events = events.iter().map(|event| (*event).to_owned()).collect();
        inputs.ignore = ignore.iter().map(|pattern| (*pattern).to_owned()).collect();
        let report = run(&inputs);
        let check = all(&report).find(|check| check.code == "events_applied").unwrap();
        (check.outcome == CheckOutcome::Failed).then(|| check.evidence.clone())
    };
    assert_eq!(failed(&["invoice.paid", "refund.created"], &["invoice.*"]), None);
    assert_eq!(
        failed(&["invoice.paid", "refund.created"], &["invoice.*", "refund.created"]),
        Some(json!({ "applied": 0, "ignored": ["invoice.paid", "refund.created"], "never_applied": [] }))
    );
    assert_eq!(
        failed(&["financial_connections.account.created", "invoice.paid"], &[]),
        Some(
            json!({ "applied": 1, "ignored": [], "never_applied": ["financial_connections.account.created"] })
        )
    );
}
