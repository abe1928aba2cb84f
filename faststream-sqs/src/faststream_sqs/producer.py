"""Sends: single messages, and batches within SQS's limits."""

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

    def _connected(self) -> SQSBrokerConfig:
        config = self._config or SQSBrokerConfig()
        config.connected()
        return config

    async def encode(self, body: Any, cmd: SQSPublishCommand) -> tuple[str, dict[str, Any]]:
        """MessageBody and MessageAttributes."""
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
        """The id that SQS gave the message."""
        config = self._connected()
        url = await config.url(cmd.destination)
        try:
            answer = await config.connected()("SendMessage", {"QueueUrl": url, **await self.entry(cmd.body, cmd)})
        except Exception as error:
            if is_missing_queue(error):
                raise QueueNotFound(cmd.destination) from error
            raise
        return str(answer["MessageId"])

    async def publish_batch(self, cmd: SQSPublishCommand) -> list[str]:
        """The ids in the order of the messages. Raises PublishFailed if some were not taken after all attempts."""
        config = self._connected()
        url = await config.url(cmd.destination)
        outbound = [Outbound(i, await self.entry(body, cmd)) for i, body in enumerate(cmd.batch_bodies)]
        ids: list[str | None] = [None] * len(outbound)
        failed: list[FailedEntry] = []
        for batch in split(outbound):
            failed += await self._send(config, url, batch, ids)
        if failed:
            raise PublishFailed(cmd.destination, tuple(failed), tuple(ids))
        return [found for found in ids if found is not None]

    async def _send(
        self, config: SQSBrokerConfig, url: str, batch: list["Outbound"], ids: list[str | None]
    ) -> list[FailedEntry]:
        refused: list[FailedEntry] = []
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(self._random() * RETRY_BASE * 2**attempt)
            entries = [{"Id": str(one.index), **one.entry} for one in batch]
            try:
                answer = await config.connected()("SendMessageBatch", {"QueueUrl": url, "Entries": entries})
            except Exception as error:  # noqa: BLE001  # reported by entry, as a part of the batch may be sent already
                code = str(getattr(error, "code", type(error).__name__))
                return refused + [FailedEntry(one.index, code, str(error), sender_fault=False) for one in batch]
            for entry in answer.get("Successful") or ():
                ids[int(entry["Id"])] = entry["MessageId"]
            failed = [_failed(entry) for entry in answer.get("Failed") or ()]
            refused += [entry for entry in failed if entry.sender_fault]
            left = {entry.index: entry for entry in failed if not entry.sender_fault}
            batch = [one for one in batch if one.index in left]
            if not batch:
                return refused
        return refused + list(left.values())

    async def request(self, cmd: SQSPublishCommand) -> Any:  # noqa: ARG002  # FastStream's signature
        raise FeatureNotSupportedException(
            "SQS has no request and response: publish to a queue and subscribe to another"
        )


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message of a batch and its position in it."""

    index: int
    entry: dict[str, Any]

    @property
    def size(self) -> int:
        """Bytes as SQS counts them: the body and each attribute's name, type and value."""
        attributes = self.entry.get("MessageAttributes", {})
        return len(self.entry["MessageBody"].encode()) + sum(
            len(name.encode()) + sum(len(part.encode()) for part in value.values())
            for name, value in attributes.items()
        )


def split(messages: list[Outbound]) -> list[list[Outbound]]:
    """Batches of at most ten messages and 256 KiB; a message that is too large stands alone, for SQS to refuse."""
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


def _failed(entry: dict[str, Any]) -> FailedEntry:
    return FailedEntry(
        int(entry["Id"]), entry.get("Code", ""), entry.get("Message", ""), bool(entry.get("SenderFault"))
    )
