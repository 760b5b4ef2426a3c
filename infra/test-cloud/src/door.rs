//! The one address in front: counts, fails on request, and passes on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use crate::secrets::Secrets;

/// One call to AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Such as `PutItem`.
    pub operation: String,
    /// The table's name; empty for Secrets Manager.
    pub table: String,
    /// Write units by index; the table itself has an empty name. Only of calls that succeeded or failed their condition.
    pub write_units: BTreeMap<String, f64>,
    /// Read units in all. Only of calls that succeeded.
    pub read_units: f64,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `ThrottlingException`: nothing is done; the SDK may try again.
    Throttle,
    /// 500: nothing is done; the SDK may try again.
    ServerError,
    /// `AccessDeniedException`: nothing is done, and trying again does not help.
    AccessDenied,
    /// `ValidationException`: nothing is done, and the same call will always be refused.
    Invalid,
    /// Nothing is done and no answer comes.
    Hang,
    /// It is done, but no answer comes.
    DoneWithoutAnswer,
    /// It is done, but the connection breaks off.
    DoneAndCut,
}

/// The state behind the address.
#[derive(Debug)]
pub(crate) struct Door {
    dynamodb: String,
    client: reqwest::Client,
    secrets: Secrets,
    state: Mutex<DoorState>,
}

#[derive(Debug, Default)]
struct DoorState {
    calls: Vec<Call>,
    faults: Vec<(String, String, VecDeque<Fault>)>,
    some: Option<Share>,
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

    fn state(&self) -> MutexGuard<'_, DoorState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_fault(&self, operation: &str, table: &str) -> Option<Fault> {
        let mut state = self.state();
        let asked =
            state.faults.iter_mut().find(|(op, on, left)| op == operation && on == table && !left.is_empty());
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
}

pub(crate) async fn serve(listener: tokio::net::TcpListener, door: Arc<Door>) {
    let app = axum::Router::new().route("/", post(answer)).with_state(door);
    // Ends with the test.
    drop(axum::serve(listener, app).await);
}

async fn answer(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (service, operation) = target.split_once('.').unwrap_or_default();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let table = table_of(&request);
    let fault = door.take_fault(operation, &table);
    let refused = match fault {
        Some(Fault::Throttle) => Some((StatusCode::BAD_REQUEST, "ThrottlingException")),
        Some(Fault::ServerError) => Some((StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")),
        Some(Fault::AccessDenied) => Some((StatusCode::BAD_REQUEST, "AccessDeniedException")),
        Some(Fault::Invalid) => Some((StatusCode::BAD_REQUEST, "ValidationException")),
        Some(Fault::Hang | Fault::DoneWithoutAnswer | Fault::DoneAndCut) | None => None,
    };
    if refused.is_some() || fault == Some(Fault::Hang) {
        door.state().calls.push(Call {
            operation: operation.into(),
            table,
            write_units: BTreeMap::new(),
            read_units: 0.0,
        });
        let Some((status, kind)) = refused else { return std::future::pending().await };
        return refuse(status, kind);
    }
    let answer = pass_on(&door, service, operation, table, request).await;
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

async fn pass_on(door: &Door, service: &str, operation: &str, table: String, mut request: Value) -> Response {
    if service == "secretsmanager" {
        door.state().calls.push(Call {
            operation: operation.into(),
            table,
            write_units: BTreeMap::new(),
            read_units: 0.0,
        });
        let (status, answer) = door.secrets.answer(operation, &request);
        return (status, axum::Json(answer)).into_response();
    }
    let writes = matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem");
    if writes {
        request["ReturnConsumedCapacity"] = json!("INDEXES");
    } else if matches!(operation, "GetItem" | "BatchGetItem" | "Query") {
        request["ReturnConsumedCapacity"] = json!("TOTAL");
    }
    let sent = door
        .client
        .post(&door.dynamodb)
        .header("x-amz-target", format!("{service}.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
        .header("x-amz-date", "20260101T000000Z")
        .body(request.to_string())
        .send()
        .await;
    let (status, answer) = match sent {
        Ok(answer) => (answer.status(), answer.bytes().await.unwrap_or_default()),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string().into()),
    };
    let write_units = if writes { units(&answer) } else { BTreeMap::new() };
    let read_units = if writes { 0.0 } else { units_read(&answer) };
    door.state().calls.push(Call { operation: operation.into(), table, write_units, read_units });
    (status, [("content-type", "application/x-amz-json-1.0")], answer).into_response()
}

fn units(answer: &[u8]) -> BTreeMap<String, f64> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let consumed = &answer["ConsumedCapacity"];
    let mut units = BTreeMap::new();
    if let Some(of_table) = consumed["Table"]["CapacityUnits"].as_f64() {
        units.insert(String::new(), of_table);
    }
    for (index, capacity) in consumed["GlobalSecondaryIndexes"].as_object().into_iter().flatten() {
        units.insert(index.clone(), capacity["CapacityUnits"].as_f64().unwrap_or(0.0));
    }
    units
}

/// Of one table, or of each table of a batch.
fn units_read(answer: &[u8]) -> f64 {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let consumed = &answer["ConsumedCapacity"];
    let tables = consumed.as_array().map_or_else(|| std::slice::from_ref(consumed), Vec::as_slice);
    tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
}

fn table_of(request: &Value) -> String {
    let one = request["TableName"].as_str();
    let batch =
        request["RequestItems"].as_object().and_then(|tables| tables.keys().next()).map(String::as_str);
    one.or(batch).unwrap_or_default().to_owned()
}

fn refuse(status: StatusCode, kind: &str) -> Response {
    let body = json!({ "__type": kind, "message": "told to fail" });
    (status, [("content-type", "application/x-amz-json-1.0")], body.to_string()).into_response()
}
