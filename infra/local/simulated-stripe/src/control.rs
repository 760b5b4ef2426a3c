//! `/_control`: the commands over HTTP, for the local stack's scripts. JSON in and out, without a key.
//!
//! The server listens on the loopback address only, so any program on this machine may command it. Commands
//! without an answer give 204; what fails gives `{"error": "…"}`, what does not exist 404.
//!
//! - `GET /state` → account, mode, clock, endpoints, faults, when the next delivery is due
//! - `POST /story?account=` emits the life cycle of one customer → its ids
//! - `POST /balances` with `{"customer", "amount", "account"?, "type"?, "invoice"?, "description"?, "fate"?}`
//!   adds to a customer's balance → `{"transaction", "event"}`
//! - `POST /events` with a [`NewEvent`]: `{"type", "object_id"?, "from_stored"?, "fields"?, "object"?,
//!   "previous_attributes"?, "created"?, "account"?, "api_version"?, "livemode"?, "id"?, "fate"?}` → the
//!   event
//! - `POST /events/raw?fate=` with the event's text, delivered as it is → the event
//! - `POST /events/{id}/resend` with `{"endpoint"}`
//! - `PUT /objects?account=` with an object, and `DELETE /objects?id=&account=`: stores or removes it without
//!   an event; the `_payout` of a balance transaction says with which payout it is listed
//! - `GET /endpoints`, `PATCH /endpoints/{id}`, `DELETE /endpoints/{id}` with `{"url"?, "enabled_events"?,
//!   "secret"?, "disabled"?, "description"?, "api_version"?}` → the endpoint with its secret
//! - `GET /deliveries`, `DELETE /deliveries` → all attempts
//! - `POST /deliveries/due` sends all that is due, in order → these attempts
//! - `PUT /deliveries/background` with `true` or `false`
//! - `GET /deliveries/habits`, `PUT /deliveries/habits` with `{"repeat"?, "delay"?, "shuffle"?, "drop"?}`
//! - `GET /faults`, `POST /faults`, `DELETE /faults` with `{"method"?, "path"?, "times"?, "when"?: "before"
//!   or "after", "effect"}`, the effect being `{"answer": {"status", "body"?, "should_retry"?,
//!   "retry_after"?}}`, `"hold"`, `"cut"` or `{"delay_ms"}`; a `body` that is a text is sent as it is,
//!   without Stripe's headers; deleting lets held calls go on
//! - `GET /requests`, `DELETE /requests` → all calls to the API
//! - `GET /clock`, `POST /clock` with `{"now"?, "advance"?, "date_skew"?}` → `{"now"}`
//! - `PUT /keys` with `[{"secret", "rights"?: ["events:read", …]}]`

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
use crate::customer_lifecycle::CustomerLifecycle;
use crate::deliveries::{Attempt, DeliveryBehavior, sender};
use crate::emit::{BalanceChange, EventError, Fate, NewEvent};
use crate::faults::Fault;
use crate::options::Key;
use crate::request_log::LoggedRequest;
use crate::state::SharedState;

type Stripe = State<Arc<SharedState>>;

pub(crate) fn routes() -> Router<Arc<SharedState>> {
    Router::new()
        .route("/state", get(state))
        .route("/clock", get(clock).post(move_clock))
        .route("/keys", put(set_keys))
        .route("/events", post(emit))
        .route("/events/raw", post(emit_text))
        .route("/events/{id}/resend", post(resend))
        .route("/balances", post(change_balance))
        .route("/story", post(customer_lifecycle))
        .route("/objects", put(put_object).delete(remove_object))
        .route("/endpoints", get(endpoints))
        .route("/endpoints/{id}", patch(change_endpoint).delete(delete_endpoint))
        .route("/deliveries", get(attempts).delete(clear_attempts))
        .route("/deliveries/habits", get(delivery_behavior).put(set_delivery_behavior))
        .route("/deliveries/background", put(set_background_delivery))
        .route("/deliveries/due", post(deliver_due))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/requests", get(requests).delete(clear_requests))
}

/// Why a command failed.
enum CommandError {
    NotFound(NotFound),
    NewEvent(EventError),
}

impl IntoResponse for CommandError {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::NotFound(missing) => (StatusCode::NOT_FOUND, missing.to_string()),
            Self::NewEvent(error) => (StatusCode::BAD_REQUEST, error.to_string()),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

impl From<NotFound> for CommandError {
    fn from(missing: NotFound) -> Self {
        Self::NotFound(missing)
    }
}

impl From<EventError> for CommandError {
    fn from(error: EventError) -> Self {
        Self::NewEvent(error)
    }
}

async fn state(State(shared): Stripe) -> Json<Value> {
    let state = shared.lock();
    Json(json!({
        "account": state.options.account,
        "api_version": state.options.api_version,
        "delivers_by_itself": state.options.background_delivery,
        "endpoints": state.endpoints,
        "faults": state.faults,
        "mode": state.options.mode,
        "next_due": state.deliveries.next_due(),
        "now": state.clock.now(),
    }))
}

async fn clock(State(shared): Stripe) -> Json<Value> {
    Json(json!({ "now": shared.lock().clock.now() }))
}

async fn move_clock(State(shared): Stripe, Json(change): Json<ClockChange>) -> Json<Value> {
    Json(json!({ "now": shared.move_clock(&change) }))
}

async fn set_keys(State(shared): Stripe, Json(keys): Json<Vec<Key>>) -> StatusCode {
    shared.lock().options.keys = keys;
    StatusCode::NO_CONTENT
}

async fn emit(State(shared): Stripe, Json(new): Json<NewEvent>) -> Result<Json<Value>, CommandError> {
    Ok(Json(shared.emit(new)?))
}

async fn emit_text(
    State(shared): Stripe,
    Query(RawQuery { fate }): Query<RawQuery>,
    text: String,
) -> Result<Json<Value>, CommandError> {
    Ok(Json(shared.emit_text(&text, fate)?))
}

#[derive(Deserialize)]
struct RawQuery {
    #[serde(default)]
    fate: Fate,
}

async fn resend(
    State(shared): Stripe,
    Path(event): Path<String>,
    Json(to): Json<ResendTo>,
) -> Result<StatusCode, CommandError> {
    shared.resend(&event, &to.endpoint)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResendTo {
    endpoint: String,
}

async fn change_balance(
    State(shared): Stripe,
    Json(change): Json<BalanceChange>,
) -> Result<Json<Value>, CommandError> {
    let (transaction, event) = shared.change_balance(&change)?;
    Ok(Json(json!({ "transaction": transaction, "event": event })))
}

async fn customer_lifecycle(
    State(shared): Stripe,
    Query(query): Query<AccountQuery>,
) -> Json<CustomerLifecycle> {
    Json(shared.customer_lifecycle(query.account.as_deref()))
}

/// The query of commands that may be about a connected account.
#[derive(Deserialize)]
struct AccountQuery {
    account: Option<String>,
}

async fn put_object(
    State(shared): Stripe,
    Query(query): Query<AccountQuery>,
    Json(object): Json<Value>,
) -> StatusCode {
    shared.lock().objects.put(query.account.as_deref(), &object);
    StatusCode::NO_CONTENT
}

async fn remove_object(State(shared): Stripe, Query(object): Query<ObjectName>) -> StatusCode {
    if shared.lock().objects.remove(object.account.as_deref(), &object.id) {
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

async fn endpoints(State(shared): Stripe) -> Json<Vec<Endpoint>> {
    Json(shared.lock().endpoints.clone())
}

async fn change_endpoint(
    State(shared): Stripe,
    Path(id): Path<String>,
    Json(change): Json<EndpointChange>,
) -> Result<Json<Endpoint>, CommandError> {
    Ok(Json(shared.change_endpoint(&id, change)?))
}

async fn delete_endpoint(State(shared): Stripe, Path(id): Path<String>) -> Result<StatusCode, CommandError> {
    shared.delete_endpoint(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn attempts(State(shared): Stripe) -> Json<Vec<Attempt>> {
    Json(shared.lock().deliveries.attempts.clone())
}

async fn clear_attempts(State(shared): Stripe) -> StatusCode {
    shared.lock().deliveries.attempts.clear();
    StatusCode::NO_CONTENT
}

async fn delivery_behavior(State(shared): Stripe) -> Json<DeliveryBehavior> {
    Json(shared.lock().deliveries.behavior.clone())
}

async fn set_delivery_behavior(State(shared): Stripe, Json(behavior): Json<DeliveryBehavior>) -> StatusCode {
    shared.set_delivery_behavior(behavior);
    StatusCode::NO_CONTENT
}

async fn set_background_delivery(State(shared): Stripe, Json(enabled): Json<bool>) -> StatusCode {
    shared.set_background_delivery(enabled);
    StatusCode::NO_CONTENT
}

async fn deliver_due(State(shared): Stripe) -> Json<Vec<Attempt>> {
    // A task of its own: a client that goes away interrupts no delivery.
    let posting = tokio::spawn(async move { sender::deliver_due(&shared).await });
    Json(posting.await.unwrap_or_default())
}

async fn faults(State(shared): Stripe) -> Json<Vec<Fault>> {
    Json(shared.lock().faults.clone())
}

async fn add_fault(State(shared): Stripe, Json(fault): Json<Fault>) -> StatusCode {
    shared.add_fault(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(shared): Stripe) -> StatusCode {
    shared.clear_faults();
    StatusCode::NO_CONTENT
}

async fn requests(State(shared): Stripe) -> Json<Vec<LoggedRequest>> {
    Json(shared.lock().requests.clone())
}

async fn clear_requests(State(shared): Stripe) -> StatusCode {
    shared.lock().requests.clear();
    StatusCode::NO_CONTENT
}
