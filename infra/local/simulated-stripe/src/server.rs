//! HTTP on the loopback address: Stripe's API under `/v1`, the commands under `/_control`.

mod connection;

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::api::params::Params;
use crate::api::reply::Reply;
use crate::api::{Call, CallOutcome, access, answer};
use crate::request_log::LoggedRequest;
use crate::state::SharedState;
use crate::{control, ids, rendering};
use connection::{CutSwitch, CuttingListener};

/// Larger than any valid call to Stripe.
const LARGEST_BODY: usize = 1024 * 1024;

/// Binds the port before anything runs, so that a client can connect at once.
pub(crate) fn bind(port: u16) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until the task is dropped.
pub(crate) async fn serve(listener: std::net::TcpListener, shared: Arc<SharedState>) -> std::io::Result<()> {
    let listener = CuttingListener(tokio::net::TcpListener::from_std(listener)?);
    let routes = Router::new().nest("/_control", control::routes()).fallback(api).with_state(shared);
    axum::serve(listener, routes.into_make_service_with_connect_info::<CutSwitch>()).await
}

/// Answers any call that is not to `/_control`: it is one to Stripe.
async fn api(
    State(shared): State<Arc<SharedState>>,
    ConnectInfo(switch): ConnectInfo<CutSwitch>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let header = |name: &str| head.headers.get(name)?.to_str().ok().map(str::to_owned);
    let call = Call {
        request_id: ids::fresh("req_"),
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        params: Params::parse(head.uri.query().unwrap_or_default(), &body),
        key: access::sent_key(&head.headers),
        idempotency_key: header("idempotency-key"),
        account: header("stripe-account").filter(|account| *account != shared.lock().options.account),
    };
    log(&shared, &call, &head.headers);
    match answer(&shared, &call).await {
        CallOutcome::Cut => {
            switch.cut();
            Response::new(Body::empty())
        }
        CallOutcome::Reply(reply) => respond(&shared, &call, &head.headers, reply),
    }
}

fn log(shared: &SharedState, call: &Call, headers: &HeaderMap) {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    let hint = |key: &String| key.chars().skip(key.chars().count().saturating_sub(4)).collect();
    let mut state = shared.lock();
    let request = LoggedRequest {
        request_id: call.request_id.clone(),
        at: state.clock.now(),
        method: call.method.clone(),
        path: call.path.clone(),
        params: call.params.0.clone(),
        idempotency_key: call.idempotency_key.clone(),
        key_hint: call.key.as_ref().map(hint),
        stripe_version: header("stripe-version"),
        stripe_account: header("stripe-account"),
        status: None,
    };
    state.requests.push(request);
}

fn respond(shared: &SharedState, call: &Call, sent: &HeaderMap, reply: Reply) -> Response {
    let mut state = shared.lock();
    if let Some(logged) = state.requests.iter_mut().rfind(|logged| logged.request_id == call.request_id) {
        logged.status = Some(reply.status);
    }
    tracing::info!(method = call.method, path = call.path, status = reply.status, "call answered");
    let mut body = reply.body;
    if let Some(error) = body.get_mut("error").and_then(|error| error.as_object_mut()) {
        let log = format!("https://dashboard.stripe.com/logs/{}", call.request_id);
        error.entry("request_log_url").or_insert(json!(log));
    }
    // A text is the page of whoever stands between: it is sent as it is.
    let page = body.as_str().map(str::to_owned);
    let is_elses = page.is_some();
    let text = page.unwrap_or_else(|| format!("{}\n", rendering::answer_text(&body)));
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("date", &state.clock.date());
    if is_elses {
        set("content-type", "text/html");
        return response;
    }
    set("content-type", "application/json");
    set("request-id", &call.request_id);
    set("stripe-version", &state.options.api_version);
    for name in ["stripe-version", "idempotency-key", "stripe-account"] {
        if let Some(value) = sent.get(name).and_then(|value| value.to_str().ok()) {
            set(name, value);
        }
    }
    for (name, value) in &reply.headers {
        let seconds =
            value.parse().ok().filter(|_| *name == "retry-after" && state.requests.len().is_multiple_of(2));
        set(name, &seconds.map_or_else(|| value.clone(), |seconds| state.clock.date_in(seconds)));
    }
    response
}
