//! Answers Lambda's invocations of a function that only API Gateway, or somebody by hand, invokes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::lambda_runtime::{self, service_fn};
use lambda_http::{Body, Context, Error, LambdaEvent, Request, Response};
use serde_json::{Map, Value};

use super::GatewayEvent;

/// Runs a function: each invocation's event becomes a request, and `handler`'s response the answer.
///
/// # Errors
/// If Lambda's runtime API cannot be reached.
pub async fn run<F>(handler: impl Fn(Request) -> F) -> Result<(), Error>
where
    F: Future<Output = Response<Body>>,
{
    lambda_runtime::run(service_fn(|event: LambdaEvent<GatewayEvent>| {
        // Boxed, because futures of this depth are too much for the compiler's layout.
        let answer = Box::pin(answer(event.payload, event.context, &handler));
        async move { Ok::<_, Error>(answer.await) }
    }))
    .await
}

/// Answers one invocation.
pub async fn answer<F>(event: GatewayEvent, context: Context, handler: impl FnOnce(Request) -> F) -> Value
where
    F: Future<Output = Response<Body>>,
{
    let request_id = context.request_id.clone();
    let response = match event.into_request(context) {
        Ok(request) => handler(request).await,
        Err(error) => error.into_response(&request_id),
    };
    to_lambda(response)
}

/// An answer as API Gateway takes it from a function (HTTP API, payload format 2.0). What is no text goes as
/// base64, which API Gateway decodes.
pub fn to_lambda(response: Response<Body>) -> Value {
    let (parts, body) = response.into_parts();
    let headers: Map<_, _> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())))
        .collect();
    let (body, is_base64) = match body {
        Body::Text(text) => (text, false),
        Body::Binary(bytes) => (STANDARD.encode(bytes), true),
        // `Body` may get other kinds; what is neither text nor bytes is empty.
        Body::Empty | _ => (String::new(), false),
    };
    // `json!` would copy the body.
    let mut answer = Map::new();
    answer.insert("statusCode".to_owned(), parts.status.as_u16().into());
    answer.insert("headers".to_owned(), headers.into());
    answer.insert("body".to_owned(), body.into());
    answer.insert("isBase64Encoded".to_owned(), is_base64.into());
    answer.into()
}
