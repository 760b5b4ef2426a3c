//! The causes that keep deliveries from arriving are told apart, and what strangers send is none of them.

use shared::probe::{ProbeOutcome, ProbeStage};

use super::*;

/// Stripe could not deliver events to `main`, which had a delivery before, and this became of a probe.
fn make_unreachable(inputs: &mut StatusInputs, probe_outcome: ProbeOutcome) {
    add_undelivered(inputs, 60);
    inputs.endpoints[0].activity = activity(600);
    inputs.endpoints[0].probe_outcome = Some(probe_outcome);
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
        let last = all(&report).filter(|check| !check.ok).last().unwrap();
        assert!(last.remedy.as_ref().unwrap().contains(remedy), "{probe_outcome:?}: {:?}", last.remedy);
        // A delivery comes in: whatever the probe came to, all is well.
        inputs.endpoints[0].activity = activity(0);
        add_mismatches(&mut inputs, 0);
        assert_eq!(run(&inputs).status, HealthStatus::Active, "{probe_outcome:?}");
    }
    let signed: [(Change, &str); 3] = [
        (|inputs| make_unreachable(inputs, ProbeOutcome::Stored), "it signs with another secret"),
        (
            |inputs| {
                (make_unreachable(inputs, ProbeOutcome::Stored), inputs.endpoints[0].probe_outcome = None).1
            },
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
