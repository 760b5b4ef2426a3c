//! An event as a claim on a record: whose object, as of when, in which state.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::version::{RecordVersion, made};
use crate::event::{Event, EventId};
use crate::kind::{self, Effect, Kind};
use crate::lossy_json;
use crate::object_key::ObjectKey;
use crate::unix_time::UnixSeconds;
use serde_json::Value;

/// One event's snapshot of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The event.
    pub id: EventId,
    /// Its type.
    pub event_type: String,
    /// When Stripe made it.
    pub created: UnixSeconds,
    /// The object it is of.
    pub key: ObjectKey,
    /// The version it is rendered in.
    pub api_version: Option<String>,
    /// What the change replaced, if the event says so.
    pub previous_attributes: Option<Value>,
    /// The object.
    pub object: Value,
    /// The object as Stripe wrote it.
    pub raw: String,
}

/// Why an event makes no claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotError {
    /// It is about nothing that is kept, such as the preview of an invoice.
    NoRecord,
    /// It is of a type that is applied, but its object is not what the type should carry.
    Unreadable(String),
}

impl Snapshot {
    /// Reads the claim an event makes.
    ///
    /// # Errors
    /// If it is about nothing that is kept, or cannot be read.
    pub fn from_event(event: &Event<'_>) -> Result<Self, SnapshotError> {
        let object: Value = lossy_json::from_str(event.object.get())
            .map_err(|error| SnapshotError::Unreadable(format!("data.object: {error}")))?;
        let Some(key) = event.subject() else {
            return match kind::effect(&event.event_type) {
                Some(Effect::Preview) => Err(SnapshotError::NoRecord),
                _ => Err(SnapshotError::Unreadable(
                    "data.object has no id that could name a record".to_owned(),
                )),
            };
        };
        if key.kind().is_none() {
            return Err(SnapshotError::Unreadable(format!(
                "data.object is a `{}`, which is no kind of record",
                key.object()
            )));
        }
        let previous_attributes = event
            .previous_attributes
            .map(|raw| lossy_json::from_str(raw.get()))
            .transpose()
            .map_err(|error| SnapshotError::Unreadable(format!("data.previous_attributes: {error}")))?
            .filter(|replaced: &Value| !replaced.is_null());
        Ok(Self {
            api_version: event.api_version.clone().map(Cow::into_owned),
            previous_attributes,
            id: event.id.clone(),
            event_type: event.event_type.clone().into_owned(),
            created: event.created,
            key,
            object,
            raw: event.object.get().to_owned(),
        })
    }

    /// What its type says of the object; of an unknown type, that something may have changed.
    fn effect(&self) -> Effect {
        kind::effect(&self.event_type).unwrap_or(Effect::Change)
    }

    /// What it is for the order of events.
    pub fn version(&self) -> RecordVersion {
        let made = self.made();
        RecordVersion { as_of: self.created, deleted: self.is_deletion(), fetched: false, made }
    }

    /// Returns when the object was made, if ids of its kind are used again.
    pub(super) fn made(&self) -> Option<UnixSeconds> {
        made(self.key.kind(), &self.object)
    }

    /// Returns whether it says that the object is deleted, which is final unless its id is used again. A
    /// canceled subscription is not gone: it can still change (Stripe's API reference, "Cancel a
    /// subscription").
    pub fn is_deletion(&self) -> bool {
        self.effect() == Effect::Deletion || self.object["deleted"] == true
    }

    /// Returns whether its type reports no change, but only that a time has come.
    pub(crate) fn is_notice(&self) -> bool {
        self.effect() == Effect::Notice
    }

    /// Returns whether it reports the creation of the object.
    pub(super) fn is_creation(&self) -> bool {
        match self.effect() {
            Effect::Creation => true,
            Effect::CreationOrChangeOf(_) => self.object["created"].as_i64() == Some(self.created.get()),
            Effect::Change
            | Effect::ChangeOf(_)
            | Effect::Deletion
            | Effect::Detachment
            | Effect::Notice
            | Effect::Preview => false,
        }
    }

    /// Returns whether it reports that a payment no longer belongs to its invoice.
    pub(super) fn is_detachment(&self) -> bool {
        self.effect() == Effect::Detachment
    }

    /// Returns whether its status is one that Stripe never leaves, other than those that an event of the
    /// second says were left.
    pub(super) fn is_settled(&self, left: &BTreeSet<&str>) -> bool {
        let status = Self::settled_status(self.key.kind(), &self.object);
        self.is_detachment() || status.is_some_and(|status| !left.contains(status))
    }

    /// Returns the status of an object, if Stripe never leaves it. Invoices of before API 2018-11-08 have no
    /// status, but a flag `paid`.
    pub(super) fn settled_status(kind: Option<Kind>, object: &Value) -> Option<&str> {
        let kind = kind?;
        let Some(status) = object["status"].as_str() else {
            return (kind == Kind::INVOICE && object["paid"] == true).then_some("paid");
        };
        Some(status).filter(|status| kind.is_settled(status))
    }

    /// Returns the status that the change left, if the event says so.
    pub(super) fn status_left(&self) -> Option<&str> {
        if self.is_detachment() {
            return Some("paid").filter(|paid| self.object["status"] != *paid);
        }
        let replaced = self.previous_attributes.as_ref()?;
        match replaced["status"].as_str() {
            Some(status) => Some(status).filter(|status| self.object["status"] != *status),
            None if replaced["paid"] == true && self.object["paid"] != true => Some("paid"),
            None => None,
        }
    }

    /// Returns whether its type can report a change between two states that differ. Most types can report
    /// any; some only one thing, which must then differ (Stripe's API reference, "Types of events").
    pub(super) fn can_report(&self, before: &Value, after: &Value) -> bool {
        // Older versions lack some of the fields, or all.
        let differ = |fields: &[&str]| {
            let mut values = fields.iter().map(|field| (before.get(field), after.get(field)));
            let are_unknown = values.clone().all(|(before, after)| before.is_none() && after.is_none());
            are_unknown || values.any(|(before, after)| before != after)
        };
        if self.key.kind() == Some(Kind::INVOICE) && !self.invoice_can_become(before, after) {
            return false;
        }
        match self.effect() {
            Effect::ChangeOf(members) => differ(members),
            Effect::CreationOrChangeOf(members) => !members.is_empty() && differ(members),
            // An object is made once.
            Effect::Creation => false,
            Effect::Change | Effect::Deletion | Effect::Detachment | Effect::Notice | Effect::Preview => true,
        }
    }

    /// Returns whether one of the types that report one thing of an invoice can report this change of it.
    /// What only its merchant writes is reported by `invoice.updated`, tries are only added, and a status
    /// goes forward.
    fn invoice_can_become(&self, before: &Value, after: &Value) -> bool {
        if matches!(self.event_type.as_str(), "invoice.created" | "invoice.updated") {
            return true;
        }
        let same = |fields: &[&str]| fields.iter().all(|field| before.get(field) == after.get(field));
        let attempts = |invoice: &Value| invoice["attempt_count"].as_i64();
        let is_dated = matches!(self.event_type.as_str(), "invoice.finalized" | "invoice.sent");
        same(&["metadata", "description", "footer", "custom_fields", "shipping_details"])
            && (is_dated || same(&["due_date", "parent"]))
            && attempts(before) <= attempts(after)
            && !(before["status"] == "uncollectible" && after["status"] == "open")
            && !(before["status"] != "draft" && after["status"] == "draft")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_settled(object: &str, status: &str) -> bool {
        let body = json!({"object": object, "id": "x_1", "status": status});
        Snapshot {
            id: "evt_1".parse().unwrap(),
            event_type: format!("{object}.updated"),
            created: UnixSeconds::new(10),
            key: ObjectKey::new(None, object, "x_1").unwrap(),
            api_version: None,
            previous_attributes: None,
            raw: body.to_string(),
            object: body,
        }
        .is_settled(&BTreeSet::new())
    }

    #[test]
    fn a_status_is_settled_if_stripe_never_leaves_it() {
        for (object, settled, others) in [
            (
                "dispute",
                &["won", "warning_closed", "prevented"][..],
                &["lost", "needs_response", "under_review", "warning_needs_response"][..],
            ),
            (
                "subscription",
                &["canceled", "incomplete_expired"],
                &["incomplete", "trialing", "active", "past_due", "unpaid", "paused"],
            ),
            ("payment_intent", &["succeeded", "canceled"], &["requires_payment_method", "processing"]),
            ("charge", &["failed"], &["succeeded", "pending"]),
            ("invoice", &["paid", "void"], &["draft", "open", "uncollectible"]),
            ("invoice_payment", &["paid", "canceled"], &["open"]),
            ("refund", &["failed", "canceled"], &["succeeded", "pending", "requires_action"]),
            ("customer", &[], &["canceled"]),
        ] {
            for status in settled {
                assert!(is_settled(object, status), "{object} {status}");
            }
            for status in others {
                assert!(!is_settled(object, status), "{object} {status}");
            }
        }
    }
}
