"""A subscription's resources: its queue, its dead-letter queue, its rule, and who may write to them."""

from typing import Any

from chassis.declare.resource_names import Names
from chassis.declare.service import Service
from chassis.declare.subscription import AnySubscription, ExternalSubscription
from chassis.messaging.dispatch import REPLAY_NAME
from deploy.template.base import Target, Template, arn, logical, ref

DEAD_LETTER_SECONDS = 14 * 24 * 3600
QUEUE_SECONDS = 4 * 24 * 3600
"""Shorter than the dead letters', whose age counts from the first queue: ten days then remain to look at them."""
VISIBILITIES = 6
"""How many timeouts of its function a queue hides a message, as AWS advises: Lambda holds batches back while the
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
    """All resources of one subscription but who reads its queue."""
    names = target.names
    queue, dead_letters, rule = (
        queue_id(subscription), dead_letters_id(subscription), f"{subscription_id(subscription)}Rule",
    )  # fmt: skip
    return {
        dead_letters: _queue(names.dead_letters(service.name, subscription.name), DEAD_LETTER_SECONDS),
        queue: _queue(
            names.queue(service.name, subscription.name),
            QUEUE_SECONDS,
            VisibilityTimeout=_visibility(subscription, target),
            ReceiveMessageWaitTimeSeconds=20,
            RedrivePolicy={"deadLetterTargetArn": arn(dead_letters), "maxReceiveCount": subscription.max_receives},
        ),
        f"{queue}Policy": _policy(rule, queue, dead_letters),
        rule: {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": names.queue(service.name, subscription.name),
                **_bus(subscription, names),
                "EventPattern": _pattern(subscription),
                "Targets": [_target(subscription)],
            },
        },
    }


def _visibility(subscription: AnySubscription, target: Target) -> int:
    # A process extends it for as long as a handler runs; a function cannot, for Lambda holds the message.
    return VISIBILITIES * function_seconds(subscription) if target.lambdas else subscription.visibility


def _queue(name: str, seconds: int, **more: Any) -> Template:
    properties = {"QueueName": name, "MessageRetentionPeriod": seconds, "SqsManagedSseEnabled": True, **more}
    return {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": properties,
    }


def _bus(subscription: AnySubscription, names: Names) -> Template:
    # AWS's own events arrive on the default bus only, which a rule means by naming none.
    return {} if isinstance(subscription, ExternalSubscription) else {"EventBusName": names.bus}


def _pattern(subscription: AnySubscription) -> Template:
    # A replay has a rule of its own: whoever starts one without naming it must not reach every consumer of the stage.
    return subscription.pattern | ({} if isinstance(subscription, ExternalSubscription) else NO_REPLAY)


def _target(subscription: AnySubscription) -> Template:
    target: Template = {
        "Id": "queue",
        "Arn": arn(queue_id(subscription)),
        # What EventBridge could not deliver for 24 h waits where the refused messages wait, in the same shape.
        "DeadLetterConfig": {"Arn": arn(dead_letters_id(subscription))},
    }
    if not isinstance(subscription, ExternalSubscription):
        # Fair queues: one organization's flood does not starve the others.
        target["SqsParameters"] = {"MessageGroupId": "$.detail.orgid"}
    return target


def _policy(rule: str, queue: str, dead_letters: str) -> Template:
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
