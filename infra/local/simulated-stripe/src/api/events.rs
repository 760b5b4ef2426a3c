//! `/v1/events`: the events of the last thirty days, and sending one of them again.

use serde_json::Value;

use super::Call;
use super::error::ApiError;
use super::page::{self, CreatedFilter, Item, page};
use super::params::Params;
use crate::events::Event;
use crate::state::StripeState;

/// The filter by event type: one by name, a group such as `customer.*`, or several by name.
enum TypeFilter<'a> {
    All,
    Group(&'a str),
    Named(Vec<&'a str>),
}

impl<'a> TypeFilter<'a> {
    fn from_params(params: &'a Params) -> Result<Self, ApiError> {
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

    fn matches(&self, kind: &str) -> bool {
        match self {
            Self::All => true,
            Self::Group(prefix) => kind.starts_with(prefix),
            Self::Named(names) => names.contains(&kind),
        }
    }
}

pub(crate) fn list(state: &StripeState, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let known = [&["type", "types", "created", "delivery_success"][..], &page::PARAMS].concat();
    params.only(&known)?;
    let types = TypeFilter::from_params(params)?;
    let created = CreatedFilter::from_params(params)?;
    let delivered = params.boolean("delivery_success")?;
    let pending = |event: &Event| state.deliveries.pending(&event.id);
    let matches = |event: &Event| {
        types.matches(&event.kind)
            && created.matches(event.created)
            && delivered.is_none_or(|wanted| wanted == (pending(event) == 0))
    };
    let events = state.events.newest_first(call.account.as_deref(), state.clock.now());
    let items: Vec<_> = events
        .into_iter()
        .map(|event| Item { id: &event.id, matches: matches(event), value: event })
        .collect();
    page(&items, |event| event.listed(pending(event)), call, "event", state.options.longest_page)
}

pub(crate) fn retrieve(state: &StripeState, call: &Call, id: &str) -> Result<Value, ApiError> {
    call.params.only(&[])?;
    let event = find(state, call, id)?;
    Ok(event.listed(state.deliveries.pending(&event.id)))
}

/// Answers the call behind `stripe events resend`.
pub(crate) fn retry(state: &mut StripeState, call: &Call, id: &str) -> Result<Value, ApiError> {
    call.params.only(&["webhook_endpoint", "account", "for_stripecli"])?;
    let event = find(state, call, id)?.clone();
    let endpoint =
        call.params.text("webhook_endpoint").ok_or_else(|| ApiError::missing("webhook_endpoint"))?;
    if state.endpoints.iter().all(|known| known.id != endpoint) {
        return Err(ApiError::no_such_cursor("webhook_endpoint", "webhook endpoint", endpoint));
    }
    state.deliveries.resend(&event.id, endpoint, state.clock.now());
    Ok(event.listed(state.deliveries.pending(&event.id)))
}

fn find<'a>(state: &'a StripeState, call: &Call, id: &str) -> Result<&'a Event, ApiError> {
    let events = state.events.newest_first(call.account.as_deref(), state.clock.now());
    events.into_iter().find(|event| event.id == id).ok_or_else(|| ApiError::no_such("event", id))
}
