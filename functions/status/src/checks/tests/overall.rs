//! The one word over all, what the report has beside the checks, and rotations.

use shared::endpoint::Rotation;
use shared::ledger::EventState;
use shared::registry::HourlyCounts;

use super::*;

#[test]
fn a_stack_without_endpoints_is_inactive_whatever_the_key() {
    for (stripe_key, at_stripe, fails) in [
        (StripeKeyState::NotSet, StripeView::NotAsked, 2),
        (StripeKeyState::Unknown, StripeView::NotAsked, 2),
        (StripeKeyState::Set { hint: "h".into() }, StripeView::KeyRejected(failure()), 2),
        (StripeKeyState::Set { hint: "h".into() }, StripeView::Unavailable(failure()), 2),
    ] {
        let inputs = StatusInputs { endpoints: vec![], stripe_key, at_stripe, ..healthy() };
        let report = run(&inputs);
        assert_eq!(report.status, HealthStatus::Inactive);
        let failed = all(&report).filter(|check| check.outcome == CheckOutcome::Failed);
        let severities: Vec<_> = failed.map(|check| check.severity).collect();
        assert_eq!(severities, vec![Severity::Warning; fails], "that there is none, and the key");
    }
    let mut inputs = StatusInputs { endpoints: vec![], ..healthy() };
    inputs.open.dead = OpenCount::Exactly(1);
    assert_eq!(run(&inputs).status, HealthStatus::Error, "what has failed stays an error");
}

#[test]
fn one_broken_endpoint_is_enough_and_one_active_one_too() {
    let with_second = |change: fn(&mut EndpointInputs, &mut WebhookEndpoint)| {
        let mut inputs = healthy();
        let (mut second, mut found) = (endpoint("second"), at_stripe("second"));
        change(&mut second, &mut found);
        inputs.endpoints.push(second);
        stripe_list(&mut inputs).push(found);
        let report = run(&inputs);
        (report.status, report.endpoints[0].status, report.endpoints[1].status)
    };
    let broken = with_second(|_, found| found.url = "https://example.com/other".into());
    assert_eq!(broken, (HealthStatus::Error, HealthStatus::Active, HealthStatus::Error));
    let disabled = with_second(|second, found| {
        second.row.state = EndpointState::Disabled;
        found.status = "disabled".into();
    });
    assert_eq!(disabled, (HealthStatus::Active, HealthStatus::Active, HealthStatus::Inactive));
}

#[test]
fn counts_end_at_a_thousand_and_hours_show_every_final_state_and_the_lag() {
    let mut inputs = healthy();
    inputs.open.failed = OpenCount::More;
    inputs.hours = vec![HourlyCounts {
        begins: "2026-11-24T11:00:00Z".parse().unwrap(),
        counts: vec![(EventState::Processed, 5), (EventState::Ignored, 2)],
        lags: [0, 5, 6, 600, 601].into_iter().collect(),
    }];
    let report = serde_json::to_value(run(&inputs)).unwrap();
    assert_eq!(report["counts"], json!({ "pending": 3, "failed": "1000+", "dead": 0, "quarantined": 0 }));
    assert_eq!(
        report["last_day"],
        json!([{ "hour": "2026-11-24T11:00:00Z", "processed": 5, "superseded": 0, "ignored": 2, "quarantined": 0, "failed": 0, "dead": 0, "lag": [
            { "within_s": 5, "events": 2 },
            { "within_s": 60, "events": 1 },
            { "within_s": 600, "events": 1 },
            { "within_s": null, "events": 1 },
        ] }])
    );
}

#[test]
fn evidence_can_be_compared_and_stays_short() {
    let mut inputs = healthy();
    main_at_stripe(&mut inputs).enabled_events = (0..40).map(|i| format!("charge.x{i:02}")).collect();
    let report = run(&inputs);
    let check = all(&report).find(|check| check.code == "events_as_wanted").unwrap();
    assert_eq!(check.evidence["missing"], json!(["invoice.paid", "refund.created"]));
    assert_eq!(check.evidence["more"].as_array().unwrap().len(), 11);
    assert_eq!(check.evidence["more"][10], "and 30 more");
}

#[test]
fn a_rotation_that_does_not_end_or_is_overdue_is_a_warning() {
    let rotation = |begun: i64, live: Option<i64>| Rotation {
        registration: "2".into(),
        api_version: "2026-10-28.endive".into(),
        begun_at: ago(begun),
        stripe_id: live.map(|_| "we_next".into()),
        live_since: live.map(|live| ago(live).into()),
        old_deleted: false,
        abandoned: false,
        at_once: false,
        decided: None,
    };
    let cases = [
        (Some(rotation(10_800, None)), 0, None),
        (Some(rotation(10_801, None)), 0, Some("was begun and not finished")),
        (Some(rotation(10_801, Some(10_700))), 0, Some("waits until all events of before are compared")),
        (None, 0, None),
        (None, 30, None),
    ];
    for (rotation, rotate_days, expected) in cases {
        let mut inputs = StatusInputs { rotate_days, ..healthy() };
        if rotation.is_some() {
            inputs.endpoints[0].row.state = EndpointState::Rotating;
        }
        inputs.endpoints[0].row.rotation = rotation;
        let report = run(&inputs);
        assert_eq!(report.status, HealthStatus::Active);
        let check = all(&report).find(|check| check.code == "rotation_ends").unwrap();
        assert_eq!(check.ok, expected.is_none(), "{check:?}");
        assert!(check.summary.contains(expected.unwrap_or("")), "{check:?}");
    }
    let mut inputs = healthy();
    inputs.endpoints[0].row.rotation_given_up =
        Some(shared::endpoint::GivenUpRotation { at: ago(60), reason: "it was deleted there".into() });
    let report = run(&inputs);
    let check = all(&report).find(|check| check.code == "rotation_ends").unwrap();
    assert!(!check.ok && check.summary.contains("was given up"), "{check:?}");
    assert_eq!(check.evidence["given_up_because"], "it was deleted there");
    let mut inputs = StatusInputs { rotate_days: 30, ..healthy() };
    let mut overdue = |days: i64| {
        inputs.endpoints[0].row.created_at = ago(days * 86_400);
        failing(&run(&inputs))
    };
    assert!(overdue(32).is_empty());
    assert_eq!(overdue(33), ["rotation_ends"]);
}

#[test]
fn an_endpoint_whose_first_one_a_rotation_has_deleted_is_checked_by_its_second() {
    let mut inputs = healthy();
    let rotation = Rotation {
        registration: "2".into(),
        api_version: "2020-08-27".into(),
        begun_at: ago(600),
        stripe_id: Some("we_next".into()),
        live_since: Some(ago(500).into()),
        old_deleted: true,
        abandoned: false,
        at_once: false,
        decided: None,
    };
    inputs.endpoints[0].row.state = EndpointState::Rotating;
    inputs.endpoints[0].row.rotation = Some(rotation);
    let second = main_at_stripe(&mut inputs);
    (second.id, second.api_version) = ("we_next".into(), Some("2020-08-27".into()));
    assert_eq!(failing(&run(&inputs)), [""; 0]);
}
