//! `/v1/<objects>`: the current state of the objects of each kind, one by its id and in lists, of the account
//! and of a customer; and the lists that belong to an object, of which it shows ten items.

use serde_json::Value;
use shared::kind::{Kind, ListPlace, OwnList};

use super::Call;
use super::error::ApiError;
use super::page::{self, CreatedFilter, Item, page};
use super::params::Params;
use crate::ids;
use crate::objects::{PAYOUT_OF_TRANSACTION, StoredObject};
use crate::rendering::{cut_lists, signed};
use crate::state::StripeState;

pub(crate) fn retrieve(state: &StripeState, call: &Call, kind: Kind, id: &str) -> Result<Value, ApiError> {
    call.params.only(&[])?;
    let stored = state.objects.get(call.account.as_deref(), id).filter(|stored| stored.kind == kind);
    stored.map(|stored| rendered(state, stored)).ok_or_else(|| ApiError::no_such(kind.object(), id))
}

pub(crate) fn list(state: &StripeState, call: &Call, kind: Kind) -> Result<Value, ApiError> {
    if kind.account_lists().is_empty() {
        return Err(ApiError::no_route(&call.method, &call.path));
    }
    let params = &call.params;
    let known = [kind.list_filters(), &page::PARAMS].concat();
    params.only(&known)?;
    let payout = params.text("payout").filter(|_| kind == Kind::BALANCE_TRANSACTION);
    if let Some(payout) = payout {
        refuse_unless_automatic(state, call, payout)?;
    }
    let created = CreatedFilter::from_params(params)?;
    let matches = |stored: &StoredObject| {
        let at = stored.value["created"].as_i64().unwrap_or_default();
        !stored.is_deleted()
            && created.matches(at)
            && is_listed(stored, params)
            && passes_filters(stored, params)
    };
    let stored = state.objects.newest_first(call.account.as_deref(), kind);
    let items: Vec<_> = stored
        .into_iter()
        .filter(|stored| payout.is_none_or(|payout| stored.value[PAYOUT_OF_TRANSACTION] == payout))
        .map(|stored| Item { id: &stored.id, matches: matches(stored), value: stored })
        .collect();
    let expands_source = params.list("expand")?.unwrap_or_default().contains(&"data.source");
    let render = |stored: &StoredObject| {
        let mut object = rendered(state, stored);
        if expands_source
            && let Some(source) = object["source"].as_str()
            && let Some(source) = state.objects.get(stored.account.as_deref(), source)
        {
            object["source"] = rendered(state, source);
        }
        object
    };
    page(&items, render, call, kind.object(), state.options.longest_page)
}

/// Lists what a customer has of a kind. Of a customer who is deleted Stripe says that there is none.
pub(crate) fn list_of_customer(
    state: &StripeState,
    call: &Call,
    kind: Kind,
    customer: &str,
) -> Result<Value, ApiError> {
    call.params.only(&page::PARAMS)?;
    refuse_unless_customer(state, call, customer)?;
    let stored = state.objects.newest_first(call.account.as_deref(), kind);
    let items: Vec<_> = stored
        .into_iter()
        .filter(|stored| kind.customer(&stored.value) == Some(customer))
        .map(|stored| Item { id: &stored.id, matches: !stored.is_deleted(), value: stored })
        .collect();
    let render = |stored: &StoredObject| rendered(state, stored);
    page(&items, render, call, kind.object(), state.options.longest_page)
}

/// One of those that a customer has.
pub(crate) fn retrieve_of_customer(
    state: &StripeState,
    call: &Call,
    kind: Kind,
    customer: &str,
    id: &str,
) -> Result<Value, ApiError> {
    call.params.only(&[])?;
    refuse_unless_customer(state, call, customer)?;
    let stored = state.objects.get(call.account.as_deref(), id).filter(|stored| stored.kind == kind);
    let stored = stored.filter(|stored| kind.customer(&stored.value) == Some(customer));
    stored.map(|stored| rendered(state, stored)).ok_or_else(|| ApiError::no_such(kind.object(), id))
}

fn refuse_unless_customer(state: &StripeState, call: &Call, id: &str) -> Result<(), ApiError> {
    let stored = state.objects.get(call.account.as_deref(), id);
    let stored = stored.filter(|stored| stored.kind == Kind::CUSTOMER && !stored.is_deleted());
    let object = Kind::CUSTOMER.object();
    stored.map(drop).ok_or_else(|| ApiError::no_such(object, id))
}

/// Stripe lists the transactions of automatic payouts alone.
fn refuse_unless_automatic(state: &StripeState, call: &Call, payout: &str) -> Result<(), ApiError> {
    let Some(stored) = state.objects.get(call.account.as_deref(), payout) else {
        return Err(ApiError::no_such(Kind::PAYOUT.object(), payout));
    };
    if stored.value["automatic"] == true {
        return Ok(());
    }
    let message = "Balance transaction history can only be filtered on automatic transfers, not manual.";
    Err(ApiError::invalid("payout", message))
}

/// Lists what belongs to an object.
pub(crate) fn list_own(
    state: &StripeState,
    call: &Call,
    kind: Kind,
    list: &OwnList,
    id: Option<&str>,
) -> Result<Value, ApiError> {
    let (known, id, missing) = match (list.place, id) {
        (ListPlace::Filtered { param, .. }, _) => {
            let id = call.params.text(param).ok_or_else(|| ApiError::missing(param))?;
            ([&page::PARAMS[..], &[param]].concat(), id, ApiError::no_such_cursor(param, kind.object(), id))
        }
        (ListPlace::BelowObject, id) => {
            let id = id.unwrap_or_default();
            (page::PARAMS.to_vec(), id, ApiError::no_such(kind.object(), id))
        }
    };
    call.params.only(&known)?;
    let stored = state.objects.get(call.account.as_deref(), id).filter(|stored| stored.kind == kind);
    let stored = stored.filter(|stored| !stored.is_deleted()).ok_or(missing)?;
    let data = stored.value[list.member]["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let items: Vec<_> = data
        .iter()
        .map(|item| Item { id: item["id"].as_str().unwrap_or_default(), matches: true, value: item })
        .collect();
    page(&items, Value::clone, call, "line item", state.options.longest_page)
}

/// Returns an object as an answer shows it. Of about every other one the customer is expanded.
fn rendered(state: &StripeState, stored: &StoredObject) -> Value {
    let mut object = signed(&stored.value, state.clock.now());
    if let Some(members) = object.as_object_mut() {
        members.remove(PAYOUT_OF_TRANSACTION);
    }
    if ids::place_in_second(&stored.id).is_multiple_of(2)
        && let Some(customer) = object["customer"].as_str()
        && let Some(customer) = state.objects.get(stored.account.as_deref(), customer)
    {
        object["customer"] = signed(&customer.value, state.clock.now());
    }
    cut_lists(stored.kind, &mut object);
    object
}

/// Whether a list has an object that no filter keeps out. Unless they are asked for, Stripe lists no prices
/// that are inactive, and of tax ids those of the account alone; of reviews that are closed it lists none at
/// all.
fn is_listed(stored: &StoredObject, params: &Params) -> bool {
    let object = &stored.value;
    match stored.kind.object() {
        "price" => params.text("active").is_some() || object["active"] != false,
        "review" => object["open"] != false,
        "tax_id" => {
            object["customer"].is_null() && matches!(object["owner"]["type"].as_str(), None | Some("self"))
        }
        _ => true,
    }
}

/// Whether an object passes the filters of a list. Subscriptions that ended are listed only when they are
/// asked for: an import that does not ask misses them.
fn passes_filters(stored: &StoredObject, params: &Params) -> bool {
    let status = stored.value["status"].as_str().unwrap_or_default();
    let ended = ["canceled", "incomplete_expired"].contains(&status);
    stored.kind.list_filters().iter().all(|field| match (*field, params.text(field)) {
        ("status", None) if stored.kind == Kind::SUBSCRIPTION => status != "canceled",
        ("status", Some("all")) if stored.kind == Kind::SUBSCRIPTION => true,
        ("status", Some("ended")) if stored.kind == Kind::SUBSCRIPTION => ended,
        // Read before.
        ("created" | "payout", _) | (_, None) => true,
        (field, Some(wanted)) => match stored.value[field].as_bool() {
            Some(flag) => wanted == flag.to_string(),
            None => stored.value[field] == wanted,
        },
    })
}
