//! Each thing that is wrong makes its own check fail and no other.

use jiff::SignedDuration;
use serde_json::json;
use shared::endpoint::EndpointState;
use shared::health::{PayoutHealth, SecretPresence, StripeView, Undelivered};
use shared::ledger::OpenCount;
use shared::registry::EndpointActivity;
use shared::stripe::WebhookEndpoint;
use shared::unix_time::UnixSeconds;

use self::fixtures::*;
use super::run;
use crate::inputs::{EndpointInputs, StatusInputs, StripeKeyState};
use crate::report::{Check, CheckOutcome, HealthStatus, Severity, StatusReport};

mod deliveries;
mod erasures;
mod fixtures;
mod overall;
mod payouts;
mod records;

/// How payouts are.
fn payouts(inputs: &mut StatusInputs) -> &mut PayoutHealth {
    inputs.payouts.as_mut().unwrap()
}

fn seconds_ago(seconds: i64) -> UnixSeconds {
    UnixSeconds::from(now()) - SignedDuration::from_secs(seconds)
}

/// Every check, of the stack and of its endpoints.
fn all(report: &StatusReport) -> impl Iterator<Item = &Check> {
    report.checks.iter().chain(report.endpoints.iter().flat_map(|endpoint| &endpoint.checks))
}

/// The codes of all checks for which there is no evidence.
fn unknown(report: &StatusReport) -> Vec<&'static str> {
    let unknown = |check: &&Check| check.outcome == CheckOutcome::Unknown;
    all(report).filter(unknown).map(|check| check.code).collect()
}

/// The codes of all checks that fail.
fn failing(report: &StatusReport) -> Vec<&'static str> {
    let failed = |check: &&Check| check.outcome == CheckOutcome::Failed;
    all(report).filter(failed).map(|check| check.code).collect()
}

#[test]
fn when_all_is_well_it_is_active_and_every_check_is_listed() {
    let report = run(&healthy());
    assert_eq!((report.status, failing(&report)), (HealthStatus::Active, vec![]));
    let codes: Vec<_> = all(&report).map(|check| check.code).collect();
    assert_eq!(
        codes,
        [
            "endpoint_registered",
            "secrets_manager_answers",
            "stripe_key_present",
            "stripe_key_accepted",
            "stripe_key_rights",
            "stripe_answers",
            "left_over_at_stripe",
            "events_failed",
            "events_quarantined",
            "backlog",
            "order_uncertain",
            "records_whole",
            "reconciled_lately",
            "events_readable",
            "events_compared",
            "accounts_readable",
            "clock",
            "strangers_at_stripe",
            "records_as_stripe",
            "import_goes_on",
            "payouts_add_up",
            "payouts_arrive",
            "erasures_go_on",
            "registered_whole",
            "secret_present",
            "rotation_ends",
            "at_stripe",
            "enabled_at_stripe",
            "url_as_wanted",
            "events_as_wanted",
            "api_version_as_wanted",
            "mode_as_wanted",
            "deliveries_arrive",
            "probe_arrives",
            "signatures_match",
            "events_applied",
        ]
    );
    assert!(all(&report).all(|check| check.outcome == CheckOutcome::Ok));
    assert!(all(&report).all(|check| check.remedy.is_none()));
}

#[test]
fn each_thing_that_is_wrong_fails_its_check_and_no_other() {
    type Change = fn(&mut StatusInputs);
    let cases: [(Change, &[&str], HealthStatus); 63] = [
        // Without Stripe's view the cause fails, and nothing is known of the endpoint.
        (
            |inputs| (inputs.stripe_key, inputs.at_stripe) = (StripeKeyState::NotSet, StripeView::NotAsked),
            &["stripe_key_present"],
            HealthStatus::Error,
        ),
        (
            |inputs| (inputs.stripe_key, inputs.at_stripe) = (StripeKeyState::Unknown, StripeView::NotAsked),
            &["secrets_manager_answers"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.at_stripe = StripeView::KeyRejected(failure()),
            &["stripe_key_accepted"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.at_stripe = StripeView::Forbidden(failure()),
            &["stripe_key_rights"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.at_stripe = StripeView::Unavailable(failure()),
            &["stripe_answers"],
            HealthStatus::Error,
        ),
        (|inputs| add_tagged(inputs, "1"), &["left_over_at_stripe"], HealthStatus::Active),
        (|inputs| inputs.open.failed = OpenCount::Exactly(1), &[], HealthStatus::Active),
        (|inputs| failed_for(inputs, 601), &["events_failed"], HealthStatus::Error),
        (|inputs| failed_for(inputs, 600), &[], HealthStatus::Active),
        (|inputs| inputs.open.dead = OpenCount::More, &["events_failed"], HealthStatus::Error),
        (
            |inputs| inputs.open.quarantined = OpenCount::Exactly(1),
            &["events_quarantined"],
            HealthStatus::Active,
        ),
        (|inputs| inputs.uncertain.count = OpenCount::Exactly(1), &["order_uncertain"], HealthStatus::Active),
        (
            |inputs| payouts(inputs).unexplained = OpenCount::Exactly(1),
            &["payouts_add_up"],
            HealthStatus::Active,
        ),
        (
            |inputs| payouts(inputs).to_list_since = Some(seconds_ago(3_601)),
            &["payouts_add_up"],
            HealthStatus::Active,
        ),
        (|inputs| payouts(inputs).to_list_since = Some(seconds_ago(3_599)), &[], HealthStatus::Active),
        (|inputs| payouts(inputs).failed = OpenCount::Exactly(1), &["payouts_arrive"], HealthStatus::Active),
        (|inputs| payouts(inputs).late = OpenCount::More, &["payouts_arrive"], HealthStatus::Active),
        (|inputs| lacks_lists(inputs, 0, 3_600), &[], HealthStatus::Active),
        (|inputs| lacks_lists(inputs, 0, 3_601), &["records_whole"], HealthStatus::Active),
        (|inputs| lacks_lists(inputs, 1, 0), &["records_whole"], HealthStatus::Active),
        (|inputs| inputs.incomplete = None, &[], HealthStatus::Active),
        (|inputs| inputs.open.pending = OpenCount::More, &[], HealthStatus::Active),
        (|inputs| inputs.reconciled_at = at(16 * 60), &["reconciled_lately"], HealthStatus::Error),
        (|inputs| inputs.reconciled_at = None, &["reconciled_lately"], HealthStatus::Error),
        (|inputs| (inputs.reconciled_at, inputs.key_since) = (None, at(14 * 60)), &[], HealthStatus::Active),
        (
            |inputs| inputs.events_readable = StripeView::Forbidden(failure()),
            &["events_readable"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.events_readable = StripeView::KeyRejected(failure()),
            &["stripe_key_accepted"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.events_readable = StripeView::Unavailable(failure()),
            &["events_readable"],
            HealthStatus::Error,
        ),
        (|inputs| inputs.gaps = StripeView::NotAsked, &[], HealthStatus::Active),
        (|inputs| add_undelivered(inputs, 0), &[], HealthStatus::Active),
        (
            |inputs| (add_undelivered(inputs, 0), inputs.endpoints[0].activity = activity(61)).1,
            &["deliveries_arrive"],
            HealthStatus::Error,
        ),
        (
            |inputs| (add_undelivered(inputs, 0), inputs.endpoints[0].activity = activity(60)).1,
            &[],
            HealthStatus::Active,
        ),
        (
            |inputs| (add_undelivered(inputs, 0), inputs.endpoints[0].activity.at = None).1,
            &["deliveries_arrive"],
            HealthStatus::Error,
        ),
        (|inputs| add_undelivered(inputs, 60), &[], HealthStatus::Active),
        (|inputs| gap_report(inputs).more = true, &["events_compared"], HealthStatus::Active),
        (
            |inputs| gap_report(inputs).refused = vec!["acct_1".into()],
            &["accounts_readable"],
            HealthStatus::Active,
        ),
        (|inputs| inputs.clock_ahead_ms = Some(31_000), &["clock"], HealthStatus::Active),
        (|inputs| inputs.clock_ahead_ms = Some(-240_000), &["clock"], HealthStatus::Error),
        (|inputs| inputs.clock_ahead_ms = None, &[], HealthStatus::Active),
        // Late deliveries may be held back or sent again: with Stripe's answers at hand they say nothing.
        (|inputs| inputs.endpoints[0].activity.off_by_s = Some(-299), &[], HealthStatus::Active),
        (
            |inputs| {
                inputs.clock_ahead_ms = None;
                inputs.endpoints[0].activity.off_by_s = Some(-299);
            },
            &["clock"],
            HealthStatus::Active,
        ),
        (|inputs| inputs.endpoints[0].activity.off_by_s = Some(240), &["clock"], HealthStatus::Error),
        (
            |inputs| {
                inputs.endpoints[0].activity = EndpointActivity { off_by_s: Some(-250), ..activity(901) }
            },
            &[],
            HealthStatus::Active,
        ),
        (
            |inputs| add_stranger(inputs, "https://hooks.example.com/webhooks/main"),
            &["strangers_at_stripe"],
            HealthStatus::Active,
        ),
        (
            |inputs| add_stranger(inputs, "https://hooks.example.com.evil.example/webhooks/main"),
            &[],
            HealthStatus::Active,
        ),
        (|inputs| inputs.open.overdue = Some("evt_1".parse().unwrap()), &["backlog"], HealthStatus::Error),
        (
            |inputs| {
                inputs.endpoints[0].row.state = EndpointState::Registering;
                inputs.endpoints[0].row.stripe_id = None;
            },
            &["registered_whole"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.endpoints[0].row.state = EndpointState::Deregistering,
            &["registered_whole"],
            HealthStatus::Error,
        ),
        (
            |inputs| {
                inputs.endpoints[0].row.state = EndpointState::Registering;
                inputs.endpoints[0].row.state_since = ago(20);
            },
            &[],
            HealthStatus::Inactive,
        ),
        (
            |inputs| inputs.endpoints[0].secret = SecretPresence::Missing,
            &["secret_present"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.endpoints[0].secret = SecretPresence::NotNamed,
            &["secret_present"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.endpoints[0].secret = SecretPresence::Unknown,
            &["secrets_manager_answers"],
            HealthStatus::Error,
        ),
        // It answered when reconciliation asked, minutes ago.
        (
            |inputs| {
                inputs.endpoints[0].secret = SecretPresence::Unknown;
                inputs.is_reconciled_lately = true;
            },
            &["secrets_manager_answers"],
            HealthStatus::Active,
        ),
        (|inputs| main_at_stripe(inputs).id = "we_other".into(), &["at_stripe"], HealthStatus::Error),
        (
            |inputs| main_at_stripe(inputs).status = "disabled".into(),
            &["enabled_at_stripe"],
            HealthStatus::Error,
        ),
        (
            |inputs| main_at_stripe(inputs).url = "https://example.com/other".into(),
            &["url_as_wanted"],
            HealthStatus::Error,
        ),
        (
            |inputs| drop(main_at_stripe(inputs).enabled_events.pop()),
            &["events_as_wanted"],
            HealthStatus::Error,
        ),
        (
            |inputs| main_at_stripe(inputs).enabled_events.push("charge.failed".into()),
            &["events_as_wanted"],
            HealthStatus::Active,
        ),
        // Registered for all that the first versions applied, as it stands at Stripe.
        (
            |inputs| {
                let events: Vec<String> =
                    shared::event_type::applied_at_first().iter().map(|name| (*name).to_owned()).collect();
                main_at_stripe(inputs).enabled_events.clone_from(&events);
                inputs.endpoints[0].row.spec.events = events;
            },
            &["events_as_wanted"],
            HealthStatus::Active,
        ),
        (
            |inputs| main_at_stripe(inputs).enabled_events = vec!["*".into()],
            &["events_as_wanted"],
            HealthStatus::Active,
        ),
        (|inputs| main_at_stripe(inputs).api_version = None, &["api_version_as_wanted"], HealthStatus::Error),
        (|inputs| main_at_stripe(inputs).livemode = true, &["mode_as_wanted"], HealthStatus::Error),
        // Disabled here, and not yet there.
        (
            |inputs| inputs.endpoints[0].row.state = EndpointState::Disabled,
            &["enabled_at_stripe"],
            HealthStatus::Inactive,
        ),
    ];
    for (i, (change, expected, condition)) in cases.into_iter().enumerate() {
        let mut inputs = healthy();
        change(&mut inputs);
        let report = run(&inputs);
        assert_eq!((failing(&report), report.status), (expected.to_vec(), condition), "case {i}");
        assert!(all(&report).all(|check| check.ok == check.remedy.is_none()), "case {i}");
    }
}

#[test]
fn a_stranger_is_one_that_sends_to_our_deliveries_and_is_never_to_be_deleted_unasked() {
    let strangers = |url: &str| {
        let mut inputs = healthy();
        add_stranger(&mut inputs, url);
        let report = run(&inputs);
        report.checks.into_iter().find(|check| check.code == "strangers_at_stripe").unwrap()
    };
    for elsewhere in [
        "https://hooks.example.com/shop/stripe",
        "https://hooks.example.com/webhooks",
        "https://hooks.example.com/webhooks2/main",
        "https://hooks.example.com.evil.example/webhooks/main",
    ] {
        assert!(strangers(elsewhere).ok, "{elsewhere}");
    }
    let check = strangers("https://hooks.example.com/webhooks/theirs");
    assert!(!check.ok, "{check:?}");
    assert!(check.remedy.unwrap().contains("do not delete them unasked"));
    // The second of a rotation that an earlier version began is known by its row.
    let mut inputs = healthy();
    add_stranger(&mut inputs, "https://hooks.example.com/webhooks/main");
    inputs.endpoints[0].row.state = EndpointState::Rotating;
    inputs.endpoints[0].row.rotation = Some(shared::endpoint::Rotation {
        registration: "r".into(),
        api_version: "2026-10-28.endive".into(),
        begun_at: ago(10),
        stripe_id: Some("we_stranger".into()),
        live_since: None,
        old_deleted: false,
        abandoned: false,
        at_once: false,
        decided: None,
    });
    assert!(!failing(&run(&inputs)).contains(&"strangers_at_stripe"));
}

#[test]
fn what_is_left_over_at_stripe_was_made_by_this_stack_a_while_ago_and_is_in_no_row() {
    let left_over = |change: fn(&mut StatusInputs)| {
        let mut inputs = healthy();
        add_tagged(&mut inputs, "2");
        change(&mut inputs);
        let report = run(&inputs);
        let check = report.checks.into_iter().find(|check| check.code == "left_over_at_stripe").unwrap();
        check.evidence["endpoints"].clone()
    };
    let tagged = json!([{ "stripe_id": "we_tagged", "url": "https://example.com/tagged" }]);
    assert_eq!(left_over(|_| {}), tagged);
    assert_eq!(
        left_over(|inputs| inputs.stack_id = Some("stack-2".into())),
        json!([]),
        "that of another stack of the same name"
    );
    assert_eq!(left_over(|inputs| inputs.stack_id = None), json!([]), "this stack has made none yet");
    let unmarked = |inputs: &mut StatusInputs| {
        drop(stripe_list(inputs).last_mut().unwrap().metadata.remove("billhook_stack_id"));
    };
    assert_eq!(left_over(unmarked), json!([]), "marked by an earlier version: anybody's of that name");
    assert_eq!(
        left_over(|inputs| inputs.now = ago(3_590).to_timestamp().unwrap()),
        json!([]),
        "made just now"
    );
    let mut half_made = endpoint("second");
    half_made.row.stripe_id = None;
    half_made.row.registration = "2".into();
    let mut inputs = healthy();
    add_tagged(&mut inputs, "2");
    inputs.endpoints.push(half_made);
    assert!(
        !failing(&run(&inputs)).contains(&"left_over_at_stripe"),
        "it is gone on with by the same request"
    );
}
