"""A table that records its calls, so that two requests can be compared by their work."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.storage.keys import Key
from chassis.storage.rate_limit_store import CounterLevels
from chassis.storage.table import FIRST_ITEMS, Add, Item, Put, Range, WriteOperation
from chassis.testing.memory import MemoryTable

LIST_KEY = re.compile(r"L\d+PK")
HASH = re.compile(r"[0-9a-f]{8,64}")
SHARD = re.compile(r"#\d{1,2}(?=\s|$)")


@dataclass(frozen=True)
class Call:
    """A call: its name, the partitions that it touched, the GSI partitions that it wrote to, and all of it as text."""

    name: str
    partitions: tuple[str, ...]
    lists: tuple[str, ...]
    text: str


class RecordingTable(MemoryTable):
    """A table in memory that records its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    async def get(self, key: Key) -> Item | None:
        self.note("get", [key.pk], [f"{key.pk} {key.sk}"])
        return await super().get(key)

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        self.note("get_all", [key.pk for key in keys], [f"{key.pk} {key.sk}" for key in keys])
        return await super().get_all(keys)

    async def query(self, pk: str, within: Range = FIRST_ITEMS, *, index: int | None = None) -> list[Item]:
        self.note("query", [pk], [f"{pk} {index} {within}"])
        return await super().query(pk, within, index=index)

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        lists = [list_key for operation in operations for list_key in _lists_of(operation)]
        lines = [f"{type(each).__name__} {each.key.pk} {each.key.sk}" for each in operations]
        self.note("write", [each.key.pk for each in operations], [*lines, *lists], lists)
        await super().write(operations)

    async def discard(self, keys: Sequence[Key]) -> None:
        self.note("discard", [key.pk for key in keys], [f"{key.pk} {key.sk}" for key in keys])
        await super().discard(keys)

    async def advance_counters(self, key: Key, steps: Mapping[str, int], **bounds: Any) -> CounterLevels:
        self.note("advance_counters", [key.pk], [f"{key.pk} {key.sk} {sorted(steps)}"])
        return await super().advance_counters(key, steps, **bounds)

    def note(self, name: str, partitions: list[str], lines: list[str], lists: Sequence[str] = ()) -> None:
        self.calls.append(Call(name, tuple(partitions), tuple(lists), " | ".join([name, *lines])))


def _lists_of(operation: WriteOperation) -> Iterator[str]:
    values = (
        operation.item if isinstance(operation, Put) else operation.set_attributes if isinstance(operation, Add) else {}
    )
    return (str(value) for name, value in values.items() if LIST_KEY.fullmatch(name))


def normalize(text: str, names: Mapping[str, str]) -> str:
    """A text with each value of `names` replaced by its name, and without hashes and shards, which depend on ids."""
    for value in sorted(names, key=len, reverse=True):
        text = text.replace(value, names[value])
    return SHARD.sub("#<shard>", HASH.sub("<hash>", text))
