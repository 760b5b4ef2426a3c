//! The process is killed at every single call to AWS, before it is done and after; then the same request,
//! another or the schedule finishes, and there is exactly what is wanted.

use jiff::{SignedDuration, Timestamp};
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::endpoint::EndpointState;
use shared::registry::ReconcileProgress;
use test_cloud::KillPoint;
use test_cloud::fixtures::now;

use crate::support::{As, Stack, request};

mod stripe;

/// Far more calls than any request makes.
const CALLS: usize = 30;

/// Who finishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finisher {
    TheSame,
    Deregistering,
    Schedule,
}

const FINISHERS: [Finisher; 3] = [Finisher::TheSame, Finisher::Deregistering, Finisher::Schedule];

#[derive(Debug, Clone, Copy)]
struct Asked {
    method: &'static str,
    path: &'static str,
    body: &'static str,
}

const REGISTER: Asked = Asked { method: "POST", path: "/endpoints", body: r#"{"events":["invoice.paid"]}"# };
const CHANGE: Asked = Asked {
    method: "PATCH",
    path: "/endpoints/main",
    body: r#"{"events":["refund.created"],"description":"x"}"#,
};
const ROTATE: Asked = Asked { method: "POST", path: "/endpoints/main/rotate", body: "" };
const REPAIR: Asked = Asked { method: "POST", path: "/endpoints/main/repair", body: "" };
const DEREGISTER: Asked = Asked { method: "DELETE", path: "/endpoints/main?confirm=main", body: "" };

fn at(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl Stack {
    /// Kills the process that handles this at one of its calls; false if it ended before that call came.
    async fn kills(&self, asked: Asked, death: KillPoint) -> bool {
        let process = self.cloud.killable_process();
        let deps = self.cold_at(process.aws());
        let dies = process.killed_at(death);
        let answered = register::answer(
            &deps,
            request(As::Admin, asked.method, asked.path, asked.body),
            now(),
            Deadline::NEVER,
        );
        tokio::select! {
            biased;
            () = dies => true,
            _ = answered => false,
        }
    }

    /// Two runs of the schedule, with all that Stripe made compared by then.
    async fn maintain_to_the_end(&self) {
        let compared =
            ReconcileProgress { until: at(600).into(), unfinished: None, failed: false, refused_at: None };
        self.registry().store_reconcile_progress(&AccountKey::OWN, &compared).await.unwrap();
        for seconds in [200, 300, 400, 500] {
            self.maintain(at(seconds)).await;
        }
    }

    /// One endpoint at Stripe, which sends what the row wants; one secret, its own; or nothing at all.
    async fn assert_right(&self, what: &str) {
        let Some(row) = self.row("main").await else {
            assert!(self.stripe.endpoints().is_empty(), "{what}: {:?}", self.stripe.endpoints());
            assert!(self.secrets().is_empty(), "{what}: {:?}", self.secrets());
            return;
        };
        let there = self.stripe.endpoints();
        assert_eq!((row.state, there.len(), self.secrets().len()), (EndpointState::Active, 1, 1), "{what}");
        assert!(row.pending_change.is_none() && row.rotation.is_none(), "{what}");
        assert_eq!(row.stripe_id.as_deref(), Some(there[0].id.as_str()), "{what}");
        assert_eq!((&row.spec.events, &row.spec.url), (&there[0].enabled_events, &there[0].url), "{what}");
        self.assert_secret_is_right().await;
    }
}

/// `damage` comes before the request. Gives how many calls it makes.
async fn killed_everywhere(first: Option<Asked>, damage: fn(&Stack), asked: Asked) -> usize {
    for call in 1..CALLS {
        for death in [KillPoint::BeforeCall(call), KillPoint::AfterCall(call)] {
            for finisher in FINISHERS {
                let stack = Stack::start().await;
                if let Some(first) = first {
                    assert!(stack.call(first.method, first.path, first.body).await.0 < 300);
                }
                damage(&stack);
                if !stack.kills(asked, death.clone()).await {
                    return call - 1;
                }
                let what = format!("{} {}, {death:?}, {finisher:?}", asked.method, asked.path);
                match finisher {
                    Finisher::TheSame => {
                        let (status, answer) =
                            stack.call_at(at(61), asked.method, asked.path, asked.body).await;
                        assert!(matches!(status, 200..=204 | 404 | 409), "{what}: {status} {answer}");
                    }
                    Finisher::Deregistering => {
                        let path = DEREGISTER.path;
                        let (status, answer) = stack.call_at(at(61), DEREGISTER.method, path, "").await;
                        assert!(matches!(status, 204 | 404), "{what}: {status} {answer}");
                        assert!(stack.row("main").await.is_none(), "{what}");
                    }
                    Finisher::Schedule => {}
                }
                stack.maintain_to_the_end().await;
                if asked.path == REPAIR.path && stack.row("main").await.is_some() {
                    // The schedule finishes a repair that was begun, and begins none.
                    assert_eq!(stack.call_at(at(900), REPAIR.method, REPAIR.path, "").await.0, 200, "{what}");
                }
                stack.assert_right(&what).await;
            }
        }
    }
    panic!("{asked:?} makes more than {CALLS} calls")
}

fn no_damage(_: &Stack) {}

fn lose_secret(stack: &Stack) {
    let name = stack.secrets().remove(0);
    stack.cloud.remove_secret(&name);
}

#[tokio::test]
async fn registering() {
    let calls = killed_everywhere(None, no_damage, REGISTER).await;
    assert!(calls >= 5, "the key, the row, the secret, the row, the audit: {calls}");
}

#[tokio::test]
async fn changing() {
    assert!(killed_everywhere(Some(REGISTER), no_damage, CHANGE).await >= 4);
}

#[tokio::test]
async fn rotating() {
    assert!(killed_everywhere(Some(REGISTER), no_damage, ROTATE).await >= 7);
}

#[tokio::test]
async fn repairing() {
    assert!(killed_everywhere(Some(REGISTER), lose_secret, REPAIR).await >= 6);
}

#[tokio::test]
async fn deregistering() {
    assert!(killed_everywhere(Some(REGISTER), no_damage, DEREGISTER).await >= 5);
}
