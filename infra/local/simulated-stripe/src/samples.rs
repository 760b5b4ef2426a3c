//! One example of each event type that Billhook applies, and the names of all of Stripe's event types.
//!
//! They are built in from the project's own `events/stripe` folder, so that the simulated Stripe, the tests
//! and `sam local invoke` cannot come to disagree about what an event looks like.

use rust_embed::Embed;
use serde_json::Value;

/// All event types that an endpoint may subscribe to by name, one a line.
const TYPES: &str = include_str!("../../../../functions/shared/src/event_types.txt");

/// Whether Stripe has an event type of this name.
pub(crate) fn is_event_type(name: &str) -> bool {
    TYPES.lines().any(|line| line == name)
}

/// Returns the example event of this type, if there is one.
pub(crate) fn sample(kind: &str) -> Option<Value> {
    serde_json::from_slice(&Samples::get(&format!("{kind}.json"))?.data).ok()
}

/// A file for each type.
#[derive(Embed)]
#[folder = "../../../events/stripe"]
struct Samples;

#[cfg(test)]
mod tests {
    use shared::kind::Kind;

    use super::*;

    #[test]
    fn every_sample_is_an_event_of_the_type_it_is_filed_under() {
        assert!(Samples::iter().count() > 0);
        for file in Samples::iter() {
            let name = file.strip_suffix(".json").unwrap();
            assert_eq!(sample(name).unwrap()["type"], name);
            assert!(Kind::all().flat_map(Kind::event_types).any(|event_type| event_type == name), "{name}");
        }
    }

    #[test]
    fn each_applied_type_has_a_sample() {
        for event_type in Kind::all().flat_map(Kind::event_types) {
            assert!(sample(event_type).is_some(), "{event_type}");
        }
    }
}
