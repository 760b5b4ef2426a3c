//! `/v1/<objects>`: the current state of the objects of each kind, one by its id and in lists.

use serde_json::Value;
use shared::kind::Kind;

use super::Call;
use super::error::ApiError;
use super::page::{self, CreatedFilter, Item, page};
use super::params::Params;
use crate::ids;
use crate::objects::StoredObject;
use crate::rendering::signed;
use crate::state::StripeState;

pub(crate) fn retrieve(state: &StripeState, call: &Call, kind: Kind, id: &str) -> Result<Value, ApiError> {
    call.params.only(&[])?;
    let stored = state.objects.get(call.account.as_deref(), id).filter(|stored| stored.kind == kind);
    stored.map(|stored| rendered(state, stored)).ok_or_else(|| ApiError::no_such(kind.object(), id))
}

pub(crate) fn list(state: &StripeState, call: &Call, kind: Kind) -> Result<Value, ApiError> {
    let params = &call.params;
    let known = [kind.list_filters(), &page::PARAMS].concat();
    params.only(&known)?;
    let created = CreatedFilter::from_params(params)?;
    let matches = |stored: &StoredObject| {
        let at = stored.value["created"].as_i64().unwrap_or_default();
        !stored.is_deleted() && created.matches(at) && passes_filters(stored, params)
    };
    let stored = state.objects.newest_first(call.account.as_deref(), kind);
    let items: Vec<_> = stored
        .into_iter()
        .map(|stored| Item { id: &stored.id, matches: matches(stored), value: stored })
        .collect();
    page(&items, |stored| rendered(state, stored), call, kind.object(), state.options.longest_page)
}

/// Returns an object as an answer shows it. Of about every other one the customer is expanded.
fn rendered(state: &StripeState, stored: &StoredObject) -> Value {
    let mut object = signed(&stored.value, state.clock.now());
    if ids::place_in_second(&stored.id).is_multiple_of(2)
        && let Some(customer) = object["customer"].as_str()
        && let Some(customer) = state.objects.get(stored.account.as_deref(), customer)
    {
        object["customer"] = signed(&customer.value, state.clock.now());
    }
    object
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
        ("created", _) | (_, None) => true,
        (field, Some(wanted)) => stored.value[field] == wanted,
    })
}
