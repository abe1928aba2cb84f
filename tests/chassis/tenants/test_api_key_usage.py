"""The use of a key is published once per ten minutes, for any number of requests and processes, and never fails one."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from chassis.auth.api_key_format import format_key
from chassis.tenants import api_key_usage as key_uses
from chassis.tenants.api_key_usage import WINDOW
from chassis.testing.service import ServiceUnderTest
from contracts.event import Envelope
from contracts.tasks import v1 as tasks
from tests.chassis.tenants.test_access_denied_events import Failing
from tests.chassis.tenants.test_api_keys import OLD, READ, ask
from tests.chassis.world import service

MINUTES = WINDOW.seconds / 60


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


async def uses(world: ServiceUnderTest) -> list[Envelope]:
    return await world.published_events(tasks.ApiKeyUsed)


async def read(world: ServiceUnderTest, key: str) -> None:
    assert (await ask(world, key)).status_code == 200


async def test_a_use_records_key_time_and_origin(world: ServiceUnderTest) -> None:
    key = await world.add_key(READ)
    assert (await ask(world, key, **{"User-Agent": "curl/8"})).status_code == 200
    [use] = await uses(world)
    assert (use.orgid, use.actor, use.data) == ("org_acme", "key_robot", {"key_id": "key_robot"})
    assert (use.time, use.clientip, use.useragent) == (world.clock.now(), "127.0.0.1", "curl/8")


async def test_many_concurrent_uses_are_published_once(world: ServiceUnderTest) -> None:
    key = await world.add_key(READ)
    await asyncio.gather(*(read(world, key) for _ in range(20)))
    assert len(await uses(world)) == 1


async def test_each_window_is_published(world: ServiceUnderTest) -> None:
    key = await world.add_key(READ)
    for minutes in (0, MINUTES - 1, 1, MINUTES):
        world.clock.advance(minutes=minutes)
        await read(world, key)
    assert len(await uses(world)) == 3


async def test_a_use_published_by_another_process_is_not_published_again(world: ServiceUnderTest) -> None:
    key = await world.add_key(READ)
    await read(world, key)
    world.api_state.api_key_usage.forget()
    await read(world, key)
    assert len(await uses(world)) == 1


async def test_a_refused_use_counts_and_an_invalid_key_has_none(world: ServiceUnderTest) -> None:
    key = await world.add_key(READ)
    assert (await ask(world, OLD)).status_code == 401
    assert (await ask(world, format_key("org_acme", "key_robot", "0" * 64))).status_code == 401
    assert await uses(world) == []
    assert (await ask(world, key, "POST")).status_code == 403
    assert len(await uses(world)) == 1


async def test_keys_and_organizations_are_separate(world: ServiceUnderTest) -> None:
    for org, key_id in (("org_acme", "key_1"), ("org_acme", "key_2"), ("org_other", "key_1")):
        await read(world, await world.add_key(READ, org_id=org, key_id=key_id))
    assert [(use.orgid, use.subject) for use in await uses(world)] == [
        ("org_acme", "key_1"),
        ("org_acme", "key_2"),
        ("org_other", "key_1"),
    ]


async def test_a_use_that_cannot_be_published_is_answered_and_published_with_the_next(
    logged: list[MutableMapping[str, Any]],
) -> None:
    table = Failing()
    world = ServiceUnderTest(service, table=table)
    key = await world.add_key(READ)
    await read(world, key)
    assert [line["api_key"] for line in logged if line["event"] == "key_use_not_told"] == ["key_robot"]
    assert await uses(world) == []
    table.down = False
    await read(world, key)
    assert len(await uses(world)) == 1


async def test_a_cancelled_request_does_not_count_as_published(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def given_up(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(key_uses, "_publish", given_up)
        with pytest.raises(asyncio.CancelledError):
            await world.api_state.api_key_usage.record(world.scope(), "key_robot")
    await read(world, await world.add_key(READ))
    assert len(await uses(world)) == 1


async def test_the_memory_of_a_process_is_bounded(world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_uses, "REMEMBERED", 1)
    keys = [await world.add_key(READ, key_id=key_id) for key_id in ("key_1", "key_2")]
    for key in [*keys, *keys]:
        await read(world, key)
    assert len(world.api_state.api_key_usage._published) == 1
    assert [use.subject for use in await uses(world)] == ["key_1", "key_2"]
