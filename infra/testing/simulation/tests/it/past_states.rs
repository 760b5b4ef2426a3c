//! What a record was: whatever the order in which events arrived, how often, and whether Stripe had to be
//! asked, `?at=` answers for each second what the object was at Stripe then.

use std::collections::{BTreeMap, BTreeSet};

use lambda_http::Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::Value;
use shared::kind::Kind;
use shared::mode::Mode;
use shared::unix_time::UnixSeconds;
use simulation::history::{ApiVersion, HistoryPlan, ObjectHistory, unsigned};
use simulation::{
    Environment, FaultPlan, START, Scenario, history_plans, run_scenario, same_second_plans, sample,
    scenarios,
};
use test_cloud::fixtures::{access, api_event, http_request};

/// Two days after the first histories begin: the ledger holds all of them.
const ARRIVAL: i64 = START + 2 * 86_400;

/// The histories of one run, and what answers for it.
struct Run {
    environment: Environment,
    plans: Vec<HistoryPlan>,
    deps: records::Deps,
}

/// What was compared.
#[derive(Debug, Default)]
struct Compared {
    states: usize,
    uncertain: usize,
    not_made: usize,
    deleted: usize,
}

impl Run {
    async fn new(plans: Vec<HistoryPlan>, scenario: &Scenario) -> Self {
        let histories: Vec<ObjectHistory> = plans.iter().map(ObjectHistory::new).collect();
        let environment = Environment::start_at(&histories, ARRIVAL).await;
        run_scenario(&environment, &histories, scenario).await;
        let deps = records::Deps::new(records::Config {
            aws: environment.cloud.aws(),
            mode: Mode::Test,
            access: access(),
            retention: test_cloud::fixtures::retention(),
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            audit_table: "AuditTable".into(),
        });
        Self { environment, plans, deps }
    }

    async fn get(&self, path: &str) -> Value {
        let event = api_event(include_str!("../../../../../events/records/events.json"), "GET", path);
        let response = records::handle(&self.deps, http_request(&event), self.environment.now()).await;
        let Body::Text(text) = response.body() else { panic!("{response:?}") };
        assert_eq!(response.status(), 200, "{path}: {text}");
        serde_json::from_str(text).unwrap()
    }

    async fn state(&self, history: &ObjectHistory, second: i64) -> Value {
        let id = utf8_percent_encode(&history.id, NON_ALPHANUMERIC);
        let account = history.account.map(|account| format!("&account={account}")).unwrap_or_default();
        self.get(&format!("/records/{}/{id}?at={}{account}", plural(history), time(second))).await
    }

    /// All pages of a list.
    async fn list(&self, kind: &str, second: i64) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/records/{kind}?at={}&limit=7{cursor}", time(second))).await;
            all.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// Compares the state of an object at the end of a second with what it was at Stripe.
    async fn compare(&self, plan: &HistoryPlan, second: i64, compared: &mut Compared) -> Value {
        let whole = ObjectHistory::new(plan);
        let happened = whole.events.iter().filter(|event| event.created <= second).count();
        let answer = self.state(&whole, second).await;
        let context = || {
            let line = |event: &simulation::history::HistoryEvent| {
                format!("\n  {} {} {}", event.created, event.id, event.body)
            };
            let lines: String = whole.events.iter().map(line).collect();
            format!("{} at {second}: {answer}{lines}", whole.id)
        };
        assert_eq!(answer["known"], true, "{}", context());
        compared.states += 1;
        if happened == 0 {
            compared.not_made += 1;
            assert_eq!(
                (&answer["existed"], &answer["record"]),
                (&false.into(), &Value::Null),
                "{}",
                context()
            );
            return answer;
        }
        let then = ObjectHistory::with_limit(plan, happened);
        assert_eq!(then.events.len(), happened, "a second ends between two steps");
        let record = &answer["record"];
        if record["order_uncertain"] == true {
            compared.uncertain += 1;
            return answer;
        }
        assert_eq!(record["deleted"], then.is_deleted(), "{}", context());
        if then.is_deleted() {
            compared.deleted += 1;
            return answer;
        }
        let shown = whole.events.iter().find(|event| record["event"] == event.id.as_str());
        // What Stripe was asked for comes in the newest version.
        let version =
            if record["fetched"] == true { ApiVersion::Endive } else { shown.expect("an event").version };
        let expected = then.end_in(version).expect("it exists");
        assert_eq!(unsigned(&record["object"]), unsigned(&expected), "{}", context());
        answer
    }
}

fn plural(history: &ObjectHistory) -> &'static str {
    Kind::from_object_name(history.kind.object()).unwrap().plural()
}

fn time(second: i64) -> String {
    UnixSeconds::new(second).to_timestamp().unwrap().to_string()
}

/// The seconds at which something happened to an object, one before and one after each.
fn seconds(history: &ObjectHistory) -> BTreeSet<i64> {
    history.events.iter().flat_map(|event| event.created - 1..=event.created + 1).collect()
}

fn run(seed: u64, plans: impl Strategy<Value = Vec<HistoryPlan>>) -> (Vec<HistoryPlan>, Scenario) {
    sample(&scenarios(plans, Just(FaultPlan::default())), seed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_each_second_a_record_is_what_the_object_was_at_stripe() {
    let mut compared = Compared::default();
    for seed in 0..10 {
        let (plans, scenario) = run(seed, history_plans(25..26, 0..9));
        let run = Run::new(plans, &scenario).await;
        for plan in &run.plans {
            let history = ObjectHistory::new(plan);
            for second in seconds(&history) {
                run.compare(plan, second, &mut compared).await;
            }
        }
    }
    assert!(compared.states > 1_000 && compared.not_made > 200 && compared.deleted > 30, "{compared:?}");
    assert!(compared.uncertain * 20 < compared.states, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_that_only_stripe_can_settle_is_as_stripe_said() {
    let mut compared = Compared::default();
    for seed in 0..40 {
        let (plans, scenario) = run(seed, same_second_plans());
        let run = Run::new(plans, &scenario).await;
        for plan in &run.plans {
            for second in seconds(&ObjectHistory::new(plan)) {
                run.compare(plan, second, &mut compared).await;
            }
        }
    }
    // Nothing came after the one second, so what Stripe answered is what it was.
    assert!(compared.states > 100 && compared.uncertain == 0, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_has_each_object_that_there_was_as_it_was() {
    let (plans, scenario) = run(7, history_plans(60..61, 0..9));
    let run = Run::new(plans, &scenario).await;
    for second in [START - 1, START + 20, START + 50, START + 80, START + 200] {
        let mut expected: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for plan in &run.plans {
            let answer = run.compare(plan, second, &mut Compared::default()).await;
            let of_kind = expected.entry(plural(&ObjectHistory::new(plan))).or_default();
            if answer["existed"] == true {
                of_kind.push(answer);
            }
        }
        for (kind, mut expected) in expected {
            let mut listed = run.list(kind, second).await;
            // As payments they are listed with charges without a PaymentIntent.
            listed.retain(|one| kind != "payments" || one["id"].as_str().unwrap().starts_with("pi_"));
            let name = |one: &Value| format!("{} {}", one["account"], one["id"]);
            listed.sort_by_key(name);
            expected.sort_by_key(name);
            let names = |all: &[Value]| all.iter().map(name).collect::<Vec<_>>();
            assert_eq!(names(&listed), names(&expected), "{kind} at {second}");
            for (listed, expected) in listed.iter().zip(&expected) {
                assert_eq!(listed["record"], expected["record"], "{kind} at {second}");
            }
        }
    }
}
