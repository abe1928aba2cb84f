"""The port to a service's table: reads by key and by list (a GSI), and one atomic write.

Two adapters pass one conformance suite: DynamoDB (chassis.aws.dynamodb) and memory (chassis.testing.memory).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chassis.storage.keys import Key

Item = dict[str, Any]
"""A stored item: JSON values, with its keys beside them (PK, SK, L1PK, L1SK, ...)."""

MAX_OPERATIONS = 100
"""DynamoDB's limit for one transaction."""


@dataclass(frozen=True)
class Absent:
    """The item must not exist yet."""


@dataclass(frozen=True)
class AtVersion:
    """The stored item must be exactly at this version."""

    version: int


@dataclass(frozen=True)
class OlderThan:
    """The item does not exist, or is at an older version."""

    version: int


@dataclass(frozen=True)
class Anything:
    """No condition: overwrite whatever is stored."""


Expect = Absent | AtVersion | OlderThan | Anything


@dataclass(frozen=True)
class Put:
    key: Key
    item: Item
    expect: Expect


@dataclass(frozen=True)
class Delete:
    key: Key
    expect: Expect = field(default_factory=Anything)


@dataclass(frozen=True)
class Add:
    """Add to counters, and create the item if there is none. `at_most` refuses a sum above its limit; `set_attributes`
    are plain attributes written along with it (keys of lists, names)."""

    key: Key
    amounts: Mapping[str, int]
    at_most: Mapping[str, int] = field(default_factory=dict)
    set_attributes: Item = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """The item must exist, with these attribute values."""

    key: Key
    equals: Mapping[str, Any] = field(default_factory=dict)


WriteOperation = Put | Delete | Add | Check


@dataclass(frozen=True)
class Range:
    """A part of a partition, by sort key: strictly between `after` and `before`, at most `limit` items, and from the
    greatest sort key down if `descending`."""

    after: str | None = None
    before: str | None = None
    limit: int = 100
    descending: bool = False


FIRST_ITEMS = Range()
"""The first hundred items of a partition."""


class ConditionRefused(Exception):
    """An atomic write was refused as a whole. `positions` are those of the operations whose condition did not hold."""

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__(f"condition of operation {list(positions)} does not hold")
        self.positions = tuple(positions)


def check_operations(operations: Sequence[WriteOperation]) -> None:
    """Raises ValueError for a write that DynamoDB would refuse, whatever is stored."""
    if len(operations) > MAX_OPERATIONS:
        raise ValueError(f"{len(operations)} operations in one write; DynamoDB takes {MAX_OPERATIONS}")
    if len({operation.key for operation in operations}) < len(operations):
        raise ValueError("one item twice in one write")


class Table(Protocol):
    """Raises `Unavailable` when the store does not answer in time."""

    async def get(self, key: Key) -> Item | None:
        """The item with all acknowledged writes (a consistent read), or None."""

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        """The answers of `get` for all keys, in one round trip; together they are not a snapshot. At most
        MAX_OPERATIONS keys, each once."""

    async def query(self, pk: str, within: Range = FIRST_ITEMS, *, index: int | None = None) -> list[Item]:
        """The items of one partition (of a GSI if `index` is given) within a range, by sort key."""

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        """Write all of it or nothing. Raises ConditionRefused, or ValueError by `check_operations`."""

    async def discard(self, keys: Sequence[Key]) -> None:
        """Delete without conditions and not atomically. Absent keys are fine."""
