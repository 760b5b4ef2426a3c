//! The tables of `template.yaml`, made for a test: what is tested is what is deployed.

use std::path::Path;

use serde_json::{Value, json};
use shared::aws::AwsEnv;

/// Creates each `AWS::DynamoDB::Table` under its logical name.
#[allow(clippy::expect_used, reason = "a test that cannot have its tables has to fail at once")]
pub(crate) async fn create(aws: &AwsEnv) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = std::fs::read_to_string(path).expect("template.yaml");
    // `N` is a type of key here, not YAML 1.1's "no".
    let options = serde_saphyr::options! { strict_booleans: true };
    let template: Value =
        serde_saphyr::from_str_with_options(&template, options).expect("template.yaml is YAML");
    let client = reqwest::Client::new();
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
        let answer = client
            .post(aws.endpoint_url().expect("an address"))
            .header("x-amz-target", "DynamoDB_20120810.CreateTable")
            .body(request.to_string())
            .send()
            .await
            .expect("an answer");
        let status = answer.status();
        assert!(status.is_success(), "{name}: {}", answer.text().await.unwrap_or_default());
    }
}
