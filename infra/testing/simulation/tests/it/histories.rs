//! The histories themselves: realistic, and with every event type that Stripe sends.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use shared::event_type;
use simulation::history::{ApiVersion, ExpectedOutcome, ObjectHistory, ObjectKind, unsigned};
use simulation::{history_plans, sample};

/// Whether Stripe never leaves a status, by its API reference.
fn is_terminal(kind: ObjectKind, status: &str) -> bool {
    let terminal: &[&str] = match kind {
        ObjectKind::Customer => &[],
        ObjectKind::Subscription => &["canceled", "incomplete_expired"],
        // A paid one can be detached.
        ObjectKind::Invoice => &["void"],
        ObjectKind::InvoicePayment => &["canceled"],
        ObjectKind::PaymentIntent => &["succeeded", "canceled"],
        ObjectKind::Charge => &["failed"],
        ObjectKind::Refund => &["failed", "canceled"],
        ObjectKind::Dispute => &["won", "warning_closed", "prevented"],
        ObjectKind::OfTable(kind) => return kind.is_settled(status),
    };
    terminal.contains(&status)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_history_is_in_order_ends_in_its_last_snapshot_and_never_leaves_a_terminal_status(plans in history_plans(1..4, 0..30)) {
        for history in plans.iter().map(ObjectHistory::new) {
            let applied: Vec<_> = history.events.iter().filter(|event| event.expected == ExpectedOutcome::Applied).collect();
            for pair in applied.windows(2) {
                prop_assert!(pair[0].created <= pair[1].created);
                let status = |at: usize| pair[at].object["status"].as_str().unwrap_or_default();
                prop_assert!(!is_terminal(history.kind, status(0)) || status(0) == status(1), "{:?}", pair);
            }
            let last = applied.last().unwrap();
            if !history.is_deleted() {
                prop_assert_eq!(Some(unsigned(&last.object)), history.end_in(last.version));
            }
        }
    }

    #[test]
    fn all_events_have_unique_ids(plans in history_plans(1..6, 0..30)) {
        let events: Vec<_> = plans.iter().map(ObjectHistory::new).flat_map(|history| history.events).collect();
        let ids: BTreeSet<_> = events.iter().map(|event| event.id.clone()).collect();
        prop_assert_eq!(ids.len(), events.len());
    }
}

#[test]
fn histories_have_every_applied_type_both_formats_and_all_ends() {
    let mut types = BTreeSet::new();
    let (mut legacy, mut gone, mut deleted, mut ids_in_order) = (0, 0, 0, 0);
    for seed in 0..1_500 {
        for history in sample(&history_plans(3..4, 10..30), seed).iter().map(ObjectHistory::new) {
            types.extend(history.events.iter().map(|event| event.event_type.clone()));
            legacy += usize::from(history.events.iter().any(|event| event.version == ApiVersion::Acacia));
            gone += usize::from(history.is_deleted() && history.end_in(ApiVersion::Endive).is_none());
            deleted += usize::from(history.is_deleted() && history.end_in(ApiVersion::Endive).is_some());
            let pairs = history.events.windows(2).filter(|pair| pair[0].id < pair[1].id);
            ids_in_order += pairs.count().abs_diff(history.events.len() / 2);
        }
    }
    assert!(
        legacy > 50 && gone > 50 && deleted > 50 && ids_in_order > 50,
        "{legacy} {gone} {deleted} {ids_in_order}"
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
