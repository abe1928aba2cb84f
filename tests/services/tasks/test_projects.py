import pytest

from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.tasks import v1 as events

WEB = {"key": "WEB", "name": "Web"}


async def test_a_project_is_created_and_published(under_test: ServiceUnderTest) -> None:
    async with under_test.client() as client:
        answer = await client.post("/v1/projects", json=WEB)
        read = await client.get(f"/v1/projects/{answer.json()['id']}")
    assert answer.status_code == 201
    assert read.json() == answer.json()
    assert answer.json() == {
        "id": answer.json()["id"],
        "key": "WEB",
        "name": "Web",
        "lead_id": "user_ada",
        "status": "active",
        "version": 1,
        "created_at": "2026-11-21T09:00:00Z",
    }
    [event] = await under_test.published_events()
    assert (event.type, event.aggregateversion, event.orgid) == (events.ProjectCreated.event_type, 1, "org_acme")
    assert event.data == {"project_id": answer.json()["id"], "key": "WEB", "name": "Web", "lead_id": "user_ada"}


async def test_a_key_exists_once_in_an_organization(under_test: ServiceUnderTest) -> None:
    async with under_test.client() as client, under_test.client(org_id="org_other") as other:
        await client.post("/v1/projects", json=WEB)
        again = await client.post("/v1/projects", json=WEB)
        elsewhere = await other.post("/v1/projects", json=WEB)
    assert again.status_code == 409
    assert "WEB" in again.json()["detail"]
    assert elsewhere.status_code == 201
    assert len(await under_test.published_events(events.ProjectCreated)) == 2


@pytest.mark.parametrize("key", ["web", "W", "1WEB", "WE B", "ABCDEFGHIJK", "WEB\n", "WÉB"])
async def test_a_key_that_is_none_is_refused(under_test: ServiceUnderTest, key: str) -> None:
    async with under_test.client() as client:
        answer = await client.post("/v1/projects", json={"key": key, "name": "Web"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.key"


async def test_projects_are_listed_by_key_page_by_page(under_test: ServiceUnderTest) -> None:
    async with under_test.client() as client:
        for key in ("WEB", "DOC", "OPS"):
            await client.post("/v1/projects", json={"key": key, "name": key})
        first = (await client.get("/v1/projects", params={"limit": 2})).json()
        second = (await client.get("/v1/projects", params={"limit": 2, "cursor": first["next"]})).json()
    assert [each["key"] for each in first["items"] + second["items"]] == ["DOC", "OPS", "WEB"]
    assert second["next"] is None


async def test_a_project_of_another_organization_does_not_exist(under_test: ServiceUnderTest, project_id: str) -> None:
    async with under_test.client(org_id="org_other") as client:
        foreign = await client.get(f"/v1/projects/{project_id}")
        unknown = await client.get("/v1/projects/proj_unknown")
        listed = await client.get("/v1/projects")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["detail"] == unknown.json()["detail"]
    assert listed.json()["items"] == []


async def test_a_repeated_request_makes_one_project(under_test: ServiceUnderTest) -> None:
    async with under_test.client() as client:
        headers = {"Idempotency-Key": "once"}
        first = await client.post("/v1/projects", json=WEB, headers=headers)
        second = await client.post("/v1/projects", json=WEB, headers=headers)
    assert (second.status_code, second.json()) == (201, first.json())
    assert len(await under_test.published_events(events.ProjectCreated)) == 1


async def test_a_member_may_not_create_projects(under_test: ServiceUnderTest) -> None:
    async with under_test.client("user_bo", Role.MEMBER) as client:
        answer = await client.post("/v1/projects", json=WEB)
    assert (answer.status_code, answer.json()["operation"]) == (403, "tasks.project.create")


async def test_assignees_are_the_active_members(under_test: ServiceUnderTest) -> None:
    bo = await under_test.add_member("user_bo", version=2)
    async with under_test.client("user_cy", Role.VIEWER) as client:
        before = (await client.get("/v1/assignees")).json()["items"]
        await remove_member(under_test, bo.id)
        after = (await client.get("/v1/assignees")).json()["items"]
    assert [each["user_id"] for each in before] == ["user_ada", "user_bo", "user_cy"]
    assert before[1] == {"user_id": "user_bo", "name": "Bo", "email": "bo@acme.example", "role": "member"}
    assert [each["user_id"] for each in after] == ["user_ada", "user_cy"]


async def remove_member(under_test: ServiceUnderTest, user_id: str) -> None:
    from chassis.tenants.members import subscription
    from contracts.tenancy.v1 import MemberRemoved

    name = user_id.removeprefix("user_")
    event = MemberRemoved(user_id=user_id, email=f"{name}@acme.example", name=name.title(), role=Role.MEMBER)
    await under_test.deliver(subscription, event, version=9)
