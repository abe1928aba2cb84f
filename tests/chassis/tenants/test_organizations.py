"""The projection of organizations has the same state for any order of its events, and its cache follows."""

from itertools import permutations
from typing import Any

import pytest

from chassis.errors import NotYet, Rejected
from chassis.tenants.members import subscription
from chassis.tenants.organizations import OrganizationProfile, OrganizationProfileRepository, profile_of
from chassis.testing.service import ServiceUnderTest
from contracts.common import OrgStatus, Plan
from contracts.event import Event
from contracts.tenancy import v1 as tenancy
from tests.chassis.world import service
from verification.isolation.recording import RecordingTable

ORIGIN = "https://app.acme.example"


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


def state(**changes: Any) -> tenancy.OrganizationState:
    values = {"slug": "acme", "name": "Acme", "plan": Plan.FREE, "status": OrgStatus.ACTIVE, "allowed_origins": []}
    return tenancy.OrganizationState(**(values | changes))


def organization_created(organization: tenancy.OrganizationState | None) -> Event:
    return tenancy.OrganizationCreated(
        org_id="org_acme",
        slug="acme",
        name="Acme",
        plan=Plan.FREE,
        owner_id="user_ada",
        personal=False,
        organization=organization,
    )


def plan_changed(organization: tenancy.OrganizationState | None, plan: Plan = Plan.STARTER) -> Event:
    return tenancy.PlanChanged(org_id="org_acme", previous_plan=Plan.FREE, plan=plan, organization=organization)


def organization_changed(organization: tenancy.OrganizationState) -> Event:
    return tenancy.OrganizationChanged(org_id="org_acme", organization=organization, previous_organization=state())


def profile(version: int, **changes: Any) -> OrganizationProfile:
    return OrganizationProfile(id="org_acme", version=version, **state(**changes).model_dump())


async def test_every_order_with_every_repetition_gives_the_same_state() -> None:
    starter = state(plan=Plan.STARTER)
    renamed = state(plan=Plan.STARTER, name="Acme Ltd", allowed_origins=[ORIGIN])
    last = state(plan=Plan.FREE, name="Acme Ltd", allowed_origins=[ORIGIN])
    # Between 2 and 5 an owner was added, which has no event of its own.
    facts = [
        (1, organization_created(state())),
        (2, plan_changed(starter)),
        (5, organization_changed(renamed)),
        (6, plan_changed(last, Plan.FREE)),
    ]
    for order in permutations(facts):
        world = ServiceUnderTest(service)
        for version, fact in [*order, *order[:2]]:
            await world.deliver(subscription, fact, version=version)
            assert await profile_of(world.scope()) == await OrganizationProfileRepository(world.scope()).find(
                "org_acme"
            )
        found = await profile_of(world.scope())
        assert found == profile(6, name="Acme Ltd", allowed_origins=[ORIGIN]), [version for version, _ in order]


async def test_events_of_an_older_tenancy_without_the_state_are_handled(world: ServiceUnderTest) -> None:
    await world.deliver(subscription, organization_created(None), version=1)
    await world.deliver(subscription, plan_changed(None), version=2)
    await world.deliver(subscription, plan_changed(None, Plan.ENTERPRISE), version=1)
    assert await profile_of(world.scope()) == profile(2, plan=Plan.STARTER)


async def test_a_change_without_a_state_waits_for_its_organization(world: ServiceUnderTest) -> None:
    with pytest.raises(NotYet):
        await world.deliver(subscription, plan_changed(None), version=2)


async def test_an_organization_without_a_version_is_refused(world: ServiceUnderTest) -> None:
    with pytest.raises(Rejected, match="no version"):
        await world.deliver(subscription, organization_created(state()), version=0)


async def test_the_cache_reads_once_and_is_invalidated_by_the_event() -> None:
    table = RecordingTable()
    world = ServiceUnderTest(service, table=table)
    assert [await profile_of(world.scope()) for _ in range(3)] == [None] * 3
    await world.deliver(subscription, organization_created(state()), version=1)
    assert [await profile_of(world.scope()) for _ in range(3)] == [profile(1)] * 3
    assert [call.name for call in table.calls] == ["get", "write", "get"]


async def test_another_process_sees_a_change_within_five_minutes(world: ServiceUnderTest) -> None:
    await world.deliver(subscription, organization_created(state()), version=1)
    other = ServiceUnderTest(service, table=world.table)
    assert await profile_of(other.scope()) == profile(1)
    await world.deliver(subscription, plan_changed(state(plan=Plan.STARTER)), version=2)
    assert await profile_of(other.scope()) == profile(1)
    other.clock.advance(seconds=300)
    assert await profile_of(other.scope()) == profile(2, plan=Plan.STARTER)
