"""A repeated request gets the answer of the first, and its effect exists once."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import httpx
import pytest

from chassis.errors import Unavailable
from chassis.http import route
from chassis.http.idempotency import HEADER, MAX_KEY
from chassis.storage.keys import Key
from chassis.storage.table import Item, Table, WriteOperation
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from tests.chassis.world import service

PROJECTS = "/v1/projects"


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


async def post(
    world: ServiceUnderTest, key: str | None = "k1", name: str = "Web", *, path: str = PROJECTS, **client: Any
) -> httpx.Response:
    async with world.client(**client) as http:
        return await http.post(path, json={"name": name}, headers={} if key is None else {HEADER: key})


async def names(world: ServiceUnderTest, **client: Any) -> list[str]:
    async with world.client(**client) as http:
        return [each["name"] for each in (await http.get(PROJECTS)).json()["items"]]


async def test_a_repetition_gets_the_first_answer_and_has_no_effect(world: ServiceUnderTest) -> None:
    first, again = await post(world), await post(world)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await names(world) == ["Web"]
    assert len(await world.published_events()) == 1


async def test_without_the_header_each_request_counts(world: ServiceUnderTest) -> None:
    """Control of the test above."""
    await post(world, None)
    await post(world, None)
    assert await names(world) == ["Web", "Web"]


async def test_another_key_is_another_request(world: ServiceUnderTest) -> None:
    await post(world, "k1")
    await post(world, "k2")
    assert len(await names(world)) == 2


@pytest.mark.parametrize("change", [{"name": "App"}, {"path": f"{PROJECTS}?copies=2"}], ids=str)
async def test_the_same_key_for_another_request_is_refused(world: ServiceUnderTest, change: dict[str, str]) -> None:
    await post(world)
    answer = await post(world, **change)
    assert answer.status_code == 422
    assert HEADER in answer.json()["detail"]
    assert await names(world) == ["Web"]


async def test_keys_of_two_people_are_separate(world: ServiceUnderTest) -> None:
    await post(world, user_id="user_ada")
    answer = await post(world, user_id="user_bo")
    assert "idempotency-replayed" not in answer.headers
    assert len(await names(world)) == 2


async def test_keys_of_people_without_a_membership_are_separate(world: ServiceUnderTest) -> None:
    path = f"{PROJECTS}/suggestions"
    answers = [await post(world, name=name, path=path, user_id=None) for name in ("Web", "App", "Web")]
    assert [answer.json() for answer in answers] == ["new", "new", "known"]


async def test_keys_of_two_organizations_are_separate(world: ServiceUnderTest) -> None:
    await post(world, org_id="org_acme")
    await post(world, org_id="org_other")
    assert (await names(world, org_id="org_acme"), await names(world, org_id="org_other")) == (["Web"], ["Web"])


async def test_a_lost_permission_also_ends_stored_answers(world: ServiceUnderTest) -> None:
    await post(world)
    assert (await post(world, role=Role.VIEWER)).status_code == 403


async def test_a_refusal_is_not_stored_so_that_the_request_can_be_corrected(world: ServiceUnderTest) -> None:
    async with world.client() as http:
        refused = await http.post(PROJECTS, json={"name": ""}, headers={HEADER: "k1"})
    assert refused.status_code == 422
    assert (await post(world)).status_code == 201


async def test_after_a_crash_between_effect_and_answer_the_first_answer_is_given(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if a check before the effect would refuse the request now."""

    async def dies(*_: Any) -> None:
        raise SystemError("killed")

    with monkeypatch.context() as crash:
        crash.setattr(route, "record_answer", dies)
        assert (await post(world)).status_code == 500
    async with world.client() as http:
        [made] = (await http.get(PROJECTS)).json()["items"]
        await http.delete(f"{PROJECTS}/{made['id']}")
    assert (await post(world, name="App")).status_code == 422
    again = await post(world)
    assert (again.status_code, again.json()) == (201, made)
    assert await names(world) == []
    assert len(await world.published_events()) == 1


async def test_a_try_that_was_overtaken_is_not_answered_with_its_refusal(world: ServiceUnderTest) -> None:
    """The other try removes the project between the guard of this one and its own read."""
    project = (await post(world, None)).json()["id"]
    table, overtaken, looks = cast("MemoryTable", world.table), asyncio.Event(), iter(range(9))
    get = table.get

    async def slow_at_first(key: Key) -> Item | None:
        if "#PROJECT#" in key.pk and next(looks) == 0:
            await asyncio.wait_for(overtaken.wait(), 10)
        return await get(key)

    table.get = slow_at_first  # type: ignore[method-assign]
    path, headers = f"{PROJECTS}/{project}", {HEADER: "k1"}
    async with world.client() as http:
        slow = asyncio.create_task(http.delete(path, headers=headers))
        await asyncio.sleep(0)
        other = await http.delete(path, headers=headers)
        overtaken.set()
        assert [other.status_code, (await slow).status_code] == [204, 204]


async def test_a_committed_request_whose_store_did_not_answer_is_answered(world: ServiceUnderTest) -> None:
    table = cast("MemoryTable", world.table)
    write = table.write

    async def unheard(operations: Sequence[WriteOperation]) -> None:
        await write(operations)
        raise Unavailable("The store does not answer; try again.")

    table.write = unheard  # type: ignore[method-assign]
    assert (await post(world)).status_code == 201
    assert (await post(world, None)).status_code == 503


async def test_a_crash_before_the_effect_leaves_the_key_free(world: ServiceUnderTest) -> None:
    table = cast("MemoryTable", world.table)
    write = table.write

    async def dies(operations: Sequence[WriteOperation]) -> None:
        raise SystemError("killed")

    table.write = dies  # type: ignore[method-assign]
    assert (await post(world)).status_code == 500
    table.write = write  # type: ignore[method-assign]
    assert (await post(world)).status_code == 201
    assert await names(world) == ["Web"]


async def test_of_fifty_concurrent_requests_one_has_the_effect_and_all_get_its_answer(table: Table) -> None:
    world = ServiceUnderTest(service, table=table)

    async def post_until_answered() -> httpx.Response:
        """Repeat a try that an overloaded store did not answer in time, as its answer asks."""
        for _ in range(10):
            answer = await post(world)
            if answer.status_code != 503:
                break
        return answer

    answers = await asyncio.gather(*(post_until_answered() for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await names(world) == ["Web"]
    assert len(await world.published_events()) == 1


async def test_an_answer_without_a_body_is_replayed(world: ServiceUnderTest) -> None:
    project = (await post(world, None)).json()["id"]
    async with world.client() as http:
        first = await http.delete(f"{PROJECTS}/{project}", headers={HEADER: "k1"})
        again = await http.delete(f"{PROJECTS}/{project}", headers={HEADER: "k1"})
        other = await http.delete(f"{PROJECTS}/{project}", headers={HEADER: "k2"})
    assert (first.status_code, again.status_code, other.status_code) == (204, 204, 404)
    assert again.content == b""


@pytest.mark.parametrize("key", ["", "x" * (MAX_KEY + 1)])
async def test_an_invalid_key_is_refused(world: ServiceUnderTest, key: str) -> None:
    assert (await post(world, key)).status_code == 422
    assert (await post(world, "x" * MAX_KEY)).status_code == 201


async def test_an_answer_too_large_for_an_item_is_not_stored_and_the_effect_exists_once(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored with the effect, it would make DynamoDB refuse both."""
    monkeypatch.setattr("chassis.http.idempotency.MAX_ANSWER", 10)
    first, again = await post(world), await post(world)
    assert (first.status_code, again.status_code) == (201, 409)
    assert await names(world) == ["Web"]


async def test_answers_and_claims_expire_in_the_store(world: ServiceUnderTest) -> None:
    await post(world)
    kept = [item for key, item in cast("MemoryTable", world.table).items.items() if "#IDEMPOTENCY#" in key.pk]
    assert len(kept) == 1
    assert {(item["expires_at"] - world.clock.now().timestamp()) / 3600 for item in kept} == {24}
