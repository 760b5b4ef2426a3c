//! What woke a function that both people and a schedule wake.

use lambda_http::{Context, Request};
use serde::Deserialize;
use serde_json::Value;

use super::GatewayEvent;

/// Why the function runs.
#[derive(Debug)]
pub enum Trigger {
    /// Its schedule.
    Schedule,
    /// Somebody's request, through API Gateway or by hand in its form.
    Request(Box<Request>),
}

/// The input is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the input is neither a request of the API nor a schedule")]
pub struct UnknownTrigger;

impl Trigger {
    /// Reads the input. `request_id` is Lambda's.
    ///
    /// # Errors
    /// If it is neither.
    pub fn read(input: &Value, request_id: &str) -> Result<Self, UnknownTrigger> {
        // EventBridge's scheduled events say so in `detail-type`.
        if input["detail-type"] == "Scheduled Event" {
            return Ok(Self::Schedule);
        }
        let event = GatewayEvent::deserialize(input).map_err(|_| UnknownTrigger)?;
        let mut context = Context::default();
        request_id.clone_into(&mut context.request_id);
        let request = event.into_request(context).map_err(|_| UnknownTrigger)?;
        Ok(Self::Request(Box::new(request)))
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::RequestExt;
    use serde_json::json;

    use super::*;
    use crate::http::request_id;

    #[test]
    fn a_schedule_a_request_and_nothing_else_is_told_apart() {
        let schedule = json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} });
        assert!(matches!(Trigger::read(&schedule, "r"), Ok(Trigger::Schedule)));
        let sample = include_str!("../../../../events/reconcile/reconcile.json");
        let sample = serde_json::from_str(sample).unwrap();
        let Ok(Trigger::Request(request)) = Trigger::read(&sample, "r-1") else { panic!() };
        assert_eq!((request.raw_http_path(), request_id(&request).as_str()), ("/reconcile", "r-1"));
        for neither in [json!({}), json!([]), json!({ "Records": [] }), json!({ "requestContext": {} })] {
            assert!(matches!(Trigger::read(&neither, "r"), Err(UnknownTrigger)), "{neither}");
        }
    }
}
