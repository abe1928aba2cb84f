"""A bus with a rule, its queue and its dead-letter queue: in memory, and on any endpoint of boto3."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import uuid4

from chassis.testing.service import FakeClock
from verification.simulation.queues import Queue, matches

REGION = "us-east-1"
VISIBILITY = 2
MAX_RECEIVES = 2
RECEIVE_SECONDS = 5.0


@dataclass(frozen=True)
class Received:
    """One receipt of a message; `handle` settles it."""

    body: dict[str, Any]
    receives: int
    handle: Any


class Backend(Protocol):
    """A bus, and a queue with two receives per message."""

    def rule(self, pattern: Mapping[str, Any]) -> None:
        """Route events that match a pattern from the bus into the queue."""

    def publish(self, source: str, detail_type: str, detail: Mapping[str, Any]) -> None: ...
    def receive(self, *, patient: bool = True) -> list[Received]:
        """The messages that are visible; if `patient`, wait some seconds for one, since delivery takes time."""

    def delete(self, received: Received) -> None: ...
    def hide(self, received: Received, seconds: int) -> None: ...
    def wait(self, seconds: float) -> None: ...
    def dead_letters(self) -> list[dict[str, Any]]:
        """Bodies of the messages in the dead-letter queue."""


class SimulatedBackend:
    """The bus and the queues of verification/simulation, with a clock of their own."""

    def __init__(self) -> None:
        self._clock, self._queue = FakeClock(), Queue("conformance", VISIBILITY, MAX_RECEIVES)
        self._pattern: Mapping[str, Any] = {}

    def rule(self, pattern: Mapping[str, Any]) -> None:
        self._pattern = pattern

    def publish(self, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        event = {"source": source, "detail-type": detail_type, "detail": detail}
        if matches(self._pattern, event, {}):
            self._queue.send(json.dumps(event), self._clock.now())

    def receive(self, *, patient: bool = True) -> list[Received]:
        now = self._clock.now()
        taken = [self._queue.take(message.id, now) for message in self._queue.visible(now)]
        return [
            Received(json.loads(message.body), message.receives, (message.id, handle))
            for message, handle in filter(None, taken)
        ]

    def delete(self, received: Received) -> None:
        self._queue.delete(*received.handle)

    def hide(self, received: Received, seconds: int) -> None:
        message_id, handle = received.handle
        self._queue.hide(message_id, handle, self._clock.now() + timedelta(seconds=seconds))

    def wait(self, seconds: float) -> None:
        self._clock.advance(seconds=seconds)

    def dead_letters(self) -> list[dict[str, Any]]:
        return [json.loads(dead_letter.body) for dead_letter in self._queue.dead_letters]


class Boto3Backend:
    """EventBridge and SQS behind boto3 clients. Each instance creates its own bus and queues."""

    def __init__(self, events: Any, sqs: Any) -> None:
        self._events, self._sqs = events, sqs
        self._name = f"conformance-{uuid4().hex[:12]}"
        self._dead, dead_arn = self._queue(f"{self._name}-dlq", {})
        policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": MAX_RECEIVES})
        self._url, self._arn = self._queue(self._name, {"RedrivePolicy": policy, "VisibilityTimeout": str(VISIBILITY)})
        events.create_event_bus(Name=self._name)

    def _queue(self, name: str, attributes: dict[str, str]) -> tuple[str, str]:
        url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, answer["Attributes"]["QueueArn"]

    def rule(self, pattern: Mapping[str, Any]) -> None:
        bus = {"EventBusName": self._name}
        self._events.put_rule(Name=self._name, EventPattern=json.dumps(pattern), **bus)
        self._events.put_targets(Rule=self._name, Targets=[{"Id": "queue", "Arn": self._arn}], **bus)

    def publish(self, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        entry = {
            "EventBusName": self._name,
            "Source": source,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
        }
        assert self._events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def receive(self, *, patient: bool = True) -> list[Received]:
        deadline = time.monotonic() + (RECEIVE_SECONDS if patient else 0)
        while not (messages := self._take(self._url)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return [
            Received(json.loads(m["Body"]), int(m["Attributes"]["ApproximateReceiveCount"]), m["ReceiptHandle"])
            for m in messages
        ]

    def _take(self, url: str) -> list[Any]:
        answer = self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, AttributeNames=["ApproximateReceiveCount"]
        )
        messages: list[Any] = answer.get("Messages", [])
        return messages

    def delete(self, received: Received) -> None:
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=received.handle)

    def hide(self, received: Received, seconds: int) -> None:
        self._sqs.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=received.handle, VisibilityTimeout=seconds
        )

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def dead_letters(self) -> list[dict[str, Any]]:
        return [json.loads(message["Body"]) for message in self._take(self._dead)]
