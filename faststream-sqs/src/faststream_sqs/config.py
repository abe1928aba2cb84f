"""Configuration of brokers, subscribers and publishers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from faststream.exceptions import IncorrectState
from faststream.middlewares import AckPolicy

from faststream_sqs._compat import (
    EMPTY,
    BrokerConfig,
    PublisherSpecificationConfig,
    PublisherUsecaseConfig,
    SubscriberSpecificationConfig,
    SubscriberUsecaseConfig,
)
from faststream_sqs.envelopes import Envelope
from faststream_sqs.errors import QueueConflict, QueueNotFound, is_missing_queue, is_other_queue
from faststream_sqs.options import Consumption
from faststream_sqs.schemas import SQSQueue, is_url, name_of_arn
from faststream_sqs.transport import SQSCalls

FIFO_ATTRIBUTES = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}


@dataclass(kw_only=True, eq=False, repr=False)
class SQSBrokerConfig(BrokerConfig):
    """The broker's state: its connection and the URLs of queues that were looked up."""

    calls: SQSCalls | None = None
    poll: bool = True
    poll_grace: float = 1.0
    _urls: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def require_calls(self) -> SQSCalls:
        """The connection. Raises IncorrectState if the broker has none."""
        if self.calls is None:
            raise IncorrectState("the SQS broker is not connected: call connect() or start() first")
        return self.calls

    async def url(self, queue: str) -> str:
        """The URL of a queue by its name. Raises QueueNotFound."""
        if is_url(queue):
            return queue
        if queue not in self._urls:
            try:
                answer = await self.require_calls()("GetQueueUrl", {"QueueName": queue})
            except Exception as error:
                if is_missing_queue(error):
                    raise QueueNotFound(queue) from error
                raise
            self._urls[queue] = answer["QueueUrl"]
        return self._urls[queue]

    async def declare(self, queue: str, declared: SQSQueue) -> None:
        """Creates the queue and its dead-letter queue if they are missing. Raises QueueConflict."""
        attributes: dict[str, Any] = {}
        if declared.visibility is not None:
            attributes["VisibilityTimeout"] = str(declared.visibility)
        if declared.dead_letter is not None and not is_url(declared.dead_letter):
            dead_url = await self._create(declared.dead_letter, {}, declared.tags)
            if declared.max_receives is not None:
                dead = await self._attributes(declared.dead_letter, dead_url, "QueueArn")
                redrive = {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": declared.max_receives}
                attributes["RedrivePolicy"] = json.dumps(redrive)
        await self._create(queue, {**attributes, **declared.attributes}, declared.tags)

    async def _create(self, queue: str, attributes: Mapping[str, str], tags: Mapping[str, str]) -> str:
        params: dict[str, Any] = {"QueueName": queue}
        if wanted := {**(FIFO_ATTRIBUTES if queue.endswith(".fifo") else {}), **attributes}:
            params["Attributes"] = wanted
        if tags:
            params["tags"] = dict(tags)
        try:
            answer = await self.require_calls()("CreateQueue", params)
        except Exception as error:
            if is_other_queue(error):
                raise QueueConflict(queue) from error
            raise
        self._urls[queue] = str(answer["QueueUrl"])
        return self._urls[queue]

    async def _attributes(self, queue: str, url: str, *names: str) -> dict[str, str]:
        try:
            answer = await self.require_calls()("GetQueueAttributes", {"QueueUrl": url, "AttributeNames": list(names)})
        except Exception as error:
            if is_missing_queue(error):
                raise QueueNotFound(queue) from error
            raise
        return answer.get("Attributes") or {}

    async def attributes(self, queue: str, url: str) -> "QueueAttributes":
        """The queue's attributes that a runtime needs. Raises QueueNotFound."""
        values = await self._attributes(queue, url, "VisibilityTimeout", "RedrivePolicy")
        target = json.loads(values.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
        return QueueAttributes(int(values.get("VisibilityTimeout", 30)), name_of_arn(target) if target else None)


@dataclass(frozen=True, slots=True)
class QueueAttributes:
    """Attributes of a queue: its visibility timeout in seconds and the name of its dead-letter queue."""

    visibility: int
    dead_letter: str | None


@dataclass(kw_only=True, eq=False, repr=False)
class SQSSubscriberConfig(SubscriberUsecaseConfig):
    _outer_config: SQSBrokerConfig = field(default_factory=SQSBrokerConfig)
    queue: SQSQueue
    consumption: Consumption
    raw: bool = False
    batch: bool = False
    envelope: Envelope | None = None

    @property
    def ack_policy(self) -> AckPolicy:
        if self._ack_policy is not EMPTY:
            return self._ack_policy
        outer = self._outer_config.ack_policy
        return AckPolicy.NACK_ON_ERROR if outer is EMPTY else outer


@dataclass(kw_only=True, eq=False, repr=False)
class SQSSubscriberSpecificationConfig(SubscriberSpecificationConfig):
    queue: SQSQueue
    raw: bool = False


@dataclass(kw_only=True, eq=False, repr=False)
class SQSPublisherConfig(PublisherUsecaseConfig):
    _outer_config: SQSBrokerConfig = field(default_factory=SQSBrokerConfig)
    queue: str
    headers: dict[str, Any] = field(default_factory=dict)
    group: str | None = None


@dataclass(kw_only=True, eq=False, repr=False)
class SQSPublisherSpecificationConfig(PublisherSpecificationConfig):
    queue: str
