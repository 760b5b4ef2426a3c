//! `/v1/<objects>`: the current state of customers, subscriptions, invoices, payments and what belongs to them.

use serde_json::Value;

use super::Call;
use super::error::ApiError;
use super::page::{self, Created, Item, page};
use super::params::Params;
use crate::objects::{Kind, Stored};
use crate::world::World;

pub(crate) fn retrieve(world: &World, call: &Call, kind: Kind, id: &str) -> Result<Value, ApiError> {
    call.params.only(&[])?;
    let stored = world.objects.get(call.account.as_deref(), id).filter(|stored| stored.kind == kind);
    stored.map(|stored| stored.value.clone()).ok_or_else(|| ApiError::no_such(kind.words, id))
}

pub(crate) fn list(world: &World, call: &Call, kind: Kind) -> Result<Value, ApiError> {
    let params = &call.params;
    let known = [kind.filters, &["created"], &page::PARAMS].concat();
    params.only(&known)?;
    let created = Created::from(params)?;
    let matches = |stored: &Stored| {
        let made = stored.value["created"].as_i64().unwrap_or_default();
        !stored.is_deleted() && created.holds(made) && filtered(stored, params)
    };
    let stored = world.objects.newest_first(call.account.as_deref(), kind);
    let items: Vec<_> = stored
        .into_iter()
        .map(|stored| Item { id: &stored.id, matches: matches(stored), of: stored })
        .collect();
    page(&items, |stored| stored.value.clone(), call, kind.words)
}

/// Subscriptions that ended are listed only when they are asked for: an import that forgets it misses them.
fn filtered(stored: &Stored, params: &Params) -> bool {
    let status = stored.value["status"].as_str().unwrap_or_default();
    let ended = ["canceled", "incomplete_expired"].contains(&status);
    stored.kind.filters.iter().all(|field| match (*field, params.text(field)) {
        ("status", None) if stored.kind.name == "subscription" => status != "canceled",
        ("status", Some("all")) if stored.kind.name == "subscription" => true,
        ("status", Some("ended")) if stored.kind.name == "subscription" => ended,
        (_, None) => true,
        (field, Some(wanted)) => stored.value[field] == wanted,
    })
}
