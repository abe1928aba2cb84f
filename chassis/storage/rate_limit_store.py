"""The port to the counters of the rate limiter, apart from the table of items: one bounded increment.

The adapters of the table (chassis.aws.dynamodb, chassis.testing.memory) implement this port, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from chassis.storage.keys import Key


@dataclass(frozen=True)
class CounterLevels:
    """The counters' values after `RateLimitStore.advance_counters`, which `raised` all of them or none."""

    raised: bool
    reached: Mapping[str, int]


def effective_level(level: int | None, floor: int, ceiling: int) -> int:
    """The value from which a counter goes on. One that exceeds the ceiling by more than the ceiling exceeds the floor
    was raised by a process whose clock is wrong, and starts again at the floor."""
    return floor if level is None or not floor <= level <= 2 * ceiling - floor else level


class RateLimitStore(Protocol):
    """Raises `Unavailable` when the store does not answer in time."""

    async def advance_counters(
        self,
        key: Key,
        steps: Mapping[str, int],
        *,
        floor: int,
        ceiling: int,
        expires_at: int,
        known: Mapping[str, int],
    ) -> CounterLevels:
        """Raise each counter of `steps` by its step, from its `effective_level`; all of them, or none if one would pass
        `ceiling`. Exact under any parallelism, and at most one write. No step may be larger than the distance from
        floor to ceiling.

        `known` are their values when last seen: a good guess spares a refused write, a bad one does no harm.
        """
