import asyncio
from typing import Any

import pytest

from chassis.errors import Unavailable
from chassis.storage.keys import Key
from chassis.storage.table import Item
from chassis.tenants.members import subscription as members
from chassis.testing.memory import MemoryTable
from chassis.testing.service import ServiceUnderTest
from contracts.common import Role
from contracts.tasks import v1 as events
from contracts.tenancy.v1 import MemberRemoved
from services.tasks.service import service


class PoliteTable(MemoryTable):
    """Lets others go first after each read, as a network does."""

    async def get(self, key: Key) -> Item | None:
        item = await super().get(key)
        await asyncio.sleep(0)
        return item


def task(project_id: str, **others: Any) -> dict[str, Any]:
    return {"project_id": project_id, "title": "Ship it", **others}


async def test_a_task_is_created_with_its_assignees(under_test: ServiceUnderTest, project_id: str) -> None:
    body = task(
        project_id,
        title="  Ship it ",
        description="Today.",
        priority="high",
        due_on="2026-12-04",
        labels=["ops", "ops", "now"],
        assignee_ids=["user_bo", "user_ada", "user_bo"],
    )
    async with under_test.client("user_bo", Role.MEMBER) as client:
        answer = await client.post("/v1/tasks", json=body)
        read = await client.get(f"/v1/tasks/{answer.json()['id']}")
    assert answer.status_code == 201
    assert read.json() == answer.json()
    assert answer.json() == {
        "id": answer.json()["id"],
        "project_id": project_id,
        "number": 1,
        "title": "Ship it",
        "description": "Today.",
        "status": "open",
        "priority": "high",
        "due_on": "2026-12-04",
        "labels": ["ops", "now"],
        "assignee_ids": ["user_bo", "user_ada"],
        "created_by": "user_bo",
        "import_id": None,
        "version": 1,
        "created_at": "2026-11-21T09:00:00Z",
        "updated_at": "2026-11-21T09:00:00Z",
    }
    [created] = await under_test.published_events(events.TaskCreated)
    assert created.data == {
        "task_id": answer.json()["id"],
        "project_id": project_id,
        "number": 1,
        "title": "Ship it",
        "status": "open",
        "priority": "high",
        "due_on": "2026-12-04",
    }
    assigned = await under_test.published_events(events.TaskAssigned)
    assert [each.data["assignee_id"] for each in assigned] == ["user_bo", "user_ada"]
    assert {each.data["assigned_by"] for each in assigned} == {"user_bo"}
    assert {each.aggregateversion for each in [created, *assigned]} == {1}


async def test_numbers_count_in_each_project(under_test: ServiceUnderTest, project_id: str) -> None:
    async with under_test.client() as client:
        other = (await client.post("/v1/projects", json={"key": "OPS", "name": "Ops"})).json()["id"]
        made = [(await client.post("/v1/tasks", json=task(each))).json() for each in (project_id, project_id, other)]
    assert [each["number"] for each in made] == [1, 2, 1]


async def test_tasks_made_at_once_have_numbers_without_gaps() -> None:
    under_test = ServiceUnderTest(service, table=PoliteTable())
    async with under_test.client() as client:
        project_id = (await client.post("/v1/projects", json={"key": "WEB", "name": "Web"})).json()["id"]
        answers = await asyncio.gather(*(client.post("/v1/tasks", json=task(project_id)) for _ in range(6)))
    assert sorted(answer.json()["number"] for answer in answers) == [1, 2, 3, 4, 5, 6]


async def test_a_refused_task_uses_up_no_number(under_test: ServiceUnderTest, project_id: str) -> None:
    async with under_test.client() as client:
        await client.post("/v1/tasks", json=task(project_id, assignee_ids=["user_stranger"]))
        answer = await client.post("/v1/tasks", json=task(project_id))
    assert answer.json()["number"] == 1


async def test_a_request_whose_answer_was_lost_makes_one_task(project_id: str, under_test: ServiceUnderTest) -> None:
    class Deaf(MemoryTable):
        """Carries one write out, and says that it does not know."""

        deaf = False

        async def write(self, operations: Any) -> None:
            await super().write(operations)
            if self.deaf:
                self.deaf = False
                raise Unavailable("no answer")

    table = Deaf()
    assert isinstance(under_test.table, MemoryTable)
    table.items = under_test.table.items
    lossy = ServiceUnderTest(service, table=table)
    headers = {"Idempotency-Key": "once"}
    async with lossy.client() as client:
        table.deaf = True
        lost = await client.post("/v1/tasks", json=task(project_id, assignee_ids=["user_bo"]), headers=headers)
        again = await client.post("/v1/tasks", json=task(project_id, assignee_ids=["user_bo"]), headers=headers)
        listed = await client.get("/v1/tasks", params={"project_id": project_id})
    assert (lost.status_code, lost.json()["number"]) == (201, 1)
    assert again.json() == lost.json()
    assert listed.json()["items"] == [lost.json()]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "body.title"),
        ({"title": "   "}, "body.title"),
        ({"title": "x" * 201}, "body.title"),
        ({"description": "x" * 10_001}, "body.description"),
        ({"priority": "super-high"}, "body.priority"),
        ({"due_on": "2027-02-30"}, "body.due_on"),
        ({"assignee_ids": [f"user_{n}" for n in range(11)]}, "body.assignee_ids"),
        ({"labels": ["x"] * 21}, "body.labels"),
        ({"number": 7}, "body.number"),
        ({"assignee_ids": ["user_bo", "user_stranger"]}, "body.assignee_ids.1"),
    ],
)
async def test_a_wrong_task_is_refused(
    under_test: ServiceUnderTest, project_id: str, wrong: dict[str, Any], field: str
) -> None:
    async with under_test.client() as client:
        answer = await client.post("/v1/tasks", json=task(project_id, **wrong))
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert await under_test.published_events(events.TaskCreated) == []


async def test_who_left_gets_no_task(under_test: ServiceUnderTest, project_id: str) -> None:
    event = MemberRemoved(user_id="user_bo", email="bo@acme.example", name="Bo", role=Role.MEMBER)
    await under_test.deliver(members, event, version=2)
    async with under_test.client() as client:
        answer = await client.post("/v1/tasks", json=task(project_id, assignee_ids=["user_bo"]))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.assignee_ids.0")


async def test_tasks_are_listed_by_project_and_by_assignee(under_test: ServiceUnderTest, project_id: str) -> None:
    async with under_test.client() as client:
        for number in range(12):
            assignees = ["user_bo", "user_cy"] if number % 2 else ["user_cy"]
            await client.post("/v1/tasks", json=task(project_id, title=f"T{number + 1}", assignee_ids=assignees))
            under_test.clock.advance(seconds=1)
        of_project = await pages(client, {"project_id": project_id})
        of_bo = await pages(client, {"assignee_id": "user_bo"})
    assert [each["number"] for each in of_project] == list(range(1, 13))
    assert [each["title"] for each in of_bo] == ["T2", "T4", "T6", "T8", "T10", "T12"]


async def pages(client: Any, filters: dict[str, str]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/v1/tasks", params={"limit": 5, **filters, **cursor})).json()
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


@pytest.mark.parametrize("filters", [{}, {"project_id": "proj_1", "assignee_id": "user_bo"}])
async def test_a_list_needs_exactly_one_filter(under_test: ServiceUnderTest, filters: dict[str, str]) -> None:
    async with under_test.client() as client:
        answer = await client.get("/v1/tasks", params=filters)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["query.project_id", "query.assignee_id"]


async def test_a_task_moves_and_says_so_once(under_test: ServiceUnderTest, task_id: str, project_id: str) -> None:
    async with under_test.client("user_bo", Role.MEMBER) as client:
        await client.put(f"/v1/tasks/{task_id}/assignees/user_bo")
        under_test.clock.advance(minutes=1)
        moved = await client.put(f"/v1/tasks/{task_id}/status", json={"status": "done"})
        same = await client.put(f"/v1/tasks/{task_id}/status", json={"status": "done"})
        back = await client.put(f"/v1/tasks/{task_id}/status", json={"status": "open"})
    assert (moved.status_code, moved.json()["status"], moved.json()["version"]) == (200, "done", 3)
    assert moved.json()["updated_at"] == "2026-11-21T09:01:00Z"
    assert same.json() == moved.json()
    assert back.json()["status"] == "open"
    done, reopened = await under_test.published_events(events.TaskStatusChanged)
    assert done.aggregateversion == 3
    assert done.data == {
        "task_id": task_id,
        "project_id": project_id,
        "title": "Ship it",
        "previous_status": "open",
        "status": "done",
        "assignee_ids": ["user_bo"],
    }
    assert (reopened.data["previous_status"], reopened.data["status"]) == ("done", "open")


@pytest.mark.parametrize("other", [("PUT", "/assignees/user_cy", None), ("PUT", "/status", {"status": "in_review"})])
@pytest.mark.parametrize("change", [("DELETE", "/assignees/user_bo", None), ("PUT", "/status", {"status": "done"})])
async def test_changes_at_the_same_time_all_count(change: Any, other: Any) -> None:
    under_test = ServiceUnderTest(service, table=PoliteTable())
    await under_test.add_member("user_bo")
    await under_test.add_member("user_cy")
    async with under_test.client() as client:
        project_id = (await client.post("/v1/projects", json={"key": "WEB", "name": "Web"})).json()["id"]
        made = (await client.post("/v1/tasks", json=task(project_id, assignee_ids=["user_bo"]))).json()
        path = f"/v1/tasks/{made['id']}"
        answers = await asyncio.gather(
            *(client.request(method, path + part, json=body) for method, part, body in (change, other))
        )
        read = (await client.get(path)).json()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert read["version"] == 3


async def test_another_organization_finds_nothing(under_test: ServiceUnderTest, project_id: str, task_id: str) -> None:
    await under_test.add_member("user_bo", org_id="org_other")
    async with under_test.client(org_id="org_other") as client:
        answers = [
            await client.post("/v1/tasks", json=task(project_id)),
            await client.get("/v1/tasks", params={"project_id": project_id}),
            await client.get(f"/v1/tasks/{task_id}"),
            await client.put(f"/v1/tasks/{task_id}/status", json={"status": "done"}),
            await client.put(f"/v1/tasks/{task_id}/assignees/user_bo"),
            await client.delete(f"/v1/tasks/{task_id}/assignees/user_bo"),
            await client.post(f"/v1/tasks/{task_id}/comments", json={"text": "Hello"}),
            await client.get(f"/v1/tasks/{task_id}/comments"),
        ]
        of_assignee = await client.get("/v1/tasks", params={"assignee_id": "user_ada"})
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert of_assignee.json()["items"] == []


async def test_a_viewer_reads_and_changes_nothing(under_test: ServiceUnderTest, project_id: str, task_id: str) -> None:
    async with under_test.client("user_eve", Role.VIEWER) as client:
        read = [
            await client.get(f"/v1/tasks/{task_id}"),
            await client.get("/v1/tasks", params={"project_id": project_id}),
            await client.get(f"/v1/projects/{project_id}"),
            await client.get(f"/v1/tasks/{task_id}/comments"),
        ]
        refused = [
            await client.post("/v1/tasks", json=task(project_id)),
            await client.put(f"/v1/tasks/{task_id}/status", json={"status": "done"}),
            await client.put(f"/v1/tasks/{task_id}/assignees/user_bo"),
            await client.delete(f"/v1/tasks/{task_id}/assignees/user_bo"),
            await client.post(f"/v1/tasks/{task_id}/comments", json={"text": "Hello"}),
            await client.get("/v1/imports/imp_1"),
        ]
    assert [answer.status_code for answer in read] == [200] * 4
    assert [(answer.status_code, answer.json().get("operation")) for answer in refused] == [
        (403, "tasks.task.create"),
        (403, "tasks.task.move"),
        (403, "tasks.task.assign"),
        (403, "tasks.task.unassign"),
        (403, "tasks.comment.create"),
        (403, "tasks.import.read"),
    ]


async def test_an_endless_id_is_refused(under_test: ServiceUnderTest) -> None:
    async with under_test.client() as client:
        answer = await client.get(f"/v1/tasks/task_{'x' * 3000}")
    assert answer.status_code == 422
