//! Each trouble makes its check fail and no other, and the one word follows the rule.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::endpoint::{EndpointRow, EndpointSpec, EndpointState, SecretVersion};
use shared::health::{CommonReason, GapReport, OpenEvents, SecretPresence, StripeView, Undelivered};
use shared::ledger::OpenCount;
use shared::mode::Mode;
use shared::records::UncertainRecords;
use shared::registry::EndpointActivity;
use shared::stripe::{StripeFailure, WebhookEndpoint};

use super::judge;
use crate::facts::{EndpointFacts, Facts, Key};
use crate::verdict::{Check, Condition, Severity, Status};

mod deliveries;
mod word;

pub(super) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(super) fn ago(seconds: i64) -> i64 {
    (now() - SignedDuration::from_secs(seconds)).as_millisecond()
}

/// A stack with one endpoint, in which all is well.
pub(super) fn well() -> Facts {
    Facts {
        now: now(),
        mode: Mode::Test,
        stack: "stack".into(),
        public_url: "https://hooks.example.com".into(),
        rotate_days: 0,
        endpoints: vec![endpoint("main")],
        key: Key::Set { hint: "sk_test_…ated".into() },
        at_stripe: StripeView::Answered { value: vec![at_stripe("main")], request_id: Some("req_1".into()) },
        open: OpenEvents { pending: OpenCount::Exactly(3), ..OpenEvents::default() },
        uncertain: UncertainRecords { count: OpenCount::Exactly(0), first: vec![] },
        clock_ahead: Some(400),
        events: StripeView::Answered { value: GapReport::default(), request_id: Some("req_3".into()) },
        reconciled_at: Some(now() - SignedDuration::from_mins(5)),
        key_since: Some(now() - SignedDuration::from_hours(5)),
        hours: vec![],
        import: None,
        comparison: None,
    }
}

fn endpoint(name: &str) -> EndpointFacts {
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
        listens_since: ago(3_600),
        rotated_at: None,
        pending_change: None,
        rotation: None,
        replaces: false,
        rev: 1,
    };
    EndpointFacts {
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
        created: ago(3_600) / 1_000,
        metadata: [].into(),
    }
}

fn there(facts: &mut Facts) -> &mut WebhookEndpoint {
    let StripeView::Answered { value: list, .. } = &mut facts.at_stripe else {
        panic!("Stripe was not asked")
    };
    &mut list[0]
}

fn gaps(facts: &mut Facts) -> &mut GapReport {
    let StripeView::Answered { value, .. } = &mut facts.events else { panic!("events were not compared") };
    value
}

/// Events could not be delivered that were made so long ago; `main` was heard now.
fn missing(facts: &mut Facts, seconds: i64) {
    facts.endpoints[0].undelivered = Some(Undelivered { newest: ago(seconds) / 1_000, count: 3 });
}

/// A delivery came in so long ago.
fn activity(seconds: i64) -> EndpointActivity {
    EndpointActivity { at: Some(ago(seconds)), off_by_s: Some(0), ..EndpointActivity::default() }
}

/// An event failed, which came in so long ago.
fn failed_for(facts: &mut Facts, seconds: i64) {
    facts.open.failed = OpenCount::Exactly(1);
    let example = "evt_1".parse().unwrap();
    facts.open.failed_because =
        Some(CommonReason { looked_at: 1, reason: "r".into(), count: 1, example, since: ago(seconds) });
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(now() - SignedDuration::from_secs(seconds))
}

/// One more at Stripe, made by hand.
fn add_stranger(facts: &mut Facts, url: &str) {
    let StripeView::Answered { value: list, .. } = &mut facts.at_stripe else {
        panic!("Stripe was not asked")
    };
    list.push(WebhookEndpoint { url: url.into(), ..at_stripe("stranger") });
}

/// One more at Stripe, made by this stack an hour ago.
fn add_marked(facts: &mut Facts, registration: &str) {
    let mark = [("stack", "stack"), ("name", "main"), ("registration", registration)];
    let metadata = mark.map(|(key, value)| (format!("billhook_{key}"), value.to_owned())).into();
    let StripeView::Answered { value: list, .. } = &mut facts.at_stripe else {
        panic!("Stripe was not asked")
    };
    list.push(WebhookEndpoint { metadata, ..at_stripe("marked") });
}

pub(super) fn failure() -> StripeFailure {
    StripeFailure {
        status: Some(500),
        kind: None,
        code: None,
        message: "m".into(),
        param: None,
        request_id: Some("req_2".into()),
    }
}

fn all(status: &Status) -> impl Iterator<Item = &Check> {
    status.checks.iter().chain(status.endpoints.iter().flat_map(|endpoint| &endpoint.checks))
}

pub(super) fn failing(status: &Status) -> Vec<&'static str> {
    all(status).filter(|check| !check.ok).map(|check| check.code).collect()
}

#[test]
fn when_all_is_well_it_is_active_and_every_check_is_listed() {
    let status = judge(&well());
    assert_eq!((status.status, failing(&status)), (Condition::Active, vec![]));
    let codes: Vec<_> = all(&status).map(|check| check.code).collect();
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
    assert!(all(&status).all(|check| check.remedy.is_none()));
}

#[test]
fn each_trouble_fails_its_check_and_no_other() {
    type Trouble = fn(&mut Facts);
    let troubles: [(Trouble, &[&str], Condition); 51] = [
        // Without Stripe's view two checks fail: the cause, and that nothing is known of the endpoint.
        (
            |f| (f.key, f.at_stripe) = (Key::NotSet, StripeView::NotAsked),
            &["stripe_key_present", "at_stripe"],
            Condition::Error,
        ),
        (
            |f| (f.key, f.at_stripe) = (Key::Unknown, StripeView::NotAsked),
            &["stripe_key_present", "at_stripe"],
            Condition::Error,
        ),
        (
            |f| f.at_stripe = StripeView::KeyRejected(failure()),
            &["stripe_key_accepted", "at_stripe"],
            Condition::Error,
        ),
        (
            |f| f.at_stripe = StripeView::Forbidden(failure()),
            &["stripe_key_rights", "at_stripe"],
            Condition::Error,
        ),
        (
            |f| f.at_stripe = StripeView::Unavailable(failure()),
            &["stripe_answers", "at_stripe"],
            Condition::Error,
        ),
        (|f| add_marked(f, "1"), &["left_over_at_stripe"], Condition::Active),
        (|f| f.open.failed = OpenCount::Exactly(1), &[], Condition::Active),
        (|f| failed_for(f, 601), &["events_failed"], Condition::Error),
        (|f| failed_for(f, 600), &[], Condition::Active),
        (|f| f.open.dead = OpenCount::More, &["events_failed"], Condition::Error),
        (|f| f.open.quarantined = OpenCount::Exactly(1), &["events_quarantined"], Condition::Active),
        (|f| f.uncertain.count = OpenCount::Exactly(1), &["order_uncertain"], Condition::Active),
        (|f| f.open.pending = OpenCount::More, &[], Condition::Active),
        (|f| f.reconciled_at = at(16 * 60), &["reconciled_lately"], Condition::Error),
        (|f| f.reconciled_at = None, &["reconciled_lately"], Condition::Error),
        (|f| (f.reconciled_at, f.key_since) = (None, at(14 * 60)), &[], Condition::Active),
        (|f| f.events = StripeView::Forbidden(failure()), &["events_readable"], Condition::Error),
        (|f| f.events = StripeView::KeyRejected(failure()), &["events_readable"], Condition::Error),
        (|f| f.events = StripeView::Unavailable(failure()), &["events_readable"], Condition::Error),
        (|f| f.events = StripeView::NotAsked, &[], Condition::Active),
        (|f| missing(f, 0), &[], Condition::Active),
        (
            |f| (missing(f, 0), f.endpoints[0].activity = activity(61)).1,
            &["deliveries_arrive"],
            Condition::Error,
        ),
        (|f| (missing(f, 0), f.endpoints[0].activity = activity(60)).1, &[], Condition::Active),
        (|f| (missing(f, 0), f.endpoints[0].activity.at = None).1, &["deliveries_arrive"], Condition::Error),
        (|f| missing(f, 60), &[], Condition::Active),
        (|f| gaps(f).more = true, &["events_compared"], Condition::Active),
        (|f| gaps(f).refused = vec!["acct_1".into()], &["accounts_readable"], Condition::Active),
        (|f| f.clock_ahead = Some(31_000), &["clock"], Condition::Active),
        (|f| f.clock_ahead = Some(-240_000), &["clock"], Condition::Error),
        (|f| f.clock_ahead = None, &[], Condition::Active),
        (|f| f.endpoints[0].activity.off_by_s = Some(-31), &["clock"], Condition::Active),
        (|f| f.endpoints[0].activity.off_by_s = Some(240), &["clock"], Condition::Error),
        (
            |f| f.endpoints[0].activity = EndpointActivity { off_by_s: Some(-250), ..activity(901) },
            &[],
            Condition::Active,
        ),
        (
            |f| add_stranger(f, "https://hooks.example.com/webhooks/main"),
            &["strangers_at_stripe"],
            Condition::Active,
        ),
        (|f| add_stranger(f, "https://hooks.example.com.evil.example/webhooks/main"), &[], Condition::Active),
        (|f| f.open.overdue = Some("evt_1".parse().unwrap()), &["backlog"], Condition::Error),
        (
            |f| {
                f.endpoints[0].row.state = EndpointState::Registering;
                f.endpoints[0].row.stripe_id = None;
            },
            &["registered_whole"],
            Condition::Error,
        ),
        (
            |f| f.endpoints[0].row.state = EndpointState::Deregistering,
            &["registered_whole"],
            Condition::Error,
        ),
        (
            |f| {
                f.endpoints[0].row.state = EndpointState::Registering;
                f.endpoints[0].row.state_since = ago(20);
            },
            &[],
            Condition::Inactive,
        ),
        (|f| f.endpoints[0].secret = SecretPresence::Missing, &["secret_present"], Condition::Error),
        (|f| f.endpoints[0].secret = SecretPresence::NotNamed, &["secret_present"], Condition::Error),
        (|f| f.endpoints[0].secret = SecretPresence::Unknown, &["secret_present"], Condition::Error),
        (|f| there(f).id = "we_other".into(), &["at_stripe"], Condition::Error),
        (|f| there(f).status = "disabled".into(), &["enabled_at_stripe"], Condition::Error),
        (|f| there(f).url = "https://example.com/other".into(), &["url_as_wanted"], Condition::Error),
        (|f| drop(there(f).enabled_events.pop()), &["events_as_wanted"], Condition::Error),
        (|f| there(f).enabled_events.push("charge.failed".into()), &["events_as_wanted"], Condition::Active),
        (|f| there(f).enabled_events = vec!["*".into()], &["events_as_wanted"], Condition::Active),
        (|f| there(f).api_version = None, &["api_version_as_wanted"], Condition::Error),
        (|f| there(f).livemode = true, &["mode_as_wanted"], Condition::Error),
        // Disabled here, and not yet there.
        (|f| f.endpoints[0].row.state = EndpointState::Disabled, &["enabled_at_stripe"], Condition::Inactive),
    ];
    for (i, (trouble, expected, condition)) in troubles.into_iter().enumerate() {
        let mut facts = well();
        trouble(&mut facts);
        let status = judge(&facts);
        assert_eq!((failing(&status), status.status), (expected.to_vec(), condition), "trouble {i}");
        assert!(all(&status).filter(|check| !check.ok).all(|check| check.remedy.is_some()), "trouble {i}");
    }
}

#[test]
fn what_is_left_over_at_stripe_is_ours_settled_and_of_no_row() {
    type Excuse = fn(&mut Facts);
    let left = |excuse: Excuse| {
        let mut facts = well();
        add_marked(&mut facts, "2");
        excuse(&mut facts);
        let status = judge(&facts);
        let check = status.checks.into_iter().find(|check| check.code == "left_over_at_stripe").unwrap();
        check.evidence["endpoints"].clone()
    };
    let it = json!([{ "stripe_id": "we_marked", "url": "https://example.com/marked" }]);
    assert_eq!(left(|_| {}), it);
    assert_eq!(left(|f| f.stack = "other".into()), json!([]), "another stack's");
    assert_eq!(
        left(|f| f.now = Timestamp::from_millisecond(ago(3_590)).unwrap()),
        json!([]),
        "made just now"
    );
    let mut half_made = endpoint("second");
    half_made.row.stripe_id = None;
    half_made.row.registration = "2".into();
    let mut facts = well();
    add_marked(&mut facts, "2");
    facts.endpoints.push(half_made);
    assert!(
        !failing(&judge(&facts)).contains(&"left_over_at_stripe"),
        "it is gone on with by the same request"
    );
}
