//! What stands in the way of deliveries is told apart, and what strangers send is not taken for it.

use shared::probe::{ProbeOutcome, ProbeStage};

use super::*;

/// Events are missing, something was heard before, and this became of a probe.
fn out_of_reach(facts: &mut Facts, probed: ProbeOutcome) {
    missing(facts, 60);
    facts.endpoints[0].activity = activity(600);
    facts.endpoints[0].probed = Some(probed);
}

/// A request came whose signature does not match.
fn mismatch(facts: &mut Facts, seconds: i64) {
    let activity = &mut facts.endpoints[0].activity;
    (activity.mismatched_at, activity.mismatches) = (Some(ago(seconds)), 7);
}

fn answered(status: u16, code: Option<&str>) -> ProbeOutcome {
    ProbeOutcome::Answered { status, code: code.map(str::to_owned) }
}

#[test]
fn what_stands_in_the_way_of_deliveries_is_told_apart() {
    type Trouble = fn(&mut Facts);
    let no_answer = |at| ProbeOutcome::NoAnswer { at, why: "w".into() };
    let way: [(ProbeOutcome, &[&str], &str); 8] = [
        (ProbeOutcome::Stored, &["deliveries_arrive"], "Stripe's dashboard"),
        (ProbeOutcome::Changed, &["deliveries_arrive", "signatures_match"], "pass the body on"),
        (no_answer(ProbeStage::Name), &["deliveries_arrive", "probe_arrives"], "DNS"),
        (no_answer(ProbeStage::Connection), &["deliveries_arrive", "probe_arrives"], "firewall"),
        (no_answer(ProbeStage::Response), &["deliveries_arrive", "probe_arrives"], "throttling"),
        (answered(503, Some("temporarily_unavailable")), &["deliveries_arrive", "probe_arrives"], "ledger"),
        (answered(404, Some("endpoint_unknown")), &["deliveries_arrive", "probe_arrives"], "ten seconds"),
        (answered(403, None), &["deliveries_arrive", "probe_arrives"], "proxy"),
    ];
    for (probed, expected, remedy) in way {
        let mut facts = well();
        out_of_reach(&mut facts, probed.clone());
        let status = judge(&facts);
        assert_eq!((failing(&status), status.status), (expected.to_vec(), Condition::Error), "{probed:?}");
        let last = all(&status).filter(|check| !check.ok).last().unwrap();
        assert!(last.remedy.as_ref().unwrap().contains(remedy), "{probed:?}: {:?}", last.remedy);
        // A delivery comes in: whatever the probe came to, all is well.
        facts.endpoints[0].activity = activity(0);
        mismatch(&mut facts, 0);
        assert_eq!(judge(&facts).status, Condition::Active, "{probed:?}");
    }
    let signed: [(Trouble, &str); 3] = [
        (|f| out_of_reach(f, ProbeOutcome::Stored), "it signs with another secret"),
        (
            |f| (out_of_reach(f, ProbeOutcome::Stored), f.endpoints[0].probed = None).1,
            "or were changed on the way",
        ),
        (|f| out_of_reach(f, ProbeOutcome::Changed), "a request of ours was"),
    ];
    for (trouble, summary) in signed {
        let mut facts = well();
        trouble(&mut facts);
        mismatch(&mut facts, 120);
        let status = judge(&facts);
        assert_eq!(failing(&status), ["deliveries_arrive", "signatures_match"]);
        let check = all(&status).find(|check| check.code == "signatures_match").unwrap();
        assert!(check.summary.ends_with(summary), "{}", check.summary);
    }
    // Where Stripe sends nothing, what came is somebody else's.
    let mut facts = well();
    out_of_reach(&mut facts, ProbeOutcome::Stored);
    mismatch(&mut facts, 120);
    there(&mut facts).status = "disabled".into();
    assert_eq!(failing(&judge(&facts)), ["enabled_at_stripe", "deliveries_arrive"]);
    // A request of long before has nothing to do with it.
    let mut facts = well();
    out_of_reach(&mut facts, ProbeOutcome::Stored);
    mismatch(&mut facts, 60 + 301);
    assert_eq!(failing(&judge(&facts)), ["deliveries_arrive"]);
}

#[test]
fn what_anybody_can_send_changes_nothing_as_long_as_deliveries_arrive() {
    let mut facts = well();
    let activity = EndpointActivity {
        mismatched_at: Some(ago(0)),
        mismatches: 100_000,
        mismatches_since: Some(ago(600)),
        stale_at: Some(ago(0)),
        stale_by_s: Some(-86_400),
        ..activity(3_600)
    };
    facts.endpoints[0].activity = activity;
    let status = judge(&facts);
    assert_eq!((failing(&status), status.status), (vec![], Condition::Active));
    // The same, when Stripe's own do not arrive.
    missing(&mut facts, 60);
    let status = judge(&facts);
    assert_eq!(failing(&status), ["clock", "deliveries_arrive", "signatures_match"]);
}

#[test]
fn an_endpoint_that_arrives_does_not_hide_one_that_does_not() {
    let mut facts = well();
    facts.endpoints.push(endpoint("second"));
    let StripeView::Answered { value: list, .. } = &mut facts.at_stripe else { panic!("asked") };
    list.push(at_stripe("second"));
    facts.endpoints[1].activity = activity(600);
    facts.endpoints[1].undelivered = Some(Undelivered { newest: ago(60) / 1_000, count: 1 });
    let status = judge(&facts);
    assert_eq!((failing(&status), status.status), (vec!["deliveries_arrive"], Condition::Error));
    assert_eq!(status.endpoints[0].status, Condition::Active);
}
