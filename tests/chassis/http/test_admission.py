"""The order of admission checks: of a request that fails all of them, each answer is that of the first one left."""

import pytest

from chassis.tenants.members import Member
from chassis.tenants.members import project as project_member
from chassis.tenants.organizations import OrganizationProfile, project
from chassis.tenants.rate_limit import RATES
from chassis.testing.service import ServiceUnderTest
from contracts.common import OrgStatus, Plan, Role
from tests.chassis.world import service

PATH, ORIGIN = "/v1/projects", "https://app.acme.example"


async def remember(world: ServiceUnderTest, *, active: bool, role: Role, version: int) -> None:
    member = Member(id="user_bo", email="bo@acme.example", name="Bo", role=role, active=active, version=version)
    await project_member(world.scope(), member)


async def describe(world: ServiceUnderTest, version: int, status: OrgStatus, *origins: str) -> None:
    profile = OrganizationProfile(
        id="org_acme", slug="acme", name="Acme", version=version, status=status, allowed_origins=origins
    )
    await project(world.scope(), profile)


async def kind(world: ServiceUnderTest, query: str = "?colour=red") -> str:
    """The problem of the request that breaks every rule, or its status."""
    async with world.client("user_bo", Role.VIEWER) as http:
        headers = {"Origin": ORIGIN, "Idempotency-Key": "one"}
        answer = await http.post(f"{PATH}{query}", json={"name": "Web"}, headers=headers)
    return str(answer.json()["type"].rpartition("/")[2] if answer.status_code >= 400 else answer.status_code)


@pytest.fixture
async def world() -> ServiceUnderTest:
    """Bo has left; the organization is suspended, allows no web page, and has used up its rate limit."""
    world = ServiceUnderTest(service)
    await describe(world, 1, OrgStatus.SUSPENDED)
    for _ in range(RATES[Plan.FREE].organization):
        await world.api_state.rate_limiter.acquire(world.scope(), Plan.FREE)
    await remember(world, active=False, role=Role.VIEWER, version=2)
    return world


async def test_each_check_comes_before_those_below_it(world: ServiceUnderTest) -> None:
    answers = [await kind(world)]
    await remember(world, active=True, role=Role.VIEWER, version=3)
    answers.append(await kind(world))
    await describe(world, 2, OrgStatus.SUSPENDED, ORIGIN)
    answers.append(await kind(world))
    world.clock.advance(minutes=2)
    answers.append(await kind(world))
    await describe(world, 3, OrgStatus.ACTIVE, ORIGIN)
    answers.append(await kind(world))
    await remember(world, active=True, role=Role.OWNER, version=4)
    answers += [await kind(world), await kind(world, query="")]
    assert answers == [
        "no-membership",
        "origin-not-allowed",
        "rate-limited",
        "organization-suspended",
        "forbidden",
        "invalid",
        "201",
    ]


async def test_a_replay_comes_last(world: ServiceUnderTest) -> None:
    """A caller who has lost the permission does not get the earlier answer."""
    world.clock.advance(minutes=2)
    await describe(world, 2, OrgStatus.ACTIVE, ORIGIN)
    await remember(world, active=True, role=Role.OWNER, version=3)
    assert [await kind(world, query=""), await kind(world, query="")] == ["201", "201"]
    await remember(world, active=True, role=Role.VIEWER, version=4)
    assert await kind(world, query="") == "forbidden"
