"""The projection of members has the same state for any order of its events."""

from itertools import permutations

import pytest

from chassis.errors import Rejected
from chassis.tenants.members import Member, MemberRepository, subscription
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.event import Event
from contracts.tenancy import v1 as tenancy
from tests.chassis.world import service

WHO = {"user_id": "user_bo", "email": "bo@acme.example", "name": "Bo"}
ADDED = tenancy.MemberAdded(role=Role.MEMBER, **WHO)
PROMOTED = tenancy.MemberRoleChanged(previous_role=Role.MEMBER, role=Role.ADMIN, **WHO)
REMOVED = tenancy.MemberRemoved(role=Role.ADMIN, **WHO)
BACK = tenancy.MemberAdded(role=Role.VIEWER, **WHO)


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


def member(role: Role, version: int, *, active: bool = True) -> Member:
    return Member(id="user_bo", email="bo@acme.example", name="Bo", role=role, active=active, version=version)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([ADDED, PROMOTED, REMOVED], member(Role.ADMIN, 3, active=False)),
        ([ADDED, PROMOTED, REMOVED, BACK], member(Role.VIEWER, 4)),
    ],
    ids=["removed", "came back"],
)
async def test_every_order_with_every_repetition_gives_the_same_state(facts: list[Event], expected: Member) -> None:
    versions = {id(fact): version for version, fact in enumerate(facts, 1)}
    for order in permutations(facts):
        world = ServiceUnderTest(service)
        for fact in [*order, *order[:2]]:
            await world.deliver(subscription, fact, version=versions[id(fact)])
        assert await MemberRepository(world.scope()).find("user_bo") == expected, [
            type(fact).__name__ for fact in order
        ]


async def test_an_old_event_after_a_newer_one_succeeds_and_changes_nothing(world: ServiceUnderTest) -> None:
    await world.deliver(subscription, REMOVED, version=3)
    await world.deliver(subscription, ADDED, version=1)
    assert await MemberRepository(world.scope()).active("user_bo") is None


async def test_a_membership_without_a_version_is_rejected(world: ServiceUnderTest) -> None:
    with pytest.raises(Rejected, match="no version"):
        await world.deliver(subscription, ADDED, version=0)
    assert await MemberRepository(world.scope()).find("user_bo") is None


async def test_members_are_listed_while_they_are_active(world: ServiceUnderTest) -> None:
    for name in ("cy", "ada", "bo"):
        await world.add_member(f"user_{name}")
    await world.deliver(subscription, REMOVED, version=2)
    assert [each.id async for each in MemberRepository(world.scope()).all_active()] == ["user_ada", "user_cy"]


async def test_members_of_another_organization_are_not_known(world: ServiceUnderTest) -> None:
    await world.deliver(subscription, ADDED, org_id="org_other")
    assert await MemberRepository(world.scope()).find("user_bo") is None
    assert [each async for each in MemberRepository(world.scope()).all_active()] == []
