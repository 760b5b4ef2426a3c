"""Alarms and the dashboard are deployed with the rest, and the functions write what they look at."""

import json
from functools import partial
from typing import Any

from localcloud import client
from localcloud.stack import Stack
from signed_deliveries import Endpoint, event


def test_alarms_watch_what_is_deployed_and_notify_the_topic(stack: Stack) -> None:
    alarms = stack.aws("cloudwatch").describe_alarms()["MetricAlarms"]
    errors = {alarm["Dimensions"][0]["Value"] for alarm in alarms if alarm["MetricName"] == "Errors"}
    assert errors == set(stack.functions.values())
    ours = [alarm for alarm in alarms if alarm["Namespace"] == "Billhook"]
    assert ours and {alarm["Dimensions"][0]["Value"] for alarm in ours} == {stack.stack_name}
    notified = {action for alarm in alarms for action in alarm["AlarmActions"]}
    outputs = stack.aws("cloudformation").describe_stacks(StackName=stack.stack_name)["Stacks"][0]["Outputs"]
    assert notified == {output["OutputValue"] for output in outputs if output["OutputKey"] == "AlarmTopic"}
    # Nobody is written to unless an address is given.
    assert stack.aws("sns").list_subscriptions()["Subscriptions"] == []


def test_the_dashboard_shows_each_alarm(stack: Stack) -> None:
    cloudwatch = stack.aws("cloudwatch")
    names = [entry["DashboardName"] for entry in cloudwatch.list_dashboards()["DashboardEntries"]]
    assert len(names) == 1
    widgets = json.loads(cloudwatch.get_dashboard(DashboardName=names[0])["DashboardBody"])["widgets"]
    shown = {arn for widget in widgets for arn in widget["properties"].get("alarms", [])}
    assert shown == {alarm["AlarmArn"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}


def test_a_delivery_and_its_event_are_counted_in_whole_lines_of_the_logs(
    stack: Stack, endpoint: Endpoint
) -> None:
    body = event()
    assert endpoint.deliver(body, endpoint.sign(body)).status == 200
    for function, metric in (("receive", "Accepted"), ("process", "Processed"), ("process", "SweepRan")):
        lines = client.poll(partial(lines_with_metric, stack, function, metric), bool, 120.0, interval=1.0)
        assert lines[0]["Stack"] == stack.stack_name
        assert {"Name": metric, "Unit": "Count"} in lines[0]["_aws"]["CloudWatchMetrics"][0]["Metrics"]


def lines_with_metric(stack: Stack, function: str, metric: str) -> list[Any]:
    """Returns the lines of a function's log that carry a metric."""
    logs = stack.aws("logs")
    configuration = stack.aws("lambda").get_function_configuration(FunctionName=stack.functions[function])
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=configuration["LoggingConfig"]["LogGroup"]
    )
    messages = [entry["message"] for page in pages for entry in page["events"]]
    # A line that is not JSON by itself would end the test here.
    lines = [json.loads(message) for message in messages if '"_aws"' in message]
    return [line for line in lines if metric in line]
