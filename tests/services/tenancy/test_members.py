import asyncio

import pytest

from contracts.common import Plan, Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.errors import RoleTooHigh
from services.tenancy.members.model import check_can_change, check_can_give
from tests.services.tenancy.world import NO_OVERRIDES, InterleavingTable, World, email_of, is_problem


async def test_members_are_listed_without_those_who_left(world: World) -> None:
    org_id = await world.organization()
    for user in ("bo", "cy", "di"):
        await world.join(org_id, user, Role.VIEWER)
    await world.remove(org_id, "ada", "cy")
    page = (await world.call("bo", "GET", f"/organizations/{org_id}/members?limit=2")).json()
    rest = (await world.call("bo", "GET", f"/organizations/{org_id}/members?cursor={page['next']}")).json()
    assert page["items"] + rest["items"] == [
        {"user_id": "user_ada", "email": email_of("ada"), "name": "Ada", "role": "owner", **NO_OVERRIDES, "version": 1},
        {"user_id": "user_bo", "email": email_of("bo"), "name": "Bo", "role": "viewer", **NO_OVERRIDES, "version": 1},
        {"user_id": "user_di", "email": email_of("di"), "name": "Di", "role": "viewer", **NO_OVERRIDES, "version": 1},
    ]


async def test_a_role_changes_once(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo")
    changed = await world.change_role(org_id, "ada", "bo", Role.MANAGER)
    assert (changed.status_code, changed.json()["role"], changed.json()["version"]) == (200, "manager", 2)
    same = await world.change_role(org_id, "ada", "bo", Role.MANAGER)
    assert (same.status_code, same.json()) == (200, changed.json())
    [event] = await world.events(tenancy.MemberRoleChanged)
    assert (event.orgid, event.actor, event.subject, event.aggregateversion) == (org_id, "user_ada", "user_bo", 2)
    assert event.data == {
        "user_id": "user_bo",
        "email": email_of("bo"),
        "name": "Bo",
        "previous_role": "member",
        "role": "manager",
        **NO_OVERRIDES,
    }
    assert (await world.members(org_id))["bo"] == "manager"


@pytest.mark.parametrize(
    ("by", "target", "role"),
    [
        (Role.ADMIN, Role.MEMBER, Role.OWNER),
        (Role.ADMIN, Role.OWNER, Role.VIEWER),
        (Role.MANAGER, Role.VIEWER, Role.MEMBER),
        (Role.VIEWER, Role.VIEWER, Role.VIEWER),
    ],
)
async def test_a_role_above_ones_own_is_out_of_reach(world: World, by: Role, target: Role, role: Role) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", by)
    await world.join(org_id, "cy", target)
    answer = await world.change_role(org_id, "bo", "cy", role)
    assert is_problem(answer, 403, "forbidden")
    assert answer.json()["operation"] == "tenancy.member.change_role"
    assert (await world.members(org_id))["cy"] == target
    assert await world.events(tenancy.MemberRoleChanged) == []


async def test_an_admin_may_not_raise_themselves_but_may_step_down(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.ADMIN)
    assert is_problem(await world.change_role(org_id, "bo", "bo", Role.OWNER), 403, "forbidden")
    assert (await world.change_role(org_id, "bo", "bo", Role.VIEWER)).status_code == 200
    assert is_problem(await world.change_role(org_id, "bo", "bo", Role.ADMIN), 403, "forbidden")


async def test_the_last_owner_stays_until_there_is_another(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.ADMIN)
    assert is_problem(await world.change_role(org_id, "ada", "ada", Role.ADMIN), 409, "conflict", "owner")
    assert is_problem(await world.remove(org_id, "ada", "ada"), 409, "conflict", "owner")
    await world.change_role(org_id, "ada", "bo", Role.OWNER)
    assert (await world.remove(org_id, "ada", "ada")).status_code == 204
    assert await world.members(org_id, "bo") == {"bo": "owner"}
    read = (await world.call("bo", "GET", f"/organizations/{org_id}")).json()
    assert read["owner_id"] == "user_bo"


async def test_an_invited_owner_counts_as_one(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.OWNER)
    assert (await world.remove(org_id, "bo", "ada")).status_code == 204
    assert is_problem(await world.remove(org_id, "bo", "bo"), 409, "conflict", "owner")


async def test_two_owners_cannot_leave_at_once() -> None:
    world = World(InterleavingTable())
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.OWNER)
    answers = await asyncio.gather(
        world.remove(org_id, "ada", "ada"), world.change_role(org_id, "bo", "bo", Role.ADMIN)
    )
    assert sorted(answer.status_code for answer in answers)[1] == 409
    assert sum(answer.status_code < 300 for answer in answers) == 1


async def test_who_is_removed_is_out_and_their_seat_free(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.MANAGER)
    assert await world.seats(org_id) == 2
    assert (await world.remove(org_id, "ada", "bo")).status_code == 204
    assert await world.seats(org_id) == 1
    [event] = await world.events(tenancy.MemberRemoved)
    assert (event.orgid, event.actor, event.subject, event.aggregateversion) == (org_id, "user_ada", "user_bo", 2)
    assert event.data == {
        "user_id": "user_bo",
        "email": email_of("bo"),
        "name": "Bo",
        "role": "manager",
        **NO_OVERRIDES,
    }
    assert is_problem(await world.call("bo", "GET", f"/organizations/{org_id}"), 404, "not-found")
    row = await world.sut.table.get(world.sut.scope(org_id=org_id).key("MEMBER", "user_bo"))
    assert row is not None
    assert (row["active"], row["version"]) == (False, 2)


async def test_removing_again_changes_nothing(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo")
    await world.remove(org_id, "ada", "bo")
    assert (await world.remove(org_id, "ada", "bo")).status_code == 204
    assert (len(await world.events(tenancy.MemberRemoved)), await world.seats(org_id)) == (1, 1)


async def test_a_repeated_removal_does_not_remove_who_came_back(world: World) -> None:
    org_id = await world.organization()
    path = f"/organizations/{org_id}/members/user_bo"
    await world.join(org_id, "bo")
    assert (await world.call("ada", "DELETE", path, key="k")).status_code == 204
    await world.join(org_id, "bo")
    assert (await world.call("ada", "DELETE", path, key="k")).status_code == 204
    assert "bo" in await world.members(org_id)


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.OWNER])
async def test_everybody_may_leave(world: World, role: Role) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", role)
    assert (await world.remove(org_id, "bo", "bo")).status_code == 204
    assert await world.members(org_id) == {"ada": "owner"}


@pytest.mark.parametrize(
    ("by", "target"),
    [(Role.MANAGER, Role.VIEWER), (Role.VIEWER, Role.VIEWER), (Role.ADMIN, Role.OWNER)],
)
async def test_who_may_not_remove(world: World, by: Role, target: Role) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", by)
    await world.join(org_id, "cy", target)
    answer = await world.remove(org_id, "bo", "cy")
    assert is_problem(answer, 403, "forbidden")
    assert answer.json()["operation"] == "tenancy.member.remove"
    assert "cy" in await world.members(org_id)


async def test_who_was_never_a_member_is_not_found(world: World) -> None:
    org_id = await world.organization()
    await world.organization("bo", "other", Plan.FREE)
    assert is_problem(await world.remove(org_id, "ada", "bo"), 404, "not-found", "member")
    assert is_problem(await world.change_role(org_id, "ada", "bo", Role.VIEWER), 404, "not-found", "member")


async def test_who_was_removed_has_no_role_to_change(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo")
    await world.remove(org_id, "ada", "bo")
    assert is_problem(await world.change_role(org_id, "ada", "bo", Role.ADMIN), 404, "not-found", "member")


async def test_a_membership_counts_on_when_its_user_comes_back(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.MANAGER)
    await world.remove(org_id, "ada", "bo")
    await world.join(org_id, "bo", Role.VIEWER)
    assert [each.aggregateversion for each in await world.events(tenancy.MemberAdded)] == [1, 1, 3]
    assert await world.members(org_id) == {"ada": "owner", "bo": "viewer"}
    assert await world.seats(org_id) == 2
    await world.remove(org_id, "ada", "bo")
    assert [each.aggregateversion for each in await world.events(tenancy.MemberRemoved)] == [2, 4]


@pytest.mark.parametrize("giver", Role)
@pytest.mark.parametrize("role", Role)
def test_nobody_gives_a_role_above_their_own(giver: Role, role: Role) -> None:
    if list(Role).index(role) <= list(Role).index(giver):
        check_can_give(giver, role, "op")
    else:
        with pytest.raises(RoleTooHigh) as refused:
            check_can_give(giver, role, "op")
        assert refused.value.operation == "op"


@pytest.mark.parametrize("actor", Role)
@pytest.mark.parametrize("target", Role)
def test_nobody_changes_somebody_above_themselves(actor: Role, target: Role) -> None:
    if list(Role).index(target) <= list(Role).index(actor):
        check_can_change(actor, target, "op")
    else:
        with pytest.raises(RoleTooHigh):
            check_can_change(actor, target, "op")


def test_without_a_role_nothing_is_given_and_nobody_changed() -> None:
    with pytest.raises(RoleTooHigh):
        check_can_give(None, Role.VIEWER, "op")
    with pytest.raises(RoleTooHigh):
        check_can_change(None, Role.VIEWER, "op")
