//! Metrics, alarms, dashboard and documents agree on names, dimensions and numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::documents::anchors;
use crate::{functions, parsed, read, resources};

/// What `shared/src/metrics.rs` defines: text constants, and metrics with their units.
struct DefinedMetrics {
    texts: BTreeMap<String, String>,
    metrics: BTreeMap<String, &'static str>,
}

fn defined() -> DefinedMetrics {
    let source = read("functions/shared/src/metrics.rs");
    let (mut texts, mut metrics) = (BTreeMap::new(), BTreeMap::new());
    for line in source.lines().filter_map(|line| line.strip_prefix("pub const ")) {
        let (name, value) = (line.split(':').next().unwrap(), line.split('"').nth(1).unwrap());
        if line.contains("Metric::count(") {
            metrics.insert(value.to_owned(), "count");
        } else if line.contains("Metric::seconds(") {
            metrics.insert(value.to_owned(), "seconds");
        } else {
            texts.insert(name.to_owned(), value.to_owned());
        }
    }
    assert!(metrics.len() >= 15 && texts.len() == 3, "{metrics:?} {texts:?}");
    DefinedMetrics { texts, metrics }
}

impl DefinedMetrics {
    fn text(&self, name: &str) -> &str {
        &self.texts[name]
    }

    /// Returns the dimensions of a metric.
    fn dimensions(&self, metric: &str) -> Vec<&str> {
        let refused = metric == "Refused";
        [Some("STACK"), refused.then_some("REASON")]
            .into_iter()
            .flatten()
            .map(|name| self.text(name))
            .collect()
    }
}

/// Returns the error codes with which `receive` refuses a delivery.
fn reasons() -> BTreeSet<String> {
    let source = read("functions/receive/src/error.rs").replace("\n                ", " ");
    let refusals = source.split("refuse(StatusCode::").skip(1);
    let codes: BTreeSet<_> = refusals.map(|rest| rest.split('"').nth(1).unwrap().to_owned()).collect();
    assert!(codes.len() >= 7, "{codes:?}");
    codes
}

fn monitoring() -> Value {
    parsed("infra/monitoring.yaml")
}

fn alarms() -> BTreeMap<String, Value> {
    let monitoring = monitoring();
    let found: BTreeMap<_, _> = monitoring["Resources"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm")
        .map(|(name, alarm)| (name.clone(), alarm["Properties"].clone()))
        .collect();
    assert!(found.len() >= 20);
    found
}

fn widgets() -> Vec<Value> {
    let monitoring = monitoring();
    let body = monitoring["Resources"]["Dashboard"]["Properties"]["DashboardBody"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("the dashboard: {error}"));
    body["widgets"].as_array().unwrap().clone()
}

/// A use of a metric by an alarm or a widget.
struct MetricUse {
    user: String,
    namespace: String,
    metric: String,
    dimensions: Vec<(String, String)>,
}

fn uses() -> Vec<MetricUse> {
    let mut uses = Vec::new();
    for (name, alarm) in alarms() {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{name}: {value}")).to_owned();
        let dimensions = alarm["Dimensions"].as_array().map_or(&[][..], Vec::as_slice);
        uses.push(MetricUse {
            user: name.clone(),
            namespace: text(&alarm["Namespace"]),
            metric: text(&alarm["MetricName"]),
            dimensions: dimensions.iter().map(|one| (text(&one["Name"]), text(&one["Value"]))).collect(),
        });
    }
    for widget in widgets() {
        for row in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            let words: Vec<_> = row.as_array().unwrap().iter().map_while(Value::as_str).collect();
            let [namespace, metric, dimensions @ ..] = &words[..] else { panic!("{row}") };
            uses.push(MetricUse {
                user: format!("the dashboard's {}", widget["properties"]["title"]),
                namespace: (*namespace).to_owned(),
                metric: (*metric).to_owned(),
                dimensions: dimensions
                    .chunks(2)
                    .map(|pair| (pair[0].to_owned(), pair[1].trim_matches(['$', '{', '}']).to_owned()))
                    .collect(),
            });
        }
    }
    uses
}

#[test]
fn each_metric_is_monitored_and_each_that_is_monitored_exists() {
    let defined = defined();
    let ours: Vec<_> =
        uses().into_iter().filter(|used| used.namespace == defined.text("NAMESPACE")).collect();
    let known: BTreeSet<_> = defined.metrics.keys().cloned().collect();
    let used: BTreeSet<_> = ours.iter().map(|one| one.metric.clone()).collect();
    assert_eq!(used, known, "left: in infra/monitoring.yaml; right: in metrics.rs");
    let reasons = reasons();
    let mut shown = BTreeSet::new();
    for one in &ours {
        let names: Vec<_> = one.dimensions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, defined.dimensions(&one.metric), "{}: dimensions of {}", one.user, one.metric);
        assert_eq!(one.dimensions[0].1, "StackName", "{}", one.user);
        if let Some((_, reason)) = one.dimensions.get(1) {
            assert!(reasons.contains(reason), "{}: receive refuses nothing as {reason}", one.user);
            shown.insert(reason.clone());
        }
    }
    assert_eq!(shown, reasons, "each reason is on the dashboard");
}

#[test]
fn other_metrics_are_of_aws_and_of_this_stack() {
    let namespaces = ["AWS/Lambda", "AWS/ApiGateway", "AWS/DynamoDB", "AWS/Logs", "AWS/SQS"];
    let dimensions = ["FunctionName", "ApiId", "TableName", "LogGroupName", "QueueName"];
    let monitoring = monitoring();
    let parameters = monitoring["Parameters"].as_object().unwrap();
    for used in uses() {
        if used.namespace == defined().text("NAMESPACE") {
            continue;
        }
        assert!(namespaces.contains(&used.namespace.as_str()), "{}: namespace {}", used.user, used.namespace);
        // Lambda's limit of executions is the account's, and so is what it counts without a dimension.
        let Some((name, value)) = used.dimensions.first() else {
            assert_eq!(
                (used.user.as_str(), used.metric.as_str()),
                ("ConcurrencyHigh", "ConcurrentExecutions")
            );
            continue;
        };
        assert!(dimensions.contains(&name.as_str()), "{}: {name}", used.user);
        assert!(parameters.contains_key(value), "{}: {value} is no parameter", used.user);
    }
}

#[test]
fn each_function_has_an_alarm_for_its_errors() {
    let alarms = alarms();
    for name in functions() {
        let name = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let alarm = alarms.get(&format!("{name}Errors")).unwrap_or_else(|| panic!("no alarm {name}Errors"));
        assert_eq!((&alarm["Namespace"], &alarm["MetricName"]), (&"AWS/Lambda".into(), &"Errors".into()));
        assert_eq!(alarm["Dimensions"][0]["Value"], format!("{name}Function"), "{name}Errors");
    }
}

#[test]
fn the_nested_stack_gets_the_parameters_that_it_declares() {
    let (_, inside) = resources().into_iter().find(|(name, _)| name == "Monitoring").unwrap();
    let given = inside["Properties"]["Parameters"].as_object().unwrap();
    let monitoring = monitoring();
    let asked = monitoring["Parameters"].as_object().unwrap();
    assert_eq!(given.keys().collect::<Vec<_>>(), asked.keys().collect::<Vec<_>>());
    for (parameter, value) in given {
        // A function's parameter is named after the function, a table's like the table.
        if let Some(function) = parameter.strip_suffix("Function") {
            assert_eq!(value, function);
        } else if parameter.ends_with("Table") {
            assert_eq!(value, parameter);
        }
    }
}

/// Returns the section of infra/README.md with the tables of metrics and of alarms.
fn metrics_and_alarms() -> String {
    let readme = read("infra/README.md");
    let section = readme.split("\n## Metrics and alarms\n").nth(1).expect("a section");
    section.split("\n## ").next().unwrap().to_owned()
}

#[test]
fn each_alarm_says_which_check_and_which_document_help() {
    let runbook = read("functions/status/README.md");
    let section = metrics_and_alarms();
    for (name, alarm) in alarms() {
        let description = alarm["AlarmDescription"].as_str().unwrap();
        let (_, help) = description.split_once("Status: ").unwrap_or_else(|| panic!("{name} names no check"));
        let (checks, link) =
            help.split_once(". Runbook: ").unwrap_or_else(|| panic!("{name} names no document"));
        // The page needs nothing that the status looks at, and nothing that works needs the page.
        for check in checks.split(", ").filter(|check| (name.as_str(), *check) != ("ConsoleErrors", "none")) {
            let row = runbook.lines().find(|line| {
                line.starts_with('|') && line.split('|').nth(1).unwrap().contains(&format!("`{check}`"))
            });
            assert!(row.is_some(), "{name}: the status has no check {check}");
        }
        let (path, anchor) = link.trim_end_matches('.').split_once('#').unwrap();
        assert!(anchors(path).contains(anchor), "{name}: there is no {link}");
        assert!(section.contains(&format!("`{name}`")), "infra/README.md has no alarm {name}");
    }
}

#[test]
fn the_document_explains_each_metric_and_counts_what_costs() {
    let readme = read("infra/README.md");
    let section = metrics_and_alarms();
    let defined = defined();
    for (metric, unit) in &defined.metrics {
        let row =
            section.lines().find(|line| line.starts_with("| `") && line.contains(&format!("`{metric}`")));
        let row = row.unwrap_or_else(|| panic!("infra/README.md has no metric {metric}"));
        assert_eq!(row.split('|').nth(2).unwrap().trim(), *unit, "{row}");
    }
    // Each reason is a metric of its own.
    let metrics = defined.metrics.len() - 1 + reasons().len();
    assert!(readme.contains(&format!("{metrics} metrics at 0.30")), "there are {metrics} metrics");
    let alarms = alarms().len();
    assert!(readme.contains(&format!("{alarms} alarms at 0.10")), "there are {alarms} alarms");
    let (dollars, cents) = (alarms / 10, alarms % 10 * 10);
    assert!(readme.contains(&format!("prices: alarms {dollars}.{cents:02}, ")), "the sum counts others");
}

#[test]
fn an_alarm_notifies_unless_strangers_can_trigger_it() {
    let alarms = alarms();
    let silent: Vec<_> =
        alarms.iter().filter(|(_, alarm)| alarm["AlarmActions"].is_null()).map(|(name, _)| name).collect();
    assert_eq!(silent, ["RequestsTurnedAway", "SignaturesRefused"]);
    for (name, alarm) in &alarms {
        if alarm["AlarmActions"].is_null() {
            assert!(alarm["AlarmDescription"].as_str().unwrap().starts_with("Warning only."), "{name}");
        } else {
            assert_eq!(
                (&alarm["AlarmActions"][0], &alarm["OKActions"][0]),
                (&"Topic".into(), &"Topic".into())
            );
        }
    }
    let shown = widgets().into_iter().find(|widget| widget["type"] == "alarm").unwrap();
    let arns = shown["properties"]["alarms"].as_array().unwrap();
    let shown: BTreeSet<_> =
        arns.iter().map(|arn| arn.as_str().unwrap().rsplit(":alarm:").next().unwrap().to_owned()).collect();
    assert_eq!(shown, alarms.keys().map(|name| format!("${{{name}}}")).collect());
}

#[test]
fn a_heartbeat_that_is_missing_is_an_alarm_and_nothing_else_is() {
    for (name, alarm) in alarms() {
        let heartbeat = alarm["MetricName"].as_str().unwrap().ends_with("Ran");
        assert_eq!(alarm["TreatMissingData"] == "breaching", heartbeat, "{name}");
        assert_eq!(alarm["ComparisonOperator"] == "LessThanThreshold", heartbeat, "{name}");
    }
}

#[test]
fn nobody_but_this_accounts_alarms_may_publish() {
    let monitoring = monitoring();
    let policy = &monitoring["Resources"]["TopicPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    let [statement] = &policy.as_array().unwrap()[..] else { panic!("{policy}") };
    assert_eq!(statement["Principal"]["Service"], "cloudwatch.amazonaws.com");
    assert_eq!(statement["Action"], "sns:Publish");
    assert_eq!(statement["Condition"]["StringEquals"]["aws:SourceAccount"], "AWS::AccountId");
}

/// Lambda treats lines without a level, such as those of metrics, as INFO: a higher level would drop the
/// metrics.
#[test]
fn the_logs_let_metrics_through() {
    let logging = &crate::template()["Globals"]["Function"]["LoggingConfig"];
    assert_eq!((&logging["LogFormat"], &logging["ApplicationLogLevel"]), (&"JSON".into(), &"INFO".into()));
}
