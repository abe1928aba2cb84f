"""Lists with several shards read like one; work queues list the waiting work of all organizations."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import Invalid
from chassis.storage.keys import shard_of
from chassis.storage.table import Absent, Anything
from chassis.storage.work_queue import PART, WorkQueue
from chassis.testing.service import ServiceUnderTest
from chassis.work.repository import Listing, PageRequest
from tests.chassis.world import service

LISTING = Listing(index=2, name="THINGS", shards=3)
WORK = WorkQueue(index=1, name="WORK", shards=2)


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


async def fill(world: ServiceUnderTest, names: list[str], *, org_id: str = "org_acme", of: str = "") -> None:
    scope = world.scope(org_id=org_id)
    for name in names:
        unit = scope.unit_of_work()
        lists = [LISTING.entry(scope, name, name[:1], of)]
        unit.put(scope.key("THING", f"{of}{name}"), {"name": name}, expect=Absent(), lists=lists)
        await unit.commit()


async def pages(world: ServiceUnderTest, limit: int, **options: Any) -> list[list[str]]:
    found, cursor = [], None
    while True:
        page = await LISTING.page(world.scope(), PageRequest(limit=limit, cursor=cursor), **options)
        found.append([item["name"] for item in page.items])
        if page.next is None:
            return found
        cursor = page.next


@settings(max_examples=40)
@given(
    names=st.lists(st.text("abc", min_size=1, max_size=4), unique=True, max_size=12),
    limit=st.integers(1, 5),
    descending=st.booleans(),
)
async def test_pages_are_the_whole_list_in_order_without_duplicates(
    names: list[str], limit: int, descending: bool
) -> None:
    world = ServiceUnderTest(service)
    await fill(world, names)
    found = await pages(world, limit, descending=descending)
    assert [name for page in found for name in page] == sorted(names, key=lambda n: f"{n[:1]}#{n}", reverse=descending)
    assert all(len(page) == limit for page in found[:-1])


async def test_bounds_hold_on_every_page(world: ServiceUnderTest) -> None:
    await fill(world, ["a1", "b1", "b2", "b3", "c1"])
    assert await pages(world, 2, after="b", before="c") == [["b1", "b2"], ["b3"]]
    assert await pages(world, 2, after="b", before="c", descending=True) == [["b3", "b2"], ["b1"]]
    assert await pages(world, 2, after="c", before="b") == [[]]


async def test_a_cursor_continues_although_its_item_is_deleted(world: ServiceUnderTest) -> None:
    await fill(world, ["a1", "b1", "c1"])
    page = await LISTING.page(world.scope(), PageRequest(limit=2))
    await world.table.discard([world.scope().key("THING", "b1")])
    page = await LISTING.page(world.scope(), PageRequest(limit=2, cursor=page.next))
    assert [item["name"] for item in page.items] == ["c1"]


async def test_a_list_belongs_to_one_owner(world: ServiceUnderTest) -> None:
    await fill(world, ["a1"])
    await fill(world, ["b1"], of="proj_1")
    await fill(world, ["c1"], org_id="org_other")
    assert await pages(world, 5) == [["a1"]]
    assert await pages(world, 5, of="proj_1") == [["b1"]]


@pytest.mark.parametrize(
    ("org_id", "options"),
    [
        ("org_other", {}),
        ("org_acme", {"of": "proj_1"}),
        ("org_acme", {"descending": True}),
        ("org_acme", {"after": "a"}),
    ],
    ids=str,
)
async def test_a_cursor_is_valid_for_its_own_list_only(
    world: ServiceUnderTest, org_id: str, options: dict[str, Any]
) -> None:
    await fill(world, ["a1", "b1"])
    page = await LISTING.page(world.scope(), PageRequest(limit=1))
    assert (await LISTING.page(world.scope(), PageRequest(cursor=page.next))).items
    with pytest.raises(Invalid, match="does not belong to this list"):
        await LISTING.page(world.scope(org_id=org_id), PageRequest(cursor=page.next), **options)


async def test_no_bit_of_a_cursor_can_be_changed(world: ServiceUnderTest) -> None:
    await fill(world, ["a1", "b1"])
    cursor = (await LISTING.page(world.scope(), PageRequest(limit=1))).next
    assert cursor is not None
    content = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for bit in range(len(content) * 8):
        edited = bytearray(content)
        edited[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Invalid):
            await LISTING.page(world.scope(), PageRequest(cursor=urlsafe_b64encode(edited).decode()))


@pytest.mark.parametrize("cursor", ["", "a", "____", "not base64!", "\u00fc", "\x00"])
async def test_a_foreign_cursor_is_refused(world: ServiceUnderTest, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        await LISTING.page(world.scope(), PageRequest(cursor=cursor))
    assert [error.field for error in refused.value.fields] == ["query.cursor"]


async def test_walking_visits_every_item(world: ServiceUnderTest) -> None:
    names = [f"a{number:04}" for number in range(450)]
    await fill(world, names)
    assert [item["name"] async for item in LISTING.walk(world.scope())] == names


async def wait(world: ServiceUnderTest, org_id: str, id: str) -> None:  # noqa: A002
    scope = world.scope(org_id=org_id)
    unit = scope.unit_of_work()
    unit.put(scope.key("JOB", id), {"id": id, "org_id": org_id}, expect=Anything(), lists=[WORK.entry(id)])
    await unit.commit()


async def test_work_of_all_organizations_is_found_once_and_in_order(world: ServiceUnderTest) -> None:
    ids = [f"{number:04}" for number in range(2 * PART + 150)]
    for number, id in enumerate(ids):  # noqa: A001
        await wait(world, f"org_{number % 3}", id)
    parts = [[item["id"] for item in part] async for part in WORK.parts(world.table)]
    assert sorted(id for part in parts for id in part) == ids  # noqa: A001
    for shard in range(2):
        found = [id for part in parts for id in part if shard_of(id, 2) == shard]  # noqa: A001
        assert found == sorted(found)


async def test_finished_work_is_removed_and_other_work_waits_again(world: ServiceUnderTest) -> None:
    for id in ("a", "b"):  # noqa: A001
        await wait(world, "org_acme", id)
    async for part in WORK.parts(world.table):
        for item in part:
            scope = world.scope(org_id=item["org_id"])
            unit = scope.unit_of_work()
            if item["id"] == "a":
                unit.put(scope.key("JOB", "a"), {"id": "a"}, expect=Anything())
            await unit.commit()
    assert [item["id"] async for part in WORK.parts(world.table) for item in part] == ["b"]
