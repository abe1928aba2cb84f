"""Work that waits for a schedule, of all organizations together: a sparse list, so that nothing scans to find it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from chassis.storage.keys import ListEntry, shard_of, work_pk
from chassis.storage.table import Item, Table

PART = 100


@dataclass(frozen=True)
class WorkQueue:
    """An item stands in list index `index` as long as it waits: stored without its entry, it is gone from here.

    There is no item of an organization's own, such as a marker "has work", that all its writers would fight for.
    Only schedules read it; what they find says by itself whose it is.
    """

    index: int
    name: str
    shards: int = 4

    def entry(self, id: str) -> ListEntry:  # noqa: A002
        """The place of item `id`; the list is in the order of ids."""
        return ListEntry(self.index, work_pk(self.name, shard_of(id, self.shards)), id)

    async def parts(self, table: Table) -> AsyncIterator[list[Item]]:
        """What waits, each item once, in parts of at most PART items a shard; oldest first, by shard.

        A list index lags behind the table: what was done a moment ago may still be seen, so make changes conditional.
        """
        after: dict[int, str | None] = dict.fromkeys(range(self.shards))
        while after:
            shards = list(after)
            found = await asyncio.gather(
                *(
                    table.query(work_pk(self.name, shard), index=self.index, after=after[shard], limit=PART)
                    for shard in shards
                )
            )
            for shard, items in zip(shards, found, strict=True):
                if len(items) < PART:
                    del after[shard]
                else:
                    after[shard] = items[-1][f"L{self.index}SK"]
            if part := [item for items in found for item in items]:
                yield part
