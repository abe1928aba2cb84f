"""Queries of the Table port, alike on every backend."""

from typing import Any

import pytest

from chassis.storage.keys import Key
from chassis.storage.table import Absent, Add, Anything, Put, Range, Table

NAMES = ["a", "b", "c", "d", "e"]


@pytest.fixture
async def table_with_items(table: Table) -> Table:
    """A table with five items in partition P and in list 1, and one elsewhere."""
    for name in NAMES[::-1]:
        await table.write([Put(Key("P", name), {"name": name, "L1PK": "LIST", "L1SK": name}, Absent())])
    await table.write([Put(Key("Q", "z"), {"L1PK": "OTHER", "L1SK": "z"}, Absent())])
    return table


BOUNDS: list[tuple[dict[str, Any], str]] = [
    ({}, "abcde"),
    ({"descending": True}, "edcba"),
    ({"after": "b"}, "cde"),
    ({"before": "d"}, "abc"),
    ({"after": "b", "before": "e"}, "cd"),
    ({"after": "b", "before": "e", "descending": True}, "dc"),
    ({"after": "b", "before": "b"}, ""),
    ({"after": "d", "before": "b"}, ""),
    ({"after": "b~", "before": "d~"}, "cd"),
    ({"after": "0", "before": "~"}, "abcde"),
    ({"limit": 2}, "ab"),
    ({"limit": 2, "descending": True}, "ed"),
    ({"limit": 2, "after": "a", "before": "e"}, "bc"),
    ({"limit": 3, "after": "a", "before": "e"}, "bcd"),
    ({"limit": 1, "before": "e", "descending": True}, "d"),
    ({"limit": 9}, "abcde"),
]


@pytest.mark.parametrize("index", [None, 1])
async def test_bounds_order_and_limit(table_with_items: Table, index: int | None) -> None:
    for bounds, expected in BOUNDS:
        found = await table_with_items.query("LIST" if index else "P", Range(**bounds), index=index)
        assert "".join(item["name"] for item in found) == expected, bounds


async def test_a_query_stays_in_its_partition(table_with_items: Table) -> None:
    assert [item["SK"] for item in await table_with_items.query("Q")] == ["z"]
    assert [item["SK"] for item in await table_with_items.query("OTHER", index=1)] == ["z"]
    assert await table_with_items.query("R") == []
    assert await table_with_items.query("LIST") == []
    assert await table_with_items.query("P", index=1) == []
    assert await table_with_items.query("LIST", index=2) == []


async def test_a_list_returns_whole_items(table: Table) -> None:
    item = {"title": "Ship", "tags": ["a"], "L1PK": "LIST", "L1SK": "1", "L2PK": "ALSO", "L2SK": "2"}
    await table.write([Put(Key("THING", "1"), item, Absent())])
    expected = [{**item, "PK": "THING", "SK": "1"}]
    assert await table.query("LIST", index=1) == expected
    assert await table.query("ALSO", index=2) == expected


async def test_an_item_moves_in_and_out_of_lists(table: Table) -> None:
    key = Key("THING")
    await table.write([Put(key, {"L1PK": "OPEN", "L1SK": "1"}, Absent())])
    await table.write([Put(key, {"L1PK": "DONE", "L1SK": "1"}, Anything())])
    assert (await table.query("OPEN", index=1), len(await table.query("DONE", index=1))) == ([], 1)
    await table.write([Put(key, {}, Anything())])
    assert await table.query("DONE", index=1) == []
    await table.write([Add(key, {"count": 1}, set_attributes={"L1PK": "COUNTED", "L1SK": "1"})])
    assert [item["count"] for item in await table.query("COUNTED", index=1)] == [1]


async def test_the_order_is_that_of_code_points(table: Table) -> None:
    names = ["A", "Z", "a", "z", "~", "ä", "ﬀ", "🙂", "0", "#", "10", "9"]
    await table.write([Put(Key("P", name), {}, Absent()) for name in names])
    assert [item["SK"] for item in await table.query("P")] == sorted(names)


async def test_more_than_a_megabyte_is_returned_whole(table: Table) -> None:
    """DynamoDB answers in pages of 1 MB."""
    text = "x" * 150_000
    for number in range(12):
        await table.write(
            [Put(Key("P", f"{number:02}"), {"text": text, "L1PK": "L", "L1SK": f"{number:02}"}, Absent())]
        )
    assert [int(item["SK"]) for item in await table.query("P")] == list(range(12))
    assert [int(item["SK"]) for item in await table.query("L", Range(limit=11), index=1)] == list(range(11))


async def test_many_items_in_one_read_in_the_order_asked_for(table_with_items: Table) -> None:
    keys = [Key("P", "c"), Key("P", "nothing"), Key("Q", "z"), Key("P", "a")]
    found = await table_with_items.get_all(keys)
    assert found == [await table_with_items.get(key) for key in keys]
    assert [item and item["SK"] for item in found] == ["c", None, "z", "a"]
    assert await table_with_items.get_all([Key("R", "x")]) == [None]
