//! The proxy before DynamoDB and Secrets Manager: it counts calls, injects faults, says when a process is to
//! be killed, and passes all other calls on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use crate::call::{Call, read_units, write_units};
use crate::faults::{Fault, Faults};
use crate::killable::{KillPoint, PendingKill};
use crate::lagging_indexes::{LaggingIndexes, Write};
use crate::pages::{empty, reorder, shorten, shorten_batch, take_keys};
use crate::secrets::Secrets;

/// What the proxy knows, shared by all its connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    dynamodb: String,
    client: reqwest::Client,
    secrets: Secrets,
    state: Mutex<ProxyState>,
    /// Held while a write is done in both databases.
    lagging: tokio::sync::Mutex<Option<LaggingIndexes>>,
}

#[derive(Debug, Default)]
struct ProxyState {
    calls: Vec<Call>,
    faults: Faults,
    kills: Vec<PendingKill>,
    whole_pages: bool,
    /// The database in which indexes are read, if they lag.
    index_url: Option<String>,
}

impl Proxy {
    pub(crate) fn new(dynamodb: String) -> Self {
        Self {
            dynamodb,
            client: reqwest::Client::new(),
            secrets: Secrets::default(),
            state: Mutex::default(),
            lagging: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    pub(crate) fn clear_calls(&self) {
        self.state().calls.clear();
    }

    pub(crate) fn answer_in_whole_pages(&self) {
        self.state().whole_pages = true;
    }

    pub(crate) fn fail(&self, operation: &str, table: &str, times: usize, fault: Fault) {
        self.state().faults.queue(operation, table, times, fault);
    }

    pub(crate) fn fail_randomly(&self, per_mille: u32, seed: u64, faults: Vec<Fault>) {
        self.state().faults.set_random(per_mille, seed, faults);
    }

    pub(crate) fn clear_faults(&self) {
        self.state().faults.clear();
    }

    pub(crate) fn kill_at(&self, process: &str, point: KillPoint) -> oneshot::Receiver<()> {
        let (kill, killed) = PendingKill::new(process, point);
        self.state().kills.push(kill);
        killed
    }

    pub(crate) async fn lag_indexes(&self, lagging: LaggingIndexes) {
        self.state().index_url = Some(lagging.url().to_owned());
        *self.lagging.lock().await = Some(lagging);
    }

    pub(crate) async fn catch_up_indexes(&self) {
        if let Some(lagging) = &mut *self.lagging.lock().await {
            self.repeat(lagging.take_all(), lagging.url()).await;
        }
    }

    async fn repeat(&self, writes: Vec<Write>, url: &str) {
        for Write { operation, request } in writes {
            let (status, answer) = self.send(url, &operation, request).await;
            assert!(status.is_success(), "the lagging database differs: {operation} {answer:?}");
        }
    }

    fn state(&self) -> MutexGuard<'_, ProxyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self, call: Call) {
        self.state().calls.push(call);
    }

    /// Takes the kill that this call triggers. Each call counts for every kill that is pending.
    fn take_kill(&self, call: &Call) -> Option<PendingKill> {
        let mut state = self.state();
        state.kills.retain(PendingKill::is_awaited);
        let reached: Vec<bool> = state.kills.iter_mut().map(|kill| kill.is_reached_by(call)).collect();
        reached.iter().position(|reached| *reached).map(|index| state.kills.remove(index))
    }

    fn take_fault(&self, call: &Call) -> Option<Fault> {
        self.state().faults.take(call)
    }

    async fn send(&self, url: &str, operation: &str, request: String) -> (StatusCode, Bytes) {
        match dynamodb_request(&self.client, url, operation, request).send().await {
            Ok(answer) => (answer.status(), answer.bytes().await.unwrap_or_default()),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string().into()),
        }
    }

    /// Does a write; while indexes lag, repeats in the other database those that have waited long enough.
    async fn write(&self, operation: &str, request: String) -> (StatusCode, Bytes) {
        let mut lagging = self.lagging.lock().await;
        let Some(lagging) = &mut *lagging else {
            drop(lagging);
            return self.send(&self.dynamodb, operation, request).await;
        };
        let answer = self.send(&self.dynamodb, operation, request.clone()).await;
        if answer.0.is_success() {
            let due = lagging.push(Write { operation: operation.to_owned(), request });
            self.repeat(due, lagging.url()).await;
        }
        answer
    }

    async fn read(&self, operation: &str, request: Value) -> (StatusCode, Bytes) {
        let reads_index = request["IndexName"].is_string();
        let index_url = self.state().index_url.clone().filter(|_| reads_index);
        self.send(index_url.as_deref().unwrap_or(&self.dynamodb), operation, request.to_string()).await
    }

    async fn query_in_short_pages(&self, mut request: Value) -> (StatusCode, Bytes) {
        let is_first = shorten(&mut request);
        let (status, answer) = self.read("Query", request).await;
        if !is_first || !status.is_success() {
            return (status, answer);
        }
        let mut answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        empty(&mut answer);
        (status, answer.to_string().into())
    }

    /// Does a read whose request holds no key of `left_out`; these are in the answer as `UnprocessedKeys`.
    async fn read_all_but(
        &self,
        left_out: Map<String, Value>,
        operation: &str,
        request: Value,
    ) -> (StatusCode, Bytes) {
        if left_out.is_empty() {
            let (status, answer) = self.read(operation, request).await;
            let is_batch = operation == "BatchGetItem" && status.is_success();
            return (status, if is_batch { unordered(&answer).to_string().into() } else { answer });
        }
        let mut tables = request["RequestItems"].as_object().into_iter().flatten();
        let asks_for_some =
            tables.any(|(_, batch)| batch["Keys"].as_array().is_some_and(|keys| !keys.is_empty()));
        let (status, mut answer) = if asks_for_some {
            let (status, answer) = self.read(operation, request).await;
            (status, unordered(&answer))
        } else {
            // DynamoDB takes no batch without keys.
            (StatusCode::OK, json!({ "Responses": {} }))
        };
        answer["UnprocessedKeys"] = left_out.into();
        (status, answer.to_string().into())
    }

    async fn pass_on(&self, is_secrets: bool, mut call: Call, mut request: Value) -> Response {
        if is_secrets {
            let (status, answer) = self.secrets.answer(&call.operation, &request);
            call.done = status.is_success();
            self.log(call);
            return (status, axum::Json(answer)).into_response();
        }
        let (status, answer) = if call.is_write() {
            request["ReturnConsumedCapacity"] = json!("INDEXES");
            self.write(&call.operation, request.to_string()).await
        } else {
            if matches!(call.operation.as_str(), "GetItem" | "BatchGetItem" | "Query") {
                request["ReturnConsumedCapacity"] = json!("TOTAL");
            }
            let whole_pages = self.state().whole_pages;
            if call.operation == "Query" && !whole_pages {
                self.query_in_short_pages(request).await
            } else {
                let left_out = match (call.operation.as_str(), call.fault) {
                    (_, Some(Fault::LeavesOut(kept))) => take_keys(&mut request, kept),
                    ("BatchGetItem", _) if !whole_pages => shorten_batch(&mut request),
                    _ => Map::new(),
                };
                self.read_all_but(left_out, &call.operation, request).await
            }
        };
        if call.is_write() {
            call.write_units = write_units(&answer);
        } else {
            call.read_units = read_units(&answer);
        }
        call.done = status.is_success();
        self.log(call);
        (status, [("content-type", "application/x-amz-json-1.0")], answer).into_response()
    }
}

/// Returns the answer to a batch, with its items in another order.
fn unordered(answer: &[u8]) -> Value {
    let mut answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    reorder(&mut answer);
    answer
}

/// Builds a request that dynoxide accepts.
pub(crate) fn dynamodb_request(
    client: &reqwest::Client,
    url: &str,
    operation: &str,
    body: String,
) -> reqwest::RequestBuilder {
    let credential = "Credential=test/20260101/us-east-1/dynamodb/aws4_request";
    client
        .post(url)
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("authorization", format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"))
        .header("x-amz-date", "20260101T000000Z")
        .body(body)
}

pub(crate) async fn serve(listener: tokio::net::TcpListener, proxy: Arc<Proxy>) {
    // A process's address is its name below the one that all share.
    let app = axum::Router::new().fallback(answer).with_state(proxy);
    // Ends with the test.
    drop(axum::serve(listener, app).await);
}

async fn answer(State(proxy): State<Arc<Proxy>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (service, operation) = target.split_once('.').unwrap_or_default();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut call = Call::from_request(uri.path().trim_matches('/'), operation, &request);
    let mut kill = proxy.take_kill(&call);
    if let Some(kill) = kill.take_if(|kill| !kill.is_after_call()) {
        proxy.log(call);
        kill.trigger();
        return std::future::pending().await;
    }
    call.fault = if kill.is_some() { None } else { proxy.take_fault(&call) };
    let fault = call.fault;
    if let Some((status, error_type)) = fault.and_then(Fault::refusal) {
        proxy.log(call);
        return refuse(status, error_type);
    }
    if fault == Some(Fault::ProxyPage) {
        proxy.log(call);
        let page = "<html><body>502 Bad Gateway</body></html>";
        return (StatusCode::BAD_GATEWAY, [("content-type", "text/html")], page).into_response();
    }
    if fault == Some(Fault::Hang) {
        proxy.log(call);
        return std::future::pending().await;
    }
    // A task of its own: a caller that goes away does not undo what it has asked for.
    let is_secrets = service == "secretsmanager";
    let answer = tokio::spawn(async move { proxy.pass_on(is_secrets, call, request).await }).await;
    let answer = answer.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    if let Some(kill) = kill {
        kill.trigger();
        return std::future::pending().await;
    }
    match fault {
        Some(Fault::DoneWithoutAnswer) => std::future::pending().await,
        // A body that breaks off: the client sees a connection that ended too early.
        Some(Fault::DoneAndCut) => {
            ([("content-length", "1000")], axum::body::Body::from_stream(CutShort)).into_response()
        }
        Some(
            Fault::Throttle
            | Fault::ServerError
            | Fault::ProxyPage
            | Fault::AccessDenied
            | Fault::Invalid
            | Fault::Hang
            | Fault::LeavesOut(_),
        )
        | None => answer,
    }
}

/// A body that fails at once.
struct CutShort;

impl futures_core::Stream for CutShort {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}

fn refuse(status: StatusCode, error_type: &str) -> Response {
    let body = json!({ "__type": error_type, "message": "injected by the test" });
    (status, [("content-type", "application/x-amz-json-1.0")], body.to_string()).into_response()
}
