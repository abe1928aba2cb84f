from chassis.tenants.members import subscription as members
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.tasks import v1 as events
from contracts.tenancy.v1 import MemberRemoved


async def remove_bo(under_test: ServiceUnderTest) -> None:
    event = MemberRemoved(user_id="user_bo", email="bo@acme.example", name="Bo", role=Role.MEMBER)
    await under_test.deliver(members, event, version=2)


async def test_a_task_is_given_to_a_member(under_test: ServiceUnderTest, task_id: str, project_id: str) -> None:
    async with under_test.client("user_cy", Role.MEMBER) as client:
        answer = await client.put(f"/v1/tasks/{task_id}/assignees/user_bo")
        listed = await client.get("/v1/tasks", params={"assignee_id": "user_bo"})
    assert (answer.status_code, answer.json()["assignee_ids"], answer.json()["version"]) == (200, ["user_bo"], 2)
    assert listed.json()["items"] == [answer.json()]
    [event] = await under_test.published_events(events.TaskAssigned)
    assert event.aggregateversion == 2
    assert event.data == {
        "task_id": task_id,
        "project_id": project_id,
        "title": "Ship it",
        "status": "open",
        "priority": "medium",
        "assignee_id": "user_bo",
        "assigned_by": "user_cy",
    }


async def test_giving_it_again_tells_nobody(under_test: ServiceUnderTest, task_id: str) -> None:
    async with under_test.client() as client:
        first = await client.put(f"/v1/tasks/{task_id}/assignees/user_bo")
        second = await client.put(f"/v1/tasks/{task_id}/assignees/user_bo")
    assert second.json() == first.json()
    assert len(await under_test.published_events(events.TaskAssigned)) == 1


async def test_a_task_is_taken_away(under_test: ServiceUnderTest, task_id: str, project_id: str) -> None:
    async with under_test.client() as client:
        await client.put(f"/v1/tasks/{task_id}/assignees/user_bo")
        await client.put(f"/v1/tasks/{task_id}/assignees/user_cy")
        answer = await client.delete(f"/v1/tasks/{task_id}/assignees/user_bo")
        again = await client.delete(f"/v1/tasks/{task_id}/assignees/user_bo")
        of_bo = await client.get("/v1/tasks", params={"assignee_id": "user_bo"})
        of_cy = await client.get("/v1/tasks", params={"assignee_id": "user_cy"})
    assert (answer.status_code, answer.json()["assignee_ids"], answer.json()["version"]) == (200, ["user_cy"], 4)
    assert again.json() == answer.json()
    assert of_bo.json()["items"] == []
    assert isinstance(under_test.table, MemoryTable)
    assert [key.sk for key in under_test.table.items if key.sk.startswith("ASSIGNEE#")] == ["ASSIGNEE#user_cy"]
    assert of_cy.json()["items"] == [answer.json()]
    [event] = await under_test.published_events(events.TaskUnassigned)
    assert event.aggregateversion == 4
    assert event.data == {
        "task_id": task_id,
        "project_id": project_id,
        "title": "Ship it",
        "status": "open",
        "assignee_id": "user_bo",
    }


async def test_only_active_members_get_tasks(under_test: ServiceUnderTest, task_id: str) -> None:
    await remove_bo(under_test)
    await under_test.add_member("user_elsewhere", org_id="org_other")
    async with under_test.client() as client:
        answers = [
            await client.put(f"/v1/tasks/{task_id}/assignees/{user_id}")
            for user_id in ("user_bo", "user_elsewhere", "user_unknown")
        ]
    assert [answer.status_code for answer in answers] == [422] * 3
    assert {answer.json()["errors"][0]["field"] for answer in answers} == {"path.user_id"}
    assert await under_test.published_events(events.TaskAssigned) == []


async def test_a_task_can_be_taken_from_who_left(under_test: ServiceUnderTest, task_id: str) -> None:
    async with under_test.client() as client:
        await client.put(f"/v1/tasks/{task_id}/assignees/user_bo")
        await remove_bo(under_test)
        answer = await client.delete(f"/v1/tasks/{task_id}/assignees/user_bo")
    assert (answer.status_code, answer.json()["assignee_ids"]) == (200, [])


async def test_an_eleventh_assignee_is_refused(under_test: ServiceUnderTest, project_id: str) -> None:
    ten = [f"user_{n}" for n in range(10)]
    for user_id in ten:
        await under_test.add_member(user_id)
    async with under_test.client() as client:
        body = {"project_id": project_id, "title": "Ship it", "assignee_ids": ten}
        task_id = (await client.post("/v1/tasks", json=body)).json()["id"]
        refused = await client.put(f"/v1/tasks/{task_id}/assignees/user_bo")
        fine = await client.put(f"/v1/tasks/{task_id}/assignees/user_3")
    assert refused.status_code == 409
    assert fine.status_code == 200
