//! The work of a function that both people and a schedule wake.

use lambda_http::lambda_runtime::Diagnostic;
use lambda_http::{Body, Context, Request, Response};
use serde::Deserialize;
use serde_json::Value;

use super::{ApiError, GatewayEvent, serve};

/// The input is neither a request nor a schedule's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the input is neither a request of the API nor a schedule")]
pub struct UnknownTrigger;

impl From<UnknownTrigger> for Diagnostic {
    fn from(error: UnknownTrigger) -> Self {
        Self { error_type: "Input".to_owned(), error_message: error.to_string() }
    }
}

/// Does one invocation's work, by what woke the function: its schedule, or somebody's request, through API
/// Gateway or by hand in its form. `request_id` is Lambda's. A request is always answered, also one that is
/// not what it says it is.
///
/// # Errors
/// What `run` fails with, which does the schedule's work; an input that is neither.
pub async fn dispatch<E: From<UnknownTrigger>>(
    input: &Value,
    request_id: &str,
    run: impl AsyncFnOnce() -> Result<Value, E>,
    respond: impl AsyncFnOnce(Request) -> Result<Response<Body>, ApiError>,
) -> Result<Value, E> {
    // Both are boxed, because futures of this depth are too much for the compiler's layout.
    // EventBridge's scheduled events say so in `detail-type`.
    if input["detail-type"] == "Scheduled Event" {
        return Box::pin(run()).await;
    }
    let event = GatewayEvent::deserialize(input).map_err(|_| UnknownTrigger)?;
    let mut context = Context::default();
    request_id.clone_into(&mut context.request_id);
    let answer = serve::answer(event, context, |request| async move {
        respond(request).await.unwrap_or_else(|error| error.into_response(request_id))
    });
    Ok(Box::pin(answer).await)
}

#[cfg(test)]
mod tests {
    use lambda_http::RequestExt;
    use serde_json::json;

    use super::*;
    use crate::http::{json, request_id};

    /// What becomes of an input: the schedule gives `"run"`; a request is answered by its path and id.
    async fn dispatched(input: &Value) -> Result<Value, UnknownTrigger> {
        let respond = async |request: Request| {
            let answer = json!([request.raw_http_path(), request_id(&request)]);
            Ok(json(lambda_http::http::StatusCode::OK, &answer))
        };
        dispatch(input, "r-1", async || Ok("run".into()), respond).await
    }

    fn sample() -> Value {
        serde_json::from_str(include_str!("../../../../events/reconcile/reconcile.json")).unwrap()
    }

    #[tokio::test]
    async fn a_schedule_a_request_and_nothing_else_is_told_apart() {
        let schedule = json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} });
        assert_eq!(dispatched(&schedule).await, Ok("run".into()));
        let answer = dispatched(&sample()).await.unwrap();
        assert_eq!(
            (&answer["statusCode"], &answer["body"]),
            (&json!(200), &json!(r#"["/reconcile","r-1"]"#))
        );
        for neither in [json!({}), json!([]), json!({ "Records": [] }), json!({ "requestContext": {} })] {
            assert_eq!(dispatched(&neither).await, Err(UnknownTrigger), "{neither}");
        }
    }

    #[tokio::test]
    async fn a_request_that_is_not_what_it_says_is_answered_and_does_not_fail() {
        let mut not_base64 = sample();
        not_base64["isBase64Encoded"] = true.into();
        not_base64["body"] = "not base64".into();
        let mut no_method = sample();
        no_method["requestContext"]["http"]["method"] = "G ET".into();
        for (event, status, code) in
            [(not_base64, 400, "body_invalid"), (no_method, 405, "method_not_allowed")]
        {
            let answer = dispatched(&event).await.unwrap();
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!(answer["statusCode"], status);
            assert_eq!((&body["error"]["code"], &body["error"]["request_id"]), (&json!(code), &json!("r-1")));
        }
    }
}
