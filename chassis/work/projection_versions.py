"""Versions of a projection: a new generation is built beside the live one, and swapped with it.

The rows of a projection, and the inbox claims of the subscription that writes them, carry a generation in their keys:
`ORG#<org>#PROJECT@2#<id>`, `INBOX#analytics.figures@2#<event>`. Generation 0 is written without a mark. One item
says which is live; each process reads it again after REFRESH_SECONDS, so a swap is one conditional write. The rows
and the claim of one change always belong to one generation: a change that a process still writes to the old generation,
because it has not noticed the swap yet, is unclaimed in the new one, and the rebuild's last pass over the history
applies it there, once.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chassis.declare.projection import Projection
from chassis.storage.keys import Key, generation_key
from chassis.storage.table import FIRST_ITEMS, Add, Check, Delete, Item, Put, Range, Table, WriteOperation

REFRESH_SECONDS = 5.0
LIVE = "live"
_LIST_KEY = re.compile(r"L\d+PK")


@dataclass(frozen=True)
class Generations:
    """The projections of a table, each with the generation to use."""

    of: Mapping[Projection, int]

    def pk(self, pk: str) -> str:
        for projection, generation in self.of.items():
            pk = projection.at(pk, generation)
        return pk

    def key(self, key: Key) -> Key:
        return replace(key, pk=self.pk(key.pk))

    def item(self, item: Item) -> Item:
        return {name: self.pk(value) if _LIST_KEY.fullmatch(name) else value for name, value in item.items()}

    def operation(self, operation: WriteOperation) -> WriteOperation:
        key = self.key(operation.key)
        match operation:
            case Put():
                return replace(operation, key=key, item=self.item(operation.item))
            case Add():
                return replace(operation, key=key, set_attributes=self.item(operation.set_attributes))
            case Delete() | Check():
                return replace(operation, key=key)


@dataclass
class VersionedProjectionTable:
    """A service's table as each process sees it: with the live generations of its projections."""

    table: Table
    projections: Sequence[Projection]
    clock: Callable[[], float] = time.monotonic
    _known: Generations = field(default_factory=lambda: Generations({}), init=False)
    _read_at: float | None = field(default=None, init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def get(self, key: Key) -> Item | None:
        return await self.table.get((await self._live()).key(key))

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        live = await self._live()
        return await self.table.get_all([live.key(key) for key in keys])

    async def query(self, pk: str, within: Range = FIRST_ITEMS, *, index: int | None = None) -> list[Item]:
        pk = (await self._live()).pk(pk)
        return await self.table.query(pk, within, index=index)

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        live = await self._live()
        await self.table.write([live.operation(one) for one in operations])

    async def discard(self, keys: Sequence[Key]) -> None:
        live = await self._live()
        await self.table.discard([live.key(key) for key in keys])

    async def _live(self) -> Generations:
        if self._stale():
            async with self._reading:
                if self._stale():
                    began = self.clock()
                    items = [await self.table.get(generation_key(one.consumer)) for one in self.projections]
                    live = (int(item[LIVE]) if item else 0 for item in items)
                    self._known = Generations(dict(zip(self.projections, live, strict=True)))
                    self._read_at = began
        return self._known

    def _stale(self) -> bool:
        return self._read_at is None or self.clock() - self._read_at > REFRESH_SECONDS
