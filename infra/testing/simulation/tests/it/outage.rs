//! An endpoint that is down for hours while thousands of events happen: one reconciliation brings them all, each once.

use std::time::Duration;

use serde_json::Value;
use shared::access::Access;
use shared::metrics::Metrics;
use shared::mode::Mode;
use simulation::{BEGINS, Load, Work, World, judge, lives, settle};

const EVENTS: usize = 5_000;

fn access() -> Access {
    Access {
        api_id: "ours".into(),
        groups_claim: "groups".into(),
        admin_group: "admin".into(),
        viewer_group: "viewer".into(),
    }
}

async fn reconcile(world: &World) -> Value {
    let deps = reconcile::Deps::new(reconcile::Config {
        aws: world.cloud.aws(),
        mode: Mode::Test,
        stack: "stack".into(),
        metrics: Metrics::new("stack", std::io::sink()),
        access: access(),
        ledger_table: "LedgerTable".into(),
        records_table: "RecordsTable".into(),
        registry_table: "RegistryTable".into(),
        audit_table: "AuditTable".into(),
        public_url: "https://hooks.example.com".into(),
        stripe_api_base: world.stripe.url().parse().unwrap(),
        stripe_key_secret: "stripe-key".into(),
        // Far above what a run has: this build is slow, and other tests run beside it.
        run_within: Duration::from_secs(900),
        answer_within: Duration::ZERO,
    })
    .unwrap();
    let sample = include_str!("../../../../../events/reconcile/schedule.json");
    let input = serde_json::from_str(sample).unwrap();
    reconcile::handle(&deps, input, &world.now().to_string(), world.now()).await.unwrap()
}

/// The check `deliveries_arrive` of `main`.
async fn arriving(world: &World) -> Value {
    let deps = status::Deps::new(status::Config {
        aws: world.cloud.aws(),
        mode: Mode::Test,
        stack: "stack".into(),
        registry_table: "RegistryTable".into(),
        ledger_table: "LedgerTable".into(),
        records_table: "RecordsTable".into(),
        public_url: "https://hooks.example.com".into(),
        stripe_api_base: world.stripe.url().parse().unwrap(),
        stripe_key_secret: "stripe-key".into(),
        rotate_days: 0,
        access: access(),
    })
    .unwrap();
    let request =
        lambda_http::request::from_str(include_str!("../../../../../events/status/status.json")).unwrap();
    let answer = status::handle(&deps, request, world.now()).await;
    let status: Value = serde_json::from_slice(answer.body()).unwrap();
    let endpoints = status["endpoints"].as_array().unwrap();
    let main = endpoints.iter().find(|endpoint| endpoint["name"] == "main").unwrap();
    let checks = main["checks"].as_array().unwrap();
    checks.iter().find(|check| check["code"] == "deliveries_arrive").unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_events_of_an_outage_are_fetched_by_one_reconciliation_each_once() {
    let lives = lives(Load { events: EVENTS, objects: 400, seed: 5 });
    let told: Vec<_> = lives.iter().flat_map(|life| &life.events).collect();
    let last = told.iter().map(|told| told.created).max().unwrap();
    assert!(told.len() > EVENTS - 100 && last < BEGINS + 86_400, "{} events until {last}", told.len());
    // The endpoint works until some have happened, and some of those come twice.
    let mut times: Vec<_> = told.iter().map(|told| told.created).collect();
    times.sort_unstable();
    let down_from = times[times.len() / 10];
    let world = World::at(&lives, down_from).await;
    let mut receiver = world.receiver();
    let arrived: Vec<_> = told.iter().filter(|told| told.created <= down_from).copied().collect();
    for (i, told) in arrived.iter().enumerate() {
        for _ in 0..=i % 2 {
            let Work::Done(status) = receiver.deliver(&told.body, None).await else { panic!() };
            assert_eq!(status, 200);
        }
    }
    // Hours after the last of them.
    world.pass(Duration::from_secs(6 * 3_600 + u64::try_from(last - down_from).unwrap()));
    world.list_events(&lives);
    for account in ["acct_1First", "acct_1Second"] {
        world.registry().record_connected_account(account, world.now()).await.unwrap();
    }
    let run = reconcile(&world).await;
    let missing = told.len() - arrived.len();
    assert_eq!((run["filled"].as_u64(), run["more"].as_bool()), (Some(missing as u64), Some(false)), "{run}");
    let check = arriving(&world).await;
    assert_eq!(check["ok"], false, "{check}");
    assert!(check["evidence"]["undelivered"].as_u64().unwrap() > 1_000, "{check}");

    // The endpoint is back, and Stripe sends some again.
    world.pass(Duration::from_secs(60));
    for told in told.iter().skip(1).step_by(50) {
        receiver.deliver(&told.body, None).await;
    }
    settle(&world).await;
    let verdict = judge(&world, &lives).await;
    assert!(verdict.is_good(), "{verdict}");
    assert_eq!(reconcile(&world).await["filled"], 0);
    assert_eq!(arriving(&world).await["ok"], true);
}
