//! How the events of each endpoint came here over the last day, and the newest that did not by itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::endpoint::EndpointRow;
use shared::health::{
    Arrivals, GapReport, HealthSnapshot, RunArrivals, StripeView, Undelivered, newest_missed,
};
use shared::unix_time::UnixSeconds;

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

/// When the newest event of each endpoint was made that did not arrive by itself.
pub(crate) fn missed(
    undelivered: &BTreeMap<String, Undelivered>,
    arrivals: &BTreeMap<String, Arrivals>,
) -> BTreeMap<String, UnixSeconds> {
    let names = undelivered.keys().chain(arrivals.keys());
    let newest = |name: &String| newest_missed(undelivered.get(name), arrivals.get(name));
    names.filter_map(|name| Some((name.clone(), newest(name)?))).collect()
}
