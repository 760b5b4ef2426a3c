//! Checks of the Stripe key, and whether Stripe answers at all.

use serde_json::{Value, json};
use shared::health::StripeView;
use shared::stripe::StripeFailure;

use super::evidence::stripe_request;
use crate::inputs::{StatusInputs, StripeKeyState};
use crate::report::{Check, Severity};

/// What an unknown outcome waits for.
const WAITS_FOR_ANSWER: &str = "an answer of Stripe, which needs a key that Secrets Manager gives out";
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
    let unknown = |code: &'static str, summary: &str| {
        Check::unknown(code, severity, summary, stripe_request(None), WAITS_FOR_ANSWER)
    };
    let rights_unknown =
        || unknown("stripe_key_rights", "it is not known whether the key may read webhook endpoints");
    let rejected = |failure: &StripeFailure| {
        Check::fail(
            "stripe_key_accepted",
            severity,
            "Stripe does not accept the key: it was revoked, or is not one of Stripe's",
            failure.to_evidence(),
            SET_THE_KEY,
        )
    };
    match (&inputs.at_stripe, &inputs.events_readable) {
        // Whichever was asked last: a key that was refused once was revoked.
        (StripeView::KeyRejected(failure), _)
        | (StripeView::Answered { .. } | StripeView::Unavailable(_), StripeView::KeyRejected(failure)) => {
            let answers = answers(failure.request_id.as_ref());
            checks.extend([rejected(failure), rights_unknown(), answers]);
        }
        (StripeView::NotAsked, _) if inputs.stripe_key == StripeKeyState::NotSet => checks.extend([
            unknown("stripe_key_accepted", "there is no key that Stripe could accept"),
            rights_unknown(),
            unknown("stripe_answers", "Stripe was not asked, because there is no key"),
        ]),
        (StripeView::NotAsked, _) => checks.extend([
            unknown("stripe_key_accepted", "it is not known whether Stripe accepts the key"),
            rights_unknown(),
            unknown("stripe_answers", "Stripe was not asked, because Secrets Manager did not give out the key"),
        ]),
        (StripeView::Answered { request_id, .. }, _) => {
            let id = request_id.as_ref();
            let answers = inputs.no_answer.as_ref().map_or_else(|| answers(id), no_answer_now);
            checks.extend([accepted(id), has_rights(id), answers]);
        }
        (StripeView::Forbidden(failure), _) => checks.extend([
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
        (StripeView::Unavailable(failure), _) => checks.extend([
            unknown("stripe_key_accepted", "it is not known whether Stripe accepts the key"),
            rights_unknown(),
            Check::fail(
                "stripe_answers",
                severity,
                "Stripe gave no answer that counts, so nobody can tell how the endpoints stand there",
                failure.to_evidence(),
                "ask again in a moment; https://status.stripe.com shows Stripe's incidents",
            ),
        ]),
    }
    checks
}

/// A warning, because Stripe did answer minutes ago.
fn no_answer_now(failure: &StripeFailure) -> Check {
    Check::fail(
        "stripe_answers",
        Severity::Warning,
        "Stripe gave no answer that counts just now; what is said here of Stripe is of the last reconciliation",
        failure.to_evidence(),
        "ask again in a moment",
    )
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
        StripeKeyState::Unknown => Check::unknown(
            code,
            severity,
            "it is not known whether a Stripe key is set: Secrets Manager did not answer",
            Value::Null,
            "ask again in a moment; if it stays, look at the status function's log",
        ),
    }
}
