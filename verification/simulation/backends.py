"""The backends of a simulated process: its table, the bus, and each message, all of them over the wire."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from faststream_sqs.schemas import Backoff, visibility_seconds

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.storage.keys import Key
from chassis.storage.rate_limit_store import CounterLevels
from chassis.storage.table import FIRST_ITEMS, Item, Range, WriteOperation
from chassis.testing.memory import MemoryTable
from chassis.work.outbox import OutboxEntry
from verification.simulation.queues import DeadLetter, Message, Queue
from verification.simulation.wire import FaultKind, Life, Wire

T = TypeVar("T")

LAG = 6
"""Number of writes that a GSI may not show yet."""


def unavailable() -> Exception:
    return Unavailable("The simulated network has failed.")


class QueueDown(Exception):
    """The queue did not answer. Whether it executed the call is unknown."""


class LaggingTable(MemoryTable):
    """A table that remembers earlier states, since GSIs of DynamoDB lag behind."""

    def __init__(self) -> None:
        super().__init__()
        self._before: deque[list[tuple[Key, Item | None]]] = deque(maxlen=LAG)

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        items = [(operation.key, self.items.get(operation.key)) for operation in operations]
        copies = [(key, dict(item) if item is not None else None) for key, item in items]
        await super().write(operations)
        self._before.append(copies)

    def before_last_writes(self, writes: int) -> MemoryTable:
        """The table as it was before its last `writes` writes."""
        view = MemoryTable()
        view.items = dict(self.items)
        for changes in list(self._before)[::-1][:writes]:
            for key, item in changes:
                if item is None:
                    view.items.pop(key, None)
                else:
                    view.items[key] = item
        return view


class WiredTable:
    """The table of a service; `on_commit` gets each executed write, whether or not its caller learns of it."""

    def __init__(
        self, wire: Wire, life: Life, table: LaggingTable, on_commit: Callable[[Sequence[WriteOperation]], None]
    ) -> None:
        self._wire, self._life, self._table, self._on_commit = wire, life, table, on_commit

    async def get(self, key: Key) -> Item | None:
        return await self._call("get", lambda: self._table.get(key))

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        return await self._call("get_all", lambda: self._table.get_all(keys))

    async def query(self, pk: str, within: Range = FIRST_ITEMS, *, index: int | None = None) -> list[Item]:
        table: MemoryTable = self._table
        if index and self._wire.meets(FaultKind.LAG, f"{self._life.service}.table.query"):
            table = self._table.before_last_writes(self._wire.chance.randint(1, LAG))
        return await self._call(
            "query",
            lambda: table.query(pk, within, index=index),
        )

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        async def work() -> None:
            await self._table.write(operations)
            self._on_commit(operations)

        await self._call("write", work)

    async def discard(self, keys: Sequence[Key]) -> None:
        await self._call("discard", lambda: self._table.discard(keys))

    async def advance_counters(self, key: Key, steps: Mapping[str, int], **bounds: Any) -> CounterLevels:
        return await self._call("advance_counters", lambda: self._table.advance_counters(key, steps, **bounds))

    async def _call(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        return await self._wire.call(self._life, f"{self._life.service}.table.{what}", work, unavailable)


class WiredBus:
    """The bus; `deliver` gets what it accepts."""

    def __init__(self, wire: Wire, life: Life, deliver: Callable[[OutboxEntry], None]) -> None:
        self._wire, self._life, self._deliver = wire, life, deliver

    async def put(self, entries: Sequence[OutboxEntry]) -> list[bool]:
        operation = f"{self._life.service}.bus.put"
        partial = self._wire.meets(FaultKind.PARTIAL, operation)

        async def work() -> list[bool]:
            # Of one entry nothing is accepted: EventBridge's throttling refuses single entries, too.
            accepted = [not partial or at % 2 == 1 for at in range(len(entries))]
            for entry, ok in zip(entries, accepted, strict=True):
                if ok:
                    self._deliver(entry)
            return accepted

        return await self._wire.call(self._life, operation, work, unavailable)


@dataclass(eq=False)
class WiredMessage:
    """One receipt of a message, with the methods of `faststream_sqs.SQSMessage` that settle it.

    A message that cannot be settled stays in its queue and is delivered again.
    """

    wire: Wire
    life: Life
    clock: Clock
    queue: Queue
    message_id: str
    handle: int
    body: bytes
    receive_count: int
    sent_at: datetime

    @classmethod
    def of(cls, wire: Wire, life: Life, clock: Clock, queue: Queue, message: Message, handle: int) -> "WiredMessage":
        body = message.body.encode()
        return cls(wire, life, clock, queue, message.id, handle, body, message.receives, message.sent_at)

    async def ack(self) -> None:
        async def work() -> None:
            self.queue.delete(self.message_id, self.handle)

        await self._settle("delete", work)

    async def nack(self, delay: float | None = None) -> None:
        if delay is None:
            delay = Backoff(random=self.wire.chance.random).delay(self.receive_count)
        until = self.clock.now() + timedelta(seconds=visibility_seconds(delay))

        async def work() -> None:
            self.queue.hide(self.message_id, self.handle, until)

        await self._settle("hide", work)

    async def reject(self, reason: str = "") -> None:
        async def work() -> None:
            self.queue.add_dead_letter(DeadLetter(self.message_id, self.body.decode(), reason, self.receive_count))

        if await self._settle("dead_letter", work):
            await self.ack()
        else:
            await self.nack()

    async def _settle(self, what: str, work: Callable[[], Awaitable[None]]) -> bool:
        try:
            await self.wire.call(self.life, f"{self.queue.name}.queue.{what}", work, QueueDown)
        except QueueDown:
            return False
        return True
