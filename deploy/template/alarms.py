"""Alarms for the operators of a stage, by the topic of the platform's stack."""

from typing import Any

from chassis.declare.service import Service
from chassis.declare.subscription import AnySubscription
from deploy.template.base import Target, Template, ref, sub
from deploy.template.functions import Function
from deploy.template.queues import dead_letters_id, function_seconds, queue_id, subscription_id
from deploy.template.shifting import ALIAS, errors_of_version

PERIOD = 60
OLD_SECONDS = 300
HISTORY_OLD_SECONDS = 3600
SLOW_SHARE = 0.8
"""Part of the timeout: a function that takes so long may soon fail."""


def topic_name(target: Target) -> str:
    return f"{target.names.prefix}-alarms"


def queue_alarms(service: Service, subscription: AnySubscription, target: Target) -> Template:
    """Alarms for dead letters, and for messages that wait too long."""
    name, about = subscription_id(subscription), f"{service.name}.{subscription.name}"
    old = max(OLD_SECONDS, 3 * function_seconds(subscription))
    return {
        f"{name}DeadLettersAlarm": _alarm(
            target,
            f"{about}: messages in the dead-letter queue",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": {"Fn::GetAtt": [dead_letters_id(subscription), "QueueName"]}},
            0,
            Statistic="Maximum",
        ),
        f"{name}AgeAlarm": _alarm(
            target,
            f"{about}: the oldest message waits for more than {old} s",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            {"QueueName": {"Fn::GetAtt": [queue_id(subscription), "QueueName"]}},
            old,
            Statistic="Maximum",
            EvaluationPeriods=3,
        ),
    }


def dead_letters_alarm(service: Service, queue: str, target: Target) -> Template:
    """The alarm of a dead-letter queue without a subscription."""
    name = {"QueueName": {"Fn::GetAtt": [queue, "QueueName"]}}
    about = f"{service.name}: schedules that could not be run"
    alarm = _alarm(target, about, "AWS/SQS", "ApproximateNumberOfMessagesVisible", name, 0, Statistic="Maximum")
    return {f"{queue}Alarm": alarm}


def history_alarms(queue: str, dead_letters: str, target: Target) -> Template:
    """Alarms for a replay that broke off and left events behind, and for events that EventBridge could not deliver."""
    visible = "ApproximateNumberOfMessagesVisible"
    dimensions = {each: {"QueueName": {"Fn::GetAtt": [each, "QueueName"]}} for each in (queue, dead_letters)}
    left = _alarm(
        target,
        f"history: a replay broke off more than {HISTORY_OLD_SECONDS} s ago; repeat it",
        "AWS/SQS",
        "ApproximateAgeOfOldestMessage",
        dimensions[queue],
        HISTORY_OLD_SECONDS,
        Statistic="Maximum",
    )
    lost = _alarm(
        target,
        "history: a replay is not complete; repeat it",
        "AWS/SQS",
        visible,
        dimensions[dead_letters],
        0,
        Statistic="Maximum",
    )
    return {f"{queue}AgeAlarm": left, f"{dead_letters}Alarm": lost}


def function_alarms(service: Service, function: Function, target: Target) -> Template:
    """Alarms for a function: errors, throttling, near its timeout; with a canary also the alarm that stops a shift."""
    name, about = function.logical_id, f"{service.name}, {function.logical_id}"
    dimensions: dict[str, Any] = {"FunctionName": ref(name)}
    slow = int(function.timeout * 1000 * SLOW_SHARE)
    made = {
        f"{name}ErrorsAlarm": _alarm(target, f"{about}: errors", "AWS/Lambda", "Errors", dimensions, 0),
        f"{name}ThrottlesAlarm": _alarm(target, f"{about}: throttled", "AWS/Lambda", "Throttles", dimensions, 0),
        f"{name}DurationAlarm": _alarm(
            target,
            f"{about}: takes more than {slow} ms",
            "AWS/Lambda",
            "Duration",
            dimensions,
            slow,
            Statistic="Maximum",
        ),
    }
    if target.canary:
        of_alias = {**dimensions, "Resource": sub(f"${{{name}}}:{ALIAS}")}
        made[errors_of_version(name)] = _alarm(
            target, f"{about}: errors while it is shifted", "AWS/Lambda", "Errors", of_alias, 0
        )
    return made


def _alarm(
    target: Target,
    description: str,
    namespace: str,
    metric: str,
    dimensions: dict[str, Any],
    threshold: float,
    **more: Any,
) -> Template:
    topic = sub(f"arn:${{AWS::Partition}}:sns:${{AWS::Region}}:${{AWS::AccountId}}:{topic_name(target)}")
    properties = {
        "AlarmDescription": f"{target.stage}: {description}",
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Statistic": "Sum",
        "Period": PERIOD,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": threshold,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [topic],
        "OKActions": [topic],
        **more,
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
