//! One change of an object: what it sets, and the event types that tell of it.

use serde_json::{Value, json};

/// What an object is after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on.
    Changed,
    /// It is deleted, and Stripe says so when it is asked.
    Deleted,
    /// It is deleted, and Stripe no longer knows it.
    Gone,
}

/// A change that is possible.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The fields to set; maps inside are merged.
    set: Value,
    /// The type that tells of any change of the kind, and always says what was replaced.
    pub(crate) updated: Option<&'static str>,
    /// The types that tell of this change alone.
    pub(crate) own: &'static [&'static str],
    /// What the object is afterwards.
    pub(crate) outcome: Outcome,
    /// Is it told also when the object looks as before?
    pub(crate) is_told_anyway: bool,
}

impl Change {
    /// A change of these fields.
    pub(crate) fn of(set: Value) -> Self {
        Self { set, updated: None, own: &[], outcome: Outcome::Changed, is_told_anyway: false }
    }

    /// `metadata` gets the key `k`, changes it or loses it.
    pub(crate) fn metadata(value: u8) -> Self {
        Self::of(json!({ "metadata": { "k": pick(value, ["", "1", "2"]) } }))
    }

    pub(crate) fn updated(self, event_type: &'static str) -> Self {
        Self { updated: Some(event_type), ..self }
    }

    pub(crate) fn own(self, types: &'static [&'static str]) -> Self {
        Self { own: types, ..self }
    }

    pub(crate) fn ends(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    pub(crate) fn told_anyway(self) -> Self {
        Self { is_told_anyway: true, ..self }
    }

    pub(crate) fn make(&self, object: &mut Value) {
        merge(object, &self.set, false);
    }

    /// The types it is told in, and whether each says what was replaced. Stripe does not always send both the general type and the
    /// change's own, and its own types say it at times (`charge.refund.updated` always).
    pub(crate) fn types(&self, told: u8) -> Vec<(&'static str, bool)> {
        let own = |says: bool| {
            let says = move |event_type: &str| says || event_type.ends_with(".updated");
            self.own.iter().map(move |event_type| (*event_type, says(event_type)))
        };
        match (self.updated, self.own, told % 4) {
            (None, _, told) => own(told == 1).collect(),
            (Some(updated), [], _) => vec![(updated, true)],
            (Some(updated), _, 0) => [(updated, true)].into_iter().chain(own(false)).collect(),
            (Some(updated), _, 1) => vec![(updated, true)],
            (Some(_), _, 2) => own(false).collect(),
            (Some(_), _, _) => own(true).take(1).chain(own(false).skip(1)).collect(),
        }
    }
}

/// One of several texts, around and around; the empty one stands for null.
pub(crate) fn pick<const N: usize>(which: u8, of: [&str; N]) -> Value {
    let text = of[usize::from(which) % N];
    if text.is_empty() { Value::Null } else { text.into() }
}

/// Sets fields; in `metadata`, null takes a key away.
fn merge(into: &mut Value, set: &Value, null_removes: bool) {
    let (Some(fields), Some(set_fields)) = (into.as_object_mut(), set.as_object()) else {
        *into = set.clone();
        return;
    };
    for (field, value) in set_fields {
        if null_removes && value.is_null() {
            fields.remove(field);
        } else {
            merge(fields.entry(field.clone()).or_insert(Value::Null), value, field == "metadata");
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
        Change::of(json!({"a": {"x": 2}, "list": [2, 3], "pause": null})).make(&mut object);
        Change::metadata(0).make(&mut object);
        assert_eq!(object, json!({"a": {"x": 2, "y": 1}, "list": [2, 3], "pause": null, "metadata": {}}));
    }

    #[test]
    fn the_general_type_always_says_what_was_replaced() {
        let change = Change::of(json!({})).updated("invoice.updated").own(&["invoice.paid", "invoice.sent"]);
        assert_eq!(
            change.types(0),
            [("invoice.updated", true), ("invoice.paid", false), ("invoice.sent", false)]
        );
        assert_eq!(change.types(1), [("invoice.updated", true)]);
        assert_eq!(change.types(2), [("invoice.paid", false), ("invoice.sent", false)]);
        assert_eq!(change.types(3), [("invoice.paid", true), ("invoice.sent", false)]);
    }
}
