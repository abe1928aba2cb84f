"""Rebuilds a projection from history beside the live one; the two are compared, then swapped.

The consumer's own handlers run in the operator's process on the next generation of its rows and claims. Meanwhile the
workers go on with the live one. No event is lost, because passes over the history overlap and a claim, or the version
of a row, lets each event count once per generation:
1. `build` reads the whole history; repeated, it goes on where it stopped.
2. `swap` reads what came since, and makes the new generation live by one conditional write.
3. `catch_up` waits until every process has noticed and the archive is complete, and reads that time span once more: the
   events that late processes wrote to the old generation only.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.clock import SystemClock, SystemIds
from chassis.declare.projection import Projection
from chassis.declare.service import service
from chassis.errors import Rejected, Retryable, Unavailable
from chassis.messaging.dispatch import Delivery, Dispatcher
from chassis.resilience.retry import RetryPolicy, retry
from chassis.storage.keys import Key, generation_key
from chassis.storage.table import (
    FIRST_ITEMS,
    Absent,
    AtVersion,
    ConditionRefused,
    Item,
    Put,
    Range,
    Table,
    WriteOperation,
)
from chassis.work.context import ServiceContext
from chassis.work.outbox import Outbox, OutboxEntry
from chassis.work.projection_versions import LIVE, REFRESH_SECONDS, Generations
from deploy.dead_letters.history import ArchivedEvent, Span
from deploy.dead_letters.replay import Consumer
from deploy.errors import RefusedError, StackError

POLICY = RetryPolicy(tries=6, first=0.2, longest=3.2)
MAX_ROWS = 200_000
OVERLAP = timedelta(minutes=15)
"""How far before the end of the last pass the next one begins: longer than an archive lags behind its bus."""
_KEY = re.compile(r"(L\d+)?[PS]K")
"""Keys of the table and of its GSIs: they differ between generations."""
Read = Callable[[Span], Generator[ArchivedEvent, None, None]]
Rows = Callable[[], AsyncIterator[Item]]


@dataclass(frozen=True)
class State:
    """How far a rebuild is. `building` is 0 while nothing is built; `read_to` is the end of the last pass."""

    live: int = 0
    building: int = 0
    read_to: datetime | None = None
    settled: bool = True
    version: int = 0

    @classmethod
    def of(cls, item: Item | None) -> "State":
        if item is None:
            return cls()
        read_to = datetime.fromisoformat(item["read_to"]) if "read_to" in item else None
        return cls(int(item[LIVE]), int(item["building"]), read_to, bool(item["settled"]), int(item["version"]))

    def item(self) -> Item:
        item: Item = {LIVE: self.live, "building": self.building, "settled": self.settled, "version": self.version}
        return item | ({"read_to": self.read_to.isoformat()} if self.read_to else {})


@dataclass
class PassResult:
    """The events of one pass over the history."""

    events: int = 0
    refused: list[str] = field(default_factory=list)
    """Events that the handlers cannot handle, with the reason: live, they would have become dead letters."""


@dataclass(frozen=True)
class Difference:
    """One row that differs between the generations; None where a generation lacks it."""

    key: str
    live: Item | None
    built: Item | None


class PinnedTable:
    """The table pinned to one generation of one projection; nothing else can be written."""

    def __init__(self, table: Table, projection: Projection, generation: int) -> None:
        self._table, self._projection = table, projection
        self._at = Generations({projection: generation})

    async def get(self, key: Key) -> Item | None:
        return await self._table.get(self._at.key(key))

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        return await self._table.get_all([self._at.key(key) for key in keys])

    async def query(self, pk: str, within: Range = FIRST_ITEMS, *, index: int | None = None) -> list[Item]:
        return await self._table.query(self._at.pk(pk), within, index=index)

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        for operation in operations:
            if not self._projection.holds(operation.key.pk):
                raise StackError(
                    f"{self._projection.consumer} also writes {operation.key.pk}, which is not of its projection; "
                    "nothing of this event was written. Only what writes nothing else can be rebuilt"
                )
        await self._table.write([self._at.operation(operation) for operation in operations])

    async def discard(self, keys: Sequence[Key]) -> None:
        await self._table.discard([self._at.key(key) for key in keys])


class NoBus:
    """A bus that takes nothing: a rebuilt projection publishes no events."""

    async def put(self, entries: Sequence[OutboxEntry]) -> list[bool]:
        return [False] * len(entries)


class Rebuild:
    """The rebuild of one projection of one table. `read` gives the history, `rows` every row of the table."""

    def __init__(
        self,
        consumer: Consumer,
        projection: Projection,
        table: Table,
        *,
        read: Read,
        rows: Rows,
        since: datetime,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._consumer, self._projection, self._table = consumer, projection, table
        self._read, self._rows, self._since, self._now = read, rows, since, now

    async def state(self) -> State:
        return State.of(await self._table.get(generation_key(self._projection.consumer)))

    async def build(self) -> PassResult:
        """Read the history into the generation that is being built. Raises RefusedError, or StackError."""
        state = await self.state()
        if not state.settled:
            raise RefusedError("the last swap has not settled yet; say SWAP=1 to end it")
        if not state.building:
            state = await self._save(state, replace(state, building=state.live + 1, read_to=None))
        return await self._pass(state, state.building)

    async def swap(self) -> None:
        """Make the built generation live. Raises RefusedError if there is none, or somebody else is rebuilding, too."""
        state = await self.state()
        if not state.building or state.read_to is None:
            raise RefusedError("nothing is built that could be swapped; build it first, without SWAP=1")
        await self._save(state, replace(state, live=state.building, building=0, settled=False))

    async def catch_up(self) -> PassResult:
        """The last pass, after `settle_seconds`. Safe to repeat."""
        state = await self.state()
        result = await self._pass(state, state.live)
        state = await self.state()
        await self._save(state, replace(state, settled=True))
        return result

    async def differences(self) -> list[Difference]:
        """The rows that differ between the live generation and the one being built. Raises StackError for too many."""
        state = await self.state()
        live, built = await self._rows_of(state.live), await self._rows_of(state.building)
        return [
            Difference(key, live.get(key), built.get(key))
            for key in sorted(live.keys() | built.keys())
            if live.get(key) != built.get(key)
        ]

    async def drop_others(self) -> int:
        """Delete the rows of every generation but the live one. Raises RefusedError before the swap has settled."""
        state = await self.state()
        if not state.settled:
            raise RefusedError("the last swap has not settled yet; say SWAP=1 to end it")
        if state.building:
            await self._save(state, replace(state, building=0, read_to=None))
        keys = []
        async for item in self._rows():
            of_projection = self._projection.without_generation(item["PK"])
            if of_projection is not None and of_projection[1] != state.live:
                keys.append(Key(item["PK"], item["SK"]))
        await self._table.discard(keys)
        return len(keys)

    async def _pass(self, state: State, generation: int) -> PassResult:
        end = self._now()
        start = max(self._since, state.read_to - OVERLAP) if state.read_to else self._since
        table, clock = PinnedTable(self._table, self._projection, generation), SystemClock()
        context = ServiceContext(self._consumer.service, table, Outbox(table, NoBus(), clock), clock, SystemIds())
        dispatcher, result = Dispatcher(context, self._consumer.subscription), PassResult()
        with closing(self._read(Span(start, end))) as history:
            while (archived := await asyncio.to_thread(next, history, None)) is not None:
                if archived.envelope is None:
                    result.refused.append(f"{archived.raw.get('id')}: it is not an event of ours")
                elif self._consumer.follows(archived.envelope.type):
                    result.events += 1
                    await _handle(dispatcher, archived.raw, archived.envelope.id, result)
        now = await self.state()
        await self._save(now, replace(now, read_to=end))
        return result

    async def _rows_of(self, generation: int) -> dict[str, Item]:
        rows: dict[str, Item] = {}
        async for item in self._rows():
            of_projection = self._projection.without_generation(item["PK"])
            if of_projection is None:
                continue
            key, of_generation = of_projection
            if of_generation != generation or key.startswith("INBOX"):
                continue
            rows[f"{key} {item['SK']}"] = {name: value for name, value in item.items() if not _KEY.fullmatch(name)}
            if len(rows) > MAX_ROWS:
                raise StackError(f"the projection has more than {MAX_ROWS} rows, too many to compare")
        return rows

    async def _save(self, before: State, after: State) -> State:
        """Write the one item that says which generation is live, unless somebody changed it. Raises RefusedError."""
        after = replace(after, version=before.version + 1)
        expect = AtVersion(before.version) if before.version else Absent()
        try:
            await self._table.write([Put(generation_key(self._projection.consumer), after.item(), expect)])
        except ConditionRefused:
            raise RefusedError(
                f"somebody else is rebuilding {self._projection.consumer}; nothing was swapped"
            ) from None
        return after


def settle_seconds(*, embedded: bool) -> float:
    """Seconds until every process has noticed a swap, and the archive has what was published meanwhile."""
    return 2 * REFRESH_SECONDS + (0 if embedded else 600)


def projection_of(consumer: Consumer) -> Projection:
    """Raises RefusedError for a subscription that makes more than rows of its own."""
    projections = {each.consumer: each for each in service(consumer.service).all_projections()}
    if consumer.name not in projections:
        names = ", ".join(projections) or "none"
        raise RefusedError(f"{consumer.name} is not a projection; of {consumer.service} these can be rebuilt: {names}")
    return projections[consumer.name]


async def _handle(dispatcher: Dispatcher, raw: dict[str, Any], event_id: str, result: PassResult) -> None:
    delivery = Delivery(json.dumps(raw).encode(), event_id)
    try:
        await retry(lambda: dispatcher.handle(delivery), POLICY, on=lambda error: isinstance(error, Retryable))
    except Rejected as error:
        result.refused.append(f"{event_id}: {error.detail}")
    except Retryable as error:
        raise Unavailable(f"{event_id}: {error.detail}") from error
