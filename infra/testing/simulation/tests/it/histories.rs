//! The histories themselves: honest, and of everything that Stripe tells.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use shared::event_type;
use simulated_stripe::history::{Expected, Kind, Life, Version};
use simulation::{draw, histories};

/// Statuses that Stripe never leaves, after its API reference.
fn is_settled(kind: Kind, status: &str) -> bool {
    let settled: &[&str] = match kind {
        Kind::Customer => &[],
        Kind::Subscription => &["canceled", "incomplete_expired"],
        Kind::Invoice => &["paid", "void"],
        Kind::InvoicePayment => &["paid", "canceled"],
        Kind::PaymentIntent => &["succeeded", "canceled"],
        Kind::Charge => &["failed"],
        Kind::Refund => &["failed", "canceled"],
        Kind::Dispute => &["won", "warning_closed", "prevented"],
    };
    settled.contains(&status)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_life_is_told_in_order_ends_as_it_stands_and_never_leaves_what_is_settled(plans in histories(1..4, 0..30)) {
        for life in plans.iter().map(Life::of) {
            let applied: Vec<_> = life.events.iter().filter(|told| told.expected == Expected::Applied).collect();
            for pair in applied.windows(2) {
                prop_assert!(pair[0].created <= pair[1].created);
                let status = |at: usize| pair[at].object["status"].as_str().unwrap_or_default();
                prop_assert!(!is_settled(life.kind, status(0)) || status(0) == status(1), "{:?}", pair);
            }
            let last = applied.last().unwrap();
            if !life.is_deleted() {
                prop_assert_eq!(Some(last.object.clone()), life.end_in(last.version));
            }
        }
    }

    #[test]
    fn all_events_have_ids_of_their_own_that_say_nothing_of_the_order(plans in histories(1..6, 0..30)) {
        let events: Vec<_> = plans.iter().map(Life::of).flat_map(|life| life.events).collect();
        let ids: BTreeSet<_> = events.iter().map(|told| told.id.clone()).collect();
        prop_assert_eq!(ids.len(), events.len());
    }
}

#[test]
fn histories_hold_every_type_that_is_applied_both_ways_to_write_and_all_ends() {
    let mut types = BTreeSet::new();
    let (mut old, mut gone, mut deleted, mut ids_in_order) = (0, 0, 0, 0);
    for seed in 0..1_500 {
        for life in draw(&histories(3..4, 10..30), seed).iter().map(Life::of) {
            types.extend(life.events.iter().map(|told| told.event_type.clone()));
            old += usize::from(life.events.iter().any(|told| told.version == Version::Acacia));
            gone += usize::from(life.is_deleted() && life.end_in(Version::Dahlia).is_none());
            deleted += usize::from(life.is_deleted() && life.end_in(Version::Dahlia).is_some());
            let pairs = life.events.windows(2).filter(|pair| pair[0].id < pair[1].id);
            ids_in_order += pairs.count().abs_diff(life.events.len() / 2);
        }
    }
    assert!(
        old > 50 && gone > 50 && deleted > 50 && ids_in_order > 50,
        "{old} {gone} {deleted} {ids_in_order}"
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../events/stripe");
    for sample in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(sample.unwrap().path()).unwrap();
        let sample: Value = serde_json::from_str(&text).unwrap();
        let event_type = sample["type"].as_str().unwrap();
        assert!(types.contains(event_type), "no history has a {event_type}");
    }
    assert!(types.iter().any(|event_type| !event_type::is_applied(event_type)));
}
