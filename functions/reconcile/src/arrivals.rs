//! How the events of each endpoint came here over the last day, and the newest that did not by itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::endpoint::EndpointRow;
use shared::health::{Arrivals, GapReport, HealthSnapshot, RunArrivals, StripeView, Undelivered};
use shared::unix_time::{UnixMillis, UnixSeconds};

/// Adds what this run has counted to what earlier ones have. What was counted before an endpoint's
/// registration, or before it was enabled again, is left out.
pub(crate) fn over_a_day(
    last: Option<&HealthSnapshot>,
    events: &StripeView<GapReport>,
    rows: &[EndpointRow],
    now: Timestamp,
) -> BTreeMap<String, Arrivals> {
    let nothing = BTreeMap::new();
    let counted = match events {
        StripeView::Answered { value, .. } => &value.arrivals,
        StripeView::NotAsked
        | StripeView::KeyRejected(_)
        | StripeView::Forbidden(_)
        | StripeView::Unavailable(_) => &nothing,
    };
    let of_endpoint = |row: &EndpointRow| {
        let name = row.name.to_string();
        let kept = last.filter(|last| last.at >= row.subscribed_since);
        let mut arrivals = kept
            .and_then(|last| last.arrivals.get(&name).cloned())
            .unwrap_or_else(|| Arrivals { since: now.into(), ..Arrivals::default() });
        arrivals.add(counted.get(&name).unwrap_or(&RunArrivals::default()), now.into());
        (name, arrivals)
    };
    rows.iter().map(of_endpoint).collect()
}

/// The newest event of each endpoint that was not delivered: by Stripe's own word, or because it had to be
/// fetched though Stripe believes that it was taken.
pub(crate) fn missed(
    undelivered: &BTreeMap<String, Undelivered>,
    arrivals: &BTreeMap<String, Arrivals>,
) -> BTreeMap<String, UnixSeconds> {
    let mut missed: BTreeMap<String, UnixSeconds> = arrivals
        .iter()
        .filter_map(|(name, arrivals)| Some((name.clone(), arrivals.newest_fetched()?)))
        .collect();
    for (name, undelivered) in undelivered {
        let newest = missed.entry(name.clone()).or_insert(undelivered.newest);
        *newest = undelivered.newest.max(*newest);
    }
    missed
}

/// Whether nothing was delivered since the newest missed event was made.
pub(crate) fn still_missed(newest: UnixSeconds, last_delivery_at: Option<UnixMillis>) -> bool {
    Undelivered { newest, count: 1 }.still_holds(last_delivery_at)
}
