//! Events as Stripe writes them: the envelope around a snapshot, and `previous_attributes`.

use serde_json::{Map, Value, json};
use test_cloud::fixtures::unsorted_text;

use super::object_kind::Notice;
use super::rendering::signed;
use super::{ApiVersion, ObjectHistory};

/// One event.
#[derive(Debug, Clone)]
pub struct HistoryEvent {
    /// Its id, which does not follow the order.
    pub id: String,
    /// Its type.
    pub event_type: String,
    /// When Stripe created it, in unix seconds.
    pub created: i64,
    /// The version in which it is rendered.
    pub version: ApiVersion,
    /// Its snapshot of the object.
    pub object: Value,
    /// What the program has to do with it.
    pub expected: ExpectedOutcome,
    /// Its text.
    pub body: String,
}

/// What the program has to do with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedOutcome {
    /// Apply it to the record of its object.
    Applied,
    /// Change no record.
    Ignored,
}

/// Returns the event of a change, with what it replaced if `before` is given.
pub(super) fn from_change(
    history: &ObjectHistory,
    seed: u64,
    event_type: &str,
    before: Option<&Value>,
    at: i64,
    version: ApiVersion,
) -> HistoryEvent {
    let object = match event_type {
        // Recorded events have either shape.
        "customer.deleted" if seed.is_multiple_of(2) => {
            json!({ "id": history.id, "object": "customer", "deleted": true })
        }
        _ => history.kind.render(version, &history.state),
    };
    // What was before is rendered too, and signed once more.
    let salt = mixed(seed ^ mixed(history.events.len() as u64));
    let object = signed(&object, salt);
    let previous = before.map(|before| {
        previous_attributes(&signed(&history.kind.render(version, before), mixed(salt)), &object)
    });
    event(history, seed, event_type, object, previous, at, version)
}

/// Returns an event without a change.
pub(super) fn from_notice(
    history: &ObjectHistory,
    seed: u64,
    notice: &Notice,
    at: i64,
    version: ApiVersion,
) -> HistoryEvent {
    match notice {
        Notice::SameObject(event_type) => {
            let object = history.kind.render(version, &history.state);
            let object = signed(&object, mixed(seed ^ !mixed(history.events.len() as u64)));
            event(history, seed, event_type, object, None, at, version)
        }
        Notice::OtherObject(event_type, other) => {
            let event = event(history, seed, event_type, other.clone(), None, at, version);
            HistoryEvent { expected: ExpectedOutcome::Ignored, ..event }
        }
    }
}

fn event(
    history: &ObjectHistory,
    seed: u64,
    event_type: &str,
    object: Value,
    previous: Option<Value>,
    at: i64,
    version: ApiVersion,
) -> HistoryEvent {
    // Ids of different histories differ, whatever the seeds.
    let owner = history.account.unwrap_or("own");
    let number = mixed(seed.wrapping_add(history.events.len() as u64));
    let id = format!("evt_{number:016x}_{}_{owner}", history.id);
    let mut data = json!({ "object": object });
    if let Some(previous) = previous {
        data["previous_attributes"] = previous;
    }
    let mut event = json!({
        "id": id, "object": "event", "type": event_type, "created": at, "livemode": false,
        "api_version": version.name(), "data": data, "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
    });
    if let Some(account) = history.account {
        event["account"] = account.into();
    }
    HistoryEvent {
        id,
        event_type: event_type.to_owned(),
        created: at,
        version,
        object,
        expected: ExpectedOutcome::Applied,
        body: unsorted_text(&event, &format!("{number:016x}")),
    }
}

/// Mixes a number by `SplitMix64`: different numbers stay different.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Returns `previous_attributes` as Stripe writes them: of maps only what changed, null for a key that is
/// new; lists whole.
fn previous_attributes(before: &Value, after: &Value) -> Value {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else { return before.clone() };
    let mut previous = Map::new();
    for field in old.keys().chain(new.keys()) {
        let (old_value, new_value) = (old.get(field), new.get(field));
        if old_value != new_value {
            let old_value = old_value.unwrap_or(&Value::Null);
            let value = match new_value {
                Some(new_value) => previous_attributes(old_value, new_value),
                None => old_value.clone(),
            };
            previous.insert(field.clone(), value);
        }
    }
    Value::Object(previous)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previous_attributes_hold_only_what_changed_and_lists_whole() {
        let before = json!({"a": {"x": 1, "y": 1}, "list": [1, 2], "same": 1, "metadata": {"old": "1"}, "pause": null});
        let after = json!({"a": {"x": 2, "y": 1}, "list": [1, 3], "same": 1, "metadata": {"new": "1"}, "pause": {"b": 1}});
        let expected =
            json!({"a": {"x": 1}, "list": [1, 2], "metadata": {"old": "1", "new": null}, "pause": null});
        assert_eq!(previous_attributes(&before, &after), expected);
    }
}
