"""A circuit breaker: calls to a service that does not answer pause for a while, so that nobody waits in vain.

It is our own, because libraries either do not know asyncio or read a clock that cannot be injected.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

import structlog

from awsjson import AwsError
from chassis.errors import Unavailable

log = structlog.get_logger(__name__)

FAILURES = 5
PAUSE = 10.0


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


def is_no_answer(error: BaseException) -> bool:
    """Whether the other side is in trouble. A service that refuses a call, or throttles, does answer: its refusals to
    one caller must not open the circuit for all."""
    if isinstance(error, AwsError):
        return error.is_retryable and (error.status == 0 or error.status >= 500)
    return isinstance(error, Unavailable)


class Breaker:
    """Opens after `failures` successive calls without an answer. After `pause` seconds (of `now`) one call may try; its
    outcome closes or opens the circuit again."""

    def __init__(
        self,
        what: str,
        *,
        failures: int = FAILURES,
        pause: float = PAUSE,
        now: Callable[[], float] = time.monotonic,
        counts: Callable[[BaseException], bool] = is_no_answer,
    ) -> None:
        self._what, self._limit, self._pause, self._now, self._counts = what, failures, pause, now, counts
        self._failures = 0
        self._opened: float | None = None
        self._trying = False

    @property
    def state(self) -> State:
        if self._opened is None:
            return State.CLOSED
        return State.OPEN if self._wait() > 0 else State.HALF_OPEN

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Around one call. Raises Unavailable, with the time to wait, instead of letting it through while open."""
        if (trying := self._opened is not None) and (self._trying or self._wait() > 0):
            raise Unavailable(f"{self._what} does not answer; try again.", retry_after=max(1.0, self._wait()))
        self._trying |= trying
        try:
            yield
        except Exception as error:
            if self._counts(error):
                self._count_failure()
            else:
                self._close()
            raise
        else:
            self._close()
        finally:
            # also after a cancellation, which says nothing of the other side
            self._trying &= not trying

    def _wait(self) -> float:
        return 0.0 if self._opened is None else self._opened + self._pause - self._now()

    def _count_failure(self) -> None:
        self._failures += 1
        if self._failures >= self._limit:
            log.error("circuit_opened", what=self._what, seconds=self._pause)
            self._opened = self._now()

    def _close(self) -> None:
        if self._opened is not None:
            log.info("circuit_closed", what=self._what)
        self._failures, self._opened = 0, None
