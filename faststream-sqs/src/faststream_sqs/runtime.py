"""One queue's consumer: pollers fill a bounded buffer, workers empty it, everything held is kept invisible."""

import asyncio
import logging
import random as randomness
import time
from collections.abc import Awaitable, Callable
from typing import Any

from faststream_sqs.buffer import Buffer
from faststream_sqs.heartbeat import Heartbeat
from faststream_sqs.options import BATCH, Consumption
from faststream_sqs.record import Outcome, SQSRecord, record_from
from faststream_sqs.settlement import Log, QueueSettlement
from faststream_sqs.transport import CALL_TIMEOUT, SQSCalls

MAX_PENDING = 1000
YIELD_EVERY = 16
ERROR_BACKOFF_BASE = 0.1
ERROR_BACKOFF_CAP = 20.0
DRAIN_PATIENCE = 10.0
CANCEL_PATIENCE = 2.0
SYSTEM_ATTRIBUTES = ("ApproximateReceiveCount", "SentTimestamp", "MessageGroupId")

Handler = Callable[[SQSRecord], Awaitable[Any]]


class QueueRuntime:
    """Consumes one queue with a handler that settles its records; it is their Settler.

    A record that the handler leaves without a decision is nacked with back-off: nothing is deleted that nobody acked.
    """

    def __init__(
        self,
        calls: SQSCalls,
        url: str,
        queue: str,
        handler: Handler,
        settlement: QueueSettlement,
        *,
        visibility: int,
        options: Consumption,
        fifo: bool,
        log: Log,
        now: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        self._calls = calls
        self._url = url
        self._queue = queue
        self._handler = handler
        self._settlement = settlement
        self._visibility = visibility
        self._options = options
        self._log = log
        self._random = random
        self._buffer = Buffer(lanes=fifo)
        self._heartbeat = Heartbeat(visibility, now, self._tell_tired)
        self.held: dict[str, SQSRecord] = {}
        self._reserved = 0
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._pollers: set[asyncio.Task[None]] = set()
        self._workers: set[asyncio.Task[None]] = set()
        self._beating: asyncio.Task[None] | None = None
        self._hiring = False
        self.stopping = False

    # --- the decisions

    async def ack(self, record: SQSRecord) -> None:
        if self._let_go(record):
            self._settlement.delete(record)

    async def nack(self, record: SQSRecord, delay: float | None) -> None:
        if self._let_go(record):
            self._settlement.give_back(record, delay)

    async def reject(self, record: SQSRecord, reason: str) -> None:
        # held meanwhile: a slow dead-letter queue must not make it visible
        buried = await self._settlement.bury(record, reason)
        if not self._let_go(record):
            return
        if buried:
            self._settlement.delete(record)
        else:
            record.outcome = Outcome.NACKED
            self._settlement.give_back(record, None)

    def _let_go(self, record: SQSRecord) -> bool:
        """False for a record that the runtime has given back already."""
        if self.held.pop(record.receipt_handle, None) is None:
            return False
        self._heartbeat.forget(record)
        self._signal_room()
        return True

    def _release(self, record: SQSRecord, delay: float | None) -> None:
        if self._let_go(record):
            record.outcome = Outcome.RELEASED
            self._settlement.give_back(record, delay)

    # --- polling

    def start(self) -> None:
        self._pollers = {asyncio.create_task(self._poll()) for _ in range(self._options.pollers)}
        if self._options.heartbeat:
            self._beating = asyncio.create_task(self._beat())

    def _free(self) -> int:
        if self._settlement.pending >= MAX_PENDING:
            return 0
        return self._options.held_at_most - len(self.held) - self._reserved

    def _signal_room(self) -> None:
        if not self._room.is_set() and self._free() >= min(BATCH, self._options.held_at_most):
            self._room.set()

    async def _wait_for_room(self) -> int:
        """How many messages to ask for: full batches, for a poll costs the same for one."""
        while not self.stopping and self._free() < min(BATCH, self._options.held_at_most):
            self._room.clear()
            try:
                await asyncio.wait_for(self._room.wait(), 1.0)
            except TimeoutError:
                continue
        return min(BATCH, self._free())

    async def _poll(self) -> None:
        failures = 0
        while not self.stopping:
            wanted = await self._wait_for_room()
            if self.stopping:
                return
            self._reserved += wanted
            try:
                messages = await self._receive(wanted)
                failures = 0
            except Exception as error:  # noqa: BLE001  # a poller that ends is a consumer that stands still
                failures += 1
                self._tell_failed_poll(error, failures)
                messages = []
            finally:
                self._reserved -= wanted
            self._take_in(messages)
            if failures and not self.stopping:
                await asyncio.sleep(
                    self._random() * min(ERROR_BACKOFF_CAP, ERROR_BACKOFF_BASE * 2.0 ** min(failures, 10))
                )
            else:
                await asyncio.sleep(0)

    async def _receive(self, wanted: int) -> list[dict[str, Any]]:
        params = {
            "QueueUrl": self._url,
            "MaxNumberOfMessages": wanted,
            "WaitTimeSeconds": self._options.wait,
            "VisibilityTimeout": self._visibility,
            "MessageSystemAttributeNames": SYSTEM_ATTRIBUTES,
            "MessageAttributeNames": ["All"],
        }
        answer = await self._calls("ReceiveMessage", params, patience=self._options.wait + CALL_TIMEOUT)
        return answer.get("Messages") or []

    def _take_in(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            record = record_from(self._queue, message, self)
            self._heartbeat.hold(record)
            self.held[record.receipt_handle] = record
            if self.stopping:
                self._release(record, 0)
            else:
                self._buffer.add(record)
        self._put_to_work()

    def _tell_failed_poll(self, error: Exception, failures: int) -> None:
        level = logging.WARNING if failures < 5 else logging.ERROR
        self._log(level, f"{self._queue} could not be polled ({failures} times in a row): {error}")

    # --- working

    def _put_to_work(self) -> None:
        # one more worker, after those that run have had their turn: while handlers do not wait, one worker is enough
        if self._buffer and not self._hiring and len(self._workers) < self._options.max_workers:
            self._hiring = True
            asyncio.get_running_loop().call_soon(self._hire)

    def _hire(self) -> None:
        self._hiring = False
        if self._buffer and not self.stopping:
            self._idle.clear()
            task = asyncio.create_task(self._work())
            self._workers.add(task)
            task.add_done_callback(self._worker_ended)

    def _worker_ended(self, task: asyncio.Task[None]) -> None:
        self._workers.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log(logging.CRITICAL, f"a worker of {self._queue} died", error)
        if not self.stopping:
            self._put_to_work()
        if not self._workers:
            self._idle.set()

    async def _work(self) -> None:
        handled = 0
        while self._buffer and not self.stopping:
            record = self._buffer.take()
            self._put_to_work()
            try:
                await self._handle(record)
            finally:
                # nobody decided, or the decision was interrupted on its way to the dead-letter queue
                self._release(record, 0 if self.stopping else None)
                for follower in self._buffer.done(record):
                    self._release(follower, 0)
            handled += 1
            if handled % YIELD_EVERY == 0:
                await asyncio.sleep(0)

    async def _handle(self, record: SQSRecord) -> None:
        task = asyncio.current_task()
        try:
            await self._handler(record)
        except asyncio.CancelledError as error:
            if self.stopping or (task is not None and task.cancelling()):
                raise
            # the handler's own cancellation is a failure like others, not the end of the worker
            self._log(logging.ERROR, f"a handler of {self._queue} was cancelled from within", error)
        except Exception as error:  # noqa: BLE001  # the message is nacked and the next one is handled
            self._log(logging.ERROR, f"message {record.message_id} of {self._queue} failed", error)

    # --- heartbeat

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat.interval)
            due = self._heartbeat.due(self.held.values())
            for start in range(0, len(due), BATCH):
                await self._prolong(due[start : start + BATCH])

    async def _prolong(self, due: list[tuple[SQSRecord, int]]) -> None:
        try:
            refused = await self._settlement.prolong(due, lambda record: record.receipt_handle in self.held)
        except Exception as error:  # noqa: BLE001  # the next beat tries again
            self._log(logging.WARNING, f"visibility of {len(due)} messages of {self._queue} not prolonged: {error}")
            return
        for record, seconds in due:
            self._heartbeat.prolonged(record, seconds)
        if refused:
            self._log(
                logging.WARNING, f"{len(refused)} messages of {self._queue} are no longer ours and may come again"
            )

    def _tell_tired(self, record: SQSRecord) -> None:
        self._log(
            logging.ERROR, f"message {record.message_id} of {self._queue} is held for 12 hours: it may come again"
        )

    # --- the end

    def works_in(self, task: asyncio.Task[Any] | None) -> bool:
        return task in self._workers

    async def stop(self, graceful_timeout: float | None, poll_grace: float) -> None:
        """Ends consumption: the buffered go back at once, running handlers get `graceful_timeout`, decisions are sent.

        A long poll may go on while handlers finish and `poll_grace` seconds more, and what it brings goes back; then it
        is cut, and a message that is on its way in that instant comes again when its visibility ends.
        """
        self.stopping = True
        self._room.set()
        for record in self._buffer.clear():
            self._release(record, 0)
        try:
            await asyncio.wait_for(self._idle.wait(), graceful_timeout)
        except TimeoutError:
            self._log(
                logging.ERROR, f"{len(self._workers)} handlers of {self._queue} did not end within {graceful_timeout} s"
            )
            await self._cancel(self._workers, CANCEL_PATIENCE)
        if self._pollers:
            await asyncio.wait(self._pollers, timeout=poll_grace)
        await self._cancel(self._pollers, CANCEL_PATIENCE)
        if self._beating is not None:
            await self._cancel({self._beating}, CANCEL_PATIENCE)
        for record in list(self.held.values()):
            self._release(record, 0)
        await self._settlement.drain(DRAIN_PATIENCE)

    async def _cancel(self, tasks: set[asyncio.Task[None]], patience: float) -> None:
        ending = set(tasks)
        for task in ending:
            task.cancel()
        if ending:
            _, stuck = await asyncio.wait(ending, timeout=patience)
            if stuck:
                self._log(logging.ERROR, f"{len(stuck)} tasks of {self._queue} refuse to end")
