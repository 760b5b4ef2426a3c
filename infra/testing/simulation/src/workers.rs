//! Processes of `receive` and `process`, as Lambda runs them: each with its own memory, each killable at any
//! call.

use std::future::Future;
use std::time::Duration;

use process::{ProcessError, Summary};
use serde_json::Value;
use shared::deadline::Deadline;
use shared::ledger::LedgerRow;
use shared::metrics::Metrics;
use shared::signature::sign;
use test_cloud::fixtures::{STRIPE_KEY_SECRET, delivery, doorbell, http_request, retention, sweep};
use test_cloud::{KillPoint, KillableProcess};

use crate::environment::Environment;

/// The result of an invocation.
#[derive(Debug)]
pub enum Invocation<T> {
    /// It ended with this.
    Completed(T),
    /// Its process was killed; a new one has taken its place.
    Killed,
}

/// A process of `receive`.
pub struct ReceiveWorker<'a> {
    environment: &'a Environment,
    process: KillableProcess<'a>,
    deps: receive::Deps,
}

impl<'a> ReceiveWorker<'a> {
    pub(crate) fn new(environment: &'a Environment) -> Self {
        let process = environment.cloud.killable_process();
        let deps = receive::Deps::new(receive::Config {
            aws: process.aws(),
            ledger_table: "LedgerTable".into(),
            registry_table: "RegistryTable".into(),
            metrics: Metrics::new("simulation", std::io::sink()),
        });
        Self { environment, process, deps }
    }

    /// Delivers an event to `main`, signed now, and returns the status that Stripe sees.
    pub async fn deliver(&mut self, body: &str, kill: Option<KillPoint>) -> Invocation<u16> {
        let now = self.environment.now();
        let signature = sign(&self.environment.secret(), now.into(), body.as_bytes());
        let request = http_request(&delivery("main", Some(&signature), body));
        match unless_killed(
            &self.process,
            kill,
            Box::pin(receive::handle(&self.deps, request, now, Deadline::NEVER)),
        )
        .await
        {
            Some(answer) => Invocation::Completed(answer.status().as_u16()),
            None => {
                *self = Self::new(self.environment);
                Invocation::Killed
            }
        }
    }
}

/// A process of `process`.
pub struct ProcessWorker<'a> {
    environment: &'a Environment,
    process: KillableProcess<'a>,
    deps: process::Deps,
}

#[allow(clippy::expect_used, reason = "the configuration of a test is valid")]
impl<'a> ProcessWorker<'a> {
    pub(crate) fn new(environment: &'a Environment) -> Self {
        let process = environment.cloud.killable_process();
        let deps = process::Deps::new(process::Config {
            aws: process.aws(),
            mode: shared::mode::Mode::Test,
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            retention: retention(),
            stripe_api_base: environment.stripe.url().parse().expect("an address"),
            stripe_key_secret: STRIPE_KEY_SECRET.into(),
            ask_again_after: Duration::ZERO,
            metrics: Metrics::new("simulation", std::io::sink()),
        })
        .expect("TLS");
        Self { environment, process, deps }
    }

    /// Processes a batch of the ledger's stream: these rows have just been stored.
    pub async fn ring_doorbell(
        &mut self,
        rows: &[LedgerRow],
        kill: Option<KillPoint>,
    ) -> Invocation<Result<Summary, ProcessError>> {
        self.invoke(doorbell(rows), kill).await
    }

    /// Runs a sweep.
    pub async fn sweep(&mut self, kill: Option<KillPoint>) -> Invocation<Result<Summary, ProcessError>> {
        self.invoke(sweep(), kill).await
    }

    async fn invoke(
        &mut self,
        input: Value,
        kill: Option<KillPoint>,
    ) -> Invocation<Result<Summary, ProcessError>> {
        let now = self.environment.now();
        match unless_killed(
            &self.process,
            kill,
            Box::pin(process::handle(&self.deps, input, now, Deadline::NEVER)),
        )
        .await
        {
            Some(result) => Invocation::Completed(result),
            None => {
                *self = Self::new(self.environment);
                Invocation::Killed
            }
        }
    }
}

/// Awaits what a process does; `None` if it is killed meanwhile. Its memory goes with it.
async fn unless_killed<T>(
    process: &KillableProcess<'_>,
    kill: Option<KillPoint>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let Some(kill) = kill else { return Some(work.await) };
    let killed = process.killed_at(kill);
    tokio::select! {
        biased;
        () = killed => None,
        result = work => Some(result),
    }
}
