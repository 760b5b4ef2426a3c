//! Checks of reconciliation: whether it runs, and whether it could compare everything that Stripe sent.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::health::{GapReport, StripeView};
use shared::stripe::StripeFailure;

use super::evidence::stripe_request;
use crate::inputs::StatusInputs;
use crate::report::{Check, Severity};

/// A view of Stripe older than this is no view.
const RECENT: SignedDuration = SignedDuration::from_mins(15);

pub(super) fn checks(inputs: &StatusInputs, severity: Severity) -> Vec<Check> {
    let mut checks = vec![reconciled_lately(inputs, severity)];
    checks.extend(events_readable(&inputs.gaps, severity));
    checks.extend(events_compared(&inputs.gaps));
    checks.extend(accounts_readable(&inputs.gaps));
    checks
}

fn reconciled_lately(inputs: &StatusInputs, severity: Severity) -> Check {
    let code = "reconciled_lately";
    let is_recent = |at: Option<Timestamp>| at.is_some_and(|at| inputs.now.duration_since(at) <= RECENT);
    let evidence = json!({ "reconciled_at": inputs.reconciled_at });
    if is_recent(inputs.reconciled_at) {
        Check::pass(code, severity, "Stripe's events were compared with the ledger lately", evidence)
    } else if inputs.key_since.is_none() || is_recent(inputs.key_since) {
        Check::pass(code, severity, "there has been no key to compare with Stripe for long enough", evidence)
    } else {
        Check::fail(
            code,
            severity,
            "Stripe was not asked for over 15 minutes what it has that is not here, so what is missing is not known",
            evidence,
            "look at the reconcile function's log and its schedule; POST /reconcile does it now",
        )
    }
}

fn events_readable(gaps: &StripeView<GapReport>, severity: Severity) -> Option<Check> {
    let code = "events_readable";
    let fail = |summary: &str, failure: &StripeFailure, remedy: &str| {
        Some(Check::fail(code, severity, summary, failure.to_evidence(), remedy))
    };
    match gaps {
        StripeView::NotAsked => None,
        StripeView::Answered { request_id, .. } => {
            let evidence = stripe_request(request_id.as_ref());
            Some(Check::pass(code, severity, "the key may read events", evidence))
        }
        StripeView::Forbidden(failure) | StripeView::KeyRejected(failure) => fail(
            "the key may not read events, so nobody can tell whether all have arrived",
            failure,
            "in Stripe's dashboard give the key `Events: Read`, or set another with PUT /settings/stripe-key",
        ),
        StripeView::Unavailable(failure) => fail(
            "Stripe did not list its events, so nobody can tell whether all have arrived",
            failure,
            "wait for the next reconciliation; https://status.stripe.com shows Stripe's incidents",
        ),
    }
}

fn events_compared(gaps: &StripeView<GapReport>) -> Option<Check> {
    let code = "events_compared";
    let StripeView::Answered { value: gaps, .. } = gaps else { return None };
    let evidence = json!({ "compared_until": gaps.until.to_timestamp(), "still_to_compare": gaps.more });
    Some(if gaps.more {
        Check::fail(
            code,
            Severity::Warning,
            "not everything that Stripe made has been compared with the ledger yet; each reconciliation goes on",
            evidence,
            "wait, or send POST /reconcile to go on at once",
        )
    } else {
        let summary = "all that Stripe made has been compared with the ledger";
        Check::pass(code, Severity::Warning, summary, evidence)
    })
}

/// Connected accounts whose events cannot be compared.
fn accounts_readable(gaps: &StripeView<GapReport>) -> Option<Check> {
    let code = "accounts_readable";
    let StripeView::Answered { value: gaps, .. } = gaps else { return None };
    let evidence = json!({ "refused": gaps.refused, "unanswered": gaps.unanswered });
    Some(if !gaps.refused.is_empty() {
        Check::fail(
            code,
            Severity::Warning,
            "Stripe does not let the key read the events of connected accounts, so what is missing of theirs is not known",
            evidence,
            "nothing, if they have left the platform; else let the key act for connected accounts",
        )
    } else if !gaps.unanswered.is_empty() {
        Check::fail(
            code,
            Severity::Warning,
            "Stripe did not answer for connected accounts, so what is missing of theirs is not known",
            evidence,
            "wait for the next reconciliations; https://status.stripe.com shows Stripe's incidents",
        )
    } else {
        let summary = "the key may read the events of all connected accounts that have sent any";
        Check::pass(code, Severity::Warning, summary, evidence)
    })
}
