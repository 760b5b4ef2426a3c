//! The metrics of a run: one line in the log.

use jiff::Timestamp;
use shared::endpoint::{EndpointRow, EndpointState};
use shared::health::{HealthSnapshot, StripeView};
use shared::ledger::{COUNTED, OpenCount};
use shared::metrics::{
    ENDPOINTS_AMISS, EVENTS_WAITING, GAPS_FILLED, Measured, Metrics, RECONCILE_BEHIND, RECONCILE_RAN,
    STRIPE_UNREADABLE,
};
use shared::stripe::WebhookEndpoint;
use shared::unix_time::UnixSeconds;

use crate::gaps::LISTED_FOR;

/// Emits what a run found. What is not known is left out, so that no alarm takes it for good or bad.
pub(crate) fn emit(metrics: &Metrics, snapshot: &HealthSnapshot, rows: &[EndpointRow], now: Timestamp) {
    let unreadable = is_unreadable(&snapshot.endpoints) || is_unreadable(&snapshot.events);
    let waiting = counted(snapshot.open.dead) + counted(snapshot.open.quarantined);
    let mut measured = vec![
        (RECONCILE_RAN, Measured::Number(1)),
        (STRIPE_UNREADABLE, Measured::Number(u64::from(unreadable))),
        (EVENTS_WAITING, Measured::Number(waiting)),
    ];
    if let StripeView::Answered { value: gaps, .. } = &snapshot.events {
        measured.push((GAPS_FILLED, Measured::Number(gaps.filled)));
        // An account of which nothing is compared is as far behind as Stripe lists.
        let compared_until = UnixSeconds::from(now - LISTED_FOR).max(gaps.until);
        let behind = UnixSeconds::from(now) - compared_until;
        measured.push((RECONCILE_BEHIND, Measured::Number(u64::try_from(behind.as_secs()).unwrap_or(0))));
    }
    if let StripeView::Answered { value: at_stripe, .. } = &snapshot.endpoints {
        let amiss = rows.iter().filter(|row| is_amiss(row, at_stripe)).count();
        measured.push((ENDPOINTS_AMISS, Measured::Number(u64::try_from(amiss).unwrap_or(u64::MAX))));
    }
    metrics.emit(&measured, now);
}

/// Whether Stripe was asked and did not answer.
fn is_unreadable<T>(view: &StripeView<T>) -> bool {
    match view {
        StripeView::NotAsked | StripeView::Answered { .. } => false,
        StripeView::KeyRejected(_) | StripeView::Forbidden(_) | StripeView::Unavailable(_) => true,
    }
}

/// Whether an active endpoint is one that Stripe does not know or does not send to.
fn is_amiss(row: &EndpointRow, at_stripe: &[WebhookEndpoint]) -> bool {
    let found = at_stripe.iter().find(|endpoint| Some(&endpoint.id) == row.stripe_id.as_ref());
    row.state == EndpointState::Active && found.is_none_or(|endpoint| !endpoint.is_enabled())
}

/// The count, as far as it is counted.
fn counted(open: OpenCount) -> u64 {
    match open {
        OpenCount::Exactly(count) => u64::try_from(count).unwrap_or(u64::MAX),
        OpenCount::More => u64::try_from(COUNTED + 1).unwrap_or(u64::MAX),
    }
}
