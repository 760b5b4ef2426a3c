//! What Stripe says that it could not deliver to each endpoint (`pending_webhooks`).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shared::endpoint::{EndpointRow, EndpointState};
use shared::health::{GapReport, HealthSnapshot, StripeView, Undelivered};
use shared::unix_time::{UnixMillis, UnixSeconds};

/// An event that Stripe could not deliver counts for this long.
pub(crate) const COUNTS_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Returns what Stripe could not deliver to each endpoint within the last day, found by this run or an
/// earlier one. What was missed before an endpoint's registration is left out.
pub(crate) fn within_a_day(
    last: Option<&HealthSnapshot>,
    events: &StripeView<GapReport>,
    rows: &[EndpointRow],
    now: Timestamp,
) -> BTreeMap<String, Undelivered> {
    let mut all = last.map(|snapshot| snapshot.undelivered.clone()).unwrap_or_default();
    if let StripeView::Answered { value: gaps, .. } = events {
        for (name, found) in &gaps.undelivered {
            let known = all.entry(name.clone()).or_default();
            // A later run sees less of the same.
            if (found.newest, found.count) >= (known.newest, known.count) {
                *known = *found;
            }
        }
    }
    let earliest = UnixSeconds::from(now) - COUNTS_FOR;
    all.retain(|name, missed| {
        let row = rows.iter().find(|row| row.name.as_str() == name);
        let is_subscribed = |row: &EndpointRow| UnixMillis::from(missed.newest) >= row.subscribed_since;
        missed.newest >= earliest && row.is_some_and(is_subscribed)
    });
    all
}

/// Whether Stripe is to send events to it.
pub(crate) fn is_enabled(row: &EndpointRow) -> bool {
    row.state.accepts_deliveries() && row.state != EndpointState::Disabled
}
