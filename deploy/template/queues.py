"""The resources of a subscription: its queue, its dead-letter queue (DLQ), its rule, and the right to write to them.

Schedules have their DLQ in `runtime.py`, the replay of history has its own in `history.py`.
"""

from typing import Any

from chassis.declare.resource_names import Names
from chassis.declare.service import Service
from chassis.declare.subscription import AnySubscription, ExternalSubscription
from chassis.messaging.dispatch import REPLAY_NAME
from deploy.template.base import Target, Template, arn, logical, ref

DEAD_LETTER_SECONDS = 14 * 24 * 3600
QUEUE_SECONDS = 4 * 24 * 3600
"""Shorter than for dead letters, whose age counts from the first queue: ten days then remain to look at them."""
VISIBILITIES = 6
"""For how many timeouts of its function a queue hides a message, as AWS advises: Lambda holds batches back while the
function is throttled. Handlers that fail give their messages back sooner."""

NO_REPLAY = {REPLAY_NAME: [{"exists": False}]}


def subscription_id(subscription: AnySubscription) -> str:
    return logical(subscription.name)


def queue_id(subscription: AnySubscription) -> str:
    return f"{subscription_id(subscription)}Queue"


def dead_letters_id(subscription: AnySubscription) -> str:
    return f"{subscription_id(subscription)}DeadLetters"


def function_seconds(subscription: AnySubscription) -> int:
    """The timeout of a function that handles its messages."""
    return subscription.handling_seconds


def subscription(service: Service, subscription: AnySubscription, target: Target) -> Template:
    """All resources of one subscription except its consumer."""
    names, handler_seconds = target.names, function_seconds(subscription)
    queue, dead_letters = queue_id(subscription), dead_letters_id(subscription)
    rule = f"{subscription_id(subscription)}Rule"
    # A process extends the visibility while a handler runs; a function cannot, because Lambda holds the message.
    visibility = VISIBILITIES * handler_seconds if target.lambdas else subscription.visibility
    return {
        dead_letters: queue_resource(names.dead_letters(service.name, subscription.name), DEAD_LETTER_SECONDS),
        queue: queue_resource(
            names.queue(service.name, subscription.name),
            QUEUE_SECONDS,
            VisibilityTimeout=visibility,
            ReceiveMessageWaitTimeSeconds=20,
            RedrivePolicy={"deadLetterTargetArn": arn(dead_letters), "maxReceiveCount": subscription.max_receives},
        ),
        f"{queue}Policy": queue_policy(rule, queue, dead_letters),
        rule: {"Type": "AWS::Events::Rule", "Properties": _rule(service, subscription, names)},
    }


def _rule(service: Service, subscription: AnySubscription, names: Names) -> Template:
    target: Template = {
        "Id": "queue",
        "Arn": arn(queue_id(subscription)),
        # Events that EventBridge could not deliver for 24 h go where refused messages go, in the same form.
        "DeadLetterConfig": {"Arn": arn(dead_letters_id(subscription))},
    }
    rule: Template = {
        "Name": names.queue(service.name, subscription.name),
        "EventPattern": subscription.pattern,
        "Targets": [target],
    }
    # AWS's own events arrive on the default bus only, which is that of a rule without a bus.
    if not isinstance(subscription, ExternalSubscription):
        rule["EventBusName"] = names.bus
        # A replay has a rule of its own: one that is started without naming it must not reach every consumer.
        rule["EventPattern"] = subscription.pattern | NO_REPLAY
        # Fair queues: one organization's flood does not starve the others.
        target["SqsParameters"] = {"MessageGroupId": "$.detail.orgid"}
    return rule


def queue_resource(name: str, seconds: int, **more: Any) -> Template:
    """A queue that keeps messages for `seconds`; `more` are other properties."""
    properties = {"QueueName": name, "MessageRetentionPeriod": seconds, "SqsManagedSseEnabled": True, **more}
    return {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": properties,
    }


def queue_policy(rule: str, queue: str, dead_letters: str) -> Template:
    """The permission of a rule to send to a queue and to its dead-letter queue."""
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [ref(queue), ref(dead_letters)],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": [arn(queue), arn(dead_letters)],
                        "Condition": {"ArnEquals": {"aws:SourceArn": arn(rule)}},
                    }
                ],
            },
        },
    }
