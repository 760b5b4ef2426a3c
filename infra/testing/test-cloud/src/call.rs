//! A call to AWS, as the proxy sees it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::faults::Fault;

/// One call to AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The process that made it (see [`crate::KillableProcess`]); empty for calls made with
    /// [`crate::TestCloud::aws`].
    pub process: String,
    /// The operation, such as `PutItem`.
    pub operation: String,
    /// The table's name; empty for Secrets Manager.
    pub table: String,
    /// The text of the item's partition key (`id` or `key`); empty if the call is about no item or several.
    pub item: String,
    /// The fault that was injected into it.
    pub fault: Option<Fault>,
    /// Whether DynamoDB or Secrets Manager did it: false if it was refused, if its condition failed, or if it
    /// was never passed on.
    pub done: bool,
    /// Write units by index; the table itself has an empty name. Only of calls that succeeded or failed their
    /// condition.
    pub write_units: BTreeMap<String, f64>,
    /// Read units in all. Only of calls that succeeded.
    pub read_units: f64,
}

impl Call {
    pub(crate) fn from_request(process: &str, operation: &str, request: &Value) -> Self {
        Self {
            process: process.to_owned(),
            operation: operation.to_owned(),
            table: table_name(request),
            item: partition_key(request),
            fault: None,
            done: false,
            write_units: BTreeMap::new(),
            read_units: 0.0,
        }
    }

    pub(crate) fn is_write(&self) -> bool {
        matches!(self.operation.as_str(), "PutItem" | "UpdateItem" | "DeleteItem")
    }
}

fn table_name(request: &Value) -> String {
    let single = request["TableName"].as_str();
    let batch =
        request["RequestItems"].as_object().and_then(|tables| tables.keys().next()).map(String::as_str);
    single.or(batch).unwrap_or_default().to_owned()
}

fn partition_key(request: &Value) -> String {
    let items = [&request["Item"], &request["Key"]];
    let keys = items.iter().flat_map(|item| [&item["id"]["S"], &item["key"]["S"]]);
    keys.filter_map(Value::as_str).next().unwrap_or_default().to_owned()
}

/// Returns the read units in an answer of DynamoDB: of one table, or of all tables of a batch.
pub(crate) fn read_units(answer: &[u8]) -> f64 {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let consumed = &answer["ConsumedCapacity"];
    let tables = consumed.as_array().map_or_else(|| std::slice::from_ref(consumed), Vec::as_slice);
    tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
}

/// Returns the write units in an answer of DynamoDB.
pub(crate) fn write_units(answer: &[u8]) -> BTreeMap<String, f64> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let consumed = &answer["ConsumedCapacity"];
    let mut units = BTreeMap::new();
    if let Some(table_units) = consumed["Table"]["CapacityUnits"].as_f64() {
        units.insert(String::new(), table_units);
    }
    for (index, capacity) in consumed["GlobalSecondaryIndexes"].as_object().into_iter().flatten() {
        units.insert(index.clone(), capacity["CapacityUnits"].as_f64().unwrap_or(0.0));
    }
    units
}
