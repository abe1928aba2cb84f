"""What one organization's people can do to another's: nothing, and they cannot even tell that it exists."""

from typing import Any

import pytest

from contracts.common import Role
from services.tenancy.api import router
from tests.services.tenancy.world import World, is_problem

ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/organizations/{org}", None),
    ("PUT", "/organizations/{org}/plan", {"plan": "free"}),
    ("GET", "/organizations/{org}/members", None),
    ("PATCH", "/organizations/{org}/members/user_ada", {"role": "viewer"}),
    ("DELETE", "/organizations/{org}/members/user_ada", None),
    ("POST", "/organizations/{org}/invitations", {"email": "eve@evil.example", "role": "owner"}),
    ("POST", "/organizations/{org}/invitations/bulk", {"invitations": [{"email": "e@evil.example", "role": "owner"}]}),
    ("GET", "/organizations/{org}/invitations", None),
    ("DELETE", "/organizations/{org}/invitations/{invitation}", None),
]


def test_every_route_of_an_organization_is_attacked() -> None:
    declared = {
        (method, getattr(route, "path", ""))
        for route in router.routes
        for method in getattr(route, "methods", ())
        if "{org_id}" in getattr(route, "path", "")
    }
    named = {"{org}": "{org_id}", "user_ada": "{user_id}", "{invitation}": "{invitation_id}"}
    attacked = set()
    for method, path, _ in ROUTES:
        for mine, theirs in named.items():
            path = path.replace(mine, theirs)  # noqa: PLW2901
        attacked.add((method, f"/v1{path}"))
    assert attacked == declared


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_another_organization_is_as_one_that_does_not_exist(
    world: World, method: str, path: str, body: Any
) -> None:
    acme = await world.organization("ada")
    invitation = (await world.invite(acme, "bo@acme.example")).json()["id"]
    await world.organization("eve", "evil")
    events, seats = len(await world.events()), await world.seats(acme)
    theirs = await world.call("eve", method, path.format(org=acme, invitation=invitation), body)
    nobodys = await world.call("eve", method, path.format(org="org_none", invitation=invitation), body)
    assert is_problem(theirs, 404, "not-found", "No such organization.")
    assert {**theirs.json(), "trace_id": ""} == {**nobodys.json(), "trace_id": ""}
    assert (len(await world.events()), await world.seats(acme)) == (events, seats)


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_who_was_removed_is_a_stranger(world: World, method: str, path: str, body: Any) -> None:
    acme = await world.organization("ada")
    invitation = (await world.invite(acme, "bo@acme.example")).json()["id"]
    await world.join(acme, "eve", Role.OWNER)
    await world.remove(acme, "ada", "eve")
    answer = await world.call("eve", method, path.format(org=acme, invitation=invitation), body)
    assert is_problem(answer, 404, "not-found")


async def test_what_belongs_to_another_organization_is_not_reached_through_mine(world: World) -> None:
    acme, evil = await world.organization("ada"), await world.organization("eve", "evil")
    invitation = (await world.invite(acme, "bo@acme.example")).json()["id"]
    assert is_problem(
        await world.call("eve", "DELETE", f"/organizations/{evil}/invitations/{invitation}"), 404, "not-found"
    )
    assert is_problem(await world.remove(evil, "eve", "ada"), 404, "not-found")
    assert await world.invitations(acme) == {"bo@acme.example": "pending"}
    assert (await world.call("eve", "GET", f"/organizations/{evil}/invitations")).json()["items"] == []
    assert await world.members(evil, "eve") == {"eve": "owner"}
