//! Every act on an endpoint in every state, also where a part of it is missing (Stripe's id, the secret, the
//! second endpoint of a rotation), with a Stripe that does as asked, that refuses all or only what changes
//! something, and that fails. What each is answered and leads to stands in `states/expected.txt`, which is to
//! be read as a specification.
//!
//! Whatever came of it, Stripe works again then: the schedule brings the endpoint to rest, writes nothing to
//! the audit from there on, and one repair makes it whole. And every remedy that an answer gives leads there.

use jiff::{SignedDuration, Timestamp};
use shared::account::AccountKey;
use shared::endpoint::{EndpointRow, EndpointState, PendingChange, Rotation, RotationEnd};
use shared::registry::ReconcileProgress;
use simulated_stripe::{Answer, Effect, Fault};
use test_cloud::fixtures::{error_code, now};

use crate::support::Stack;

const EXPECTED: &str = include_str!("states/expected.txt");

/// Its name, and the request: method, path and body. The schedule has none.
type Action = (&'static str, &'static str, &'static str, &'static str);

const ACTS: [Action; 12] = [
    ("create", "POST", "/endpoints", ""),
    ("patch", "PATCH", "/endpoints/main", r#"{"description":"other"}"#),
    ("disable", "PATCH", "/endpoints/main", r#"{"disabled":true}"#),
    ("enable", "PATCH", "/endpoints/main", r#"{"disabled":false}"#),
    ("rotate", "POST", "/endpoints/main/rotate", ""),
    ("rotate at once", "POST", "/endpoints/main/rotate", r#"{"at_once":true}"#),
    ("give up rotation", "DELETE", "/endpoints/main/rotate", ""),
    ("repair", "POST", "/endpoints/main/repair", ""),
    ("test", "POST", "/endpoints/main/test", ""),
    ("secret", "GET", "/endpoints/main/secret", ""),
    ("delete", "DELETE", "/endpoints/main?confirm=main", ""),
    ("schedule", "", "", ""),
];

/// What Stripe does with every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StripeDoes {
    AsAsked,
    Refuse,
    /// It reads and deletes as asked.
    RefusePosts,
    Fail,
    FailAfterItWasDone,
}

fn at(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl StripeDoes {
    fn fault(self) -> Option<Fault> {
        // Without a second try, which changes nothing and takes its time.
        let answer = Answer { status: 500, body: None, should_retry: Some(false), retry_after: None };
        let fails = Fault { effect: Effect::Answer(answer), ..Fault::status(500) };
        match self {
            Self::AsAsked => None,
            Self::Refuse => Some(Fault::status(400).times(999)),
            Self::RefusePosts => Some(Fault::status(400).on("POST", "").times(999)),
            Self::Fail => Some(fails.times(999)),
            Self::FailAfterItWasDone => Some(fails.after().times(999)),
        }
    }
}

impl Stack {
    async fn edit(&self, change: impl FnOnce(&mut EndpointRow)) {
        let row = self.row("main").await.unwrap();
        let mut changed = row.clone();
        change(&mut changed);
        self.registry().replace(&row, &mut changed).await.unwrap();
    }

    fn delete_at_stripe(&self) {
        for endpoint in self.stripe.endpoints() {
            self.stripe.delete_endpoint(&endpoint.id).unwrap();
        }
    }

    fn lose_secrets(&self) {
        for name in self.secrets() {
            self.cloud.remove_secret(&name);
        }
    }

    /// Neither Stripe nor Secrets Manager has anything of it, and the row names nothing.
    async fn lose_all(&self) {
        self.delete_at_stripe();
        self.lose_secrets();
        self.edit(forget).await;
    }

    /// All that Stripe made until then is in the ledger.
    async fn compared_until(&self, until: Timestamp) {
        let compared =
            ReconcileProgress { until: until.into(), unfinished: None, failed: false, refused_at: None };
        self.registry().store_reconcile_progress(&AccountKey::OWN, &compared).await.unwrap();
    }
}

fn forget(row: &mut EndpointRow) {
    (row.stripe_id, row.secret, row.signing_secret_hint) = (None, None, None);
}

/// A change whose request has ended without knowing what became of it.
fn change(row: &EndpointRow, disabled: bool) -> Option<PendingChange> {
    let spec = shared::endpoint::EndpointSpec { description: "changed".into(), ..row.spec.clone() };
    Some(PendingChange { spec, disabled, was_disabled: disabled, is_rollback: false, abandoned: true })
}

/// An endpoint in this situation, as an earlier request left it.
async fn prepare(stack: &Stack, situation: &str) {
    stack.compared_until(at(-600)).await;
    if situation == "none" {
        return;
    }
    assert_eq!(stack.register("").await.0, 201);
    match situation {
        "active" => {}
        "active, Stripe has deleted it" => stack.delete_at_stripe(),
        "active, its secret is lost" => stack.lose_secrets(),
        "active, its replacement was refused" => stack.lose_all().await,
        "disabled" | "disabled, its replacement was refused" => {
            stack.call("PATCH", "/endpoints/main", r#"{"disabled":true}"#).await;
            if situation != "disabled" {
                stack.lose_all().await;
            }
        }
        "registering, Stripe was not reached" => {
            stack.lose_all().await;
            let fresh = |row: &mut EndpointRow| {
                row.state = EndpointState::Registering;
                row.registration = uuid::Uuid::new_v4().to_string();
            };
            stack.edit(fresh).await;
        }
        "registering, Stripe has made it" => {
            let half_made = |row: &mut EndpointRow| {
                row.state = EndpointState::Registering;
                forget(row);
            };
            stack.edit(half_made).await;
        }
        "registering in place of a disabled one" => {
            stack.lose_all().await;
            let replacement = |row: &mut EndpointRow| {
                row.state = EndpointState::Registering;
                row.registration = uuid::Uuid::new_v4().to_string();
                row.is_replacement = true;
                row.pending_change = change(row, true);
            };
            stack.edit(replacement).await;
        }
        "changing" | "changing, Stripe has deleted it" | "changing, nothing is at Stripe" => {
            match situation {
                "changing, Stripe has deleted it" => stack.delete_at_stripe(),
                "changing, nothing is at Stripe" => stack.lose_all().await,
                _ => {}
            }
            let changing = |row: &mut EndpointRow| {
                row.state = EndpointState::Changing;
                row.pending_change = change(row, false);
            };
            stack.edit(changing).await;
        }
        "rotating, no second endpoint yet" => {
            let cut_off = |row: &mut EndpointRow| {
                row.state = EndpointState::Rotating;
                row.rotation = Some(Rotation {
                    registration: uuid::Uuid::new_v4().to_string(),
                    api_version: row.spec.api_version.clone(),
                    begun_at: now().into(),
                    stripe_id: None,
                    live_since: None,
                    old_deleted: false,
                    abandoned: true,
                    at_once: false,
                    decided: None,
                });
            };
            stack.edit(cut_off).await;
        }
        "deregistering" => stack.edit(|row| row.state = EndpointState::Deregistering).await,
        _ => {
            let (status, rotated) = stack.call("POST", "/endpoints/main/rotate", "").await;
            assert_eq!(status, 200, "{rotated}");
            match situation {
                "rotating" => {}
                "rotating, Stripe has deleted the second" => {
                    let second = rotated["rotation"]["stripe_id"].as_str().unwrap();
                    stack.stripe.delete_endpoint(second).unwrap();
                }
                "rotating, the secrets are lost" => stack.lose_secrets(),
                "rotating, the first is deleted" => {
                    stack.compared_until(at(30)).await;
                    stack.maintain(at(61)).await;
                    // A minute later, as all acts are.
                    stack.edit(|row| row.state_since = now().into()).await;
                }
                "rotating, being given up" => {
                    let give_up = |row: &mut EndpointRow| {
                        row.rotation.as_mut().unwrap().decided = Some(RotationEnd::GiveUp);
                    };
                    stack.edit(give_up).await;
                }
                other => panic!("no situation `{other}`"),
            }
        }
    }
}

/// The answer and the state after it; and the remedy, if it was refused.
async fn outcome(stack: &Stack, act: Action) -> (String, Option<String>) {
    let (_, method, path, body) = act;
    let mut remedy = None;
    let answer = if method.is_empty() {
        let report = stack.maintain(at(61)).await;
        let lists = report.as_object().unwrap().iter();
        let did: Vec<_> =
            lists.filter(|(_, names)| names[0] == "main").map(|(list, _)| list.as_str()).collect();
        if did.is_empty() { "nothing".to_owned() } else { did.join(", ") }
    } else {
        let (status, answer) = stack.call_at(at(61), method, path, body).await;
        if status >= 300 {
            remedy = answer["error"]["remedy"].as_str().map(str::to_owned);
            assert!(remedy.is_some(), "{answer}");
        }
        format!("{status} {}", error_code(&answer)).trim_end().to_owned()
    };
    let state = stack.row("main").await.map_or_else(
        || "gone".to_owned(),
        |row| serde_json::to_value(row.state).unwrap().as_str().unwrap().to_owned(),
    );
    (format!("{answer} → {state}"), remedy)
}

/// The requests that a remedy names, such as `POST /endpoints/main/rotate {"at_once":true}`.
fn named_requests(remedy: &str) -> Vec<(String, String, String)> {
    let mut named = Vec::new();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        for (place, _) in remedy.match_indices(&format!("{method} /")) {
            let rest = &remedy[place + method.len() + 1..];
            let (path, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let body = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let body = body.map(|(fields, _)| format!("{{{fields}}}")).unwrap_or_default();
            let path = path.trim_end_matches([',', ';', ':', '.']);
            named.push((method.to_owned(), path.to_owned(), body));
        }
    }
    named
}

/// Does what a remedy says until it is answered well: what one step is refused with names the next.
async fn assert_leads_on(stack: &Stack, situation: &str, act: Action, remedy: &str) {
    let what = format!("{situation}: {}: {remedy}", act.0);
    let first_steps = named_requests(remedy);
    assert!(!first_steps.is_empty(), "{what}: no request is named");
    for first_step in first_steps {
        prepare(stack, situation).await;
        outcome(stack, act).await;
        let mut step = first_step;
        let mut done = Vec::new();
        loop {
            let (method, path, body) = &step;
            let (status, answer) = stack.call_at(at(62), method, path, body).await;
            done.push(format!("{method} {path} {body}: {status} {}", error_code(&answer)));
            if status < 300 {
                break;
            }
            assert!(done.len() < 3, "{what}: {done:?}");
            let next = answer["error"]["remedy"].as_str().unwrap_or_default();
            step = named_requests(next).into_iter().next().unwrap_or_else(|| panic!("{what}: {done:?}"));
        }
        if remedy.contains("then send the same request again") {
            let (status, answer) = stack.call_at(at(63), act.1, act.2, act.3).await;
            assert!(status < 300, "{what}: {done:?}, then {answer}");
        }
        stack.deregister("main").await;
        stack.assert_nothing_left("main").await;
    }
}

/// Stripe works again: the endpoint comes to rest, and one repair makes it whole.
async fn assert_mended(stack: &Stack, disabled: bool, what: &str) {
    stack.compared_until(at(2_000)).await;
    for seconds in [200, 300, 400, 500] {
        stack.maintain(at(seconds)).await;
        let row = stack.row("main").await;
        if row.is_none_or(|row| matches!(row.state, EndpointState::Active | EndpointState::Disabled)) {
            break;
        }
    }
    let row = stack.row("main").await;
    let is_at_rest = |row: &EndpointRow| matches!(row.state, EndpointState::Active | EndpointState::Disabled);
    assert!(row.as_ref().is_none_or(is_at_rest), "{what}: it does not come to rest: {row:?}");
    let audited = stack.audit_entries().await.len();
    stack.maintain(at(600)).await;
    assert_eq!(stack.audit_entries().await.len(), audited, "{what}: the schedule goes on writing");
    if stack.row("main").await.is_none() {
        assert!(stack.stripe.endpoints().is_empty() && stack.secrets().is_empty(), "{what}");
        return;
    }
    let (status, repaired) = stack.call_at(at(900), "POST", "/endpoints/main/repair", "").await;
    assert_eq!(status, 200, "{what}: {repaired}");
    let row = stack.row("main").await.unwrap();
    let state = if disabled { EndpointState::Disabled } else { EndpointState::Active };
    assert_eq!(row.state, state, "{what}");
    assert!(row.pending_change.is_none() && row.rotation.is_none(), "{what}");
    let there = stack.stripe.endpoints();
    assert_eq!((there.len(), stack.secrets().len()), (1, 1), "{what}: {there:?}");
    assert_eq!(
        (row.stripe_id.as_deref(), there[0].disabled),
        (Some(there[0].id.as_str()), disabled),
        "{what}"
    );
    stack.assert_secret_is_right().await;
}

async fn assert_as_expected(situation: &'static str) {
    let was_disabled = situation.contains("disabled");
    let stack = &Stack::start().await.with_one_process();
    let mut actual = String::new();
    let mut remedies: Vec<(Action, String)> = Vec::new();
    for act in ACTS {
        let mut cells = Vec::new();
        for stripe in [
            StripeDoes::AsAsked,
            StripeDoes::Refuse,
            StripeDoes::RefusePosts,
            StripeDoes::Fail,
            StripeDoes::FailAfterItWasDone,
        ] {
            let what = format!("{situation}: {} where Stripe does {stripe:?}", act.0);
            prepare(stack, situation).await;
            if let Some(fault) = stripe.fault() {
                stack.stripe.add_fault(fault);
            }
            let (cell, remedy) = outcome(stack, act).await;
            stack.stripe.clear_faults();
            // A change that Stripe did not confirm is sent again. Where there is nothing to send it to, the
            // replacement is made so.
            let is_wanted = cell.starts_with("200") || cell.starts_with("503");
            let disabled = match act.0 {
                "disable" if is_wanted => true,
                "enable" if is_wanted => false,
                _ => was_disabled,
            };
            assert_mended(stack, disabled, &what).await;
            // The next begins from nothing.
            assert!(matches!(stack.deregister("main").await.0, 204 | 404), "{what}");
            stack.assert_nothing_left("main").await;
            if stripe == StripeDoes::FailAfterItWasDone {
                // An answer that is lost is none. Stripe may also have refused, and done nothing.
                assert!(cell.starts_with("503") || cell == cells[0] || cell == cells[3], "{what}: {cell}");
            } else {
                cells.push(cell);
            }
            if let Some(remedy) = remedy.filter(|_| stripe == StripeDoes::AsAsked)
                && !remedies.iter().any(|(_, known)| *known == remedy)
            {
                remedies.push((act, remedy));
            }
        }
        let (refused, failed) = (&cells[1..3], &cells[3]);
        let line =
            format!("{:16} | {:41} | {:41} | {:41} | {failed}", act.0, cells[0], refused[0], refused[1]);
        actual.push_str(&line);
        actual.push('\n');
    }
    let expected = EXPECTED.split("\n== ").find_map(|block| block.strip_prefix(&format!("{situation}\n")));
    assert_eq!(actual.trim(), expected.unwrap_or_default().trim(), "\n== {situation}\n{actual}");
    for (act, remedy) in remedies {
        assert_leads_on(stack, situation, act, &remedy).await;
    }
}

macro_rules! situations {
    ($($name:ident: $situation:literal;)*) => {
        $(#[tokio::test]
        async fn $name() {
            assert_as_expected($situation).await;
        })*
    };
}

situations! {
    none: "none";
    active: "active";
    deleted_at_stripe: "active, Stripe has deleted it";
    secret_lost: "active, its secret is lost";
    replacement_refused: "active, its replacement was refused";
    disabled: "disabled";
    disabled_and_replacement_refused: "disabled, its replacement was refused";
    registering: "registering, Stripe was not reached";
    registering_and_made: "registering, Stripe has made it";
    replacing_a_disabled_one: "registering in place of a disabled one";
    changing: "changing";
    changing_and_deleted_at_stripe: "changing, Stripe has deleted it";
    changing_without_an_id: "changing, nothing is at Stripe";
    rotating_without_a_second: "rotating, no second endpoint yet";
    rotating: "rotating";
    rotating_and_the_second_deleted: "rotating, Stripe has deleted the second";
    rotating_and_the_secrets_lost: "rotating, the secrets are lost";
    rotating_and_the_first_deleted: "rotating, the first is deleted";
    rotating_and_being_given_up: "rotating, being given up";
    deregistering: "deregistering";
}
