"""Waiting until a stage has come to rest: bounded by its progress, for a slow machine may take its time."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from verification.chaos.evidence import Holdings, Witness

STANDSTILL_SECONDS = 90.0
"""Well over the longest visibility and back-off: who gets nowhere for so long will not."""
LONGEST_SECONDS = 600.0
LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Rest:
    seconds: float
    reached: bool
    text: str = ""


async def drained(witness: Witness, committed: Callable[[], int], watch: Callable[[], None] = lambda: None) -> Rest:
    """Wait until no message waits and nothing is unfinished, in two looks one after the other. `committed` counts what
    moves besides; `watch` may raise."""
    started = progress = time.monotonic()
    seen: tuple[int, ...] = ()
    calm = 0
    while True:
        watch()
        waiting = await asyncio.to_thread(witness.waiting)
        unfinished = 0 if waiting else await asyncio.to_thread(lambda: _unfinished(witness.holdings()))
        calm = 0 if waiting or unfinished else calm + 1
        now = time.monotonic()
        if calm > 1:
            return Rest(now - started, reached=True)
        if (state := (waiting, unfinished, committed())) != seen:
            seen, progress = state, now
        if now - progress > STANDSTILL_SECONDS or now - started > LONGEST_SECONDS:
            return Rest(now - started, False, f"{waiting} messages wait, {unfinished} things are unfinished")
        await asyncio.sleep(LOOK_SECONDS)


def _unfinished(held: Holdings) -> int:
    return held.unfinished
