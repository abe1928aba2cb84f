"""Waiting until a stage is at rest. The limit is on standstill, not on time: a slow machine may take longer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from verification.chaos.evidence import Witness

STANDSTILL_SECONDS = 90.0
"""Well over the longest visibility timeout and backoff: a stage without progress for so long is stuck."""
LONGEST_SECONDS = 600.0
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Rest:
    """Whether a stage came to rest, after how long, and if not, what was left."""

    seconds: float
    reached: bool
    text: str = ""


async def wait_for_rest(witness: Witness, committed: Callable[[], int]) -> Rest:
    """Wait until two polls in a row see no message in a queue and nothing unfinished.

    `committed` counts something else that moves as long as there is progress.
    """
    started = progress = time.monotonic()
    last: tuple[int, ...] = ()
    calm = 0
    while True:
        waiting = await asyncio.to_thread(witness.waiting)
        unfinished = 0 if waiting else await asyncio.to_thread(lambda: witness.holdings().unfinished_count)
        calm = 0 if waiting or unfinished else calm + 1
        now = time.monotonic()
        if calm > 1:
            return Rest(now - started, reached=True)
        if (state := (waiting, unfinished, committed())) != last:
            last, progress = state, now
        if now - progress > STANDSTILL_SECONDS or now - started > LONGEST_SECONDS:
            return Rest(now - started, False, f"{waiting} messages wait, {unfinished} things are unfinished")
        await asyncio.sleep(POLL_SECONDS)
