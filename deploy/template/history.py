"""A stage's history: the archive of its bus, and the one queue to which an operator's replay of it goes.

Every other rule refuses what is replayed, so that a replay reaches its operator's command and nobody else; the command
hands on what it was asked for. EventBridge itself can only choose by time and rule.
"""

import json
from typing import Any

from chassis.declare.resource_names import Names
from chassis.messaging.dispatch import REPLAY_NAME
from contracts.event import SOURCE_PREFIX
from deploy.template.alarms import history_alarms
from deploy.template.base import Target, Template, arn, ref
from deploy.template.queues import DEAD_LETTER_SECONDS

HISTORY_SECONDS = 24 * 3600
HOLD_SECONDS = 120
MAX_RECEIVES = 10
DEAD_LETTERS = "-dlq"


def archived(names: Names) -> dict[str, Any]:
    """What the archive of the bus keeps: all of our events, for good, for a projection counts from the first."""
    return {"ArchiveName": names.archive, "EventPattern": {"source": [{"prefix": SOURCE_PREFIX}]}}


def history(target: Target) -> Template:
    names = target.names
    resources: Template = {
        "History": {
            "Type": "AWS::SQS::Queue",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "QueueName": names.history,
                "MessageRetentionPeriod": HISTORY_SECONDS,
                "VisibilityTimeout": HOLD_SECONDS,
                "SqsManagedSseEnabled": True,
                "RedrivePolicy": {"deadLetterTargetArn": arn("HistoryDeadLetters"), "maxReceiveCount": MAX_RECEIVES},
            },
        },
        "HistoryDeadLetters": {
            "Type": "AWS::SQS::Queue",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "QueueName": f"{names.history}{DEAD_LETTERS}",
                "MessageRetentionPeriod": DEAD_LETTER_SECONDS,
                "SqsManagedSseEnabled": True,
            },
        },
        "HistoryRule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": names.history,
                "EventBusName": ref("Bus"),
                "EventPattern": {"source": [{"prefix": SOURCE_PREFIX}], REPLAY_NAME: [{"exists": True}]},
                "Targets": [
                    {
                        "Id": "queue",
                        "Arn": arn("History"),
                        "DeadLetterConfig": {"Arn": arn("HistoryDeadLetters")},
                    }
                ],
            },
        },
        "HistoryPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [ref("History"), ref("HistoryDeadLetters")],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": [arn("History"), arn("HistoryDeadLetters")],
                            "Condition": {"ArnEquals": {"aws:SourceArn": arn("HistoryRule")}},
                        }
                    ],
                },
            },
        },
    }
    if target.observed:
        resources |= history_alarms("History", "HistoryDeadLetters", target)
    if (
        not target.local
    ):  # the embedded CloudFormation refuses archives: deploy.embedded.emulator_patches makes this one
        resources["Archive"] = {
            "Type": "AWS::Events::Archive",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {**archived(names), "SourceArn": arn("Bus")},
        }
    return resources


def archive_request(names: Names, bus_arn: str) -> dict[str, Any]:
    """The same archive as CreateArchive's parameters."""
    kept = archived(names)
    return {**kept, "EventPattern": json.dumps(kept["EventPattern"]), "EventSourceArn": bus_arn}
