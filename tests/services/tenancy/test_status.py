"""Suspended organizations: who suspends them, what their members may do meanwhile, and that everything comes back."""

from typing import Any

import httpx
import pytest

from contracts.common import SUPERADMIN, Role
from contracts.tenancy import v1 as tenancy
from tests.services.tenancy.world import World, before_next_write, email_of, is_problem


async def give_status(
    world: World, org_id: str, status: str, *, groups: tuple[str, ...] = (SUPERADMIN,), key: str | None = None
) -> httpx.Response:
    """By a member of the platform's staff, who belongs to no organization."""
    async with world.sut.client("user_sam", None, org_id=None, groups=groups) as http:
        path, body = f"/v1/organizations/{org_id}/status", {"status": status, "reason": "The bill is not paid."}
        return await http.put(path, json=body, headers={"Idempotency-Key": key} if key else {})


@pytest.fixture
async def org_id(world: World) -> str:
    created = await world.organization()
    await world.join(created, "bo", Role.ADMIN)
    return created


async def test_the_staff_suspends_and_everybody_learns_why(world: World, org_id: str) -> None:
    suspended = await give_status(world, org_id, "suspended")
    assert (suspended.status_code, suspended.json()["status"]) == (200, "suspended")
    [event] = await world.events(tenancy.OrganizationStatusChanged)
    assert (event.orgid, event.actor, event.aggregateversion) == (org_id, "user_sam", 3)
    state = {"slug": "acme", "name": "Acme", "plan": "starter", "status": "suspended", "allowed_origins": []}
    assert event.data == {
        "org_id": org_id,
        "previous_status": "active",
        "status": "suspended",
        "reason": "The bill is not paid.",
        "organization": state,
    }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"name": "Other"}),
        ("PUT", "/plan", {"plan": "free"}),
        ("GET", "/members", None),
        ("PATCH", "/members/user_bo", {"role": "viewer"}),
        ("DELETE", "/members/user_bo", None),
        ("POST", "/invitations", {"email": "cy@acme.example", "role": "member"}),
    ],
)
async def test_meanwhile_its_members_may_do_nothing_with_it(
    world: World, org_id: str, method: str, path: str, body: Any
) -> None:
    await give_status(world, org_id, "suspended")
    events = len(await world.events())
    for user in ("ada", "bo"):
        refused = await world.call(user, method, f"/organizations/{org_id}{path}", body)
        assert is_problem(refused, 403, "organization-suspended", "suspended")
    assert [event.type for event in (await world.events())[events:]] == ["tenancy.access.denied.v1"] * 2


async def test_but_they_see_it_and_why_and_their_other_organizations(world: World, org_id: str) -> None:
    other = await world.organization("ada", "other")
    await give_status(world, org_id, "suspended")
    shown = (await world.call("bo", "GET", f"/organizations/{org_id}")).json()
    assert (shown["status"], shown["status_reason"]) == ("suspended", "The bill is not paid.")
    mine = (await world.call("ada", "GET", "/organizations")).json()["items"]
    assert {each["id"]: each["status"] for each in mine} == {org_id: "suspended", other: "active"}
    assert (await world.call("ada", "GET", f"/organizations/{other}/members")).status_code == 200


@pytest.mark.parametrize("role", [Role.MEMBER, Role.OWNER])
async def test_nobody_joins_until_it_works_again(world: World, org_id: str, role: Role) -> None:
    await world.invite(org_id, email_of("cy"), role)
    token = await world.token_for(email_of("cy"))
    await give_status(world, org_id, "suspended")
    assert is_problem(await world.accept("cy", token), 403, "organization-suspended")
    await give_status(world, org_id, "active")
    assert (await world.accept("cy", token)).status_code == 200
    assert (await world.members(org_id))["cy"] == role


@pytest.mark.parametrize("role", [Role.MEMBER, Role.OWNER])
async def test_not_even_in_the_moment_in_which_it_is_suspended(world: World, org_id: str, role: Role) -> None:
    await world.invite(org_id, email_of("cy"), role)
    token = await world.token_for(email_of("cy"))
    before_next_write(world, lambda: give_status(world, org_id, "suspended"))
    assert is_problem(await world.accept("cy", token), 403, "organization-suspended")


async def test_an_invitation_may_be_declined_meanwhile(world: World, org_id: str) -> None:
    await world.invite(org_id, email_of("cy"))
    token = await world.token_for(email_of("cy"))
    await give_status(world, org_id, "suspended")
    assert (await world.call("cy", "POST", "/invitations/decline", {"token": token})).status_code == 204


async def test_all_of_it_comes_back(world: World, org_id: str) -> None:
    members, seats = await world.members(org_id), await world.seats(org_id)
    await give_status(world, org_id, "suspended")
    await give_status(world, org_id, "active")
    assert (await world.members(org_id), await world.seats(org_id)) == (members, seats)
    assert (await world.invite(org_id, "cy@acme.example")).status_code == 201


async def test_the_same_status_again_publishes_nothing(world: World, org_id: str) -> None:
    first = await give_status(world, org_id, "suspended")
    again = await give_status(world, org_id, "suspended")
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(await world.events(tenancy.OrganizationStatusChanged)) == 1


@pytest.mark.parametrize("groups", [(), ("staff",), ("Superadmin",), ("superadmin2",)])
async def test_nobody_else_may_and_nobody_learns_what_exists(
    world: World, org_id: str, groups: tuple[str, ...]
) -> None:
    theirs = await give_status(world, org_id, "suspended", groups=groups)
    nobodys = await give_status(world, "org_none", "suspended", groups=groups)
    assert is_problem(theirs, 403, "forbidden", "staff")
    assert {**theirs.json(), "trace_id": ""} == {**nobodys.json(), "trace_id": ""}
    refused = await world.call(
        "ada", "PUT", f"/organizations/{org_id}/status", {"status": "active", "reason": "I pay."}
    )
    assert is_problem(refused, 403, "forbidden", "staff")


async def test_staff_is_not_a_member_of_anything(world: World, org_id: str) -> None:
    async with world.sut.client("user_sam", None, org_id=None, groups=(SUPERADMIN,)) as http:
        assert (await http.get(f"/v1/organizations/{org_id}")).status_code == 404
        assert (await http.get(f"/v1/organizations/{org_id}/members")).status_code == 404


async def test_what_is_not_there_cannot_be_suspended(world: World) -> None:
    assert is_problem(await give_status(world, "org_none", "suspended"), 404, "not-found", "organization")


@pytest.mark.parametrize("status", ["trial", "deleted", ""])
async def test_only_a_status_that_can_be_given_is_taken(world: World, org_id: str, status: str) -> None:
    assert is_problem(await give_status(world, org_id, status), 422, "invalid", "body.status")


async def test_a_repeated_request_is_one_change(world: World, org_id: str) -> None:
    answers = [await give_status(world, org_id, "suspended", key="once") for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert len(await world.events(tenancy.OrganizationStatusChanged)) == 1
