"""Repositories: the access patterns of one kind of aggregate, inside one scope. Only they know its keys."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from chassis.context import Scope
from chassis.errors import FieldError, Invalid, NotFound, TenfoldError
from chassis.keys import Key, ListEntry, shard_of
from chassis.table import Absent, AtVersion, Expect, Item
from chassis.unit import Unit

MAX_PAGE = 200
MAX_WALK = 20_000


class Aggregate(BaseModel):
    """State that changes as one. `version` counts its changes; 0 is not yet stored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    version: int = 0


A = TypeVar("A", bound=Aggregate)
T = TypeVar("T")


class PageRequest(BaseModel):
    """Where a list goes on, and how much of it is wanted."""

    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(default=None, max_length=512)


class Page(BaseModel, Generic[T]):
    """A part of a list. `next` is the cursor of the next part; absent at the end."""

    items: list[T]
    next: str | None = None


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
        """What sorts strictly between `after` and `before`. Raises Invalid for a cursor that is none of ours."""
        bounds = {"after": after, "before": before}
        if request.cursor is not None:
            bounds["before" if descending else "after"] = _decoded(request.cursor)
        parts = await asyncio.gather(
            *(
                scope.table.query(
                    scope.entry(self.index, self._name(of, shard), "").pk,
                    index=self.index,
                    limit=request.limit + 1,
                    descending=descending,
                    **bounds,
                )
                for shard in range(self.shards)
            )
        )
        sort = f"L{self.index}SK"
        merged = sorted((item for part in parts for item in part), key=lambda item: str(item[sort]), reverse=descending)
        more = len(merged) > request.limit
        items = merged[: request.limit]
        return Page(items=items, next=self.cursor(items[-1]) if more else None)

    def cursor(self, item: Item) -> str:
        """The cursor of what follows `item`, one of this list's."""
        return _encoded(item[f"L{self.index}SK"])

    async def walk(self, scope: Scope, of: str = "") -> AsyncIterator[Item]:
        """Every item, in order, at most MAX_WALK of them."""
        request, seen = PageRequest(limit=MAX_PAGE), 0
        while True:
            page = await self.page(scope, request, of)
            for item in page.items:
                yield item
            seen += len(page.items)
            if page.next is None or seen >= MAX_WALK:
                return
            request = PageRequest(limit=MAX_PAGE, cursor=page.next)

    def _name(self, of: str, shard: int) -> str:
        return f"{self.name}#{of}#{shard}" if of else f"{self.name}#{shard}"


def _encoded(sort: str) -> str:
    return base64.urlsafe_b64encode(sort.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> str:
    try:
        sort = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:  # of base64, of its alphabet, or of UTF-8
        sort = ""
    if not sort:
        raise Invalid("The cursor is not one of ours; start again without it.", [FieldError("query.cursor", "unknown")])
    return sort


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

    def create(self, unit: Unit, aggregate: A, *, otherwise: TenfoldError | None = None) -> A:
        """Store it for the first time, in `unit`. Returns it at version 1."""
        return self._put(unit, aggregate, Absent(), otherwise)

    def save(self, unit: Unit, aggregate: A, *, otherwise: TenfoldError | None = None) -> A:
        """Store its change, in `unit`, if nobody changed it since it was read. Returns it at its new version."""
        return self._put(unit, aggregate, AtVersion(aggregate.version), otherwise)

    def remove(self, unit: Unit, aggregate: A) -> None:
        unit.delete(self.key(aggregate.id), expect=AtVersion(aggregate.version))

    async def page(self, listing: Listing, request: PageRequest, of: str = "", *, descending: bool = False) -> Page[A]:
        raw = await listing.page(self.scope, request, of, descending=descending)
        return Page(items=[self.model.model_validate(item) for item in raw.items], next=raw.next)

    async def walk(self, listing: Listing, of: str = "") -> AsyncIterator[A]:
        async for item in listing.walk(self.scope, of):
            yield self.model.model_validate(item)

    def _put(self, unit: Unit, aggregate: A, expect: Expect, otherwise: TenfoldError | None) -> A:
        stored = aggregate.model_copy(update={"version": aggregate.version + 1})
        unit.put(
            self.key(aggregate.id),
            stored,
            expect=expect,
            lists=self.lists(stored),
            expires_at=self.expires_at(stored),
            otherwise=otherwise,
        )
        return stored
