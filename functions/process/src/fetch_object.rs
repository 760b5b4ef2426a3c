//! Fetches an object from Stripe when its events cannot be put in order.
//!
//! The answer is good only for a second that had wholly passed when Stripe was asked; before that, another
//! change of the same second could still come. So for a second that is not over, the call waits; if it is not
//! over by Stripe's clock either, the call is made again, and in the end the event is tried again later like
//! any that failed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;
use shared::aws::error_chain;
use shared::kind::Deletion;
use shared::object_key::ObjectKey;
use shared::stripe::StripeError;
use shared::unix_time::UnixSeconds;

use crate::error::ApplyError;
use crate::invocation::Invocation;

/// For one object, all calls included.
const FETCH_WITHIN: Duration = Duration::from_secs(10);
/// After this the whole second has passed, also for the slowest way to Stripe and the rounding of its `Date`.
const OVER_AFTER: SignedDuration = SignedDuration::from_secs(3);
/// Calls about one second, before the event is left to the sweep.
const MAX_CALLS: u32 = 3;

/// What Stripe answered.
#[derive(Debug)]
pub(crate) enum FetchOutcome {
    /// The object as it is at Stripe.
    Fetched {
        /// Stripe's JSON.
        raw: Box<RawValue>,
        /// The last second whose events are all in it.
        as_of: UnixSeconds,
    },
    /// It is deleted for good.
    Deleted,
    /// Stripe no longer has it, though the key is of its account: test data that was deleted, for one.
    Gone,
    /// The key may not read it, or there is no key.
    NotReadable,
}

/// Fetches an object with all that happened to it up to `second`. `deletion` says how one that
/// stood as its events of that second show may be deleted for good; none if it cannot be.
pub(crate) async fn fetch_object(
    invocation: Invocation<'_>,
    key: &ObjectKey,
    second: UnixSeconds,
    deletion: Option<Deletion>,
) -> Result<FetchOutcome, ApplyError> {
    let deps = invocation.deps;
    let Some(settings) = deps.registry.settings().await? else { return Ok(FetchOutcome::NotReadable) };
    // A row that has begun when the invocation's time is up still has this long.
    let deadline = invocation.deadline.later_by(FETCH_WITHIN).within(FETCH_WITHIN);
    let session = deps.stripe.session(settings.stripe_key_set_at, deadline).await?;
    let Some(session) = session else { return Ok(FetchOutcome::NotReadable) };
    if is_too_early(second, invocation.now) {
        tokio::time::sleep(deps.ask_again_after).await;
    }
    for call in 1..=MAX_CALLS {
        let response = match session.object(key).await {
            Ok(Some(response)) => response,
            Ok(None) if matches!(deletion, Some(Deletion::GoneWhile(_))) => return Ok(FetchOutcome::Deleted),
            Ok(None) if session.is_gone(key, settings.stripe_account.as_deref()).await? => {
                let is_deleted = deletion == Some(Deletion::Gone);
                return Ok(if is_deleted { FetchOutcome::Deleted } else { FetchOutcome::Gone });
            }
            Ok(None) => return Err(ApplyError::NotAtStripe(key.to_string())),
            Err(StripeError::Forbidden(failure)) => {
                tracing::warn!(
                    error = error_chain(&*failure),
                    object.kind = key.object(),
                    "the Stripe key may not read an object whose events cannot be put in order"
                );
                return Ok(FetchOutcome::NotReadable);
            }
            Err(error) => return Err(error.into()),
        };
        match response.as_of() {
            Some(as_of) if as_of >= second => {
                return Ok(FetchOutcome::Fetched { raw: response.value, as_of });
            }
            Some(_) if call < MAX_CALLS => tokio::time::sleep(deps.ask_again_after).await,
            Some(_) => return Err(ApplyError::TooEarly),
            None => return Err(ApplyError::NoDate),
        }
    }
    Err(ApplyError::TooEarly)
}

/// Whether, by our own clock, the second may not be over yet at Stripe.
fn is_too_early(second: UnixSeconds, now: Timestamp) -> bool {
    UnixSeconds::from(now) < second + OVER_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_over_when_it_has_passed_for_stripe_too() {
        let too_early = |now: &str| is_too_early(UnixSeconds::new(1_795_521_600), now.parse().unwrap());
        assert!(too_early("2026-11-24T12:00:00Z") && too_early("2026-11-24T12:00:02.9Z"));
        assert!(!too_early("2026-11-24T12:00:03Z") && !too_early("2026-12-24T12:00:00Z"));
        assert!(too_early("2026-11-24T11:59:00Z"), "our clock is behind");
    }
}
