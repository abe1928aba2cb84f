"""The same subscribers in AWS Lambda: the event source brings the messages, the rest works as in a worker."""

import asyncio
import base64
import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from faststream.exceptions import FastStreamException

from faststream_sqs.broker import SQSBroker
from faststream_sqs.encoding import text_attribute
from faststream_sqs.invocation import Invocation
from faststream_sqs.record import SQSRecord
from faststream_sqs.schemas import name_of, name_of_arn
from faststream_sqs.subscriber import SQSSubscriber

MILLISECONDS = 1000
NO_DEADLINE = float("inf")


class NotAnSQSEvent(FastStreamException):
    """An invocation's event is not an SQS event source's. SQS delivers all of its messages again."""


def lambda_handler(app: Any, *, margin: float = 1.0, change_visibility: bool = True) -> "LambdaHandler":
    """A Lambda handler that runs a FastStream app's (or a broker's) subscribers; see LambdaHandler."""
    return LambdaHandler(app, margin=margin, change_visibility=change_visibility)


class LambdaHandler:
    """A Lambda handler that runs an SQS batch through the subscribers of its queues and returns batchItemFailures.

    A message has failed unless it was acked, or rejected and sent to the dead-letter queue. On a FIFO queue, the
    messages after the first failure of their group have failed, too, and are not run. Handlers that still run `margin`
    seconds before the function's timeout are cancelled and have failed. Failed messages become visible after the delay
    that was decided (`change_visibility`; it needs sqs:ChangeMessageVisibility and sqs:GetQueueUrl), otherwise when the
    queue's visibility timeout ends.

    One event loop lives as long as the process. The app starts with the first invocation, or with `start()` while the
    function initializes, and does not poll. The event source needs ReportBatchItemFailures.
    Raises NotAnSQSEvent.
    """

    def __init__(self, app: Any, *, margin: float = 1.0, change_visibility: bool = True) -> None:
        self._app = app
        self._margin = margin
        self._change_visibility = change_visibility
        self._brokers: list[SQSBroker] = [app] if isinstance(app, SQSBroker) else list(app.brokers)
        self._runner = asyncio.Runner()
        self._running: AsyncExitStack | None = None

    def __call__(self, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:
        return self._runner.run(self.handle(event, context))

    def start(self) -> None:
        """Starts the app now. Raises the errors of its start."""
        self._runner.run(self._start())

    def close(self) -> None:
        """Stops the app and ends the loop, for tests: Lambda never calls it."""
        running, self._running = self._running, None
        if running is not None:
            self._runner.run(running.aclose())
        self._runner.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def handle(self, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:
        """Handles one invocation, for a caller that has its own event loop (always the same one)."""
        deadline = NO_DEADLINE
        if context is not None:
            seconds_left = float(context.get_remaining_time_in_millis()) / MILLISECONDS
            deadline = time.monotonic() + seconds_left - self._margin
        entries = event.get("Records") if isinstance(event, Mapping) else None
        if not isinstance(entries, list):
            raise NotAnSQSEvent("the event has no list of Records")
        records = [record_of(entry) for entry in entries]
        await self._start()
        by_queue: dict[str, list[SQSRecord]] = defaultdict(list)
        for record in records:
            by_queue[record.queue].append(record)
        failed = await asyncio.gather(*(self._consume(queue, batch, deadline) for queue, batch in by_queue.items()))
        failures = {id(record) for part in failed for record in part}
        return {"batchItemFailures": [{"itemIdentifier": r.message_id} for r in records if id(r) in failures]}

    async def _consume(self, queue: str, records: list[SQSRecord], deadline: float) -> list[SQSRecord]:
        """Runs records of one queue through its subscriber and returns those that failed."""
        for broker in self._brokers:
            for subscriber in broker.subscribers:
                if isinstance(subscriber, SQSSubscriber) and subscriber.calls and name_of(subscriber.queue) == queue:
                    invocation = Invocation(subscriber, records, self._margin)
                    return await invocation.run(deadline, change_visibility=self._change_visibility)
        for broker in self._brokers[:1]:
            broker.config.logger.log(f"no subscriber of {queue!r}: its messages fail", logging.ERROR)
        return records

    async def _start(self) -> None:
        if self._running is not None:
            return
        async with AsyncExitStack() as stack:
            for broker in self._brokers:
                broker.config.broker_config.poll = False
            if self._app not in self._brokers:
                await stack.enter_async_context(self._app.lifespan_context())
            stack.push_async_callback(self._app.stop)
            await self._app.start()
            self._running = stack.pop_all()


def record_of(entry: Mapping[str, Any]) -> SQSRecord:
    """A record from Lambda's format. Raises NotAnSQSEvent for one that could not be reported as failed."""
    try:
        return SQSRecord(
            name_of_arn(entry["eventSourceARN"]),
            entry["body"],
            entry["messageId"],
            entry["receiptHandle"],
            entry.get("attributes") or {},
            {name: _attribute(value) for name, value in (entry.get("messageAttributes") or {}).items()},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise NotAnSQSEvent(f"a record lacks or misspells {error}") from error


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    text = value.get("stringValue")
    if text is not None:
        return text_attribute(text)
    try:
        binary = base64.b64decode(value.get("binaryValue") or "")
    except ValueError:
        binary = b""
    return {"DataType": "Binary", "BinaryValue": binary}
