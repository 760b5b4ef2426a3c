//! What Stripe never answers, such as an object that fails there each time, must not hold up all that comes after it.
//!
//! A run that gets no answer halts, and the next asks for the same again. That counts only while Stripe answers something else, so an
//! outage of Stripe, or a limit on calls, passes over nothing.

use shared::registry::Halt;
use shared::stripe::{Session, StripeError, StripeFailure};

/// So many runs halt at one place; the last of them passes it. A run begins each minute, and what fails for a moment is over by then.
pub(crate) const RUNS: u32 = 5;

/// Is it this call alone that gets no answer? Then gives what happened to it.
///
/// # Errors
/// The halt: it is not.
pub(crate) async fn alone(session: &Session<'_>, halt: Halt) -> Result<Box<StripeFailure>, Halt> {
    match halt {
        Halt::NoAnswer(failure) if !failure.is_rate_limit() && answers(session).await => Ok(failure),
        halt @ (Halt::NoKey | Halt::KeyRejected(_) | Halt::NoAnswer(_)) => Err(halt),
    }
}

/// Does Stripe answer the shortest of lists, in a form that could be used?
async fn answers(session: &Session<'_>) -> bool {
    match session.endpoints().await {
        Ok(answered) => answered.as_of().is_some(),
        Err(StripeError::Forbidden(_)) => true,
        Err(StripeError::Refused(failure)) => !failure.is_rate_limit(),
        Err(
            StripeError::Unauthorized(_) | StripeError::IdempotencyKeySpent(_) | StripeError::NoAnswer(_),
        ) => false,
    }
}
