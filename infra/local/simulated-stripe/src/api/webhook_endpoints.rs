//! `/v1/webhook_endpoints`: the endpoints of the account.
//!
//! Three things that callers get wrong are as they are at Stripe: the secret is shown only by the call that
//! creates, `connect` is never shown at all, and neither it nor `api_version` can be changed later.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use url::{Host, Url};

use super::Call;
use super::error::ApiError;
use super::page::{self, Item, page};
use super::params::{MapChange, Params};
use crate::ids;
use crate::options::Mode;
use crate::samples::is_event_type;
use crate::state::StripeState;

/// A webhook endpoint with all that Stripe knows of it, also what its API does not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// `we_…`
    pub id: String,
    /// Where deliveries go.
    pub url: String,
    /// The types asked for, in the order asked; `*` for all.
    pub enabled_events: Vec<String>,
    /// The version in which deliveries are shown; `None` is the account's.
    pub api_version: Option<String>,
    /// Whether it receives the events of connected accounts instead of our own.
    pub connect: bool,
    /// A text for people.
    pub description: Option<String>,
    /// Key-value pairs for programs.
    pub metadata: BTreeMap<String, String>,
    /// Whether deliveries stop.
    pub disabled: bool,
    /// The signing secret, `whsec_…`.
    pub secret: String,
    /// Unix seconds.
    pub created: i64,
}

impl Endpoint {
    /// Returns an enabled endpoint with default settings and a fresh secret.
    pub(crate) fn new(url: &str, enabled_events: &[&str], created: i64) -> Self {
        Self {
            id: ids::fresh("we_1"),
            url: url.to_owned(),
            enabled_events: enabled_events.iter().map(|kind| (*kind).to_owned()).collect(),
            api_version: None,
            connect: false,
            description: None,
            metadata: BTreeMap::new(),
            disabled: false,
            secret: ids::signing_secret(),
            created,
        }
    }

    /// Whether an event of this type, of our own or of a connected account, is sent to this endpoint.
    pub(crate) fn is_subscribed_to(&self, kind: &str, is_connected: bool) -> bool {
        let named = self.enabled_events.iter().any(|wanted| wanted == "*" || wanted == kind);
        named && !self.disabled && self.connect == is_connected
    }

    fn render(&self, mode: Mode) -> Value {
        json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": mode.is_live(),
            "metadata": self.metadata,
            "status": if self.disabled { "disabled" } else { "enabled" },
            "url": self.url,
        })
    }
}

pub(crate) fn create(state: &mut StripeState, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    params.only(&["url", "enabled_events", "api_version", "connect", "description", "metadata"])?;
    let mode = state.options.mode;
    let url = checked_url(params.text("url").ok_or_else(|| ApiError::missing("url"))?, mode)?;
    let events = checked_events(params)?.ok_or_else(|| ApiError::missing("enabled_events"))?;
    let mut endpoint = Endpoint::new(url, &events, state.clock.now());
    endpoint.api_version = params.text("api_version").map(checked_version).transpose()?;
    endpoint.connect = params.boolean("connect")?.unwrap_or(false);
    endpoint.description = params.text("description").and_then(non_empty);
    change_metadata(&mut endpoint.metadata, params.map("metadata"))?;
    let limit = state.options.endpoint_limit;
    if state.endpoints.len() >= limit {
        let kind = if mode.is_live() { "live" } else { "test" };
        let message = format!("You have reached the maximum of {limit} {kind} webhook endpoints.");
        return Err(ApiError::refused(message));
    }
    let mut object = endpoint.render(mode);
    object["secret"] = json!(endpoint.secret);
    state.endpoints.push(endpoint);
    Ok(object)
}

pub(crate) fn update(state: &mut StripeState, call: &Call, id: &str) -> Result<Value, ApiError> {
    let params = &call.params;
    let mode = state.options.mode;
    let endpoint = state.endpoints.iter_mut().find(|endpoint| endpoint.id == id);
    let endpoint = endpoint.ok_or_else(|| missing(id))?;
    params.only(&["url", "enabled_events", "description", "metadata", "disabled"])?;
    // Changed as a whole or not at all, so that an invalid last parameter leaves the first one unchanged.
    let mut changed = endpoint.clone();
    if let Some(url) = params.text("url") {
        checked_url(url, mode)?.clone_into(&mut changed.url);
    }
    if let Some(events) = checked_events(params)? {
        changed.enabled_events = events.into_iter().map(str::to_owned).collect();
    }
    if let Some(description) = params.text("description") {
        changed.description = non_empty(description);
    }
    changed.disabled = params.boolean("disabled")?.unwrap_or(changed.disabled);
    change_metadata(&mut changed.metadata, params.map("metadata"))?;
    *endpoint = changed;
    Ok(endpoint.render(mode))
}

pub(crate) fn retrieve(state: &StripeState, call: &Call, id: &str) -> Result<Value, ApiError> {
    call.params.only(&[])?;
    let endpoint = state.endpoints.iter().find(|endpoint| endpoint.id == id).ok_or_else(|| missing(id))?;
    Ok(endpoint.render(state.options.mode))
}

pub(crate) fn list(state: &StripeState, call: &Call) -> Result<Value, ApiError> {
    call.params.only(&page::PARAMS)?;
    let mode = state.options.mode;
    let newest_first = state.endpoints.iter().rev();
    let items: Vec<_> =
        newest_first.map(|endpoint| Item { id: &endpoint.id, matches: true, value: endpoint }).collect();
    page(&items, |endpoint| endpoint.render(mode), call, "webhook endpoint", state.options.longest_page)
}

pub(crate) fn delete(state: &mut StripeState, call: &Call, id: &str) -> Result<Value, ApiError> {
    call.params.only(&[])?;
    let index = state.endpoints.iter().position(|endpoint| endpoint.id == id).ok_or_else(|| missing(id))?;
    state.endpoints.remove(index);
    Ok(json!({ "id": id, "object": "webhook_endpoint", "deleted": true }))
}

fn missing(id: &str) -> ApiError {
    ApiError::no_such("webhook endpoint", id)
}

fn checked_url(text: &str, mode: Mode) -> Result<&str, ApiError> {
    let no_scheme = "Invalid URL: An explicit scheme (such as https) must be provided";
    let url = Url::parse(text).map_err(|_| ApiError::url(no_scheme))?;
    match url.scheme() {
        "https" => Ok(text),
        "http" if !mode.is_live() || is_loopback(&url) => Ok(text),
        "http" => Err(ApiError::url("Invalid URL: URLs must be https in live mode")),
        _ => Err(ApiError::url(no_scheme)),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn checked_events(params: &Params) -> Result<Option<Vec<&str>>, ApiError> {
    let events = params.list("enabled_events")?;
    for (index, kind) in events.iter().flatten().enumerate() {
        if *kind != "*" && !is_event_type(kind) {
            let param = format!("enabled_events[{index}]");
            let message =
                format!("Invalid {param}: must be one of *, account.application.authorized, or others");
            return Err(ApiError::invalid(&param, message));
        }
    }
    Ok(events)
}

/// Accepts `2024-06-20` or `2026-10-28.endive`; which of them exist is not known here.
fn checked_version(text: &str) -> Result<String, ApiError> {
    let (date, name) = text.split_once('.').unwrap_or((text, "name"));
    let dated = date.parse::<jiff::civil::Date>().is_ok() && date.len() == 10;
    if dated && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(text.to_owned());
    }
    Err(ApiError::invalid("api_version", format!("Invalid api_version: {text} is not a version of the API")))
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Changes the metadata, within the documented limits: 50 keys of up to 40 characters, values of up to 500.
fn change_metadata(
    metadata: &mut BTreeMap<String, String>,
    change: Option<MapChange>,
) -> Result<(), ApiError> {
    match change {
        None => {}
        Some(MapChange::Clear) => metadata.clear(),
        Some(MapChange::Merge(entries)) => {
            for (key, value) in entries {
                if key.chars().count() > 40 || value.chars().count() > 500 {
                    let message = "Metadata keys can have up to 40 characters, values up to 500.";
                    return Err(ApiError::invalid(&format!("metadata[{key}]"), message));
                }
                if value.is_empty() {
                    metadata.remove(&key);
                } else {
                    metadata.insert(key, value);
                }
            }
        }
    }
    if metadata.len() > 50 {
        return Err(ApiError::invalid("metadata", "Metadata can have up to 50 keys."));
    }
    Ok(())
}
