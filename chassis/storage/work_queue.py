"""Work queues: items of all organizations that wait for a schedule, found through a sparse GSI and never by a scan."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from chassis.storage.keys import ListEntry, shard_of, work_pk
from chassis.storage.table import Item, Range, Table

PART = 100


@dataclass(frozen=True)
class WorkQueue:
    """An item is in the queue as long as it is stored with its entry in the GSI number `index`.

    An organization has no item of its own here, such as a marker "has work", that all its writers would contend for.
    Only schedules read a work queue; each item names its organization.
    """

    index: int
    name: str
    shards: int = 4

    def entry(self, id: str) -> ListEntry:  # noqa: A002
        """The entry of item `id`; the queue is in the order of ids."""
        return ListEntry(self.index, work_pk(self.name, shard_of(id, self.shards)), id)

    async def parts(self, table: Table) -> AsyncIterator[list[Item]]:
        """The waiting items, each once, in parts of at most PART items per shard; oldest first within a shard.

        A GSI lags behind the table: an item that was processed a moment ago may still appear, so make changes
        conditional.
        """
        after: dict[int, str | None] = dict.fromkeys(range(self.shards))
        while after:
            shards = list(after)
            answers = await asyncio.gather(
                *(
                    table.query(work_pk(self.name, shard), Range(after=after[shard], limit=PART), index=self.index)
                    for shard in shards
                )
            )
            for shard, items in zip(shards, answers, strict=True):
                if len(items) < PART:
                    del after[shard]
                else:
                    after[shard] = items[-1][f"L{self.index}SK"]
            if part := [item for items in answers for item in items]:
                yield part
