//! One change of an object: what it sets, and the event types in which it is sent.

use serde_json::{Value, json};

/// Whether an object exists after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existence {
    /// It exists.
    Exists,
    /// It is deleted, and Stripe answers so when it is fetched.
    Deleted,
    /// It is deleted, and Stripe no longer knows it.
    Gone,
}

/// A change that is possible.
#[derive(Debug, Clone)]
pub(crate) struct ObjectChange {
    /// The fields to set; maps inside are merged.
    set: Value,
    /// The type that is sent for any change of the kind, and always says what was replaced.
    pub(crate) updated: Option<&'static str>,
    /// The types that are sent for this change alone.
    pub(crate) own: Vec<&'static str>,
    /// Whether the object exists afterwards.
    pub(crate) existence: Existence,
    /// Whether it is sent also when the object looks as before.
    pub(crate) is_always_sent: bool,
}

impl ObjectChange {
    /// Returns a change of these fields.
    pub(crate) fn new(set: Value) -> Self {
        Self { set, updated: None, own: Vec::new(), existence: Existence::Exists, is_always_sent: false }
    }

    /// Returns a change that adds the key `k` to `metadata`, changes it or removes it.
    pub(crate) fn metadata(value: u8) -> Self {
        Self::new(json!({ "metadata": { "k": pick(value, ["", "1", "2"]) } }))
    }

    pub(crate) fn updated(self, event_type: &'static str) -> Self {
        Self { updated: Some(event_type), ..self }
    }

    pub(crate) fn own(self, types: &[&'static str]) -> Self {
        Self { own: types.to_vec(), ..self }
    }

    pub(crate) fn ends(self, existence: Existence) -> Self {
        Self { existence, ..self }
    }

    pub(crate) fn always_sent(self) -> Self {
        Self { is_always_sent: true, ..self }
    }

    pub(crate) fn apply(&self, object: &mut Value) {
        merge(object, &self.set, false);
    }

    /// Returns the types in which it is sent, and whether each says what was replaced. Stripe does not always
    /// send both the general type and the change's own types, and its own types say it at times
    /// (`charge.refund.updated` always).
    pub(crate) fn event_types(&self, selection: u8) -> Vec<(&'static str, bool)> {
        let own = |has_previous: bool| {
            let has_previous = move |event_type: &str| has_previous || event_type.ends_with(".updated");
            self.own.iter().map(move |event_type| (*event_type, has_previous(event_type)))
        };
        match (self.updated, self.own.as_slice(), selection % 4) {
            (None, _, selection) => own(selection == 1).collect(),
            (Some(updated), [], _) => vec![(updated, true)],
            (Some(updated), _, 0) => [(updated, true)].into_iter().chain(own(false)).collect(),
            (Some(updated), _, 1) => vec![(updated, true)],
            (Some(_), _, 2) => own(false).collect(),
            (Some(_), _, _) => own(true).take(1).chain(own(false).skip(1)).collect(),
        }
    }
}

/// Returns one of several texts, by the index modulo their number; the empty one stands for null.
pub(crate) fn pick<const N: usize>(index: u8, texts: [&str; N]) -> Value {
    let text = texts[usize::from(index) % N];
    if text.is_empty() { Value::Null } else { text.into() }
}

/// Sets fields; in maps that hold a key only while it says something, null removes it.
fn merge(into: &mut Value, set: &Value, null_removes: bool) {
    let (Some(fields), Some(set_fields)) = (into.as_object_mut(), set.as_object()) else {
        *into = set.clone();
        return;
    };
    for (field, value) in set_fields {
        if null_removes && value.is_null() {
            fields.remove(field);
        } else {
            merge(
                fields.entry(field.clone()).or_insert(Value::Null),
                value,
                matches!(field.as_str(), "metadata" | "fraud_details" | "checks"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_merged_and_metadata_loses_its_nulls() {
        let mut object =
            json!({"a": {"x": 1, "y": 1}, "list": [1], "pause": {"b": 1}, "metadata": {"k": "1"}});
        ObjectChange::new(json!({"a": {"x": 2}, "list": [2, 3], "pause": null})).apply(&mut object);
        ObjectChange::metadata(0).apply(&mut object);
        assert_eq!(object, json!({"a": {"x": 2, "y": 1}, "list": [2, 3], "pause": null, "metadata": {}}));
    }

    #[test]
    fn the_general_type_always_says_what_was_replaced() {
        let change =
            ObjectChange::new(json!({})).updated("invoice.updated").own(&["invoice.paid", "invoice.sent"]);
        assert_eq!(
            change.event_types(0),
            [("invoice.updated", true), ("invoice.paid", false), ("invoice.sent", false)]
        );
        assert_eq!(change.event_types(1), [("invoice.updated", true)]);
        assert_eq!(change.event_types(2), [("invoice.paid", false), ("invoice.sent", false)]);
        assert_eq!(change.event_types(3), [("invoice.paid", true), ("invoice.sent", false)]);
    }
}
