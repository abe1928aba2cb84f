"""Permission overrides: who sets them, on whom, and which are refused."""

from collections.abc import Sequence

import httpx
import pytest

from contracts.common import MAX_OVERRIDES, Role
from contracts.tenancy import v1 as tenancy
from tests.services.tenancy.world import World, before_next_write, is_problem

LIST, INVITE, CHANGE = "tenancy.invitation.list", "tenancy.invitation.create", "tenancy.member.change_permissions"


async def override(
    world: World, org_id: str, user: str, grants: Sequence[str] = (), denies: Sequence[str] = (), by: str = "ada"
) -> httpx.Response:
    path = f"/organizations/{org_id}/members/user_{user}/permissions"
    return await world.call(by, "PUT", path, {"grants": list(grants), "denies": list(denies)})


@pytest.fixture
async def org_id(world: World) -> str:
    """Ada owns it; Bo is an admin, Cy a manager, Di a member, and Ed a viewer."""
    created = await world.organization()
    for user, role in (("bo", Role.ADMIN), ("cy", Role.MANAGER), ("di", Role.MEMBER), ("ed", Role.VIEWER)):
        await world.join(created, user, role)
    return created


async def test_a_grant_and_a_denial_hold_from_now_until_they_are_left_out(world: World, org_id: str) -> None:
    listing, members = f"/organizations/{org_id}/invitations", f"/organizations/{org_id}/members"
    changed = await override(world, org_id, "ed", [LIST], ["tenancy.member.list"])
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert (changed.json()["grants"], changed.json()["denies"]) == ([LIST], ["tenancy.member.list"])
    assert (await world.call("ed", "GET", listing)).status_code == 200
    assert is_problem(await world.call("ed", "GET", members), 403, "forbidden", "denied to you")
    await override(world, org_id, "ed")
    assert (await world.call("ed", "GET", listing)).status_code == 403
    assert (await world.call("ed", "GET", members)).status_code == 200


async def test_what_a_use_case_asks_for_by_itself_follows_them_too(world: World, org_id: str) -> None:
    await override(world, org_id, "cy", ["tenancy.member.remove"])
    assert (await world.remove(org_id, "cy", "ed")).status_code == 204
    await override(world, org_id, "bo", [], ["tenancy.member.remove"])
    refused = await world.remove(org_id, "bo", "di")
    assert is_problem(refused, 403, "forbidden", "tenancy.member.remove was denied")


async def test_the_event_carries_before_and_after_and_later_ones_carry_them_too(world: World, org_id: str) -> None:
    await override(world, org_id, "ed", [LIST, INVITE])
    await override(world, org_id, "ed", [LIST], ["tasks.task.list"])
    event = (await world.events(tenancy.MemberPermissionsChanged))[-1]
    assert (event.orgid, event.actor, event.subject, event.aggregateversion) == (org_id, "user_ada", "user_ed", 3)
    assert event.data == {
        "user_id": "user_ed",
        "email": "ed@acme.example",
        "name": "Ed",
        "role": "viewer",
        "previous_grants": [INVITE, LIST],
        "grants": [LIST],
        "previous_denies": [],
        "denies": ["tasks.task.list"],
    }
    await world.change_role(org_id, "ada", "ed", Role.MANAGER)
    [promoted] = await world.events(tenancy.MemberRoleChanged)
    assert (promoted.data["grants"], promoted.data["denies"]) == ([LIST], ["tasks.task.list"])
    await world.remove(org_id, "ada", "ed")
    [removed] = await world.events(tenancy.MemberRemoved)
    assert (removed.data["grants"], removed.data["denies"]) == ([LIST], ["tasks.task.list"])


async def test_who_comes_back_begins_without_any(world: World, org_id: str) -> None:
    await override(world, org_id, "ed", [LIST])
    await world.remove(org_id, "ada", "ed")
    await world.join(org_id, "ed", Role.VIEWER)
    assert (await world.events(tenancy.MemberAdded))[-1].data["grants"] == []
    assert (await world.call("ed", "GET", f"/organizations/{org_id}/invitations")).status_code == 403


async def test_an_owner_has_every_permission_from_the_moment_they_are_one(world: World, org_id: str) -> None:
    await override(world, org_id, "bo", [], ["tenancy.member.list"])
    await world.change_role(org_id, "ada", "bo", Role.OWNER)
    assert (await world.call("bo", "GET", f"/organizations/{org_id}/members")).status_code == 200
    refused = await override(world, org_id, "bo", [], ["tenancy.member.list"])
    assert is_problem(refused, 422, "invalid", "cannot be denied any")


async def test_what_is_so_already_publishes_nothing(world: World, org_id: str) -> None:
    first = await override(world, org_id, "ed", [LIST, INVITE])
    again = await override(world, org_id, "ed", [INVITE, LIST, INVITE])
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(await world.events(tenancy.MemberPermissionsChanged)) == 1


@pytest.mark.parametrize(
    ("grants", "denies", "message"),
    [
        (["tasks.task.asign"], [], "'tasks.task.assign'"),
        ([], ["files.file.reed"], "'files.file.read'"),
        (["zzz.zzz.zzz"], [], "the nearest is"),
        ([LIST], [LIST], "granted too"),
        (["tenancy.organization.change_plan"], [], "Only owners can have"),
    ],
)
async def test_what_nobody_can_have_is_refused(
    world: World, org_id: str, grants: list[str], denies: list[str], message: str
) -> None:
    assert is_problem(await override(world, org_id, "ed", grants, denies), 422, "invalid", message)
    assert await world.events(tenancy.MemberPermissionsChanged) == []


async def test_more_than_a_token_can_carry_is_refused(world: World, org_id: str) -> None:
    refused = await override(world, org_id, "ed", [LIST] * (MAX_OVERRIDES + 1))
    assert is_problem(refused, 422, "invalid", "body.grants")


async def test_nobody_gives_what_they_may_not_do_themselves(world: World, org_id: str) -> None:
    await override(world, org_id, "bo", [], [LIST])
    assert is_problem(await override(world, org_id, "ed", [LIST], by="bo"), 403, "forbidden", "do not have it yourself")
    await override(world, org_id, "ed", [], [LIST])
    assert is_problem(await override(world, org_id, "ed", by="bo"), 403, "forbidden", "do not have it yourself")
    await override(world, org_id, "cy", [CHANGE])
    assert is_problem(await override(world, org_id, "di", [INVITE], by="cy"), 403, "forbidden", INVITE)
    assert (await override(world, org_id, "di", ["tasks.project.create"], by="cy")).status_code == 200


async def test_nobody_changes_somebody_above_themselves_nor_themselves(world: World, org_id: str) -> None:
    assert is_problem(await override(world, org_id, "ada", [], [LIST], by="bo"), 403, "forbidden", "above your own")
    assert is_problem(await override(world, org_id, "bo", [LIST], by="bo"), 403, "forbidden", "your own permissions")
    await override(world, org_id, "cy", [CHANGE])
    assert is_problem(await override(world, org_id, "bo", [], [LIST], by="cy"), 403, "forbidden", "above your own")


async def test_only_who_may_changes_them_and_only_of_members(world: World, org_id: str) -> None:
    assert is_problem(await override(world, org_id, "ed", [], by="cy"), 403, "forbidden", CHANGE)
    assert is_problem(await override(world, org_id, "nobody"), 404, "not-found", "member")
    await world.remove(org_id, "ada", "ed")
    assert is_problem(await override(world, org_id, "ed"), 404, "not-found", "member")


async def test_a_role_changed_meanwhile_is_seen(world: World, org_id: str) -> None:
    before_next_write(world, lambda: world.change_role(org_id, "ada", "ed", Role.OWNER))
    refused = await override(world, org_id, "ed", [], [LIST])
    assert is_problem(refused, 422, "invalid", "Owners")
