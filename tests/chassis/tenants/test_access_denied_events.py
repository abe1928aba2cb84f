"""Refusals reach the audit trail: the first of each kind at once, a flood as a count, without delaying answers."""

import asyncio
from collections.abc import MutableMapping, Sequence
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis.declare.service import Service, TableSpec
from chassis.errors import DeclarationError, Unavailable
from chassis.storage.table import Put, WriteOperation
from chassis.tenants import access_denied_events as denials
from chassis.tenants.members import Member, project
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.common import OrgStatus, Role
from contracts.event import Envelope, Event
from contracts.tasks import v1 as tasks
from tests.chassis.http.test_guard import deliver_organization
from tests.chassis.world import service

CREATE, READ = "tasks.project.create", "tasks.project.read"


@pytest.fixture
def world() -> ServiceUnderTest:
    return ServiceUnderTest(service)


async def records(world: ServiceUnderTest) -> list[Envelope]:
    return await world.published_events(tasks.AccessDenied)


async def refused(http: httpx.AsyncClient, status: int = 403) -> None:
    assert (await http.post("/v1/projects", json={"name": "Web"})).status_code == status


async def test_a_refusal_leaves_one_record_with_actor_operation_reason_and_origin(
    world: ServiceUnderTest, spans: InMemorySpanExporter
) -> None:
    async with world.client("user_bo", Role.VIEWER) as http:
        answer = await http.post("/v1/projects", json={"name": "Web"}, headers={"User-Agent": "curl/8"})
    [record] = await records(world)
    assert (record.orgid, record.actor, record.subject) == ("org_acme", "user_bo", "user_bo")
    assert (record.clientip, record.useragent) == ("127.0.0.1", "curl/8")
    assert record.traceparent is not None
    assert record.traceparent.split("-")[1] == answer.json()["trace_id"]
    assert record.data == {
        "actor_id": "user_bo",
        "operation": CREATE,
        "reason": "role",
        "method": "POST",
        "route": "/v1/projects",
        "count": 1,
        "since": "2026-11-21T09:00:00Z",
    }


async def test_a_denied_operation_is_recorded(world: ServiceUnderTest) -> None:
    async with world.client("user_bo", Role.OWNER, denies=(CREATE,)) as http:
        await refused(http)
    [record] = await records(world)
    assert (record.data["operation"], record.data["reason"]) == (CREATE, "denied")


async def test_a_suspended_organization_is_recorded(world: ServiceUnderTest) -> None:
    await deliver_organization(world, OrgStatus.SUSPENDED, 2)
    async with world.client("user_bo", Role.OWNER) as http:
        await refused(http)
    [record] = await records(world)
    assert (record.data["operation"], record.data["reason"]) == (CREATE, "organization-suspended")


async def test_an_ended_membership_is_recorded(world: ServiceUnderTest) -> None:
    out = Member(id="user_bo", email="bo@acme.example", name="Bo", role=Role.ADMIN, active=False, version=2)
    await project(world.scope(), out)
    async with world.client("user_bo", Role.ADMIN, mv=1) as http:
        assert (await http.get("/v1/projects/proj_1")).status_code == 401
    [record] = await records(world)
    assert (record.data["operation"], record.data["reason"]) == (READ, "membership-ended")
    assert record.data["route"] == "/v1/projects/{project_id}"


async def test_refusals_of_unknown_callers_are_not_recorded(world: ServiceUnderTest) -> None:
    """An expired token does not identify its caller, and another organization's data is answered as missing."""
    async with world.client("user_bo") as http:
        expired = dict(http.headers)
        assert (await http.get("/v1/projects/proj_nothing")).status_code == 404
        assert (await http.post("/v1/projects", json={})).status_code == 422
    async with world.client(None) as http:
        await refused(http, 401)
        await refused_with(http, "nonsense")
    async with world.client("user_bo", org_id=None) as http:
        await refused(http, 401)
    world.clock.advance(hours=9)
    async with world.client(None) as http:
        assert (await http.get("/v1/projects", headers={"authorization": expired["authorization"]})).status_code == 401
    assert await records(world) == []


async def refused_with(http: httpx.AsyncClient, token: str) -> None:
    assert (await http.get("/v1/projects", headers={"Authorization": f"Bearer {token}"})).status_code == 401


async def test_a_flood_is_one_record_at_once_and_one_count_later(world: ServiceUnderTest) -> None:
    async with world.client("user_bo", Role.VIEWER) as http:
        await asyncio.gather(*(refused(http) for _ in range(50)))
        assert [each.data["count"] for each in await records(world)] == [1]
        world.clock.advance(seconds=4.9)
        await world.api_state.access_denied.settle()
        assert len(await records(world)) == 1
        world.clock.advance(seconds=0.1)
        await world.api_state.access_denied.settle()
        first, rest = await records(world)
        assert (rest.data["count"], rest.data["since"], rest.data["operation"]) == (49, "2026-11-21T09:00:00Z", CREATE)
        await refused(http)  # the count has started another window
        assert len(await records(world)) == 2
    assert first.id != rest.id


async def test_a_refusal_after_a_quiet_time_is_recorded_at_once(world: ServiceUnderTest) -> None:
    async with world.client("user_bo", Role.VIEWER) as http:
        await refused(http)
        for _ in range(2):
            world.clock.advance(seconds=5)
            await world.api_state.access_denied.settle()
        assert world.api_state.access_denied._windows == {}
        await refused(http)
    assert [each.data["count"] for each in await records(world)] == [1, 1]


async def test_without_a_background_task_the_next_refusal_of_a_kind_records_the_count(world: ServiceUnderTest) -> None:
    async with world.client("user_bo", Role.VIEWER) as http:
        for _ in range(4):
            await refused(http)
        world.clock.advance(seconds=5)
        await refused(http)
    assert [each.data["count"] for each in await records(world)] == [1, 4]


async def test_at_the_end_every_count_is_recorded(world: ServiceUnderTest) -> None:
    async with world.client("user_bo", Role.VIEWER) as http:
        for _ in range(3):
            await refused(http)
    await world.api_state.access_denied.settle(everything=True)
    assert [each.data["count"] for each in await records(world)] == [1, 2]


async def test_kinds_differ_by_person_organization_operation_and_reason(world: ServiceUnderTest) -> None:
    for user, org, denies in (
        ("user_bo", "org_acme", ()),
        ("user_cy", "org_acme", ()),
        ("user_bo", "org_other", ()),
        ("user_bo", "org_acme", (CREATE,)),
    ):
        async with world.client(user, Role.VIEWER, org_id=org, denies=denies) as http:
            await refused(http)
    async with world.client("user_bo", Role.VIEWER) as http:
        assert (await http.delete("/v1/projects/proj_1")).status_code == 403
    assert len(await records(world)) == 5


class Failing(MemoryTable):
    """A table that takes no events while it is `down`."""

    down = True

    async def write(self, operations: Sequence[WriteOperation]) -> None:
        if self.down and any(isinstance(each, Put) and each.key.pk.startswith("OUTBOX#") for each in operations):
            raise Unavailable("The store does not answer; try again.")
        await super().write(operations)


async def test_a_refusal_that_cannot_be_recorded_is_answered_and_recorded_later(
    logged: list[MutableMapping[str, Any]],
) -> None:
    table = Failing()
    world = ServiceUnderTest(service, table=table)
    async with world.client("user_bo", Role.VIEWER) as http:
        await refused(http)
        assert [line["reason"] for line in logged if line["event"] == "denial_not_recorded"] == ["role"]
        assert await records(world) == []
        table.down = False
        world.clock.advance(seconds=5)
        await refused(http)
    [record] = await records(world)
    assert (record.data["count"], record.data["since"]) == (2, "2026-11-21T09:00:00Z")


async def test_windows_are_bounded_and_beyond_that_each_refusal_is_recorded(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denials, "MAX_KINDS", 1)
    for user in ("user_bo", "user_cy"):
        async with world.client(user, Role.VIEWER) as http:
            for _ in range(3):
                await refused(http)
    assert [each.actor for each in await records(world)] == ["user_bo", "user_cy", "user_cy", "user_cy"]
    assert len(world.api_state.access_denied._windows) == 1


@pytest.mark.parametrize(
    ("publishes", "missing"), [(tasks.ApiKeyUsed, "tasks.access.denied"), (tasks.AccessDenied, "tasks.api_key.used")]
)
async def test_a_service_that_cannot_record_refusals_does_not_start(publishes: type[Event], missing: str) -> None:
    silent = Service("tasks", api="tests.chassis.world:router", table=TableSpec(), publishes=(publishes,))
    with pytest.raises(DeclarationError, match=f"does not publish {missing}"):
        ServiceUnderTest(silent).client()
