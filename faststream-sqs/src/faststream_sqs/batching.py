"""Batched sending: single decisions go to SQS ten at a time."""

import asyncio
import random as randomness
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
BATCH = 10
CONCURRENT_CALLS = 8
ATTEMPTS = 4
RETRY_BASE = 0.05


class Batcher(Generic[Item]):
    """Sends items in batches of ten, and a partial batch after `linger` seconds.

    `send` returns the items that are worth a retry, or raises. Items that failed `ATTEMPTS` times, or with an error
    whose `is_retryable` is False, are passed to `lost`. The owner bounds `pending`.
    """

    def __init__(
        self,
        send: Callable[[list[Item]], Awaitable[list[Item]]],
        lost: Callable[[list[Item], Exception | None], None],
        *,
        linger: float,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        self._send = send
        self._lost = lost
        self._linger = linger
        self._random = random
        self._waiting: deque[Item] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(CONCURRENT_CALLS)
        self.pending = 0

    def add(self, item: Item) -> None:
        self._waiting.append(item)
        self.pending += 1
        if len(self._waiting) >= BATCH:
            self._flush_one()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self._flush_one)

    def _flush_one(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        if batch:
            task = asyncio.create_task(self._deliver(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, batch: list[Item]) -> None:
        size = len(batch)
        error: Exception | None = None
        try:
            async with self._slots:
                for attempt in range(ATTEMPTS):
                    if attempt:
                        await asyncio.sleep(self._random() * RETRY_BASE * 2**attempt)
                    try:
                        batch, error = await self._send(batch), None
                    except Exception as problem:  # noqa: BLE001  # passed to `lost` if the retries fail, too
                        error = problem
                    if not batch:
                        return
                    if not getattr(error, "is_retryable", True):
                        break
            self._lost(batch, error)
        finally:
            self.pending -= size

    async def drain(self, patience: float) -> None:
        """Sends what is waiting and returns when all is sent, or after `patience` seconds; the rest goes to `lost`."""
        while self._waiting:
            self._flush_one()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=patience)
        for task in late:
            task.cancel()
        results: list[Any] = await asyncio.gather(*late, return_exceptions=True)
        if results:
            self._lost([], TimeoutError(f"{len(results)} batches were not sent within {patience:g} s"))
