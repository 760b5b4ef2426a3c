//! `/_control`: the commands over HTTP, for the local stack's scripts. JSON in and out, no key asked.
//!
//! The server listens on the loopback address only, so whoever runs programs on this machine may command it. Commands
//! without an answer give 204; what fails gives `{"error": "…"}`, what is not there 404.
//!
//! | call | body → answer |
//! |---|---|
//! | `GET /state` | account, mode, clock, endpoints, faults, when the next delivery is due |
//! | `POST /story?account=` | → the ids of a story that has just happened |
//! | `POST /events` | an `Emit`: `{"type", "object_id"?, "from_stored"?, "fields"?, "object"?, "previous_attributes"?, "created"?, "account"?, "api_version"?, "livemode"?, "id"?, "fate"?}` → the event |
//! | `POST /events/raw?fate=` | the event's text, delivered as it is → the event |
//! | `POST /events/{id}/resend` | `{"endpoint"}` |
//! | `PUT /objects?account=` · `DELETE /objects?id=&account=` | an object, kept or forgotten without an event |
//! | `GET /endpoints` · `PATCH`, `DELETE /endpoints/{id}` | `{"url"?, "enabled_events"?, "secret"?, "disabled"?, "description"?, "api_version"?}` → the endpoint with its secret |
//! | `GET`, `DELETE /deliveries` | → all tries |
//! | `POST /deliveries/due` | posts all that is due, in order → these tries |
//! | `PUT /deliveries/background` | `true` or `false` |
//! | `GET`, `PUT /deliveries/habits` | `{"repeat"?, "delay"?, "shuffle"?, "drop"?}` |
//! | `GET`, `POST`, `DELETE /faults` | `{"method"?, "path"?, "times"?, "when"?: "before" or "after", "effect"}`, the effect being `{"answer": {"status", "body"?, "should_retry"?, "retry_after"?}}`, `"hold"`, `"cut"` or `{"delay_ms"}`; deleting lets held calls go on |
//! | `GET`, `DELETE /requests` | → all calls to the API |
//! | `GET`, `POST /clock` | `{"now"?, "advance"?, "date_skew"?}` → `{"now"}` |
//! | `PUT /keys` | `[{"secret", "rights"?: ["events:read", …]}]` |

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::webhook_endpoints::Endpoint;
use crate::commands::{ClockChange, EndpointChange, NotFound};
use crate::deliveries::{Attempt, Habits, courier};
use crate::emit::{Emit, EmitError, Fate};
use crate::faults::Fault;
use crate::options::Key;
use crate::requests::RequestSeen;
use crate::story::Story;
use crate::world::Shared;

type World = State<Arc<Shared>>;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/state", get(state))
        .route("/clock", get(clock).post(move_clock))
        .route("/keys", put(set_keys))
        .route("/events", post(emit))
        .route("/events/raw", post(emit_text))
        .route("/events/{id}/resend", post(resend))
        .route("/story", post(story))
        .route("/objects", put(put_object).delete(remove_object))
        .route("/endpoints", get(endpoints))
        .route("/endpoints/{id}", patch(change_endpoint).delete(delete_endpoint))
        .route("/deliveries", get(attempts).delete(forget_attempts))
        .route("/deliveries/habits", get(habits).put(set_habits))
        .route("/deliveries/background", put(deliver_by_itself))
        .route("/deliveries/due", post(deliver_due))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/requests", get(requests).delete(clear_requests))
}

/// What a command can fail with.
enum Failure {
    NotFound(NotFound),
    Emit(EmitError),
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::NotFound(missing) => (StatusCode::NOT_FOUND, missing.to_string()),
            Self::Emit(error) => (StatusCode::BAD_REQUEST, error.to_string()),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

impl From<NotFound> for Failure {
    fn from(missing: NotFound) -> Self {
        Self::NotFound(missing)
    }
}

impl From<EmitError> for Failure {
    fn from(error: EmitError) -> Self {
        Self::Emit(error)
    }
}

async fn state(State(shared): World) -> Json<Value> {
    let world = shared.world();
    Json(json!({
        "account": world.options.account,
        "api_version": world.options.api_version,
        "delivers_by_itself": world.options.delivers_by_itself,
        "endpoints": world.endpoints,
        "faults": world.faults,
        "mode": world.options.mode,
        "next_due": world.deliveries.next_due(),
        "now": world.clock.now(),
    }))
}

async fn clock(State(shared): World) -> Json<Value> {
    Json(json!({ "now": shared.world().clock.now() }))
}

async fn move_clock(State(shared): World, Json(change): Json<ClockChange>) -> Json<Value> {
    Json(json!({ "now": shared.move_clock(&change) }))
}

async fn set_keys(State(shared): World, Json(keys): Json<Vec<Key>>) -> StatusCode {
    shared.world().options.keys = keys;
    StatusCode::NO_CONTENT
}

async fn emit(State(shared): World, Json(wanted): Json<Emit>) -> Result<Json<Value>, Failure> {
    Ok(Json(shared.emit(wanted)?))
}

async fn emit_text(
    State(shared): World,
    Query(RawQuery { fate }): Query<RawQuery>,
    text: String,
) -> Result<Json<Value>, Failure> {
    Ok(Json(shared.emit_text(&text, fate)?))
}

#[derive(Deserialize)]
struct RawQuery {
    #[serde(default)]
    fate: Fate,
}

async fn resend(
    State(shared): World,
    Path(event): Path<String>,
    Json(to): Json<ResendTo>,
) -> Result<StatusCode, Failure> {
    shared.resend(&event, &to.endpoint)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResendTo {
    endpoint: String,
}

async fn story(State(shared): World, Query(of): Query<OfAccount>) -> Json<Story> {
    Json(shared.story(of.account.as_deref()))
}

/// The query of commands that can be about a connected account.
#[derive(Deserialize)]
struct OfAccount {
    account: Option<String>,
}

async fn put_object(
    State(shared): World,
    Query(of): Query<OfAccount>,
    Json(object): Json<Value>,
) -> StatusCode {
    shared.world().objects.put(of.account.as_deref(), &object);
    StatusCode::NO_CONTENT
}

async fn remove_object(State(shared): World, Query(object): Query<ObjectName>) -> StatusCode {
    if shared.world().objects.remove(object.account.as_deref(), &object.id) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

#[derive(Deserialize)]
struct ObjectName {
    id: String,
    account: Option<String>,
}

async fn endpoints(State(shared): World) -> Json<Vec<Endpoint>> {
    Json(shared.world().endpoints.clone())
}

async fn change_endpoint(
    State(shared): World,
    Path(id): Path<String>,
    Json(change): Json<EndpointChange>,
) -> Result<Json<Endpoint>, Failure> {
    Ok(Json(shared.change_endpoint(&id, change)?))
}

async fn delete_endpoint(State(shared): World, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    shared.delete_endpoint(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn attempts(State(shared): World) -> Json<Vec<Attempt>> {
    Json(shared.world().deliveries.attempts.clone())
}

async fn forget_attempts(State(shared): World) -> StatusCode {
    shared.world().deliveries.attempts.clear();
    StatusCode::NO_CONTENT
}

async fn habits(State(shared): World) -> Json<Habits> {
    Json(shared.world().deliveries.habits.clone())
}

async fn set_habits(State(shared): World, Json(habits): Json<Habits>) -> StatusCode {
    shared.set_habits(habits);
    StatusCode::NO_CONTENT
}

async fn deliver_by_itself(State(shared): World, Json(by_itself): Json<bool>) -> StatusCode {
    shared.deliver_by_itself(by_itself);
    StatusCode::NO_CONTENT
}

async fn deliver_due(State(shared): World) -> Json<Vec<Attempt>> {
    // A task of its own: a client that goes away leaves no delivery half done.
    let posting = tokio::spawn(async move { courier::deliver_due(&shared).await });
    Json(posting.await.unwrap_or_default())
}

async fn faults(State(shared): World) -> Json<Vec<Fault>> {
    Json(shared.world().faults.clone())
}

async fn add_fault(State(shared): World, Json(fault): Json<Fault>) -> StatusCode {
    shared.add_fault(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(shared): World) -> StatusCode {
    shared.clear_faults();
    StatusCode::NO_CONTENT
}

async fn requests(State(shared): World) -> Json<Vec<RequestSeen>> {
    Json(shared.world().requests.clone())
}

async fn clear_requests(State(shared): World) -> StatusCode {
    shared.world().requests.clear();
    StatusCode::NO_CONTENT
}
