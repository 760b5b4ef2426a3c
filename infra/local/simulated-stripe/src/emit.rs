//! Emitting events.
//!
//! An event starts from the sample of its type, from the stored object, or from what the caller gives whole;
//! then single fields are changed. Its object replaces the stored one, so that what is pushed, what is listed
//! and what is fetched agree, unless the caller wants them to disagree (see [`Fate`]).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use shared::kind::Kind;

use crate::deliveries::enqueue;
use crate::events::Event;
use crate::ids;
use crate::rendering;
use crate::samples::sample;
use crate::state::StripeState;

/// Where an event shows up. Its object changes in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It is listed and delivered.
    #[default]
    Delivered,
    /// It is listed, and not delivered.
    Listed,
    /// It is neither: Stripe says that this happens, very rarely.
    Lost,
}

/// An event to emit.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewEvent {
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The event's id; a fresh one if not given.
    pub id: Option<String>,
    /// The object's id, in place of the sample's.
    pub object_id: Option<String>,
    /// Whether it starts from the stored object, not from the sample. What changes goes to
    /// `previous_attributes`.
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

impl NewEvent {
    /// Returns an event of this type, from its sample.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..Self::default() }
    }

    /// Returns an event of this type, from the stored object.
    #[must_use]
    pub fn update(kind: &str, object_id: &str) -> Self {
        Self { from_stored: true, ..Self::new(kind).object_id(object_id) }
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

    /// Emits it on a connected account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Sets whether it is listed and delivered.
    #[must_use]
    pub fn fate(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }
}

impl From<&str> for NewEvent {
    fn from(kind: &str) -> Self {
        Self::new(kind)
    }
}

/// A change of a customer's balance.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BalanceChange {
    /// Whose it is.
    pub customer: String,
    /// The connected account it happens on; `None` is our own.
    pub account: Option<String>,
    /// What is added, in the smallest unit of the currency: a negative amount is a credit.
    pub amount: i64,
    /// Stripe's `type` of the transaction; `adjustment` if not given.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The invoice that it is for.
    pub invoice: Option<String>,
    /// A text for people.
    pub description: Option<String>,
    /// Where the event of the customer shows up.
    pub fate: Fate,
}

/// Why an event cannot be emitted.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The type has no sample, and no object was given.
    #[error("no sample of `{0}`: give the object whole")]
    NoSample(String),
    /// The event starts from an object that does not exist.
    #[error("no object `{0}` to start from")]
    NoObject(String),
    /// Text that is no event.
    #[error("not an event: it needs to be JSON with an id, a type and data.object")]
    NotAnEvent,
}

/// Emits an event, and returns it as it is listed.
pub(crate) fn emit(state: &mut StripeState, new: NewEvent) -> Result<Value, EventError> {
    let event = build(state, &new)?;
    Ok(publish(state, event, new.fate))
}

/// Adds to a customer's balance: stores the transaction, of which there is no event, and emits
/// `customer.updated`. Returns the transaction's id and the event.
pub(crate) fn change_balance(
    state: &mut StripeState,
    change: &BalanceChange,
) -> Result<(String, Value), EventError> {
    let account = change.account.as_deref();
    let stored = state.objects.get(account, &change.customer).filter(|stored| !stored.is_deleted());
    let customer = &stored.ok_or_else(|| EventError::NoObject(change.customer.clone()))?.value;
    let balance = customer["balance"].as_i64().unwrap_or_default() + change.amount;
    let currency = customer["currency"].as_str().unwrap_or("usd").to_owned();
    let (id, kind) = (ids::fresh("cbtxn_"), Kind::CUSTOMER_BALANCE_TRANSACTION);
    let mut transaction = json!({
        "id": id,
        "object": kind.object(),
        "amount": change.amount,
        "created": state.clock.now(),
        "currency": currency,
        "customer_account": null,
        "description": change.description,
        "ending_balance": balance,
        "livemode": state.options.mode.is_live(),
        "metadata": {},
        "type": change.kind.as_deref().unwrap_or("adjustment"),
    });
    for reference in kind.references() {
        transaction[reference.member] = Value::Null;
    }
    transaction["customer"] = json!(change.customer);
    transaction["invoice"] = json!(change.invoice);
    state.objects.put(account, &transaction);
    let event = NewEvent::update("customer.updated", &change.customer).set("balance", balance);
    let event = NewEvent { account: change.account.clone(), ..event.fate(change.fate) };
    Ok((id, emit(state, event)?))
}

/// Emits an event given as text, which is delivered as it is.
pub(crate) fn emit_text(state: &mut StripeState, text: &str, fate: Fate) -> Result<Value, EventError> {
    let value: Value = serde_json::from_str(text).map_err(|_| EventError::NotAnEvent)?;
    let (Some(id), Some(kind), true) =
        (value["id"].as_str(), value["type"].as_str(), value["data"]["object"].is_object())
    else {
        return Err(EventError::NotAnEvent);
    };
    let event = Event {
        id: id.to_owned(),
        kind: kind.to_owned(),
        account: value["account"].as_str().map(str::to_owned),
        created: value["created"].as_i64().unwrap_or_else(|| state.clock.now()),
        text: Some(text.to_owned()),
        value,
    };
    Ok(publish(state, event, fate))
}

fn publish(state: &mut StripeState, mut event: Event, fate: Fate) -> Value {
    state.objects.apply(&event.kind, event.account.as_deref(), &event.value["data"]["object"]);
    let object = event.value["data"]["object"]["object"].as_str();
    if let Some(kind) = object.and_then(Kind::from_object_name).filter(|_| event.text.is_none()) {
        for shown in ["object", "previous_attributes"] {
            if let Some(shown) = event.value["data"].get_mut(shown) {
                rendering::cut_lists(kind, shown);
            }
        }
    }
    if fate == Fate::Lost {
        return event.value;
    }
    state.events.put(event.clone());
    if fate == Fate::Delivered {
        enqueue(state, &event);
    }
    event.listed(state.deliveries.pending(&event.id))
}

fn build(state: &StripeState, new: &NewEvent) -> Result<Event, EventError> {
    let sample = sample(&new.kind);
    let account = new.account.clone();
    let before = if let Some(whole) = &new.object {
        whole.clone()
    } else if new.from_stored {
        let id = new.object_id.as_deref().unwrap_or_default();
        let stored = state.objects.get(account.as_deref(), id);
        stored.ok_or_else(|| EventError::NoObject(id.to_owned()))?.value.clone()
    } else {
        let sample = sample.as_ref().ok_or_else(|| EventError::NoSample(new.kind.clone()))?;
        sample["data"]["object"].clone()
    };
    let now = state.clock.now();
    let before = rendering::signed(&before, now);
    let mut object = rendering::signed(&before, now);
    let livemode = new.livemode.unwrap_or(state.options.mode.is_live());
    if object.get("livemode").is_some() {
        object["livemode"] = json!(livemode);
    }
    merge(&mut object, &Value::Object(new.fields.clone()));
    if let Some(id) = &new.object_id {
        object["id"] = json!(id);
    }
    let previous = match &new.previous_attributes {
        Some(given) => Some(given.clone()),
        None if new.from_stored => previous_attributes(&before, &object),
        None if new.object.is_some() => None,
        None => sample.as_ref().and_then(|sample| sample["data"].get("previous_attributes")).cloned(),
    };
    let id = new.id.clone().unwrap_or_else(|| ids::fresh("evt_1"));
    let created = new.created.unwrap_or_else(|| state.clock.now());
    let mut value = json!({
        "id": id,
        "object": "event",
        "api_version": new.api_version.as_ref().unwrap_or(&state.options.api_version),
        "created": created,
        "data": { "object": object },
        "livemode": livemode,
        "pending_webhooks": 0,
        "request": { "id": ids::fresh("req_"), "idempotency_key": null },
        "type": new.kind,
    });
    if let Some(previous) = previous {
        value["data"]["previous_attributes"] = previous;
    }
    if let Some(account) = &account {
        value["account"] = json!(account);
    }
    Ok(Event { id, kind: new.kind.clone(), account, created, value, text: None })
}

/// Sets the fields of the change; maps inside are merged, all else is replaced.
fn merge(target: &mut Value, change: &Value) {
    match (target, change) {
        (Value::Object(target), Value::Object(change)) => {
            for (key, value) in change {
                merge_member(target, key, value);
            }
        }
        (target, change) => *target = change.clone(),
    }
}

/// Sets a member. In a map whose keys come and go, null takes the key away, as a call with an empty value
/// does.
fn merge_member(target: &mut Map<String, Value>, key: &str, value: &Value) {
    let inside = target.entry(key.to_owned()).or_insert(Value::Null);
    merge(inside, value);
    if COME_AND_GO.contains(&key)
        && let Some(members) = inside.as_object_mut()
    {
        members.retain(|_, value| !value.is_null());
    }
}

/// Maps that have a key only while it says something.
const COME_AND_GO: [&str; 2] = ["metadata", "fraud_details"];

/// Returns what the fields that changed were before, in maps inside only those that changed; a field that the
/// change has added was null, in any map, and one that it has taken away is there.
fn previous_attributes(before: &Value, after: &Value) -> Option<Value> {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            let changed = names.into_iter().filter_map(|key| {
                let was = previous_attributes(
                    old.get(key).unwrap_or(&Value::Null),
                    new.get(key).unwrap_or(&Value::Null),
                )?;
                Some((key.clone(), was))
            });
            let changed: Map<String, Value> = changed.collect();
            (!changed.is_empty()).then_some(Value::Object(changed))
        }
        _ => (before != after).then(|| before.clone()),
    }
}
