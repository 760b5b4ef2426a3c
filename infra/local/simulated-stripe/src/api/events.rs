//! `/v1/events`: what happened, for thirty days, and sending one of them again.

use serde_json::Value;

use super::Call;
use super::error::ApiError;
use super::page::{self, Created, Item, page};
use super::params::Params;
use crate::events::Event;
use crate::world::World;

/// Whether an event is of the types asked for: one by name, a group such as `customer.*`, or several by name.
enum Types<'a> {
    All,
    Group(&'a str),
    Named(Vec<&'a str>),
}

impl<'a> Types<'a> {
    fn from(params: &'a Params) -> Result<Self, ApiError> {
        match (params.text("type"), params.list("types")?) {
            (Some(_), Some(_)) => {
                Err(ApiError::invalid("type", "You may only specify one of these parameters: type, types."))
            }
            (None, Some(names)) if names.len() > 20 => {
                Err(ApiError::invalid("types", "You may specify up to 20 types."))
            }
            (None, Some(names)) => Ok(Self::Named(names)),
            (Some("*") | None, None) => Ok(Self::All),
            (Some(name), None) => Ok(match name.strip_suffix('*') {
                Some(prefix) if prefix.ends_with('.') => Self::Group(prefix),
                _ => Self::Named(vec![name]),
            }),
        }
    }

    fn holds(&self, kind: &str) -> bool {
        match self {
            Self::All => true,
            Self::Group(prefix) => kind.starts_with(prefix),
            Self::Named(names) => names.contains(&kind),
        }
    }
}

pub(crate) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let known = [&["type", "types", "created", "delivery_success"][..], &page::PARAMS].concat();
    params.only(&known)?;
    let types = Types::from(params)?;
    let created = Created::from(params)?;
    let delivered = params.boolean("delivery_success")?;
    let pending = |event: &Event| world.deliveries.pending(&event.id);
    let matches = |event: &Event| {
        types.holds(&event.kind)
            && created.holds(event.created)
            && delivered.is_none_or(|wanted| wanted == (pending(event) == 0))
    };
    let events = world.events.newest_first(call.account.as_deref(), world.clock.now());
    let items: Vec<_> =
        events.into_iter().map(|event| Item { id: &event.id, matches: matches(event), of: event }).collect();
    page(&items, |event| event.listed(pending(event)), call, "event")
}

pub(crate) fn retrieve(world: &World, call: &Call, id: &str) -> Result<Value, ApiError> {
    call.params.only(&[])?;
    let event = find(world, call, id)?;
    Ok(event.listed(world.deliveries.pending(&event.id)))
}

/// The call behind `stripe events resend`.
pub(crate) fn retry(world: &mut World, call: &Call, id: &str) -> Result<Value, ApiError> {
    call.params.only(&["webhook_endpoint", "account", "for_stripecli"])?;
    let event = find(world, call, id)?.clone();
    let endpoint =
        call.params.text("webhook_endpoint").ok_or_else(|| ApiError::missing("webhook_endpoint"))?;
    if world.endpoints.iter().all(|known| known.id != endpoint) {
        return Err(ApiError::no_such_cursor("webhook_endpoint", "webhook endpoint", endpoint));
    }
    world.deliveries.resend(&event.id, endpoint, world.clock.now());
    Ok(event.listed(world.deliveries.pending(&event.id)))
}

fn find<'a>(world: &'a World, call: &Call, id: &str) -> Result<&'a Event, ApiError> {
    let events = world.events.newest_first(call.account.as_deref(), world.clock.now());
    events.into_iter().find(|event| event.id == id).ok_or_else(|| ApiError::no_such("event", id))
}
