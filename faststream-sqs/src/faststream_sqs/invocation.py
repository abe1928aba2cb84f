"""One Lambda invocation's messages of one queue: Lambda's counterpart of a worker's runtime."""

import asyncio
import logging
import time

from faststream.exceptions import StopConsume

from faststream_sqs.buffer import Buffer
from faststream_sqs.options import BATCH
from faststream_sqs.record import Outcome, SQSRecord
from faststream_sqs.settlement import QueueSettlement
from faststream_sqs.subscriber import SQSSubscriber

ENDING_SHARE = 0.25
NO_DEADLINE = float("inf")
PATIENCE_WITHOUT_DEADLINE = 10.0


class Invocation:
    """Runs the records through the subscriber's pipeline. It is their Settler until the answer is given."""

    def __init__(self, subscriber: SQSSubscriber, records: list[SQSRecord], margin: float) -> None:
        self._subscriber = subscriber
        self._records = records
        self._margin = margin
        self._done: set[SQSRecord] = set()
        self._started: set[SQSRecord] = set()
        self._delays: dict[SQSRecord, float | None] = {}
        self._answered = False
        self._settlement: QueueSettlement | None = None
        self._buffer = Buffer(lanes=subscriber.fifo)
        for record in records:
            record.settler = self
            self._buffer.add(record)

    # --- the decisions; one that comes after the answer changes nothing

    async def ack(self, record: SQSRecord) -> None:
        if not self._answered:
            self._done.add(record)

    async def nack(self, record: SQSRecord, delay: float | None) -> None:
        self._delays[record] = delay

    async def reject(self, record: SQSRecord, reason: str) -> None:
        try:
            buried = await (await self._load_settlement()).bury(record, reason)
        except Exception as error:  # noqa: BLE001  # the message fails, and the log says why
            self._subscriber.report(logging.ERROR, f"message {record.message_id} could not be rejected: {error}", error)
            buried = False
        if buried and not self._answered:
            self._done.add(record)
        else:
            record.outcome = Outcome.NACKED

    async def _load_settlement(self) -> QueueSettlement:
        if self._settlement is None:
            self._settlement = await self._subscriber.lazy_settlement()
        return self._settlement

    # --- running

    async def run(self, deadline: float, *, change_visibility: bool) -> list[SQSRecord]:
        """The records that failed. `deadline` is on time.monotonic()'s clock."""
        try:
            if time.monotonic() < deadline:
                await self._work_until(deadline)
        finally:
            self._answered = True
        failed = [record for record in self._records if record not in self._done]
        if failed and change_visibility:
            await self._return(failed, deadline + self._margin * (1 - 2 * ENDING_SHARE))
        return failed

    async def _work_until(self, deadline: float) -> None:
        count = min(self._subscriber.consumption.max_workers, len(self._records))
        workers = {asyncio.create_task(self._work()) for _ in range(count)}
        try:
            patience = None if deadline == NO_DEADLINE else deadline - time.monotonic()
            _, late = await asyncio.wait(workers, timeout=patience)
        finally:
            for worker in workers:
                worker.cancel()
        if late:
            self._subscriber.report(logging.ERROR, f"{len(late)} handlers did not end before the function's deadline")
            # a handler in a thread cannot be stopped; the answer does not wait for it
            await asyncio.wait(late, timeout=self._margin * ENDING_SHARE)

    async def _work(self) -> None:
        while self._buffer:
            records = self._buffer.take(self._subscriber.consumption.batch_size)
            self._started.update(records)
            await self._handle(records)
            for record in records:
                # a failure takes the rest of its group out of the buffer
                self._buffer.advance(record)

    async def _handle(self, records: list[SQSRecord]) -> None:
        task = asyncio.current_task()
        try:
            await self._subscriber.process_message(self._subscriber.pipeline_message(records))
        except asyncio.CancelledError as error:
            if task is not None and task.cancelling():
                raise
            self._subscriber.report(logging.ERROR, "a handler was cancelled from within", error)
        except (StopConsume, SystemExit, KeyboardInterrupt) as error:
            # a worker would stop; a function has the next invocation to serve
            self._subscriber.report(
                logging.WARNING, f"a handler raised {error!r}: the message is settled by its policy"
            )
        except Exception as error:  # noqa: BLE001  # FastStream's pipeline has logged it, and the message fails
            self._subscriber.report(logging.DEBUG, f"message {records[0].message_id} failed: {error!r}")

    # --- giving back

    async def _return(self, failed: list[SQSRecord], until: float) -> None:
        """Gives failed messages back with the delay that was decided; messages that were not run, without a delay."""
        patience = PATIENCE_WITHOUT_DEADLINE if until == NO_DEADLINE else until - time.monotonic()
        try:
            async with asyncio.timeout(patience):
                settlement = await self._load_settlement()
                items = [
                    settlement.visibility_change(record, self._delays.get(record) if record in self._started else 0)
                    for record in failed
                ]
                for start in range(0, len(items), BATCH):
                    answer = await settlement.change_visibility(items[start : start + BATCH])
                    for entry in answer.get("Failed") or ():
                        self._subscriber.report(
                            logging.WARNING, f"a failed message keeps its visibility: {entry.get('Code')}"
                        )
        except Exception as error:  # noqa: BLE001  # they come again anyway, when their visibility ends
            self._subscriber.report(logging.WARNING, f"{len(failed)} failed messages keep their visibility: {error!r}")
