//! An event as a claim on a record: whose object, as of when, in which state.

use std::borrow::Cow;

use crate::event::{Event, EventId};
use crate::object_key::{Kind, ObjectKey};
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
        let object: Value = serde_json::from_str(event.object.get())
            .map_err(|error| SnapshotError::Unreadable(format!("data.object: {error}")))?;
        let Some(key) = event.subject() else {
            return match event.event_type.as_ref() {
                "invoice.upcoming" => Err(SnapshotError::NoRecord),
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
            .map(|raw| serde_json::from_str(raw.get()))
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

    /// Returns whether it says that the object is deleted, which is final: Stripe never uses an id again. A
    /// canceled subscription is not gone: it can still change (Stripe's API reference, "Cancel a
    /// subscription").
    pub fn is_deletion(&self) -> bool {
        matches!(self.event_type.as_str(), "customer.deleted" | "invoice.deleted")
            || self.object["deleted"] == true
    }

    /// Returns whether its type reports no change, but only that a time has come (Stripe's API reference,
    /// "Types of events".)
    pub(crate) fn is_notice(&self) -> bool {
        matches!(
            self.event_type.as_str(),
            "customer.subscription.trial_will_end" | "invoice.will_be_due" | "invoice.overdue"
        )
    }

    /// Returns whether its type reports the creation of the object.
    pub(crate) fn is_creation(&self) -> bool {
        self.event_type.ends_with(".created")
    }

    /// Returns whether its status is one that Stripe never leaves. Invoices of before API 2018-11-08 have no
    /// status, but a flag `paid`.
    pub(crate) fn is_settled(&self) -> bool {
        let Some(status) = self.object["status"].as_str() else {
            return self.key.kind() == Some(Kind::Invoice) && self.object["paid"] == true;
        };
        match self.key.kind() {
            Some(Kind::Payment) => matches!(status, "succeeded" | "canceled"),
            Some(Kind::Charge) => status == "failed",
            Some(Kind::Invoice) => matches!(status, "paid" | "void"),
            Some(Kind::Subscription) => matches!(status, "canceled" | "incomplete_expired"),
            Some(Kind::InvoicePayment) => matches!(status, "paid" | "canceled"),
            // A refund that succeeded can fail later.
            Some(Kind::Refund) => matches!(status, "failed" | "canceled"),
            // A lost dispute can be reopened by an appeal.
            Some(Kind::Dispute) => matches!(status, "won" | "warning_closed" | "prevented"),
            Some(Kind::Customer) | None => false,
        }
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
        .is_settled()
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
