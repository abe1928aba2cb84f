"""Counters with a ceiling, by which tables implement rate limits, alike on every backend."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chassis.storage.keys import Key
from chassis.storage.rate_limit_store import CounterLevels
from chassis.testing.memory import MemoryTable
from tests.chassis.backends import Store, moto_table

ONE = Key("THING#1")


async def rise(
    table: Store, *, floor: int = 100, ceiling: int = 200, known: dict[str, int] | None = None, **steps: int
) -> CounterLevels:
    return await table.advance_counters(ONE, steps, floor=floor, ceiling=ceiling, expires_at=9, known=known or {})


async def test_counters_begin_at_the_floor(table: Store) -> None:
    assert await rise(table, a=10, b=1) == CounterLevels(raised=True, reached={"a": 110, "b": 101})
    assert await table.get(ONE) == {"PK": ONE.pk, "SK": ONE.sk, "a": 110, "b": 101, "expires_at": 9}


async def test_counters_continue_from_their_value_or_from_a_higher_floor(table: Store) -> None:
    await rise(table, a=10, b=50)
    assert (await rise(table, a=10, b=10, floor=130, ceiling=230)).reached == {"a": 140, "b": 160}


async def test_one_counter_at_its_ceiling_stops_all_of_them(table: Store) -> None:
    await rise(table, a=10, b=100)
    assert await rise(table, a=10, b=100) == CounterLevels(raised=False, reached={"a": 110, "b": 200})
    assert await rise(table, a=90) == CounterLevels(raised=True, reached={"a": 200})
    assert await rise(table, a=1) == CounterLevels(raised=False, reached={"a": 200})


async def test_a_wrong_expectation_does_no_harm(table: Store) -> None:
    assert (await rise(table, a=10, known={"a": 150})).reached == {"a": 110}
    assert (await rise(table, a=10, known={"a": 50})).reached == {"a": 120}
    assert not (await rise(table, a=90, known={"a": 101})).raised
    assert (await rise(table, a=10, floor=500, ceiling=600, known={"a": 599})).reached == {"a": 510}


async def test_values_written_by_a_wrong_clock_do_not_last(table: Store) -> None:
    await rise(table, a=10, floor=4000, ceiling=4100)
    assert (await rise(table, a=10)).reached == {"a": 110}
    assert (await rise(table, a=10, known={"a": 4010})).reached == {"a": 120}


async def test_concurrent_steps_are_counted_exactly(table: Store) -> None:
    results = await asyncio.gather(*(rise(table, a=10, b=2) for _ in range(30)))
    assert sorted(levels.reached["a"] for levels in results if levels.raised) == list(range(110, 201, 10))


RISES = st.tuples(
    st.dictionaries(st.sampled_from("ab"), st.integers(1, 6), min_size=1),
    st.integers(-25, 25),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 20)),
)


@settings(
    max_examples=25, deadline=None, phases=[Phase.generate, Phase.shrink], suppress_health_check=[HealthCheck.too_slow]
)
@given(st.lists(RISES, min_size=1, max_size=12))
def test_memory_and_dynamodb_agree(sequence: list[Any]) -> None:
    async def compare() -> None:
        memory, floor = MemoryTable(), 100
        async with moto_table() as dynamo:
            for steps, later, known in sequence:
                floor += later
                seen = {name: floor + at - 10 for name, at in known.items()}
                outcomes = [
                    await rise(each, floor=floor, ceiling=floor + 10, known=seen, **steps) for each in (memory, dynamo)
                ]
                assert outcomes[0] == outcomes[1]
                assert await memory.get(ONE) == await dynamo.get(ONE)

    asyncio.run(compare())
