"""An event loop without time: what would wait is skipped, and what waits for nobody ends the run."""

import asyncio
import selectors
from functools import cache


class _Instant(selectors.SelectSelector):
    """Watches nothing. A wait for a timer moves the loop's time; a wait for nothing at all stops the loop."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            self.loop.stop()
        elif timeout > 0:
            self.loop.skip(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._now = 0.0
        selector = _Instant()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float) -> None:
        self._now += seconds

    def run_until_idle(self) -> None:
        """Run until every task has ended or waits for something that only the outside can give it."""
        self.run_forever()


@cache
def shared_loop() -> VirtualLoop:
    """One for all worlds: a world that is closed leaves no task in it."""
    return VirtualLoop()
