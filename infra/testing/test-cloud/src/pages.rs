//! Answers of reads that are as short and unordered as DynamoDB's may be.
//!
//! A page of a query ends after 1 MB, and a batch after 16 MB, so tests with small items would never see a
//! second one. Of a query the first page is empty here, as one is whose items a filter has all left out, the
//! second holds three items at most, and each other 25. That a page names no `LastEvaluatedKey` is the only
//! sign of the end, so the last page is empty too where the one before it was full.

use serde_json::{Map, Value, json};

/// Items that the second page of a query looks at.
const SECOND_PAGE: u64 = 3;
/// Items that each other page looks at: more, so that tests with many items do not take minutes.
const LATER_PAGE: u64 = 25;
/// Keys of a batch that are answered, or half of them if those are more; the others come back as
/// `UnprocessedKeys`.
const ANSWERED: usize = 10;
/// What the key at the end of an empty first page ends with. No item has such a key.
const BEFORE: &str = " (before)";

/// Makes a query one that looks at few items, and returns whether its answer is to be the empty first page
/// ([`empty`]).
pub(crate) fn shorten(request: &mut Value) -> bool {
    let start = request["ExclusiveStartKey"].as_object();
    let is_first = start.is_none();
    let is_second = start.is_some_and(|key| key.values().any(|part| text(part).ends_with(BEFORE)));
    if is_second && let Some(request) = request.as_object_mut() {
        request.remove("ExclusiveStartKey");
    }
    let longest = match (is_first, is_second) {
        (true, _) => 1,
        (false, true) => SECOND_PAGE,
        (false, false) => LATER_PAGE,
    };
    let limit = request["Limit"].as_u64().unwrap_or(longest);
    request["Limit"] = json!(limit.min(longest));
    is_first
}

/// Makes an answer the empty page before it, if it names a place to go on from.
pub(crate) fn empty(answer: &mut Value) {
    let Some(key) = answer["LastEvaluatedKey"].as_object_mut() else { return };
    for part in key.values_mut().filter(|part| part["S"].is_string()) {
        *part = json!({ "S": format!("{}{BEFORE}", text(part)) });
    }
    answer["Count"] = json!(0);
    if !answer["Items"].is_null() {
        answer["Items"] = json!([]);
    }
}

fn text(attribute: &Value) -> &str {
    attribute["S"].as_str().unwrap_or_default()
}

/// Takes keys of a batch out of its request: all but the first ten, or half. Returns them by table.
pub(crate) fn shorten_batch(request: &mut Value) -> Map<String, Value> {
    let tables = request["RequestItems"].as_object().into_iter().flatten();
    let keys = tables.map(|(_, batch)| batch["Keys"].as_array().map_or(0, Vec::len)).max().unwrap_or(0);
    take_keys(request, ANSWERED.max(keys.div_ceil(2)))
}

/// Takes all keys of a batch but the first `kept` out of its request, and returns them by table.
pub(crate) fn take_keys(request: &mut Value, kept: usize) -> Map<String, Value> {
    let mut left_out = Map::new();
    let Some(tables) = request["RequestItems"].as_object_mut() else { return left_out };
    for (table, batch) in tables {
        let mut rest = batch.clone();
        let keys = batch["Keys"].as_array().cloned().unwrap_or_default();
        let (first, others) = keys.split_at(kept.min(keys.len()));
        if !others.is_empty() {
            rest["Keys"] = others.into();
            left_out.insert(table.clone(), rest);
        }
        batch["Keys"] = first.into();
    }
    left_out
}

/// Turns the items of a batch's answer around: they come in no order.
pub(crate) fn reorder(answer: &mut Value) {
    for items in answer["Responses"].as_object_mut().into_iter().flat_map(|tables| tables.values_mut()) {
        if let Some(items) = items.as_array_mut() {
            items.reverse();
        }
    }
}
