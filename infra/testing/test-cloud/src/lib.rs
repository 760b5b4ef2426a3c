//! An AWS for tests, in the test's own process: DynamoDB (dynoxide, with the tables of `template.yaml`) and
//! the part of Secrets Manager that Billhook uses, behind one address that the real SDKs talk to.
//!
//! DynamoDB itself is never mocked.
//!
//! # Layout
//!
//! | part | what it does |
//! |---|---|
//! | `proxy`, `call` | stands before both services, lists all calls and counts their units |
//! | `pages` | makes answers short and puts them in no order |
//! | `faults` | makes calls fail as real ones do: throttled, refused, hanging, done without an answer |
//! | `lagging_indexes` | makes indexes show what was true some writes ago |
//! | `killable` | kills a process between any two of its calls |
//! | `tables`, `seed`, `secrets` | what the two services hold |
//! | `captured` | what a function writes, such as metrics |
//! | `fixtures` | what the tests of several functions set up and call alike |

mod call;
mod captured;
mod faults;
pub mod fixtures;
mod killable;
mod lagging_indexes;
mod pages;
mod proxy;
mod secrets;
mod seed;
mod tables;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dynoxide::Database;
use serde_json::Value;
use shared::aws::AwsEnv;

pub use self::call::Call;
pub use self::captured::CapturedLines;
pub use self::faults::Fault;
pub use self::killable::{KillPoint, KillableProcess};
use self::lagging_indexes::LaggingIndexes;
use self::proxy::{Proxy, serve};

/// A running cloud; it ends when dropped.
pub struct TestCloud {
    url: String,
    dynamodb_url: String,
    proxy: Arc<Proxy>,
    database: Database,
    processes: AtomicUsize,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl std::fmt::Debug for TestCloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestCloud").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Drop for TestCloud {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl TestCloud {
    /// Starts an empty cloud on a free port, with the template's tables under their logical names
    /// (`LedgerTable`, …).
    ///
    /// # Panics
    /// If a port or the template cannot be had.
    #[allow(clippy::expect_used, reason = "a test that cannot start its cloud has to fail at once")]
    pub async fn start() -> Self {
        let database = Database::memory().expect("an empty database");
        let listener = listen().await;
        let dynamodb_url = format!("http://{}", listener.local_addr().expect("an address"));
        let mut tasks = vec![tokio::spawn(dynoxide::server::serve_on(listener, database.clone()))];
        let proxy = Arc::new(Proxy::new(dynamodb_url.clone()));
        let front = listen().await;
        let url = format!("http://{}", front.local_addr().expect("an address"));
        tasks.push(tokio::spawn(serve(front, Arc::clone(&proxy))));
        let cloud = Self { url, dynamodb_url, proxy, database, processes: AtomicUsize::new(0), tasks };
        tables::create(&cloud.aws()).await;
        cloud.clear_calls();
        cloud
    }

    /// Returns where the SDKs find it.
    pub fn aws(&self) -> AwsEnv {
        AwsEnv::at(&self.url)
    }

    /// Returns DynamoDB without the proxy, for a test's own use: such calls are not counted, do not fail, and
    /// see indexes as they are.
    pub fn direct_aws(&self) -> AwsEnv {
        AwsEnv::at(&self.dynamodb_url)
    }

    /// Returns another process, whose calls are listed under its own name, and which can be killed.
    pub fn killable_process(&self) -> KillableProcess<'_> {
        KillableProcess::new(self, format!("process-{}", self.processes.fetch_add(1, Ordering::Relaxed)))
    }

    /// Returns all items of a table, read without the proxy.
    ///
    /// # Panics
    /// If they cannot be read.
    pub async fn items(&self, table: &str) -> Vec<Value> {
        tables::scan(&self.direct_aws(), table).await
    }

    /// Makes indexes show what was true `lag` writes ago, from now on and for as long as the cloud runs.
    pub async fn lag_indexes(&self, lag: usize) {
        self.proxy.lag_indexes(LaggingIndexes::start(&self.direct_aws(), lag).await).await;
    }

    /// Brings lagging indexes up to what is true now.
    pub async fn catch_up_indexes(&self) {
        self.proxy.catch_up_indexes().await;
    }

    /// Returns its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the calls since the start or since [`TestCloud::clear_calls`], failed ones too.
    pub fn calls(&self) -> Vec<Call> {
        self.proxy.calls()
    }

    /// Returns how many of them were `operation` on `table` (or on a secret, with an empty name).
    pub fn count(&self, operation: &str, table: &str) -> usize {
        self.calls().iter().filter(|call| call.operation == operation && call.table == table).count()
    }

    /// Makes each page of a query and each batch answer all that it can, from now on: for tests that count
    /// calls or units. Else the first page of a query is empty, the others are short, and a batch answers
    /// ten keys or half.
    pub fn answer_in_whole_pages(&self) {
        self.proxy.answer_in_whole_pages();
    }

    /// Drops the list of calls so far.
    pub fn clear_calls(&self) {
        self.proxy.clear_calls();
    }

    /// Fills the ledger with events of fifty invoices (`in_0` to `in_49`) that came in over the nine days
    /// before `now`: `settled` of them are final, `due` are pending and waiting for the sweep.
    ///
    /// # Panics
    /// If they are no rows of the ledger.
    #[allow(clippy::expect_used, reason = "a test that cannot have its rows has to fail at once")]
    pub fn seed_ledger(&self, settled: usize, due: usize, now: jiff::Timestamp) {
        let rows = seed::events(settled, due, now);
        let rows = rows.map(|row| serde_json::from_value(row).expect("an item")).collect();
        let options = dynoxide::ImportOptions::default();
        self.database.import_items("LedgerTable", rows, options).expect("items of the table");
    }

    /// Returns how many calls there were since the start or since [`TestCloud::clear_calls`], and their read
    /// units in all.
    pub fn read_cost(&self) -> (usize, f64) {
        let calls = self.calls();
        (calls.len(), calls.iter().map(|call| call.read_units).sum())
    }

    /// Makes the next `times` calls of `operation` on `table` fail.
    pub fn fail(&self, operation: &str, table: &str, times: usize, fault: Fault) {
        self.proxy.fail(operation, table, times, fault);
    }

    /// Makes a share of all calls fail, each with one of `faults`, by a fixed pattern that `seed` shifts.
    pub fn fail_randomly(&self, per_mille: u32, seed: u64, faults: Vec<Fault>) {
        self.proxy.fail_randomly(per_mille, seed, faults);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.proxy.clear_faults();
    }

    /// Stores a value of a secret, and returns its version.
    pub fn put_secret(&self, name: &str, value: &str) -> String {
        self.proxy.secrets().put(name, value)
    }

    /// Removes a secret.
    pub fn remove_secret(&self, name: &str) {
        self.proxy.secrets().remove(name);
    }

    /// Returns the names of all secrets.
    pub fn secret_names(&self) -> Vec<String> {
        self.proxy.secrets().names()
    }

    /// Returns the KMS key under which a secret was made; none for AWS's own.
    pub fn secret_kms_key(&self, name: &str) -> Option<String> {
        self.proxy.secrets().kms_key(name)
    }

    /// Returns the newest value of a secret.
    pub fn secret(&self, name: &str) -> Option<String> {
        self.proxy.secrets().value(name)
    }

    /// Lets each request that keeps a secret make a version of its own, whatever its token, as local clouds
    /// do.
    pub fn forget_tokens_of_secrets(&self) {
        self.proxy.secrets().forget_tokens();
    }
}

#[allow(clippy::expect_used, reason = "a test that cannot start its cloud has to fail at once")]
async fn listen() -> tokio::net::TcpListener {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}
