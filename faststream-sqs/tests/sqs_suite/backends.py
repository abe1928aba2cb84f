"""The operations that the conformance suite needs of each backend."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from faststream_sqs import SQSBroker, SQSQueue, Transport

Handle = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True)
class Backend:
    """A Transport, and the real length of one of its seconds."""

    name: str
    transport: Transport
    second: float

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.transport.call("sqs", operation, params, timeout=30)

    async def create(self, name: str, **attributes: str) -> str:
        return str((await self.call("CreateQueue", QueueName=name, Attributes=attributes))["QueueUrl"])

    async def fill(self, url: str, count: int) -> None:
        for start in range(0, count, 10):
            entries = [{"Id": str(i), "MessageBody": str(i)} for i in range(start, min(start + 10, count))]
            await self.call("SendMessageBatch", QueueUrl=url, Entries=entries)

    async def receive(self, url: str, wait: int = 0) -> list[dict[str, Any]]:
        answer = await self.call(
            "ReceiveMessage",
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=wait,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return answer.get("Messages") or []

    async def attributes(self, url: str, *names: str) -> dict[str, str]:
        answer = await self.call("GetQueueAttributes", QueueUrl=url, AttributeNames=list(names))
        return answer.get("Attributes") or {}

    async def counts(self, url: str) -> tuple[int, int]:
        """The numbers of visible messages and of messages in flight."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        attributes = await self.attributes(url, *names)
        return int(attributes[names[0]]), int(attributes[names[1]])


def broker_for(
    backend: Backend, queue: SQSQueue | str, handle: Handle, *, poll_grace: float = 0.05, **options: Any
) -> SQSBroker:
    broker = SQSBroker(backend.transport, logger=None, graceful_timeout=5.0, poll_grace=poll_grace)
    broker.subscriber(queue, raw=True, no_reply=True, **({"wait": 1} | options))(handle)
    return broker
