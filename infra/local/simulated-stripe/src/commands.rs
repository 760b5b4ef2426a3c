//! What can be commanded from outside, once for both ways in: the Rust handle and `/_control` over HTTP.
//!
//! Each command is one step of the world, and rings the courier if something may have become due.

use serde::Deserialize;
use serde_json::Value;

use crate::api::webhook_endpoints::Endpoint;
use crate::deliveries::Habits;
use crate::emit::{Emit, EmitError, Fate, emit, emit_text};
use crate::faults::Fault;
use crate::story::{Story, story};
use crate::world::{Shared, World};

/// A change to an endpoint that nobody asked for over the API: drift.
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
    /// For people.
    pub description: Option<String>,
    /// The version in which deliveries are shown.
    pub api_version: Option<String>,
}

/// How to move the clock; all that is given is done, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClockChange {
    pub(crate) now: Option<i64>,
    pub(crate) advance: Option<i64>,
    pub(crate) date_skew: Option<i64>,
}

/// Something that is not there.
#[derive(Debug, thiserror::Error)]
#[error("no {kind} `{id}`")]
pub struct NotFound {
    /// What it would be.
    pub kind: &'static str,
    /// The id given.
    pub id: String,
}

impl NotFound {
    fn new(kind: &'static str, id: &str) -> Self {
        Self { kind, id: id.to_owned() }
    }
}

impl Shared {
    /// One step that may make something due.
    fn step<T>(&self, step: impl FnOnce(&mut World) -> T) -> T {
        let result = step(&mut self.world());
        self.wake.notify_one();
        result
    }

    pub(crate) fn emit(&self, wanted: Emit) -> Result<Value, EmitError> {
        self.step(|world| emit(world, wanted))
    }

    pub(crate) fn emit_text(&self, text: &str, fate: Fate) -> Result<Value, EmitError> {
        self.step(|world| emit_text(world, text, fate))
    }

    pub(crate) fn story(&self, account: Option<&str>) -> Story {
        self.step(|world| story(world, account))
    }

    pub(crate) fn resend(&self, event: &str, endpoint: &str) -> Result<(), NotFound> {
        self.step(|world| {
            world.events.get(event).ok_or_else(|| NotFound::new("event", event))?;
            endpoint_mut(world, endpoint)?;
            let now = world.clock.now();
            world.deliveries.resend(event, endpoint, now);
            Ok(())
        })
    }

    pub(crate) fn add_endpoint(&self, url: &str, events: &[&str]) -> Endpoint {
        self.step(|world| {
            let endpoint = Endpoint::new(url, events, world.clock.now());
            world.endpoints.push(endpoint.clone());
            endpoint
        })
    }

    pub(crate) fn change_endpoint(&self, id: &str, change: EndpointChange) -> Result<Endpoint, NotFound> {
        self.step(|world| {
            let endpoint = endpoint_mut(world, id)?;
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
        self.step(|world| {
            endpoint_mut(world, id)?;
            world.endpoints.retain(|endpoint| endpoint.id != id);
            Ok(())
        })
    }

    pub(crate) fn set_habits(&self, habits: Habits) {
        self.step(|world| world.deliveries.habits = habits);
    }

    pub(crate) fn deliver_by_itself(&self, by_itself: bool) {
        self.step(|world| world.options.delivers_by_itself = by_itself);
    }

    pub(crate) fn move_clock(&self, change: &ClockChange) -> i64 {
        self.step(|world| {
            if let Some(now) = change.now {
                world.clock.set(now);
            }
            world.clock.advance(change.advance.unwrap_or(0));
            if let Some(skew) = change.date_skew {
                world.clock.skew_date(skew);
            }
            world.clock.now()
        })
    }

    pub(crate) fn add_fault(&self, fault: Fault) {
        self.world().faults.push(fault);
    }

    /// Forgets all faults, and lets held calls go on.
    pub(crate) fn clear_faults(&self) {
        let mut world = self.world();
        world.faults.clear();
        self.release.send_replace(());
    }
}

fn endpoint_mut<'a>(world: &'a mut World, id: &str) -> Result<&'a mut Endpoint, NotFound> {
    let found = world.endpoints.iter_mut().find(|endpoint| endpoint.id == id);
    found.ok_or_else(|| NotFound::new("endpoint", id))
}

fn replace<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}
