"""The Table port in memory, with the same conditions and the same atomicity as DynamoDB."""

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.storage.keys import Key
from chassis.storage.rate_limit_store import CounterLevels, effective_level
from chassis.storage.table import (
    FIRST_ITEMS,
    Absent,
    Add,
    AtVersion,
    Check,
    ConditionRefused,
    Delete,
    Expect,
    Item,
    OlderThan,
    Put,
    Range,
    WriteOperation,
    check_operations,
)


class MemoryTable:
    """Every call is atomic because nothing in it awaits."""

    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}

    async def get(self, key: Key) -> Item | None:
        stored = self.items.get(key)
        return None if stored is None else _copy(stored)

    async def get_all(self, keys: Sequence[Key]) -> list[Item | None]:
        return [None if key not in self.items else _copy(self.items[key]) for key in keys]

    async def query(self, pk: str, within: Range = FIRST_ITEMS, *, index: int | None = None) -> list[Item]:
        prefix = f"L{index}" if index else ""
        items = [item for item in self.items.values() if item.get(f"{prefix}PK") == pk]
        sort = f"{prefix}SK"
        if within.after is not None:
            items = [item for item in items if item[sort] > within.after]
        if within.before is not None:
            items = [item for item in items if item[sort] < within.before]
        items.sort(key=lambda item: str(item[sort]), reverse=within.descending)
        return [_copy(item) for item in items[: within.limit]]

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        check_operations(operations)
        refused = [at for at, operation in enumerate(operations) if not self._holds(operation)]
        if refused:
            raise ConditionRefused(refused)
        for operation in operations:
            self._apply(operation)

    async def discard(self, keys: Sequence[Key]) -> None:
        for key in keys:
            self.items.pop(key, None)

    async def advance_counters(
        self,
        key: Key,
        steps: Mapping[str, int],
        *,
        floor: int,
        ceiling: int,
        expires_at: int,
        known: Mapping[str, int],  # noqa: ARG002  (needs no guess)
    ) -> CounterLevels:
        stored = self.items.get(key, {})
        raised = {name: effective_level(stored.get(name), floor, ceiling) + step for name, step in steps.items()}
        if any(level > ceiling for level in raised.values()):
            return CounterLevels(raised=False, reached={name: stored[name] for name in steps if name in stored})
        self.items[key] = {**stored, "PK": key.pk, "SK": key.sk, **raised, "expires_at": expires_at}
        return CounterLevels(raised=True, reached=raised)

    def _holds(self, operation: WriteOperation) -> bool:
        stored = self.items.get(operation.key)
        present: Mapping[str, Any] = stored or {}
        match operation:
            case Put(expect=expect) | Delete(expect=expect):
                return _meets(stored, expect)
            case Add(amounts=amounts, at_most=at_most):
                return all(present.get(name, 0) + amounts[name] <= limit for name, limit in at_most.items())
            case Check(equals=equals):
                return stored is not None and all(
                    name in stored and stored[name] == value for name, value in equals.items()
                )

    def _apply(self, operation: WriteOperation) -> None:
        key = operation.key
        match operation:
            case Put(item=item):
                self.items[key] = _copy({**item, "PK": key.pk, "SK": key.sk})
            case Delete():
                self.items.pop(key, None)
            case Add(amounts=amounts, set_attributes=set_attributes):
                stored = self.items.setdefault(key, {"PK": key.pk, "SK": key.sk})
                stored.update(_copy(set_attributes))
                for name, amount in amounts.items():
                    stored[name] = stored.get(name, 0) + amount
            case Check():
                pass


def _copy(value: Any) -> Any:
    """A copy of JSON values that shares nothing with them; copy.deepcopy takes several times as long."""
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _meets(stored: Item | None, expect: Expect) -> bool:
    match expect:
        case Absent():
            return stored is None
        case AtVersion(version):
            return stored is not None and stored.get("version") == version
        case OlderThan(version):
            return stored is None or ("version" in stored and stored["version"] < version)
        case _:
            return True
