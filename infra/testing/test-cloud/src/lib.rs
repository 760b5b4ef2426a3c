//! An AWS for tests, in the test's own process: DynamoDB (dynoxide, with the tables of `template.yaml`) and the part of Secrets
//! Manager that Billhook uses, behind one address that the real SDKs talk to.
//!
//! In front of both stands a door that counts calls and write units and can make calls fail the ways real ones do: throttled,
//! refused, hanging, or done although no answer comes. DynamoDB itself is never mocked.
//!
//! Two more ways in which AWS is not kind: indexes that lag behind (`late`), and processes that die between two calls (`process`).

mod call;
mod door;
mod fill;
mod late;
mod lines;
mod process;
mod secrets;
mod tables;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dynoxide::Database;
use serde_json::Value;
use shared::aws::AwsEnv;

pub use self::call::{Call, Fault};
use self::door::{Door, serve};
use self::late::Late;
pub use self::lines::Lines;
pub use self::process::{Death, Process};

/// A running cloud; it ends when dropped.
pub struct TestCloud {
    url: String,
    behind: String,
    door: Arc<Door>,
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
    /// Starts an empty cloud on a free port, with the template's tables under their logical names (`LedgerTable`, …).
    ///
    /// # Panics
    /// If a port or the template cannot be had.
    #[allow(clippy::expect_used, reason = "a test that cannot start its cloud has to fail at once")]
    pub async fn start() -> Self {
        let database = Database::memory().expect("an empty database");
        let listener = listen().await;
        let behind = format!("http://{}", listener.local_addr().expect("an address"));
        let mut tasks = vec![tokio::spawn(dynoxide::server::serve_on(listener, database.clone()))];
        let door = Arc::new(Door::new(behind.clone()));
        let front = listen().await;
        let url = format!("http://{}", front.local_addr().expect("an address"));
        tasks.push(tokio::spawn(serve(front, Arc::clone(&door))));
        let cloud = Self { url, behind, door, database, processes: AtomicUsize::new(0), tasks };
        tables::create(&cloud.aws()).await;
        cloud.forget();
        cloud
    }

    /// Where the SDKs find it.
    pub fn aws(&self) -> AwsEnv {
        AwsEnv::at(&self.url)
    }

    /// DynamoDB past the door, for looking on: such calls are not counted, do not fail, and see indexes as they are.
    pub fn past_the_door(&self) -> AwsEnv {
        AwsEnv::at(&self.behind)
    }

    /// Another process, whose calls can be told from those of others, and which can be killed.
    pub fn process(&self) -> Process<'_> {
        Process::new(self, format!("process-{}", self.processes.fetch_add(1, Ordering::Relaxed)))
    }

    /// All items of a table as they lie there, read past the door.
    ///
    /// # Panics
    /// If they cannot be read.
    pub async fn items(&self, table: &str) -> Vec<Value> {
        tables::scan(&self.past_the_door(), table).await
    }

    /// From now on indexes show what was true `lag` writes ago, for as long as the cloud runs.
    pub async fn late_indexes(&self, lag: usize) {
        self.door.be_late(Late::of(&self.past_the_door(), lag).await).await;
    }

    /// Lets late indexes show what is true now.
    pub async fn catch_up(&self) {
        self.door.catch_up().await;
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The calls that came in since the start or since [`TestCloud::forget`], failed ones too.
    pub fn calls(&self) -> Vec<Call> {
        self.door.calls()
    }

    /// How many of them were `operation` on `table` (or on a secret, with an empty name).
    pub fn count(&self, operation: &str, table: &str) -> usize {
        self.calls().iter().filter(|call| call.operation == operation && call.table == table).count()
    }

    /// Forgets the calls so far.
    pub fn forget(&self) {
        self.door.forget();
    }

    /// Fills the ledger with events of fifty invoices (`in_0` to `in_49`) that came in over the nine days before `now`: `settled`
    /// of them are final, `due` are pending and waiting for the sweep.
    ///
    /// # Panics
    /// If they are no rows of the ledger.
    #[allow(clippy::expect_used, reason = "a test that cannot have its rows has to fail at once")]
    pub fn fill_ledger(&self, settled: usize, due: usize, now: jiff::Timestamp) {
        let rows = fill::events(settled, due, now);
        let rows = rows.map(|row| serde_json::from_value(row).expect("an item")).collect();
        let options = dynoxide::ImportOptions::default();
        self.database.import_items("LedgerTable", rows, options).expect("items of the table");
    }

    /// What the calls since the start or since [`TestCloud::forget`] cost: how many there were, and their read units in all.
    pub fn read_cost(&self) -> (usize, f64) {
        let calls = self.calls();
        (calls.len(), calls.iter().map(|call| call.read_units).sum())
    }

    /// Makes the next `times` calls of `operation` on `table` fail.
    pub fn fail(&self, operation: &str, table: &str, times: usize, fault: Fault) {
        self.door.fail(operation, table, times, fault);
    }

    /// Makes a share of all calls fail, in turn with each of `faults`, by a fixed pattern that `seed` shifts.
    pub fn fail_some(&self, per_mille: u32, seed: u64, faults: Vec<Fault>) {
        self.door.fail_some(per_mille, seed, faults);
    }

    /// Ends all failures.
    pub fn mend(&self) {
        self.door.mend();
    }

    /// Puts a secret in place. Gives its version.
    pub fn put_secret(&self, name: &str, value: &str) -> String {
        self.door.secrets().put(name, value)
    }

    /// Takes a secret away.
    pub fn remove_secret(&self, name: &str) {
        self.door.secrets().remove(name);
    }

    /// The names of all secrets.
    pub fn secret_names(&self) -> Vec<String> {
        self.door.secrets().names()
    }

    /// The newest value of a secret.
    pub fn secret(&self, name: &str) -> Option<String> {
        self.door.secrets().value(name)
    }

    /// Keeps deleted names from being used again, as Secrets Manager does for a while.
    pub fn hold_deleted_names(&self) {
        self.door.secrets().hold_deleted_names();
    }
}

#[allow(clippy::expect_used, reason = "a test that cannot start its cloud has to fail at once")]
async fn listen() -> tokio::net::TcpListener {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}
