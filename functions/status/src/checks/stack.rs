//! Checks of the whole stack: its endpoints, and those at Stripe that it does not know.

use serde_json::{Value, json};
use shared::health::StripeView;
use shared::stripe::WebhookEndpoint;

use super::remedy;
use crate::inputs::StatusInputs;
use crate::report::{Check, Severity};

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

/// Endpoints at Stripe that this stack has certainly made (they carry its id) and does not know any more:
/// Stripe sends to them, and each delivery is refused here.
pub(super) fn left_over_at_stripe(inputs: &StatusInputs) -> Check {
    let code = "left_over_at_stripe";
    let StripeView::Answered { value: list, .. } = &inputs.at_stripe else {
        return endpoints_not_known(code);
    };
    let rows: Vec<_> = inputs.endpoints.iter().map(|endpoint| endpoint.row.clone()).collect();
    let left_over: Vec<_> = list
        .iter()
        .filter(|endpoint| endpoint.is_left_over(inputs.stack_id.as_deref(), &rows, inputs.now))
        .map(|endpoint| json!({ "stripe_id": endpoint.id, "url": endpoint.url }))
        .collect();
    let is_ok = left_over.is_empty();
    let evidence = json!({ "endpoints": left_over });
    if is_ok {
        let summary = "Stripe has no endpoint of this stack that is unknown here";
        Check::pass(code, Severity::Warning, summary, evidence)
    } else {
        Check::fail(
            code,
            Severity::Warning,
            "Stripe has endpoints that this stack made and does not know any more; what it sends to them is refused",
            evidence,
            remedy::DELETE_LEFT_OVER,
        )
    }
}

/// Endpoints at Stripe that send to where this stack's take deliveries and are not known to be its own: what
/// they send is refused, because nobody here knows their secret. They may be somebody's all the same: another
/// stack's, or another product's behind the same host.
pub(super) fn strangers_at_stripe(inputs: &StatusInputs) -> Check {
    let code = "strangers_at_stripe";
    let StripeView::Answered { value: list, .. } = &inputs.at_stripe else {
        return endpoints_not_known(code);
    };
    let rows: Vec<_> = inputs.endpoints.iter().map(|endpoint| endpoint.row.clone()).collect();
    let is_own =
        |found: &WebhookEndpoint| found.is_known(&rows) || found.is_created_by(inputs.stack_id.as_deref());
    let strangers: Vec<Value> = list
        .iter()
        .filter(|found| found.points_to(&inputs.public_url) && !is_own(found))
        .map(|found| json!({ "stripe_id": found.id, "url": found.url, "status": found.status }))
        .collect();
    let is_ok = strangers.is_empty();
    let evidence = json!({ "endpoints": strangers });
    if is_ok {
        let summary = "Stripe has no endpoint that sends here and is not known to be this stack's";
        Check::pass(code, Severity::Warning, summary, evidence)
    } else {
        Check::fail(
            code,
            Severity::Warning,
            "Stripe has endpoints that send here and are not known to be this stack's; what they bring is refused",
            evidence,
            remedy::ASK_WHOSE,
        )
    }
}

fn endpoints_not_known(code: &'static str) -> Check {
    let summary = "it is not known which endpoints Stripe has";
    Check::unknown(code, Severity::Warning, summary, json!({ "endpoints": [] }), remedy::STRIPE_FIRST)
}
