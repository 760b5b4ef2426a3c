//! An endpoint that is down for hours while thousands of events happen: one reconciliation fetches them all,
//! each once.

use std::time::Duration;

use serde_json::Value;
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::metrics::Metrics;
use shared::mode::Mode;
use simulation::{Environment, Invocation, START, Workload, drain, histories, verify};
use test_cloud::fixtures::{STRIPE_KEY_SECRET, access, http_request, status_and_body};

const EVENTS: usize = 5_000;

/// A scheduled run of `reconcile`.
pub(crate) async fn reconcile(environment: &Environment) -> Value {
    let deps = reconcile::Deps::new(reconcile::Config {
        aws: environment.cloud.aws(),
        mode: Mode::Test,
        metrics: Metrics::new("stack", std::io::sink()),
        access: access(),
        ledger_table: "LedgerTable".into(),
        records_table: "RecordsTable".into(),
        registry_table: "RegistryTable".into(),
        audit_table: "AuditTable".into(),
        public_url: "https://hooks.example.com".into(),
        stripe_api_base: environment.stripe.url().parse().unwrap(),
        stripe_key_secret: STRIPE_KEY_SECRET.into(),
    })
    .unwrap();
    let sample = include_str!("../../../../../events/reconcile/schedule.json");
    let input = serde_json::from_str(sample).unwrap();
    reconcile::handle(&deps, input, &environment.now().to_string(), environment.now(), Deadline::NEVER)
        .await
        .unwrap()
}

/// Returns the status.
pub(crate) async fn status(environment: &Environment) -> Value {
    let deps = status::Deps::new(status::Config {
        aws: environment.cloud.aws(),
        // A busy machine must not look like an outage.
        call_limits: shared::aws::CallLimits::PATIENT,
        mode: Mode::Test,
        registry_table: "RegistryTable".into(),
        ledger_table: "LedgerTable".into(),
        records_table: "RecordsTable".into(),
        public_url: "https://hooks.example.com".into(),
        stripe_api_base: environment.stripe.url().parse().unwrap(),
        stripe_key_secret: STRIPE_KEY_SECRET.into(),
        rotate_days: 0,
        access: access(),
    })
    .unwrap();
    let sample = include_str!("../../../../../events/status/status.json");
    let request = http_request(&serde_json::from_str(sample).unwrap());
    status_and_body(status::handle(&deps, request, environment.now(), Deadline::NEVER).await).1
}

/// Returns the check `deliveries_arrive` of `main`.
async fn deliveries_arrive(environment: &Environment) -> Value {
    let status = status(environment).await;
    let endpoints = status["endpoints"].as_array().unwrap();
    let main = endpoints.iter().find(|endpoint| endpoint["name"] == "main").unwrap();
    let checks = main["checks"].as_array().unwrap();
    checks.iter().find(|check| check["code"] == "deliveries_arrive").unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_events_of_an_outage_are_fetched_by_one_reconciliation_each_once() {
    let histories = histories(Workload { events: EVENTS, objects: 400, seed: 5 });
    let events: Vec<_> = histories.iter().flat_map(|history| &history.events).collect();
    let last = events.iter().map(|event| event.created).max().unwrap();
    assert!(events.len() > EVENTS - 100 && last < START + 86_400, "{} events until {last}", events.len());
    // The endpoint works until a tenth of them has happened, and some of those arrive twice.
    let mut times: Vec<_> = events.iter().map(|event| event.created).collect();
    times.sort_unstable();
    let down_from = times[times.len() / 10];
    let environment = Environment::start_at(&histories, down_from).await;
    let mut receive = environment.receive_worker();
    let arrived: Vec<_> = events.iter().filter(|event| event.created <= down_from).copied().collect();
    for (index, event) in arrived.iter().enumerate() {
        for _ in 0..=index % 2 {
            let Invocation::Completed(status) = receive.deliver(&event.body, None).await else { panic!() };
            assert_eq!(status, 200);
        }
    }
    // Hours after the last event.
    environment.advance(Duration::from_secs(6 * 3_600 + u64::try_from(last - down_from).unwrap()));
    environment.list_events(&histories);
    for account in ["acct_1First", "acct_1Second"] {
        let account = AccountKey::new(Some(account)).unwrap();
        environment.registry().record_connected_account(&account, environment.now()).await.unwrap();
    }
    let run = reconcile(&environment).await;
    let missing = events.len() - arrived.len();
    assert_eq!((run["filled"].as_u64(), run["more"].as_bool()), (Some(missing as u64), Some(false)), "{run}");
    let check = deliveries_arrive(&environment).await;
    assert_eq!(check["ok"], false, "{check}");
    assert!(check["evidence"]["undelivered"].as_u64().unwrap() > 1_000, "{check}");

    // The endpoint is back, and Stripe sends some again.
    environment.advance(Duration::from_secs(60));
    for event in events.iter().skip(1).step_by(50) {
        receive.deliver(&event.body, None).await;
    }
    drain(&environment).await;
    let findings = verify(&environment, &histories).await;
    assert!(findings.is_empty(), "{findings}");
    assert_eq!(reconcile(&environment).await["filled"], 0);
    assert_eq!(deliveries_arrive(&environment).await["ok"], true);
}
