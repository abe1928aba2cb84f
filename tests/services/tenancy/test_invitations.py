import hashlib
from dataclasses import replace

import pytest

from chassis.errors import AlreadyExists
from chassis.storage.keys import token_key
from chassis.testing.memory import MemoryTable
from contracts.common import Plan, Role
from contracts.tenancy import v1 as tenancy
from services.tenancy.invitations.usecases import answers
from tests.services.tenancy.world import NO_OVERRIDES, World, is_problem

BO = "bo@acme.example"


async def test_an_invitation_goes_out_with_its_token_and_takes_a_seat(world: World) -> None:
    org_id = await world.organization()
    answer = await world.invite(org_id, f" {BO} ", Role.MANAGER)
    body = answer.json()
    assert answer.status_code == 201
    assert body == {
        "id": body["id"],
        "email": BO,
        "role": "manager",
        "status": "pending",
        "inviter_id": "user_ada",
        "created_at": "2026-11-21T09:00:00Z",
        "expires_at": "2026-12-05T09:00:00Z",
        "version": 1,
    }
    [event] = await world.events(tenancy.InvitationCreated)
    assert (event.orgid, event.actor, event.subject, event.aggregateversion) == (org_id, "user_ada", body["id"], 1)
    assert event.data == {
        "invitation_id": body["id"],
        "email": BO,
        "role": "manager",
        "org_name": "Acme",
        "inviter_id": "user_ada",
        "inviter_name": "Ada",
        "token": "token-1",
        "expires_at": "2026-12-05T09:00:00Z",
    }
    assert await world.seats(org_id) == 2
    listed = (await world.call("ada", "GET", f"/organizations/{org_id}/invitations")).json()
    assert listed == {"items": [body], "next": None}


async def test_the_token_is_kept_only_as_its_hash(world: World) -> None:
    org_id = await world.organization()
    invitation_id = (await world.invite(org_id, BO)).json()["id"]
    await world.events()  # published, so gone from the outbox
    assert isinstance(world.sut.table, MemoryTable)
    assert "token-1" not in repr(world.sut.table.items)
    item = await world.sut.table.get(token_key(hashlib.sha256(b"token-1").hexdigest()))
    assert item is not None
    assert (item["org_id"], item["invitation_id"]) == (org_id, invitation_id)
    assert item["expires_at"] == 1796461200


async def test_an_address_is_invited_once_at_a_time_however_it_is_written(world: World) -> None:
    org_id = await world.organization()
    await world.invite(org_id, BO)
    assert is_problem(await world.invite(org_id, "Bo@ACME.example"), 409, "already-exists", "pending")
    assert await world.seats(org_id) == 2
    other = await world.organization("eve", "other")
    assert (await world.invite(other, BO, by="eve")).status_code == 201


async def test_a_member_is_not_invited(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo")
    assert is_problem(await world.invite(org_id, "BO@acme.example"), 409, "already-exists", "member")
    assert is_problem(await world.invite(org_id, "ada@acme.example"), 409, "already-exists", "member")


async def test_a_malformed_address_is_named(world: World) -> None:
    org_id = await world.organization()
    answer = await world.invite(org_id, "bo.acme.example")
    assert is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["field"] == "body.email"


async def test_who_may_invite_whom(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.ADMIN)
    await world.join(org_id, "cy", Role.MANAGER)
    above = await world.invite(org_id, "di@acme.example", Role.OWNER, by="bo")
    assert is_problem(above, 403, "forbidden", "above your own")
    low = await world.invite(org_id, "di@acme.example", Role.VIEWER, by="cy")
    assert is_problem(low, 403, "forbidden")
    assert above.json()["operation"] == low.json()["operation"] == "tenancy.invitation.create"
    listed = await world.call("cy", "GET", f"/organizations/{org_id}/invitations")
    assert is_problem(listed, 403, "forbidden")
    assert (await world.invite(org_id, "di@acme.example", Role.ADMIN, by="bo")).status_code == 201


async def test_a_repeated_request_invites_once(world: World) -> None:
    org_id = await world.organization()
    path, body = f"/organizations/{org_id}/invitations", {"email": BO, "role": "member"}
    first = await world.call("ada", "POST", path, body, key="k")
    again = await world.call("ada", "POST", path, body, key="k")
    assert first.json() == again.json()
    assert len(await world.events(tenancy.InvitationCreated)) == 1


async def test_a_repeated_request_is_answered_though_it_could_not_be_carried_out_now(world: World) -> None:
    org_id = await world.organization()
    path, body = f"/organizations/{org_id}/invitations", {"email": BO, "role": "member"}
    first = await world.call("ada", "POST", path, body, key="k")
    await world.accept("bo", "token-1")
    again = await world.call("ada", "POST", path, body, key="k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert (await world.call("ada", "POST", path, body, key="other")).status_code == 409


async def test_who_accepts_is_a_member_and_keeps_the_seat(world: World) -> None:
    org_id = await world.organization()
    invitation = (await world.invite(org_id, "Bo@Acme.example", Role.MANAGER)).json()
    answer = await world.accept("bo", "token-1")
    assert (answer.status_code, answer.json()) == (200, {"org_id": org_id, "role": "manager"})
    assert await world.seats(org_id) == 2
    assert await world.members(org_id) == {"ada": "owner", "bo": "manager"}
    [accepted] = await world.events(tenancy.InvitationAccepted)
    assert (accepted.orgid, accepted.actor, accepted.aggregateversion) == (org_id, "user_bo", 2)
    assert accepted.data == {"invitation_id": invitation["id"], "email": "Bo@Acme.example", "user_id": "user_bo"}
    added = (await world.events(tenancy.MemberAdded))[-1]
    assert (added.orgid, added.actor, added.aggregateversion) == (org_id, "user_bo", 1)
    assert added.data == {"user_id": "user_bo", "email": BO, "name": "Bo", "role": "manager", **NO_OVERRIDES}
    assert await world.invitations(org_id) == {"Bo@Acme.example": "accepted"}


async def test_accepting_again_changes_nothing(world: World) -> None:
    org_id = await world.organization()
    await world.invite(org_id, BO)
    first, events = await world.accept("bo", "token-1"), len(await world.events())
    again = await world.accept("bo", "token-1")
    assert (again.status_code, again.json()) == (200, first.json())
    world.sut.clock.advance(days=15)
    assert (await world.accept("bo", "token-1")).json() == first.json()
    assert len(await world.events()) == events
    assert await world.seats(org_id) == 2


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_a_token_is_unknown_to_everybody_else(world: World, answer: str) -> None:
    org_id = await world.organization()
    await world.invite(org_id, BO)
    stolen = await world.call("eve", "POST", f"/invitations/{answer}", {"token": "token-1"})
    unknown = await world.call("eve", "POST", f"/invitations/{answer}", {"token": "token-9"})
    assert is_problem(stolen, 404, "not-found", "No such invitation.")
    assert {**stolen.json(), "trace_id": ""} == {**unknown.json(), "trace_id": ""}
    assert is_problem(
        await world.call(None, "POST", f"/invitations/{answer}", {"token": "token-1"}), 401, "unauthenticated"
    )
    assert await world.invitations(org_id) == {BO: "pending"}


async def test_who_declines_frees_the_seat_and_may_be_invited_again(world: World) -> None:
    org_id = await world.organization()
    invitation_id = (await world.invite(org_id, BO)).json()["id"]
    for _ in range(2):
        assert (await world.call("bo", "POST", "/invitations/decline", {"token": "token-1"})).status_code == 204
    [event] = await world.events(tenancy.InvitationDeclined)
    assert (event.orgid, event.actor, event.aggregateversion) == (org_id, "user_bo", 2)
    assert event.data == {"invitation_id": invitation_id, "email": BO}
    assert await world.seats(org_id) == 1
    assert is_problem(await world.accept("bo", "token-1"), 409, "conflict", "declined")
    assert (await world.invite(org_id, BO)).status_code == 201
    assert (await world.accept("bo", "token-2")).status_code == 200


async def test_a_revoked_invitation_cannot_be_answered(world: World) -> None:
    org_id = await world.organization()
    invitation_id = (await world.invite(org_id, BO)).json()["id"]
    path = f"/organizations/{org_id}/invitations/{invitation_id}"
    for _ in range(2):
        assert (await world.call("ada", "DELETE", path)).status_code == 204
    [event] = await world.events(tenancy.InvitationRevoked)
    assert (event.orgid, event.actor, event.aggregateversion) == (org_id, "user_ada", 2)
    assert event.data == {"invitation_id": invitation_id, "email": BO}
    assert await world.seats(org_id) == 1
    assert is_problem(await world.accept("bo", "token-1"), 409, "conflict", "revoked")
    declined = await world.call("bo", "POST", "/invitations/decline", {"token": "token-1"})
    assert is_problem(declined, 409, "conflict", "revoked")


async def test_an_answered_invitation_is_not_revoked(world: World) -> None:
    org_id = await world.organization()
    invitation_id = (await world.invite(org_id, BO)).json()["id"]
    await world.accept("bo", "token-1")
    refused = await world.call("ada", "DELETE", f"/organizations/{org_id}/invitations/{invitation_id}")
    assert is_problem(refused, 409, "conflict", "accepted")
    declined = await world.call("bo", "POST", "/invitations/decline", {"token": "token-1"})
    assert is_problem(declined, 409, "conflict", "accepted")
    assert await world.seats(org_id) == 2


async def test_the_token_of_who_was_removed_does_not_bring_them_back(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo")
    await world.remove(org_id, "ada", "bo")
    assert is_problem(await world.accept("bo", "token-1"), 409, "conflict", "accepted")
    assert await world.members(org_id) == {"ada": "owner"}


async def test_a_member_whose_address_changed_is_not_added_twice(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.ADMIN)
    await world.invite(org_id, "new@acme.example", Role.VIEWER)
    scope = world.sut.user_scope("user_bo")
    renamed = replace(scope, actor=replace(scope.actor, email="new@acme.example"))
    with pytest.raises(AlreadyExists, match="member"):
        await answers.accept(renamed, "token-2")
    assert await world.members(org_id) == {"ada": "owner", "bo": "admin"}


async def test_an_invitation_expires(world: World) -> None:
    org_id = await world.organization()
    await world.invite(org_id, BO)
    world.sut.clock.advance(days=14, seconds=-1)
    assert await world.invitations(org_id) == {BO: "pending"}
    world.sut.clock.advance(seconds=1)
    assert await world.invitations(org_id) == {BO: "expired"}
    assert is_problem(await world.accept("bo", "token-1"), 409, "conflict", "expired")
    declined = await world.call("bo", "POST", "/invitations/decline", {"token": "token-1"})
    assert is_problem(declined, 409, "conflict", "expired")


async def test_an_expired_invitation_does_not_keep_its_address(world: World) -> None:
    org_id = await world.organization()
    await world.invite(org_id, BO)
    world.sut.clock.advance(days=14)
    assert (await world.invite(org_id, BO)).status_code == 201
    assert await world.seats(org_id) == 2
    assert (await world.accept("bo", "token-2")).status_code == 404  # made by the try that was refused
    assert (await world.accept("bo", await world.token_for(BO))).status_code == 200


async def test_expired_invitations_do_not_keep_seats(world: World) -> None:
    org_id = await world.organization(plan=Plan.FREE)
    await world.invite(org_id, BO)
    await world.invite(org_id, "cy@acme.example")
    assert is_problem(await world.invite(org_id, "di@acme.example"), 409, "limit-reached", "All 3 seats")
    world.sut.clock.advance(days=14)
    assert (await world.invite(org_id, "di@acme.example")).status_code == 201
    assert await world.seats(org_id) == 2
    assert await world.invitations(org_id) == {
        BO: "expired",
        "cy@acme.example": "expired",
        "di@acme.example": "pending",
    }


async def test_expired_invitations_do_not_hinder_a_smaller_plan(world: World) -> None:
    org_id = await world.organization(plan=Plan.STARTER)
    for number in range(5):
        await world.invite(org_id, f"p{number}@acme.example")
    path = f"/organizations/{org_id}/plan"
    assert (await world.call("ada", "PUT", path, {"plan": "free"})).status_code == 409
    world.sut.clock.advance(days=14)
    assert (await world.call("ada", "PUT", path, {"plan": "free"})).status_code == 200


async def test_an_unknown_invitation_is_not_found(world: World) -> None:
    org_id = await world.organization()
    assert is_problem(await world.call("ada", "DELETE", f"/organizations/{org_id}/invitations/inv_1"), 404, "not-found")
