"""The tables in memory and in DynamoDB have the same state after any sequence of writes, and refuse the same writes.

Services are tested with tables in memory; this test makes those results valid for DynamoDB.
"""

import asyncio
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chassis.storage.keys import Key
from chassis.storage.table import (
    Absent,
    Add,
    Anything,
    AtVersion,
    Check,
    ConditionRefused,
    Delete,
    OlderThan,
    Put,
    Range,
    Table,
)
from chassis.testing.memory import MemoryTable
from tests.chassis.backends import moto_table

KEYS = [Key("P", "1"), Key("P", "2"), Key("Q", "1")]
VERSIONS = st.integers(0, 3)
EXPECT = st.one_of(st.just(Absent()), VERSIONS.map(AtVersion), VERSIONS.map(OlderThan), st.just(Anything()))
LISTS = st.lists(st.sampled_from([1, 2]), unique=True)
AMOUNTS = st.dictionaries(st.sampled_from(["version", "count"]), st.integers(-2, 2), min_size=1)


@st.composite
def places(draw: st.DrawFn, key: Key) -> Any:
    """Sort keys in lists; each is used once, since otherwise their order would be undefined."""
    sort = draw(st.sampled_from("abc")) + key.pk + key.sk
    return {name: value for n in draw(LISTS) for name, value in ((f"L{n}PK", "LIST"), (f"L{n}SK", sort))}


@st.composite
def operations(draw: st.DrawFn, key: Key) -> Any:
    match draw(st.sampled_from(["put", "delete", "add", "check"])):
        case "put":
            return Put(key, {"version": draw(VERSIONS), **draw(places(key))}, draw(EXPECT))
        case "delete":
            return Delete(key, draw(EXPECT))
        case "add":
            amounts = draw(AMOUNTS)
            at_most = {name: draw(st.integers(-1, 3)) for name in amounts if draw(st.booleans())}
            return Add(key, amounts, at_most, draw(places(key)))
        case _:
            return Check(key, draw(st.sampled_from([{}, {"version": 1}, {"count": 1}])))


@st.composite
def writes(draw: st.DrawFn) -> Any:
    return [draw(operations(key)) for key in draw(st.lists(st.sampled_from(KEYS), unique=True, min_size=1))]


async def outcome(table: Table, write: Any) -> tuple[int, ...]:
    try:
        await table.write(write)
    except ConditionRefused as refused:
        return refused.positions
    return ()


async def state(table: Table) -> list[Any]:
    return [
        *[await table.get(key) for key in KEYS],
        await table.query("P"),
        await table.query("P", Range(descending=True, limit=1)),
        await table.query("LIST", index=1),
        await table.query("LIST", index=2),
    ]


@settings(
    max_examples=25, deadline=None, phases=[Phase.generate, Phase.shrink], suppress_health_check=[HealthCheck.too_slow]
)
@given(st.lists(writes(), min_size=1, max_size=8))
def test_memory_and_dynamodb_agree(sequence: list[Any]) -> None:
    async def compare() -> None:
        memory = MemoryTable()
        async with moto_table() as dynamo:
            for write in sequence:
                assert await outcome(memory, write) == await outcome(dynamo, write), write
            assert await state(memory) == await state(dynamo)

    asyncio.run(compare())
