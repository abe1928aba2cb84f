"""One service's process, forked from a server that has imported everything, so that a kill some milliseconds after its
start meets the service and not its imports. It is `python -m chassis.runtime.run` in all else.

What is planted here (a clock that jumps, no inbox, no outbox) is composed around the service; the product has no
switch for it.
"""

import contextlib
import multiprocessing
import os
import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial

from chassis.aws.client import Aws
from chassis.aws.eventbridge import EventBridge
from chassis.clock import Clock
from chassis.declare.service import Service
from chassis.declare.settings import Settings
from chassis.runtime.bootstrap import make_context
from chassis.runtime.run import main
from chassis.storage.keys import Key
from chassis.storage.table import Anything, Item, Put, Table, WriteOperation
from chassis.work.context import ServiceContext
from chassis.work.outbox import Outbox

JUMP_SECONDS = 0.5
FARTHEST = 3600.0
JUMPS = 64


class Plant(StrEnum):
    NOTHING = "nothing"
    JUMPING_CLOCK = "jumping clock"
    NO_INBOX = "no inbox"
    NO_OUTBOX = "no outbox"


@dataclass(frozen=True)
class Start:
    """How a process starts: its variables, where its output goes, what is planted in it."""

    service: str
    environment: dict[str, str]
    log: str
    plant: Plant = Plant.NOTHING
    seed: int = 0


class JumpingClock:
    """Wrong by up to an hour, forwards or backwards, and differently so twice a second."""

    def __init__(self, seed: int) -> None:
        dice = random.Random(seed)
        self._wrong = [timedelta(seconds=dice.uniform(-FARTHEST, FARTHEST)) for _ in range(JUMPS)]
        self._started = time.monotonic()

    def now(self) -> datetime:
        jumps = int((time.monotonic() - self._started) / JUMP_SECONDS)
        return datetime.now(UTC) + self._wrong[jumps % JUMPS]


class _Around:
    """A table that is the other one in all but `write`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, key: Key) -> Item | None:
        return await self._table.get(key)

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        return await self._table.get_all(keys)

    async def query(
        self, pk: str, *, index: int | None = None, after: str | None = None, before: str | None = None,
        limit: int = 100, descending: bool = False,
    ) -> list[Item]:  # fmt: skip
        return await self._table.query(
            pk, index=index, after=after, before=before, limit=limit, descending=descending
        )  # fmt: skip

    async def discard(self, keys: Sequence[Key]) -> None:
        await self._table.discard(keys)


class WithoutInbox(_Around):
    """A claim that stands there already is no hindrance."""

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        await self._table.write(
            [
                replace(one, expect=Anything()) if isinstance(one, Put) and one.key.pk.startswith("INBOX#") else one
                for one in operations
            ]
        )


class WithoutOutbox(_Around):
    """Events are published from memory only. They come last in a transaction, so the others keep their positions."""

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        await self._table.write(
            [one for one in operations if not (isinstance(one, Put) and one.key.pk.startswith("OUTBOX#"))]
        )


def compose(start: Start, service: Service, settings: Settings, aws: Aws) -> ServiceContext:
    """The service's own tools, with what `start` plants."""
    context = make_context(service, settings, aws)
    clock: Clock = JumpingClock(start.seed) if start.plant is Plant.JUMPING_CLOCK else context.clock
    table = context.table
    if start.plant is Plant.NO_INBOX:
        table = WithoutInbox(table)
    elif start.plant is Plant.NO_OUTBOX:
        table = WithoutOutbox(table)
    outbox = Outbox(table, EventBridge(aws, settings.names.bus), clock)
    return replace(context, table=table, outbox=outbox, clock=clock)


def serve(start: Start) -> None:
    """What a forked process does: be the service, until it is told to stop or whoever started it is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(start.environment)
    log = os.open(start.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    with contextlib.suppress(PermissionError):  # it leads a group of its own already
        os.setsid()
    sys.exit(main([start.service], partial(compose, start)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
