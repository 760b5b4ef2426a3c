//! The events that Stripe emitted, as it lists them.
//!
//! An event's `data` never changes, and a list shows it in the API version in which it was emitted. A
//! delivery shows it in the endpoint's version instead: that is why one event can reach a receiver in two
//! forms.

use serde_json::{Value, json};

use crate::{ids, rendering};

/// Thirty days: as far back as Stripe lists and fetches events.
const LISTED_SECONDS: i64 = 30 * 24 * 3600;

/// One event of an account (`None`: our own).
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) account: Option<String>,
    pub(crate) created: i64,
    pub(crate) value: Value,
    /// The exact text to deliver, for an event that was given as text.
    pub(crate) text: Option<String>,
}

impl Event {
    /// Returns it as it is listed and fetched.
    pub(crate) fn listed(&self, pending_webhooks: usize) -> Value {
        let mut value = self.value.clone();
        value["pending_webhooks"] = json!(pending_webhooks);
        value
    }

    /// Returns it as it is delivered: spread over lines, two spaces deep.
    pub(crate) fn delivered(&self, api_version: Option<&str>, pending_webhooks: usize) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let mut value = self.listed(pending_webhooks);
        if let Some(version) = api_version {
            value["api_version"] = json!(version);
        }
        rendering::delivery_text(&value)
    }
}

/// All events, in the order in which they were emitted.
#[derive(Default)]
pub(crate) struct Events {
    emitted: Vec<Event>,
}

impl Events {
    /// Adds an event; one with the same id is replaced, as when a test sends one event in two forms.
    pub(crate) fn put(&mut self, event: Event) {
        self.emitted.retain(|other| other.id != event.id);
        self.emitted.push(event);
    }

    /// Returns an event of any account and age.
    pub(crate) fn get(&self, id: &str) -> Option<&Event> {
        self.emitted.iter().find(|event| event.id == id)
    }

    /// Returns those of an account that are not too old, the newest second first; within one, in no order
    /// that means anything.
    pub(crate) fn newest_first(&self, account: Option<&str>, now: i64) -> Vec<&Event> {
        let mut found: Vec<_> = self
            .emitted
            .iter()
            .filter(|event| event.account.as_deref() == account && event.created >= now - LISTED_SECONDS)
            .collect();
        found.sort_by_key(|event| (std::cmp::Reverse(event.created), ids::place_in_second(&event.id)));
        found
    }
}
