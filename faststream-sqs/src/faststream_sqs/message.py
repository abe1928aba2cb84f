"""FastStream's messages: one record, or a batch of them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from faststream.message import StreamMessage, decode_message

from faststream_sqs.encoding import Meta, attribute_values, decode_body, read_meta
from faststream_sqs.record import Outcome, SQSRecord

JSON = "application/json"


class SQSMessage(StreamMessage[SQSRecord]):
    """A message that is settled once: the first of `ack`, `nack` and `reject` counts, later ones do nothing.

    `envelope` has what EventBridge or SNS wrapped around the body, if the subscriber unwraps it.
    """

    envelope: Mapping[str, Any] | None = None

    @property
    def queue(self) -> str:
        """The name of the queue."""
        return self.raw_message.queue

    @property
    def receive_count(self) -> int:
        """The number of deliveries, including this one."""
        return self.raw_message.receive_count

    @property
    def group(self) -> str | None:
        """The message group (FIFO, or fair queues)."""
        return self.raw_message.group

    @cached_property
    def sent_at(self) -> datetime | None:
        """The time when SQS accepted it, if SQS says so."""
        sent = self.raw_message.attributes.get("SentTimestamp")
        return datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else None

    @cached_property
    def attributes(self) -> dict[str, str | bytes]:
        """The sender's message attributes as plain values."""
        return attribute_values(self.raw_message.message_attributes)

    @property
    def system_attributes(self) -> dict[str, str]:
        """SQS's own attributes, with SQS's names."""
        return dict(self.raw_message.attributes)

    async def ack(self) -> None:
        """Acknowledges the message: it is deleted."""
        await super().ack()
        record = self.raw_message
        if record.decide(Outcome.ACKED) and record.settler is not None:
            await record.settler.ack(record)

    async def nack(self, delay: float | None = None) -> None:
        """Requests a redelivery after `delay` seconds (None: backoff by the receive count, with full jitter)."""
        await super().nack()
        record = self.raw_message
        if record.decide(Outcome.NACKED) and record.settler is not None:
            await record.settler.nack(record, delay)

    async def reject(self, reason: str = "") -> None:
        """Sends the original body and the reason to the dead-letter queue, then deletes the message.

        If no dead-letter queue is known, or it cannot be reached, the message is nacked instead: nothing is lost.
        """
        await super().reject()
        record = self.raw_message
        if record.decide(Outcome.REJECTED) and record.settler is not None:
            await record.settler.reject(record, reason)


class SQSBatchMessage(StreamMessage[tuple[SQSRecord, ...]]):
    """Several messages for one call of a handler. A decision about one of `messages` takes precedence.

    `ack`, `nack` and `reject` decide about the messages that are not decided yet. `body` is the list of their bodies.
    """

    def __init__(self, messages: Sequence[SQSMessage]) -> None:
        self.messages = tuple(messages)
        first = self.messages[0]
        super().__init__(
            tuple(message.raw_message for message in self.messages),
            [message.body for message in self.messages],
            headers=first.headers,
            # the correlation id is what traces link a batch's messages by
            batch_headers=[{**m.headers, "correlation_id": m.correlation_id} for m in self.messages],
            content_type=first.content_type,
            correlation_id=first.correlation_id,
            message_id=first.message_id,
        )

    @property
    def queue(self) -> str:
        """The name of the queue."""
        return self.messages[0].queue

    async def ack(self) -> None:
        """Acknowledges the messages that are left."""
        await super().ack()
        await asyncio.gather(*(message.ack() for message in self.messages))

    async def nack(self, delay: float | None = None) -> None:
        """Requests a redelivery of those left after `delay` seconds (None: backoff by each one's receive count)."""
        await super().nack()
        await asyncio.gather(*(message.nack(delay) for message in self.messages))

    async def reject(self, reason: str = "") -> None:
        """Sends the messages that are left to the dead-letter queue."""
        await super().reject()
        await asyncio.gather(*(message.reject(reason) for message in self.messages))


async def parse_message(record: SQSRecord) -> SQSMessage:
    attributes = record.message_attributes
    meta = read_meta(attributes) if attributes else Meta()
    body = decode_body(record.body, meta.encoding)
    return SQSMessage(
        record,
        body,
        headers=meta.headers,
        reply_to=meta.reply_to,
        content_type=meta.content_type or guess_content_type(body),
        correlation_id=meta.correlation_id or record.message_id or None,
        message_id=record.message_id or meta.correlation_id or None,
    )


def guess_content_type(body: bytes) -> str | None:
    # EventBridge, SNS and most other senders send JSON without saying so
    return JSON if body[:1] in (b"{", b"[") else None


async def parse_batch(records: Sequence[SQSRecord]) -> SQSBatchMessage:
    return SQSBatchMessage([await parse_message(record) for record in records])


async def decode_body_of(message: StreamMessage[Any]) -> Any:
    return decode_message(message)


async def decode_batch(message: StreamMessage[Any]) -> Any:
    """The decoder of batch subscribers, which FastStream recognizes by this name."""
    assert isinstance(message, SQSBatchMessage)
    return [decode_message(part) for part in message.messages]


async def message_itself(message: StreamMessage[Any]) -> StreamMessage[Any]:
    """The decoder of raw subscribers: their handler takes the message."""
    return message
