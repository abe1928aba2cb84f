"""The process of one service, which otherwise is `python -m chassis.runtime.run`.

It is forked from a server that has imported everything, so that a kill some milliseconds after its start hits the
service and not its imports. Plants (a jumping clock, no inbox, no outbox) wrap the service's dependencies from the
outside; the product has no switch for them.
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
from chassis.storage.table import FIRST_ITEMS, Anything, Item, Put, Range, Table, WriteOperation
from chassis.work.context import ServiceContext
from chassis.work.outbox import Outbox

JUMP_SECONDS = 0.5
MAX_JUMP_SECONDS = 3600.0
JUMPS = 64


class Plant(StrEnum):
    """A defect that is planted in a process."""

    NOTHING = "nothing"
    JUMPING_CLOCK = "jumping clock"
    NO_INBOX = "no inbox"
    NO_OUTBOX = "no outbox"


@dataclass(frozen=True)
class Start:
    """Parameters of a process: its environment variables, its log file, and the defect planted in it."""

    service: str
    environment: dict[str, str]
    log: str
    plant: Plant = Plant.NOTHING
    seed: int = 0


class JumpingClock:
    """A clock that is wrong by up to an hour, forwards or backwards, and jumps twice per second."""

    def __init__(self, seed: int) -> None:
        dice = random.Random(seed)
        self._errors = [timedelta(seconds=dice.uniform(-MAX_JUMP_SECONDS, MAX_JUMP_SECONDS)) for _ in range(JUMPS)]
        self._started = time.monotonic()

    def now(self) -> datetime:
        jumps = int((time.monotonic() - self._started) / JUMP_SECONDS)
        return datetime.now(UTC) + self._errors[jumps % JUMPS]


class _TableWrapper:
    """A table that passes everything on except `write`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, key: Key) -> Item | None:
        return await self._table.get(key)

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        return await self._table.get_all(keys)

    async def query(self, pk: str, within: Range = FIRST_ITEMS, *, index: int | None = None) -> list[Item]:
        return await self._table.query(pk, within, index=index)

    async def discard(self, keys: Sequence[Key]) -> None:
        await self._table.discard(keys)


class WithoutInbox(_TableWrapper):
    """A table that ignores existing inbox claims."""

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        await self._table.write(
            [
                replace(each, expect=Anything()) if isinstance(each, Put) and each.key.pk.startswith("INBOX#") else each
                for each in operations
            ]
        )


class WithoutOutbox(_TableWrapper):
    """A table that stores no outbox entries, so events are published from memory only.

    The entries come last in a transaction, so the other operations keep their positions.
    """

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        await self._table.write(
            [each for each in operations if not (isinstance(each, Put) and each.key.pk.startswith("OUTBOX#"))]
        )


def make_planted_context(start: Start, service: Service, settings: Settings, aws: Aws) -> ServiceContext:
    """The context of the service, with the defect that `start` plants."""
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
    """Run the service in a forked process, until a signal stops it or the process that started it has ended."""

    def end_with_parent() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(start.environment)
    log = os.open(start.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    with contextlib.suppress(PermissionError):  # raised if it already leads its own group
        os.setsid()
    sys.exit(main([start.service], partial(make_planted_context, start)))
