//! The one word over all, and what is told beside the checks.

use shared::endpoint::Rotation;
use shared::ledger::EventState;
use shared::registry::HourlyCounts;

use super::*;

#[test]
fn a_stack_without_endpoints_is_inactive_whatever_the_key() {
    for (key, at_stripe) in [
        (Key::NotSet, StripeView::NotAsked),
        (Key::Unknown, StripeView::NotAsked),
        (Key::Set { hint: "h".into() }, StripeView::KeyRejected(failure())),
        (Key::Set { hint: "h".into() }, StripeView::Unavailable(failure())),
    ] {
        let facts = Facts { endpoints: vec![], key, at_stripe, ..well() };
        let status = judge(&facts);
        assert_eq!(status.status, Condition::Inactive);
        let warned = all(&status).filter(|check| !check.ok).map(|check| check.severity);
        assert_eq!(warned.collect::<Vec<_>>(), [Severity::Warning; 2], "that there is none, and the key");
    }
    let mut facts = Facts { endpoints: vec![], ..well() };
    facts.open.dead = OpenCount::Exactly(1);
    assert_eq!(judge(&facts).status, Condition::Error, "what has failed stays an error");
}

#[test]
fn one_broken_endpoint_is_enough_and_one_active_one_too() {
    let with_second = |change: fn(&mut EndpointFacts, &mut WebhookEndpoint)| {
        let mut facts = well();
        let (mut second, mut there) = (endpoint("second"), at_stripe("second"));
        change(&mut second, &mut there);
        facts.endpoints.push(second);
        let StripeView::Answered { value: list, .. } = &mut facts.at_stripe else { panic!("asked") };
        list.push(there);
        let status = judge(&facts);
        (status.status, status.endpoints[0].status, status.endpoints[1].status)
    };
    let broken = with_second(|_, there| there.url = "https://example.com/other".into());
    assert_eq!(broken, (Condition::Error, Condition::Active, Condition::Error));
    let disabled = with_second(|here, there| {
        here.row.state = EndpointState::Disabled;
        there.status = "disabled".into();
    });
    assert_eq!(disabled, (Condition::Active, Condition::Active, Condition::Inactive));
}

#[test]
fn numbers_end_at_a_thousand_and_hours_show_every_end() {
    let mut facts = well();
    facts.open.failed = OpenCount::More;
    facts.hours = vec![HourlyCounts {
        begins: "2026-11-24T11:00:00Z".parse().unwrap(),
        counts: vec![(EventState::Processed, 5), (EventState::Ignored, 2)],
    }];
    let status = serde_json::to_value(judge(&facts)).unwrap();
    assert_eq!(status["counts"], json!({ "pending": 3, "failed": "1000+", "dead": 0, "quarantined": 0 }));
    assert_eq!(
        status["last_day"],
        json!([{ "hour": "2026-11-24T11:00:00Z", "processed": 5, "superseded": 0, "ignored": 2, "quarantined": 0, "failed": 0, "dead": 0 }])
    );
}

#[test]
fn evidence_can_be_compared_and_stays_short() {
    let mut facts = well();
    there(&mut facts).enabled_events = (0..40).map(|i| format!("charge.x{i:02}")).collect();
    let status = judge(&facts);
    let check = all(&status).find(|check| check.code == "events_as_wanted").unwrap();
    assert_eq!(check.evidence["missing"], json!(["invoice.paid", "refund.created"]));
    assert_eq!(check.evidence["more"].as_array().unwrap().len(), 11);
    assert_eq!(check.evidence["more"][10], "and 30 more");
}

#[test]
fn a_rotation_that_does_not_end_or_is_overdue_is_a_warning() {
    let next = |begun: i64, live: Option<i64>| Rotation {
        registration: "2".into(),
        api_version: "2026-07-29.dahlia".into(),
        begun_at: ago(begun),
        stripe_id: live.map(|_| "we_next".into()),
        live_since: live.map(|live| ago(live) / 1_000),
        old_gone: false,
        left: false,
    };
    let cases = [
        (Some(next(10_800, None)), 0, None),
        (Some(next(10_801, None)), 0, Some("was begun and not finished")),
        (Some(next(10_801, Some(10_700))), 0, Some("waits until all events of before are compared")),
        (None, 0, None),
        (None, 30, None),
    ];
    for (next, rotate_days, expected) in cases {
        let mut facts = Facts { rotate_days, ..well() };
        if next.is_some() {
            facts.endpoints[0].row.state = EndpointState::Rotating;
        }
        facts.endpoints[0].row.rotation = next;
        let status = judge(&facts);
        assert_eq!(status.status, Condition::Active);
        let check = all(&status).find(|check| check.code == "rotation_ends").unwrap();
        assert_eq!(check.ok, expected.is_none(), "{check:?}");
        assert!(check.summary.contains(expected.unwrap_or("")), "{check:?}");
    }
    let mut facts = Facts { rotate_days: 30, ..well() };
    let mut overdue = |days: i64| {
        facts.endpoints[0].row.created_at = ago(days * 86_400);
        failing(&judge(&facts))
    };
    assert!(overdue(32).is_empty());
    assert_eq!(overdue(33), ["rotation_ends"]);
}

#[test]
fn an_endpoint_whose_first_one_a_rotation_has_removed_is_judged_by_its_second() {
    let mut facts = well();
    let next = Rotation {
        registration: "2".into(),
        api_version: "2020-08-27".into(),
        begun_at: ago(600),
        stripe_id: Some("we_next".into()),
        live_since: Some(ago(500) / 1_000),
        old_gone: true,
        left: false,
    };
    facts.endpoints[0].row.state = EndpointState::Rotating;
    facts.endpoints[0].row.rotation = Some(next);
    let second = there(&mut facts);
    (second.id, second.api_version) = ("we_next".into(), Some("2020-08-27".into()));
    assert_eq!(failing(&judge(&facts)), [""; 0]);
}
