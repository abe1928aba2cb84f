"""How long the work at hand may still take: every call that it makes gets no more than what is left.

A request or a delivery sets its deadline once, at its entry; it follows the work through every `await`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chassis.errors import Unavailable

_ends: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """The work inside has `seconds`, or what is left of an outer deadline if that is less."""
    ends, outer = time.monotonic() + seconds, _ends.get()
    token = _ends.set(ends if outer is None else min(ends, outer))
    try:
        yield
    finally:
        _ends.reset(token)


def left(own: float) -> float:
    """Seconds for a call that by itself may take `own`. Raises Unavailable when the time is over: nobody waits for the
    answer any more, and the next try has a fresh deadline."""
    ends = _ends.get()
    if ends is None:
        return own
    remaining = ends - time.monotonic()
    if remaining <= 0:
        raise Unavailable("It takes too long now; try again.")
    return min(own, remaining)
