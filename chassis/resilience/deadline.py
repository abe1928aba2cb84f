"""Deadlines: a request or a delivery has a time limit, and each of its calls gets no more than the rest of it.

The deadline is set once, at the entry, and follows the work through every `await`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chassis.errors import Unavailable

_ends: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Limit the work inside to `seconds`, or to the rest of an outer deadline if that is less."""
    ends, outer = time.monotonic() + seconds, _ends.get()
    token = _ends.set(ends if outer is None else min(ends, outer))
    try:
        yield
    finally:
        _ends.reset(token)


def left(own: float) -> float:
    """Seconds for a call that by itself may take `own`. Raises Unavailable when the deadline has passed: nobody waits
    for the answer any more, and the next try gets a new deadline."""
    ends = _ends.get()
    if ends is None:
        return own
    remaining = ends - time.monotonic()
    if remaining <= 0:
        raise Unavailable("It takes too long now; try again.")
    return min(own, remaining)
