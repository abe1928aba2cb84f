"""What a process keeps: one organization's, for a while, made once, and forgotten when it is no longer right."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.testing.service import ServiceUnderTest
from chassis.work.cache import Cached
from chassis.work.process_cache import ProcessCache
from chassis.work.scope import OrgScope
from tests.chassis.world import service

COLOUR: Cached[str] = Cached("colour", timedelta(seconds=60))
SHAPE: Cached[str] = Cached("shape", timedelta(seconds=60))


class Loads:
    """Answers `<word> 1`, `<word> 2`, ..., each when it is let go."""

    def __init__(self) -> None:
        self.count = 0
        self.gate = asyncio.Event()
        self.gate.set()

    def __call__(self, word: str = "answer") -> Callable[[], Awaitable[str]]:
        async def load() -> str:
            self.count += 1
            number = self.count
            await self.gate.wait()
            return f"{word} {number}"

        return load


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


@pytest.fixture
def scope(world: ServiceUnderTest) -> OrgScope:
    return world.scope()


async def test_it_is_kept_until_it_is_no_longer_fresh(world: ServiceUnderTest, scope: OrgScope) -> None:
    load = Loads()
    assert await COLOUR.get(scope, load()) == "answer 1"
    world.clock.advance(seconds=59.999)
    assert await COLOUR.get(scope, load()) == "answer 1"
    world.clock.advance(seconds=0.001)
    assert await COLOUR.get(scope, load()) == "answer 2"


async def test_each_organization_and_each_kind_and_each_part_has_its_own(world: ServiceUnderTest) -> None:
    load = Loads()
    acme, other = world.scope(), world.scope(org_id="org_other")
    asked = [
        COLOUR.get(acme, load()),
        COLOUR.get(other, load()),
        SHAPE.get(acme, load()),
        COLOUR.get(acme, load(), "2"),
    ]
    assert len({await each for each in asked}) == 4
    COLOUR.forget(acme)
    again = [
        COLOUR.get(acme, load()),
        COLOUR.get(other, load()),
        SHAPE.get(acme, load()),
        COLOUR.get(acme, load(), "2"),
    ]
    assert [await each for each in again] == ["answer 5", "answer 2", "answer 3", "answer 6"]


async def test_it_is_made_once_however_many_ask(scope: OrgScope) -> None:
    load = Loads()
    load.gate.clear()
    asking = [asyncio.create_task(COLOUR.get(scope, load())) for _ in range(50)]
    await asyncio.sleep(0)
    load.gate.set()
    assert set(await asyncio.gather(*asking)) == {"answer 1"}


async def test_what_is_being_made_when_it_is_forgotten_is_not_kept(scope: OrgScope) -> None:
    load = Loads()
    load.gate.clear()
    early = asyncio.create_task(COLOUR.get(scope, load("before")))
    await asyncio.sleep(0)
    COLOUR.forget(scope)
    load.gate.set()
    assert (await early, await COLOUR.get(scope, load("after"))) == ("before 1", "after 2")


async def test_who_stops_waiting_takes_it_from_nobody(scope: OrgScope) -> None:
    load = Loads()
    load.gate.clear()
    first, second = (asyncio.create_task(COLOUR.get(scope, load())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    load.gate.set()
    assert await second == "answer 1"


async def test_an_error_is_told_to_all_who_wait_and_not_kept(scope: OrgScope) -> None:
    async def fail() -> str:
        await asyncio.sleep(0)
        raise ValueError("no colour")

    outcomes = await asyncio.gather(*(COLOUR.get(scope, fail) for _ in range(3)), return_exceptions=True)
    assert [str(each) for each in outcomes] == ["no colour"] * 3
    assert await COLOUR.get(scope, Loads()()) == "answer 1"


async def test_it_is_bounded_and_lets_go_what_nobody_asked_for(world: ServiceUnderTest) -> None:
    process_cache, load = ProcessCache(most=3), Loads()
    context = replace(world.context, process_cache=process_cache)
    scopes = [replace(world.scope(), context=context, org_id=f"org_{number}") for number in range(4)]
    for each in (*scopes[:3], scopes[0], scopes[3]):
        await COLOUR.get(each, load())
    assert len(process_cache) == 3
    assert [await COLOUR.get(scopes[at], load()) for at in (0, 3, 2)] == ["answer 1", "answer 4", "answer 3"]
    assert await COLOUR.get(scopes[1], load()) == "answer 5"
    for each in scopes:
        COLOUR.forget(each)
    assert (len(process_cache), process_cache._of_org) == (0, {})
