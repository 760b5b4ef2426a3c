//! The tables of `template.yaml`, created for a test (so that what is tested is what is deployed), and read
//! whole.

use std::path::Path;

use serde_json::{Value, json};
use shared::aws::AwsEnv;

use crate::proxy::dynamodb_request;

/// Creates each `AWS::DynamoDB::Table` under its logical name, and returns the names.
#[allow(clippy::expect_used, reason = "a test that cannot have its tables has to fail at once")]
pub(crate) async fn create(aws: &AwsEnv) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../template.yaml");
    let template = std::fs::read_to_string(path).expect("template.yaml");
    // `N` is a type of key here, not YAML 1.1's "no".
    let options = serde_saphyr::options! { strict_booleans: true };
    let template: Value =
        serde_saphyr::from_str_with_options(&template, options).expect("template.yaml is YAML");
    let client = reqwest::Client::new();
    let mut names = Vec::new();
    for (name, resource) in template["Resources"].as_object().expect("resources") {
        if resource["Type"] != "AWS::DynamoDB::Table" {
            continue;
        }
        let properties = &resource["Properties"];
        let mut request = json!({
            "TableName": name,
            "AttributeDefinitions": properties["AttributeDefinitions"],
            "KeySchema": properties["KeySchema"],
            "BillingMode": "PAY_PER_REQUEST",
        });
        if !properties["GlobalSecondaryIndexes"].is_null() {
            request["GlobalSecondaryIndexes"] = properties["GlobalSecondaryIndexes"].clone();
        }
        call(&client, aws, "CreateTable", &request).await;
        names.push(name.clone());
    }
    names
}

/// Creates the tables in another database, with all their items.
pub(crate) async fn copy(from: &AwsEnv, to: &AwsEnv) {
    let client = reqwest::Client::new();
    for table in create(to).await {
        for item in scan(from, &table).await {
            call(&client, to, "PutItem", &json!({ "TableName": table, "Item": item })).await;
        }
    }
}

/// Returns all items of a table.
pub(crate) async fn scan(aws: &AwsEnv, table: &str) -> Vec<Value> {
    let client = reqwest::Client::new();
    let mut request = json!({ "TableName": table });
    let mut items = Vec::new();
    loop {
        let mut page = call(&client, aws, "Scan", &request).await;
        items.extend(page["Items"].as_array().cloned().unwrap_or_default());
        if page["LastEvaluatedKey"].is_null() {
            return items;
        }
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"].take();
    }
}

#[allow(clippy::expect_used, reason = "a test that cannot see its tables has to fail at once")]
async fn call(client: &reqwest::Client, aws: &AwsEnv, operation: &str, request: &Value) -> Value {
    let url = aws.endpoint_url().expect("an address");
    let sent = dynamodb_request(client, url, operation, request.to_string()).send().await;
    let answer = sent.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    assert!(status.is_success(), "{operation} {request}: {text}");
    serde_json::from_str(&text).expect("JSON")
}
