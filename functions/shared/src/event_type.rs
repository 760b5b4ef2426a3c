//! Stripe's event types: which exist, which change a record here, and the patterns that name several.
//!
//! An unknown type in a delivery is never an error (Stripe adds types); in an admin's request it is, because
//! there it is a slip of the pen. A pattern is an exact type or `prefix.*`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::kind::{self, Kind};

/// Every type that an endpoint can ask for, from Stripe's API of 2026-10-28.
static KNOWN: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| include_str!("event_types.txt").lines().filter(|line| !line.is_empty()).collect());

/// The type of a probe of ours (`probe`): none of Stripe's begins so.
pub const PROBE: &str = "billhook.probe";

/// Those of the types that change a record here for which an endpoint can ask.
static APPLIED: LazyLock<Vec<&'static str>> = LazyLock::new(|| types_of(Kind::all()));

/// Those of [`APPLIED`] that the first versions of Billhook applied.
static APPLIED_AT_FIRST: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| types_of(Kind::all().filter(|kind| kind.was_applied_at_first())));

/// The types of these kinds' events for which an endpoint can ask, in alphabetical order.
fn types_of(kinds: impl Iterator<Item = Kind> + Clone) -> Vec<&'static str> {
    let unlisted: BTreeSet<&str> = kinds.clone().flat_map(Kind::unlisted_event_types).copied().collect();
    let types: BTreeSet<&str> = kinds.flat_map(Kind::event_types).collect();
    types.difference(&unlisted).copied().collect()
}

/// The types that Billhook applies to records, in alphabetical order: what an endpoint gets that asks for
/// nothing else. Others, which no endpoint can ask for by name, are applied where they come
/// ([`Kind::unlisted_event_types`]).
pub fn applied() -> &'static [&'static str] {
    &APPLIED
}

/// The types that the first versions of Billhook applied, in alphabetical order: what an endpoint of then
/// asks for that was registered for all that was applied.
pub fn applied_at_first() -> &'static [&'static str] {
    &APPLIED_AT_FIRST
}

/// The types that an endpoint is to ask for which was registered with `events`. One with all that the first
/// versions applied was registered for all that is applied, and gets what is applied since; what somebody
/// chose by name stays as it is.
pub fn with_later_types(events: &[String]) -> Vec<String> {
    let chosen: BTreeSet<&str> = events.iter().map(String::as_str).collect();
    if !applied_at_first().iter().all(|event_type| chosen.contains(event_type)) {
        return events.to_vec();
    }
    let all: BTreeSet<&str> = chosen.into_iter().chain(applied().iter().copied()).collect();
    all.into_iter().map(str::to_owned).collect()
}

/// Returns whether an event of this type changes a record here.
pub fn is_applied(event_type: &str) -> bool {
    kind::effect(event_type).is_some()
}

/// A pattern that names no type of Stripe.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no event type of Stripe{}", meant(.nearest))]
pub struct UnknownType {
    /// What was asked for.
    pub pattern: String,
    /// Known types that look most like it, best first, at most three.
    pub nearest: Vec<&'static str>,
}

fn meant(nearest: &[&str]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; near it are {}", nearest.join(", ")) }
}

/// The exact types that `patterns` name, sorted, each once.
///
/// # Errors
/// The first pattern that names no type.
pub fn expand<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, UnknownType> {
    let mut types = BTreeSet::new();
    for pattern in patterns {
        let named = KNOWN.iter().filter(|known| matches(pattern, known));
        let mut any = false;
        for event_type in named {
            any = true;
            types.insert((*event_type).to_owned());
        }
        if !any {
            return Err(UnknownType { pattern: pattern.to_owned(), nearest: nearest(pattern) });
        }
    }
    Ok(types.into_iter().collect())
}

/// Returns whether a pattern, an exact type or `prefix.*`, matches this type.
pub fn matches(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(prefix) => event_type.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')),
        None => pattern == event_type,
    }
}

fn nearest(pattern: &str) -> Vec<&'static str> {
    let word = pattern.trim_end_matches(".*");
    let mut ranked: Vec<_> = KNOWN.iter().map(|known| (strsim::jaro_winkler(word, known), *known)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.into_iter().take(3).filter(|(likeness, _)| *likeness > 0.8).map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_for_all_of_the_first_versions_gets_what_is_applied_since_and_a_choice_stays() {
        let owned =
            |types: &[&str]| types.iter().map(|event_type| (*event_type).to_owned()).collect::<Vec<_>>();
        assert_eq!(applied_at_first().len(), 53);
        assert_eq!(with_later_types(&owned(applied_at_first())), owned(applied()));
        assert_eq!(with_later_types(&owned(applied())), owned(applied()));
        for chosen in
            [&["invoice.paid"][..], &applied_at_first()[1..], &["payout.paid", "charge.failed"], &[]]
        {
            assert_eq!(with_later_types(&owned(chosen)), owned(chosen));
        }
        // One that somebody asked for besides stays too.
        let mut more = owned(applied_at_first());
        more.push("account.updated".to_owned());
        let with_later = with_later_types(&more);
        assert!(
            with_later.contains(&"account.updated".to_owned()) && with_later.len() == applied().len() + 1
        );
    }

    #[test]
    fn an_endpoint_can_ask_for_what_is_applied_but_for_what_stripe_does_not_list() {
        assert!(applied().is_sorted() && applied().len() >= 53);
        for event_type in Kind::all().flat_map(Kind::event_types) {
            let is_listed = applied().contains(&event_type);
            assert_eq!(is_listed, KNOWN.contains(event_type), "{event_type}");
            assert!(is_applied(event_type), "{event_type}");
        }
    }

    #[test]
    fn a_prefix_names_all_types_below_it_and_nothing_beside_it() {
        let types = expand(["charge.dispute.*", "charge.dispute.closed"]).unwrap();
        assert_eq!(types.len(), 5);
        assert!(types.iter().all(|event_type| event_type.starts_with("charge.dispute.")));
        assert!(!matches("charge.*", "charges.created") && !matches("charge.*", "charge"));
    }

    #[test]
    fn a_misspelt_type_is_refused_with_the_nearest_names() {
        let error = expand(["invoice.payed"]).unwrap_err();
        assert!(error.nearest.contains(&"invoice.paid"), "{error}");
        for pattern in ["", "*", ".*", "invoice", "invoice.", "nothing.*"] {
            assert!(expand([pattern]).is_err(), "{pattern}");
        }
    }
}
