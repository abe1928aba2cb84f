"""Long polling for full batches, by several pollers, as long as there is room."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from faststream_sqs.options import BATCH, Consumption
from faststream_sqs.settlement import Log

ERROR_BACKOFF_BASE = 0.1
ERROR_BACKOFF_CAP = 20.0
EMPTY_BACKOFF_BASE = 0.05
EMPTY_BACKOFF_CAP = 1.0
ALARMING_FAILURES = 5

Receive = Callable[[int], Awaitable[list[dict[str, Any]]]]


class Pollers:
    """Polls with `receive` for as many messages as `free` has room for, and passes them to `take_in`.

    After an error (throttling, too) a poller backs off for up to 20 s with full jitter. After an empty answer that came
    sooner than requested (as in short polling) it backs off for up to 1 s, so that an empty queue costs little.
    """

    def __init__(
        self,
        receive: Receive,
        take_in: Callable[[list[dict[str, Any]]], None],
        free: Callable[[], int],
        *,
        queue: str,
        options: Consumption,
        log: Log,
        random: Callable[[], float],
    ) -> None:
        self._receive = receive
        self._take_in = take_in
        self._free = free
        self._queue = queue
        self._options = options
        self._log = log
        self._random = random
        self._full = min(BATCH, options.held_at_most)
        self._reserved = 0
        self._room = asyncio.Event()
        self._closing = asyncio.Event()
        self.ended = asyncio.Event()
        self.ended.set()
        self.tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self.ended.clear()
        for _ in range(self._options.pollers):
            task = asyncio.create_task(self._poll())
            self.tasks.add(task)
            task.add_done_callback(self._poller_ended)

    def close(self) -> None:
        """Starts no new polls; those in flight go on."""
        self._closing.set()
        self._room.set()

    def signal_room(self) -> None:
        if not self._room.is_set() and self._free() - self._reserved >= self._full:
            self._room.set()

    def _poller_ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log(logging.CRITICAL, f"a poller of {self._queue} died", error)
        if not self.tasks:
            self.ended.set()

    async def _poll(self) -> None:
        failures = empties = 0
        clock = asyncio.get_running_loop().time
        while wanted := await self._wait_for_room():
            self._reserved += wanted
            began = clock()
            try:
                messages = await self._receive(wanted)
                failures = 0
            except Exception as error:  # noqa: BLE001  # if the poller ended, the consumer would stop consuming
                failures += 1
                level = logging.WARNING if failures < ALARMING_FAILURES else logging.ERROR
                self._log(level, f"{self._queue} could not be polled ({failures} times in a row): {error}")
                messages = []
            finally:
                self._reserved -= wanted
            self._take_in(messages)
            waited = self._options.wait and clock() - began >= self._options.wait / 2
            empties = 0 if messages or failures or waited else empties + 1
            await self._pause(failures, empties)

    async def _wait_for_room(self) -> int:
        """The number of messages to ask for (full batches, because every poll costs the same); 0 at the end."""
        while not self._closing.is_set():
            if (free := self._free() - self._reserved) >= self._full:
                return min(BATCH, free)
            self._room.clear()
            try:
                await asyncio.wait_for(self._room.wait(), 1.0)
            except TimeoutError:
                continue
        return 0

    async def _pause(self, failures: int, empties: int) -> None:
        if failures:
            most = min(ERROR_BACKOFF_CAP, ERROR_BACKOFF_BASE * 2.0 ** min(failures, 10))
        elif empties:
            most = min(EMPTY_BACKOFF_CAP, EMPTY_BACKOFF_BASE * 2.0 ** min(empties, 10))
        else:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._closing.wait(), self._random() * most)
        except TimeoutError:
            return
