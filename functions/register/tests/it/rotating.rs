//! A secret is changed without losing an event: two endpoints at Stripe until all of before is here, both
//! secrets accepted, and one of each in the end, wherever it was cut off.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::account::AccountKey;
use shared::aws::CallLimits;
use shared::endpoint::EndpointState;
use shared::registry::ReconcileProgress;
use shared::secret_store::SecretStore;
use simulated_stripe::{Fault, Options};
use test_cloud::Fault as CloudFault;
use test_cloud::fixtures::{error_code, now};

use crate::support::{As, Stack};

mod interference;
mod leaks;

const ENDPOINTS: &str = "/v1/webhook_endpoints";

fn at(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl Stack {
    async fn rotate(&self, body: &str) -> (u16, Value) {
        self.call("POST", "/endpoints/main/rotate", body).await
    }

    /// Reconciliation has compared all events up to then.
    async fn compared(&self, until: Timestamp) {
        let compared =
            ReconcileProgress { until: until.into(), unfinished: None, failed: false, refused_at: None };
        self.registry().store_reconcile_progress(&AccountKey::OWN, &compared).await.unwrap();
    }

    /// The end: the first endpoint goes, and a minute later its secret.
    async fn ends(&self, seconds: i64) {
        self.maintain(at(seconds)).await;
        assert_eq!(self.maintain(at(seconds + 61)).await["rotated"], json!(["main"]));
    }

    /// The secrets that are accepted now, the newest first.
    async fn accepted(&self) -> Vec<String> {
        let row = self.row("main").await.unwrap();
        let secret_store = SecretStore::new(self.cloud.aws().secrets_manager(CallLimits::PATIENT));
        let secrets = secret_store.signing_secrets(row.secret.as_ref().unwrap()).await.unwrap();
        secrets.signing.iter().map(|one| one.secret.reveal().to_owned()).collect()
    }

    /// The secrets of the endpoints at Stripe that send what is wanted.
    fn sending(&self, made: &Value) -> Vec<String> {
        let all = self.stripe.endpoints().into_iter();
        all.filter(|one| json!(one.enabled_events) == made["events"]).map(|one| one.secret).collect()
    }

    async fn assert_rotated(&self, made: &Value, what: &str) {
        self.assert_one_endpoint(what).await;
        let row = self.row("main").await.unwrap();
        assert_ne!(json!(row.stripe_id), made["stripe_id"], "{what}");
        assert!(row.rotated_at.is_some() && row.rotation.is_none(), "{what}");
        assert_eq!(json!(self.stripe.endpoints()[0].enabled_events), made["events"], "{what}");
    }

    /// One endpoint at Stripe, one secret entry that holds its secret alone, an active row.
    async fn assert_one_endpoint(&self, what: &str) {
        let row = self.row("main").await.unwrap();
        assert_eq!(row.state, EndpointState::Active, "{what}");
        assert_eq!(self.stripe.endpoints().len(), 1, "{what}");
        assert_eq!(row.stripe_id.as_deref(), Some(self.stripe.endpoints()[0].id.as_str()), "{what}");
        assert_eq!(self.secrets().len(), 1, "{what}");
        self.assert_secret_is_right().await;
    }
}

#[tokio::test]
async fn both_secrets_are_accepted_until_all_of_before_is_here() {
    let stack = Stack::start().await;
    let (_, made) = stack.register(r#"{"events":["invoice.paid"]}"#).await;
    let (status, rotated) = stack.rotate("").await;
    assert_eq!((status, &rotated["state"]), (200, &json!("rotating")), "{rotated}");
    assert_ne!(rotated["signing_secret"], made["signing_secret"]);
    assert_eq!(stack.stripe.endpoints().len(), 2);
    assert_eq!(stack.sending(&made).len(), 2, "both get all events");
    assert_eq!(json!(stack.accepted().await), json!([rotated["signing_secret"], made["signing_secret"]]));
    for (method, path, body) in [
        ("POST", "/endpoints/main/rotate", ""),
        ("PATCH", "/endpoints/main", r#"{"description":"x"}"#),
        ("POST", "/endpoints/main/repair", ""),
    ] {
        let (status, answer) = stack.call_at(at(600), method, path, body).await;
        assert_eq!((status, error_code(&answer)), (409, "rotation_in_progress"), "{path}");
    }
    // What was made until then is not compared yet.
    stack.compared(at(-60)).await;
    stack.maintain(at(600)).await;
    assert_eq!(stack.stripe.endpoints().len(), 2);
    stack.compared(at(60)).await;
    stack.maintain(at(900)).await;
    assert_eq!(
        (stack.stripe.endpoints().len(), stack.accepted().await.len()),
        (1, 2),
        "what the first sent is on its way"
    );
    assert_eq!(stack.maintain(at(961)).await["rotated"], json!(["main"]));
    stack.assert_rotated(&made, "ended").await;
    assert_eq!(json!(stack.accepted().await), json!([rotated["signing_secret"]]));
    let entries = stack.audit_entries().await;
    let rotations = entries.iter().filter(|entry| entry.action == "endpoint.rotate");
    let by: Vec<_> = rotations.map(|entry| (entry.subject.as_str(), entry.result.as_str())).collect();
    assert!(by.contains(&("schedule", "done")), "{by:?}");
    assert!(!format!("{entries:?}").contains("whsec"), "no secret is in the audit");
}

#[tokio::test]
async fn no_event_goes_to_the_second_before_its_secret_is_known() {
    let stack = Stack::start().await.hasty();
    let (_, made) = stack.register("").await;
    stack.stripe.add_fault(Fault::hold().on("POST", &format!("{ENDPOINTS}/")));
    assert_eq!(stack.rotate("").await.0, 503);
    assert_eq!(stack.sending(&made), [made["signing_secret"].as_str().unwrap()]);
    assert_eq!(stack.accepted().await.len(), 2, "its secret is known by now");
    let other = Stack::start().await.hasty();
    let (_, made) = other.register("").await;
    other.cloud.fail("PutSecretValue", "", 9, CloudFault::Hang);
    assert_eq!(other.rotate("").await.0, 503);
    assert_eq!(other.sending(&made), [made["signing_secret"].as_str().unwrap()]);
}

#[tokio::test]
async fn cut_off_at_any_step_it_goes_on_by_the_same_request_or_the_schedule() {
    type Break = fn(&Stack);
    let breaks: [(&str, Break); 11] = [
        ("before the row", |s| s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::Hang)),
        ("after the row", |s| s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::DoneWithoutAnswer)),
        ("before it is made", |s| s.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS))),
        ("after it is made", |s| s.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after())),
        ("Stripe is down", |s| s.stripe.add_fault(Fault::status(500).on("POST", ENDPOINTS).times(9))),
        ("no way to Stripe", |s| s.stripe.add_fault(Fault::cut().on("POST", ENDPOINTS).times(9))),
        ("before the secret", |s| s.cloud.fail("PutSecretValue", "", 9, CloudFault::Hang)),
        ("after the secret", |s| s.cloud.fail("PutSecretValue", "", 9, CloudFault::DoneWithoutAnswer)),
        ("before it gets all", |s| s.stripe.add_fault(Fault::hold().on("POST", "/v1/webhook_endpoints/"))),
        ("after it gets all", |s| {
            s.stripe.add_fault(Fault::hold().on("POST", "/v1/webhook_endpoints/").after())
        }),
        ("too many calls", |s| {
            s.stripe.add_fault(Fault::rate_limit(Some(false)).on("POST", ENDPOINTS).times(9))
        }),
    ];
    for (what, break_it) in breaks {
        for by_schedule in [false, true] {
            let stack = Stack::start().await.hasty();
            let (_, made) = stack.register("").await;
            break_it(&stack);
            let (status, answer) = stack.rotate("").await;
            assert!(status >= 500, "{what}: {answer}");
            stack.cloud.clear_faults();
            stack.stripe.clear_faults();
            if by_schedule {
                stack.maintain(at(61)).await;
            }
            let row = stack.row("main").await.unwrap();
            if row.rotation.is_none_or(|next| next.live_since.is_none()) {
                let (status, answer) = stack.call_at(at(125), "POST", "/endpoints/main/rotate", "").await;
                assert_eq!(status, 200, "{what}, by schedule: {by_schedule}: {answer}");
            }
            assert_eq!(stack.stripe.endpoints().len(), 2, "{what}: no orphan");
            assert_eq!(stack.sending(&made).len(), 2, "{what}");
            stack.compared(at(300)).await;
            stack.ends(400).await;
            stack.assert_rotated(&made, what).await;
        }
    }
}

#[tokio::test]
async fn its_end_is_cut_off_anywhere_and_goes_on() {
    type Break = fn(&Stack);
    let breaks: [(&str, Break); 6] = [
        ("before the first is deleted", |s| s.stripe.add_fault(Fault::hold().on("DELETE", ENDPOINTS))),
        ("after the first is deleted", |s| s.stripe.add_fault(Fault::hold().on("DELETE", ENDPOINTS).after())),
        ("before the secret", |s| s.cloud.fail("PutSecretValue", "", 9, CloudFault::Hang)),
        ("after the secret", |s| s.cloud.fail("PutSecretValue", "", 9, CloudFault::DoneWithoutAnswer)),
        ("before the row", |s| s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::Hang)),
        ("after the row", |s| s.cloud.fail("PutItem", "RegistryTable", 9, CloudFault::DoneWithoutAnswer)),
    ];
    for (what, break_it) in breaks {
        let stack = Stack::start().await.hasty();
        let (_, made) = stack.register("").await;
        assert_eq!(stack.rotate("").await.0, 200);
        stack.compared(at(300)).await;
        break_it(&stack);
        let input = serde_json::from_str(include_str!("../../../../events/register/schedule.json")).unwrap();
        // It dies, or leaves it to the next run.
        for seconds in [400, 470] {
            drop(register::handle(&stack.cold(), &input, "r-1", at(seconds), stack.deadline()).await);
        }
        stack.cloud.clear_faults();
        stack.stripe.clear_faults();
        stack.maintain(at(700)).await;
        stack.maintain(at(800)).await;
        stack.assert_rotated(&made, what).await;
    }
}

#[tokio::test]
async fn another_version_comes_by_the_same_switch_over() {
    let stack = Stack::start().await;
    stack.register("").await;
    let (status, answer) = stack.rotate(r#"{"api_version":"latest"}"#).await;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("api_version")));
    let (status, rotated) = stack.rotate(r#"{"api_version":"2020-08-27"}"#).await;
    assert_eq!((status, &rotated["rotation"]["api_version"]), (200, &json!("2020-08-27")), "{rotated}");
    stack.compared(at(300)).await;
    stack.ends(400).await;
    assert_eq!(stack.row("main").await.unwrap().spec.api_version, "2020-08-27");
    assert_eq!(stack.stripe.endpoints()[0].api_version.as_deref(), Some("2020-08-27"));
}

#[tokio::test]
async fn at_stripes_limit_it_says_so_and_changes_nothing() {
    let stack = Stack::with(Options::for_tests().endpoint_limit(1), shared::mode::Mode::Test).await;
    stack.set_key().await;
    let (_, made) = stack.register("").await;
    let (status, answer) = stack.rotate("").await;
    assert_eq!((status, error_code(&answer)), (502, "stripe_error"), "{answer}");
    assert!(answer["error"]["remedy"].as_str().unwrap().contains("make room"), "{answer}");
    let row = stack.row("main").await.unwrap();
    assert_eq!(
        (row.state, row.rotation, json!(row.stripe_id)),
        (EndpointState::Active, None, made["stripe_id"].clone())
    );
    stack.assert_one_endpoint("the limit").await;
}

#[tokio::test]
async fn an_answer_that_is_lost_for_good_leaves_no_orphan() {
    // Older than a day, or a 500 that Stripe keeps.
    for kept in [false, true] {
        let stack = if kept { Stack::start().await } else { Stack::start().await.hasty() };
        let (_, made) = stack.register("").await;
        let fault = if kept { Fault::status(500).after() } else { Fault::hold().after() };
        stack.stripe.add_fault(fault.on("POST", ENDPOINTS));
        let (status, _) = stack.rotate("").await;
        stack.stripe.clear_faults();
        if !kept {
            assert_eq!(status, 503);
            stack.stripe.advance(26 * 3_600);
            assert_eq!(stack.maintain(at(26 * 3_600)).await["switched_over"], json!(["main"]));
        }
        assert_eq!(stack.stripe.endpoints().len(), 2);
        stack.compared(at(30 * 3_600)).await;
        stack.ends(31 * 3_600).await;
        stack.assert_rotated(&made, "lost").await;
    }
}

#[tokio::test]
async fn answers_that_are_lost_twice_in_one_request_leave_no_orphan() {
    let stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    // A 500 that Stripe keeps, for each attempt and each of its tries.
    stack.stripe.add_fault(Fault::status(500).after().times(9).on("POST", ENDPOINTS));
    let (status, body) = stack.rotate("").await;
    assert_eq!((status, &body["error"]["code"]), (502, &json!("stripe_error")));
    stack.stripe.clear_faults();
    assert_eq!(stack.maintain(at(300)).await["switched_over"], json!(["main"]));
    assert_eq!(stack.stripe.endpoints().len(), 2);
    stack.compared(at(3_600)).await;
    stack.ends(7_200).await;
    stack.assert_rotated(&made, "lost twice").await;
}

#[tokio::test]
async fn deregistering_in_the_middle_leaves_nothing() {
    for cut_off in [false, true] {
        let stack = Stack::start().await.hasty();
        stack.register("").await;
        if cut_off {
            stack.stripe.add_fault(Fault::hold().on("POST", ENDPOINTS).after());
        }
        stack.rotate("").await;
        stack.stripe.clear_faults();
        assert_eq!(stack.stripe.endpoints().len(), 2);
        assert_eq!(stack.deregister("main").await.0, 204);
        stack.assert_nothing_left("main").await;
    }
}

#[tokio::test]
async fn it_begins_by_itself_after_so_many_days() {
    let mut stack = Stack::start().await;
    let (_, made) = stack.register("").await;
    assert_eq!(
        stack.maintain(at(40 * 86_400)).await["switched_over"],
        json!([]),
        "not unless the stack is configured so"
    );
    stack.rotate_days = 30;
    assert_eq!(stack.maintain(at(30 * 86_400 - 1)).await["switched_over"], json!([]));
    stack.stripe.advance(30 * 86_400);
    assert_eq!(stack.maintain(at(30 * 86_400)).await["switched_over"], json!(["main"]));
    stack.compared(at(31 * 86_400)).await;
    stack.ends(31 * 86_400).await;
    stack.assert_rotated(&made, "by itself").await;
    assert_eq!(stack.maintain(at(32 * 86_400)).await["switched_over"], json!([]), "the secret is new");
}

#[tokio::test]
async fn only_an_active_endpoint_is_rotated_and_only_by_an_admin() {
    let stack = Stack::start().await;
    assert_eq!(stack.rotate("").await.0, 404);
    stack.register("").await;
    assert_eq!(stack.call_as(As::Viewer, "POST", "/endpoints/main/rotate", "").await.0, 403);
    stack.call("PATCH", "/endpoints/main", r#"{"disabled":true}"#).await;
    let (status, answer) = stack.rotate("").await;
    assert_eq!((status, error_code(&answer)), (409, "endpoint_not_active"));
    assert_eq!(stack.rotate(r#"{"colour":"red"}"#).await.0, 400);
}
