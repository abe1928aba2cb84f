"""Where every call leaves a process. Each is numbered, and here it crashes, is refused, or loses its answer."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")


class FaultKind(StrEnum):
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    REFUSE = "refuse"
    AMBIGUOUS = "do, then answer with an error"
    STALL_BEFORE = "stall before"
    STALL_AFTER = "stall after"
    PARTIAL = "accept a part"
    LAG = "answer from a list that lags"


SPECIAL = frozenset({FaultKind.PARTIAL, FaultKind.LAG})
"""Faults of one sort of call only, which asks for them itself."""


@dataclass
class Fault:
    """Happens at the `at`-th call from now that it fits (0 is the next one). `place` narrows it to calls whose name
    contains that text."""

    kind: FaultKind
    at: int = 0
    place: str = ""

    def fits(self, place: str) -> bool:
        return self.place in place


@dataclass(eq=False)
class Life:
    """One process from its start to its death. What a dead one still tries never leaves it."""

    service: str
    dead: bool = False
    tasks: "set[asyncio.Task[Any]]" = field(default_factory=set)


class Wire:
    """`count` numbers the calls, `trace` names them; `fired` counts the faults that happened."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.count = 0
        self.trace: list[str] = []
        self.armed: list[Fault] = []
        self.fired: Counter[FaultKind] = Counter()
        self.stalled: list[asyncio.Future[None]] = []

    async def call(
        self, life: Life, place: str, work: Callable[[], Awaitable[T]], refusal: Callable[[], Exception]
    ) -> T:
        """Do `work` unless a fault prevents it. Raises what `work` raises, or `refusal()`."""
        for _ in range(self.chance.choice((0, 1, 1, 2))):  # lets tasks meet in another order each time
            await asyncio.sleep(0)
        if life.dead:
            await _silence()
        self.count += 1
        self.trace.append(place)
        match self._due(place):
            case FaultKind.CRASH_BEFORE:
                life.dead = True
                return await _silence()
            case FaultKind.CRASH_AFTER:
                await _outcome(work)
                life.dead = True
                return await _silence()
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

    def takes(self, kind: FaultKind, place: str) -> bool:
        """Whether this call suffers that special fault."""
        return self._due(place, kind) is not None

    def resume(self) -> None:
        """Whoever stalls goes on."""
        waiting, self.stalled = self.stalled, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _due(self, place: str, special: FaultKind | None = None) -> FaultKind | None:
        for fault in self.armed:
            wanted = fault.kind is special if special else fault.kind not in SPECIAL
            if not wanted or not fault.fits(place):
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
            await _silence()


@dataclass(frozen=True)
class _Raised:
    error: Exception


async def _outcome(work: Callable[[], Awaitable[T]]) -> T | _Raised:
    try:
        return await work()
    except Exception as error:  # noqa: BLE001  (an answer that nobody hears, or hears later)
        return _Raised(error)


async def _silence() -> NoReturn:
    """A dead process waits for nothing; the world buries its tasks."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("the dead do not wake")
