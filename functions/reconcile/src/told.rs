//! What a run tells as metrics: one line.

use jiff::Timestamp;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::health::{HealthSnapshot, StripeView};
use shared::ledger::{COUNTED, OpenCount};
use shared::metrics::{
    ENDPOINTS_AMISS, EVENTS_WAITING, GAPS_FILLED, Measured, Metrics, RECONCILE_BEHIND, RECONCILE_RAN,
    STRIPE_UNREADABLE,
};
use shared::stripe::WebhookEndpoint;

use crate::gaps::LISTED_FOR;

/// Tells what a run came to. What is not known is not told: an alarm must not take it for well or ill.
pub(crate) fn tell(metrics: &Metrics, facts: &HealthSnapshot, rows: &[EndpointRow], now: Timestamp) {
    let number = |number: u64| Measured::Number(number);
    let unreadable = is_unreadable(&facts.endpoints) || is_unreadable(&facts.events);
    let mut measured = vec![
        (RECONCILE_RAN, number(1)),
        (STRIPE_UNREADABLE, number(u64::from(unreadable))),
        (EVENTS_WAITING, number(count(facts.open.dead) + count(facts.open.quarantined))),
    ];
    if let StripeView::Answered { value: gaps, .. } = &facts.events {
        measured.push((GAPS_FILLED, number(gaps.filled)));
        // An account of which nothing is compared is as far behind as Stripe lists.
        let behind = (now - LISTED_FOR).as_second().max(gaps.until);
        measured.push((RECONCILE_BEHIND, number(u64::try_from(now.as_second() - behind).unwrap_or(0))));
    }
    if let StripeView::Answered { value: at_stripe, .. } = &facts.endpoints {
        let amiss = rows.iter().filter(|row| is_amiss(row, at_stripe)).count();
        measured.push((ENDPOINTS_AMISS, number(u64::try_from(amiss).unwrap_or(u64::MAX))));
    }
    metrics.emit(&measured, now);
}

/// Was Stripe asked, and did not say?
fn is_unreadable<T>(said: &StripeView<T>) -> bool {
    match said {
        StripeView::NotAsked | StripeView::Answered { .. } => false,
        StripeView::KeyRejected(_) | StripeView::Forbidden(_) | StripeView::Unavailable(_) => true,
    }
}

/// Is it to hear of events, and Stripe does not know it or does not send to it?
fn is_amiss(row: &EndpointRow, at_stripe: &[WebhookEndpoint]) -> bool {
    let there = at_stripe.iter().find(|endpoint| Some(&endpoint.id) == row.stripe_id.as_ref());
    row.state == EndpointState::Active && there.is_none_or(|endpoint| !endpoint.is_enabled())
}

/// The count, as far as it is counted.
fn count(open: OpenCount) -> u64 {
    match open {
        OpenCount::Exactly(count) => u64::try_from(count).unwrap_or(u64::MAX),
        OpenCount::More => u64::try_from(COUNTED + 1).unwrap_or(u64::MAX),
    }
}
