"""Answers kept for a while in one process, always those of one organization.

Declare what is kept at the head of a module: `FIGURES: Cached[Figures] = Cached("figures", timedelta(seconds=60))`.
`await FIGURES.get(scope, load)` reads it, and whatever changes it says `FIGURES.forget(scope)`. Every process keeps its
own: what another process changed is seen when `fresh` is over, so nothing that must take effect at once may be read
through here.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from chassis.work.context import OrgScope

T = TypeVar("T")

MAX_ANSWERS = 5_000
"""Of all organizations and all kinds together, in one process; who was not asked for longest goes first."""


@dataclass(frozen=True)
class _Place:
    """Where an answer stands. There is none without an organization."""

    name: str
    org_id: str
    of: str


@dataclass(frozen=True)
class _Kept:
    answer: "asyncio.Future[Any]"
    until: datetime


class Kept:
    """The answers that one process keeps. Only a toolbox makes one, and only `Cached` reads it."""

    def __init__(self, most: int = MAX_ANSWERS) -> None:
        self._most = most
        self._places: OrderedDict[_Place, _Kept] = OrderedDict()
        self._of_org: dict[tuple[str, str], set[_Place]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def find(self, place: _Place, now: datetime) -> "asyncio.Future[Any] | None":
        kept = self._places.get(place)
        if kept is None:
            return None
        if now >= kept.until or _failed(kept.answer):
            self.drop(place)
            return None
        self._places.move_to_end(place)
        return kept.answer

    def keep(self, place: _Place, answer: "asyncio.Future[Any]", until: datetime) -> None:
        while len(self._places) >= self._most:
            self.drop(next(iter(self._places)))
        self._places[place] = _Kept(answer, until)
        self._of_org.setdefault((place.name, place.org_id), set()).add(place)

    def drop(self, place: _Place) -> None:
        """Who waits for it still gets it; who asks from now on does not."""
        del self._places[place]
        beside = self._of_org[place.name, place.org_id]
        beside.discard(place)
        if not beside:
            del self._of_org[place.name, place.org_id]

    def drop_all(self, name: str, org_id: str) -> None:
        for place in list(self._of_org.get((name, org_id), ())):
            self.drop(place)

    def clear(self) -> None:
        self._places.clear()
        self._of_org.clear()


def _failed(answer: "asyncio.Future[Any]") -> bool:
    return answer.done() and (answer.cancelled() or answer.exception() is not None)


@dataclass(frozen=True)
class Cached(Generic[T]):
    """One kind of answer, kept for `fresh` after it was asked for."""

    name: str
    fresh: timedelta

    async def get(self, scope: "OrgScope", load: Callable[[], Awaitable[T]], of: str = "") -> T:
        """The kept answer, or what `load` makes, once however many ask for it meanwhile; `of` tells several answers
        of an organization apart. What `load` raises is raised to all who wait, and not kept."""
        kept, place, now = scope.tools.kept, _Place(self.name, scope.org_id, of), scope.now()
        answer = kept.find(place, now)
        if answer is None:
            answer = asyncio.ensure_future(load())
            kept.keep(place, answer, now + self.fresh)
        # Who stops waiting must not take the answer from the others.
        result: T = await asyncio.shield(answer)
        return result

    def forget(self, scope: "OrgScope") -> None:
        """The organization's answers are no longer right; nor is one that is being made."""
        scope.tools.kept.drop_all(self.name, scope.org_id)
