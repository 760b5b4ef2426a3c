//! Keeps calls that Stripe never answers, such as one for an object that fails there each time, from holding
//! up the others.
//!
//! A run whose call gets no usable response halts, and the next run makes the same call again. Such runs
//! count only while Stripe answers another call, so nothing is skipped during an outage of Stripe or while
//! calls are rate limited.

use shared::aws::error_chain;
use shared::lossy_json::LossyJsonError;
use shared::registry::Halt;
use shared::stripe::{Session, StripeError, StripeFailure, StripeResponse};
use shared::unix_time::UnixSeconds;

/// After how many failed runs a call is skipped. Runs begin each minute, so a short failure is over by then.
pub(crate) const MAX_RUNS: u32 = 5;

/// Returns what happened to the call, if it alone got no response while Stripe answers others.
///
/// # Errors
/// The halt, if it concerns all calls.
pub(crate) async fn isolated_failure(session: &Session<'_>, halt: Halt) -> Result<Box<StripeFailure>, Halt> {
    match halt {
        Halt::NoAnswer(failure) if !failure.is_rate_limit() && is_stripe_answering(session).await => {
            Ok(failure)
        }
        halt @ (Halt::NoKey | Halt::KeyRejected(_) | Halt::NoAnswer(_)) => Err(halt),
    }
}

/// Whether Stripe gives a usable response to its shortest list.
async fn is_stripe_answering(session: &Session<'_>) -> bool {
    match session.endpoints().await {
        Ok(response) => response.as_of().is_some(),
        Err(StripeError::Forbidden(_)) => true,
        Err(StripeError::Refused(failure)) => !failure.is_rate_limit(),
        Err(
            StripeError::Unauthorized(_) | StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_),
        ) => false,
    }
}

/// Returns the second up to which a response includes all that happened at Stripe.
///
/// # Errors
/// A response without `Date`, which something between us and Stripe has removed.
pub(crate) fn fetched_as_of<T>(response: &StripeResponse<T>) -> Result<UnixSeconds, Halt> {
    let problem = "Stripe's response has no `Date`, so it is unknown which events it includes";
    response.as_of().ok_or_else(|| unusable_response(problem, response.request_id.clone()))
}

/// The halt for a response that cannot be used.
pub(crate) fn unusable_response(problem: &str, request_id: Option<String>) -> Halt {
    Halt::NoAnswer(Box::new(not_an_error_of_stripes(problem.to_owned(), request_id)))
}

/// What is reported of an object that cannot be read, such as one that is nested too deeply.
pub(crate) fn unreadable(error: &LossyJsonError, request_id: Option<String>) -> StripeFailure {
    let message = format!("the object that Stripe returned cannot be read: {}", error_chain(error));
    not_an_error_of_stripes(message, request_id)
}

/// A failure that no error of Stripe's describes.
pub(crate) fn not_an_error_of_stripes(message: String, request_id: Option<String>) -> StripeFailure {
    StripeFailure { status: None, kind: None, code: None, message, param: None, request_id }
}
