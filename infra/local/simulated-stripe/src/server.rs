//! HTTP on the loopback address: Stripe's API under `/v1`, the controls under `/_control`.

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
use crate::api::{Call, Outcome, access, answer};
use crate::requests::RequestSeen;
use crate::world::Shared;
use crate::{control, ids};
use connection::{CuttingListener, Switch};

/// Larger than any call to Stripe that is meant.
const LARGEST_BODY: usize = 1024 * 1024;

/// The port is taken before anything runs, so that whoever started it can connect at once.
pub(crate) fn bind(port: u16) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until the task is dropped.
pub(crate) async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) -> std::io::Result<()> {
    let listener = CuttingListener(tokio::net::TcpListener::from_std(listener)?);
    let routes = Router::new().nest("/_control", control::routes()).fallback(api).with_state(shared);
    axum::serve(listener, routes.into_make_service_with_connect_info::<Switch>()).await
}

/// Any call that is not a control is one to Stripe.
async fn api(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
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
        account: header("stripe-account").filter(|account| *account != shared.world().options.account),
    };
    log(&shared, &call, &head.headers);
    match answer(&shared, &call).await {
        Outcome::Cut => {
            switch.cut();
            Response::new(Body::empty())
        }
        Outcome::Reply(reply) => respond(&shared, &call, &head.headers, reply),
    }
}

fn log(shared: &Shared, call: &Call, headers: &HeaderMap) {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    let hint = |key: &String| key.chars().skip(key.chars().count().saturating_sub(4)).collect();
    let mut world = shared.world();
    let seen = RequestSeen {
        request_id: call.request_id.clone(),
        at: world.clock.now(),
        method: call.method.clone(),
        path: call.path.clone(),
        params: call.params.0.clone(),
        idempotency_key: call.idempotency_key.clone(),
        key_hint: call.key.as_ref().map(hint),
        stripe_version: header("stripe-version"),
        stripe_account: header("stripe-account"),
        status: None,
    };
    world.requests.push(seen);
}

fn respond(shared: &Shared, call: &Call, sent: &HeaderMap, reply: Reply) -> Response {
    let mut world = shared.world();
    if let Some(seen) = world.requests.iter_mut().rfind(|seen| seen.request_id == call.request_id) {
        seen.status = Some(reply.status);
    }
    tracing::info!(method = call.method, path = call.path, status = reply.status, "call answered");
    let mut body = reply.body;
    if let Some(error) = body.get_mut("error").and_then(|error| error.as_object_mut()) {
        let log = format!("https://dashboard.stripe.com/logs/{}", call.request_id);
        error.entry("request_log_url").or_insert(json!(log));
    }
    let mut response = Response::new(Body::from(format!("{body:#}\n")));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("content-type", "application/json");
    set("date", &world.clock.date());
    set("request-id", &call.request_id);
    set("stripe-version", &world.options.api_version);
    for name in ["stripe-version", "idempotency-key", "stripe-account"] {
        if let Some(value) = sent.get(name).and_then(|value| value.to_str().ok()) {
            set(name, value);
        }
    }
    for (name, value) in &reply.headers {
        set(name, value);
    }
    response
}
