"""Repositories: the access patterns of one kind of aggregate inside one scope, by key and by list (GSI)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from chassis.errors import AlreadyHandled, NotFound, TenfoldError
from chassis.storage.cursors import CursorKeys, open_cursor, seal_cursor
from chassis.storage.keys import Key, ListEntry, shard_of
from chassis.storage.table import Absent, AtVersion, Expect, Item, OlderThan, Range
from chassis.work.scope import Scope
from chassis.work.unit_of_work import UnitOfWork

MAX_PAGE = 200
MAX_WALK = 20_000
MAX_CURSOR = 2048


class Aggregate(BaseModel):
    """State that changes as a whole. `version` counts its changes; 0 is not stored yet."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    id: str
    version: int = 0


A = TypeVar("A", bound=Aggregate)
T = TypeVar("T")
R = TypeVar("R")


class PageRequest(BaseModel):
    """The page of a list that a client asks for: its size, and the cursor of the page before it."""

    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(default=None, max_length=MAX_CURSOR)


class Page(BaseModel, Generic[T]):
    """A page of a list. `next` is the cursor of the next page; absent at the end."""

    items: list[T]
    next: str | None = None

    def map(self, make: Callable[[T], R]) -> "Page[R]":
        """The page with what `make` returns for each item, such as its view."""
        return Page(items=[make(item) for item in self.items], next=self.next)


@dataclass(frozen=True)
class Listing:
    """A list in the GSI number `index`, spread over `shards` partitions so that no organization is one partition."""

    index: int
    name: str
    shards: int = 1

    def entry(self, scope: Scope, id: str, sort: str, of: str = "") -> ListEntry:  # noqa: A002
        """The entry of item `id`; `sort` orders the list, `of` names its owner (a project, a member)."""
        return scope.entry(self.index, self._name(of, shard_of(id, self.shards)), f"{sort}#{id}")

    async def page(
        self,
        scope: Scope,
        request: PageRequest,
        of: str = "",
        *,
        descending: bool = False,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[Item]:
        """The items that sort strictly between `after` and `before`. Raises Invalid for a cursor of another list."""
        keys, context = scope.port(CursorKeys), self.cursor_context(scope, of, f"{descending} {after} {before}")
        bounds = {"after": after, "before": before}
        if request.cursor is not None:
            bounds["before" if descending else "after"] = await open_cursor(keys, context, request.cursor)
        items, position = await self.part(scope, of, limit=request.limit, descending=descending, **bounds)
        return Page(items=items, next=await seal_cursor(keys, context, position) if position else None)

    async def part(
        self,
        scope: Scope,
        of: str = "",
        *,
        limit: int,
        descending: bool = False,
        after: str | None = None,
        before: str | None = None,
    ) -> tuple[list[Item], str | None]:
        """Items, and the position to continue from (None at the end). For the service itself; clients get pages."""
        parts = await asyncio.gather(
            *(
                scope.table.query(
                    scope.entry(self.index, self._name(of, shard), "").pk,
                    Range(limit=limit + 1, descending=descending, after=after, before=before),
                    index=self.index,
                )
                for shard in range(self.shards)
            )
        )
        merged = sorted((item for part in parts for item in part), key=self.position, reverse=descending)
        items = merged[:limit]
        return items, self.position(items[-1]) if len(merged) > limit else None

    def position(self, item: Item) -> str:
        """The sort key of `item` in this list."""
        return str(item[f"L{self.index}SK"])

    def cursor_context(self, scope: Scope, of: str, filters: str) -> str:
        """The context in which a cursor is valid: this list of this owner, with these filters."""
        return f"{scope.entry(self.index, self._name(of, 0), '').pk} {self.index} {filters}"

    async def walk(self, scope: Scope, of: str = "") -> AsyncIterator[Item]:
        """Every item, in order, at most MAX_WALK of them."""
        after, seen = None, 0
        while seen < MAX_WALK:
            items, after = await self.part(scope, of, limit=MAX_PAGE, after=after)
            for item in items:
                yield item
            seen += len(items)
            if after is None:
                return

    def _name(self, of: str, shard: int) -> str:
        return f"{self.name}#{of}#{shard}" if of else f"{self.name}#{shard}"


class Repository(Generic[A]):
    """Stores aggregates of one kind. A subclass names the `kind` (a word of the key), the `model` and its lists."""

    kind: ClassVar[str]
    model: type[A]

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def lists(self, aggregate: A) -> Sequence[ListEntry]:
        """The lists that the aggregate is in, as it is now."""
        del aggregate
        return ()

    def expires_at(self, aggregate: A) -> int | None:
        """The TTL: epoch seconds after which the store may delete it."""
        del aggregate
        return None

    def key(self, id: str) -> Key:  # noqa: A002
        return self.scope.key(self.kind, id)

    async def find(self, id: str) -> A | None:  # noqa: A002
        item = await self.scope.table.get(self.key(id))
        return None if item is None else self.model.model_validate(item)

    async def get(self, id: str) -> A:  # noqa: A002
        """Raises NotFound, alike for an aggregate of another organization."""
        aggregate = await self.find(id)
        if aggregate is None:
            raise NotFound(self.kind.lower().replace("_", " "))
        return aggregate

    def create(self, unit: UnitOfWork, aggregate: A, *, on_conflict: TenfoldError | None = None) -> A:
        """Store a new aggregate, in `unit`. Returns it at version 1."""
        return self._put(unit, aggregate, Absent(), on_conflict)

    def save(self, unit: UnitOfWork, aggregate: A, *, on_conflict: TenfoldError | None = None) -> A:
        """Store a change, in `unit`, on the condition that nobody changed the aggregate since it was read. Returns it
        at its new version."""
        return self._put(unit, aggregate, AtVersion(aggregate.version), on_conflict)

    async def project(self, aggregate: A) -> None:
        """Store the state that another service's event reported, unless a newer one is stored. Commits by itself."""
        unit = self.scope.unit_of_work(claimed=False)
        unit.put(
            self.key(aggregate.id),
            aggregate,
            expect=OlderThan(aggregate.version),
            lists=self.lists(aggregate),
            expires_at=self.expires_at(aggregate),
        )
        with contextlib.suppress(AlreadyHandled):
            await unit.commit()

    def remove(self, unit: UnitOfWork, aggregate: A) -> None:
        unit.delete(self.key(aggregate.id), expect=AtVersion(aggregate.version))

    async def page(self, listing: Listing, request: PageRequest, of: str = "", *, descending: bool = False) -> Page[A]:
        raw = await listing.page(self.scope, request, of, descending=descending)
        return Page(items=[self.model.model_validate(item) for item in raw.items], next=raw.next)

    async def walk(self, listing: Listing, of: str = "") -> AsyncIterator[A]:
        async for item in listing.walk(self.scope, of):
            yield self.model.model_validate(item)

    def _put(self, unit: UnitOfWork, aggregate: A, expect: Expect, on_conflict: TenfoldError | None) -> A:
        stored = aggregate.model_copy(update={"version": aggregate.version + 1})
        unit.put(
            self.key(aggregate.id),
            stored,
            expect=expect,
            lists=self.lists(stored),
            expires_at=self.expires_at(stored),
            on_conflict=on_conflict,
        )
        return stored
