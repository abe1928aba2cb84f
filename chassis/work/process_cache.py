"""The answers that one process keeps for a while; `chassis.work.cache` reads and writes them."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MAX_ANSWERS = 5_000
"""Of all organizations and all kinds together, in one process; who was not asked for longest goes first."""


@dataclass(frozen=True)
class CacheKey:
    """Where an answer stands. There is none without an organization."""

    name: str
    org_id: str
    of: str


@dataclass(frozen=True)
class _Entry:
    answer: "asyncio.Future[Any]"
    until: datetime


class ProcessCache:
    """The answers that one process keeps. Only a toolbox makes one, and only `Cached` reads it."""

    def __init__(self, most: int = MAX_ANSWERS) -> None:
        self._most = most
        self._entries: OrderedDict[CacheKey, _Entry] = OrderedDict()
        self._of_org: dict[tuple[str, str], set[CacheKey]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, place: CacheKey, now: datetime) -> "asyncio.Future[Any] | None":
        process_cache = self._entries.get(place)
        if process_cache is None:
            return None
        if now >= process_cache.until or _failed(process_cache.answer):
            self.drop(place)
            return None
        self._entries.move_to_end(place)
        return process_cache.answer

    def keep(self, place: CacheKey, answer: "asyncio.Future[Any]", until: datetime) -> None:
        while len(self._entries) >= self._most:
            self.drop(next(iter(self._entries)))
        self._entries[place] = _Entry(answer, until)
        self._of_org.setdefault((place.name, place.org_id), set()).add(place)

    def drop(self, place: CacheKey) -> None:
        """Who waits for it still gets it; who asks from now on does not."""
        del self._entries[place]
        beside = self._of_org[place.name, place.org_id]
        beside.discard(place)
        if not beside:
            del self._of_org[place.name, place.org_id]

    def drop_all(self, name: str, org_id: str) -> None:
        for place in list(self._of_org.get((name, org_id), ())):
            self.drop(place)

    def clear(self) -> None:
        self._entries.clear()
        self._of_org.clear()


def _failed(answer: "asyncio.Future[Any]") -> bool:
    return answer.done() and (answer.cancelled() or answer.exception() is not None)
