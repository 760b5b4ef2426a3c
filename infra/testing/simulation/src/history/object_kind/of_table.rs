//! The kinds of which nothing is simulated but what the product's table says: their statuses, and what each
//! type of event reports.

use serde_json::{Map, Value, json};
use shared::kind::{Deletion, Effect, Kind, effect};

use super::Notice;
use crate::history::change::{Existence, ObjectChange, pick};

/// Returns a new object, and the type of its first event. Kinds without a type for being made are first
/// heard of when something of them changes.
pub(super) fn initial(kind: Kind, variant: u8) -> (Value, Vec<&'static str>) {
    let first =
        effects(kind).find(|(_, effect)| *effect == Effect::Creation).or_else(|| effects(kind).next());
    let (event_type, effect) = first.unwrap_or_else(|| panic!("{kind:?} has no events"));
    let mut object = Map::new();
    if let Some(amount) = kind.amount() {
        object.insert(amount.to_owned(), json!(100 + i64::from(variant)));
    }
    let open: Vec<&str> = kind.statuses().iter().copied().filter(|status| !kind.is_settled(status)).collect();
    if let Some(status) = open.get(usize::from(variant) % open.len().max(1)) {
        object.insert("status".to_owned(), json!(status));
    }
    // What an event reports a change of is there from the beginning: null would be no change.
    for (_, effect) in effects(kind) {
        if let Effect::ChangeOf(members) = effect {
            let others = members.iter().take(1).filter(|member| **member != "status");
            object.extend(others.map(|member| ((*member).to_owned(), json!("x_0"))));
        }
    }
    for path in kind.customer_members().iter().take(1) {
        object.insert((*path).to_owned(), json!("cus_1"));
    }
    for whole in kind.part_of() {
        object.insert(whole.member.to_owned(), json!(format!("{}_1", whole.object)));
    }
    let mut object = Value::Object(object);
    if let Effect::ChangeOf(members) = effect
        && let Some(set) = set(kind, event_type, members, &object, variant)
    {
        ObjectChange::new(set).apply(&mut object);
    }
    (object, vec![event_type])
}

/// Returns the changes that are possible now.
pub(super) fn changes(kind: Kind, object: &Value, value: u8) -> Vec<ObjectChange> {
    let updated = effects(kind)
        .find(|(event_type, effect)| *effect == Effect::Change && event_type.ends_with(".updated"))
        .map(|(event_type, _)| event_type);
    let general = |change: ObjectChange| match updated {
        Some(updated) => change.updated(updated),
        None => change,
    };
    let mut possible: Vec<ObjectChange> =
        updated.map(|_| general(ObjectChange::metadata(value))).into_iter().collect();
    for (event_type, effect) in effects(kind) {
        match effect {
            Effect::ChangeOf(members) => {
                let set = set(kind, event_type, members, object, value);
                possible.extend(set.map(|set| general(ObjectChange::new(set).own(&[event_type]))));
            }
            Effect::Change if Some(event_type) != updated => {
                possible.push(general(ObjectChange::metadata(value).own(&[event_type])));
            }
            Effect::Deletion => {
                let existence = match kind.deletion() {
                    Deletion::StillThere => Existence::Deleted,
                    Deletion::Never | Deletion::Gone | Deletion::GoneWhile(_) => Existence::Gone,
                };
                possible.push(ObjectChange::new(json!({})).own(&[event_type]).ends(existence));
            }
            Effect::Change
            | Effect::Creation
            | Effect::CreationOrChangeOf(_)
            | Effect::Detachment
            | Effect::Notice
            | Effect::Preview => {}
        }
    }
    possible
}

pub(super) fn notices(kind: Kind) -> Vec<Notice> {
    let notices = effects(kind).filter(|(_, effect)| *effect == Effect::Notice);
    notices.map(|(event_type, _)| Notice::SameObject(event_type)).collect()
}

fn effects(kind: Kind) -> impl Iterator<Item = (&'static str, Effect)> {
    kind.event_types().filter_map(|event_type| Some((event_type, effect(event_type)?)))
}

/// What an event sets that reports a change of these members; none if nothing can change so now.
fn set(kind: Kind, event_type: &str, members: &[&str], object: &Value, value: u8) -> Option<Value> {
    let member = *members.first()?;
    if kind.customer_members().contains(&member) {
        // Of one customer, or of none: Stripe lets nobody else have it (its API reference, "Detach a payment
        // method").
        let is_named = object[member].is_string();
        return Some(json!({ member: if is_named { Value::Null } else { json!("cus_1") } }));
    }
    if member != "status" {
        return Some(json!({ member: pick(value, ["", "x_1", "x_2"]) }));
    }
    let status = object["status"].as_str().unwrap_or_default();
    let after = status_after(kind, event_type)?;
    (!kind.is_settled(status) && status != after).then(|| json!({ "status": after }))
}

/// The status that a type names: `paid` of `payout.paid`, `void` of `credit_note.voided`.
fn status_after(kind: Kind, event_type: &str) -> Option<&'static str> {
    let word = event_type.rsplit('.').next()?;
    let named = kind.statuses().iter().copied().find(|status| word.starts_with(status));
    named.or(match word {
        "aborted" => Some("canceled"),
        "deactivated" => Some("inactive"),
        "finalized" => Some("open"),
        "reactivated" => Some("active"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_that_reports_a_status_leads_to_one() {
        for kind in Kind::all() {
            for (event_type, effect) in effects(kind) {
                if effect == Effect::ChangeOf(&["status"])
                    && super::super::ObjectKind::SIMULATED
                        .iter()
                        .all(|simulated| simulated.object() != kind.object())
                {
                    assert!(status_after(kind, event_type).is_some(), "{event_type}");
                }
            }
        }
    }
}
