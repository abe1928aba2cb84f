"""Conditions and atomic writes of the Table port, alike on every backend."""

import asyncio
from typing import Any

import pytest

from chassis.storage.keys import Key
from chassis.storage.table import (
    MAX_OPERATIONS,
    Absent,
    Add,
    Anything,
    AtVersion,
    Check,
    ConditionRefused,
    Delete,
    Expect,
    OlderThan,
    Put,
    Table,
    WriteOperation,
)

ONE, TWO, THREE = Key("THING#1"), Key("THING#2"), Key("THING#3")


async def values_of(table: Table, key: Key) -> dict[str, Any] | None:
    item = await table.get(key)
    return None if item is None else {name: value for name, value in item.items() if name not in {"PK", "SK"}}


async def refused(table: Table, *operations: WriteOperation) -> tuple[int, ...]:
    """Positions of the operations that the table refuses; empty if it executes the write."""
    try:
        await table.write(operations)
    except ConditionRefused as error:
        return error.positions
    return ()


async def test_a_missing_item_is_none(table: Table) -> None:
    assert await table.get(ONE) is None


async def test_an_item_is_read_as_written_with_its_keys(table: Table) -> None:
    item = {
        "text": "Grüße 🙂",
        "empty": "",
        "number": 7,
        "large": 10**30,
        "fraction": 0.1,
        "whole": 2.0,
        "tiny": 1.5e-7,
        "negative": -3,
        "yes": True,
        "no": False,
        "nothing": None,
        "list": [1, "two", [3.5, None], {}],
        "map": {"ä": {"deep": [True]}, "none": []},
    }
    await table.write([Put(Key("A", "B"), item, Absent())])
    assert await table.get(Key("A", "B")) == {**item, "PK": "A", "SK": "B"}
    assert await table.get(Key("A", "C")) is None
    stored = await table.get(Key("A", "B"))
    assert stored is not None
    assert stored["yes"] is True


async def test_a_read_item_is_a_copy(table: Table) -> None:
    await table.write([Put(ONE, {"list": [1]}, Absent())])
    first = await table.get(ONE)
    assert first is not None
    first["list"].append(2)
    assert await values_of(table, ONE) == {"list": [1]}


CONDITIONS: list[tuple[int | str | None, Expect, bool]] = [
    (None, Absent(), True),
    (3, Absent(), False),
    (None, AtVersion(3), False),
    (2, AtVersion(3), False),
    (3, AtVersion(3), True),
    (4, AtVersion(3), False),
    ("no version", AtVersion(3), False),
    (None, OlderThan(3), True),
    (2, OlderThan(3), True),
    (3, OlderThan(3), False),
    (4, OlderThan(3), False),
    ("no version", OlderThan(3), False),
    (None, Anything(), True),
    (9, Anything(), True),
]


@pytest.mark.parametrize("kind", ["put", "delete"])
async def test_conditions(table: Table, kind: str) -> None:
    for number, (stored, expect, accepted) in enumerate(CONDITIONS):
        key, case = Key(f"THING#{number}"), (stored, expect)
        before = {"old": True, "version": stored} if isinstance(stored, int) else {"old": True}
        if stored is not None:
            await table.write([Put(key, before, Anything())])
        operation = Put(key, {"version": 3}, expect) if kind == "put" else Delete(key, expect)
        assert await refused(table, operation) == (() if accepted else (0,)), case
        unchanged = None if stored is None else before
        changed = {"version": 3} if kind == "put" else None
        assert await values_of(table, key) == (changed if accepted else unchanged), case


async def test_a_put_replaces_the_whole_item(table: Table) -> None:
    await table.write([Put(ONE, {"old": 1, "L1PK": "LIST", "L1SK": "a"}, Absent())])
    await table.write([Put(ONE, {"new": 1}, Anything())])
    assert await values_of(table, ONE) == {"new": 1}
    assert await table.query("LIST", index=1) == []


async def test_counters_start_at_zero_and_add_up(table: Table) -> None:
    await table.write([Add(ONE, {"open": 2, "done": 0})])
    await table.write([Add(ONE, {"open": -3}, set_attributes={"name": "Web", "tags": ["a"]})])
    assert await values_of(table, ONE) == {"open": -1, "done": 0, "name": "Web", "tags": ["a"]}


async def test_attributes_alone_can_be_set(table: Table) -> None:
    await table.write([Add(ONE, {"open": 1})])
    await table.write([Add(ONE, {}, set_attributes={"name": "Web"})])
    assert await values_of(table, ONE) == {"open": 1, "name": "Web"}


LIMITS: list[tuple[int | None, int, int, bool]] = [
    (None, 3, 3, True),
    (None, 4, 3, False),
    (2, 1, 3, True),
    (2, 2, 3, False),
    (3, 0, 3, True),
    (9, -1, 3, False),
    (9, -6, 3, True),
    (None, -1, -2, False),
]


async def test_a_counter_stays_below_its_limit(table: Table) -> None:
    for number, (present, amount, limit, accepted) in enumerate(LIMITS):
        key, case = Key(f"THING#{number}"), (present, amount, limit)
        if present is not None:
            await table.write([Add(key, {"seats": present})])
        positions = await refused(
            table, Add(key, {"seats": amount}, at_most={"seats": limit}, set_attributes={"name": "Web"})
        )
        assert positions == (() if accepted else (0,)), case
        before = None if present is None else {"seats": present}
        after = {"seats": (present or 0) + amount, "name": "Web"}
        assert await values_of(table, key) == (after if accepted else before), case


async def test_each_of_several_limits_holds(table: Table) -> None:
    limits = {"a": 1, "b": 1}
    await table.write([Add(ONE, {"a": 1, "b": 0, "c": 9}, at_most=limits)])
    assert await refused(table, Add(ONE, {"a": 1, "b": 1}, at_most=limits)) == (0,)
    assert await refused(table, Add(ONE, {"a": 0, "b": 1}, at_most=limits)) == ()


async def test_checks(table: Table) -> None:
    await table.write([Put(ONE, {"state": "open", "count": 2, "flag": True, "nothing": None}, Absent())])
    assert await refused(table, Check(ONE)) == ()
    assert await refused(table, Check(TWO)) == (0,)
    assert await refused(table, Check(ONE, {"state": "open", "count": 2, "flag": True})) == ()
    assert await refused(table, Check(ONE, {"state": "open", "count": 3})) == (0,)
    assert await refused(table, Check(ONE, {"nothing": None})) == ()
    assert await refused(table, Check(ONE, {"missing": "x"})) == (0,)
    assert await table.get(TWO) is None


async def test_all_or_nothing(table: Table) -> None:
    await table.write([Put(ONE, {"version": 1}, Absent()), Put(TWO, {"version": 1}, Absent())])
    positions = await refused(
        table,
        Add(THREE, {"count": 1}),
        Put(ONE, {"version": 2}, AtVersion(7)),
        Delete(TWO, AtVersion(1)),
        Check(Key("THING#4")),
    )
    assert positions == (1, 3)
    assert await values_of(table, ONE) == {"version": 1}
    assert await values_of(table, TWO) == {"version": 1}
    assert await table.get(THREE) is None


async def test_a_hundred_operations_at_most(table: Table) -> None:
    puts = [Put(Key(f"THING#{number}"), {"n": number}, Absent()) for number in range(MAX_OPERATIONS + 1)]
    with pytest.raises(ValueError, match="101"):
        await table.write(puts)
    assert await table.get(Key("THING#0")) is None
    await table.write(puts[:MAX_OPERATIONS])
    assert await values_of(table, Key("THING#99")) == {"n": 99}


async def test_no_item_may_be_written_twice(table: Table) -> None:
    with pytest.raises(ValueError, match="twice"):
        await table.write([Put(ONE, {}, Anything()), Check(ONE)])
    assert await table.get(ONE) is None


async def test_an_empty_write_does_nothing(table: Table) -> None:
    await table.write([])


async def test_a_missing_item_can_be_discarded(table: Table) -> None:
    keys = [Key("MANY", f"{number:03}") for number in range(60)]
    await table.write([Put(key, {}, Absent()) for key in keys])
    await table.write([Put(Key("MANY", "kept"), {}, Absent())])
    await table.discard([*keys, Key("MANY", "never there")])
    await table.discard([])
    assert [item["SK"] for item in await table.query("MANY")] == ["kept"]


async def test_of_two_hundred_concurrent_writes_exactly_as_many_succeed_as_the_limit_allows(table: Table) -> None:
    limited = Add(ONE, {"seats": 1}, at_most={"seats": 7})
    results = await asyncio.gather(
        *(refused(table, limited, Put(Key(f"SEAT#{number}"), {}, Absent())) for number in range(200))
    )
    assert sorted(results) == [()] * 7 + [(0,)] * 193
    assert await values_of(table, ONE) == {"seats": 7}
    seats = [number for number in range(200) if await table.get(Key(f"SEAT#{number}"))]
    assert len(seats) == 7


async def test_of_two_changes_of_one_version_one_is_refused(table: Table) -> None:
    await table.write([Put(ONE, {"version": 1}, Absent())])
    changes = [Put(ONE, {"version": 2, "by": who}, AtVersion(1)) for who in ("ada", "bo")]
    results = await asyncio.gather(*(refused(table, change) for change in changes))
    assert sorted(results) == [(), (0,)]
    winner = ("ada", "bo")[results.index(())]
    assert await values_of(table, ONE) == {"version": 2, "by": winner}
