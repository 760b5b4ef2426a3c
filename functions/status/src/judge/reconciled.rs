//! Checks of what reconciliation found: can it be told whether everything that Stripe sent arrived?

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::health::{GapReport, StripeView};
use shared::stripe::{StripeFailure, WebhookEndpoint};

use super::deliveries::{is_about, out_of_reach};
use super::{fails, holds};
use crate::facts::Facts;
use crate::verdict::{Check, Severity};

/// A view of Stripe older than this is no view.
const LATELY: SignedDuration = SignedDuration::from_mins(15);
/// From here a clock is worth a look.
const ODD_CLOCK: i64 = 30_000;
/// Deliveries are refused from five minutes on; from here it may be a matter of time.
const WRONG_CLOCK: i64 = 240_000;

const LET_IT_READ: &str =
    "in Stripe's dashboard give the key `Events: Read`, or set another with PUT /settings/stripe-key";

pub(super) fn checks(facts: &Facts, needed: Severity) -> Vec<Check> {
    let mut checks = vec![lately(facts, needed)];
    checks.extend(readable(&facts.events, needed));
    checks.extend(compared(&facts.events));
    checks.extend(accounts(&facts.events));
    checks.extend(clock(facts));
    checks.extend(strangers(facts));
    checks
}

fn lately(facts: &Facts, needed: Severity) -> Check {
    let code = "reconciled_lately";
    let recent = |at: Option<Timestamp>| at.is_some_and(|at| facts.now.duration_since(at) <= LATELY);
    let evidence = json!({ "reconciled_at": facts.reconciled_at });
    if recent(facts.reconciled_at) {
        holds(code, needed, "Stripe's events were compared with the ledger lately", evidence)
    } else if facts.key_since.is_none() || recent(facts.key_since) {
        holds(code, needed, "there has been no key to compare with Stripe for long enough", evidence)
    } else {
        fails(
            code,
            needed,
            "Stripe was not asked for over 15 minutes what it has that is not here, so what is missing is not known",
            evidence,
            "look at the reconcile function's log and its schedule; POST /reconcile does it now",
        )
    }
}

fn readable(events: &StripeView<GapReport>, needed: Severity) -> Option<Check> {
    let code = "events_readable";
    let said = |failure: &StripeFailure| {
        json!({
            "stripe_status": failure.status, "stripe_message": failure.message, "stripe_request": failure.request_id,
        })
    };
    let unknown = |summary: &str, failure: &StripeFailure, remedy: &str| {
        Some(fails(code, needed, summary, said(failure), remedy))
    };
    match events {
        StripeView::NotAsked => None,
        StripeView::Answered { request_id, .. } => {
            Some(holds(code, needed, "the key may read events", json!({ "stripe_request": request_id })))
        }
        StripeView::Forbidden(failure) | StripeView::KeyRejected(failure) => unknown(
            "the key may not read events, so nobody can tell whether all have arrived",
            failure,
            LET_IT_READ,
        ),
        StripeView::Unavailable(failure) => unknown(
            "Stripe did not list its events, so nobody can tell whether all have arrived",
            failure,
            "wait for the next reconciliation; https://status.stripe.com tells of Stripe's troubles",
        ),
    }
}

/// Has everything been looked at that Stripe made?
fn compared(events: &StripeView<GapReport>) -> Option<Check> {
    let code = "events_compared";
    let StripeView::Answered { value: gaps, .. } = events else { return None };
    let evidence =
        json!({ "compared_until": Timestamp::from_second(gaps.until).ok(), "still_to_compare": gaps.more });
    Some(if gaps.more {
        fails(
            code,
            Severity::Warning,
            "not everything that Stripe made has been compared with the ledger yet; each reconciliation goes on",
            evidence,
            "wait, or send POST /reconcile to go on at once",
        )
    } else {
        holds(code, Severity::Warning, "all that Stripe made has been compared with the ledger", evidence)
    })
}

/// Connected accounts whose events cannot be compared.
fn accounts(events: &StripeView<GapReport>) -> Option<Check> {
    let code = "accounts_readable";
    let StripeView::Answered { value: gaps, .. } = events else { return None };
    let evidence = json!({ "refused": gaps.refused, "unanswered": gaps.unanswered });
    Some(if !gaps.refused.is_empty() {
        fails(
            code,
            Severity::Warning,
            "Stripe does not let the key read the events of connected accounts, so what is missing of theirs is not known",
            evidence,
            "nothing, if they have left the platform; else let the key act for connected accounts",
        )
    } else if !gaps.unanswered.is_empty() {
        fails(
            code,
            Severity::Warning,
            "Stripe did not answer for connected accounts, so what is missing of theirs is not known",
            evidence,
            "wait for the next reconciliations; https://status.stripe.com tells of Stripe's troubles",
        )
    } else {
        holds(
            code,
            Severity::Warning,
            "the key may read the events of all connected accounts heard of",
            evidence,
        )
    })
}

/// By Stripe's answers, and by the `t` of what it signed: the latter is all there is without a key, and includes the way.
fn clock(facts: &Facts) -> Option<Check> {
    let code = "clock";
    let by_answer = facts.clock_ahead;
    let by_signature = facts
        .endpoints
        .iter()
        .filter_map(|endpoint| Some((endpoint.activity.at?, -endpoint.activity.off_by_s? * 1_000)))
        .filter(|(at, _)| {
            facts.now.as_millisecond() - at <= LATELY.as_millis().try_into().unwrap_or(i64::MAX)
        })
        .map(|(_, ahead)| ahead)
        .max_by_key(|ahead| ahead.abs());
    // A request that was signed long ago may be an old one sent again by anybody: it counts where Stripe's own do not arrive.
    let refused = facts.endpoints.iter().filter(|endpoint| out_of_reach(endpoint)).find_map(|endpoint| {
        let activity = endpoint.activity;
        activity.stale_by_s.filter(|_| is_about(endpoint, activity.stale_at)).map(|by| -by * 1_000)
    });
    let ahead = [by_answer, by_signature, refused].into_iter().flatten().max_by_key(|ahead| ahead.abs())?;
    let seconds = |ahead: Option<i64>| ahead.map(|ahead| ahead / 1_000);
    let evidence = json!({
        "seconds_ahead_of_stripe": seconds(by_answer),
        "seconds_ahead_of_signatures": seconds(by_signature),
        "seconds_ahead_of_refused_signatures": seconds(refused),
    });
    let severity = if ahead.abs() >= WRONG_CLOCK { Severity::Error } else { Severity::Warning };
    Some(if ahead.abs() < ODD_CLOCK {
        holds(code, Severity::Warning, "the clock here agrees with Stripe's", evidence)
    } else {
        fails(
            code,
            severity,
            "the clock here differs from Stripe's, or deliveries are long on their way; over five minutes, they are refused as too old or too new",
            evidence,
            "on AWS clocks are kept right: where the function runs elsewhere, set that machine's clock by NTP; look for a proxy that holds deliveries back",
        )
    })
}

/// Endpoints at Stripe that point here and were not made here: what they bring is refused, because nobody knows their secret.
fn strangers(facts: &Facts) -> Option<Check> {
    let code = "strangers_at_stripe";
    let StripeView::Answered { value: list, .. } = &facts.at_stripe else { return None };
    let ours = |found: &WebhookEndpoint| {
        let known =
            facts.endpoints.iter().any(|endpoint| endpoint.row.stripe_id.as_deref() == Some(&found.id));
        known || found.owner_tag().is_some_and(|mark| mark.stack == facts.stack)
    };
    let strangers: Vec<Value> = list
        .iter()
        .filter(|found| found.url.starts_with(&format!("{}/", facts.public_url)) && !ours(found))
        .map(|found| json!({ "stripe_id": found.id, "url": found.url, "status": found.status }))
        .collect();
    let evidence = json!({ "endpoints": strangers });
    Some(if strangers.is_empty() {
        holds(
            code,
            Severity::Warning,
            "Stripe has no endpoint that points here and was not made here",
            evidence,
        )
    } else {
        fails(
            code,
            Severity::Warning,
            "Stripe has endpoints that point here and were not made here; what they bring is refused",
            evidence,
            "delete them in Stripe's dashboard under Developers > Webhooks",
        )
    })
}
