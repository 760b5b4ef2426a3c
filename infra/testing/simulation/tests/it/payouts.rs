//! A thousand payouts in three currencies and two accounts, of one to five thousand transactions: their
//! events come in any order, twice or never, and processes are killed; in the end each transaction is in one
//! payout, each deposit adds up to the cent, and those that do not are named.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::account::AccountKey;
use shared::deadline::Deadline;
use shared::object_key::ObjectKey;
use shared::page::MAX_LIMIT;
use shared::records::{OpenOrder, OpenReason, RecordListing, Records};
use shared::registry::{
    DriftProgress, DriftReport, FinishedBalancePass, FinishedPass, PayoutProgress, Sampled,
};
use simulation::{Environment, Invocation, START, drain};
use test_cloud::KillPoint;
use test_cloud::fixtures::{self, STRIPE_KEY_SECRET, access};

use crate::outage;

const PAYOUTS: u64 = 1_000;
const CONNECTED: &str = "acct_1First";
const CURRENCIES: [&str; 3] = ["usd", "jpy", "kwd"];
const DAY: i64 = 86_400;

/// Numbers that look drawn and are the same in each run (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn amount(&mut self, below: u64) -> i64 {
        i64::try_from(self.below(below)).unwrap()
    }
}

/// A payout at Stripe, with what Stripe says it is made of.
struct Payout {
    account: Option<&'static str>,
    object: Value,
    transactions: Vec<Value>,
    /// A transaction that Stripe does not list, so that it does not add up.
    missing: Option<usize>,
}

impl Payout {
    fn id(&self) -> &str {
        self.object["id"].as_str().unwrap()
    }

    fn key(&self) -> ObjectKey {
        ObjectKey::new(self.account, "payout", self.id()).unwrap()
    }

    /// Whether Stripe lists its transactions.
    fn is_reconciled(&self) -> bool {
        self.object["automatic"] == true && self.object["reconciliation_status"] == "completed"
    }

    fn listed(&self) -> impl Iterator<Item = &Value> {
        let all = self.transactions.iter().enumerate();
        all.filter(|(index, _)| Some(*index) != self.missing).map(|(_, transaction)| transaction)
    }
}

fn transaction(id: &str, payout: &str, kind: &str, amount: i64, fee: i64, currency: &str) -> Value {
    json!({
        "object": "balance_transaction", "id": id, "type": kind, "reporting_category": kind, "amount": amount,
        "fee": fee, "net": amount - fee, "currency": currency, "status": "available", "created": START,
        "available_on": START, "source": format!("src_{id}"), "description": null, "_payout": payout,
    })
}

fn payouts(numbers: &mut Numbers) -> Vec<Payout> {
    let mut payouts: Vec<Payout> = Vec::new();
    for i in 0..PAYOUTS {
        let account = (i % 4 == 1).then_some(CONNECTED);
        let currency = CURRENCIES[usize::try_from(i % 3).unwrap()];
        let id = format!("po_{i}");
        let count = match i {
            0 => 5_000,
            1..=20 => 101 + numbers.below(150),
            _ => 1 + numbers.below(10),
        };
        let mut transactions: Vec<Value> = (0..count)
            .map(|n| {
                let (kind, amount, fee) = match numbers.below(10) {
                    0 => ("refund", -numbers.amount(5_000), 0),
                    1 => ("adjustment", -numbers.amount(5_000), 1_500),
                    2 => ("stripe_fee", -numbers.amount(300), 0),
                    _ => ("charge", numbers.amount(50_000), numbers.amount(900)),
                };
                transaction(&format!("txn_{i}_{n}"), &id, kind, amount, fee, currency)
            })
            .collect();
        // The money of a payout that failed comes with one of the same currency and account.
        let failed = i.checked_sub(12).and_then(|index| payouts.get(usize::try_from(index).unwrap()));
        if let Some(failed) = failed.filter(|failed| failed.object["status"] == "failed") {
            let amount = failed.object["amount"].as_i64().unwrap();
            let mut back = transaction(&format!("txn_back_{i}"), &id, "payout_failure", amount, 0, currency);
            back["source"] = json!(failed.id());
            transactions.push(back);
        }
        let amount: i64 = transactions.iter().map(|transaction| transaction["net"].as_i64().unwrap()).sum();
        let object = json!({
            "object": "payout", "id": id, "amount": amount, "currency": currency,
            "automatic": i % 97 != 5,
            "reconciliation_status": if i % 89 == 3 { "in_progress" } else { "completed" },
            "status": if i % 50 == 7 { "failed" } else { "paid" },
            "created": START - i64::try_from(i % 30).unwrap() * DAY, "arrival_date": START,
        });
        let missing = (i % 200 == 50).then_some(0);
        payouts.push(Payout { account, object, transactions, missing });
    }
    payouts
}

fn put_at_stripe(environment: &Environment, payout: &Payout) {
    let put = |object: &Value| environment.stripe.put_object(payout.account, object);
    put(&payout.object);
    let amount = payout.object["amount"].as_i64().unwrap();
    let currency = payout.object["currency"].as_str().unwrap();
    let id = format!("txn_of_{}", payout.id());
    let mut own = transaction(&id, payout.id(), "payout", -amount, 0, currency);
    own["source"] = json!(payout.id());
    put(&own);
    payout.listed().for_each(put);
}

/// Their events, in an order that means nothing: some twice, and of each eighth payout none.
fn events(numbers: &mut Numbers, payouts: &[Payout]) -> Vec<String> {
    let mut events = Vec::new();
    for payout in payouts {
        if numbers.below(8) == 0 {
            continue;
        }
        let mut young = payout.object.clone();
        (young["status"], young["reconciliation_status"]) = (json!("pending"), json!("in_progress"));
        let last = if payout.object["status"] == "failed" {
            "payout.failed"
        } else {
            "payout.reconciliation_completed"
        };
        for (at, event_type, object) in [(1, "payout.created", &young), (9, last, &payout.object)] {
            let id = format!("evt_{}_{at}", payout.id());
            let created = payout.object["created"].as_i64().unwrap() + at;
            let mut event: Value =
                serde_json::from_str(&fixtures::event(&id, event_type, created, object)).unwrap();
            if let Some(account) = payout.account {
                event["account"] = json!(account);
            }
            let times = if numbers.below(5) == 0 { 2 } else { 1 };
            events.extend(std::iter::repeat_n(event.to_string(), times));
        }
    }
    for i in (1..events.len()).rev() {
        let other = usize::try_from(numbers.below(u64::try_from(i).unwrap() + 1)).unwrap();
        events.swap(i, other);
    }
    events
}

fn import(environment: &Environment, aws: shared::aws::AwsEnv) -> import::Deps {
    import::Deps::new(import::Config {
        aws,
        access: access(),
        ledger_table: "LedgerTable".into(),
        records_table: "RecordsTable".into(),
        registry_table: "RegistryTable".into(),
        audit_table: "AuditTable".into(),
        stripe_api_base: environment.stripe.url().parse().unwrap(),
        stripe_key_secret: STRIPE_KEY_SECRET.into(),
        stripe_call_interval: Duration::ZERO,
    })
    .unwrap()
}

/// A scheduled run of `import`, killed at one of its calls or not. Each begins when the lease of one that was
/// killed is over.
async fn run(environment: &Environment, kill: Option<KillPoint>) {
    environment.advance(Duration::from_secs(400));
    environment.stripe.advance(environment.now().as_second() - environment.stripe.now());
    let sample = include_str!("../../../../../events/import/schedule.json");
    let input = serde_json::from_str(sample).unwrap();
    let process = environment.cloud.killable_process();
    let deps = import(environment, process.aws());
    let now = environment.now();
    let request = now.to_string();
    let run = import::handle(&deps, input, &request, now, Deadline::NEVER);
    match kill {
        None => drop(run.await.unwrap()),
        Some(kill) => {
            tokio::select! {
                biased;
                () = process.killed_at(kill) => {}
                ended = run => drop(ended.unwrap()),
            }
        }
    }
}

async fn to_list(records: &Records) -> usize {
    records.open_keys(OpenReason::PayoutToList, 2_000, OpenOrder::EarliestFirst).await.unwrap().len()
}

/// Nothing was to be done before this time.
async fn all_done_until(environment: &Environment, at: Timestamp) {
    let listed_until = at.into();
    let at = at.into();
    let last = FinishedPass { begun_at: at, finished_at: at, until: at, report: DriftReport::default() };
    let drift = DriftProgress { last: Some(last), ..DriftProgress::default() };
    environment.registry().store_drift_progress(&drift).await.unwrap();
    let (looked_at, written, refused) = (0, 0, Sampled::default());
    let last = FinishedBalancePass {
        begun_at: at,
        finished_at: at,
        listed_until,
        looked_at,
        written,
        refused,
        connected_failure: None,
    };
    let payouts = PayoutProgress { last: Some(last), ..PayoutProgress::default() };
    environment.registry().store_payout_progress(&payouts).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_deposit_is_explained_to_the_cent_and_what_does_not_add_up_is_named() {
    let mut numbers = Numbers(7);
    let payouts = payouts(&mut numbers);
    let environment = Environment::start_at(&[], START + DAY).await;
    // It counts no calls, and a page of a real table holds more.
    environment.cloud.answer_in_whole_pages();
    payouts.iter().for_each(|payout| put_at_stripe(&environment, payout));
    all_done_until(&environment, environment.now()).await;
    let connected = AccountKey::new(Some(CONNECTED)).unwrap();
    environment.registry().record_connected_account(&connected, environment.now()).await.unwrap();

    let mut receive = environment.receive_worker();
    for event in events(&mut numbers, &payouts) {
        let Invocation::Completed(status) = receive.deliver(&event, None).await else { panic!() };
        assert_eq!(status, 200);
    }
    drain(&environment).await;
    let records = fixtures::records(&environment.cloud.direct_aws());
    // Most are waiting; processes that list them die again and again.
    assert!(to_list(&records).await > 700);
    for _ in 0..12 {
        let call = 1 + usize::try_from(numbers.below(900)).unwrap();
        run(&environment, Some(KillPoint::AfterCall(call))).await;
    }
    run(&environment, None).await;
    assert_eq!(to_list(&records).await, 0);
    // The next night finds those of which no event came.
    environment.advance(Duration::from_secs(20 * 3_600));
    let call = 1 + usize::try_from(numbers.below(500)).unwrap();
    for kill in [Some(KillPoint::BeforeCall(call)), None, None] {
        run(&environment, kill).await;
    }

    let mut payout_of: BTreeMap<String, String> = BTreeMap::new();
    let mut unexplained = BTreeSet::new();
    for payout in &payouts {
        let record = records.get(&payout.key()).await.unwrap().expect("a record of each payout");
        let known = record.transactions.clone().unwrap_or_default();
        let listing = RecordListing::Payout {
            account: payout.key().account_key().clone(),
            payout: payout.id().to_owned(),
        };
        let listed = records.all(&listing).await.unwrap();
        if !payout.is_reconciled() {
            assert!(listed.is_empty() && known.adds_up(&payout.object).is_none(), "{}", payout.id());
            continue;
        }
        let expected: BTreeSet<&str> =
            payout.listed().map(|transaction| transaction["id"].as_str().unwrap()).collect();
        let ids: BTreeSet<&str> = listed.iter().map(|record| record.key.id()).collect();
        assert_eq!(ids, expected, "{}", payout.id());
        for id in ids {
            let before = payout_of.insert(format!("{:?}/{id}", payout.account), payout.id().to_owned());
            assert_eq!(before, None, "{id} is in one payout");
        }
        let sum = |member: &str| -> i64 {
            payout.listed().map(|transaction| transaction[member].as_i64().unwrap()).sum()
        };
        for (member, part) in [("amount", 0), ("fee", 1), ("net", 2)] {
            let kept: i64 = known.sums.iter().map(|sum| [sum.amount, sum.fee, sum.net][part]).sum();
            assert_eq!(kept, sum(member), "{member} of {}", payout.id());
        }
        let adds_up = payout.object["amount"].as_i64().unwrap() == sum("net");
        assert_eq!(known.adds_up(&payout.object), Some(adds_up), "{}", payout.id());
        if !adds_up {
            unexplained.insert(payout.id().to_owned());
        }
    }
    assert!(payout_of.len() > 11_000 && unexplained.len() == 5, "{} {unexplained:?}", payout_of.len());

    let named = named_by_the_status(&environment).await;
    assert_eq!(named, unexplained);
    let open = records.open_keys(OpenReason::PayoutUnexplained, MAX_LIMIT, OpenOrder::EarliestFirst);
    let open: BTreeSet<String> = open.await.unwrap().iter().map(|key| key.id().to_owned()).collect();
    assert_eq!(open, unexplained);
}

/// The payouts that the status says do not add up, one reconciliation later.
async fn named_by_the_status(environment: &Environment) -> BTreeSet<String> {
    outage::reconcile(environment).await;
    let status = outage::status(environment).await;
    let checks = status["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["code"] == "payouts_add_up").unwrap();
    assert_eq!(check["outcome"], "failed", "{check}");
    let first = check["evidence"]["first"].as_array().unwrap();
    first.iter().map(|payout| payout["id"].as_str().unwrap().to_owned()).collect()
}
