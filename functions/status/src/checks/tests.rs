//! Each thing that is wrong makes its own check fail and no other.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::endpoint::{EndpointRow, EndpointSpec, EndpointState, SecretVersion};
use shared::health::{CommonReason, GapReport, OpenEvents, SecretPresence, StripeView, Undelivered};
use shared::ledger::OpenCount;
use shared::mode::Mode;
use shared::records::UncertainRecords;
use shared::registry::EndpointActivity;
use shared::stripe::{StripeFailure, WebhookEndpoint};
use shared::unix_time::UnixMillis;

use super::run;
use crate::inputs::{EndpointInputs, StatusInputs, StripeKeyState};
use crate::report::{Check, HealthStatus, Severity, StatusReport};

mod deliveries;
mod overall;
mod records;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> UnixMillis {
    UnixMillis::from(now()) - SignedDuration::from_secs(seconds)
}

/// A stack with one endpoint, in which all is well.
fn healthy() -> StatusInputs {
    StatusInputs {
        now: now(),
        mode: Mode::Test,
        stack: "stack".into(),
        public_url: "https://hooks.example.com".into(),
        rotate_days: 0,
        endpoints: vec![endpoint("main")],
        stripe_key: StripeKeyState::Set { hint: "sk_test_…ated".into() },
        at_stripe: StripeView::Answered { value: vec![at_stripe("main")], request_id: Some("req_1".into()) },
        open: OpenEvents { pending: OpenCount::Exactly(3), ..OpenEvents::default() },
        uncertain: UncertainRecords { count: OpenCount::Exactly(0), first: vec![] },
        clock_ahead_ms: Some(400),
        gaps: StripeView::Answered { value: GapReport::default(), request_id: Some("req_3".into()) },
        reconciled_at: Some(now() - SignedDuration::from_mins(5)),
        key_since: Some(now() - SignedDuration::from_hours(5)),
        hours: vec![],
        import: None,
        drift: None,
    }
}

fn endpoint(name: &str) -> EndpointInputs {
    let row = EndpointRow {
        name: name.parse().unwrap(),
        state: EndpointState::Active,
        registration: "1".into(),
        spec: EndpointSpec {
            url: format!("https://example.com/{name}"),
            events: vec!["invoice.paid".into(), "refund.created".into()],
            description: String::new(),
            api_version: "2026-07-29.dahlia".into(),
            connect: false,
        },
        stripe_id: Some(format!("we_{name}")),
        secret: Some(SecretVersion { name: format!("s/{name}/1"), version: "1".into() }),
        signing_secret_hint: Some("cret".into()),
        created_at: ago(3_600),
        state_since: ago(3_600),
        subscribed_since: ago(3_600),
        rotated_at: None,
        pending_change: None,
        rotation: None,
        is_replacement: false,
        rev: 1,
    };
    EndpointInputs {
        row,
        activity: activity(0),
        secret: SecretPresence::There,
        undelivered: None,
        probed: None,
    }
}

fn at_stripe(name: &str) -> WebhookEndpoint {
    WebhookEndpoint {
        id: format!("we_{name}"),
        url: format!("https://example.com/{name}"),
        enabled_events: vec!["refund.created".into(), "invoice.paid".into()],
        api_version: Some("2026-07-29.dahlia".into()),
        description: None,
        status: "enabled".into(),
        livemode: false,
        created: ago(3_600).into(),
        metadata: [].into(),
    }
}

/// The endpoints that Stripe lists.
fn stripe_list(inputs: &mut StatusInputs) -> &mut Vec<WebhookEndpoint> {
    let StripeView::Answered { value, .. } = &mut inputs.at_stripe else { panic!("Stripe was not asked") };
    value
}

/// `main`, as Stripe lists it.
fn main_at_stripe(inputs: &mut StatusInputs) -> &mut WebhookEndpoint {
    &mut stripe_list(inputs)[0]
}

fn gap_report(inputs: &mut StatusInputs) -> &mut GapReport {
    let StripeView::Answered { value, .. } = &mut inputs.gaps else { panic!("events were not compared") };
    value
}

/// Stripe could not deliver events to `main` that were made so long ago.
fn add_undelivered(inputs: &mut StatusInputs, seconds: i64) {
    inputs.endpoints[0].undelivered = Some(Undelivered { newest: ago(seconds).into(), count: 3 });
}

/// A delivery came in so long ago.
fn activity(seconds: i64) -> EndpointActivity {
    EndpointActivity { at: Some(ago(seconds)), off_by_s: Some(0), ..EndpointActivity::default() }
}

/// An event failed, which came in so long ago.
fn failed_for(inputs: &mut StatusInputs, seconds: i64) {
    inputs.open.failed = OpenCount::Exactly(1);
    let example = "evt_1".parse().unwrap();
    inputs.open.failed_because =
        Some(CommonReason { looked_at: 1, reason: "r".into(), count: 1, example, since: ago(seconds) });
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(now() - SignedDuration::from_secs(seconds))
}

/// One more at Stripe, made by hand.
fn add_stranger(inputs: &mut StatusInputs, url: &str) {
    stripe_list(inputs).push(WebhookEndpoint { url: url.into(), ..at_stripe("stranger") });
}

/// One more at Stripe, made by this stack an hour ago.
fn add_tagged(inputs: &mut StatusInputs, registration: &str) {
    let tag = [("stack", "stack"), ("name", "main"), ("registration", registration)];
    let metadata = tag.map(|(key, value)| (format!("billhook_{key}"), value.to_owned())).into();
    stripe_list(inputs).push(WebhookEndpoint { metadata, ..at_stripe("tagged") });
}

fn failure() -> StripeFailure {
    StripeFailure {
        status: Some(500),
        kind: None,
        code: None,
        message: "m".into(),
        param: None,
        request_id: Some("req_2".into()),
    }
}

/// Every check, of the stack and of its endpoints.
fn all(report: &StatusReport) -> impl Iterator<Item = &Check> {
    report.checks.iter().chain(report.endpoints.iter().flat_map(|endpoint| &endpoint.checks))
}

/// The codes of all checks that fail.
fn failing(report: &StatusReport) -> Vec<&'static str> {
    all(report).filter(|check| !check.ok).map(|check| check.code).collect()
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
            "stripe_key_present",
            "stripe_key_accepted",
            "stripe_key_rights",
            "stripe_answers",
            "left_over_at_stripe",
            "events_failed",
            "events_quarantined",
            "backlog",
            "order_uncertain",
            "reconciled_lately",
            "events_readable",
            "events_compared",
            "accounts_readable",
            "clock",
            "strangers_at_stripe",
            "records_as_stripe",
            "import_goes_on",
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
            "signatures_match",
        ]
    );
    assert!(all(&report).all(|check| check.remedy.is_none()));
}

#[test]
fn each_thing_that_is_wrong_fails_its_check_and_no_other() {
    type Change = fn(&mut StatusInputs);
    let cases: [(Change, &[&str], HealthStatus); 51] = [
        // Without Stripe's view two checks fail: the cause, and that nothing is known of the endpoint.
        (
            |inputs| (inputs.stripe_key, inputs.at_stripe) = (StripeKeyState::NotSet, StripeView::NotAsked),
            &["stripe_key_present", "at_stripe"],
            HealthStatus::Error,
        ),
        (
            |inputs| (inputs.stripe_key, inputs.at_stripe) = (StripeKeyState::Unknown, StripeView::NotAsked),
            &["stripe_key_present", "at_stripe"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.at_stripe = StripeView::KeyRejected(failure()),
            &["stripe_key_accepted", "at_stripe"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.at_stripe = StripeView::Forbidden(failure()),
            &["stripe_key_rights", "at_stripe"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.at_stripe = StripeView::Unavailable(failure()),
            &["stripe_answers", "at_stripe"],
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
        (|inputs| inputs.open.pending = OpenCount::More, &[], HealthStatus::Active),
        (|inputs| inputs.reconciled_at = at(16 * 60), &["reconciled_lately"], HealthStatus::Error),
        (|inputs| inputs.reconciled_at = None, &["reconciled_lately"], HealthStatus::Error),
        (|inputs| (inputs.reconciled_at, inputs.key_since) = (None, at(14 * 60)), &[], HealthStatus::Active),
        (|inputs| inputs.gaps = StripeView::Forbidden(failure()), &["events_readable"], HealthStatus::Error),
        (
            |inputs| inputs.gaps = StripeView::KeyRejected(failure()),
            &["events_readable"],
            HealthStatus::Error,
        ),
        (
            |inputs| inputs.gaps = StripeView::Unavailable(failure()),
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
        (|inputs| inputs.endpoints[0].activity.off_by_s = Some(-31), &["clock"], HealthStatus::Active),
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
            &["secret_present"],
            HealthStatus::Error,
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
        assert!(all(&report).filter(|check| !check.ok).all(|check| check.remedy.is_some()), "case {i}");
    }
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
    assert_eq!(left_over(|inputs| inputs.stack = "other".into()), json!([]), "another stack's");
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
