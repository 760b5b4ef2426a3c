//! Every check fails when the trouble that it looks for is made, and no longer when its remedy was followed;
//! both ways to the status: from what reconciliation kept, and live. A check without a row here fails.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::aws::CallLimits;
use shared::deadline::Deadline;
use shared::endpoint::{EndpointName, EndpointRow, EndpointState, Rotation, SecretVersion};
use shared::health::{self, GapReport, HealthSnapshot, OwnStack, StripeView, Undelivered};
use shared::kind::Kind;
use shared::ledger::{Actor, EventState, Transitioned};
use shared::mode::Mode;
use shared::object_key::ObjectKey;
use shared::probe::ProbeOutcome;
use shared::records::OpenReason;
use shared::registry::{
    Difference, DriftProgress, DriftReport, ErasureJob, ErasureState, FinishedPass, Import, ImportState,
    Rules, Sampled,
};
use shared::secret_store::SecretStore;
use shared::stripe::{NewEndpoint, OwnerTag, Stripe, StripeKeys};
use simulated_stripe::{EndpointChange, Fault, Key};
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::{self, STRIPE_KEY_SECRET, endpoint_row, retention};

use crate::support::{Stack, checks, later};

/// When the status is asked for: long enough after registering that nothing is excused as new.
fn at() -> Timestamp {
    later(1_200)
}

fn before(seconds: i64) -> Timestamp {
    at() - SignedDuration::from_secs(seconds)
}

/// A stack, and what reconciliation finds in it.
struct SeededStack {
    stack: Stack,
    gaps: GapReport,
    undelivered: BTreeMap<String, Undelivered>,
    reconciled_at: Timestamp,
    removed: Option<EndpointRow>,
    key: String,
    /// Makes each probe later than the one before.
    probes: i64,
}

impl SeededStack {
    /// All is well, and there is evidence for it.
    async fn start() -> Self {
        let stack = Stack::start().await;
        let seeded = Self {
            key: stack.stripe.key(),
            stack,
            gaps: GapReport { connected: 1, ..GapReport::default() },
            undelivered: BTreeMap::new(),
            reconciled_at: at(),
            removed: None,
            probes: 0,
        };
        seeded.stack.hear("main", before(600)).await;
        seeded.compare(0).await;
        seeded.stack.payouts_listed(before(3_600)).await;
        seeded
    }

    fn name() -> EndpointName {
        "main".parse().unwrap()
    }

    async fn row(&self) -> EndpointRow {
        self.stack.registry().endpoint(&Self::name()).await.unwrap().unwrap()
    }

    async fn change_row(&self, change: impl FnOnce(&mut EndpointRow)) {
        let row = self.row().await;
        let mut changed = row.clone();
        change(&mut changed);
        self.stack.registry().replace(&row, &mut changed).await.unwrap();
    }

    /// Last night so many records were not as Stripe's objects.
    async fn compare(&self, differed: u64) {
        let mut report = DriftReport::default();
        for i in 0..differed {
            let key = format!("-/invoice/in_{i}").parse().unwrap();
            report.differed.add(Difference { key, fields: vec!["status".into()] });
        }
        let at = before(3_600).into();
        let last = FinishedPass { begun_at: at, finished_at: at, until: at, report };
        let progress = DriftProgress { last: Some(last), ..DriftProgress::default() };
        self.stack.registry().store_drift_progress(&progress).await.unwrap();
    }

    async fn store_import(&self, state: ImportState) {
        let registry = self.stack.registry();
        let old = registry.import().await.unwrap();
        let mut new = Import {
            accounts: shared::registry::AccountList::default(),
            id: "0000000001-a".into(),
            since: None,
            kinds: Kind::all().collect(),
            by: "a@example.com".into(),
            begun_at: before(7_200).into(),
            state,
            ended_at: (state == ImportState::Finished).then(|| before(60).into()),
            moved_at: before(3_600).into(),
            halted: None,
            refused: Sampled::default(),
            rev: 0,
        };
        registry.store_import(old.as_ref(), &mut new).await.unwrap();
    }

    /// An erasure that was gone on with so many seconds ago.
    async fn store_erasure(&self, seconds: i64) {
        let registry = self.stack.registry();
        let customer: ObjectKey = "-/customer/cus_1".parse().unwrap();
        let old = registry.erasure(&customer).await.unwrap();
        let mut new = ErasureJob {
            customer,
            state: ErasureState::Running,
            asked_at: before(7_200).into(),
            finished_at: None,
            moved_at: before(seconds).into(),
            due_at: before(seconds).into(),
            position: None,
            records: 0,
            events: 0,
            waiting: Sampled::default(),
            waiting_since: None,
            tried_again: 0,
            rev: 0,
        };
        registry.store_erasure(old.as_ref(), &mut new).await.unwrap();
    }

    async fn discard(&self, id: &str) {
        let ledger = self.stack.ledger();
        let row = ledger.get(&id.parse().unwrap(), at()).await.unwrap().unwrap();
        let actor = Actor { by: "a@example.com", why: None };
        assert_eq!(ledger.discard(&row, actor, retention(), at()).await.unwrap(), Transitioned::Done);
    }

    async fn ignore(&self, ignore: &[&str]) {
        let registry = self.stack.registry();
        let old = registry.rules().await.unwrap();
        let ignore = ignore.iter().map(|pattern| (*pattern).to_owned()).collect();
        registry.store_rules(&old, &mut Rules { ignore, ..old.clone() }).await.unwrap();
    }

    async fn probe(&mut self, outcome: ProbeOutcome) {
        self.probes += 1;
        self.stack.probe(outcome, at() + SignedDuration::from_secs(100 + self.probes)).await;
    }

    fn keys(&self, rights: Option<&[&str]>) {
        let key = rights.map_or_else(|| Key::full(&self.key), |rights| Key::restricted(&self.key, rights));
        self.stack.stripe.set_keys(vec![key]);
    }

    /// What reconciliation does for the status: asks, and keeps what it is told.
    async fn reconcile(&self) {
        let Stack { cloud, stripe, .. } = &self.stack;
        stripe.advance(at().as_second() - stripe.now());
        let registry = self.stack.registry();
        let rows = registry.endpoints().await.unwrap();
        let settings = registry.settings().await.unwrap().unwrap();
        let secrets = SecretStore::new(cloud.aws().secrets_manager(CallLimits::PATIENT));
        let keys = StripeKeys::new(secrets.clone(), STRIPE_KEY_SECRET);
        let client = Stripe::new(stripe.url().parse().unwrap(), keys).unwrap();
        let session = client.session(settings.stripe_key_set_at, Deadline::NEVER).await.unwrap();
        let stack_id = registry.stack_id().await.unwrap();
        let own =
            OwnStack { stack_id: stack_id.as_deref(), public_url: "https://hooks.example.com", rows: &rows };
        let (endpoints, clock_ahead_ms) = health::endpoints(session.as_ref(), own, at()).await;
        let events = match &session {
            Some(session) => session.try_reading_events().await.map_or_else(Into::into, |()| {
                StripeView::Answered { value: self.gaps.clone(), request_id: None }
            }),
            None => StripeView::NotAsked,
        };
        let snapshot = HealthSnapshot {
            at: self.reconciled_at.into(),
            endpoints,
            clock_ahead_ms,
            events,
            undelivered: self.undelivered.clone(),
            arrivals: BTreeMap::new(),
            secrets: health::secrets(&secrets, &rows, Deadline::NEVER).await,
            open: health::open_events(&self.stack.ledger(), at()).await.unwrap(),
            payouts: Some(health::payouts(&fixtures::records(&cloud.aws()), at()).await.unwrap()),
            uncertain: fixtures::records(&cloud.aws()).open(OpenReason::OrderUncertain).await.unwrap(),
            incomplete: Some(fixtures::records(&cloud.aws()).incomplete().await.unwrap()),
            erasures: Some(registry.erasure_health(at()).await.unwrap()),
        };
        registry.store_health_snapshot(&snapshot).await.unwrap();
    }

    /// What a check comes to, kept and live; `None` if it is not listed.
    async fn outcomes(&self, code: &str) -> [Option<String>; 2] {
        self.reconcile().await;
        let mut outcomes = [None, None];
        for (outcome, path) in outcomes.iter_mut().zip(["/status", "/status?live=true"]) {
            let (status, body) = self.stack.call_at(at(), path).await;
            assert_eq!(status, 200, "{body}");
            let check = checks(&body).into_iter().find(|check| check["code"] == code);
            *outcome = check.and_then(|check| check["outcome"].as_str().map(str::to_owned));
        }
        outcomes
    }

    /// Makes the trouble that a check looks for, or follows its remedy.
    async fn set(&mut self, code: &str, trouble: bool) {
        let url = "https://hooks.example.com/webhooks/main".to_owned();
        let drift = |change: EndpointChange| self.stack.change(change);
        let no_change = EndpointChange::default;
        match code {
            "endpoint_registered" if trouble => {
                let row = self.row().await;
                self.stack.registry().remove(&row).await.unwrap();
                self.removed = Some(row);
            }
            "endpoint_registered" => {
                self.stack.registry().insert(&self.removed.take().unwrap()).await.unwrap();
                self.stack.hear("main", before(600)).await;
            }
            "secrets_manager_answers" if trouble => {
                self.stack.cloud.fail("DescribeSecret", "", 1_000, CloudFault::AccessDenied);
            }
            "secrets_manager_answers" => self.stack.cloud.clear_faults(),
            "stripe_key_present" => {
                let key = if trouble { "{}" } else { &self.key };
                self.stack.cloud.put_secret(STRIPE_KEY_SECRET, key);
            }
            "stripe_key_accepted" if trouble => self.stack.stripe.set_keys(vec![]),
            "stripe_key_rights" if trouble => self.keys(Some(&["events:read"])),
            "events_readable" if trouble => self.keys(Some(&["webhook_endpoints:write"])),
            "stripe_key_accepted" | "stripe_key_rights" | "events_readable" => self.keys(None),
            "stripe_answers" if trouble => self.stack.stripe.add_fault(Fault::status(500).times(1_000)),
            "stripe_answers" => self.stack.stripe.clear_faults(),
            "left_over_at_stripe" if trouble => self.make_left_over().await,
            "strangers_at_stripe" if trouble => {
                drop(self.stack.stripe.add_endpoint("https://hooks.example.com/webhooks/x", &["*"]));
            }
            "left_over_at_stripe" | "strangers_at_stripe" => {
                let id = self.row().await.stripe_id;
                for other in self.stack.stripe.endpoints() {
                    if Some(&other.id) != id.as_ref() {
                        self.stack.stripe.delete_endpoint(&other.id).unwrap();
                    }
                }
            }
            "events_failed" if trouble => self.stack.event("evt_dead", EventState::Dead).await,
            "events_failed" => self.discard("evt_dead").await,
            "events_quarantined" if trouble => {
                self.stack.event("evt_quarantined", EventState::Quarantined).await;
            }
            "events_quarantined" => self.discard("evt_quarantined").await,
            "backlog" if trouble => self.stack.event("evt_pending", EventState::Pending).await,
            "backlog" => self.stack.mark_processed("evt_pending").await,
            "order_uncertain" => self.stack.uncertain_record("sub_1", trouble).await,
            "records_whole" => self.stack.record_without_all_lines(trouble).await,
            "reconciled_lately" => self.reconciled_at = if trouble { before(901) } else { at() },
            "events_compared" => self.gaps.more = trouble,
            "accounts_readable" => self.gaps.refused = vec!["acct_1".to_owned(); usize::from(trouble)],
            "clock" => self.stack.stripe.skew_date(if trouble { -400 } else { 0 }),
            "records_as_stripe" => self.compare(u64::from(trouble)).await,
            "import_goes_on" if trouble => self.store_import(ImportState::Running).await,
            "import_goes_on" => self.store_import(ImportState::Finished).await,
            "payouts_add_up" => self.stack.payout("paid", if trouble { 4 } else { 5 }).await,
            "payouts_arrive" => self.stack.payout(if trouble { "failed" } else { "paid" }, 5).await,
            "erasures_go_on" => self.store_erasure(if trouble { 3_601 } else { 60 }).await,
            "registered_whole" if trouble => self.stack.set_state(EndpointState::Deregistering).await,
            "registered_whole" => self.stack.set_state(EndpointState::Active).await,
            "secret_present" if trouble => self.stack.cloud.remove_secret("stack/endpoints/main/1"),
            "secret_present" => {
                let name = "stack/endpoints/main/2".to_owned();
                let version = self.stack.cloud.put_secret(&name, "{}");
                self.change_row(|row| row.secret = Some(SecretVersion { name, version })).await;
            }
            "rotation_ends" => {
                let rotation = trouble.then(|| Rotation {
                    registration: "2".into(),
                    api_version: shared::endpoint::API_VERSION.into(),
                    begun_at: before(4 * 3_600).into(),
                    stripe_id: None,
                    live_since: None,
                    old_deleted: false,
                    abandoned: false,
                    at_once: false,
                    decided: None,
                });
                self.change_row(|row| row.rotation = rotation).await;
            }
            "at_stripe" => {
                let id = if trouble { "we_gone".to_owned() } else { self.stack.id() };
                self.change_row(|row| row.stripe_id = Some(id)).await;
            }
            "enabled_at_stripe" => drift(EndpointChange { disabled: Some(trouble), ..no_change() }),
            "url_as_wanted" => {
                let url = if trouble { "https://example.com".to_owned() } else { url };
                drift(EndpointChange { url: Some(url), ..no_change() });
            }
            "events_as_wanted" => {
                let mut events = vec!["invoice.paid".to_owned(), "refund.created".to_owned()];
                events.truncate(if trouble { 1 } else { 2 });
                drift(EndpointChange { enabled_events: Some(events), ..no_change() });
            }
            "api_version_as_wanted" => {
                let version = if trouble { "2020-08-27" } else { shared::endpoint::API_VERSION };
                drift(EndpointChange { api_version: Some(version.into()), ..no_change() });
            }
            "mode_as_wanted" => self.stack.mode = if trouble { Mode::Live } else { Mode::Test },
            "deliveries_arrive" if trouble => {
                let missed = Undelivered { newest: before(360).into(), count: 3 };
                self.undelivered.insert("main".into(), missed);
            }
            "deliveries_arrive" => self.stack.hear("main", at()).await,
            "probe_arrives" if trouble => {
                self.probe(ProbeOutcome::Answered { status: 403, code: None }).await;
            }
            "signatures_match" if trouble => self.probe(ProbeOutcome::Changed).await,
            "probe_arrives" | "signatures_match" => self.probe(ProbeOutcome::Stored).await,
            "events_applied" => {
                self.ignore(if trouble { &["invoice.*", "refund.*"] } else { &[] }).await;
            }
            code => panic!("no trouble is made here for the check `{code}`"),
        }
    }

    async fn make_left_over(&self) {
        let secrets = SecretStore::new(self.stack.cloud.aws().secrets_manager(CallLimits::PATIENT));
        let keys = StripeKeys::new(secrets, STRIPE_KEY_SECRET);
        let client = Stripe::new(self.stack.stripe.url().parse().unwrap(), keys).unwrap();
        let session = client.session(later(0).into(), Deadline::NEVER).await.unwrap().unwrap();
        let spec = endpoint_row("old", &["invoice.paid"], later(0)).spec;
        let stack_id = Some(self.stack.registry().stack_id_or_new().await.unwrap());
        let tag = OwnerTag { stack: "stack".into(), stack_id, name: "old".into(), registration: "0".into() };
        self.stack.stripe.advance(later(0).as_second() - self.stack.stripe.now());
        session.create_endpoint(&NewEndpoint { spec: &spec, tag: &tag }, "key-of-old").await.unwrap();
    }
}

#[tokio::test]
async fn each_check_fails_by_its_trouble_and_passes_by_its_remedy_kept_and_live() {
    let mut seeded = SeededStack::start().await;
    seeded.reconcile().await;
    let (_, status) = seeded.stack.call_at(at(), "/status").await;
    assert_eq!(status["status"], "active", "{status}");
    let codes: Vec<Value> = checks(&status);
    let unsure: BTreeSet<_> = codes
        .iter()
        .filter(|check| check["outcome"] != "ok")
        .collect::<Vec<_>>()
        .iter()
        .map(|check| check["code"].to_string())
        .collect();
    assert_eq!(unsure, BTreeSet::new(), "there is evidence that all is well");
    for check in codes {
        let code = check["code"].as_str().unwrap();
        let all = |outcome: &str| [Some(outcome.to_owned()), Some(outcome.to_owned())];
        assert_eq!(seeded.outcomes(code).await, all("ok"), "{code}: before");
        seeded.set(code, true).await;
        assert_eq!(seeded.outcomes(code).await, all("failed"), "{code}: with the trouble");
        seeded.set(code, false).await;
        assert_eq!(seeded.outcomes(code).await, all("ok"), "{code}: when the remedy was followed");
    }
}

#[tokio::test]
async fn a_right_given_to_the_key_is_seen_before_the_next_reconciliation() {
    let seeded = SeededStack::start().await;
    seeded.keys(Some(&["webhook_endpoints:write"]));
    seeded.reconcile().await;
    for path in ["/status", "/status?live=true"] {
        let (_, body) = seeded.stack.call_at(at(), path).await;
        assert_eq!(crate::support::failing(&body), BTreeSet::from(["events_readable".to_owned()]));
    }
    seeded.keys(None);
    for path in ["/status", "/status?live=true"] {
        let (_, body) = seeded.stack.call_at(at(), path).await;
        assert_eq!(crate::support::failing(&body), BTreeSet::new(), "{path}");
    }
}

#[tokio::test]
async fn one_limit_on_calls_does_not_undo_what_stripe_said_minutes_ago() {
    let seeded = SeededStack::start().await;
    seeded.reconcile().await;
    seeded.stack.stripe.add_fault(Fault::status(500).times(1_000));
    let (_, body) = seeded.stack.call_at(at(), "/status?live=true").await;
    assert_eq!(body["status"], "active", "{body}");
    let answers = checks(&body).into_iter().find(|check| check["code"] == "stripe_answers").unwrap();
    assert_eq!((&answers["outcome"], &answers["severity"]), (&"failed".into(), &"warning".into()));
    // With nothing to go by it is an error.
    let bare = SeededStack::start().await;
    bare.stack.stripe.add_fault(Fault::status(500).times(1_000));
    let (_, body) = bare.stack.call_at(later(10), "/status?live=true").await;
    assert_eq!(body["status"], "error", "{body}");
}

#[tokio::test]
async fn secrets_manager_that_answered_minutes_ago_is_a_warning_and_else_an_error() {
    let seeded = SeededStack::start().await;
    for (reconciled, severity, expected) in [(false, "error", "error"), (true, "warning", "active")] {
        if reconciled {
            seeded.reconcile().await;
        }
        seeded.stack.cloud.fail("DescribeSecret", "", 1_000, CloudFault::AccessDenied);
        let (_, body) = seeded.stack.call_at(at(), "/status?live=true").await;
        seeded.stack.cloud.clear_faults();
        let check = |code: &str| checks(&body).into_iter().find(|check| check["code"] == code).unwrap();
        let answers = check("secrets_manager_answers");
        assert_eq!((&answers["outcome"], &answers["severity"]), (&"failed".into(), &severity.into()));
        assert_eq!(answers["evidence"]["endpoints_unread"], serde_json::json!(["main"]));
        assert_eq!(check("secret_present")["outcome"], "unknown");
        // Without a reconciliation that is an error too.
        assert_eq!(body["status"], expected, "{body}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_told_once() {
    let seeded = SeededStack::start().await;
    seeded.stack.stripe.set_keys(vec![]);
    seeded.reconcile().await;
    for path in ["/status", "/status?live=true"] {
        let (_, body) = seeded.stack.call_at(at(), path).await;
        assert_eq!(crate::support::failing(&body), BTreeSet::from(["stripe_key_accepted".to_owned()]));
    }
}
