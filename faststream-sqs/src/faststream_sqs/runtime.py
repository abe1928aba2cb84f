"""The runtime of one queue: pollers fill a bounded buffer, workers empty it, a heartbeat keeps both invisible."""

import asyncio
import logging
import random as randomness
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from faststream_sqs.buffer import Buffer
from faststream_sqs.heartbeat import HeartbeatLoop
from faststream_sqs.options import Consumption
from faststream_sqs.polling import Pollers
from faststream_sqs.record import Outcome, SQSRecord, record_from
from faststream_sqs.settlement import Log, QueueSettlement
from faststream_sqs.transport import CALL_TIMEOUT, SQSCalls

MAX_PENDING = 1000
YIELD_EVERY = 16
DRAIN_PATIENCE = 10.0
CANCEL_PATIENCE = 2.0
SYSTEM_ATTRIBUTES = ("ApproximateReceiveCount", "SentTimestamp", "MessageGroupId")

Handler = Callable[[list[SQSRecord]], Awaitable[Any]]


class QueueRuntime:
    """The consumer of one queue, and the Settler of its records, which the handler settles.

    A record without a decision is nacked with backoff: nothing is deleted that was not acked.
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
        self._buffer = Buffer(lanes=fifo, group_of=options.fair_by)
        self.held: dict[str, SQSRecord] = {}
        self._heartbeat = HeartbeatLoop(self.held, settlement, visibility=visibility, queue=queue, now=now, log=log)
        self._pollers = Pollers(
            self._receive, self._take_in, self._free, queue=queue, options=options, log=log, random=random
        )
        self._beat: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._hurried = asyncio.Event()
        self._workers: set[asyncio.Task[None]] = set()
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
        # it is held meanwhile: a slow dead-letter queue must not make it visible
        buried = await self._settlement.bury(record, reason)
        if not self._let_go(record):
            return
        if buried:
            self._settlement.delete(record)
        else:
            record.outcome = Outcome.NACKED
            self._settlement.give_back(record, None)

    def _let_go(self, record: SQSRecord) -> bool:
        """Stops holding a record; False if the runtime has given it back already."""
        if self.held.pop(record.receipt_handle, None) is None:
            return False
        self._heartbeat.forget(record)
        self._pollers.signal_room()
        return True

    def _release(self, record: SQSRecord, delay: float | None) -> None:
        if self._let_go(record):
            record.outcome = Outcome.RELEASED
            self._settlement.give_back(record, delay)

    # --- taking in

    def start(self) -> None:
        self._pollers.start()
        if self._options.heartbeat:
            self._beat = asyncio.create_task(self._heartbeat.run())

    def _free(self) -> int:
        if self._settlement.pending >= MAX_PENDING:
            return 0
        return self._options.held_at_most - len(self.held)

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

    # --- working

    def _put_to_work(self) -> None:
        # the new worker starts after the running ones had their turn: while handlers do not wait, one is enough
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
            records = self._buffer.take(self._options.batch_size)
            self._put_to_work()
            try:
                await self._handle(records)
            finally:
                for record in records:
                    # nobody decided, or the decision was interrupted on its way to the dead-letter queue
                    self._release(record, 0 if self.stopping else None)
                    for follower in self._buffer.advance(record):
                        self._release(follower, 0)
            handled += 1
            if handled % YIELD_EVERY == 0:
                await asyncio.sleep(0)

    async def _handle(self, records: list[SQSRecord]) -> None:
        task = asyncio.current_task()
        try:
            await self._handler(records)
        except asyncio.CancelledError as error:
            if self.stopping or (task is not None and task.cancelling()):
                raise
            # a handler that cancels itself has failed like any other; the worker goes on
            self._log(logging.ERROR, f"a handler of {self._queue} was cancelled from within", error)
        except Exception as error:  # noqa: BLE001  # the message is nacked and the next one is handled
            self._log(logging.ERROR, f"message {records[0].message_id} of {self._queue} failed", error)

    # --- the end

    def works_in(self, task: asyncio.Task[Any] | None) -> bool:
        return task in self._workers

    def hurry(self) -> None:
        """Makes the present or the next stop immediate: handlers are cancelled and polls cut off without waiting."""
        self._hurried.set()

    async def stop(self, graceful_timeout: float | None, poll_grace: float) -> None:
        """Stops consuming: buffered records go back, running handlers get `graceful_timeout`, decisions are sent.

        A long poll may go on while handlers finish, and `poll_grace` seconds more; the messages it brings go back. Then
        it is cut off, and a message that is in transit at that moment comes again when its visibility ends.
        """
        self.stopping = True
        self._pollers.close()
        for record in self._buffer.clear():
            self._release(record, 0)
        if not await self._wait_for(self._idle, graceful_timeout):
            reason = "after the second signal" if self._hurried.is_set() else f"within {graceful_timeout} s"
            self._log(logging.ERROR, f"{len(self._workers)} handlers of {self._queue} did not end {reason}")
            await self._cancel(self._workers)
        await self._wait_for(self._pollers.ended, poll_grace)
        await self._cancel(self._pollers.tasks)
        await self._cancel([self._beat] if self._beat is not None else ())
        for record in list(self.held.values()):
            self._release(record, 0)
        await self._settlement.drain(CANCEL_PATIENCE if self._hurried.is_set() else DRAIN_PATIENCE)

    async def _wait_for(self, event: asyncio.Event, patience: float | None) -> bool:
        """Waits for the event, for at most `patience` seconds and until `hurry()`. Whether the event came."""
        if not event.is_set() and not self._hurried.is_set():
            waits = [asyncio.create_task(event.wait()), asyncio.create_task(self._hurried.wait())]
            await asyncio.wait(waits, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        return event.is_set()

    async def _cancel(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        ending = set(tasks)
        for task in ending:
            task.cancel()
        if ending:
            _, stuck = await asyncio.wait(ending, timeout=CANCEL_PATIENCE)
            if stuck:
                self._log(logging.ERROR, f"{len(stuck)} tasks of {self._queue} refuse to end")
