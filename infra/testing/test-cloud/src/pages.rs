//! Answers of reads that are as short and unordered as DynamoDB's may be.
//!
//! A page of a query ends after 1 MB, and a batch after 16 MB, so tests with small items would never see a
//! second one.

use serde_json::{Map, Value, json};

/// Items that a page of a query looks at.
const QUERIED: u64 = 3;
/// Keys of a batch that are answered; the others come back as `UnprocessedKeys`.
const ANSWERED: usize = 10;

/// Makes a request one that is answered in short pages, and returns the keys that it does without, by table.
pub(crate) fn shorten(operation: &str, request: &mut Value) -> Map<String, Value> {
    match operation {
        "Query" => {
            request["Limit"] = json!(request["Limit"].as_u64().map_or(QUERIED, |limit| limit.min(QUERIED)));
            Map::new()
        }
        "BatchGetItem" => take_keys(request, ANSWERED),
        _ => Map::new(),
    }
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
