//! Serves the console: a page for people who never call an API, and what that page must know of the stack.
//!
//! - `GET /` the page, `GET /assets/{file}` its files (`page`);
//! - `GET /config.json` where people sign in, and with which groups (`sign_in`).
//!
//! The rule: nothing here is private, and nothing here decides. The page calls the same API as everybody,
//! with the token of whoever signed in; what they may see and do, the other functions decide.

mod config;
mod deps;
mod headers;
mod page;
mod sign_in;

use lambda_http::http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, RequestExt, Response};
use shared::http::{ApiError, json, request_id};

pub use self::config::{Config, Issuer};
pub use self::deps::Deps;
pub use self::headers::{SecurityHeaders, WrongUrl};
pub use self::page::{PageFile, PageFiles};
pub use self::sign_in::ConsoleConfig;

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    let response = respond(deps, &request);
    let mut response = response.unwrap_or_else(|error| error.into_response(&request_id(&request)));
    deps.security_headers.add_to(&mut response);
    response
}

fn respond(deps: &Deps, request: &Request) -> Result<Response<Body>, ApiError> {
    if request.method() != Method::GET {
        return Err(ApiError::method_not_allowed(request, "use GET"));
    }
    match request.raw_http_path() {
        "/" | "" => Ok(deps.page.index(request).unwrap_or_else(not_built)),
        "/config.json" => Ok(json(StatusCode::OK, &deps.console_config)),
        path => {
            let asset = path.strip_prefix("/assets/").and_then(|name| deps.page.asset(name, request));
            asset.ok_or_else(|| ApiError::no_route(request))
        }
    }
}

/// 503, for a person who looks at the address in a browser.
fn not_built() -> Response<Body> {
    let mut response = Response::new(Body::from(
        "This function was built without the console's page. `make page` makes it; then build and deploy again.\n",
    ));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
