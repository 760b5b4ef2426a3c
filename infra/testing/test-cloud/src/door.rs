//! The one address in front: counts, fails on request, tells when a process is to die, and passes on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::call::{Call, Fault, read_units, write_units};
use crate::late::Late;
use crate::process::{Death, Trap};
use crate::secrets::Secrets;

/// The state behind the address.
#[derive(Debug)]
pub(crate) struct Door {
    dynamodb: String,
    client: reqwest::Client,
    secrets: Secrets,
    state: Mutex<DoorState>,
    /// Held while a write is done in both databases.
    late: tokio::sync::Mutex<Option<Late>>,
}

#[derive(Debug, Default)]
struct DoorState {
    calls: Vec<Call>,
    faults: Vec<(String, String, VecDeque<Fault>)>,
    some: Option<Share>,
    traps: Vec<Trap>,
    /// Where indexes are read, if they are late.
    indexes: Option<String>,
}

#[derive(Debug)]
struct Share {
    per_mille: u32,
    state: u64,
    faults: Vec<Fault>,
}

impl Door {
    pub(crate) fn new(dynamodb: String) -> Self {
        Self {
            dynamodb,
            client: reqwest::Client::new(),
            secrets: Secrets::default(),
            state: Mutex::default(),
            late: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    pub(crate) fn forget(&self) {
        self.state().calls.clear();
    }

    pub(crate) fn fail(&self, operation: &str, table: &str, times: usize, fault: Fault) {
        self.state().faults.push((
            operation.to_owned(),
            table.to_owned(),
            std::iter::repeat_n(fault, times).collect(),
        ));
    }

    pub(crate) fn fail_some(&self, per_mille: u32, seed: u64, faults: Vec<Fault>) {
        self.state().some = Some(Share { per_mille, state: seed, faults });
    }

    pub(crate) fn mend(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.some = None;
    }

    pub(crate) fn set_trap(&self, process: &str, death: Death) -> oneshot::Receiver<()> {
        let (trap, told) = Trap::new(process, death);
        self.state().traps.push(trap);
        told
    }

    pub(crate) async fn be_late(&self, late: Late) {
        self.state().indexes = Some(late.url().to_owned());
        *self.late.lock().await = Some(late);
    }

    pub(crate) async fn catch_up(&self) {
        if let Some(late) = &mut *self.late.lock().await {
            self.repeat(late.rest(), late.url()).await;
        }
    }

    async fn repeat(&self, writes: Vec<(String, String)>, url: &str) {
        for (operation, request) in writes {
            let (status, answer) = self.send(url, &operation, request).await;
            assert!(status.is_success(), "the late database differs: {operation} {answer:?}");
        }
    }

    fn state(&self) -> MutexGuard<'_, DoorState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, call: Call) {
        self.state().calls.push(call);
    }

    /// The death this call is, if one was ordered. Each call counts for each order.
    fn sprung(&self, call: &Call) -> Option<Trap> {
        let mut state = self.state();
        state.traps.retain(Trap::is_set);
        let sprung: Vec<bool> = state.traps.iter_mut().map(|trap| trap.is_sprung_by(call)).collect();
        sprung.iter().position(|sprung| *sprung).map(|at| state.traps.remove(at))
    }

    fn take_fault(&self, call: &Call) -> Option<Fault> {
        let mut state = self.state();
        let asked = state
            .faults
            .iter_mut()
            .find(|(op, on, left)| *op == call.operation && *on == call.table && !left.is_empty());
        if let Some((_, _, left)) = asked {
            return left.pop_front();
        }
        let some = state.some.as_mut()?;
        // SplitMix64: a fixed, even pattern.
        some.state = some.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = some.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let hit = mixed % 1_000 < u64::from(some.per_mille);
        let which = usize::try_from(mixed >> 32).unwrap_or(0).checked_rem(some.faults.len())?;
        hit.then(|| some.faults[which])
    }

    async fn send(&self, url: &str, operation: &str, request: String) -> (StatusCode, Bytes) {
        match ask(&self.client, url, operation, request).send().await {
            Ok(answer) => (answer.status(), answer.bytes().await.unwrap_or_default()),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string().into()),
        }
    }

    /// Does a write, and while indexes are late, those whose time has come in the other database.
    async fn write(&self, operation: &str, request: String) -> (StatusCode, Bytes) {
        let mut late = self.late.lock().await;
        let Some(late) = &mut *late else {
            drop(late);
            return self.send(&self.dynamodb, operation, request).await;
        };
        let answer = self.send(&self.dynamodb, operation, request.clone()).await;
        if answer.0.is_success() {
            let due = late.note(operation.to_owned(), request);
            self.repeat(due, late.url()).await;
        }
        answer
    }

    async fn read(&self, operation: &str, request: Value) -> (StatusCode, Bytes) {
        let of_index = request["IndexName"].is_string();
        let indexes = self.state().indexes.clone().filter(|_| of_index);
        self.send(indexes.as_deref().unwrap_or(&self.dynamodb), operation, request.to_string()).await
    }
}

/// A request as dynoxide wants it.
pub(crate) fn ask(
    client: &reqwest::Client,
    url: &str,
    operation: &str,
    body: String,
) -> reqwest::RequestBuilder {
    client
        .post(url)
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
        .header("x-amz-date", "20260101T000000Z")
        .body(body)
}

pub(crate) async fn serve(listener: tokio::net::TcpListener, door: Arc<Door>) {
    // A process's address is its name below the one that all share.
    let app = axum::Router::new().fallback(answer).with_state(door);
    // Ends with the test.
    drop(axum::serve(listener, app).await);
}

async fn answer(State(door): State<Arc<Door>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (service, operation) = target.split_once('.').unwrap_or_default();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut call = Call::read(uri.path().trim_matches('/'), operation, &request);
    let mut death = door.sprung(&call);
    if let Some(now) = death.take_if(|death| !death.comes_after()) {
        door.note(call);
        now.spring();
        return std::future::pending().await;
    }
    call.fault = if death.is_some() { None } else { door.take_fault(&call) };
    let fault = call.fault;
    let refused = match fault {
        Some(Fault::Throttle) => Some((StatusCode::BAD_REQUEST, "ThrottlingException")),
        Some(Fault::ServerError) => Some((StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")),
        Some(Fault::AccessDenied) => Some((StatusCode::BAD_REQUEST, "AccessDeniedException")),
        Some(Fault::Invalid) => Some((StatusCode::BAD_REQUEST, "ValidationException")),
        Some(Fault::Hang | Fault::DoneWithoutAnswer | Fault::DoneAndCut) | None => None,
    };
    if refused.is_some() || fault == Some(Fault::Hang) {
        door.note(call);
        let Some((status, kind)) = refused else { return std::future::pending().await };
        return refuse(status, kind);
    }
    // A task of its own: a caller that goes away does not undo what it has asked for.
    let secrets = service == "secretsmanager";
    let answer = tokio::spawn(async move { pass_on(&door, secrets, call, request).await }).await;
    let answer = answer.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    if let Some(death) = death {
        death.spring();
        return std::future::pending().await;
    }
    match fault {
        Some(Fault::DoneWithoutAnswer) => std::future::pending().await,
        // A body that breaks off: the client sees a connection that ended too early.
        Some(Fault::DoneAndCut) => {
            ([("content-length", "1000")], axum::body::Body::from_stream(CutShort)).into_response()
        }
        Some(Fault::Throttle | Fault::ServerError | Fault::AccessDenied | Fault::Invalid | Fault::Hang)
        | None => answer,
    }
}

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

async fn pass_on(door: &Door, secrets: bool, mut call: Call, mut request: Value) -> Response {
    if secrets {
        let (status, answer) = door.secrets.answer(&call.operation, &request);
        call.done = status.is_success();
        door.note(call);
        return (status, axum::Json(answer)).into_response();
    }
    let (status, answer) = if call.is_write() {
        request["ReturnConsumedCapacity"] = json!("INDEXES");
        door.write(&call.operation, request.to_string()).await
    } else {
        if matches!(call.operation.as_str(), "GetItem" | "BatchGetItem" | "Query") {
            request["ReturnConsumedCapacity"] = json!("TOTAL");
        }
        door.read(&call.operation, request).await
    };
    if call.is_write() {
        call.write_units = write_units(&answer);
    } else {
        call.read_units = read_units(&answer);
    }
    call.done = status.is_success();
    door.note(call);
    (status, [("content-type", "application/x-amz-json-1.0")], answer).into_response()
}

fn refuse(status: StatusCode, kind: &str) -> Response {
    let body = json!({ "__type": kind, "message": "told to fail" });
    (status, [("content-type", "application/x-amz-json-1.0")], body.to_string()).into_response()
}
