"""Subscribers: a queue's runtime whose handler is FastStream's pipeline."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from faststream.message import StreamMessage
from faststream.response import Response, ensure_response

from faststream_sqs._compat import CallsCollection, FastDependsConfig, SubscriberUsecase, process_msg
from faststream_sqs.config import SQSBrokerConfig, SQSSubscriberConfig
from faststream_sqs.message import decode_body_of, message_itself, parse_message
from faststream_sqs.publisher import ReplyPublisher
from faststream_sqs.raw import handle_raw
from faststream_sqs.record import SQSRecord
from faststream_sqs.runtime import QueueRuntime
from faststream_sqs.schemas import SQSQueue, is_url, name_of
from faststream_sqs.settlement import QueueSettlement
from faststream_sqs.specification import SQSSubscriberSpecification
from faststream_sqs.transport import SQSCalls

# Raw handlers take the message as it is: nothing to inject, nothing to validate.
NO_INJECTION = FastDependsConfig(use_fastdepends=False, serializer=None)


class SQSSubscriber(SubscriberUsecase[SQSRecord]):
    def __init__(
        self,
        config: SQSSubscriberConfig,
        specification: SQSSubscriberSpecification,
        calls: CallsCollection[Any],
    ) -> None:
        config.parser = parse_message
        config.decoder = message_itself if config.raw else decode_body_of
        super().__init__(config, specification, calls)  # type: ignore[arg-type]  # FastStream's generics are invariant
        self._declared = config.queue
        self._consumption = config.consumption
        self._raw = config.raw
        self.runtime: QueueRuntime | None = None
        self._stopping: asyncio.Task[None] | None = None

    @property
    def queue(self) -> str:
        """The queue's name with the routers' prefixes, or its URL."""
        name = self._declared.name
        return name if is_url(name) else f"{self._outer_config.prefix}{name}"

    @property
    def _broker(self) -> SQSBrokerConfig:
        config: SQSBrokerConfig = self._outer_config.broker_config  # type: ignore[attr-defined]  # the composition has it
        return config

    async def start(self) -> None:
        """Raises QueueNotFound."""
        await super().start()
        self._post_start()
        if self.calls and self._broker.poll:
            self.runtime = await self._make_runtime()
            self.runtime.start()

    async def _make_runtime(self) -> QueueRuntime:
        broker, declared, calls = self._broker, self._declared, self._broker.connected()
        if declared.declare and not is_url(self.queue):
            await self._declare(declared)
        url = await broker.url(self.queue)
        attributes = await broker.attributes(self.queue, url)
        dead_letter = declared.dead_letter or attributes.dead_letter
        return QueueRuntime(
            calls,
            url,
            name_of(self.queue),
            self.consume,
            self._settlement(calls, url, dead_letter),
            visibility=declared.visibility or attributes.visibility or 30,
            options=self._consumption,
            fifo=declared.fifo,
            log=self._tell,
        )

    def _settlement(self, calls: SQSCalls, url: str, dead_letter: str | None) -> QueueSettlement:
        async def dead_letter_url() -> str | None:
            return await self._broker.url(dead_letter) if dead_letter else None

        return QueueSettlement(
            calls,
            url,
            name_of(self.queue),
            backoff=self._consumption.backoff,
            linger=self._consumption.linger,
            dead_letter_url=dead_letter_url,
            log=self._tell,
        )

    async def _declare(self, declared: SQSQueue) -> None:
        await self._broker.declare(self.queue, declared.attributes, declared.tags)
        if declared.dead_letter and not is_url(declared.dead_letter):
            await self._broker.declare(declared.dead_letter, {}, declared.tags)

    async def stop(self) -> None:
        """Ends consumption within the broker's graceful timeout; what is held and not handled goes back at once."""
        self.running = False
        runtime = self.runtime
        if runtime is not None and runtime.works_in(asyncio.current_task()):
            # StopConsume and exit() come from inside a handler, which cannot wait for itself
            runtime.stopping = True
            self._stopping = self._stopping or asyncio.create_task(self._stop_runtime(runtime))
            return
        if self._stopping is not None:
            await self._stopping
        elif runtime is not None:
            await self._stop_runtime(runtime)
        await super().stop()

    async def _stop_runtime(self, runtime: QueueRuntime) -> None:
        await runtime.stop(self._outer_config.graceful_timeout, self._broker.poll_grace)
        self.runtime = None

    async def process_message(self, msg: SQSRecord) -> Response:
        """FastStream's pipeline; a raw handler that nothing stands around takes the short way."""
        if not self._raw or len(self.calls) != 1 or self._broker_middlewares:
            return await super().process_message(msg)
        item = self.calls[0]
        if item.handler._publishers:
            return await super().process_message(msg)
        parser: Any = item.parser
        try:
            message = await parser(msg)
        except Exception as error:
            self._tell(logging.ERROR, f"message {msg.message_id} could not be parsed", error)
            raise
        if message.reply_to and not self._no_reply:
            return await super().process_message(msg)
        message.set_decoder(item.decoder)
        return ensure_response(
            await handle_raw(message, partial(item.call, _extra_middlewares=()), self.ack_policy, self._tell_failure)
        )

    def _tell_failure(self, message: StreamMessage[SQSRecord], error: Exception) -> None:
        context = self.get_log_context(message)
        self._log(logging.ERROR, f"{type(error).__name__}: {error}", context, error)

    def _build_fastdepends_model(self) -> None:
        if not self._raw:
            super()._build_fastdepends_model()
            return
        for call in self.calls:
            parser, decoder = self._get_parser_and_decoder(call.item_parser, call.item_decoder)
            call._setup(
                parser=parser,
                decoder=decoder,
                config=NO_INJECTION,
                broker_dependencies=(),
                _call_decorators=self._call_decorators,
            )
            call.handler.refresh(with_mock=False)

    def _make_response_publisher(self, message: StreamMessage[Any]) -> tuple[ReplyPublisher, ...]:
        return (ReplyPublisher(self._outer_config.producer, message.reply_to),)

    def get_log_context(self, message: StreamMessage[SQSRecord] | None) -> dict[str, str]:
        return {"queue": name_of(self.queue), "message_id": getattr(message, "message_id", "")}

    def _tell(self, level: int, message: str, error: BaseException | None = None) -> None:
        self._log(level, message, self.get_log_context(None), error if isinstance(error, Exception) else None)

    # --- without a handler

    async def get_one(self, *, timeout: float = 5.0) -> StreamMessage[SQSRecord] | None:
        """The next message within `timeout` seconds, acked; None if there was none. Only without handlers."""
        assert not self.calls, "You can't use `get_one` method if subscriber has registered handlers."
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            record = await self._fetch(min(20, int(left)))
            if record is not None:
                return await self._process(record)
            await asyncio.sleep(min(0.1, max(0.0, deadline - time.monotonic())))
        return None

    async def __aiter__(self) -> AsyncIterator[StreamMessage[SQSRecord]]:
        assert not self.calls, "You can't use iterator if subscriber has registered handlers."
        while True:
            record = await self._fetch(self._consumption.wait)
            if record is not None and (message := await self._process(record)) is not None:
                yield message

    async def _fetch(self, wait: int) -> SQSRecord | None:
        calls = self._broker.connected()
        url = await self._broker.url(self.queue)
        params = {"QueueUrl": url, "MaxNumberOfMessages": 1, "WaitTimeSeconds": wait, "MessageAttributeNames": ["All"]}
        for found in (await calls("ReceiveMessage", params, patience=wait + 10.0)).get("Messages") or ():
            await calls("DeleteMessage", {"QueueUrl": url, "ReceiptHandle": found["ReceiptHandle"]})
            return SQSRecord(
                name_of(self.queue),
                found["Body"],
                found["MessageId"],
                found["ReceiptHandle"],
                found.get("Attributes") or {},
                found.get("MessageAttributes") or {},
            )
        return None

    async def _process(self, record: SQSRecord) -> StreamMessage[SQSRecord] | None:
        parser, decoder = self._get_parser_and_decoder()
        context = self._outer_config.context
        middlewares = (make(record, context=context) for make in self._broker_middlewares)
        message: StreamMessage[SQSRecord] | None = await process_msg(
            msg=record, middlewares=middlewares, parser=parser, decoder=decoder
        )
        return message
