//! Answers Lambda's invocations of a function that only API Gateway, or somebody by hand, invokes.

use lambda_http::lambda_runtime::{self, service_fn};
use lambda_http::{Body, Context, Error, LambdaEvent, Request, Response};
use serde_json::Value;

use super::{GatewayEvent, to_lambda};

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
pub async fn answer<F>(event: GatewayEvent, context: Context, handler: impl Fn(Request) -> F) -> Value
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
