"""Request priority: in a process that serves both, requests go before deliveries, since a person waits for a request.

While requests arrive, only a few deliveries run beside them, and the others wait for their turn or for a calm moment,
but never for long: a steady load of requests, or a handler that hangs, slows the consumers down but does not stop them.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

BESIDE_REQUESTS = 1
"""Deliveries, of all subscriptions together, that run while requests arrive."""
CALM = 0.5
"""Seconds without a request after which none is expected."""
PATIENCE = 1.0


class RequestPriority:
    """One per process. A delivery waits for at most `patience` seconds."""

    def __init__(self, *, beside: int = BESIDE_REQUESTS, patience: float = PATIENCE) -> None:
        self._beside, self._patience = beside, patience
        self._requests = self._deliveries = 0
        self._last = -CALM
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def delivery(self) -> AsyncIterator[None]:
        if self._deliveries >= self._beside and self._expects_requests():
            await self._wait_for_turn()
        self._deliveries += 1
        try:
            yield
        finally:
            self._deliveries -= 1
            self._wake()

    def before(self, app: ASGIApp) -> ASGIApp:
        """Wrap `app`, so that its requests go first."""

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

    async def _wait_for_turn(self) -> None:
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
        """Wake one waiting delivery if there is room, or all if no request is expected. A finishing delivery wakes the
        next, so none waits for ever."""
        room = self._beside - self._deliveries if self._expects_requests() else len(self._waiting)
        while self._waiting and room > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1
