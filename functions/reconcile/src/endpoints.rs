//! The account's endpoints as Stripe tells of them: ours, and others that point here.

use std::time::Duration;

use jiff::Timestamp;
use shared::registry::Said;
use shared::stripe::{Answered, Session, StripeError, WebhookEndpoint};

use crate::Deps;

/// Gives the endpoints that matter here, and how far our clock is ahead of Stripe's, in milliseconds.
pub(crate) async fn look(
    deps: &Deps,
    session: &Session<'_>,
    now: Timestamp,
) -> (Said<Vec<WebhookEndpoint>>, Option<i64>) {
    match session.endpoints().await {
        Ok(answer) => {
            let ahead = clock_ahead(&answer, now);
            let ours = answer.value.into_iter().filter(|endpoint| {
                let marked = endpoint.mark().is_some_and(|mark| mark.stack == deps.stack);
                marked || endpoint.url.starts_with(&deps.public_url)
            });
            (Said::This { value: ours.collect(), request_id: answer.request_id }, ahead)
        }
        Err(error) => (refused(error), None),
    }
}

/// By Stripe's `Date`. Nothing is known below a second, and nothing while an answer took long.
fn clock_ahead<T>(answer: &Answered<T>, now: Timestamp) -> Option<i64> {
    let quick = answer.round_trip < Duration::from_secs(2);
    let date = answer.date.filter(|_| quick)?;
    Some(now.as_millisecond() - date.as_millisecond())
}

/// Why nothing is known.
pub(crate) fn refused<T>(error: StripeError) -> Said<T> {
    match error {
        StripeError::Unauthorized(refusal) => Said::KeyRefused(*refusal),
        StripeError::Forbidden(refusal) => Said::MayNot(*refusal),
        // A limit on calls, or something between us and Stripe: either way nothing is known.
        StripeError::Refused(refusal) | StripeError::Spent(refusal) | StripeError::NoAnswer(refusal) => {
            Said::NoAnswer(*refusal)
        }
    }
}
