"""A cache per process for values of one organization.

Declare a value at the head of a module: `FIGURES: Cached[Figures] = Cached("figures", timedelta(seconds=60))`. `await
FIGURES.get(scope, load)` reads it, and whatever changes it calls `FIGURES.forget(scope)`. Every process has its own
cache: a change by another process is seen when `fresh` has passed, so never read through here what must take effect at
once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from chassis.work.process_cache import CacheKey
from chassis.work.scope import OrgScope

T = TypeVar("T")


@dataclass(frozen=True)
class Cached(Generic[T]):
    """One kind of cached value, kept for `fresh` after it was loaded."""

    name: str
    fresh: timedelta

    async def get(self, scope: OrgScope, load: Callable[[], Awaitable[T]], of: str = "") -> T:
        """The cached value, or the result of `load`, which runs once however many callers wait for it; `of` tells
        several values of an organization apart. An error of `load` reaches all who wait, and is not cached."""
        process_cache, key, now = scope.context.process_cache, CacheKey(self.name, scope.org_id, of), scope.now()
        answer = process_cache.find(key, now)
        if answer is None:
            answer = asyncio.ensure_future(load())
            process_cache.keep(key, answer, now + self.fresh)
        # A caller that stops waiting must not cancel the load for the others.
        result: T = await asyncio.shield(answer)
        return result

    def forget(self, scope: OrgScope) -> None:
        """Drop the organization's values, also one that is being loaded."""
        scope.context.process_cache.drop_all(self.name, scope.org_id)
