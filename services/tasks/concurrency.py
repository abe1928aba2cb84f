"""Working on several things at once, within bounds, and trying again what somebody else overtook."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from chassis.errors import Stale

T = TypeVar("T")

READS_AT_ONCE = 16
TRIES = 12
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.25
"""Seconds, doubled with each try: the pauses of a whole series are at most 1.6 s, so a request can wait for it."""


async def each(items: Iterable[T], work: Callable[[T], Awaitable[None]], *, at_once: int) -> None:
    """Do `work` on every item, `at_once` at a time. The first error stops the rest and is raised as it is."""
    waiting = iter(items)

    async def lane() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(lane())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors


async def gathered(reads: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of some reads, in order, not too many of them under way."""
    free = asyncio.Semaphore(READS_AT_ONCE)

    async def one(read: Coroutine[Any, Any, T]) -> T:
        async with free:
            return await read

    return list(await asyncio.gather(*(one(read) for read in reads)))


async def while_stale(attempt: Callable[[], Awaitable[T]]) -> T:
    """Read, decide and commit again for as long as somebody else is faster; after the last try, Stale is raised."""
    for number in range(TRIES - 1):
        try:
            return await attempt()
        except Stale:
            longest = min(FIRST_PAUSE * 2**number, LONGEST_PAUSE)
            await asyncio.sleep(random.uniform(0, longest))  # noqa: S311  (spreads the contenders)
    return await attempt()
