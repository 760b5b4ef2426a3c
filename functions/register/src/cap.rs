//! Stripe has no place left: says which endpoints stand there, so that an admin can choose one to remove.
//!
//! The number differs by account and time, and the error has no code; what stays is the form of its message (`maximum of 16`).

use jiff::Timestamp;
use shared::endpoint::EndpointRow;
use shared::stripe::{Session, StripeFailure, WebhookEndpoint};

use crate::Deps;

/// More than these would not be read.
const SHOWN: usize = 5;

/// Is this Stripe's refusal for want of a place?
pub(crate) fn is_reached(failure: &StripeFailure) -> bool {
    let number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    failure.status == Some(400) && failure.message.split("maximum of ").skip(1).any(number)
}

/// What to remove.
pub(crate) async fn remedy(
    deps: &Deps,
    session: &Session<'_>,
    rows: &[EndpointRow],
    now: Timestamp,
) -> String {
    let general = "delete an endpoint that is no longer needed, with DELETE /endpoints/{name} or in Stripe's dashboard under \
                   Developers > Webhooks, then send the same request again";
    match session.endpoints().await {
        Ok(found) => format!(
            "{general}. At Stripe there are {}",
            listed(&found.value, |one| one.is_left_over(&deps.stack, rows, now))
        ),
        Err(_) => general.to_owned(),
    }
}

/// The best candidates first: ours that no row here knows, then disabled ones, then the oldest.
fn listed(found: &[WebhookEndpoint], left_over: impl Fn(&WebhookEndpoint) -> bool) -> String {
    let mut candidates: Vec<_> = found.iter().rev().collect();
    candidates.sort_by_key(|endpoint| (!left_over(endpoint), endpoint.is_enabled()));
    let shown = candidates.iter().take(SHOWN).map(|endpoint| {
        let note = if left_over(endpoint) {
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
    fn the_cap_is_known_by_its_words_whatever_the_number() {
        assert!(is_reached(&failure("You have reached the maximum of 16 test webhook endpoints.")));
        assert!(is_reached(&failure("You have reached the maximum of 100 webhook endpoints")));
        assert!(!is_reached(&failure("A description can have a maximum of many characters")));
        assert!(!is_reached(&failure("Invalid URL")));
    }
}
