"""The cache of a process: entries belong to one organization, are loaded once, expire, and can be invalidated."""

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
    """A loader that answers `<word> 1`, `<word> 2`, ..., each when it is released."""

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


async def test_an_entry_is_cached_until_it_expires(world: ServiceUnderTest, scope: OrgScope) -> None:
    load = Loads()
    assert await COLOUR.get(scope, load()) == "answer 1"
    world.clock.advance(seconds=59.999)
    assert await COLOUR.get(scope, load()) == "answer 1"
    world.clock.advance(seconds=0.001)
    assert await COLOUR.get(scope, load()) == "answer 2"


async def test_each_organization_cache_and_discriminator_has_its_own_entry(world: ServiceUnderTest) -> None:
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


async def test_an_entry_is_loaded_once_for_concurrent_readers(scope: OrgScope) -> None:
    load = Loads()
    load.gate.clear()
    asking = [asyncio.create_task(COLOUR.get(scope, load())) for _ in range(50)]
    await asyncio.sleep(0)
    load.gate.set()
    assert set(await asyncio.gather(*asking)) == {"answer 1"}


async def test_an_entry_that_is_invalidated_while_it_loads_is_not_cached(scope: OrgScope) -> None:
    load = Loads()
    load.gate.clear()
    early = asyncio.create_task(COLOUR.get(scope, load("before")))
    await asyncio.sleep(0)
    COLOUR.forget(scope)
    load.gate.set()
    assert (await early, await COLOUR.get(scope, load("after"))) == ("before 1", "after 2")


async def test_a_cancelled_reader_does_not_affect_the_others(scope: OrgScope) -> None:
    load = Loads()
    load.gate.clear()
    first, second = (asyncio.create_task(COLOUR.get(scope, load())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    load.gate.set()
    assert await second == "answer 1"


async def test_an_error_reaches_all_readers_and_is_not_cached(scope: OrgScope) -> None:
    async def fail() -> str:
        await asyncio.sleep(0)
        raise ValueError("no colour")

    outcomes = await asyncio.gather(*(COLOUR.get(scope, fail) for _ in range(3)), return_exceptions=True)
    assert [str(each) for each in outcomes] == ["no colour"] * 3
    assert await COLOUR.get(scope, Loads()()) == "answer 1"


async def test_the_cache_is_bounded_and_evicts_unused_entries(world: ServiceUnderTest) -> None:
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
