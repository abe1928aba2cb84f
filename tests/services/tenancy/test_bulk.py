from typing import Any

import pytest

from chassis.errors import Unavailable
from chassis.testing.memory import MemoryTable
from contracts.common import Plan, Role
from contracts.tenancy import v1 as tenancy
from tests.services.tenancy.world import InterleavingTable, World, email_of, is_problem


async def bulk(world: World, org_id: str, *rows: tuple[str, str], by: str = "ada", key: str | None = None) -> Any:
    body = {"invitations": [{"email": email, "role": role} for email, role in rows]}
    return await world.call(by, "POST", f"/organizations/{org_id}/invitations/bulk", body, key=key)


async def test_each_row_has_its_result(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.ADMIN)
    await world.invite(org_id, "pending@acme.example")
    answer = await bulk(
        world,
        org_id,
        ("cy@acme.example", "member"),
        ("stelios.acme.example", "member"),
        ("CY@acme.example", "viewer"),
        ("pending@acme.example", "member"),
        (email_of("bo"), "member"),
        ("di@acme.example", "emperor"),
        ("ed@acme.example", "owner"),
        ("", "member"),
        ("fi@acme.example", "admin"),
        by="bo",
    )
    assert answer.status_code == 200
    body = answer.json()
    assert (body["invited"], body["refused"]) == (2, 7)
    assert [(each["row"], each["status"], each.get("reason")) for each in body["results"]] == [
        (1, "invited", None),
        (2, "refused", "This is not an e-mail address."),
        (3, "refused", "The same address is in row 1."),
        (4, "refused", "This address has a pending invitation already."),
        (5, "refused", "This address belongs to a member already."),
        (6, "refused", "There is no role 'emperor'; use one of viewer, member, manager, admin, owner."),
        (7, "refused", "You cannot give the role owner, which is above your own."),
        (8, "refused", "This is not an e-mail address."),
        (9, "invited", None),
    ]
    assert [each["email"] for each in body["results"]][1:3] == ["stelios.acme.example", "CY@acme.example"]
    first, last = body["results"][0], body["results"][8]
    assert set(first) == {"row", "email", "status", "invitation_id"}
    assert set(body["results"][1]) == {"row", "email", "status", "reason"}
    events = {each.data["invitation_id"]: each.data["email"] for each in await world.events(tenancy.InvitationCreated)}
    assert (events[first["invitation_id"]], events[last["invitation_id"]]) == ("cy@acme.example", "fi@acme.example")
    assert await world.seats(org_id) == 5


async def test_rows_beyond_the_last_seat_are_refused(world: World) -> None:
    org_id = await world.organization(plan=Plan.FREE)
    body = (await bulk(world, org_id, *((f"p{number}@acme.example", "member") for number in range(5)))).json()
    assert (body["invited"], body["refused"]) == (2, 3)
    reasons = {each["reason"] for each in body["results"] if each["status"] == "refused"}
    assert reasons == {"All 3 seats of the plan free are taken."}
    assert await world.seats(org_id) == 3


async def test_as_many_rows_as_there_may_be() -> None:
    world = World(InterleavingTable())
    org_id = await world.organization(plan=Plan.ENTERPRISE)
    rows = [(f"p{number}@acme.example", "viewer") for number in range(500)]
    body = (await bulk(world, org_id, *rows)).json()
    assert [each["email"] for each in body["results"]] == [email for email, _ in rows]
    assert (body["invited"], await world.seats(org_id)) == (500, 501)
    assert len(await world.events(tenancy.InvitationCreated)) == 500
    assert is_problem(await bulk(world, org_id, *rows, ("one@acme.example", "viewer")), 422, "invalid", "invitations")


async def test_a_repeated_request_invites_nobody_twice(world: World) -> None:
    org_id = await world.organization()
    rows = [("cy@acme.example", "member"), ("wrong", "member"), ("di@acme.example", "member")]
    first = await bulk(world, org_id, *rows, key="k")
    assert (await bulk(world, org_id, *rows, key="k")).json() == first.json()
    assert len(await world.events(tenancy.InvitationCreated)) == 2


@pytest.mark.parametrize("breaks_at", range(1, 4))
async def test_a_request_that_broke_off_is_completed_by_its_repetition(
    world: World, breaks_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    org_id = await world.organization()
    rows = [(f"p{number}@acme.example", "member") for number in range(3)]
    table, writes = world.sut.table, 0
    assert isinstance(table, MemoryTable)
    write = table.write

    async def breaking(operations: Any) -> None:
        nonlocal writes
        writes += 1
        if writes == breaks_at:
            raise Unavailable("The store does not answer.")
        await write(operations)

    monkeypatch.setattr(table, "write", breaking)
    assert is_problem(await bulk(world, org_id, *rows, key="k"), 503, "unavailable")
    again = (await bulk(world, org_id, *rows, key="k")).json()
    assert [each["status"] for each in again["results"]] == ["invited"] * 3
    events = await world.events(tenancy.InvitationCreated)
    assert sorted(each.data["invitation_id"] for each in events) == sorted(
        each["invitation_id"] for each in again["results"]
    )
    assert await world.seats(org_id) == 4


async def test_only_admins_invite(world: World) -> None:
    org_id = await world.organization()
    await world.join(org_id, "bo", Role.MANAGER)
    answer = await bulk(world, org_id, ("cy@acme.example", "viewer"), by="bo")
    assert is_problem(answer, 403, "forbidden")
    assert answer.json()["operation"] == "tenancy.invitation.create"


async def test_no_rows_are_no_request(world: World) -> None:
    org_id = await world.organization()
    assert is_problem(await bulk(world, org_id), 422, "invalid", "invitations")
