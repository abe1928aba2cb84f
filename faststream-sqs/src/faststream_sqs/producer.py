"""The producer: sends single messages, and batches within SQS's limits."""

import asyncio
import random as randomness
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from faststream.exceptions import FeatureNotSupportedException

from faststream_sqs._compat import DefaultCodec, ParserComposition, ProducerProto
from faststream_sqs.command import SQSPublishCommand
from faststream_sqs.config import SQSBrokerConfig
from faststream_sqs.encoding import Meta, encode
from faststream_sqs.errors import FailedEntry, PublishFailed, QueueNotFound, is_missing_queue
from faststream_sqs.message import decode_body_of, parse_message
from faststream_sqs.response import SQSResponse

MAX_ENTRIES = 10
MAX_BYTES = 262_144
ATTEMPTS = 4
RETRY_BASE = 0.05


class SQSProducer(ProducerProto[SQSPublishCommand]):
    """Publishes through the broker's connection."""

    def __init__(
        self, parser: Any = None, decoder: Any = None, *, random: Callable[[], float] = randomness.random
    ) -> None:
        self._parser = ParserComposition(parser, parse_message)
        self._decoder = ParserComposition(decoder, decode_body_of)
        self.codec: Any = DefaultCodec()
        self.serializer: Any = None
        self._config: SQSBrokerConfig | None = None
        self._random = random

    def connect(self, config: SQSBrokerConfig) -> None:
        self._config = config
        self.serializer = config.fd_config._serializer
        self.codec = config.broker_codec or self.codec

    def _require_config(self) -> SQSBrokerConfig:
        config = self._config or SQSBrokerConfig()
        config.require_calls()
        return config

    async def encode(self, body: Any, cmd: SQSPublishCommand) -> tuple[str, dict[str, Any]]:
        """The MessageBody and MessageAttributes of a body."""
        encoded, content_type = await self.codec.encode(body, self.serializer)
        meta = Meta(content_type, cmd.correlation_id, cmd.reply_to, headers=dict(cmd.headers))
        return encode(encoded, meta)

    async def entry(self, body: Any, cmd: SQSPublishCommand) -> dict[str, Any]:
        if isinstance(body, SQSResponse):
            cmd = cmd.alone(body)
            body = cmd.body
        text, attributes = await self.encode(body, cmd)
        entry: dict[str, Any] = {"MessageBody": text}
        if attributes:
            entry["MessageAttributes"] = attributes
        if cmd.group or cmd.destination.endswith(".fifo"):
            entry["MessageGroupId"] = cmd.group or "default"
        if cmd.deduplication_id:
            entry["MessageDeduplicationId"] = cmd.deduplication_id
        if cmd.delay is not None:
            entry["DelaySeconds"] = cmd.delay
        return entry

    async def publish(self, cmd: SQSPublishCommand) -> str:
        """Sends a message and returns the id that SQS gave it."""
        config = self._require_config()
        url = await config.url(cmd.destination)
        try:
            answer = await config.require_calls()("SendMessage", {"QueueUrl": url, **await self.entry(cmd.body, cmd)})
        except Exception as error:
            if is_missing_queue(error):
                raise QueueNotFound(cmd.destination) from error
            raise
        return str(answer["MessageId"])

    async def publish_batch(self, cmd: SQSPublishCommand) -> list[str]:
        """Sends messages and returns their ids in order. Raises PublishFailed if some are not accepted in the end."""
        config = self._require_config()
        url = await config.url(cmd.destination)
        outbound = [Outbound(i, await self.entry(body, cmd)) for i, body in enumerate(cmd.batch_bodies)]
        ids: list[str | None] = [None] * len(outbound)
        failed: list[FailedEntry] = []
        for batch in split(outbound):
            failed += await self._send(config, url, batch, ids)
        if failed:
            raise PublishFailed(cmd.destination, tuple(failed), tuple(ids))
        return [message_id for message_id in ids if message_id is not None]

    async def _send(
        self, config: SQSBrokerConfig, url: str, batch: list["Outbound"], ids: list[str | None]
    ) -> list[FailedEntry]:
        refused: list[FailedEntry] = []
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(self._random() * RETRY_BASE * 2**attempt)
            entries = [{"Id": str(message.index), **message.entry} for message in batch]
            try:
                answer = await config.require_calls()("SendMessageBatch", {"QueueUrl": url, "Entries": entries})
            except Exception as error:  # noqa: BLE001  # reported by entry, as a part of the batch may be sent already
                code = str(getattr(error, "code", type(error).__name__))
                return refused + [FailedEntry(sent.index, code, str(error), sender_fault=False) for sent in batch]
            for entry in answer.get("Successful") or ():
                ids[int(entry["Id"])] = entry["MessageId"]
            failed = [
                FailedEntry(
                    index=int(entry["Id"]),
                    code=entry.get("Code", ""),
                    message=entry.get("Message", ""),
                    sender_fault=bool(entry.get("SenderFault")),
                )
                for entry in answer.get("Failed") or ()
            ]
            refused += [entry for entry in failed if entry.sender_fault]
            left = {entry.index: entry for entry in failed if not entry.sender_fault}
            batch = [message for message in batch if message.index in left]
            if not batch:
                return refused
        return refused + list(left.values())

    async def request(self, cmd: SQSPublishCommand) -> Any:  # noqa: ARG002  # FastStream's signature
        raise FeatureNotSupportedException(
            "SQS has no request and response: publish to a queue and subscribe to another"
        )


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message of a batch, with its position."""

    index: int
    entry: dict[str, Any]

    @property
    def size(self) -> int:
        """The size in bytes as SQS counts it: the body and each attribute's name, type and value."""
        attributes = self.entry.get("MessageAttributes", {})
        return len(self.entry["MessageBody"].encode()) + sum(
            len(name.encode()) + sum(len(part.encode()) for part in value.values())
            for name, value in attributes.items()
        )


def split(messages: list[Outbound]) -> list[list[Outbound]]:
    """Batches of at most ten messages and 256 KiB; one that is too large is a batch of its own, for SQS to refuse."""
    batches: list[list[Outbound]] = []
    room = 0
    for message in messages:
        size = message.size
        if not batches or len(batches[-1]) >= MAX_ENTRIES or size > room:
            batches.append([])
            room = MAX_BYTES
        batches[-1].append(message)
        room -= size
    return batches
