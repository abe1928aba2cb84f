"""Isolation beyond the generated attacks (verification/isolation): foreign ids under the caller's own organization."""

from tests.services.tenancy.world import World, is_problem


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
