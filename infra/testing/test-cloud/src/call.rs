//! A call to AWS, as the door sees it, and the ways it can fail.

use std::collections::BTreeMap;

use serde_json::Value;

/// One call to AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The process that made it (see [`crate::Process`]); empty for calls made with [`crate::TestCloud::aws`].
    pub process: String,
    /// Such as `PutItem`.
    pub operation: String,
    /// The table's name; empty for Secrets Manager.
    pub table: String,
    /// The item it is about, by the text of its partition key (`id` or `key`); empty if it is about none or several.
    pub item: String,
    /// How it was made to fail.
    pub fault: Option<Fault>,
    /// Did DynamoDB or Secrets Manager do it? Not if it was refused, its condition failed, or it never got there.
    pub done: bool,
    /// Write units by index; the table itself has an empty name. Only of calls that succeeded or failed their condition.
    pub write_units: BTreeMap<String, f64>,
    /// Read units in all. Only of calls that succeeded.
    pub read_units: f64,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// `ThrottlingException`: nothing is done; the SDK may try again.
    Throttle,
    /// 500: nothing is done; the SDK may try again.
    ServerError,
    /// `AccessDeniedException`: nothing is done, and trying again does not help.
    AccessDenied,
    /// `ValidationException`: nothing is done, and the same call will always be refused.
    Invalid,
    /// Nothing is done and no answer comes.
    Hang,
    /// It is done, but no answer comes.
    DoneWithoutAnswer,
    /// It is done, but the connection breaks off.
    DoneAndCut,
}

impl Call {
    pub(crate) fn read(process: &str, operation: &str, request: &Value) -> Self {
        Self {
            process: process.to_owned(),
            operation: operation.to_owned(),
            table: table_of(request),
            item: item_of(request),
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

fn table_of(request: &Value) -> String {
    let one = request["TableName"].as_str();
    let batch =
        request["RequestItems"].as_object().and_then(|tables| tables.keys().next()).map(String::as_str);
    one.or(batch).unwrap_or_default().to_owned()
}

fn item_of(request: &Value) -> String {
    let keys = [&request["Item"], &request["Key"]];
    let texts = keys.iter().flat_map(|of| [&of["id"]["S"], &of["key"]["S"]]);
    texts.filter_map(Value::as_str).next().unwrap_or_default().to_owned()
}

/// The read units in an answer of DynamoDB: of one table, or of each table of a batch.
pub(crate) fn read_units(answer: &[u8]) -> f64 {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let consumed = &answer["ConsumedCapacity"];
    let tables = consumed.as_array().map_or_else(|| std::slice::from_ref(consumed), Vec::as_slice);
    tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
}

/// The write units in an answer of DynamoDB.
pub(crate) fn write_units(answer: &[u8]) -> BTreeMap<String, f64> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let consumed = &answer["ConsumedCapacity"];
    let mut units = BTreeMap::new();
    if let Some(of_table) = consumed["Table"]["CapacityUnits"].as_f64() {
        units.insert(String::new(), of_table);
    }
    for (index, capacity) in consumed["GlobalSecondaryIndexes"].as_object().into_iter().flatten() {
        units.insert(index.clone(), capacity["CapacityUnits"].as_f64().unwrap_or(0.0));
    }
    units
}
