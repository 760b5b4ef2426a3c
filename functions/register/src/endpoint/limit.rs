//! Stripe's limit on the number of endpoints: where it is reached, the answer names the endpoints that stand
//! at Stripe, so that an admin can choose one to remove.
//!
//! The number differs by account and over time, and the error has no code; what stays is the form of its
//! message (`maximum of 16`).

use shared::stripe::{StripeError, StripeFailure, WebhookEndpoint};

use crate::context::StripeContext;

/// How many endpoints are named: more would not be read.
const SHOWN: usize = 5;

/// What to do about Stripe's refusal, if it is the limit.
pub(super) async fn remedy(stripe: StripeContext<'_>, error: &StripeError) -> Option<String> {
    match error {
        StripeError::Refused(failure) if is_reached(failure) => Some(what_to_remove(stripe).await),
        StripeError::Refused(_)
        | StripeError::Unauthorized(_)
        | StripeError::Forbidden(_)
        | StripeError::IdempotencyKeySpent(_)
        | StripeError::NoAnswer(_) => None,
    }
}

fn is_reached(failure: &StripeFailure) -> bool {
    let begins_with_a_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    failure.status == Some(400) && failure.message.split("maximum of ").skip(1).any(begins_with_a_number)
}

async fn what_to_remove(stripe: StripeContext<'_>) -> String {
    let deps = stripe.request.deps;
    let rows = deps.registry.endpoints().await.unwrap_or_default();
    let general = "delete an endpoint that is no longer needed, with DELETE /endpoints/{name} or in Stripe's \
                   dashboard under Developers > Webhooks, then send the same request again";
    match stripe.session.endpoints().await {
        Ok(found) => {
            let is_left_over =
                |endpoint: &WebhookEndpoint| endpoint.is_left_over(&deps.stack, &rows, stripe.request.now);
            format!("{general}. At Stripe there are {}", candidates(&found.value, is_left_over))
        }
        Err(_) => general.to_owned(),
    }
}

/// The best candidates first: ours that no row here knows, then disabled ones, then the oldest.
fn candidates(found: &[WebhookEndpoint], is_left_over: impl Fn(&WebhookEndpoint) -> bool) -> String {
    let mut candidates: Vec<_> = found.iter().rev().collect();
    candidates.sort_by_key(|endpoint| (!is_left_over(endpoint), endpoint.is_enabled()));
    let shown = candidates.iter().take(SHOWN).map(|endpoint| {
        let note = if is_left_over(endpoint) {
            ", left over from this stack"
        } else if !endpoint.is_enabled() {
            ", disabled"
        } else {
            ""
        };
        format!("{} ({}{note})", endpoint.id, endpoint.url)
    });
    let shown: Vec<_> = shown.collect();
    let more = found.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: &str) -> StripeFailure {
        StripeFailure {
            status: Some(400),
            kind: None,
            code: None,
            message: message.into(),
            param: None,
            request_id: None,
        }
    }

    #[test]
    fn the_limit_is_known_by_its_words_whatever_the_number() {
        assert!(is_reached(&failure("You have reached the maximum of 16 test webhook endpoints.")));
        assert!(is_reached(&failure("You have reached the maximum of 100 webhook endpoints")));
        assert!(!is_reached(&failure("A description can have a maximum of many characters")));
        assert!(!is_reached(&failure("Invalid URL")));
    }
}
