"""One dashboard per service: metrics of its functions, its queues and its table."""

import json
from collections.abc import Sequence
from typing import Any

from chassis.declare.service import Service
from chassis.declare.subscription import AnySubscription
from deploy.template.base import Target, Template, sub
from deploy.template.functions import Function
from deploy.template.table import TABLE_PARAMETER

WIDTH, HEIGHT = 8, 6
PER_ROW = 24 // WIDTH
CAPACITY = ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits")
Metric = list[Any]


def dashboard(
    service: Service, functions: Sequence[Function], subscriptions: Sequence[AnySubscription], target: Target
) -> Template:
    names, stack = target.names, target.names.stack(service.name)
    queues = [names.queue(service.name, each.name) for each in subscriptions]
    dead_letters = [names.dead_letters(service.name, each.name) for each in subscriptions]
    table = f"${{{TABLE_PARAMETER}}}"
    called = [function.name(service, target) for function in functions]
    charts: list[tuple[str, list[Metric], str]] = [
        ("Calls", [_lambda("Invocations", name) for name in called], "Sum"),
        ("Errors and throttles", [_lambda(m, name) for name in called for m in ("Errors", "Throttles")], "Sum"),
        ("Duration, p95", [_lambda("Duration", name) for name in called], "p95"),
        ("Messages waiting", [_sqs("ApproximateNumberOfMessagesVisible", name) for name in queues], "Maximum"),
        ("Oldest message, s", [_sqs("ApproximateAgeOfOldestMessage", name) for name in queues], "Maximum"),
        ("Dead letters", [_sqs("ApproximateNumberOfMessagesVisible", name) for name in dead_letters], "Maximum"),
        ("Table: capacity used", [_table(m, table) for m in CAPACITY], "Sum"),
        ("Table: throttled", [_table(m, table) for m in ("ReadThrottleEvents", "WriteThrottleEvents")], "Sum"),
    ]
    widgets = [
        {
            "type": "metric",
            "x": WIDTH * (number % PER_ROW),
            "y": HEIGHT * (number // PER_ROW),
            "width": WIDTH,
            "height": HEIGHT,
            "properties": {
                "title": title,
                "metrics": metrics,
                "stat": statistic,
                "period": 60,
                "region": "${AWS::Region}",
            },
        }
        for number, (title, metrics, statistic) in enumerate(chart for chart in charts if chart[1])
    ]
    body = json.dumps({"widgets": widgets}, sort_keys=True)
    properties = {"DashboardName": stack, "DashboardBody": sub(body)}
    return {"Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": properties}}


def _lambda(metric: str, function: str) -> Metric:
    return ["AWS/Lambda", metric, "FunctionName", function]


def _sqs(metric: str, queue: str) -> Metric:
    return ["AWS/SQS", metric, "QueueName", queue]


def _table(metric: str, table: str) -> Metric:
    return ["AWS/DynamoDB", metric, "TableName", table]
