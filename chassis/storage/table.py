"""The port to a service's table: reads by key and list, and one atomic write.

Two adapters pass one conformance suite: DynamoDB (chassis.aws.dynamodb) and memory (chassis.testing.memory).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chassis.storage.keys import Key

Item = dict[str, Any]
"""A stored item: JSON values, with its keys beside them (PK, SK, L1PK, L1SK, ...)."""

MAX_OPERATIONS = 100
"""DynamoDB takes no larger transaction."""


@dataclass(frozen=True)
class Absent:
    """Nothing may stand there yet."""


@dataclass(frozen=True)
class AtVersion:
    """The stored item must be exactly at this version."""

    version: int


@dataclass(frozen=True)
class OlderThan:
    """Nothing stands there, or an older version."""

    version: int


@dataclass(frozen=True)
class Anything:
    """Write over whatever stands there."""


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
    """Adds to counters, creating the item if there is none. `at_most` refuses a sum above its limit; `fixed` are
    plain attributes set along with it (keys of lists, names)."""

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


class ConditionRefused(Exception):
    """An atomic write was refused as a whole. `positions` are the operations whose condition did not hold."""

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__(f"condition of operation {list(positions)} does not hold")
        self.positions = tuple(positions)


def check_operations(operations: Sequence[WriteOperation]) -> None:
    """Raises ValueError for a write that DynamoDB would not take, whatever is stored."""
    if len(operations) > MAX_OPERATIONS:
        raise ValueError(f"{len(operations)} operations in one write; DynamoDB takes {MAX_OPERATIONS}")
    if len({operation.key for operation in operations}) < len(operations):
        raise ValueError("one item twice in one write")


class Table(Protocol):
    """Raises `Unavailable` when the store does not answer in time."""

    async def get(self, key: Key) -> Item | None:
        """The item as of all acknowledged writes, or None."""

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        """What `get` would answer for each key, in one round trip; together not as of one moment. At most
        MAX_OPERATIONS keys, each once."""

    async def query(
        self,
        pk: str,
        *,
        index: int | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int = 100,
        descending: bool = False,
    ) -> list[Item]:
        """Items of one partition (of a list index if `index` is given), by sort key, strictly between the bounds."""

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        """All of it or nothing. Raises ConditionRefused, or ValueError by `check_operations`."""

    async def discard(self, keys: Sequence[Key]) -> None:
        """Delete without conditions and not atomically. Absent keys are fine."""
