//! Has Stripe create an endpoint, and gets its id and its signing secret, whatever becomes of the answers.
//!
//! ```text
//! attempt in the row ──► Stripe: create ──► id and signing secret
//!        ▲                   │
//!        │                   ├── refused ───────────────────► what an earlier request of the attempt created
//!        │                   │                                is deleted, the attempt taken back
//!        │                   ├── no answer ─────────────────► attempt stays; the same request goes on
//!        └── start over ◄────┴── the answer is lost for good (no secret in it, a kept 500, a day gone):
//!                                what the attempt created is found by its tag and deleted
//! ```
//!
//! Stripe shows the signing secret once, in the answer that creates the endpoint, and gives the same answer
//! again under the same idempotency key for a day. So each attempt has a fresh id, which is in the row before
//! Stripe is asked. It is the idempotency key, so that whoever goes on gets the same endpoint and the same
//! secret; and it is in the owner tag (`tag`), so that what the attempt created can be found.
//!
//! Two requests create endpoints, and differ in where the attempt stands in the row: `create` and `rotate`.

use jiff::{SignedDuration, Timestamp};
use shared::aws::error_chain;
use shared::endpoint::EndpointSpec;
use shared::secret::SigningSecret;
use shared::stripe::{CreatedEndpoint, NewEndpoint, OwnerTag, StripeError};
use shared::unix_time::UnixMillis;

use crate::context::{RequestContext, StripeContext};
use crate::deps::Deps;
use crate::endpoint::{limit, tag};
use crate::error::{RegisterError, StripeOperation};

/// Stripe keeps an answer under its idempotency key for a day at least. An hour less, so that a slow call
/// cannot come after that day and create a second endpoint.
const ANSWER_KEPT_FOR: SignedDuration = SignedDuration::from_hours(23);
/// Attempts that one request makes. The second is for a kept 500 met by the first; a third would fare no
/// better.
const ATTEMPTS: usize = 2;

/// An attempt at having Stripe create an endpoint, together with the row that it stands in.
pub(super) trait CreationAttempt {
    /// What Stripe is asked for, for the error.
    const OPERATION: StripeOperation;

    /// Its id, which is the idempotency key.
    fn id(&self) -> &str;

    /// What marks the endpoint that it creates.
    fn owner_tag(&self, deps: &Deps, stack_id: &str) -> OwnerTag;

    /// What Stripe is to create.
    fn spec(&self) -> EndpointSpec;

    /// When it began.
    fn begun_at(&self) -> UnixMillis;

    /// Whether this request began it, so that nobody has asked Stripe before.
    fn is_new(&self) -> bool;

    /// Puts a new attempt into the row, in place of this one, whose answer is lost. What it created is
    /// deleted by now.
    async fn start_over(&mut self, context: RequestContext<'_>) -> Result<(), RegisterError>;

    /// Writes the row anew, so that whoever else works on the attempt finds it changed. Fails if somebody has
    /// changed it before.
    async fn claim(&mut self, context: RequestContext<'_>) -> Result<(), RegisterError>;

    /// Takes the attempt out of the row, because Stripe refused it and has created nothing. A failure is
    /// logged: the attempt stays, and the same request goes on with it.
    async fn take_back(&mut self, context: RequestContext<'_>, refusal: &StripeError);
}

/// Has Stripe create the endpoint. Returns its id and its signing secret. Also if this fails, `attempt` is as
/// it is in the registry.
pub(super) async fn create_at_stripe<A: CreationAttempt>(
    stripe: StripeContext<'_>,
    attempt: &mut A,
) -> Result<(String, SigningSecret), RegisterError> {
    let StripeContext { request: context, session } = stripe;
    let stack_id = context.deps.registry.stack_id_or_new().await?;
    let mut is_lost = is_answer_lost(attempt, context.now);
    for _ in 0..ATTEMPTS {
        if is_lost {
            // Deleting comes first: the row is the only thing that knows the attempt.
            let deleted = tag::delete_created_by(session, attempt.id()).await;
            deleted.map_err(RegisterError::stripe(A::OPERATION))?;
            attempt.start_over(context).await?;
        }
        let (spec, tag) = (attempt.spec(), attempt.owner_tag(context.deps, &stack_id));
        let new = NewEndpoint { spec: &spec, tag: &tag };
        match session.create_endpoint(&new, attempt.id()).await.map(|created| created.value) {
            Ok(CreatedEndpoint { endpoint, secret: Some(secret) }) => return Ok((endpoint.id, secret)),
            Ok(CreatedEndpoint { secret: None, .. }) | Err(StripeError::IdempotencyKeySpent(_)) => {
                is_lost = true;
            }
            Err(error) => {
                let remedy = limit::remedy(stripe, &error).await;
                match created_by_attempt(&error, attempt.is_new()) {
                    CreatedByAttempt::Nothing => attempt.take_back(context, &error).await,
                    // An earlier request of the attempt may have had Stripe create it all the same.
                    CreatedByAttempt::NothingByThisRequest => {
                        // Of two requests of one attempt, the other may be about to keep what it created.
                        attempt.claim(context).await?;
                        match tag::delete_created_by(session, attempt.id()).await {
                            Ok(()) => attempt.take_back(context, &error).await,
                            Err(no_answer) => tracing::warn!(
                                error = error_chain(&no_answer),
                                "what an attempt may have created cannot be looked for now"
                            ),
                        }
                    }
                    CreatedByAttempt::Unknown => {}
                }
                return Err(RegisterError::Stripe { operation: A::OPERATION, error, remedy });
            }
        }
    }
    Err(RegisterError::AnswerLost)
}

/// Deletes an endpoint that was created for a row that somebody has removed or begun anew meanwhile. Returns
/// whether it is gone.
pub(super) async fn delete_orphan(stripe: StripeContext<'_>, stripe_id: &str) -> bool {
    match stripe.session.delete_endpoint(stripe_id).await {
        Ok(_) => true,
        Err(error) => {
            tracing::error!(
                error = error_chain(&error),
                stripe.endpoint = stripe_id,
                "an endpoint is left over at Stripe"
            );
            false
        }
    }
}

/// Whether Stripe may have forgotten the answer to the attempt.
pub(super) fn is_answer_lost(attempt: &impl CreationAttempt, now: Timestamp) -> bool {
    UnixMillis::from(now) - attempt.begun_at() >= ANSWER_KEPT_FOR
}

/// What an attempt may have created, by the failure of one of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CreatedByAttempt {
    /// No request of the attempt has created anything.
    Nothing,
    /// This request has created nothing; an earlier one may have.
    NothingByThisRequest,
    /// Nothing is known.
    Unknown,
}

/// Stripe looks at the API key, at its limits and perhaps at more before it looks at the idempotency key, so
/// a refusal need not be the answer that is kept under it. What it says of the API key or of a limit passes,
/// and then the same request goes on.
fn created_by_attempt(error: &StripeError, is_new: bool) -> CreatedByAttempt {
    match error {
        StripeError::Refused(_) | StripeError::Unauthorized(_) | StripeError::Forbidden(_) if is_new => {
            CreatedByAttempt::Nothing
        }
        StripeError::Refused(failure) if !failure.is_rate_limit() => CreatedByAttempt::NothingByThisRequest,
        StripeError::Refused(_)
        | StripeError::Unauthorized(_)
        | StripeError::Forbidden(_)
        | StripeError::IdempotencyKeySpent(_)
        | StripeError::NoAnswer(_) => CreatedByAttempt::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use shared::stripe::StripeFailure;

    use super::*;

    fn failure(status: u16) -> Box<StripeFailure> {
        Box::new(StripeFailure {
            status: Some(status),
            kind: None,
            code: None,
            message: String::new(),
            param: None,
            request_id: None,
        })
    }

    #[test]
    fn an_attempt_is_taken_back_only_if_nothing_can_have_been_created() {
        let as_400 = Box::new(StripeFailure { code: Some("rate_limit".into()), ..*failure(400) });
        let cases = [
            (StripeError::Refused(failure(400)), true, CreatedByAttempt::Nothing),
            (StripeError::Refused(failure(400)), false, CreatedByAttempt::NothingByThisRequest),
            (StripeError::Refused(failure(429)), true, CreatedByAttempt::Nothing),
            (StripeError::Refused(failure(429)), false, CreatedByAttempt::Unknown),
            (StripeError::Refused(as_400), false, CreatedByAttempt::Unknown),
            (StripeError::Unauthorized(failure(401)), true, CreatedByAttempt::Nothing),
            (StripeError::Unauthorized(failure(401)), false, CreatedByAttempt::Unknown),
            (StripeError::Forbidden(failure(403)), false, CreatedByAttempt::Unknown),
            (StripeError::NoAnswer(failure(500)), true, CreatedByAttempt::Unknown),
            (StripeError::IdempotencyKeySpent(failure(500)), true, CreatedByAttempt::Unknown),
        ];
        for (error, is_new, expected) in cases {
            assert_eq!(created_by_attempt(&error, is_new), expected, "{error:?} {is_new}");
        }
    }
}
