//! Takes a delivery from Stripe: verifies it, records it once, answers.
//!
//! The steps, in the order that keeps them safe and cheap:
//! 1. What is too large is refused before any work (`delivery`).
//! 2. The signature is checked against the secrets accepted now (`endpoint_cache`), with no call to AWS while
//!    they are known.
//! 3. The event is stored by one conditional write.
//! 4. Only then is it acknowledged. What cannot be stored in time is answered 503, and Stripe sends it again.
//!
//! What the status, the log and the metrics are to know of it is written at most once a minute
//! (`endpoint_activity`, `refusal_log`, `delivery_metrics`).
//!
//! Rules: no event is written for a request that Stripe has not signed; nothing is acknowledged that is not
//! stored; an answer comes within 3 s. Nothing is applied here: that is the work of `process`.

mod config;
mod delivery;
mod delivery_metrics;
mod deps;
mod endpoint_activity;
mod endpoint_cache;
mod error;
mod once_a_minute;
mod refusal_log;

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::aws::CallLimits;
use shared::deadline::Deadline;
use shared::event::EventId;
use shared::http::{ApiError, json, request_id};
use shared::ledger::{LedgerRow, Recorded};

pub use self::config::Config;
use self::delivery::Delivery;
use self::delivery_metrics::DeliveryOutcome;
pub use self::deps::Deps;
use self::endpoint_activity::WRITE_WITHIN;
use self::endpoint_cache::READ_WITHIN;
use self::error::ReceiveError;

/// Answers one request, at `deadline` at the latest.
pub async fn handle(deps: &Deps, request: Request, now: Timestamp, deadline: Deadline) -> Response<Body> {
    if request.method() != Method::POST {
        return webhook_address().into_response(&request_id(&request));
    }
    let received = deadline.bound(receive(deps, &request, now)).await;
    match received.unwrap_or(Err(ReceiveError::TooSlow)) {
        Ok((row, recorded)) => {
            if !row.is_probe() {
                deps.metrics.record(DeliveryOutcome::from(recorded), now);
            }
            let outcome = match recorded {
                Recorded::New => "stored",
                Recorded::Duplicate => "duplicate",
            };
            json(StatusCode::OK, &Acknowledgement { received: true, event: &row.id, outcome })
        }
        Err(error) => {
            deps.refusals.record(&error, now);
            deps.metrics.record(DeliveryOutcome::from(&error), now);
            error.answer().into_response(&request_id(&request))
        }
    }
}

/// Stripe gets its answer before this, of the 3 s that are promised: the rest is for API Gateway and the
/// network.
pub const ANSWER_WITHIN: Duration = Duration::from_millis(2_600);

/// What a delivery takes besides what hangs: the wait before the second attempt to store it (at most 100 ms),
/// that attempt, and the work in between.
const REST_WITHIN: Duration = Duration::from_millis(300);

// A delivery is stored and acknowledged in time where the endpoints cannot be read, the first attempt to
// store it gets no answer, and its activity cannot be written.
const _: () = assert!(
    READ_WITHIN.as_millis()
        + CallLimits::RECEIVE.attempt.as_millis()
        + WRITE_WITHIN.as_millis()
        + REST_WITHIN.as_millis()
        <= ANSWER_WITHIN.as_millis()
);
// Of Stripe's 3 s the rest is for API Gateway and the network.
const _: () = assert!(ANSWER_WITHIN.as_millis() + 300 <= 3_000);

/// The answer to somebody who looks at the address, which is no refusal of a delivery and counts as none.
fn webhook_address() -> ApiError {
    let message = "this is the address of a webhook: Stripe sends events here, by POST";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
        .remedy("there is nothing to look at here; GET /status says whether the webhook works")
}

/// The answer to a delivery that is stored.
#[derive(Serialize)]
struct Acknowledgement<'a> {
    received: bool,
    event: &'a EventId,
    outcome: &'static str,
}

/// Verifies and stores the delivery in a request.
async fn receive(
    deps: &Deps,
    request: &Request,
    now: Timestamp,
) -> Result<(LedgerRow, Recorded), ReceiveError> {
    let delivery = Delivery::from_request(request)?;
    let signed_at = match deps.endpoints.verify(&delivery, now).await {
        Ok(signed_at) => signed_at,
        Err(error) => {
            deps.activity.record_refusal(&delivery.endpoint, &error, now).await;
            return Err(error);
        }
    };
    let row = delivery.to_row(now)?;
    let recorded = deps.ledger.record(&row).await?;
    // After the write, because what is not stored was not delivered; and a probe does not come from Stripe.
    if !row.is_probe() {
        deps.activity.record_delivery(&delivery.endpoint, signed_at, now).await;
    }
    Ok((row, recorded))
}
