//! Routing: from method and path to a call.

use serde_json::{Value, json};
use shared::kind::{Kind, ListPlace, OwnList};

use super::error::ApiError;
use super::{Call, events, objects, page, webhook_endpoints};
use crate::state::StripeState;

/// A call that is answered.
pub(crate) enum Route {
    Account,
    ListAccounts,
    CreateEndpoint,
    ListEndpoints,
    RetrieveEndpoint(String),
    UpdateEndpoint(String),
    DeleteEndpoint(String),
    ListEvents,
    RetrieveEvent(String),
    RetryEvent(String),
    ListObjects(Kind),
    RetrieveObject(Kind, String),
    /// Those of a kind that a customer has.
    ListOfCustomer(Kind, String),
    /// One of these: the customer's id and its own.
    RetrieveOfCustomer(Kind, String, String),
    /// A list that belongs to an object; its id, unless a parameter names it.
    ListOwn(Kind, &'static OwnList, Option<String>),
}

impl Route {
    pub(crate) fn find(method: &str, path: &str) -> Result<Self, ApiError> {
        let unknown = || ApiError::no_route(method, path);
        let rest = path.strip_prefix("/v1/").ok_or_else(unknown)?;
        let segments: Vec<&str> = rest.split('/').collect();
        Ok(match (method, segments.as_slice()) {
            ("GET", ["account"]) => Self::Account,
            ("GET", ["accounts"]) => Self::ListAccounts,
            ("POST", ["webhook_endpoints"]) => Self::CreateEndpoint,
            ("GET", ["webhook_endpoints"]) => Self::ListEndpoints,
            ("GET", ["webhook_endpoints", id]) => Self::RetrieveEndpoint((*id).to_owned()),
            ("POST", ["webhook_endpoints", id]) => Self::UpdateEndpoint((*id).to_owned()),
            ("DELETE", ["webhook_endpoints", id]) => Self::DeleteEndpoint((*id).to_owned()),
            ("GET", ["events"]) => Self::ListEvents,
            ("GET", ["events", id]) => Self::RetrieveEvent((*id).to_owned()),
            ("POST", ["events", id, "retry"]) => Self::RetryEvent((*id).to_owned()),
            ("GET", _) => Self::of_objects(rest).ok_or_else(unknown)?,
            _ => return Err(unknown()),
        })
    }

    /// Finds the list of a kind, or one of its objects.
    fn of_objects(path: &str) -> Option<Self> {
        let of_path = |path: &str| Kind::all().find(|kind| kind.path() == Some(path));
        of_path(path)
            .map(Self::ListObjects)
            .or_else(|| Self::of_customer(path))
            .or_else(|| {
                let (path, id) = path.rsplit_once('/')?;
                Some(Self::RetrieveObject(of_path(path)?, id.to_owned()))
            })
            .or_else(|| Self::of_own_list(path))
    }

    /// Finds the list of a kind below a customer, or one of its objects.
    fn of_customer(path: &str) -> Option<Self> {
        let below = path.strip_prefix(Kind::CUSTOMER.path()?)?.strip_prefix('/')?;
        let mut parts = below.split('/');
        let (customer, name, id) = (parts.next()?.to_owned(), parts.next()?, parts.next());
        let kind = Kind::all().find(|kind| kind.below_customer() == Some(name))?;
        if parts.next().is_some() {
            return None;
        }
        Some(match id {
            Some(id) => Self::RetrieveOfCustomer(kind, customer, id.to_owned()),
            None => Self::ListOfCustomer(kind, customer),
        })
    }

    /// Finds a list that belongs to an object.
    fn of_own_list(path: &str) -> Option<Self> {
        let lists = Kind::all().flat_map(|kind| kind.own_lists().iter().map(move |list| (kind, list)));
        lists.into_iter().find_map(|(kind, list)| match list.place {
            ListPlace::BelowObject => {
                let below = path.strip_prefix(kind.path()?)?.strip_prefix('/')?;
                let id = below.strip_suffix(list.member)?.strip_suffix('/')?;
                Some(Self::ListOwn(kind, list, Some(id.to_owned())))
            }
            ListPlace::Filtered { path: own, .. } => (own == path).then_some(Self::ListOwn(kind, list, None)),
        })
    }

    /// Returns the resource to which a restricted key needs a right.
    pub(crate) fn resource(&self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::ListAccounts => "connected_accounts",
            Self::CreateEndpoint
            | Self::ListEndpoints
            | Self::RetrieveEndpoint(_)
            | Self::UpdateEndpoint(_)
            | Self::DeleteEndpoint(_) => "webhook_endpoints",
            Self::ListEvents | Self::RetrieveEvent(_) | Self::RetryEvent(_) => "events",
            Self::ListObjects(kind) | Self::RetrieveObject(kind, _) | Self::ListOwn(kind, ..) => {
                kind.path().unwrap_or_default()
            }
            Self::ListOfCustomer(..) | Self::RetrieveOfCustomer(..) => {
                Kind::CUSTOMER.path().unwrap_or_default()
            }
        }
    }

    pub(crate) fn run(&self, state: &mut StripeState, call: &Call) -> Result<Value, ApiError> {
        match self {
            Self::Account => Ok(account(state, call)),
            Self::ListAccounts => accounts(state, call),
            Self::CreateEndpoint => webhook_endpoints::create(state, call),
            Self::ListEndpoints => webhook_endpoints::list(state, call),
            Self::RetrieveEndpoint(id) => webhook_endpoints::retrieve(state, call, id),
            Self::UpdateEndpoint(id) => webhook_endpoints::update(state, call, id),
            Self::DeleteEndpoint(id) => webhook_endpoints::delete(state, call, id),
            Self::ListEvents => events::list(state, call),
            Self::RetrieveEvent(id) => events::retrieve(state, call, id),
            Self::RetryEvent(id) => events::retry(state, call, id),
            Self::ListObjects(kind) => objects::list(state, call, *kind),
            Self::RetrieveObject(kind, id) => objects::retrieve(state, call, *kind, id),
            Self::ListOfCustomer(kind, customer) => objects::list_of_customer(state, call, *kind, customer),
            Self::RetrieveOfCustomer(kind, customer, id) => {
                objects::retrieve_of_customer(state, call, *kind, customer, id)
            }
            Self::ListOwn(kind, list, id) => objects::list_own(state, call, *kind, list, id.as_deref()),
        }
    }
}

/// Lists the accounts that are connected, the one that was connected last first.
fn accounts(state: &StripeState, call: &Call) -> Result<Value, ApiError> {
    call.params.only(&page::PARAMS)?;
    let connected: Vec<_> =
        state.connected.iter().rev().filter(|id| !state.disconnected.contains(*id)).collect();
    let items: Vec<_> = connected.iter().map(|id| page::Item { id, matches: true, value: *id }).collect();
    let render = |id: &String| json!({ "id": id, "object": "account", "type": "standard" });
    page::page(&items, render, call, "account", state.options.longest_page)
}

/// Returns the account. As at Stripe, it does not say whether it is live: that depends on the key.
fn account(state: &StripeState, call: &Call) -> Value {
    let id = call.account.as_ref().unwrap_or(&state.options.account);
    json!({
        "id": id,
        "object": "account",
        "country": "US",
        "default_currency": "usd",
        "charges_enabled": true,
        "details_submitted": true,
        "payouts_enabled": true,
        "type": "standard",
    })
}
