"""Repositories: the access patterns of one kind of aggregate, inside one scope. Only they know its keys."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from chassis.errors import AlreadyHandled, NotFound, TenfoldError
from chassis.storage.cursors import CursorKeys, opened, sealed
from chassis.storage.keys import Key, ListEntry, shard_of
from chassis.storage.table import Absent, AtVersion, Expect, Item, OlderThan
from chassis.work.scope import Scope
from chassis.work.unit_of_work import UnitOfWork

MAX_PAGE = 200
MAX_WALK = 20_000
MAX_CURSOR = 2048


class Aggregate(BaseModel):
    """State that changes as one. `version` counts its changes; 0 is not yet stored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    id: str
    version: int = 0


A = TypeVar("A", bound=Aggregate)
T = TypeVar("T")
R = TypeVar("R")


class PageRequest(BaseModel):
    """Where a list goes on, and how much of it is wanted."""

    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(default=None, max_length=MAX_CURSOR)


class Page(BaseModel, Generic[T]):
    """A part of a list. `next` is the cursor of the next part; absent at the end."""

    items: list[T]
    next: str | None = None

    def map(self, make: Callable[[T], R]) -> "Page[R]":
        """The page with what `make` returns for each item, such as its view."""
        return Page(items=[make(item) for item in self.items], next=self.next)


@dataclass(frozen=True)
class Listing:
    """A list in index `index`, spread over `shards` partitions so that no organization is one partition."""

    index: int
    name: str
    shards: int = 1

    def entry(self, scope: Scope, id: str, sort: str, of: str = "") -> ListEntry:  # noqa: A002
        """The place of item `id`; `sort` orders the list, `of` names whose list it is (a project's, a member's)."""
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
        """What sorts strictly between `after` and `before`. Raises Invalid for a cursor that is none of this list."""
        place = self.place(scope, of, f"{descending} {after} {before}")
        bounds = {"after": after, "before": before}
        if request.cursor is not None:
            bounds["before" if descending else "after"] = await opened(scope.port(CursorKeys), place, request.cursor)
        items, position = await self.part(scope, of, limit=request.limit, descending=descending, **bounds)
        return Page(items=items, next=await sealed(scope.port(CursorKeys), place, position) if position else None)

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
        """Items, and the position to go on from; None at the end. For the service itself: clients get pages."""
        parts = await asyncio.gather(
            *(
                scope.table.query(
                    scope.entry(self.index, self._name(of, shard), "").pk,
                    index=self.index,
                    limit=limit + 1,
                    descending=descending,
                    after=after,
                    before=before,
                )
                for shard in range(self.shards)
            )
        )
        merged = sorted((item for part in parts for item in part), key=self.position, reverse=descending)
        items = merged[:limit]
        return items, self.position(items[-1]) if len(merged) > limit else None

    def position(self, item: Item) -> str:
        """Where `item` stands in this list."""
        return str(item[f"L{self.index}SK"])

    def place(self, scope: Scope, of: str, filters: str) -> str:
        """What a cursor is good for: this list of this owner, with these filters."""
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
    """Stores aggregates of one kind. A subclass names `kind` (the key's word), `model`, and the lists they are in."""

    kind: ClassVar[str]
    model: type[A]

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def lists(self, aggregate: A) -> Sequence[ListEntry]:
        """The lists that the aggregate stands in as it is now."""
        del aggregate
        return ()

    def expires_at(self, aggregate: A) -> int | None:
        """Epoch seconds after which the store may forget it."""
        del aggregate
        return None

    def key(self, id: str) -> Key:  # noqa: A002
        return self.scope.key(self.kind, id)

    async def find(self, id: str) -> A | None:  # noqa: A002
        item = await self.scope.table.get(self.key(id))
        return None if item is None else self.model.model_validate(item)

    async def get(self, id: str) -> A:  # noqa: A002
        """Raises NotFound, the same for what is another organization's."""
        found = await self.find(id)
        if found is None:
            raise NotFound(self.kind.lower().replace("_", " "))
        return found

    def create(self, unit: UnitOfWork, aggregate: A, *, on_conflict: TenfoldError | None = None) -> A:
        """Store it for the first time, in `unit`. Returns it at version 1."""
        return self._put(unit, aggregate, Absent(), on_conflict)

    def save(self, unit: UnitOfWork, aggregate: A, *, on_conflict: TenfoldError | None = None) -> A:
        """Store its change, in `unit`, if nobody changed it since it was read. Returns it at its new version."""
        return self._put(unit, aggregate, AtVersion(aggregate.version), on_conflict)

    async def project(self, aggregate: A) -> None:
        """Keep a state of it that somebody else's event told, unless a newer one is known. Commits by itself."""
        unit = self.scope.unit_of_work(claimed=False)
        unit.put(
            self.key(aggregate.id), aggregate, expect=OlderThan(aggregate.version), lists=self.lists(aggregate),
            expires_at=self.expires_at(aggregate),
        )  # fmt: skip
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
