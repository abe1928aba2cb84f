"""Answers kept for a while in one process, always those of one organization.

Declare what is kept at the head of a module: `FIGURES: Cached[Figures] = Cached("figures", timedelta(seconds=60))`.
`await FIGURES.get(scope, load)` reads it, and whatever changes it says `FIGURES.forget(scope)`. Every process keeps its
own: what another process changed is seen when `fresh` is over, so nothing that must take effect at once may be read
through here.
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
    """One kind of answer, kept for `fresh` after it was asked for."""

    name: str
    fresh: timedelta

    async def get(self, scope: OrgScope, load: Callable[[], Awaitable[T]], of: str = "") -> T:
        """The kept answer, or what `load` makes, once however many ask for it meanwhile; `of` tells several answers
        of an organization apart. What `load` raises is raised to all who wait, and not kept."""
        process_cache, place, now = scope.context.process_cache, CacheKey(self.name, scope.org_id, of), scope.now()
        answer = process_cache.find(place, now)
        if answer is None:
            answer = asyncio.ensure_future(load())
            process_cache.keep(place, answer, now + self.fresh)
        # Who stops waiting must not take the answer from the others.
        result: T = await asyncio.shield(answer)
        return result

    def forget(self, scope: OrgScope) -> None:
        """The organization's answers are no longer right; nor is one that is being made."""
        scope.context.process_cache.drop_all(self.name, scope.org_id)
