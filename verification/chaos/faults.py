"""The faults that calls meet: drawn from a seed, and counted."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """A kind of fault that the proxy injects."""

    REFUSED = "refused"
    EXECUTED_THEN_500 = "executed, then 500"
    RESET_BEFORE = "reset before"
    RESET_AFTER = "reset after"
    SLOW = "slow"
    THROTTLED = "throttled"
    OUTAGE = "bus outage"


EXECUTED = frozenset({Fault.EXECUTED_THEN_500, Fault.RESET_AFTER, Fault.SLOW})
"""Faults of a call that is executed nevertheless."""
THROTTLED_SHARE = 0.8


@dataclass(frozen=True)
class Rates:
    """The share of calls that meet each fault, besides bursts and outages."""

    refused: float = 0.02
    executed_then_500: float = 0.02
    reset_before: float = 0.005
    reset_after: float = 0.005
    slow: float = 0.01


class Faults:
    """Faults of one proxy. Off until `on` is set; bursts and outages last until their own end."""

    def __init__(self, seed: int, rates: Rates, now: Callable[[], float] = time.monotonic) -> None:
        self._dice, self._now = random.Random(seed), now
        self._shares = (
            (Fault.REFUSED, rates.refused),
            (Fault.EXECUTED_THEN_500, rates.executed_then_500),
            (Fault.RESET_BEFORE, rates.reset_before),
            (Fault.RESET_AFTER, rates.reset_after),
            (Fault.SLOW, rates.slow),
        )
        self._throttled_until = self._outage_until = now()
        self.on = False
        self.counted: Counter[Fault] = Counter()

    def throttle(self, seconds: float) -> None:
        """Start a burst: most calls of every service are throttled."""
        self._throttled_until = self._now() + seconds

    def bus_outage(self, seconds: float) -> None:
        """Start an outage: the bus takes no event; everything else works."""
        self._outage_until = self._now() + seconds

    def off(self) -> None:
        """End all faults."""
        self.on = False
        self._throttled_until = self._outage_until = self._now()

    def next(self, operation: str) -> Fault | None:
        """Draw and count the fault of a call, if it meets one."""
        fault = self._draw(operation)
        if fault is not None:
            self.counted[fault] += 1
        return fault

    def delay(self) -> float:
        """Seconds by which a slow call is delayed: mostly less than any timeout, sometimes more."""
        return min(9.0, 0.2 + self._dice.expovariate(0.8))

    def _draw(self, operation: str) -> Fault | None:
        if operation == "PutEvents" and self._now() < self._outage_until:
            return Fault.OUTAGE
        if self._now() < self._throttled_until and self._dice.random() < THROTTLED_SHARE:
            return Fault.THROTTLED
        if not self.on:
            return None
        rest = self._dice.random()
        for fault, share in self._shares:
            rest -= share
            if rest < 0:
                return fault
        return None
