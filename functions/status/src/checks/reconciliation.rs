//! Checks of reconciliation: whether it runs, and whether it could compare everything that Stripe sent.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::health::{GapReport, StripeView};
use shared::stripe::StripeFailure;

use super::evidence::stripe_request;
use super::remedy::STRIPE_FIRST;
use crate::inputs::StatusInputs;
use crate::report::{Check, Severity};

/// What an unknown outcome waits for.
const NEXT_COMPARISON: &str =
    "the next reconciliation that may read Stripe's events; POST /reconcile does it now";
/// A view of Stripe older than this is no view.
const RECENT: SignedDuration = SignedDuration::from_mins(15);

pub(super) fn checks(inputs: &StatusInputs, severity: Severity) -> Vec<Check> {
    vec![
        reconciled_lately(inputs, severity),
        events_readable(inputs, severity),
        events_compared(&inputs.gaps),
        accounts_readable(inputs),
    ]
}

fn reconciled_lately(inputs: &StatusInputs, severity: Severity) -> Check {
    let code = "reconciled_lately";
    let is_recent = |at: Option<Timestamp>| at.is_some_and(|at| inputs.now.duration_since(at) <= RECENT);
    let evidence = json!({ "reconciled_at": inputs.reconciled_at });
    if is_recent(inputs.reconciled_at) {
        Check::pass(code, severity, "Stripe's events were compared with the ledger lately", evidence)
    } else if inputs.key_since.is_none() || is_recent(inputs.key_since) {
        Check::unknown(
            code,
            severity,
            "there has been no key to compare with Stripe for long enough",
            evidence,
            "the first reconciliation after a key is set; POST /reconcile does it now",
        )
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

fn events_readable(inputs: &StatusInputs, severity: Severity) -> Check {
    let code = "events_readable";
    let fail = |summary: &str, failure: &StripeFailure, remedy: &str| {
        Check::fail(code, severity, summary, failure.to_evidence(), remedy)
    };
    let unknown = |summary: &str, waits_for: &str| {
        Check::unknown(code, severity, summary, stripe_request(None), waits_for)
    };
    match &inputs.events_readable {
        StripeView::NotAsked => {
            unknown("Stripe was not asked for events", "a key, and an endpoint whose events can be compared")
        }
        StripeView::Answered { request_id, .. } => {
            Check::pass(code, severity, "the key may read events", stripe_request(request_id.as_ref()))
        }
        // `stripe_key_accepted` fails: one cause is told once.
        StripeView::KeyRejected(_) => {
            unknown("a key that Stripe does not accept may read nothing", "a key that Stripe accepts")
        }
        StripeView::Forbidden(failure) => fail(
            "the key may not read events, so nobody can tell whether all have arrived",
            failure,
            "in Stripe's dashboard give the key `Events: Read`, or set another with PUT /settings/stripe-key",
        ),
        // `stripe_answers` fails, for the same reason.
        StripeView::Unavailable(_) if matches!(inputs.at_stripe, StripeView::Unavailable(_)) => {
            unknown("Stripe did not answer, so it is not known whether the key may read events", STRIPE_FIRST)
        }
        StripeView::Unavailable(failure) if failure.is_too_large() => fail(
            "Stripe's list of events could not be read, so nobody can tell whether all have arrived",
            failure,
            "even a page of one event is larger than 16 MiB and does not begin as Stripe's lists do: look what stands between Billhook and Stripe (`StripeApiBase`, a proxy), and tell Stripe's support the request's id",
        ),
        StripeView::Unavailable(failure) => fail(
            "Stripe did not list its events, so nobody can tell whether all have arrived",
            failure,
            "ask again in a moment; https://status.stripe.com shows Stripe's incidents",
        ),
    }
}

fn events_compared(gaps: &StripeView<GapReport>) -> Check {
    let code = "events_compared";
    let StripeView::Answered { value: gaps, .. } = gaps else {
        return Check::unknown(
            code,
            Severity::Warning,
            "no event of Stripe has been compared with the ledger",
            json!({ "compared_until": null, "still_to_compare": false }),
            NEXT_COMPARISON,
        );
    };
    let evidence = json!({ "compared_until": gaps.until.to_timestamp(), "still_to_compare": gaps.more });
    if gaps.more {
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
    }
}

/// Connected accounts whose events cannot be compared.
fn accounts_readable(inputs: &StatusInputs) -> Check {
    let code = "accounts_readable";
    let unknown = |summary: &str, waits_for: &str| {
        let evidence = json!({ "refused": [], "unanswered": [], "known": 0, "not_listed": null });
        Check::unknown(code, Severity::Warning, summary, evidence, waits_for)
    };
    let connect = inputs.endpoints.iter().any(|endpoint| endpoint.row.spec.connect);
    let StripeView::Answered { value: gaps, .. } = &inputs.gaps else {
        return if connect {
            unknown("no connected account has been compared", NEXT_COMPARISON)
        } else {
            unknown("Stripe's events have not been compared", NEXT_COMPARISON)
        };
    };
    let last_night = inputs.payout_progress.as_ref().and_then(|progress| progress.last.as_ref());
    let not_listed = last_night.and_then(|last| last.connected_failure.as_ref()).filter(|_| connect);
    let evidence = json!({
        "refused": gaps.refused,
        "unanswered": gaps.unanswered,
        "known": gaps.connected,
        "not_listed": not_listed.map(StripeFailure::to_evidence),
    });
    if not_listed.is_some() {
        return Check::fail(
            code,
            Severity::Warning,
            "the connected accounts could not be listed last night, so those of which no event has come are not known",
            evidence,
            "`not_listed` has Stripe's words. In Stripe's dashboard give the key the right to read connected accounts (rak_connected_account_read); they are listed again each night",
        );
    }
    if connect && gaps.connected == 0 {
        return unknown(
            "no connected account is known yet, so nobody can tell whether their events arrive",
            "the first event of a connected account",
        );
    }
    if !gaps.refused.is_empty() {
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
        let summary = if connect {
            "the key may read the events of all connected accounts that have sent any"
        } else {
            "no endpoint takes events of connected accounts"
        };
        Check::pass(code, Severity::Warning, summary, evidence)
    }
}
