//! Stripe's pages: the newest second first, cursors being ids, both directions.
//!
//! `ending_before` gives the page that lies just before the cursor, not the first one of the list, and still
//! newest first: a client that pages towards newer items goes on from the first id of each page.

use serde_json::{Value, json};

use super::Call;
use super::error::ApiError;
use super::params::Params;

/// The parameters of a list call besides its own filters.
pub(crate) const PARAMS: [&str; 3] = ["limit", "starting_after", "ending_before"];

/// One item of a list: its id, and whether the filters let it through.
pub(crate) struct Item<'a, T> {
    pub(crate) id: &'a str,
    pub(crate) matches: bool,
    pub(crate) value: &'a T,
}

/// Returns the page that the call asks for. The cursor may be an item that the filters keep out. Only what is
/// on the page is rendered, so a long list costs little. A page has `longest` items at most, however many are
/// asked for: `has_more` alone says whether there are more.
pub(crate) fn page<T>(
    items: &[Item<'_, T>],
    render: impl Fn(&T) -> Value,
    call: &Call,
    noun: &str,
    longest: usize,
) -> Result<Value, ApiError> {
    let params = &call.params;
    let limit = match params.integer("limit")?.unwrap_or(10) {
        limit @ 1..=100 => usize::try_from(limit).unwrap_or(100).min(longest),
        limit => {
            let message = format!("Invalid limit: must be between 1 and 100 (it currently is '{limit}').");
            return Err(ApiError::invalid("limit", message));
        }
    };
    let position = |param: &str| -> Result<Option<usize>, ApiError> {
        let Some(cursor) = params.text(param) else { return Ok(None) };
        let found = items.iter().position(|item| item.id == cursor);
        found.map(Some).ok_or_else(|| ApiError::no_such_cursor(param, noun, cursor))
    };
    let matching = |part| -> Vec<&T> {
        let part: &[Item<'_, T>] = part;
        part.iter().filter(|item| item.matches).map(|item| item.value).collect()
    };
    let (data, has_more) = match (position("starting_after")?, position("ending_before")?) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: ending_before, starting_after.";
            return Err(ApiError::invalid("ending_before", message));
        }
        (None, Some(cursor)) => {
            let mut newer = matching(&items[..cursor]);
            let rest = newer.len().saturating_sub(limit);
            (newer.split_off(rest), rest > 0)
        }
        (cursor, None) => {
            let mut older = matching(&items[cursor.map_or(0, |cursor| cursor + 1)..]);
            let has_more = older.len() > limit;
            older.truncate(limit);
            (older, has_more)
        }
    };
    let data: Vec<Value> = data.into_iter().map(render).collect();
    Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": call.path }))
}

/// The `created` filter: a time, or bounds of one.
pub(crate) struct CreatedFilter(Vec<(Bound, i64)>);

#[derive(Clone, Copy)]
enum Bound {
    Exactly,
    After,
    From,
    Before,
    UpTo,
}

impl CreatedFilter {
    pub(crate) fn from_params(params: &Params) -> Result<Self, ApiError> {
        let mut bounds = Vec::new();
        if let Some(time) = params.integer("created")? {
            bounds.push((Bound::Exactly, time));
        }
        for (name, _) in params.under("created") {
            let full = format!("created[{name}]");
            let bound = match name {
                "gt" => Bound::After,
                "gte" => Bound::From,
                "lt" => Bound::Before,
                "lte" => Bound::UpTo,
                _ => return Err(ApiError::unknown(&full)),
            };
            bounds.extend(params.integer(&full)?.map(|time| (bound, time)));
        }
        Ok(Self(bounds))
    }

    pub(crate) fn matches(&self, created: i64) -> bool {
        self.0.iter().all(|(bound, time)| match bound {
            Bound::Exactly => created == *time,
            Bound::After => created > *time,
            Bound::From => created >= *time,
            Bound::Before => created < *time,
            Bound::UpTo => created <= *time,
        })
    }
}
