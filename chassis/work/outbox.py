"""The transactional outbox.

An event is written in the transaction of the state that it reports. The committer then publishes it from memory,
together with its neighbours, and removes it; a sweeper publishes what a crash left behind. Publishing twice is allowed
(the id is the same and the inbox absorbs it); losing an event is not: an entry is removed only after EventBridge
accepted it.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog
from opentelemetry.trace import Span

from chassis.clock import Clock, made_at, oldest_id_at
from chassis.errors import TooLarge, Unavailable
from chassis.storage.keys import outbox_key, outbox_pk, shard_of
from chassis.storage.table import Absent, Put, Range, Table
from chassis.telemetry.metrics import OUTBOX_AGE, OUTBOX_REFUSED
from chassis.telemetry.tracing import NO_SPAN
from contracts.event import MAX_ENTRY_BYTES

log = structlog.get_logger(__name__)

SHARDS = 4
ENTRIES_PER_CALL = 10
PUBLISHERS = 4
MEMORY_BOUND = 5000
"""Entries waiting in memory; further ones wait in the table for the sweeper."""
SWEEP_AGE = timedelta(seconds=3)
REFUSALS_PER_SWEEP = 50
"""Refused entries of one shard after which a sweep leaves the rest to the next: a throttled bus needs a pause."""
STUCK_AGE = timedelta(minutes=5)
"""The age at which a refused entry is logged as an error: by then it is not a passing fault, and somebody must look."""


@dataclass(frozen=True)
class OutboxEntry:
    event_id: str
    source: str
    event_type: str
    detail: str
    span: Span = NO_SPAN

    @property
    def size(self) -> int:
        """Bytes as EventBridge counts them."""
        return len(self.source.encode()) + len(self.event_type.encode()) + len(self.detail.encode())


class Bus(Protocol):
    async def put(self, entries: Sequence[OutboxEntry]) -> list[bool]:
        """Publish up to ten entries. Returns for each whether the bus accepted it. Raises Unavailable."""


def check_size(entry: OutboxEntry) -> None:
    """Raises TooLarge, with the size, for an event that EventBridge would refuse."""
    if entry.size > MAX_ENTRY_BYTES:
        raise TooLarge(f"The event {entry.event_type} has {entry.size} bytes; the bus takes {MAX_ENTRY_BYTES}.")


class Outbox:
    """One process's outbox. `hand_over` never blocks; `run` publishes until cancelled; `flush` publishes now."""

    def __init__(self, table: Table, bus: Bus, clock: Clock) -> None:
        self._table, self._bus, self._clock = table, bus, clock
        self._waiting: deque[OutboxEntry] = deque()
        self._broke_off: dict[int, str] = {}
        self._oldest = clock.now()
        self._wake = asyncio.Event()
        self._publishing = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def operation(self, entry: OutboxEntry) -> Put:
        """The write of an entry, for the transaction of the state."""
        values = {"source": entry.source, "type": entry.event_type, "detail": entry.detail}
        return Put(outbox_key(shard_of(entry.event_id, SHARDS), entry.event_id), values, Absent())

    def hand_over(self, entries: Sequence[OutboxEntry]) -> None:
        """Take over the entries of a commit, to publish them."""
        for entry in entries:
            if len(self._waiting) < MEMORY_BOUND:
                self._waiting.append(entry)
            else:
                entry.span.end()
        if entries:
            self._wake.set()

    async def run(self) -> None:
        """Publish handed-over entries, ten per call and several calls at once, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(PUBLISHERS):
                group.create_task(self._publish_forever())

    async def _publish_forever(self) -> None:
        while True:
            await self._wake.wait()
            batch = _take_batch(self._waiting)
            if not batch:
                self._wake.clear()
                continue
            with contextlib.suppress(Unavailable):  # logged where it happened; the sweeper takes them
                await self._publish(batch)

    async def flush(self) -> None:
        """Publish all entries in memory; those that the bus refuses stay in the table. A function calls this before it
        answers."""
        while batch := _take_batch(self._waiting):
            with contextlib.suppress(Unavailable):
                await self._publish(batch)

    async def drain(self, seconds: float) -> None:
        """Publish all entries in memory and wait for calls under way, for at most `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.flush()
                await self._idle.wait()

    async def sweep(self) -> int:
        """Publish the entries that a crash left behind in the table. Returns how many there were.

        An entry that the bus refuses stays, and does not block those after it. Raises Unavailable after every shard was
        tried.
        """
        before = oldest_id_at(self._clock.now() - SWEEP_AGE)
        swept, failure, self._oldest = 0, None, self._clock.now()
        for shard in range(SHARDS):
            try:
                swept += await self._sweep_shard(shard, before)
            except Unavailable as error:
                failure = error
        OUTBOX_AGE.set((self._clock.now() - self._oldest).total_seconds())
        if failure is not None:
            raise failure
        return swept

    async def _sweep_shard(self, shard: int, before: str) -> int:
        """Sweep from where the last sweep broke off to the end, then the part before that."""
        resumed = self._broke_off.pop(shard, None)
        if resumed is None:
            return await self._sweep_range(shard, None, before)
        swept = await self._sweep_range(shard, resumed, before)
        if shard in self._broke_off:
            return swept
        return swept + await self._sweep_range(shard, None, before)

    async def _sweep_range(self, shard: int, after: str | None, before: str) -> int:
        swept = refused = 0
        while items := await self._table.query(
            outbox_pk(shard), Range(after=after, before=before, limit=ENTRIES_PER_CALL)
        ):
            self._oldest = min(self._oldest, made_at(items[0]["SK"]))
            after = items[-1]["SK"]
            self._broke_off[shard] = after
            waiting = deque(OutboxEntry(item["SK"], item["source"], item["type"], item["detail"]) for item in items)
            while waiting:
                batch = _take_batch(waiting)
                accepted = await self._publish(batch)
                swept, refused = swept + accepted, refused + len(batch) - accepted
            if refused >= REFUSALS_PER_SWEEP:
                return swept
            del self._broke_off[shard]
            if len(items) < ENTRIES_PER_CALL:
                break
        return swept

    async def _publish(self, batch: Sequence[OutboxEntry]) -> int:
        self._publishing += 1
        self._idle.clear()
        try:
            results = await self._bus.put(batch)
            accepted = [entry for entry, ok in zip(batch, results, strict=True) if ok]
            self._log_refused([entry for entry, ok in zip(batch, results, strict=True) if not ok])
            await self._table.discard([outbox_key(shard_of(e.event_id, SHARDS), e.event_id) for e in accepted])
        except Unavailable as error:
            log.warning("publish_failed", entries=len(batch), reason=error.detail)
            raise
        finally:
            self._publishing -= 1
            if not self._publishing:
                self._idle.set()
            for entry in batch:
                entry.span.end()
        return len(accepted)

    def _log_refused(self, refused: Sequence[OutboxEntry]) -> None:
        OUTBOX_REFUSED.add(len(refused))
        for entry in refused:
            age = self._clock.now() - made_at(entry.event_id)
            write = log.error if age >= STUCK_AGE else log.warning
            write(
                "bus_refused_entry",
                event_id=entry.event_id,
                event_type=entry.event_type,
                age_seconds=round(age.total_seconds()),
            )


def _take_batch(waiting: deque[OutboxEntry]) -> list[OutboxEntry]:
    """Remove from `waiting` the next entries that one call may carry."""
    batch: list[OutboxEntry] = []
    size = 0
    while waiting and len(batch) < ENTRIES_PER_CALL and size + waiting[0].size <= MAX_ENTRY_BYTES:
        size += waiting[0].size
        batch.append(waiting.popleft())
    return batch
