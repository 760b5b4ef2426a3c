//! How Stripe tells: the event around a snapshot, and `previous_attributes`.

use serde_json::{Map, Value, json};

use super::kinds::Notice;
use super::{Life, Version};

/// One event.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its id, which says nothing of the order.
    pub id: String,
    /// Its type.
    pub event_type: String,
    /// When Stripe made it, in unix seconds.
    pub created: i64,
    /// The version it is rendered in.
    pub version: Version,
    /// What it says of its object.
    pub object: Value,
    /// What is to become of it.
    pub expected: Expected,
    /// Its text.
    pub body: String,
}

/// What is to become of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It is applied to the record of its object.
    Applied,
    /// It changes no record.
    Ignored,
}

/// Tells of a change, and what it replaced if `before` is given.
pub(super) fn change(
    life: &Life,
    seed: u64,
    event_type: &str,
    before: Option<&Value>,
    at: i64,
    version: Version,
) -> Told {
    let object = match event_type {
        // Recordings have either shape.
        "customer.deleted" if seed.is_multiple_of(2) => {
            json!({ "id": life.id, "object": "customer", "deleted": true })
        }
        _ => life.kind.render(version, &life.state),
    };
    let before = before.map(|before| replaced(&life.kind.render(version, before), &object));
    told(life, seed, event_type, object, before, at, version)
}

/// Tells of no change.
pub(super) fn notice(life: &Life, seed: u64, notice: &Notice, at: i64, version: Version) -> Told {
    match notice {
        Notice::Of(event_type) => {
            let object = life.kind.render(version, &life.state);
            told(life, seed, event_type, object, None, at, version)
        }
        Notice::About(event_type, other) => {
            let told = told(life, seed, event_type, other.clone(), None, at, version);
            Told { expected: Expected::Ignored, ..told }
        }
    }
}

fn told(
    life: &Life,
    seed: u64,
    event_type: &str,
    object: Value,
    replaced: Option<Value>,
    at: i64,
    version: Version,
) -> Told {
    // Events of different lives differ, whatever the seeds.
    let owner = life.account.unwrap_or("own");
    let id = format!("evt_{:016x}_{}_{owner}", mixed(seed.wrapping_add(life.events.len() as u64)), life.id);
    let mut data = json!({ "object": object });
    if let Some(replaced) = replaced {
        data["previous_attributes"] = replaced;
    }
    let mut event = json!({
        "id": id, "object": "event", "type": event_type, "created": at, "livemode": false,
        "api_version": version.name(), "data": data, "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
    });
    if let Some(account) = life.account {
        event["account"] = account.into();
    }
    Told {
        id,
        event_type: event_type.to_owned(),
        created: at,
        version,
        object,
        expected: Expected::Applied,
        body: event.to_string(),
    }
}

/// `SplitMix64`: different numbers stay different.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// `previous_attributes` as Stripe writes them: of maps only what changed, null for a key that was not there; lists whole.
fn replaced(before: &Value, after: &Value) -> Value {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else { return before.clone() };
    let mut replaced = Map::new();
    for field in old.keys().chain(new.keys()) {
        let (was, is) = (old.get(field), new.get(field));
        if was != is {
            let was = was.unwrap_or(&Value::Null);
            replaced.insert(field.clone(), is.map_or_else(|| was.clone(), |is| self::replaced(was, is)));
        }
    }
    Value::Object(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_said_and_lists_whole() {
        let before = json!({"a": {"x": 1, "y": 1}, "list": [1, 2], "same": 1, "metadata": {"old": "1"}, "pause": null});
        let after = json!({"a": {"x": 2, "y": 1}, "list": [1, 3], "same": 1, "metadata": {"new": "1"}, "pause": {"b": 1}});
        let said =
            json!({"a": {"x": 1}, "list": [1, 2], "metadata": {"old": "1", "new": null}, "pause": null});
        assert_eq!(replaced(&before, &after), said);
    }
}
