"""Heartbeat: extends the visibility timeout of the messages that are held."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from faststream_sqs.options import BATCH
from faststream_sqs.record import SQSRecord
from faststream_sqs.schemas import MAX_VISIBILITY
from faststream_sqs.settlement import Log, QueueSettlement

# extend when half of the time is over: a failed attempt can be repeated before the rest runs out
REMAINING_SHARE = 0.5
BEATS_PER_VISIBILITY = 5


class Heartbeat:
    """Decides which visibility timeouts to extend now, and by how much; SQS allows 12 hours from the delivery."""

    def __init__(self, visibility: int, now: Callable[[], float], given_up: Callable[[SQSRecord], None]) -> None:
        self._visibility = visibility
        self._now = now
        self._given_up = given_up
        self._tired: set[str] = set()

    @property
    def interval(self) -> float:
        """Seconds between two beats."""
        return max(0.2, self._visibility / BEATS_PER_VISIBILITY)

    def hold(self, record: SQSRecord) -> None:
        record.received_at = self._now()
        record.expires_at = record.received_at + self._visibility

    def due(self, held: Iterable[SQSRecord]) -> list[tuple[SQSRecord, int]]:
        """The records to extend now, each with the seconds to extend it by."""
        now = self._now()
        due = []
        for record in held:
            if record.expires_at - now > self._visibility * REMAINING_SHARE or record.receipt_handle in self._tired:
                continue
            seconds = min(self._visibility, int(MAX_VISIBILITY - (now - record.received_at)))
            if seconds >= 1:
                due.append((record, seconds))
            else:
                self._tired.add(record.receipt_handle)
                self._given_up(record)
        return due

    def extend(self, record: SQSRecord, seconds: int) -> None:
        record.expires_at = self._now() + seconds

    def give_up(self, record: SQSRecord) -> None:
        """Excludes a record whose receipt SQS no longer accepts: another attempt would fail the same way."""
        self._tired.add(record.receipt_handle)

    def forget(self, record: SQSRecord) -> None:
        self._tired.discard(record.receipt_handle)


class HeartbeatLoop:
    """Extends the visibility of everything in `held`, running or buffered, as long as its task runs."""

    def __init__(
        self,
        held: Mapping[str, SQSRecord],
        settlement: QueueSettlement,
        *,
        visibility: int,
        queue: str,
        now: Callable[[], float],
        log: Log,
    ) -> None:
        self._held = held
        self._settlement = settlement
        self._queue = queue
        self._log = log
        self._heartbeat = Heartbeat(visibility, now, self._log_limit)
        self.hold = self._heartbeat.hold
        self.forget = self._heartbeat.forget

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat.interval)
            await self.beat()

    async def beat(self) -> None:
        due = self._heartbeat.due(self._held.values())
        for start in range(0, len(due), BATCH):
            batch = due[start : start + BATCH]
            try:
                refused = await self._settlement.extend(batch, lambda record: record.receipt_handle in self._held)
            except Exception as error:  # noqa: BLE001  # the next beat retries
                self._log(
                    logging.WARNING, f"visibility of {len(batch)} messages of {self._queue} not extended: {error}"
                )
                continue
            for record, seconds in batch:
                self._heartbeat.extend(record, seconds)
            for record in refused:
                if record.receipt_handle in self._held:
                    self._heartbeat.give_up(record)
                text = f"message {record.message_id} of {self._queue} is no longer ours and may come again"
                self._log(logging.WARNING, text)

    def _log_limit(self, record: SQSRecord) -> None:
        self._log(
            logging.ERROR, f"message {record.message_id} of {self._queue} is held for 12 hours: it may come again"
        )
