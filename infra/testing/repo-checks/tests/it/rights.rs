//! Authorization in the template: which routes need a token, and which rights each role has.

use serde_json::Value;

use crate::resources;

#[test]
fn every_route_but_those_of_deliveries_and_of_the_page_requires_a_token() {
    let mut public = Vec::new();
    for (name, route) in
        resources().into_iter().filter(|(_, resource)| resource["Type"] == "AWS::ApiGatewayV2::Route")
    {
        let properties = &route["Properties"];
        if properties["AuthorizationType"] == "JWT" && properties["AuthorizerId"] == "Authorizer" {
            continue;
        }
        public.push((name, properties["RouteKey"].as_str().unwrap().to_owned()));
    }
    let mut routes: Vec<_> = public.iter().map(|(_, route)| route.as_str()).collect();
    routes.sort_unstable();
    let of_the_page = ["GET /", "GET /assets/{file}", "GET /config.json"];
    assert_eq!(
        routes,
        [&of_the_page[..], &["GET /webhooks/{endpoint}", "POST /webhooks/{endpoint}"]].concat()
    );
}

fn statements(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| statements(item, found)),
        Value::Object(fields) if fields.contains_key("Effect") => found.push(value.clone()),
        Value::Object(fields) => fields.values().for_each(|field| statements(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        Value::String(one) => vec![one.clone()],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

#[test]
fn rights_are_named_verb_by_verb_on_named_resources() {
    let mut all = Vec::new();
    for (_, resource) in resources() {
        match resource["Type"].as_str().unwrap() {
            "AWS::IAM::Role" => statements(&resource["Properties"]["Policies"], &mut all),
            "AWS::IAM::Policy" => statements(&resource["Properties"]["PolicyDocument"], &mut all),
            _ => {}
        }
    }
    assert!(all.len() > 10);
    for statement in all {
        for action in texts(&statement["Action"]) {
            assert!(action.contains(':') && !action.contains('*'), "{statement}");
        }
        let on = texts(&statement["Resource"]);
        assert!(!on.is_empty() && on.iter().all(|resource| resource != "*"), "{statement}");
    }
}

#[test]
fn only_register_may_touch_signing_secrets_or_set_the_stripe_key() {
    for (name, resource) in
        resources().into_iter().filter(|(_, resource)| resource["Type"] == "AWS::IAM::Role")
    {
        let mut all = Vec::new();
        statements(&resource["Properties"]["Policies"], &mut all);
        for statement in all {
            for action in texts(&statement["Action"]) {
                let changes = action.starts_with("secretsmanager:")
                    && !matches!(
                        action.as_str(),
                        "secretsmanager:GetSecretValue" | "secretsmanager:DescribeSecret"
                    );
                assert!(!changes || name == "RegisterRole", "{name} has {action}");
                let deletes = action.starts_with("dynamodb:Delete") || action.starts_with("dynamodb:Scan");
                assert!(!deletes || name == "RegisterRole", "{name} has {action}");
            }
        }
    }
}

#[test]
fn no_table_has_a_name_of_its_own() {
    let tables: Vec<_> =
        resources().into_iter().filter(|(_, resource)| resource["Type"] == "AWS::DynamoDB::Table").collect();
    assert_eq!(tables.len(), 4);
    for (name, table) in tables {
        assert!(table["Properties"]["TableName"].is_null(), "{name} could not be made again");
    }
}

#[test]
fn no_alias_stands_in_the_template() {
    // CloudFormation's documentation, "Template formats": YAML aliases are not supported.
    for line in crate::read("template.yaml").lines().filter(|line| !line.trim_start().starts_with('#')) {
        assert!(!line.contains(": &") && !line.contains(": *"), "{line}");
    }
}
