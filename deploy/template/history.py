"""A stage's history: the archive of its bus, and the one queue for an operator's replays.

Every other rule refuses replayed events, so a replay reaches its operator's command and nobody else; the command hands
on the selected events. EventBridge itself can only select by time and rule.
"""

import json
from typing import Any

from chassis.declare.resource_names import Names
from chassis.messaging.dispatch import REPLAY_NAME
from contracts.event import SOURCE_PREFIX
from deploy.template.alarms import history_alarms
from deploy.template.base import Target, Template, arn, ref
from deploy.template.queues import DEAD_LETTER_SECONDS, queue_policy, queue_resource

HISTORY_SECONDS = 24 * 3600
HOLD_SECONDS = 120
MAX_RECEIVES = 10
DEAD_LETTERS = "-dlq"


def archive_properties(names: Names) -> dict[str, Any]:
    """The archive of the bus: all of our events, for good, because a projection is rebuilt from the first event."""
    return {"ArchiveName": names.archive, "EventPattern": {"source": [{"prefix": SOURCE_PREFIX}]}}


def history(target: Target) -> Template:
    """The queue of replays with its dead-letter queue, rule and policy; the archive; alarms."""
    names = target.names
    rule = {
        "Name": names.history,
        "EventBusName": ref("Bus"),
        "EventPattern": {"source": [{"prefix": SOURCE_PREFIX}], REPLAY_NAME: [{"exists": True}]},
        "Targets": [
            {"Id": "queue", "Arn": arn("History"), "DeadLetterConfig": {"Arn": arn("HistoryDeadLetters")}},
        ],
    }
    resources: Template = {
        "History": queue_resource(
            names.history,
            HISTORY_SECONDS,
            VisibilityTimeout=HOLD_SECONDS,
            RedrivePolicy={"deadLetterTargetArn": arn("HistoryDeadLetters"), "maxReceiveCount": MAX_RECEIVES},
        ),
        "HistoryDeadLetters": queue_resource(f"{names.history}{DEAD_LETTERS}", DEAD_LETTER_SECONDS),
        "HistoryRule": {"Type": "AWS::Events::Rule", "Properties": rule},
        "HistoryPolicy": queue_policy("HistoryRule", "History", "HistoryDeadLetters"),
    }
    if target.has_alarms:
        resources |= history_alarms("History", "HistoryDeadLetters", target)
    # The embedded CloudFormation refuses archives: deploy.embedded.emulator_patches creates this one.
    if not target.local:
        resources["Archive"] = {
            "Type": "AWS::Events::Archive",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {**archive_properties(names), "SourceArn": arn("Bus")},
        }
    return resources


def archive_request(names: Names, bus_arn: str) -> dict[str, Any]:
    """The same archive as CreateArchive's parameters."""
    properties = archive_properties(names)
    pattern = json.dumps(properties["EventPattern"])
    return {**properties, "EventPattern": pattern, "EventSourceArn": bus_arn}
