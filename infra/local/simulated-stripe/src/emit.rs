//! Making events happen.
//!
//! An event starts from the sample of its type, from the object as it stands, or from what the caller gives whole; then
//! single fields are changed. Its object replaces the stored one, so that what is pushed, what is listed and what is
//! fetched agree, unless the caller wants them to disagree (see [`Fate`]).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::deliveries::enqueue;
use crate::events::Event;
use crate::ids;
use crate::samples::sample;
use crate::world::World;

/// What becomes of an event. Its object changes in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It is listed and delivered.
    #[default]
    Delivered,
    /// It is listed, and no one is told.
    Listed,
    /// It is neither: Stripe says that this happens, very rarely.
    Lost,
}

/// An event to make.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Emit {
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The event's id; a fresh one if not given.
    pub id: Option<String>,
    /// The object's id, in place of the sample's.
    pub object_id: Option<String>,
    /// Starts from the object as it stands now, not from the sample. What changes goes to `previous_attributes`.
    pub from_stored: bool,
    /// The whole object, in place of the sample's.
    pub object: Option<Value>,
    /// Fields of the object to set; maps inside are merged.
    pub fields: Map<String, Value>,
    /// In place of the sample's, or of the changes found.
    pub previous_attributes: Option<Value>,
    /// The connected account it happened on; `None` is our own.
    pub account: Option<String>,
    /// Unix seconds; now if not given.
    pub created: Option<i64>,
    /// The account's default if not given. Deliveries show the endpoint's version instead, if it has one.
    pub api_version: Option<String>,
    /// The account's own mode if not given.
    pub livemode: Option<bool>,
    /// Whether it is listed and delivered.
    pub fate: Fate,
}

impl Emit {
    /// An event of this type, from its sample.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..Self::default() }
    }

    /// An event of this type about an object as it stands now.
    #[must_use]
    pub fn change(kind: &str, object_id: &str) -> Self {
        Self { from_stored: true, ..Self::of(kind).object_id(object_id) }
    }

    /// Sets the object's id.
    #[must_use]
    pub fn object_id(mut self, id: &str) -> Self {
        self.object_id = Some(id.to_owned());
        self
    }

    /// Sets a field of the object.
    #[must_use]
    pub fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    /// Sets the event's time.
    #[must_use]
    pub fn created(mut self, at: i64) -> Self {
        self.created = Some(at);
        self
    }

    /// Lets it happen on a connected account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Decides whether it is listed and delivered.
    #[must_use]
    pub fn fate(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }
}

impl From<&str> for Emit {
    fn from(kind: &str) -> Self {
        Self::of(kind)
    }
}

/// Why an event cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    /// The type has no sample, and no object was given.
    #[error("no sample of `{0}`: give the object whole")]
    NoSample(String),
    /// The event starts from an object that is not there.
    #[error("no object `{0}` to start from")]
    NoObject(String),
    /// Text that is no event.
    #[error("not an event: it needs to be JSON with an id, a type and data.object")]
    NotAnEvent,
}

/// Makes an event, and gives it as it is listed.
pub(crate) fn emit(world: &mut World, emit: Emit) -> Result<Value, EmitError> {
    let event = build(world, &emit)?;
    Ok(happen(world, event, emit.fate))
}

/// Makes an event of its whole text, which is delivered as it is.
pub(crate) fn emit_text(world: &mut World, text: &str, fate: Fate) -> Result<Value, EmitError> {
    let value: Value = serde_json::from_str(text).map_err(|_| EmitError::NotAnEvent)?;
    let (Some(id), Some(kind), true) =
        (value["id"].as_str(), value["type"].as_str(), value["data"]["object"].is_object())
    else {
        return Err(EmitError::NotAnEvent);
    };
    let event = Event {
        id: id.to_owned(),
        kind: kind.to_owned(),
        account: value["account"].as_str().map(str::to_owned),
        created: value["created"].as_i64().unwrap_or_else(|| world.clock.now()),
        text: Some(text.to_owned()),
        value,
    };
    Ok(happen(world, event, fate))
}

fn happen(world: &mut World, event: Event, fate: Fate) -> Value {
    world.objects.apply(&event.kind, event.account.as_deref(), &event.value["data"]["object"]);
    if fate == Fate::Lost {
        return event.value;
    }
    world.events.put(event.clone());
    if fate == Fate::Delivered {
        enqueue(world, &event);
    }
    event.listed(world.deliveries.pending(&event.id))
}

fn build(world: &World, emit: &Emit) -> Result<Event, EmitError> {
    let sample = sample(&emit.kind);
    let account = emit.account.clone();
    let before = if let Some(whole) = &emit.object {
        whole.clone()
    } else if emit.from_stored {
        let id = emit.object_id.as_deref().unwrap_or_default();
        let stored = world.objects.get(account.as_deref(), id);
        stored.ok_or_else(|| EmitError::NoObject(id.to_owned()))?.value.clone()
    } else {
        let sample = sample.as_ref().ok_or_else(|| EmitError::NoSample(emit.kind.clone()))?;
        sample["data"]["object"].clone()
    };
    let mut object = before.clone();
    let livemode = emit.livemode.unwrap_or(world.options.mode.is_live());
    if object.get("livemode").is_some() {
        object["livemode"] = json!(livemode);
    }
    merge(&mut object, &Value::Object(emit.fields.clone()));
    if let Some(id) = &emit.object_id {
        object["id"] = json!(id);
    }
    let previous = match &emit.previous_attributes {
        Some(given) => Some(given.clone()),
        None if emit.from_stored => previous(&before, &object),
        None if emit.object.is_some() => None,
        None => sample.as_ref().and_then(|sample| sample["data"].get("previous_attributes")).cloned(),
    };
    let id = emit.id.clone().unwrap_or_else(|| ids::fresh("evt_1"));
    let created = emit.created.unwrap_or_else(|| world.clock.now());
    let mut value = json!({
        "id": id,
        "object": "event",
        "api_version": emit.api_version.as_ref().unwrap_or(&world.options.api_version),
        "created": created,
        "data": { "object": object },
        "livemode": livemode,
        "pending_webhooks": 0,
        "request": { "id": ids::fresh("req_"), "idempotency_key": null },
        "type": emit.kind,
    });
    if let Some(previous) = previous {
        value["data"]["previous_attributes"] = previous;
    }
    if let Some(account) = &account {
        value["account"] = json!(account);
    }
    Ok(Event { id, kind: emit.kind.clone(), account, created, value, text: None })
}

/// Sets what the change names; maps inside are merged, all else is replaced.
fn merge(target: &mut Value, change: &Value) {
    match (target, change) {
        (Value::Object(target), Value::Object(change)) => {
            for (key, value) in change {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (target, change) => *target = change.clone(),
    }
}

/// What the fields that changed were before, in maps inside only those that changed; a new field was null.
fn previous(before: &Value, after: &Value) -> Option<Value> {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let changed: Map<String, Value> = new
                .iter()
                .filter_map(|(key, value)| {
                    let was = previous(old.get(key).unwrap_or(&Value::Null), value)?;
                    Some((key.clone(), was))
                })
                .collect();
            (!changed.is_empty()).then_some(Value::Object(changed))
        }
        _ => (before != after).then(|| before.clone()),
    }
}
