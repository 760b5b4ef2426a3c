//! Answers of reads that are as short and unordered as DynamoDB's may be.
//!
//! A page of a query ends after 1 MB, and a batch after 16 MB, so tests with small items would never see a
//! second one. Of a query the first page is empty here, as one is whose items a filter has all left out, and
//! each other page holds three items at most. That a page names no `LastEvaluatedKey` is the only sign of the
//! end, so the last page is empty too where the one before it was full.

use serde_json::{Map, Value, json};

/// Items that a page of a query looks at.
const QUERIED: u64 = 3;
/// Keys of a batch that are answered; the others come back as `UnprocessedKeys`.
const ANSWERED: usize = 10;
/// What the key at the end of an empty first page ends with. No item has such a key.
const BEFORE: &str = " (before)";

/// Makes a query one that looks at few items, and returns whether its answer is to be the empty first page
/// ([`empty`]).
pub(crate) fn shorten(request: &mut Value) -> bool {
    let start = request["ExclusiveStartKey"].as_object();
    let is_first = start.is_none();
    if start.is_some_and(|key| key.values().any(|part| text(part).ends_with(BEFORE)))
        && let Some(request) = request.as_object_mut()
    {
        request.remove("ExclusiveStartKey");
    }
    let limit = request["Limit"].as_u64().unwrap_or(QUERIED);
    request["Limit"] = json!(if is_first { 1 } else { limit.min(QUERIED) });
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

/// Takes all keys of a batch but the first ten out of its request, and returns them by table.
pub(crate) fn shorten_batch(request: &mut Value) -> Map<String, Value> {
    take_keys(request, ANSWERED)
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
