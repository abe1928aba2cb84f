"""Storage of an organization's records, and the search over them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.storage.cursors import CursorKeys, open_cursor, seal_cursor
from chassis.storage.keys import ListEntry
from chassis.storage.table import Item
from chassis.storage.work_queue import WorkQueue
from chassis.work.repository import MAX_PAGE, Listing, Page, PageRequest, Repository
from services.audit.records.model import Record, format_instant

RECORDS = Listing(index=1, name="RECORDS", shards=4)
BY_ACTOR = Listing(index=2, name="BY_ACTOR", shards=2)
BY_RESOURCE = Listing(index=3, name="BY_RESOURCE")
UNSEALED = WorkQueue(index=4, name="UNSEALED")

MAX_READS = 5
"""Reads of MAX_PAGE records for one page of a search whose list also contains records that do not match."""


@dataclass(frozen=True)
class Search:
    """The filters of a search; None is any. `since` is included, `until` is not."""

    actor: str | None = None
    action: str | None = None
    resource_kind: str | None = None
    resource_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, record: Record) -> bool:
        """Whether the record passes the filters; those by time are the query's."""
        filters = (
            (self.actor, record.actor),
            (self.action, record.action),
            (self.resource_kind, record.resource_kind),
            (self.resource_id, record.resource_id),
        )
        return all(wanted is None or wanted == actual for wanted, actual in filters)

    def listing(self) -> tuple[Listing, str]:
        """The list with the fewest records to read, and its owner (see `Listing.entry`)."""
        if self.resource_id is not None:
            return BY_RESOURCE, self.resource_id
        if self.actor is not None:
            return BY_ACTOR, self.actor
        return RECORDS, ""

    @property
    def is_narrower_than_its_list(self) -> bool:
        if self.action is not None or self.resource_kind is not None:
            return True
        return self.resource_id is not None and self.actor is not None


class RecordRepository(Repository[Record]):
    """The records of the scope's organization."""

    kind = "RECORD"
    model = Record

    def lists(self, aggregate: Record) -> Sequence[ListEntry]:
        at, record_id = format_instant(aggregate.at), aggregate.id
        lists = [
            RECORDS.entry(self.scope, record_id, at),
            BY_ACTOR.entry(self.scope, record_id, at, aggregate.actor),
            BY_RESOURCE.entry(self.scope, record_id, at, aggregate.resource_id),
        ]
        return lists if aggregate.seq is not None else [*lists, UNSEALED.entry(record_id)]

    async def search(self, search: Search, request: PageRequest) -> Page[Record]:
        """Newest first. A page may hold fewer records than the limit, or none, and still have a next page: a search
        reads at most MAX_READS times MAX_PAGE records."""
        listing, of = search.listing()
        context, keys = listing.cursor_context(self.scope, of, repr(search)), self.scope.port(CursorKeys)
        size = MAX_PAGE if search.is_narrower_than_its_list else request.limit
        before = format_instant(search.until) if search.until else None
        if request.cursor is not None:
            before = await open_cursor(keys, context, request.cursor)
        matches: list[Record] = []
        for _ in range(MAX_READS):
            items, position = await listing.part(
                self.scope,
                of,
                limit=size,
                descending=True,
                after=format_instant(search.since) if search.since else None,
                before=before,
            )
            for item in items:
                record = self.model.model_validate(item)
                if search.matches(record):
                    matches.append(record)
                if len(matches) == request.limit:
                    here = position if item is items[-1] else listing.position(item)
                    return Page(items=matches, next=await seal_cursor(keys, context, here) if here else None)
            if position is None:
                return Page(items=matches)
            before = position
        return Page(items=matches, next=await seal_cursor(keys, context, before) if before else None)

    async def walk_items(self) -> AsyncIterator[Item]:
        """Every record as its item is stored, however many there are."""
        after = None
        while True:
            items, after = await RECORDS.part(self.scope, limit=MAX_PAGE, after=after)
            for item in items:
                yield item
            if after is None:
                return


def is_waiting(item: Item) -> bool:
    """Whether the record is in the sealer's work queue."""
    return f"L{UNSEALED.index}PK" in item
