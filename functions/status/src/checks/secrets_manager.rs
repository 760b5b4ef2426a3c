//! Whether Secrets Manager answers, without which nothing is known of the Stripe key and the signing secrets.

use serde_json::json;
use shared::health::SecretPresence;

use crate::inputs::{EndpointInputs, StatusInputs, StripeKeyState};
use crate::report::{Check, Severity};

/// A warning where it answered minutes ago. Else it is an error: a process of `receive` that starts now has
/// no secret to check deliveries with, and refuses them.
pub(super) fn secrets_manager_answers(inputs: &StatusInputs, severity: Severity) -> Check {
    let code = "secrets_manager_answers";
    let is_unread = |endpoint: &&EndpointInputs| endpoint.secret == SecretPresence::Unknown;
    let unread: Vec<_> =
        inputs.endpoints.iter().filter(is_unread).map(|endpoint| &endpoint.row.name).collect();
    let is_key_unread = inputs.stripe_key == StripeKeyState::Unknown;
    let evidence = json!({ "stripe_key_unread": is_key_unread, "endpoints_unread": unread });
    let answered = |endpoint: &EndpointInputs| match endpoint.secret {
        SecretPresence::There | SecretPresence::Missing => true,
        SecretPresence::NotNamed | SecretPresence::Unknown => false,
    };
    if is_key_unread || !unread.is_empty() {
        Check::fail(
            code,
            if inputs.is_reconciled_lately { Severity::Warning } else { severity },
            "Secrets Manager does not answer, so it is not known whether the Stripe key and the signing secrets are there",
            evidence,
            "ask again in a moment; if it stays, look at the status function's log, and at https://health.aws.amazon.com",
        )
    } else if inputs.endpoints.iter().any(answered) {
        Check::pass(code, severity, "Secrets Manager answers", evidence)
    } else {
        let summary = "Secrets Manager was not asked, because there is no signing secret to look for";
        Check::unknown(code, severity, summary, evidence, "an endpoint")
    }
}
