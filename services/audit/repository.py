"""Where audit keeps an organization's records, the blocks of its chain and the chain's head."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import Stale
from chassis.storage.cursors import CursorKeys, open_cursor, seal_cursor
from chassis.storage.keys import ListEntry
from chassis.storage.table import Item
from chassis.storage.work_queue import WorkQueue
from chassis.work.repository import MAX_PAGE, Listing, Page, PageRequest, Repository
from chassis.work.unit_of_work import UnitOfWork
from services.audit.model import Block, Head, Record, instant

RECORDS = Listing(index=1, name="RECORDS", shards=4)
BY_ACTOR = Listing(index=2, name="BY_ACTOR", shards=2)
BY_RESOURCE = Listing(index=3, name="BY_RESOURCE")
UNSEALED = WorkQueue(index=4, name="UNSEALED")

MAX_READS = 5
"""Reads of MAX_PAGE records for one page of a search that no list answers by itself."""


@dataclass(frozen=True)
class Search:
    """Which records are wanted; None is any. From `since` on, and before `until`."""

    actor: str | None = None
    action: str | None = None
    resource_kind: str | None = None
    resource_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def wants(self, record: Record) -> bool:
        return all(
            wanted is None or wanted == found
            for wanted, found in (
                (self.actor, record.actor),
                (self.action, record.action),
                (self.resource_kind, record.resource_kind),
                (self.resource_id, record.resource_id),
            )
        )

    def listing(self) -> tuple[Listing, str]:
        """The list with the fewest records to read, and whose."""
        if self.resource_id is not None:
            return BY_RESOURCE, self.resource_id
        if self.actor is not None:
            return BY_ACTOR, self.actor
        return RECORDS, ""

    @property
    def narrower_than_its_list(self) -> bool:
        if self.action is not None or self.resource_kind is not None:
            return True
        return self.resource_id is not None and self.actor is not None


class Records(Repository[Record]):
    """The records of the scope's organization."""

    kind = "RECORD"
    model = Record

    def lists(self, aggregate: Record) -> Sequence[ListEntry]:
        at, record_id = instant(aggregate.at), aggregate.id
        lists = [
            RECORDS.entry(self.scope, record_id, at),
            BY_ACTOR.entry(self.scope, record_id, at, aggregate.actor),
            BY_RESOURCE.entry(self.scope, record_id, at, aggregate.resource_id),
        ]
        return lists if aggregate.seq is not None else [*lists, UNSEALED.entry(record_id)]

    async def search(self, search: Search, request: PageRequest) -> Page[Record]:
        """Newest first. A page may hold fewer than were asked for, or none, and still have a next one: a search reads
        MAX_READS times MAX_PAGE records at most."""
        listing, of = search.listing()
        place, keys = listing.cursor_context(self.scope, of, repr(search)), self.scope.port(CursorKeys)
        size = MAX_PAGE if search.narrower_than_its_list else request.limit
        before = instant(search.until) if search.until else None
        if request.cursor is not None:
            before = await open_cursor(keys, place, request.cursor)
        found: list[Record] = []
        for _ in range(MAX_READS):
            items, position = await listing.part(
                self.scope,
                of,
                limit=size,
                descending=True,
                after=instant(search.since) if search.since else None,
                before=before,
            )
            for item in items:
                record = self.model.model_validate(item)
                if search.wants(record):
                    found.append(record)
                if len(found) == request.limit:
                    here = position if item is items[-1] else listing.position(item)
                    return Page(items=found, next=await seal_cursor(keys, place, here) if here else None)
            if position is None:
                return Page(items=found)
            before = position
        return Page(items=found, next=await seal_cursor(keys, place, before) if before else None)

    async def everything(self) -> AsyncIterator[Item]:
        """Every record as it is stored, however many there are."""
        after = None
        while True:
            items, after = await RECORDS.part(self.scope, limit=MAX_PAGE, after=after)
            for item in items:
                yield item
            if after is None:
                return


class Blocks(Repository[Block]):
    """The blocks of the organization's chain, by number."""

    kind = "BLOCK"
    model = Block


class Heads(Repository[Head]):
    """The head of the organization's chain. It changes only in the transaction of a new block."""

    kind = "HEAD"
    model = Head

    async def current(self) -> Head:
        return await self.find(Head().id) or Head()

    def move(self, unit: UnitOfWork, head: Head) -> Head:
        """Raises Stale from the commit if another sealer moved it first."""
        stale = Stale("Another sealer was first.")
        store = self.create if head.version == 0 else self.save
        return store(unit, head, on_conflict=stale)


def is_waiting(item: Item) -> bool:
    """Whether the sealer will find this record."""
    return f"L{UNSEALED.index}PK" in item
