//! Checks of what reconciliation found: did everything that Stripe sent arrive, and can that be told at all?

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::facts::{Gaps, Said};
use shared::stripe::{Refusal, WebhookEndpoint};

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
    checks.extend(arrived(facts));
    checks.extend(accounts(&facts.events));
    checks.extend(clock(facts.clock_ahead));
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

fn readable(events: &Said<Gaps>, needed: Severity) -> Option<Check> {
    let code = "events_readable";
    let said = |refusal: &Refusal| {
        json!({
            "stripe_status": refusal.status, "stripe_message": refusal.message, "stripe_request": refusal.request_id,
        })
    };
    let unknown = |summary: &str, refusal: &Refusal, remedy: &str| {
        Some(fails(code, needed, summary, said(refusal), remedy))
    };
    match events {
        Said::Nothing => None,
        Said::This { request_id, .. } => {
            Some(holds(code, needed, "the key may read events", json!({ "stripe_request": request_id })))
        }
        Said::MayNot(refusal) | Said::KeyRefused(refusal) => unknown(
            "the key may not read events, so nobody can tell whether all have arrived",
            refusal,
            LET_IT_READ,
        ),
        Said::NoAnswer(refusal) => unknown(
            "Stripe did not list its events, so nobody can tell whether all have arrived",
            refusal,
            "wait for the next reconciliation; https://status.stripe.com tells of Stripe's troubles",
        ),
    }
}

/// What had to be fetched is what Stripe cannot deliver, until a delivery comes in again.
fn arrived(facts: &Facts) -> Option<Check> {
    let code = "deliveries_arrive";
    let Said::This { value: gaps, .. } = &facts.events else { return None };
    let missing_at = facts.missing.and_then(|missing| Timestamp::from_millisecond(missing.at).ok());
    let heard_at = facts.endpoints.iter().filter_map(|endpoint| endpoint.heard_at).max();
    let evidence = json!({
        "compared_until": Timestamp::from_second(gaps.until).ok(),
        "last_missing": facts.missing.map(|missing| missing.count),
        "last_missing_at": missing_at,
        "last_delivery_at": heard_at,
        "still_to_compare": gaps.more,
    });
    let standing = missing_at.is_some_and(|missing| heard_at.is_none_or(|heard| heard <= missing));
    Some(if standing {
        fails(
            code,
            Severity::Error,
            "Stripe made events that did not arrive; they were fetched and are applied, but Stripe has not got through since",
            evidence,
            "Stripe's dashboard shows under Developers > Webhooks what its deliveries were answered: is the address right and public, does a firewall or proxy stand in between, was a secret changed there? When it is mended, send one event again there",
        )
    } else if gaps.more {
        fails(
            code,
            Severity::Warning,
            "not everything that Stripe made has been compared yet; each reconciliation goes on",
            evidence,
            "wait, or send POST /reconcile to go on at once",
        )
    } else {
        holds(code, Severity::Error, "what Stripe made and is wanted here arrives", evidence)
    })
}

/// Connected accounts whose events cannot be compared.
fn accounts(events: &Said<Gaps>) -> Option<Check> {
    let code = "accounts_readable";
    let Said::This { value: gaps, .. } = events else { return None };
    let evidence = json!({ "refused": gaps.refused });
    Some(if gaps.refused.is_empty() {
        holds(
            code,
            Severity::Warning,
            "the key may read the events of all connected accounts heard of",
            evidence,
        )
    } else {
        fails(
            code,
            Severity::Warning,
            "Stripe does not let the key read the events of connected accounts, so what is missing of theirs is not known",
            evidence,
            "nothing, if they have left the platform; else let the key act for connected accounts",
        )
    })
}

fn clock(ahead: Option<i64>) -> Option<Check> {
    let code = "clock";
    let ahead = ahead?;
    let evidence = json!({ "seconds_ahead_of_stripe": ahead / 1_000 });
    let severity = if ahead.abs() >= WRONG_CLOCK { Severity::Error } else { Severity::Warning };
    Some(if ahead.abs() < ODD_CLOCK {
        holds(code, Severity::Warning, "the clock here agrees with Stripe's", evidence)
    } else {
        fails(
            code,
            severity,
            "the clock here differs from Stripe's; over five minutes, deliveries are refused as too old or too new",
            evidence,
            "on AWS clocks are kept right: where the function runs elsewhere, set that machine's clock by NTP",
        )
    })
}

/// Endpoints at Stripe that point here and were not made here: what they bring is refused, because nobody knows their secret.
fn strangers(facts: &Facts) -> Option<Check> {
    let code = "strangers_at_stripe";
    let Said::This { value: list, .. } = &facts.at_stripe else { return None };
    let ours = |found: &WebhookEndpoint| {
        let known =
            facts.endpoints.iter().any(|endpoint| endpoint.row.stripe_id.as_deref() == Some(&found.id));
        known || found.mark().is_some_and(|mark| mark.stack == facts.stack)
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
