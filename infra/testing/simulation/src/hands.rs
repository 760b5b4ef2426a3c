//! Processes of the two functions, as Lambda runs them: each with its own memory, each of which can die at any call.

use std::future::Future;
use std::time::Duration;

use process::{ProcessError, Summary};
use serde_json::{Value, json};
use shared::ledger::LedgerRow;
use shared::metrics::Metrics;
use shared::signature::sign;
use test_cloud::{Death, Process};

use crate::world::World;

const UNSIGNED: &str = include_str!("../../../../events/receive/unsigned.json");
const DOORBELL: &str = include_str!("../../../../events/process/doorbell.json");
const SWEEP: &str = include_str!("../../../../events/process/sweep.json");

/// What came of work.
#[derive(Debug)]
pub enum Work<T> {
    /// It ended so.
    Done(T),
    /// Its process died on the way; a new one has taken its place.
    Died,
}

/// A process of `receive`.
pub struct Receiver<'a> {
    world: &'a World,
    process: Process<'a>,
    deps: receive::Deps,
}

#[allow(clippy::expect_used, reason = "samples of this repository are what they are")]
impl<'a> Receiver<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        let process = world.cloud.process();
        let deps = receive::Deps::new(receive::Config {
            aws: process.aws(),
            ledger_table: "LedgerTable".into(),
            registry_table: "RegistryTable".into(),
            metrics: Metrics::new("simulation", std::io::sink()),
        });
        Self { world, process, deps }
    }

    /// Takes one delivery to `main`, signed now. Gives the status that Stripe sees.
    pub async fn deliver(&mut self, body: &str, death: Option<Death>) -> Work<u16> {
        let now = self.world.now();
        let mut event: Value = serde_json::from_str(UNSIGNED).expect("JSON");
        event["rawPath"] = "/webhooks/main".into();
        event["requestContext"]["http"]["path"] = "/webhooks/main".into();
        event["body"] = body.into();
        event["isBase64Encoded"] = false.into();
        event["headers"]["stripe-signature"] =
            sign(&self.world.secret(), now.as_second(), body.as_bytes()).into();
        let request = lambda_http::request::from_str(&event.to_string()).expect("a request");
        let answer = alive(&self.process, death, receive::handle(&self.deps, request, now)).await;
        match answer {
            Some(answer) => Work::Done(answer.status().as_u16()),
            None => {
                *self = Self::new(self.world);
                Work::Died
            }
        }
    }
}

/// A process of `process`.
pub struct Applier<'a> {
    world: &'a World,
    process: Process<'a>,
    deps: process::Deps,
}

#[allow(clippy::expect_used, reason = "samples of this repository are what they are")]
impl<'a> Applier<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        let process = world.cloud.process();
        let deps = process::Deps::new(process::Config {
            aws: process.aws(),
            mode: shared::mode::Mode::Test,
            ledger_table: "LedgerTable".into(),
            records_table: "RecordsTable".into(),
            registry_table: "RegistryTable".into(),
            retention: "90".parse().expect("a retention"),
            stripe_api_base: world.stripe.url().parse().expect("an address"),
            stripe_key_secret: "stripe-key".into(),
            ask_again_after: Duration::ZERO,
            metrics: Metrics::new("simulation", std::io::sink()),
        })
        .expect("TLS");
        Self { world, process, deps }
    }

    /// Works on a batch of the ledger's stream: these rows have just been stored.
    pub async fn ring(
        &mut self,
        rows: &[LedgerRow],
        death: Option<Death>,
    ) -> Work<Result<Summary, ProcessError>> {
        let sample: Value = serde_json::from_str(DOORBELL).expect("JSON");
        let records = rows.iter().map(|row| {
            let mut record = sample["Records"][0].clone();
            let image: serde_dynamo::Item = serde_dynamo::to_item(row).expect("an item");
            record["dynamodb"]["NewImage"] = serde_json::to_value(image).expect("an image");
            record["dynamodb"]["Keys"] = json!({ "id": { "S": row.id.as_str() }, "part": { "N": "0" } });
            record
        });
        let batch = json!({ "Records": records.collect::<Vec<_>>() });
        self.work(batch, death).await
    }

    /// Sweeps.
    pub async fn sweep(&mut self, death: Option<Death>) -> Work<Result<Summary, ProcessError>> {
        self.work(serde_json::from_str(SWEEP).expect("JSON"), death).await
    }

    async fn work(&mut self, input: Value, death: Option<Death>) -> Work<Result<Summary, ProcessError>> {
        let now = self.world.now();
        match alive(&self.process, death, process::handle(&self.deps, input, now)).await {
            Some(done) => Work::Done(done),
            None => {
                *self = Self::new(self.world);
                Work::Died
            }
        }
    }
}

/// What a process does, as long as it lives. Its memory goes with it.
async fn alive<T>(process: &Process<'_>, death: Option<Death>, work: impl Future<Output = T>) -> Option<T> {
    let Some(death) = death else { return Some(work.await) };
    let dies = process.dies(death);
    tokio::select! {
        biased;
        () = dies => None,
        done = work => Some(done),
    }
}
