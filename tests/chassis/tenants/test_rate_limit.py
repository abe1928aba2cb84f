"""Rate limits: exact under concurrency, reported in every answer, and separate for each organization."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from chassis.errors import Unavailable
from chassis.storage.keys import Key
from chassis.storage.rate_limit_store import CounterLevels
from chassis.storage.table import Table
from chassis.tenants.rate_limit import PERSONS_RATE, RATES, WINDOW, RateLimited
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ACME, ServiceUnderTest
from contracts.common import Plan, Role
from tests.chassis.world import service

LIST = "/v1/projects"
FREE = RATES[Plan.FREE]


class InterleavingTable(MemoryTable):
    """A table that lets other tasks run around every update, as a network does, and counts executed updates."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = self.written = 0

    async def advance_counters(self, key: Key, steps: Mapping[str, int], **bounds: Any) -> CounterLevels:
        self.asked += 1
        await asyncio.sleep(0)
        levels = await super().advance_counters(key, steps, **bounds)
        self.written += levels.raised
        await asyncio.sleep(0)
        return levels


@pytest.fixture
def limited() -> ServiceUnderTest:
    return ServiceUnderTest(service, table=InterleavingTable())


async def count_admitted(
    world: ServiceUnderTest, requests: int, plan: Plan = Plan.FREE, api_key: str | None = None, org_id: str = ACME
) -> int:
    """The number of admitted requests among so many at once."""
    limiter, scope = world.api_state.rate_limiter, world.scope(org_id=org_id)
    results = await asyncio.gather(
        *(limiter.acquire(scope, plan, api_key) for _ in range(requests)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, RateLimited)]
    assert len(refused) + sum(not isinstance(result, BaseException) for result in results) == requests, results
    return requests - len(refused)


async def test_of_two_hundred_concurrent_requests_exactly_as_many_as_allowed_are_admitted(table: Table) -> None:
    world, other = ServiceUnderTest(service, table=table), ServiceUnderTest(service, table=table)
    counts = await asyncio.gather(count_admitted(world, 100), count_admitted(other, 100))  # two processes
    assert sum(counts) == FREE.organization
    assert await count_admitted(world, 10) + await count_admitted(other, 10) == 0


async def test_of_two_hundred_interleaved_requests_exactly_as_many_as_allowed_are_admitted(
    limited: ServiceUnderTest,
) -> None:
    assert await count_admitted(limited, 200) == FREE.organization


async def test_each_admitted_request_is_one_write_and_a_flood_soon_needs_none(limited: ServiceUnderTest) -> None:
    table = limited.table
    assert isinstance(table, InterleavingTable)
    for _ in range(FREE.organization + 1):
        await count_admitted(limited, 1)
    assert (table.written, table.asked) == (FREE.organization, FREE.organization)
    await count_admitted(limited, 500)
    assert table.asked == FREE.organization


async def test_one_organizations_flood_costs_another_nothing(limited: ServiceUnderTest) -> None:
    await count_admitted(limited, 300)
    table = limited.table
    assert isinstance(table, InterleavingTable)
    asked = table.asked
    assert await count_admitted(limited, 1, org_id="org_other") == 1
    await count_admitted(limited, 300)
    assert table.asked == asked + 1


async def test_the_limit_refills_steadily(limited: ServiceUnderTest) -> None:
    await count_admitted(limited, FREE.organization)
    limited.clock.advance(seconds=WINDOW.total_seconds() / FREE.organization)
    assert await count_admitted(limited, 3) == 1
    limited.clock.advance(seconds=WINDOW.total_seconds() / 2)
    assert await count_admitted(limited, 200) == FREE.organization // 2
    limited.clock.advance(seconds=WINDOW.total_seconds())
    assert await count_admitted(limited, 200) == FREE.organization


async def test_a_wrong_clock_locks_nobody_out(limited: ServiceUnderTest) -> None:
    limited.clock.advance(hours=1)
    assert await count_admitted(limited, 200) == FREE.organization
    limited.clock.advance(hours=-1)
    assert await count_admitted(limited, 200) == FREE.organization


async def test_a_key_has_a_limit_of_its_own_within_that_of_its_organization(limited: ServiceUnderTest) -> None:
    assert await count_admitted(limited, 80, api_key="key_one") == FREE.api_key
    assert await count_admitted(limited, 1) == 1  # people still have their share
    assert await count_admitted(limited, 80, api_key="key_two") == FREE.organization - FREE.api_key - 1


async def test_a_refused_request_of_a_key_is_not_charged_to_its_organization(limited: ServiceUnderTest) -> None:
    await count_admitted(limited, 500, api_key="key_one")
    assert await count_admitted(limited, 200) == FREE.organization - FREE.api_key


@pytest.mark.parametrize("plan", list(Plan))
async def test_each_plan_has_its_limit(limited: ServiceUnderTest, plan: Plan) -> None:
    rate = RATES[plan]
    assert await count_admitted(limited, rate.organization + 5, plan) == rate.organization


def test_a_better_plan_allows_more() -> None:
    rates = [RATES[plan] for plan in Plan]
    assert rates == sorted(rates, key=lambda rate: (rate.organization, rate.api_key))
    assert all(0 < rate.api_key < rate.organization for rate in rates)


async def test_cached_levels_never_admit(limited: ServiceUnderTest) -> None:
    """Another process has used up the limit; this one remembers that there was room."""
    await count_admitted(limited, 1)
    other = ServiceUnderTest(service, table=limited.table)
    await count_admitted(other, 200)
    assert await count_admitted(limited, 5) == 0


def left(answer: httpx.Response) -> tuple[int, ...]:
    return tuple(int(answer.headers[f"ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))


async def test_answers_have_the_remaining_requests(limited: ServiceUnderTest) -> None:
    async with limited.client() as http:
        assert left(await http.get(LIST)) == (100, 99, 1)
        limited.clock.advance(milliseconds=200)
        assert left(await http.get(LIST)) == (100, 98, 1)
        assert left(await http.get(LIST)) == (100, 97, 2)
        limited.clock.advance(seconds=60)
        assert left(await http.get(LIST)) == (100, 99, 1)


async def test_a_refused_request_gets_retry_after(limited: ServiceUnderTest) -> None:
    async with limited.client() as http:
        await count_admitted(limited, FREE.organization)
        refused = await http.get(LIST)
        assert (refused.status_code, refused.headers["retry-after"], left(refused)) == (429, "1", (100, 0, 60))
        assert refused.json()["type"].endswith("/rate-limited")
        limited.clock.advance(seconds=float(refused.headers["retry-after"]))
        assert (await http.get(LIST)).status_code == 200


async def test_refused_requests_of_members_are_charged(limited: ServiceUnderTest) -> None:
    async with limited.client("user_bo", Role.VIEWER) as http:
        forbidden = await http.post(LIST, json={"name": "Web"})
        absent = await http.get(f"{LIST}/proj_nothing")
    assert (forbidden.status_code, left(forbidden)) == (403, (100, 99, 1))
    assert (absent.status_code, left(absent)) == (404, (100, 98, 2))


async def test_requests_of_strangers_are_not_charged(limited: ServiceUnderTest) -> None:
    async with limited.client(None) as http:
        for _ in range(3):
            assert (await http.get(LIST, headers={"Authorization": "Bearer x"})).status_code == 401
    assert await count_admitted(limited, 200) == FREE.organization


async def test_a_table_that_does_not_answer_admits_nobody(limited: ServiceUnderTest) -> None:
    async def down(*_: object, **__: object) -> CounterLevels:
        raise Unavailable("down")

    limited.table.advance_counters = down  # type: ignore[attr-defined]
    async with limited.client() as http:
        assert (await http.get(LIST)).status_code == 503


# --- outside of organizations

MINE = f"{LIST}/proj_1/invalid"
"""A route for anybody signed in."""


async def test_a_person_has_a_limit_outside_of_organizations(limited: ServiceUnderTest) -> None:
    async with limited.client("user_bo", org_id=None) as http:
        assert left(await http.get(MINE)) == (PERSONS_RATE, PERSONS_RATE - 1, 1)
        answers = await asyncio.gather(*(http.get(MINE) for _ in range(PERSONS_RATE + 50)))
        assert sum(answer.status_code != 429 for answer in answers) == PERSONS_RATE - 1
        refused = await http.get(MINE)
        assert (refused.status_code, refused.headers["retry-after"], left(refused)) == (429, "1", (PERSONS_RATE, 0, 60))
        limited.clock.advance(seconds=1)
        assert (await http.get(MINE)).status_code == 422


async def test_the_limit_of_a_person_is_separate_from_their_organizations(limited: ServiceUnderTest) -> None:
    async with limited.client("user_bo") as http:
        for _ in range(PERSONS_RATE + 1):
            answer = await http.get(MINE)
        assert answer.status_code == 429
        assert left(await http.get(LIST)) == (FREE.organization, FREE.organization - 1, 1)
    async with limited.client("user_cy") as http:
        assert left(await http.get(MINE)) == (PERSONS_RATE, PERSONS_RATE - 1, 1)
