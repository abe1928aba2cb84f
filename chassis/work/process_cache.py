"""The cache of one process, bounded and keyed by organization; `chassis.work.cache` reads and writes it."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MAX_ANSWERS = 5_000
"""Entries of all organizations and all kinds together, in one process; the least recently used goes first."""


@dataclass(frozen=True)
class CacheKey:
    """Cache key: name of the cache, organization, discriminator. There is no entry without an organization."""

    name: str
    org_id: str
    of: str


@dataclass(frozen=True)
class _Entry:
    answer: "asyncio.Future[Any]"
    until: datetime


class ProcessCache:
    """A least-recently-used cache with expiry. Only the service context makes one, and only `Cached` uses it."""

    def __init__(self, most: int = MAX_ANSWERS) -> None:
        self._most = most
        self._entries: OrderedDict[CacheKey, _Entry] = OrderedDict()
        self._of_org: dict[tuple[str, str], set[CacheKey]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: CacheKey, now: datetime) -> "asyncio.Future[Any] | None":
        entry = self._entries.get(key)
        if entry is None:
            return None
        answer = entry.answer
        failed = answer.done() and (answer.cancelled() or answer.exception() is not None)
        if failed or now >= entry.until:
            self.drop(key)
            return None
        self._entries.move_to_end(key)
        return answer

    def keep(self, key: CacheKey, answer: "asyncio.Future[Any]", until: datetime) -> None:
        while len(self._entries) >= self._most:
            self.drop(next(iter(self._entries)))
        self._entries[key] = _Entry(answer, until)
        self._of_org.setdefault((key.name, key.org_id), set()).add(key)

    def drop(self, key: CacheKey) -> None:
        """Forget an entry. Callers that wait for it already still get it."""
        del self._entries[key]
        beside = self._of_org[key.name, key.org_id]
        beside.discard(key)
        if not beside:
            del self._of_org[key.name, key.org_id]

    def drop_all(self, name: str, org_id: str) -> None:
        for key in list(self._of_org.get((name, org_id), ())):
            self.drop(key)

    def clear(self) -> None:
        self._entries.clear()
        self._of_org.clear()
