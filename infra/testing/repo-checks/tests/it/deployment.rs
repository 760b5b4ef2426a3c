//! The template as AWS takes it: what its documentation asks for and no local cloud refuses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{functions, read, resources, template};

/// Returns the properties of all resources of a type, by name.
fn of_type(wanted: &str) -> BTreeMap<String, Value> {
    let found: BTreeMap<_, _> = resources()
        .into_iter()
        .filter(|(_, resource)| resource["Type"] == wanted)
        .map(|(name, resource)| (name, resource["Properties"].clone()))
        .collect();
    assert!(!found.is_empty(), "no {wanted}");
    found
}

/// Lambda's guide, "Using event filtering with a DynamoDB event source": only keys below `dynamodb` filter.
#[test]
fn the_stream_is_filtered_by_what_lambda_filters() {
    let filters = &of_type("AWS::Lambda::EventSourceMapping")["Doorbell"]["FilterCriteria"]["Filters"];
    for filter in filters.as_array().unwrap() {
        let pattern: Value = serde_json::from_str(filter["Pattern"].as_str().unwrap()).unwrap();
        let keys: Vec<_> = pattern.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["dynamodb"], "{pattern}");
    }
}

/// `RouteSettings` is a `Json` property: CloudFormation passes on what stands there, and a parameter is a
/// text. Only the members of `DefaultRouteSettings` have types.
#[test]
fn throttles_are_numbers_when_they_arrive() {
    let stage = &of_type("AWS::ApiGatewayV2::Stage")["Stage"];
    let settings = stage["RouteSettings"].as_object().unwrap();
    let (_, resource) = resources().into_iter().find(|(name, _)| name == "Stage").unwrap();
    let awaited: BTreeSet<_> = resource["DependsOn"].as_array().unwrap().iter().map(Value::as_str).collect();
    let mut routes = BTreeSet::new();
    for (name, route) in of_type("AWS::ApiGatewayV2::Route") {
        let key = route["RouteKey"].as_str().unwrap().to_owned();
        if key.starts_with("POST /webhooks/") {
            continue;
        }
        assert!(awaited.contains(&Some(name.as_str())), "Stage has to wait for {name}");
        routes.insert(key);
    }
    assert_eq!(settings.keys().cloned().collect::<BTreeSet<_>>(), routes, "each route has its throttle");
    let readme = read("infra/README.md");
    let row = readme.lines().find(|line| line.starts_with("| the throttles |")).unwrap();
    for (route, limits) in settings {
        let is_usual = limits["ThrottlingRateLimit"] == 50;
        assert_eq!(row.contains(&format!("`{route}`")), !is_usual, "infra/README.md: {route}");
        for member in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
            assert!(limits[member].is_u64(), "{route}: {member} is no number");
        }
    }
    assert_eq!(stage["DefaultRouteSettings"]["ThrottlingRateLimit"], "WebhookRateLimit");
}

/// A schedule calls asynchronously: with Lambda's defaults (two retries, six hours) an outage ends in a pile.
#[test]
fn a_scheduled_run_is_tried_once_and_what_is_dropped_is_kept() {
    let dropped = json!({ "OnFailure": { "Type": "SQS", "Destination": "DeadLetters.Arn" } });
    let mut scheduled = 0;
    for (name, function) in of_type("AWS::Serverless::Function") {
        let Some(events) = function["Events"].as_object() else { continue };
        scheduled += 1;
        let invoke = &function["EventInvokeConfig"];
        assert_eq!(invoke["MaximumRetryAttempts"], 0, "{name}");
        assert_eq!(invoke["MaximumEventAgeInSeconds"], 60, "{name}");
        assert_eq!(invoke["DestinationConfig"], dropped, "{name}");
        for event in events.values().map(|event| &event["Properties"]) {
            assert_eq!(
                event["RetryPolicy"],
                json!({ "MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0 })
            );
            assert_eq!(event["DeadLetterConfig"]["Arn"], "DeadLetters.Arn", "{name}");
        }
        let role = &of_type("AWS::IAM::Role")[&format!("{name}Role")].to_string();
        assert!(role.contains("sqs:SendMessage"), "{name} may not write to the queue");
        let alarm = format!("\n  {name}Dropped:\n");
        assert!(read("infra/monitoring.yaml").contains(&alarm), "no alarm {name}Dropped");
    }
    assert_eq!(scheduled, 5);
    let doorbell = &of_type("AWS::Lambda::EventSourceMapping")["Doorbell"];
    assert_eq!(doorbell["DestinationConfig"]["OnFailure"]["Destination"], "DeadLetters.Arn");
}

/// SAM publishes a version when the template or the code changes, and not when only a parameter does: the
/// alias would go on with the old value.
#[test]
fn what_an_alias_points_to_hangs_on_no_parameter_that_changes() {
    let parameters = template()["Parameters"].clone();
    let mut published = Vec::new();
    for (name, function) in of_type("AWS::Serverless::Function") {
        if function["AutoPublishAlias"].is_null() {
            continue;
        }
        assert_eq!(function["AutoPublishAliasAllProperties"], true, "{name}");
        for (variable, value) in function["Environment"]["Variables"].as_object().unwrap() {
            let value = value.as_str().unwrap_or("a function");
            assert!(parameters[value].is_null() && value != "a function", "{name}: {variable}");
        }
        published.push(name);
    }
    assert_eq!(published, ["Receive"]);
    // The mode of a stack never changes: its records are of one.
    let global = &template()["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(global, &json!({ "MODE": "Mode", "STACK_NAME": "AWS::StackName" }));
}

#[test]
fn a_gradual_deployment_goes_back_for_alarms_of_deliveries() {
    let receive = &of_type("AWS::Serverless::Function")["Receive"]["DeploymentPreference"];
    assert_eq!(receive["Enabled"], "GradualDeployment");
    let outputs = crate::parsed("infra/monitoring.yaml")["Outputs"].clone();
    for alarm in receive["Alarms"].as_array().unwrap() {
        let output = alarm.as_str().unwrap().strip_prefix("Monitoring.Outputs.").unwrap();
        assert_eq!(outputs[output]["Value"], output);
    }
    assert_eq!(receive["Alarms"].as_array().unwrap().len(), 3);
}

/// Turning `GradualDeployment` on or off points the API to the alias or to the function. The right to call
/// either is there before and after, so no delivery meets an API that may not call it.
#[test]
fn the_api_may_call_receive_whichever_way_a_deployment_goes() {
    let integration = &of_type("AWS::ApiGatewayV2::Integration")["ReceiveIntegration"];
    let targets = integration["IntegrationUri"].as_array().unwrap();
    assert_eq!(targets, &[json!("Gradual"), json!("Receive.Alias"), json!("Receive.Arn")]);
    let all: BTreeMap<_, _> = resources().into_iter().collect();
    let awaited: BTreeSet<_> =
        all["ReceiveIntegration"]["DependsOn"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let may_call: BTreeMap<_, _> = awaited
        .iter()
        .map(|name| (all[*name]["Properties"]["FunctionName"].as_str().unwrap(), &all[*name]))
        .collect();
    assert_eq!(may_call.keys().copied().collect::<Vec<_>>(), ["Receive", "Receive.Alias"]);
    for permission in may_call.values() {
        assert_eq!(permission["Type"], "AWS::Lambda::Permission");
        assert!(permission["Condition"].is_null(), "{permission}");
    }
}

/// The audit names people by e-mail and `sub`: the subject of a token may write neither (Cognito takes its
/// access token for changes of attributes), and without a list an app client may write all.
#[test]
fn users_cannot_write_who_they_are() {
    let client = &of_type("AWS::Cognito::UserPoolClient")["UserPoolClient"];
    assert_eq!(client["WriteAttributes"], json!(["name"]));
    let pool = &of_type("AWS::Cognito::UserPool")["UserPool"];
    assert_eq!(
        pool["UserAttributeUpdateSettings"]["AttributesRequireVerificationBeforeUpdate"],
        json!(["email"])
    );
    assert_eq!(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], true);
}

/// What holds data or says who somebody was outlives the stack, but not a first deployment that fails.
#[test]
fn what_cannot_be_made_again_is_kept_and_can_be_protected() {
    let kept = ["AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolGroup"];
    let mut found = 0;
    for (name, resource) in resources() {
        if !kept.contains(&resource["Type"].as_str().unwrap()) {
            continue;
        }
        found += 1;
        assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
    }
    assert_eq!(found, 4 + 1 + 2);
    for (name, table) in of_type("AWS::DynamoDB::Table") {
        assert_eq!(table["DeletionProtectionEnabled"], json!(["Protect", true, false]), "{name}");
    }
    let pool = &of_type("AWS::Cognito::UserPool")["UserPool"];
    assert_eq!(pool["DeletionProtection"], json!(["Protect", "ACTIVE", "INACTIVE"]));
}

#[test]
fn everything_that_takes_a_tag_has_the_stacks() {
    // Routes, mappings, permissions, policies, clients, groups, domains, brandings and record sets take none.
    let untagged = [
        "AWS::ApiGatewayV2::ApiMapping",
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::Cognito::ManagedLoginBranding",
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::UserPoolDomain",
        "AWS::Cognito::UserPoolGroup",
        "AWS::Cognito::UserPoolResourceServer",
        "AWS::IAM::Policy",
        "AWS::Lambda::Permission",
        "AWS::Route53::RecordSet",
        "AWS::SQS::QueuePolicy",
    ];
    let (list, map) = (
        json!([{ "Key": "billhook:stack", "Value": "AWS::StackName" }]),
        json!({ "billhook:stack": "AWS::StackName" }),
    );
    for (name, resource) in resources() {
        let kind = resource["Type"].as_str().unwrap();
        // All of these by `Globals`, with what SAM makes of them.
        if untagged.contains(&kind) || kind == "AWS::Serverless::Function" {
            continue;
        }
        let properties = &resource["Properties"];
        let tags =
            if kind == "AWS::Cognito::UserPool" { &properties["UserPoolTags"] } else { &properties["Tags"] };
        assert!(tags == &list || tags == &map, "{name} ({kind}) has no tag of the stack: {tags}");
    }
    let global = &template()["Globals"]["Function"];
    assert_eq!((&global["Tags"], &global["PropagateTags"]), (&map, &true.into()));
}

/// A key of one's own is for all that holds data, and a function that cannot use it cannot read.
#[test]
fn a_key_of_ones_own_encrypts_all_that_holds_data_and_each_role_may_use_it() {
    let key = json!(["CustomerKey", "KmsKeyArn", "AWS::NoValue"]);
    for (name, table) in of_type("AWS::DynamoDB::Table") {
        let sse = json!({ "SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": "KmsKeyArn" });
        assert_eq!(table["SSESpecification"], json!(["CustomerKey", sse, "AWS::NoValue"]), "{name}");
    }
    for kind in ["AWS::Logs::LogGroup", "AWS::SecretsManager::Secret"] {
        for (name, properties) in of_type(kind) {
            assert_eq!(properties["KmsKeyId"], key, "{name}");
        }
    }
    let register = &of_type("AWS::Serverless::Function")["Register"]["Environment"]["Variables"];
    assert_eq!(register["SECRET_KMS_KEY"], "KmsKeyArn");
    let topic = crate::parsed("infra/monitoring.yaml")["Resources"]["Topic"]["Properties"].clone();
    assert_eq!(topic["KmsMasterKeyId"], key);
    let allowed = &of_type("AWS::IAM::Policy")["UseKey"]["Roles"];
    let allowed: BTreeSet<_> = allowed.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let roles = of_type("AWS::IAM::Role");
    assert_eq!(roles.len(), functions().len());
    // One that reads and writes nothing has nothing to decrypt.
    let reads =
        |role: &Value| ["dynamodb:", "secretsmanager:"].iter().any(|of| role.to_string().contains(of));
    let reading: BTreeSet<_> =
        roles.iter().filter(|(_, role)| reads(role)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(allowed, reading);
    assert!(reading.len() > 5, "{reading:?}");
}

/// A wrong parameter is refused before anything is made.
#[test]
fn each_parameter_says_what_it_takes() {
    for (name, parameter) in template()["Parameters"].as_object().unwrap() {
        let bound = ["AllowedValues", "AllowedPattern", "MinValue"];
        assert!(bound.iter().any(|bound| !parameter[*bound].is_null()), "{name} takes anything");
        assert!(parameter["Description"].is_string(), "{name} is not described");
        let pattern = parameter["AllowedPattern"].as_str();
        if let Some(pattern) = pattern {
            assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{name}: {pattern}");
            // CloudFormation's own message shows the pattern, which nobody can read.
            assert!(parameter["ConstraintDescription"].is_string(), "{name} does not say it in words");
        }
    }
}

/// "Customize HTTP API access logs" in API Gateway's guide has the variables.
#[test]
fn the_access_log_has_no_word_that_a_caller_has_written() {
    let stage = &of_type("AWS::ApiGatewayV2::Stage")["Stage"]["AccessLogSettings"];
    assert_eq!(stage["DestinationArn"], "ApiLog.Arn");
    let format: BTreeMap<String, String> =
        serde_json::from_str(stage["Format"].as_str().unwrap()).expect("a line of JSON");
    let logged: BTreeSet<_> = format.values().map(|value| value.strip_prefix("$context.").unwrap()).collect();
    let ours = [
        "authorizer.claims.sub",
        "authorizer.error",
        "error.message",
        "httpMethod",
        "identity.sourceIp",
        "integration.status",
        "integrationErrorMessage",
        "integrationLatency",
        "requestId",
        "requestTime",
        "responseLatency",
        "responseLength",
        "routeKey",
        "status",
    ];
    assert_eq!(logged, BTreeSet::from(ours));
    let log = &of_type("AWS::Logs::LogGroup")["ApiLog"];
    assert_eq!(log["RetentionInDays"], "AccessLogRetentionDays");
}
