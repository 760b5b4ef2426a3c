//! Asks Stripe how an object stands, when its events cannot tell.
//!
//! The answer is good only for a second that had wholly passed when Stripe was asked; before that, another change of the same second
//! could still come. So for a second that is not over, the question waits; if it is not over by Stripe's clock either, it is asked
//! again, and in the end the event is tried again later like any that failed.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;
use shared::aws::error_chain;
use shared::object_key::{Kind, ObjectKey};
use shared::stripe::StripeError;
use tokio::time::Instant;

use crate::Invocation;
use crate::error::ApplyError;

/// For one question, its tries included.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Seconds after which the whole second has passed, also for the longest way to Stripe and the rounding of its `Date`.
const OVER_AFTER: i64 = 3;
/// Questions about one second, before the event is left to the sweep.
const QUESTIONS: u32 = 3;

/// What Stripe said.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The object as it stands, good for all events up to a second.
    Object {
        /// Stripe's JSON.
        raw: Box<RawValue>,
        /// The second.
        as_of: i64,
    },
    /// A draft invoice that is gone for ever.
    Gone,
    /// The key may not read it, or there is none.
    MayNot,
}

/// By our own clock, can Stripe's answer not be good for this second yet?
fn is_hardly_over(tie: i64, now: Timestamp) -> bool {
    now.as_second() < tie + OVER_AFTER
}

/// Asks how an object stands, good for the second `tie` at least.
pub(crate) async fn ask(
    invocation: Invocation<'_>,
    key: &ObjectKey,
    tie: i64,
    was_draft: bool,
) -> Result<Answer, ApplyError> {
    let deps = invocation.deps;
    let Some(settings) = deps.registry.settings().await? else { return Ok(Answer::MayNot) };
    let session = deps.stripe.session(settings.stripe_key_set_at, Instant::now() + ANSWERED_WITHIN).await?;
    let Some(session) = session else { return Ok(Answer::MayNot) };
    if is_hardly_over(tie, invocation.now) {
        // An answer would be good for nothing.
        tokio::time::sleep(deps.ask_again_after).await;
    }
    for question in 1..=QUESTIONS {
        let answered = match session.object(key).await {
            Ok(Some(answered)) => answered,
            // Only a draft can be deleted for good (Stripe's API reference, "Delete a draft invoice").
            Ok(None) if key.kind() == Some(Kind::Invoice) && was_draft => return Ok(Answer::Gone),
            Ok(None) => return Err(ApplyError::NotAtStripe(key.to_string())),
            Err(StripeError::Forbidden(failure)) => {
                tracing::warn!(
                    error = error_chain(&*failure),
                    object.kind = key.object(),
                    "the key may not read what events cannot order"
                );
                return Ok(Answer::MayNot);
            }
            Err(error) => return Err(error.into()),
        };
        match answered.as_of() {
            Some(as_of) if as_of >= tie => return Ok(Answer::Object { raw: answered.value, as_of }),
            Some(_) if question < QUESTIONS => tokio::time::sleep(deps.ask_again_after).await,
            Some(_) => return Err(ApplyError::TooEarly),
            None => return Err(ApplyError::NoDate),
        }
    }
    Err(ApplyError::TooEarly)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_over_when_it_has_passed_for_stripe_too() {
        let hardly = |now: &str| is_hardly_over(1_795_521_600, now.parse().unwrap());
        assert!(hardly("2026-11-24T12:00:00Z") && hardly("2026-11-24T12:00:02.9Z"));
        assert!(!hardly("2026-11-24T12:00:03Z") && !hardly("2026-12-24T12:00:00Z"));
        assert!(hardly("2026-11-24T11:59:00Z"), "our clock is behind");
    }
}
