"""Subscribers: the runtime of a queue with FastStream's pipeline as its handler."""

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
from faststream_sqs.envelopes import Parse, unwrapping_parser
from faststream_sqs.message import decode_batch, decode_body_of, message_itself, parse_batch, parse_message
from faststream_sqs.options import Consumption
from faststream_sqs.publisher import ReplyPublisher
from faststream_sqs.raw import handle_raw, settle_error
from faststream_sqs.record import SQSRecord
from faststream_sqs.runtime import QueueRuntime
from faststream_sqs.schemas import is_url, name_of
from faststream_sqs.settlement import QueueSettlement
from faststream_sqs.single import fetch_one
from faststream_sqs.specification import SQSSubscriberSpecification

# Raw handlers take the message as it is, without injection or validation.
NO_INJECTION = FastDependsConfig(use_fastdepends=False, serializer=None)


class SQSSubscriber(SubscriberUsecase[Any]):
    """A subscriber of one queue. It takes SQSRecords, or tuples of them if it is a batch subscriber."""

    def __init__(
        self,
        config: SQSSubscriberConfig,
        specification: SQSSubscriberSpecification,
        calls: CallsCollection[Any],
    ) -> None:
        config.parser = parse_batch if config.batch else parse_message
        config.decoder = message_itself if config.raw else decode_batch if config.batch else decode_body_of
        super().__init__(config, specification, calls)  # type: ignore[arg-type]  # FastStream's generics are invariant
        self._declared = config.queue
        self._raw = config.raw
        self._envelope = config.envelope
        self._unwrapping: dict[Any, Parse] = {}
        self.batch = config.batch
        self.consumption: Consumption = config.consumption
        self.runtime: QueueRuntime | None = None
        self._stopping: asyncio.Task[None] | None = None

    @property
    def queue(self) -> str:
        """The queue's name with the routers' prefixes, or its URL."""
        name = self._declared.name
        return name if is_url(name) else f"{self._outer_config.prefix}{name}"

    @property
    def fifo(self) -> bool:
        return self._declared.fifo

    @property
    def _broker(self) -> SQSBrokerConfig:
        config: SQSBrokerConfig = self._outer_config.broker_config  # type: ignore[attr-defined]  # the composition has it
        return config

    # --- starting and stopping

    async def start(self) -> None:
        """Starts polling, unless the broker's `poll` is off. Raises QueueNotFound."""
        await super().start()
        self._post_start()
        broker, declared = self._broker, self._declared
        if not self.calls or not broker.poll:
            return
        if declared.declare and not is_url(self.queue):
            await broker.declare(self.queue, declared)
        url = await broker.url(self.queue)
        attributes = await broker.attributes(self.queue, url)
        self.runtime = QueueRuntime(
            broker.require_calls(),
            url,
            name_of(self.queue),
            self.consume_records,
            self.settlement(url, declared.dead_letter or attributes.dead_letter),
            visibility=declared.visibility or attributes.visibility or 30,
            options=self.consumption,
            fifo=declared.fifo,
            log=self.report,
        )
        self.runtime.start()

    def settlement(self, url: str, dead_letter: str | None) -> QueueSettlement:
        """The settlement that carries out decisions about messages of the queue at `url`."""

        async def dead_letter_url() -> str | None:
            return await self._broker.url(dead_letter) if dead_letter else None

        return QueueSettlement(
            self._broker.require_calls(),
            url,
            name_of(self.queue),
            backoff=self.consumption.backoff,
            linger=self.consumption.linger,
            dead_letter_url=dead_letter_url,
            log=self.report,
        )

    async def lazy_settlement(self) -> QueueSettlement:
        """A settlement without a runtime; asks the queue for what is not declared. Raises QueueNotFound."""
        url = await self._broker.url(self.queue)
        dead_letter = self._declared.dead_letter or (await self._broker.attributes(self.queue, url)).dead_letter
        return self.settlement(url, dead_letter)

    async def stop(self) -> None:
        """Stops consuming within the broker's graceful timeout; messages that no handler runs go back at once."""
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

    def stop_now(self) -> None:
        """Makes the present or the next stop immediate: handlers are cancelled instead of awaited."""
        if self.runtime is not None:
            self.runtime.hurry()

    async def _stop_runtime(self, runtime: QueueRuntime) -> None:
        await runtime.stop(self._outer_config.graceful_timeout, self._broker.poll_grace)
        self.runtime = None

    # --- handling

    def pipeline_message(self, records: list[SQSRecord]) -> SQSRecord | tuple[SQSRecord, ...]:
        """The raw message of FastStream's pipeline for the records of one call."""
        return tuple(records) if self.batch else records[0]

    async def consume_records(self, records: list[SQSRecord]) -> None:
        await self.consume(self.pipeline_message(records))

    async def process_message(self, msg: Any) -> Response:
        """Runs FastStream's pipeline, or the short path for a raw handler without middlewares and publishers."""
        if not self._raw or len(self.calls) != 1 or self._broker_middlewares:
            return await super().process_message(msg)
        item = self.calls[0]
        if item.handler._publishers:
            return await super().process_message(msg)
        parser: Any = item.parser
        try:
            message = await parser(msg)
        except Exception as error:
            self.report(logging.ERROR, "a message could not be parsed", error)
            await settle_error(await self._parser(msg), error, self.ack_policy)
            raise
        if message.reply_to and not self._no_reply:
            return await super().process_message(msg)
        message.set_decoder(item.decoder)
        return ensure_response(
            await handle_raw(message, partial(item.call, _extra_middlewares=()), self.ack_policy, self._report_failure)
        )

    def _get_parser_and_decoder(self, item_parser: Any = None, item_decoder: Any = None) -> tuple[Any, Any]:
        parser, decoder = super()._get_parser_and_decoder(item_parser, item_decoder)
        if self._envelope is None:
            return parser, decoder
        # around the parser, not in it: a message that cannot be unwrapped is settled through the bare parser
        if parser not in self._unwrapping:
            self._unwrapping[parser] = unwrapping_parser(parser, self._envelope)
        return self._unwrapping[parser], decoder

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

    # --- logging

    def _report_failure(self, message: StreamMessage[Any], error: Exception) -> None:
        context = self.get_log_context(message)
        self._log(logging.ERROR, f"{type(error).__name__}: {error}", context, error)

    def get_log_context(self, message: StreamMessage[Any] | None) -> dict[str, str]:
        return {"queue": name_of(self.queue), "message_id": getattr(message, "message_id", "")}

    def report(self, level: int, message: str, error: BaseException | None = None) -> None:
        """Writes to the broker's log."""
        self._log(level, message, self.get_log_context(None), error if isinstance(error, Exception) else None)

    # --- without a handler

    async def get_one(self, *, timeout: float = 5.0) -> StreamMessage[Any] | None:
        """The next message within `timeout` seconds, acked; None if there was none. Only without handlers."""
        assert not self.calls, "You can't use `get_one` method if subscriber has registered handlers."
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            record = await fetch_one(self._broker, self.queue, min(20, int(left)))
            if record is not None:
                return await self._process(record)
            await asyncio.sleep(min(0.1, max(0.0, deadline - time.monotonic())))
        return None

    async def __aiter__(self) -> AsyncIterator[StreamMessage[Any]]:
        assert not self.calls, "You can't use iterator if subscriber has registered handlers."
        while True:
            record = await fetch_one(self._broker, self.queue, self.consumption.wait)
            if record is not None and (message := await self._process(record)) is not None:
                yield message

    async def _process(self, record: SQSRecord) -> StreamMessage[Any] | None:
        parser, decoder = self._get_parser_and_decoder()
        context = self._outer_config.context
        middlewares = (make(record, context=context) for make in self._broker_middlewares)
        message: StreamMessage[Any] | None = await process_msg(
            msg=self.pipeline_message([record]), middlewares=middlewares, parser=parser, decoder=decoder
        )
        return message
