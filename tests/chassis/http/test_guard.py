"""Admission of requests, decided by the token or tenancy's events, whichever is newer."""

from typing import Any

import pytest

from chassis.errors import DeclarationError
from chassis.http.guard import Guard
from chassis.tenants.members import Member, project, subscription
from chassis.testing.service import ServiceUnderTest
from contracts.common import OrgStatus, Plan, Role
from contracts.tenancy import v1 as tenancy
from tests.chassis.world import create, service
from verification.isolation.recording import RecordingTable

LIST, CREATE = "/v1/projects", "/v1/projects"


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


async def remember(world: ServiceUnderTest, role: Role, version: int, *, active: bool = True, **more: Any) -> None:
    """Store Bo's membership as of tenancy's events."""
    member = Member(id="user_bo", email="bo@acme.example", name="Bo", role=role, active=active, version=version, **more)
    await project(world.scope(), member)


async def deliver_organization(world: ServiceUnderTest, status: OrgStatus, version: int) -> None:
    """Deliver tenancy's event about the organization."""
    state = tenancy.OrganizationState(slug="acme", name="Acme", plan=Plan.FREE, status=status, allowed_origins=[])
    changed = tenancy.OrganizationStatusChanged(
        org_id="org_acme", previous_status=OrgStatus.ACTIVE, status=status, reason="unpaid", organization=state
    )
    await world.deliver(subscription, changed, version=version)


async def status(world: ServiceUnderTest, method: str, path: str, role: Role | None, **client: Any) -> int:
    async with world.client("user_bo", role, **client) as http:
        json = {"name": "Web"} if method == "POST" else None
        return (await http.request(method, path, json=json)).status_code


async def test_without_a_token_nobody_is_admitted(world: ServiceUnderTest) -> None:
    async with world.client(None) as http:
        answers = [
            await http.get(LIST),
            await http.get(LIST, headers={"Authorization": "Bearer nonsense"}),
            await http.get(LIST, headers={"Authorization": "Basic dXNlcjpwYXNz"}),
            await http.get(LIST, headers={"Authorization": "Bearer"}),
        ]
    for answer in answers:
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["type"].endswith("/unauthenticated")


@pytest.mark.parametrize(
    ("role", "expected"),
    [(Role.VIEWER, 403), (Role.MEMBER, 201), (Role.MANAGER, 201), (Role.ADMIN, 201), (Role.OWNER, 201)],
)
async def test_each_role_has_the_permissions_of_the_table(world: ServiceUnderTest, role: Role, expected: int) -> None:
    assert await status(world, "POST", CREATE, role) == expected


async def test_a_refusal_by_role_names_the_operation(world: ServiceUnderTest) -> None:
    async with world.client("user_bo", Role.VIEWER) as http:
        answer = await http.post(CREATE, json={"name": "Web"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert {k: v for k, v in answer.json().items() if k != "trace_id"} == {
        "type": "https://tenfold.example/problems/forbidden",
        "title": "Forbidden",
        "status": 403,
        "detail": "Your role does not allow tasks.project.create.",
        "operation": "tasks.project.create",
    }


async def test_a_token_without_an_organization_is_refused(world: ServiceUnderTest) -> None:
    async with world.client("user_bo", org_id=None) as http:
        answer = await http.get(LIST)
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (401, "no-membership")
        assert (await http.get("/v1/projects/proj_1/later")).status_code == 409  # a route for everybody signed in


async def test_a_token_with_an_organization_but_no_role_is_refused(world: ServiceUnderTest) -> None:
    assert await status(world, "GET", LIST, None) == 401


async def test_a_lost_role_takes_effect_before_the_token_expires(world: ServiceUnderTest) -> None:
    assert await status(world, "POST", CREATE, Role.ADMIN, mv=1) == 201
    await remember(world, Role.VIEWER, 2)
    assert await status(world, "POST", CREATE, Role.ADMIN, mv=1) == 403
    assert await status(world, "GET", LIST, Role.ADMIN, mv=1) == 200


async def test_a_new_role_takes_effect_before_the_token_is_refreshed(world: ServiceUnderTest) -> None:
    await remember(world, Role.ADMIN, 2)
    assert await status(world, "POST", CREATE, Role.VIEWER, mv=1) == 201


@pytest.mark.parametrize("mv", [2, 3])
async def test_a_token_at_least_as_new_as_the_events_decides(world: ServiceUnderTest, mv: int) -> None:
    await remember(world, Role.VIEWER, 2)
    assert await status(world, "POST", CREATE, Role.ADMIN, mv=mv) == 201


async def test_a_removed_member_is_refused_with_the_reason(world: ServiceUnderTest) -> None:
    await remember(world, Role.ADMIN, 1)
    assert await status(world, "GET", LIST, Role.ADMIN, mv=1) == 200
    await remember(world, Role.ADMIN, 2, active=False)
    async with world.client("user_bo", Role.ADMIN, mv=1) as http:
        answer = await http.get(LIST)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (401, "no-membership")


async def test_a_returned_member_is_admitted_with_a_newer_token_even_before_the_event(world: ServiceUnderTest) -> None:
    await remember(world, Role.ADMIN, 2, active=False)
    assert await status(world, "GET", LIST, Role.MEMBER, mv=3) == 200


async def test_data_of_another_organization_is_answered_as_missing(world: ServiceUnderTest) -> None:
    theirs = await create(world.scope(org_id="org_other"), "Secret")
    async with world.client() as http:
        foreign = await http.get(f"/v1/projects/{theirs.id}")
        absent = await http.get("/v1/projects/proj_nothing")
        deleted = await http.delete(f"/v1/projects/{theirs.id}")
        listed = await http.get(LIST)
    assert (foreign.status_code, foreign.json()) == (absent.status_code, absent.json())
    assert (foreign.status_code, deleted.status_code, listed.json()["items"]) == (404, 404, [])
    async with world.client(org_id="org_other") as http:
        assert (await http.get(f"/v1/projects/{theirs.id}")).status_code == 200


async def test_an_operation_without_a_rule_cannot_be_guarded() -> None:
    with pytest.raises(DeclarationError, match="paint has no entry"):
        Guard({})("tasks.project.paint")


async def test_events_record_the_actor_and_the_origin(world: ServiceUnderTest) -> None:
    async with world.client("user_bo", Role.MEMBER) as http:
        await http.post(CREATE, json={"name": "Web"}, headers={"User-Agent": "x" * 500})
    [event] = await world.published_events()
    assert (event.actor, event.orgid, event.clientip, event.useragent) == (
        "user_bo",
        "org_acme",
        "127.0.0.1",
        "x" * 200,
    )


# --- permissions of one membership


@pytest.mark.parametrize(
    ("role", "overrides", "expected"),
    [
        (Role.VIEWER, {"grants": ("tasks.project.create",)}, 201),
        (Role.VIEWER, {"grants": ("tasks.project.read", "tasks.project.of_a_newer_service")}, 403),
        (Role.OWNER, {"denies": ("tasks.project.create",)}, 403),
        (Role.MEMBER, {"grants": ("tasks.project.create",), "denies": ("tasks.project.create",)}, 403),
        (Role.MEMBER, {"denies": ("tasks.project.read",)}, 201),
    ],
)
@pytest.mark.parametrize("by", ["token", "events"])
async def test_what_a_membership_grants_or_denies_overrides_its_role(
    world: ServiceUnderTest, role: Role, overrides: dict[str, Any], expected: int, by: str
) -> None:
    if by == "events":
        await remember(world, role, 2, **overrides)
        assert await status(world, "POST", CREATE, Role.VIEWER, mv=1) == expected
    else:
        assert await status(world, "POST", CREATE, role, mv=1, **overrides) == expected


async def test_the_newer_of_token_and_events_also_decides_overrides(world: ServiceUnderTest) -> None:
    await remember(world, Role.VIEWER, 2, grants=("tasks.project.create",))
    assert await status(world, "POST", CREATE, Role.VIEWER, mv=1) == 201
    assert await status(world, "POST", CREATE, Role.VIEWER, mv=3) == 403
    await remember(world, Role.VIEWER, 4)
    assert await status(world, "POST", CREATE, Role.VIEWER, mv=3, grants=("tasks.project.create",)) == 403


async def test_a_denial_is_answered_as_such_and_not_as_a_missing_role(world: ServiceUnderTest) -> None:
    async with world.client("user_bo", Role.OWNER, denies=("tasks.project.create",)) as http:
        answer = (await http.post(CREATE, json={"name": "Web"})).json()
    assert (answer["type"].rpartition("/")[2], answer["operation"]) == ("forbidden", "tasks.project.create")
    assert "denied to you" in answer["detail"]


# --- suspended organizations


@pytest.mark.parametrize("standing", [OrgStatus.SUSPENDED, OrgStatus.CANCELLED])
async def test_in_a_suspended_organization_even_an_owner_has_no_access(
    world: ServiceUnderTest, standing: OrgStatus
) -> None:
    await deliver_organization(world, standing, 2)
    async with world.client("user_bo", Role.OWNER, mv=9) as http:
        answer = (await http.get(LIST)).json()
        assert (answer["status"], answer["type"].rpartition("/")[2]) == (403, "organization-suspended")
        assert (answer["operation"], standing in answer["detail"]) == ("tasks.project.read", True)
        assert (await http.get("/v1/projects/proj_1/later")).status_code == 409  # a route for everybody signed in
    assert await status(world, "GET", LIST, Role.OWNER, org_id="org_other") == 200
    await deliver_organization(world, OrgStatus.ACTIVE, 3)
    assert await status(world, "POST", CREATE, Role.MEMBER) == 201
    await deliver_organization(world, standing, 2)  # an old event arrives late
    assert await status(world, "POST", CREATE, Role.MEMBER) == 201


async def test_a_stranger_does_not_learn_of_a_suspension(world: ServiceUnderTest) -> None:
    await deliver_organization(world, OrgStatus.SUSPENDED, 2)
    await remember(world, Role.ADMIN, 2, active=False)
    async with world.client("user_bo", Role.ADMIN, mv=1) as http:
        assert (await http.get(LIST)).json()["type"].endswith("/no-membership")


async def test_membership_and_organization_are_one_round_trip() -> None:
    table = RecordingTable()
    world = ServiceUnderTest(service, table=table)
    await deliver_organization(world, OrgStatus.ACTIVE, 2)
    await remember(world, Role.MEMBER, 2)
    table.calls.clear()
    assert await status(world, "GET", "/v1/projects/proj_nothing", Role.MEMBER) == 404
    assert [call.name for call in table.calls] == ["get_all", "advance_counters", "get"]
    assert table.calls[0].partitions == ("ORG#org_acme#MEMBER#user_bo", "ORG#org_acme#ORGANIZATION#org_acme")
