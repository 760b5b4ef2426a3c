//! Checks of the Stripe key, and whether Stripe answers at all.

use serde_json::{Value, json};
use shared::health::StripeView;

use super::evidence::stripe_request;
use crate::inputs::{StatusInputs, StripeKeyState};
use crate::report::{Check, Severity};

const SET_THE_KEY: &str = "set a key with PUT /settings/stripe-key";

pub(super) fn checks(inputs: &StatusInputs, severity: Severity) -> Vec<Check> {
    let mut checks = vec![stripe_key_present(&inputs.stripe_key, severity)];
    let accepted = |request_id: Option<&String>| {
        let evidence = stripe_request(request_id);
        Check::pass("stripe_key_accepted", severity, "Stripe accepts the key", evidence)
    };
    let has_rights = |request_id: Option<&String>| {
        let summary = "the key may read webhook endpoints";
        Check::pass("stripe_key_rights", severity, summary, stripe_request(request_id))
    };
    let answers = |request_id: Option<&String>| {
        Check::pass("stripe_answers", severity, "Stripe answers", stripe_request(request_id))
    };
    match &inputs.at_stripe {
        StripeView::NotAsked => {}
        StripeView::Answered { request_id, .. } => {
            let id = request_id.as_ref();
            checks.extend([accepted(id), has_rights(id), answers(id)]);
        }
        StripeView::KeyRejected(failure) => checks.extend([
            Check::fail(
                "stripe_key_accepted",
                severity,
                "Stripe does not accept the key: it was revoked, or is not one of Stripe's",
                failure.to_evidence(),
                SET_THE_KEY,
            ),
            answers(failure.request_id.as_ref()),
        ]),
        StripeView::Forbidden(failure) => checks.extend([
            accepted(failure.request_id.as_ref()),
            Check::fail(
                "stripe_key_rights",
                severity,
                "the key may not read webhook endpoints, so nobody can tell how they stand at Stripe",
                failure.to_evidence(),
                "in Stripe's dashboard give the key `Webhook Endpoints: Write`, or set another with PUT /settings/stripe-key",
            ),
            answers(failure.request_id.as_ref()),
        ]),
        StripeView::Unavailable(failure) => checks.push(Check::fail(
            "stripe_answers",
            severity,
            "Stripe gave no answer that counts, so nobody can tell how the endpoints stand there",
            failure.to_evidence(),
            "ask again in a moment; https://status.stripe.com shows Stripe's incidents",
        )),
    }
    checks
}

fn stripe_key_present(key: &StripeKeyState, severity: Severity) -> Check {
    let code = "stripe_key_present";
    match key {
        StripeKeyState::Set { hint } => {
            Check::pass(code, severity, "a Stripe key is set", json!({ "hint": hint }))
        }
        StripeKeyState::NotSet => {
            Check::fail(code, severity, "no Stripe key is set", Value::Null, SET_THE_KEY)
        }
        StripeKeyState::Unknown => Check::fail(
            code,
            severity,
            "it is not known whether a Stripe key is set: Secrets Manager did not answer",
            Value::Null,
            "ask again in a moment; if it stays, look at the status function's log",
        ),
    }
}
