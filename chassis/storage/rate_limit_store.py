"""The port to the counters of rate limits, apart from the table of items: one bounded increment, and nothing else.

The adapters of the table (chassis.aws.dynamodb, chassis.testing.memory) are adapters of this port, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from chassis.storage.keys import Key


@dataclass(frozen=True)
class CounterLevels:
    """Where counters stand after `RateLimitStore.advance_counters`, which `raised` all of them or none."""

    raised: bool
    reached: Mapping[str, int]


def effective_level(level: int | None, floor: int, ceiling: int) -> int:
    """Where a counter goes on from. One that is above the ceiling by more than the ceiling is above the floor was
    raised by a process whose clock is wrong, and begins anew."""
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
        """Raise each counter of `steps` by its step, from where it is `standing`, at least from `floor`; all of
        them, or none if one would pass `ceiling`. Exact under any parallelism, and at most one write. No step may be
        larger than the ceiling is above the floor.

        `known` is where they stood when last seen: a good guess spares a refused write, a bad one does no harm.
        """
