//! The commands of the Rust handle and of `/_control` over HTTP, each defined once for both.
//!
//! Each command is one step of the state, and wakes the sender if something may have become due.

use serde::Deserialize;
use serde_json::Value;

use crate::api::webhook_endpoints::Endpoint;
use crate::customer_lifecycle::{CustomerLifecycle, emit_customer_lifecycle};
use crate::deliveries::DeliveryBehavior;
use crate::emit::{BalanceChange, EventError, Fate, NewEvent, change_balance, emit, emit_text};
use crate::faults::Fault;
use crate::state::{SharedState, StripeState};

/// A change to an endpoint that was not made over the API: drift.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointChange {
    /// Where deliveries go.
    pub url: Option<String>,
    /// The types asked for.
    pub enabled_events: Option<Vec<String>>,
    /// The signing secret.
    pub secret: Option<String>,
    /// Whether deliveries stop.
    pub disabled: Option<bool>,
    /// A text for people.
    pub description: Option<String>,
    /// The version in which deliveries are shown.
    pub api_version: Option<String>,
}

/// A change of the clock; all that is given is done, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClockChange {
    pub(crate) now: Option<i64>,
    pub(crate) advance: Option<i64>,
    pub(crate) date_skew: Option<i64>,
}

/// An event or endpoint that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("no {kind} `{id}`")]
pub struct NotFound {
    /// `event` or `endpoint`.
    pub kind: &'static str,
    /// The id given.
    pub id: String,
}

impl NotFound {
    fn new(kind: &'static str, id: &str) -> Self {
        Self { kind, id: id.to_owned() }
    }
}

impl SharedState {
    /// One step that may make something due.
    fn step<T>(&self, step: impl FnOnce(&mut StripeState) -> T) -> T {
        let result = step(&mut self.lock());
        self.wake.notify_one();
        result
    }

    pub(crate) fn emit(&self, new: NewEvent) -> Result<Value, EventError> {
        self.step(|state| emit(state, new))
    }

    pub(crate) fn emit_text(&self, text: &str, fate: Fate) -> Result<Value, EventError> {
        self.step(|state| emit_text(state, text, fate))
    }

    pub(crate) fn change_balance(&self, change: &BalanceChange) -> Result<(String, Value), EventError> {
        self.step(|state| change_balance(state, change))
    }

    pub(crate) fn customer_lifecycle(&self, account: Option<&str>) -> CustomerLifecycle {
        self.step(|state| emit_customer_lifecycle(state, account))
    }

    pub(crate) fn resend(&self, event: &str, endpoint: &str) -> Result<(), NotFound> {
        self.step(|state| {
            state.events.get(event).ok_or_else(|| NotFound::new("event", event))?;
            endpoint_mut(state, endpoint)?;
            let now = state.clock.now();
            state.deliveries.resend(event, endpoint, now);
            Ok(())
        })
    }

    pub(crate) fn add_endpoint(&self, url: &str, events: &[&str]) -> Endpoint {
        self.step(|state| {
            let endpoint = Endpoint::new(url, events, state.clock.now());
            state.endpoints.push(endpoint.clone());
            endpoint
        })
    }

    pub(crate) fn change_endpoint(&self, id: &str, change: EndpointChange) -> Result<Endpoint, NotFound> {
        self.step(|state| {
            let endpoint = endpoint_mut(state, id)?;
            replace(&mut endpoint.url, change.url);
            replace(&mut endpoint.enabled_events, change.enabled_events);
            replace(&mut endpoint.secret, change.secret);
            replace(&mut endpoint.disabled, change.disabled);
            replace(&mut endpoint.description, change.description.map(Some));
            replace(&mut endpoint.api_version, change.api_version.map(Some));
            Ok(endpoint.clone())
        })
    }

    pub(crate) fn delete_endpoint(&self, id: &str) -> Result<(), NotFound> {
        self.step(|state| {
            endpoint_mut(state, id)?;
            state.endpoints.retain(|endpoint| endpoint.id != id);
            Ok(())
        })
    }

    pub(crate) fn set_delivery_behavior(&self, behavior: DeliveryBehavior) {
        self.step(|state| state.deliveries.behavior = behavior);
    }

    pub(crate) fn set_background_delivery(&self, enabled: bool) {
        self.step(|state| state.options.background_delivery = enabled);
    }

    pub(crate) fn move_clock(&self, change: &ClockChange) -> i64 {
        self.step(|state| {
            if let Some(now) = change.now {
                state.clock.set(now);
            }
            state.clock.advance(change.advance.unwrap_or(0));
            if let Some(skew) = change.date_skew {
                state.clock.skew_date(skew);
            }
            state.clock.now()
        })
    }

    pub(crate) fn add_fault(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Removes all faults, and lets held calls go on.
    pub(crate) fn clear_faults(&self) {
        let mut state = self.lock();
        state.faults.clear();
        self.release.send_replace(());
    }
}

fn endpoint_mut<'a>(state: &'a mut StripeState, id: &str) -> Result<&'a mut Endpoint, NotFound> {
    let found = state.endpoints.iter_mut().find(|endpoint| endpoint.id == id);
    found.ok_or_else(|| NotFound::new("endpoint", id))
}

fn replace<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}
