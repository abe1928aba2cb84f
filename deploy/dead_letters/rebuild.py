"""A projection built anew from history beside the live one, compared with it, and swapped.

The consumer's own handlers run in the operator's process on the next generation of its rows and claims. While they do,
the workers go on with the live one. Nothing that happens meanwhile is lost, because passes over the history overlap
and a claim, or the version of a row, lets each event count once in each generation:
1. `build` reads all of the history; repeated, it goes on where it was.
2. `swap` reads what came since, and makes the new generation live by one conditional write.
3. `catch_up` waits until every process has noticed and the archive is complete, and reads that time once more: what
   late processes wrote into the old generation only.
"""

import asyncio
import json
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
from chassis.storage.keys import Key, generation_key
from chassis.storage.table import Absent, AtVersion, ConditionRefused, Item, Put, Table, WriteOperation
from chassis.work.context import ServiceContext
from chassis.work.outbox import Outbox, OutboxEntry
from chassis.work.projection_versions import LIVE, REFRESH_SECONDS, Generations
from deploy.dead_letters.history import Past, Span
from deploy.dead_letters.replay import Consumer
from deploy.stage.errors import RefusedError, StackError

TRIES = 6
MAX_ROWS = 200_000
OVERLAP = timedelta(minutes=15)
"""How far a pass begins before the end of the last: longer than an archive lags behind its bus."""
Read = Callable[[Span], Generator[Past, None, None]]
Rows = Callable[[], AsyncIterator[Item]]


@dataclass(frozen=True)
class State:
    """How far it is. `building` is 0 while nothing is built; `read_to` is the end of the last pass."""

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
        told: Item = {LIVE: self.live, "building": self.building, "settled": self.settled, "version": self.version}
        return told | ({"read_to": self.read_to.isoformat()} if self.read_to else {})


@dataclass
class Fed:
    """What one pass did."""

    events: int = 0
    refused: list[str] = field(default_factory=list)
    """Events that the handlers cannot handle, with the reason: dead letters, had they come live."""


@dataclass(frozen=True)
class Difference:
    """One row that is not the same in both generations; None where there is none."""

    key: str
    live: Item | None
    built: Item | None


class Pinned:
    """The table as one generation of one projection, which alone can be written."""

    def __init__(self, table: Table, projection: Projection, generation: int) -> None:
        self._table, self._projection = table, projection
        self._at = Generations({projection: generation})

    async def get(self, key: Key) -> Item | None:
        return await self._table.get(self._at.key(key))

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        return await self._table.get_all([self._at.key(key) for key in keys])

    async def query(self, pk: str, **more: Any) -> list[Item]:
        return await self._table.query(self._at.pk(pk), **more)

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        for one in operations:
            self._check(one.key)
        await self._table.write([self._at.operation(one) for one in operations])

    async def discard(self, keys: Sequence[Key]) -> None:
        await self._table.discard([self._at.key(key) for key in keys])

    def _check(self, key: Key) -> None:
        if not self._projection.holds(key.pk):
            raise StackError(
                f"{self._projection.consumer} also writes {key.pk}, which is not of its projection; nothing "
                "of this event was written. Only what writes nothing else can be rebuilt"
            )


class NoBus:
    """A rebuilt projection tells nobody."""

    async def put(self, entries: Sequence[OutboxEntry]) -> list[bool]:
        return [False] * len(entries)


class Rebuild:
    """One projection of one table. `read` gives the history, `rows` every row of the table."""

    def __init__(
        self, to: Consumer, projection: Projection, table: Table, *, read: Read, rows: Rows, since: datetime,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._to, self._projection, self._table = to, projection, table
        self._read, self._rows, self._since, self._now = read, rows, since, now

    async def state(self) -> State:
        return State.of(await self._table.get(generation_key(self._projection.consumer)))

    async def build(self) -> Fed:
        """Read the history into the generation that is being built. Raises RefusedError, or StackError."""
        state = await self.state()
        if not state.settled:
            raise RefusedError("the last swap has not settled yet; say SWAP=1 to end it")
        if not state.building:
            state = await self._keep(state, replace(state, building=state.live + 1, read_to=None))
        return await self._pass(state, state.building)

    async def swap(self) -> None:
        """Make what was built live. Raises RefusedError if nothing was, or somebody else is at it."""
        state = await self.state()
        if not state.building or state.read_to is None:
            raise RefusedError("nothing is built that could be swapped; build it first, without SWAP=1")
        await self._keep(state, replace(state, live=state.building, building=0, settled=False))

    async def catch_up(self) -> Fed:
        """The last pass, after `settling` seconds. Safe to repeat."""
        state = await self.state()
        fed = await self._pass(state, state.live)
        state = await self.state()
        await self._keep(state, replace(state, settled=True))
        return fed

    async def differences(self) -> list[Difference]:
        """What the live generation and the one being built do not have alike. Raises StackError if it is too much."""
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
            await self._keep(state, replace(state, building=0, read_to=None))
        keys = []
        async for item in self._rows():
            found = self._projection.without_generation(item["PK"])
            if found is not None and found[1] != state.live:
                keys.append(Key(item["PK"], item["SK"]))
        await self._table.discard(keys)
        return len(keys)

    async def _pass(self, state: State, generation: int) -> Fed:
        end = self._now()
        start = max(self._since, state.read_to - OVERLAP) if state.read_to else self._since
        dispatcher, fed = self._dispatcher(generation), Fed()
        with closing(self._read(Span(start, end))) as pasts:
            while (past := await asyncio.to_thread(next, pasts, None)) is not None:
                if past.envelope is None:
                    fed.refused.append(f"{past.raw.get('id')}: it is no event of ours")
                elif self._to.follows(past.envelope.type):
                    fed.events += 1
                    await _handled(dispatcher, past.raw, past.envelope.id, fed)
        now = await self.state()
        await self._keep(now, replace(now, read_to=end))
        return fed

    def _dispatcher(self, generation: int) -> Dispatcher:
        table, clock = Pinned(self._table, self._projection, generation), SystemClock()
        context = ServiceContext(self._to.service, table, Outbox(table, NoBus(), clock), clock, SystemIds())
        return Dispatcher(context, self._to.subscription)

    async def _rows_of(self, generation: int) -> dict[str, Item]:
        found: dict[str, Item] = {}
        async for item in self._rows():
            told = self._projection.without_generation(item["PK"])
            if told is None or told[1] != generation or told[0].startswith("INBOX"):
                continue
            found[f"{told[0]} {item['SK']}"] = {
                name: value for name, value in item.items() if name not in {"PK", "SK"} and not _of_list(name)
            }
            if len(found) > MAX_ROWS:
                raise StackError(f"the projection has more than {MAX_ROWS} rows, too many to compare")
        return found

    async def _keep(self, before: State, after: State) -> State:
        """The one item that says what is live; only if nobody changed it. Raises RefusedError."""
        after = replace(after, version=before.version + 1)
        expect = AtVersion(before.version) if before.version else Absent()
        try:
            await self._table.write([Put(generation_key(self._projection.consumer), after.item(), expect)])
        except ConditionRefused:
            raise RefusedError(
                f"somebody else is rebuilding {self._projection.consumer}; nothing was swapped"
            ) from None
        return after


def settling(*, embedded: bool) -> float:
    """Seconds until every process has noticed a swap, and the archive has what was published meanwhile."""
    return 2 * REFRESH_SECONDS + (0 if embedded else 600)


def projection_of(to: Consumer) -> Projection:
    """Raises RefusedError for a subscription that makes more than rows of its own."""
    known = service(to.service).all_projections()
    for one in known:
        if one.consumer == to.name:
            return one
    names = ", ".join(one.consumer for one in known) or "none"
    raise RefusedError(f"{to.name} is no projection; of {to.service} these can be rebuilt: {names}")


async def _handled(dispatcher: Dispatcher, raw: dict[str, Any], event_id: str, fed: Fed) -> None:
    body = json.dumps(raw).encode()
    for attempt in range(TRIES):
        try:
            await dispatcher.handle(Delivery(body, event_id))
        except Rejected as error:
            fed.refused.append(f"{event_id}: {error.detail}")
            return
        except Retryable as error:
            if attempt == TRIES - 1:
                raise Unavailable(f"{event_id}: {error.detail}") from error
            await asyncio.sleep(0.1 * 2**attempt)
        else:
            return


def _of_list(name: str) -> bool:
    return name[:1] == "L" and name[-2:] in {"PK", "SK"} and name[1:-2].isdigit()
