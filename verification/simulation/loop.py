"""An event loop without waiting: timers advance a virtual time, and a run ends when only the outside can go on."""

import asyncio
import selectors
from functools import cache


class _InstantSelector(selectors.SelectSelector):
    """A selector without files: waiting for a timer advances the loop's time, waiting without one stops the loop."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            self.loop.stop()
        elif timeout > 0:
            self.loop.skip(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Event loop on virtual time."""

    def __init__(self) -> None:
        self._now = 0.0
        selector = _InstantSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float) -> None:
        self._now += seconds

    def run_until_idle(self) -> None:
        """Run until every task has ended or waits for something from outside the loop."""
        self.run_forever()


@cache
def shared_loop() -> VirtualLoop:
    """One loop for all worlds: a closed world leaves no task in it."""
    return VirtualLoop()
