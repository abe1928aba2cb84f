"""How changes meet each other: tried again after a collision, and many at once but not too many."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from chassis.errors import Stale

T = TypeVar("T")
R = TypeVar("R")

TRIES = 4
AT_ONCE = 8


async def again_if_stale(change: Callable[[], Awaitable[T]]) -> T:
    """The outcome of `change`, which reads what it changes and is tried again if somebody else was faster."""
    for _ in range(TRIES - 1):
        try:
            return await change()
        except Stale:
            continue
    return await change()


async def for_each(items: Iterable[T], work: Callable[[T], Awaitable[R]]) -> list[R]:
    """What `work` makes of each item, in order, a few at once. All of them end before the first error is raised."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(item: T) -> R:
        async with gate:
            return await work(item)

    done = await asyncio.gather(*map(gated, items), return_exceptions=True)
    results: list[R] = []
    for result in done:
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results
