//! Stripe's limit on the number of endpoints: where it is reached, the answer names the endpoints that stand
//! at Stripe, so that an admin can make room. It tells to delete only what this stack certainly left over.
//!
//! The number differs by account and over time, and the error has no code; what stays is the form of its
//! message (`maximum of 16`).

use shared::endpoint::EndpointRow;
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
    let registry = &stripe.request.deps.registry;
    let general = "make room for one more, then send the same request again";
    // Where it is not known which are ours, none is named.
    let (Ok(rows), Ok(stack_id)) = (registry.endpoints().await, registry.stack_id().await) else {
        return general.to_owned();
    };
    match stripe.session.endpoints().await {
        Ok(found) => {
            let stack_id = stack_id.as_deref();
            let is_left_over =
                |endpoint: &WebhookEndpoint| endpoint.is_left_over(stack_id, &rows, stripe.request.now);
            format!("{general}. {}", choices(&found.value, &rows, is_left_over))
        }
        Err(_) => general.to_owned(),
    }
}

/// What may make room, the harmless first. Only what is certainly of no use is to be deleted; of the others
/// their owners decide. `found` is sorted by age, the newest first.
fn choices(
    found: &[WebhookEndpoint],
    rows: &[EndpointRow],
    is_left_over: impl Fn(&WebhookEndpoint) -> bool,
) -> String {
    let (left_over, needed): (Vec<_>, Vec<_>) =
        found.iter().rev().partition(|endpoint| is_left_over(endpoint));
    let (ours, mut others): (Vec<_>, Vec<_>) =
        needed.into_iter().partition(|endpoint| endpoint.is_known(rows));
    others.sort_by_key(|endpoint| endpoint.is_enabled());
    let mut choices = Vec::new();
    if !left_over.is_empty() {
        choices.push(format!(
            "Left over from this stack, so delete them in Stripe's dashboard under Developers > Webhooks: {}",
            shown(&left_over)
        ));
    }
    if !others.is_empty() {
        choices.push(format!(
            "Not of this stack, so ask whoever made them whether they are needed (the disabled and the oldest \
             first): {}",
            shown(&others)
        ));
    }
    if !ours.is_empty() {
        let count = ours.len();
        choices.push(format!(
            "Of this stack and in use: {count}; GET /endpoints lists them, and DELETE /endpoints/{{name}} \
             removes one that is no longer needed"
        ));
    }
    choices.join(". ")
}

fn shown(endpoints: &[&WebhookEndpoint]) -> String {
    let shown = endpoints.iter().take(SHOWN).map(|endpoint| {
        let note = if endpoint.is_enabled() { "" } else { ", disabled" };
        format!("{} ({}{note})", endpoint.id, endpoint.url)
    });
    let shown: Vec<_> = shown.collect();
    let more = endpoints.len().saturating_sub(SHOWN);
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

    fn at_stripe(id: &str, status: &str, metadata: &[(&str, &str)]) -> WebhookEndpoint {
        let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        WebhookEndpoint {
            id: id.into(),
            url: format!("https://example.com/{id}"),
            enabled_events: vec![],
            api_version: None,
            description: None,
            status: status.into(),
            livemode: false,
            created: shared::unix_time::UnixSeconds::new(0),
            metadata,
        }
    }

    #[test]
    fn only_what_is_left_over_is_to_be_deleted_and_what_is_in_use_comes_last() {
        let tag_of =
            |id| [("billhook_stack", "stack"), ("billhook_name", "main"), ("billhook_registration", id)];
        let left_over = at_stripe("we_left", "enabled", &tag_of("gone"));
        let found = [
            at_stripe("we_new", "enabled", &[]),
            at_stripe("we_off", "disabled", &tag_of("of another stack of that name")),
            left_over.clone(),
            at_stripe("we_ours", "enabled", &tag_of("r-1")),
        ];
        let mut row = test_cloud::fixtures::endpoint_row("main", &[], test_cloud::fixtures::now());
        row.stripe_id = Some("we_ours".into());
        let remedy_text = choices(&found, &[row], |endpoint| *endpoint == left_over);
        let (delete, rest) = remedy_text.split_once(". ").unwrap();
        assert!(delete.contains("delete them") && delete.contains("we_left"), "{remedy_text}");
        let (ask, in_use) = rest.split_once(". ").unwrap();
        assert!(ask.contains("we_off (https://example.com/we_off, disabled), we_new"), "{remedy_text}");
        assert!(!rest.contains("delete them") && !remedy_text.contains("we_ours"), "{remedy_text}");
        assert!(in_use.starts_with("Of this stack and in use: 1"), "{remedy_text}");
    }
}
