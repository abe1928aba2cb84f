"""Retries with backoff, and bounded concurrency: the only loop that repeats what failed, and the only crowd."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from chassis.errors import Stale

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter. `tries` counts all of them (None: for ever); the pause after the n-th is up
    to `first * 2**(n-1)` seconds, at most `longest`."""

    tries: int | None
    first: float
    longest: float

    def pause(self, failed: int) -> float:
        """Seconds to wait after `failed` failed tries."""
        return random.uniform(0, min(self.longest, self.first * 2.0 ** min(failed - 1, 32)))  # noqa: S311  (spreads)


STALE_POLICY = RetryPolicy(tries=12, first=0.005, longest=0.25)
"""The pauses of a whole series are at most 1.6 s, so a request can wait for it."""
AT_ONCE = 8


async def retry(
    attempt: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    on: Callable[[Exception], bool],
    announce: Callable[[Exception], None] = lambda _: None,
) -> T:
    """The result of the first `attempt` that succeeds. `announce` hears of each failure that is tried again.

    Raises the error of the last try, and at once any error that `on` does not hold for.
    """
    failed = 0
    while True:
        try:
            return await attempt()
        except Exception as error:
            failed += 1
            if failed == policy.tries or not on(error):
                raise
            announce(error)
        await asyncio.sleep(policy.pause(failed))


async def retry_on_stale(change: Callable[[], Awaitable[T]]) -> T:
    """The outcome of `change`, which reads what it changes and is repeated while somebody else is faster.

    Raises Stale after the last try, and whatever else `change` raises at once.
    """
    return await retry(change, STALE_POLICY, on=lambda error: isinstance(error, Stale))


async def gather_bounded(
    items: Iterable[T], work: Callable[[T], Awaitable[R]], *, at_once: int = AT_ONCE, stop_on_error: bool = False
) -> list[R]:
    """The results of `work` on each item, in the items' order, at most `at_once` at a time.

    All that has begun ends before the first error is raised. With `stop_on_error` no item is begun after an error;
    without it every item is tried, so that one item's trouble does not keep the others waiting.
    """
    results: dict[int, R] = {}
    errors: list[Exception] = []
    waiting = iter(enumerate(items))

    async def lane() -> None:
        for position, item in waiting:
            if stop_on_error and errors:
                return
            try:
                results[position] = await work(item)
            except Exception as error:  # noqa: BLE001  (raised below, when the others have ended)
                errors.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(lane())
    if errors:
        raise errors[0]
    return [results[position] for position in sorted(results)]
