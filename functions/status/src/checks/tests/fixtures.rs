//! A stack in which all is well, and ways to break it.

use jiff::{SignedDuration, Timestamp};
use shared::endpoint::{EndpointRow, EndpointSpec, EndpointState, SecretVersion};
use shared::health::{
    Arrivals, CommonReason, ErasureHealth, GapReport, OpenEvents, PayoutHealth, SecretPresence, StripeView,
    Undelivered,
};
use shared::ledger::OpenCount;
use shared::mode::Mode;
use shared::probe::{ProbeOutcome, ProbeReport};
use shared::records::{IncompleteRecords, OpenRecords};
use shared::registry::{
    DriftProgress, DriftReport, EndpointActivity, FinishedBalancePass, FinishedPass, LastProbe,
    PayoutProgress, Sampled,
};
use shared::stripe::{StripeFailure, WebhookEndpoint};
use shared::unix_time::{UnixMillis, UnixSeconds};

use crate::inputs::{EndpointInputs, StatusInputs, StripeKeyState};

pub(super) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(super) fn ago(seconds: i64) -> UnixMillis {
    UnixMillis::from(now()) - SignedDuration::from_secs(seconds)
}

/// A stack with one endpoint, in which all is well.
pub(super) fn healthy() -> StatusInputs {
    StatusInputs {
        now: now(),
        mode: Mode::Test,
        stack_id: Some("stack-1".into()),
        public_url: "https://hooks.example.com".into(),
        rotate_days: 0,
        endpoints: vec![endpoint("main")],
        stripe_key: StripeKeyState::Set { hint: "sk_test_…ated".into() },
        at_stripe: StripeView::Answered { value: vec![at_stripe("main")], request_id: Some("req_1".into()) },
        open: OpenEvents { pending: OpenCount::Exactly(3), ..OpenEvents::default() },
        uncertain: OpenRecords { count: OpenCount::Exactly(0), first: vec![] },
        incomplete: Some(IncompleteRecords::default()),
        clock_ahead_ms: Some(400),
        gaps: StripeView::Answered { value: GapReport::default(), request_id: Some("req_3".into()) },
        no_answer: None,
        events_readable: StripeView::Answered { value: (), request_id: Some("req_3".into()) },
        ignore: vec![],
        is_reconciled_lately: false,
        stripe_asked_at: Some(now()),
        reconciled_at: Some(now() - SignedDuration::from_mins(5)),
        key_since: Some(now() - SignedDuration::from_hours(5)),
        hours: vec![],
        import: None,
        erasures: ErasureHealth::default(),
        drift: Some(compared()),
        payouts: Some(PayoutHealth::default()),
        payout_progress: Some(payouts_listed()),
    }
}

/// Records were compared with Stripe's objects ten hours ago, and nothing was found.
fn compared() -> DriftProgress {
    let at = ago(36_000);
    let last = FinishedPass { begun_at: at, finished_at: at, until: at, report: DriftReport::default() };
    DriftProgress { last: Some(last), ..DriftProgress::default() }
}

/// Payouts were listed ten hours ago.
fn payouts_listed() -> PayoutProgress {
    let (begun_at, finished_at) = (ago(36_000), ago(36_000));
    let last = FinishedBalancePass {
        begun_at,
        finished_at,
        listed_until: UnixSeconds::MAX,
        looked_at: 3,
        written: 0,
        refused: Sampled::default(),
        connected_failure: None,
    };
    PayoutProgress { last: Some(last), ..PayoutProgress::default() }
}

pub(super) fn endpoint(name: &str) -> EndpointInputs {
    let row = EndpointRow {
        name: name.parse().unwrap(),
        state: EndpointState::Active,
        registration: "1".into(),
        spec: EndpointSpec {
            url: format!("https://example.com/{name}"),
            events: vec!["invoice.paid".into(), "refund.created".into()],
            description: String::new(),
            api_version: "2026-10-28.endive".into(),
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
        rotation_given_up: None,
        is_replacement: false,
        rev: 1,
    };
    EndpointInputs {
        row,
        activity: activity(0),
        secret: SecretPresence::There,
        undelivered: None,
        arrivals: Arrivals::default(),
        probe: None,
    }
}

pub(super) fn at_stripe(name: &str) -> WebhookEndpoint {
    WebhookEndpoint {
        id: format!("we_{name}"),
        url: format!("https://example.com/{name}"),
        enabled_events: vec!["refund.created".into(), "invoice.paid".into()],
        api_version: Some("2026-10-28.endive".into()),
        description: None,
        status: "enabled".into(),
        livemode: false,
        created: ago(3_600).into(),
        metadata: [].into(),
    }
}

/// The endpoints that Stripe lists.
pub(super) fn stripe_list(inputs: &mut StatusInputs) -> &mut Vec<WebhookEndpoint> {
    let StripeView::Answered { value, .. } = &mut inputs.at_stripe else { panic!("Stripe was not asked") };
    value
}

/// `main`, as Stripe lists it.
pub(super) fn main_at_stripe(inputs: &mut StatusInputs) -> &mut WebhookEndpoint {
    &mut stripe_list(inputs)[0]
}

pub(super) fn gap_report(inputs: &mut StatusInputs) -> &mut GapReport {
    let StripeView::Answered { value, .. } = &mut inputs.gaps else { panic!("events were not compared") };
    value
}

/// A probe to `main`, sent so long ago, came to this.
pub(super) fn add_probe(inputs: &mut StatusInputs, seconds: i64, outcome: ProbeOutcome) {
    let report = ProbeReport { outcome, event: None, addresses: vec![], took_ms: 5, clock_ahead_ms: None };
    let url = inputs.endpoints[0].row.spec.url.clone();
    inputs.endpoints[0].probe = Some(LastProbe { at: ago(seconds), url, report });
}

/// Stripe could not deliver events to `main` that were made so long ago.
pub(super) fn add_undelivered(inputs: &mut StatusInputs, seconds: i64) {
    inputs.endpoints[0].undelivered = Some(Undelivered { newest: ago(seconds).into(), count: 3 });
}

/// A delivery came in so long ago.
pub(super) fn activity(seconds: i64) -> EndpointActivity {
    EndpointActivity { at: Some(ago(seconds)), off_by_s: Some(0), ..EndpointActivity::default() }
}

/// An event failed, which came in so long ago.
pub(super) fn failed_for(inputs: &mut StatusInputs, seconds: i64) {
    inputs.open.failed = OpenCount::Exactly(1);
    let example = "evt_1".parse().unwrap();
    inputs.open.failed_because =
        Some(CommonReason { looked_at: 1, reason: "r".into(), count: 1, example, since: ago(seconds) });
}

pub(super) fn at(seconds: i64) -> Option<Timestamp> {
    Some(now() - SignedDuration::from_secs(seconds))
}

/// One more at Stripe, made by hand.
pub(super) fn add_stranger(inputs: &mut StatusInputs, url: &str) {
    stripe_list(inputs).push(WebhookEndpoint { url: url.into(), ..at_stripe("stranger") });
}

/// One more at Stripe, made by this stack an hour ago.
pub(super) fn add_tagged(inputs: &mut StatusInputs, registration: &str) {
    let tag = [("stack", "stack"), ("stack_id", "stack-1"), ("name", "main"), ("registration", registration)];
    let metadata = tag.map(|(key, value)| (format!("billhook_{key}"), value.to_owned())).into();
    stripe_list(inputs).push(WebhookEndpoint { metadata, ..at_stripe("tagged") });
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

/// Records lack the rest of a list: so many for good, and one for so many seconds.
pub(super) fn lacks_lists(inputs: &mut StatusInputs, left: usize, seconds: i64) {
    let at = now() - SignedDuration::from_secs(seconds);
    inputs.incomplete = Some(IncompleteRecords {
        waiting: OpenRecords { count: OpenCount::Exactly(1), first: vec!["-/invoice/in_1".parse().unwrap()] },
        waiting_since: Some(at.into()),
        left: OpenCount::Exactly(left),
        first_left: vec![],
    });
}
