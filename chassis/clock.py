"""Time and ids, injected so that tests decide them."""

from datetime import UTC, datetime
from typing import Protocol

import uuid_utils


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, in UTC."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Ids(Protocol):
    def new(self, prefix: str = "") -> str:
        """A fresh id that sorts after the earlier ones: `task_0192…`, or without a prefix the bare UUIDv7 in hex."""


class SystemIds:
    def new(self, prefix: str = "") -> str:
        bare = uuid_utils.uuid7().hex
        return f"{prefix}_{bare}" if prefix else bare


def oldest_id_at(moment: datetime) -> str:
    """The smallest UUIDv7 (hex) of that millisecond: ids made before it sort below."""
    return f"{int(moment.timestamp() * 1000):012x}" + "0" * 20


def made_at(event_id: str) -> datetime:
    """The moment at which a UUIDv7 (hex) was made, to the millisecond. Raises ValueError for any other text."""
    return datetime.fromtimestamp(int(event_id[:12], 16) / 1000, UTC)
