//! What a delivery costs in time: the real program, started as Lambda starts it, against a DynamoDB in this
//! process.
//!
//! `cargo bench -p receive` (with the profile that is deployed; `--profile local` builds faster). Figures are
//! medians; those of different machines do not compare, those of one run do. The start is from the first byte
//! of the process to its first answer, over plain HTTP: TLS comes on top on AWS. CPU is the kernel's account
//! of the process.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run has to fail, and it prints"
)]

use std::collections::{HashMap, VecDeque};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use shared::signature::sign;
use test_cloud::TestCloud;
use test_cloud::fixtures::{self, endpoint_row, store_endpoint};
use tokio::sync::{Notify, oneshot};

const SECRET: &str = "whsec_benchmark";
const STARTS: usize = 15;
const DELIVERIES: usize = 3_000;

#[tokio::main]
async fn main() {
    let cloud = TestCloud::start().await;
    register(&cloud).await;
    let sample = include_str!("../../../events/stripe/invoice.paid.json");

    let mut starts = Vec::new();
    for i in 0..STARTS {
        let lambda = Lambda::start().await;
        let event = delivery(&sample.replace("evt_1Syn", &format!("evt_start{i}")), SECRET);
        let begun = Instant::now();
        let function = Function::spawn(&cloud, &lambda);
        assert_eq!(lambda.invoke(event).await["statusCode"], 200);
        starts.push((begun.elapsed(), function.cpu()));
    }
    let lambda = Lambda::start().await;
    let function = Function::spawn(&cloud, &lambda);
    lambda.invoke(delivery(sample, SECRET)).await;

    println!("start to first answer   {:>9.1?}", median(starts.iter().map(|(wall, _)| *wall)));
    println!("  of which CPU          {:>9.1?}", median(starts.iter().map(|(_, cpu)| *cpu)));
    for (name, secret) in [("stored", SECRET), ("forged", "whsec_guess")] {
        let cpu = function.cpu();
        let mut took = Vec::new();
        for i in 0..DELIVERIES {
            let event = delivery(&sample.replace("evt_1Syn", &format!("evt_{name}{i}")), secret);
            let begun = Instant::now();
            lambda.invoke(event).await;
            took.push(begun.elapsed());
        }
        let cpu = (function.cpu() - cpu) / u32::try_from(DELIVERIES).unwrap();
        println!("{name}, warm            {:>9.1?}  CPU {cpu:.1?}", median(took));
    }
    println!("memory                  {:>6} kB", function.memory_kb());
}

fn median(times: impl IntoIterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.into_iter().collect();
    times.sort();
    times[times.len() / 2]
}

async fn register(cloud: &TestCloud) {
    let row = endpoint_row("main", &["invoice.paid"], jiff::Timestamp::now());
    store_endpoint(cloud, row, SECRET).await;
}

fn delivery(body: &str, secret: &str) -> Value {
    let signature = sign(&secret.parse().unwrap(), jiff::Timestamp::now().into(), body.as_bytes());
    fixtures::delivery("main", Some(&signature), body)
}

/// The program under measurement; it ends when dropped.
struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Function {
    fn spawn(cloud: &TestCloud, lambda: &Lambda) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_receive"))
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", lambda.address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "receive"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
                ("AWS_LAMBDA_LOG_LEVEL", "ERROR"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_ENDPOINT_URL", cloud.url()),
                ("MODE", "test"),
                ("LEDGER_TABLE", "LedgerTable"),
                ("STACK_NAME", "stack"),
                ("REGISTRY_TABLE", "RegistryTable"),
            ])
            // Metrics go there.
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Time on a processor so far, of all threads (proc(5): the first field of `schedstat`, in nanoseconds).
    fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        let nanoseconds = tasks.map(|task| {
            let schedstat = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            schedstat.split_whitespace().next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    fn memory_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// Lambda's Runtime API ("AWS Lambda runtime API" in its developer guide), for one function.
struct Lambda {
    address: String,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<VecDeque<(String, Value)>>,
    answers: Mutex<HashMap<String, oneshot::Sender<Value>>>,
    added: Notify,
}

impl Lambda {
    async fn start() -> Self {
        let queue = Arc::new(Queue::default());
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(respond))
            .with_state(Arc::clone(&queue));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, queue }
    }

    async fn invoke(&self, event: Value) -> Value {
        let id = format!("{:?}", Instant::now()).replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let (sender, answer) = oneshot::channel();
        self.queue.answers.lock().unwrap().insert(id.clone(), sender);
        self.queue.waiting.lock().unwrap().push_back((id, event));
        self.queue.added.notify_one();
        answer.await.unwrap()
    }
}

async fn next(State(queue): State<Arc<Queue>>) -> Response {
    loop {
        let popped = queue.waiting.lock().unwrap().pop_front();
        if let Some((id, event)) = popped {
            let headers = [
                ("lambda-runtime-aws-request-id", id.as_str()),
                ("lambda-runtime-deadline-ms", "9999999999999"),
                ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:1:function:receive"),
            ];
            return (headers, axum::Json(event)).into_response();
        }
        queue.added.notified().await;
    }
}

async fn respond(State(queue): State<Arc<Queue>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    if let Some(sender) = queue.answers.lock().unwrap().remove(&id) {
        drop(sender.send(serde_json::from_slice(&body).unwrap()));
    }
    StatusCode::ACCEPTED
}
