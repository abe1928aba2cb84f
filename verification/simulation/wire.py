"""The wire: every call that leaves a process goes over it, is numbered, and may meet a fault."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")


class FaultKind(StrEnum):
    """A kind of fault."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    REFUSE = "refuse"
    AMBIGUOUS = "do, then answer with an error"
    STALL_BEFORE = "stall before"
    STALL_AFTER = "stall after"
    PARTIAL = "accept a part"
    LAG = "answer from a list that lags"


SPECIAL = frozenset({FaultKind.PARTIAL, FaultKind.LAG})
"""Faults of one kind of call only, which asks for them itself."""


@dataclass
class Fault:
    """A fault at the `at`-th matching call from now (0 is the next one).

    It matches calls whose name contains `operation`.
    """

    kind: FaultKind
    at: int = 0
    operation: str = ""

    def matches(self, operation: str) -> bool:
        return self.operation in operation


@dataclass(eq=False)
class Life:
    """The life of a process. Calls of a dead process do not leave it."""

    service: str
    dead: bool = False
    tasks: "set[asyncio.Task[Any]]" = field(default_factory=set)


class Wire:
    """All calls of all processes. `count` numbers them, `trace` names them; `fired` counts the faults that happened."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.count = 0
        self.trace: list[str] = []
        self.armed: list[Fault] = []
        self.fired: Counter[FaultKind] = Counter()
        self.stalled: list[asyncio.Future[None]] = []

    async def call(
        self, life: Life, operation: str, work: Callable[[], Awaitable[T]], refusal: Callable[[], Exception]
    ) -> T:
        """Do `work` unless a fault prevents it. Raises what `work` raises, or `refusal()`."""
        for _ in range(self.chance.choice((0, 1, 1, 2))):  # lets tasks interleave differently each time
            await asyncio.sleep(0)
        if life.dead:
            await _never_return()
        self.count += 1
        self.trace.append(operation)
        match self._due(operation):
            case FaultKind.CRASH_BEFORE:
                life.dead = True
                return await _never_return()
            case FaultKind.CRASH_AFTER:
                await _outcome(work)
                life.dead = True
                return await _never_return()
            case FaultKind.REFUSE:
                raise refusal()
            case FaultKind.AMBIGUOUS:
                await _outcome(work)
                raise refusal()
            case FaultKind.STALL_BEFORE:
                await self._stall(life)
                return await work()
            case FaultKind.STALL_AFTER:
                outcome = await _outcome(work)
                await self._stall(life)
                if isinstance(outcome, _Raised):
                    raise outcome.error
                return outcome
            case _:
                return await work()

    def meets(self, kind: FaultKind, operation: str) -> bool:
        """Whether this call meets that special fault."""
        return self._due(operation, kind) is not None

    def resume(self) -> None:
        """Let all stalled calls continue."""
        waiting, self.stalled = self.stalled, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _due(self, operation: str, special: FaultKind | None = None) -> FaultKind | None:
        for fault in self.armed:
            wanted = fault.kind is special if special else fault.kind not in SPECIAL
            if not wanted or not fault.matches(operation):
                continue
            if fault.at > 0:
                fault.at -= 1
                continue
            self.armed.remove(fault)
            self.fired[fault.kind] += 1
            return fault.kind
        return None

    async def _stall(self, life: Life) -> None:
        future = asyncio.get_running_loop().create_future()
        self.stalled.append(future)
        await future
        if life.dead:
            await _never_return()


@dataclass(frozen=True)
class _Raised:
    error: Exception


async def _outcome(work: Callable[[], Awaitable[T]]) -> T | _Raised:
    try:
        return await work()
    except Exception as error:  # noqa: BLE001  (its caller gets no answer, or a late one)
        return _Raised(error)


async def _never_return() -> NoReturn:
    """Never return: the process is dead, and the world cancels its tasks."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("a dead process continued")
