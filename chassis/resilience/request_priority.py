"""Requests before deliveries: in a process that serves both, somebody waits for a request, and nobody for a delivery.

While requests come, only a few deliveries run beside them and the others wait for their turn or for a calm
moment, but never for long: a steady load of requests, or a handler that hangs, slows the consumers and stops none.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

BESIDE_REQUESTS = 1
"""Deliveries of all subscriptions together that run while requests come."""
CALM = 0.5
"""Seconds without a request after which none is expected."""
PATIENCE = 1.0


class RequestPriority:
    """One for a process. `patience` is how many seconds a delivery waits at most."""

    def __init__(self, *, beside: int = BESIDE_REQUESTS, patience: float = PATIENCE) -> None:
        self._beside, self._patience = beside, patience
        self._requests = self._deliveries = 0
        self._last = -CALM
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def delivery(self) -> AsyncIterator[None]:
        if self._is_full():
            await self._turn()
        self._deliveries += 1
        try:
            yield
        finally:
            self._deliveries -= 1
            self._wake()

    def before(self, app: ASGIApp) -> ASGIApp:
        """`app`, whose requests go first."""

        async def first(scope: Scope, receive: Receive, send: Send) -> None:
            self._requests += 1
            try:
                await app(scope, receive, send)
            finally:
                self._requests -= 1
                self._last = time.monotonic()
                self._wake()

        return first

    def _expects_requests(self) -> bool:
        return self._requests > 0 or time.monotonic() - self._last < CALM

    def _is_full(self) -> bool:
        return self._deliveries >= self._beside and self._expects_requests()

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except TimeoutError:
            return  # it has waited long enough
        finally:
            if not turn.done() or turn.cancelled():
                self._waiting.remove(turn)

    def _wake(self) -> None:
        """One where there is room for one, all where no request is expected. Whoever waits, somebody runs, whose end
        wakes the next."""
        room = self._beside - self._deliveries if self._expects_requests() else len(self._waiting)
        while self._waiting and room > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1
