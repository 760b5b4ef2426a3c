//! A console with a small page of its own, and what asks it.

use console::{Config, Deps, Issuer, PageFile, PageFiles, handle};
use lambda_http::http::Method;
use lambda_http::{Body, Response};
use serde_json::{Value, json};
use shared::http::GatewayEvent;
use shared::mode::Mode;

/// The sign-in pages of the pool.
pub(crate) const SIGN_IN: &str = "https://billhook-abc.auth.eu-central-1.amazoncognito.com";

pub(crate) fn config() -> Config {
    Config {
        mode: Mode::Test,
        stack_name: "billing".into(),
        issuer: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Pool".into(),
        client_id: "client".into(),
        issuer_kind: Issuer::OwnPool { url: SIGN_IN.into() },
        groups_claim: "cognito:groups".into(),
        admin_group: "admin".into(),
        viewer_group: "viewer".into(),
    }
}

/// A page whose script is compressed, and whose icon is not.
pub(crate) fn page() -> PageFiles {
    let file = |path: &str, content: &'static str| {
        // What is in it stands for its digest.
        (path.to_owned(), PageFile::new(content.as_bytes(), content.as_bytes()))
    };
    PageFiles::new([
        file("index.html", "<!doctype html><title>Billhook</title>"),
        file("index.html.br", "compressed index"),
        file("assets/index-1a2b.js", "start()"),
        file("assets/index-1a2b.js.br", "compressed script"),
        file("assets/icon-3c4d.svg", "<svg/>"),
    ])
}

pub(crate) fn console() -> Deps {
    Deps::new(config(), page()).unwrap()
}

/// What a browser gets for a path, if it says this in its headers.
pub(crate) fn get(deps: &Deps, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    ask(deps, &Method::GET, path, headers)
}

pub(crate) fn ask(deps: &Deps, method: &Method, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let headers: Value = headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let event: GatewayEvent = serde_json::from_value(json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": {"apiId": "abc", "http": {"method": method.as_str(), "sourceIp": "203.0.113.5"}},
        "isBase64Encoded": false,
    }))
    .unwrap();
    let request = event.into_request(lambda_http::Context::default()).unwrap();
    futures::executor::block_on(handle(deps, request))
}

pub(crate) fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}
