"""AsyncAPI specifications of subscribers and publishers."""

from typing import Any

from faststream.specification.asyncapi.utils import resolve_payloads
from faststream.specification.schema import Message, Operation, PublisherSpec, SubscriberSpec
from faststream.specification.schema.bindings import ChannelBinding, OperationBinding
from faststream.specification.schema.bindings import sqs as bindings

from faststream_sqs._compat import PublisherSpecification, SubscriberSpecification
from faststream_sqs.config import SQSBrokerConfig, SQSPublisherSpecificationConfig, SQSSubscriberSpecificationConfig
from faststream_sqs.schemas import SQSQueue, name_of


def _channel(name: str, queue: SQSQueue | None = None) -> ChannelBinding:
    """AsyncAPI's SQS binding: the queue, as far as it is declared."""
    known: dict[str, Any] = {"name": name, "fifoQueue": name.endswith(".fifo")}
    if queue is not None and queue.visibility is not None:
        known["visibilityTimeout"] = queue.visibility
    if queue is not None and queue.dead_letter is not None:
        policy: dict[str, Any] = {"deadLetterQueue": {"name": name_of(queue.dead_letter)}}
        if queue.max_receives is not None:
            policy["maxReceiveCount"] = queue.max_receives
        known["redrivePolicy"] = policy
    if queue is not None and queue.tags:
        known["tags"] = dict(queue.tags)
    return ChannelBinding(sqs=bindings.ChannelBinding(queue=known))


def _operation(title: str, payloads: list[tuple[dict[str, Any], str]], served_words: str = "") -> Operation:
    return Operation(
        message=Message(title=f"{title}:Message", payload=resolve_payloads(payloads, served_words)),
        bindings=OperationBinding(sqs=bindings.OperationBinding()),
    )


class SQSSubscriberSpecification(SubscriberSpecification[SQSBrokerConfig, SQSSubscriberSpecificationConfig]):
    @property
    def queue(self) -> str:
        return f"{self._outer_config.prefix}{name_of(self.config.queue.name)}"

    @property
    def channel_labels(self) -> list[str]:
        return [self.queue]

    @property
    def name(self) -> str:
        return self.config.title_ or f"{self.queue}:{self.call_name}"

    def get_payloads(self) -> list[tuple[dict[str, Any], str]]:
        if self.config.raw:
            return [({"title": f"{self.config.title_ or self.call_name}:Message:Payload"}, self.call_name)]
        return super().get_payloads()

    def get_schema(self) -> dict[str, SubscriberSpec]:
        return {
            self.name: SubscriberSpec(
                address=self.queue,
                description=self.description,
                bindings=_channel(self.queue, self.config.queue),
                operation=_operation(self.name, self.get_payloads()),
            )
        }


class SQSPublisherSpecification(PublisherSpecification[SQSBrokerConfig, SQSPublisherSpecificationConfig]):
    @property
    def queue(self) -> str:
        return f"{self._outer_config.prefix}{name_of(self.config.queue)}"

    @property
    def name(self) -> str:
        return self.config.title_ or f"{self.queue}:Publisher"

    def get_schema(self) -> dict[str, PublisherSpec]:
        return {
            self.name: PublisherSpec(
                address=self.queue,
                description=self.config.description_,
                bindings=_channel(self.queue),
                operation=_operation(self.name, self.get_payloads(), "Publisher"),
            )
        }
