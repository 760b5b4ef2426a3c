//! Checks of the whole stack: its endpoints, those at Stripe that it does not know, and its clock.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::health::StripeView;
use shared::stripe::WebhookEndpoint;
use shared::unix_time::UnixMillis;

use super::remedy;
use crate::inputs::StatusInputs;
use crate::report::{Check, Severity};

/// A signature older than this says nothing of the clock now.
const RECENT_SIGNATURE: SignedDuration = SignedDuration::from_mins(15);
/// From this difference on a clock is worth a look.
const ODD_CLOCK: SignedDuration = SignedDuration::from_secs(30);
/// From this difference on a clock is an error: at five minutes deliveries are refused.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_mins(4);

/// No error: a stack without an endpoint is `inactive`, and nothing is expected to arrive.
pub(super) fn endpoint_registered(inputs: &StatusInputs) -> Check {
    let code = "endpoint_registered";
    let names: Vec<_> = inputs.endpoints.iter().map(|endpoint| &endpoint.row.name).collect();
    let evidence = json!({ "endpoints": names });
    if names.is_empty() {
        let summary = "no endpoint is registered, so nothing can arrive";
        Check::fail(code, Severity::Warning, summary, evidence, "register one with POST /endpoints")
    } else {
        Check::pass(code, Severity::Warning, "an endpoint is registered", evidence)
    }
}

/// Endpoints at Stripe that this stack made and does not know any more: Stripe sends to them, and each
/// delivery is refused here.
pub(super) fn left_over_at_stripe(inputs: &StatusInputs) -> Option<Check> {
    let StripeView::Answered { value: list, .. } = &inputs.at_stripe else { return None };
    let rows: Vec<_> = inputs.endpoints.iter().map(|endpoint| endpoint.row.clone()).collect();
    let left_over: Vec<_> = list
        .iter()
        .filter(|endpoint| endpoint.is_left_over(&inputs.stack, &rows, inputs.now))
        .map(|endpoint| json!({ "stripe_id": endpoint.id, "url": endpoint.url }))
        .collect();
    let code = "left_over_at_stripe";
    let is_ok = left_over.is_empty();
    let evidence = json!({ "endpoints": left_over });
    Some(if is_ok {
        let summary = "Stripe has no endpoint of this stack that is unknown here";
        Check::pass(code, Severity::Warning, summary, evidence)
    } else {
        Check::fail(
            code,
            Severity::Warning,
            "Stripe has endpoints that this stack made and does not know any more; what it sends to them is refused",
            evidence,
            remedy::DELETE_AT_STRIPE,
        )
    })
}

/// Endpoints at Stripe that point here and were not made here: what they send is refused, because nobody
/// knows their secret.
pub(super) fn strangers_at_stripe(inputs: &StatusInputs) -> Option<Check> {
    let code = "strangers_at_stripe";
    let StripeView::Answered { value: list, .. } = &inputs.at_stripe else { return None };
    let is_own = |found: &WebhookEndpoint| {
        let known =
            inputs.endpoints.iter().any(|endpoint| endpoint.row.stripe_id.as_deref() == Some(&found.id));
        known || found.owner_tag().is_some_and(|tag| tag.stack == inputs.stack)
    };
    let strangers: Vec<Value> = list
        .iter()
        .filter(|found| found.url.starts_with(&format!("{}/", inputs.public_url)) && !is_own(found))
        .map(|found| json!({ "stripe_id": found.id, "url": found.url, "status": found.status }))
        .collect();
    let is_ok = strangers.is_empty();
    let evidence = json!({ "endpoints": strangers });
    Some(if is_ok {
        let summary = "Stripe has no endpoint that points here and was not made here";
        Check::pass(code, Severity::Warning, summary, evidence)
    } else {
        Check::fail(
            code,
            Severity::Warning,
            "Stripe has endpoints that point here and were not made here; what they bring is refused",
            evidence,
            remedy::DELETE_AT_STRIPE,
        )
    })
}

/// By the `Date` of Stripe's answers, and by the `t` of what it signed: the latter is all there is without a
/// key, and includes the time on the way.
pub(super) fn clock(inputs: &StatusInputs) -> Option<Check> {
    let code = "clock";
    let by_answer = inputs.clock_ahead_ms.map(SignedDuration::from_millis);
    let by_signature = inputs
        .endpoints
        .iter()
        .filter_map(|endpoint| {
            Some((endpoint.activity.at?, SignedDuration::from_secs(-endpoint.activity.off_by_s?)))
        })
        .filter(|(at, _)| UnixMillis::from(inputs.now) - *at <= RECENT_SIGNATURE)
        .map(|(_, ahead)| ahead)
        .max_by_key(|ahead| ahead.abs());
    // A request that was signed long ago may be an old one that anybody sent again: it counts where Stripe's
    // own do not arrive.
    let by_refused =
        inputs.endpoints.iter().filter(|endpoint| endpoint.is_unreachable()).find_map(|endpoint| {
            let activity = endpoint.activity;
            let stale_by_s =
                activity.stale_by_s.filter(|_| endpoint.may_be_undelivered(activity.stale_at))?;
            Some(SignedDuration::from_secs(-stale_by_s))
        });
    let ahead =
        [by_answer, by_signature, by_refused].into_iter().flatten().max_by_key(|ahead| ahead.abs())?;
    let seconds = |ahead: Option<SignedDuration>| ahead.map(|ahead| ahead.as_secs());
    let evidence = json!({
        "seconds_ahead_of_stripe": seconds(by_answer),
        "seconds_ahead_of_signatures": seconds(by_signature),
        "seconds_ahead_of_refused_signatures": seconds(by_refused),
    });
    let severity = if ahead.abs() >= WRONG_CLOCK { Severity::Error } else { Severity::Warning };
    Some(if ahead.abs() < ODD_CLOCK {
        Check::pass(code, Severity::Warning, "the clock here agrees with Stripe's", evidence)
    } else {
        Check::fail(
            code,
            severity,
            "the clock here differs from Stripe's, or deliveries are long on their way; over five minutes, they are refused as too old or too new",
            evidence,
            "on AWS clocks are kept right: where the function runs elsewhere, set that machine's clock by NTP; look for a proxy that holds deliveries back",
        )
    })
}
