from datetime import date

import pytest

from chassis.testing.service import ServiceUnderTest
from contracts.common import Priority, Role, TaskStatus
from contracts.tasks import v1 as tasks
from services.analytics.figures.consumers import figures
from services.analytics.service import service

DAY = date(2026, 11, 21)


@pytest.fixture
def analytics() -> ServiceUnderTest:
    return ServiceUnderTest(service)


def task_created(task_id: str = "task_1", status: TaskStatus = TaskStatus.OPEN) -> tasks.TaskCreated:
    return tasks.TaskCreated(
        task_id=task_id, project_id="proj_web", number=1, title="Ship", status=status, priority=Priority.LOW
    )


def task_assigned(to: str, status: TaskStatus = TaskStatus.OPEN) -> tasks.TaskAssigned:
    return tasks.TaskAssigned(
        task_id="task_1",
        project_id="proj_web",
        title="Ship",
        status=status,
        priority=Priority.LOW,
        assignee_id=to,
        assigned_by="user_ada",
    )


def status_changed(previous: TaskStatus, status: TaskStatus, *assignees: str) -> tasks.TaskStatusChanged:
    return tasks.TaskStatusChanged(
        task_id="task_1",
        project_id="proj_web",
        title="Ship",
        previous_status=previous,
        status=status,
        assignee_ids=list(assignees),
    )


async def figures_of(analytics: ServiceUnderTest) -> tuple[dict[str, object], dict[str, object]]:
    async with analytics.client() as client:
        projects = (await client.get("/v1/analytics/projects")).json()["items"]
        people = (await client.get("/v1/analytics/people")).json()["items"]
    return {each["project_id"]: each for each in projects}, {each["user_id"]: each for each in people}


async def test_a_task_is_counted_for_its_project_and_its_assignees(analytics: ServiceUnderTest) -> None:
    await analytics.deliver(
        figures, tasks.ProjectCreated(project_id="proj_web", key="WEB", name="Web", lead_id="user_ada")
    )
    await analytics.deliver(figures, task_created())
    await analytics.deliver(figures, task_assigned("user_bo"))
    await analytics.deliver(figures, status_changed(TaskStatus.OPEN, TaskStatus.DONE, "user_bo"))
    projects, people = await figures_of(analytics)
    assert projects["proj_web"] == {
        "project_id": "proj_web",
        "key": "WEB",
        "name": "Web",
        "created": 1,
        "open": 0,
        "done": 1,
        "done_on": {"2026-11-21": 1},
    }
    assert people["user_bo"] == {
        "user_id": "user_bo",
        "assigned": 1,
        "open": 0,
        "done": 1,
        "done_on": {"2026-11-21": 1},
    }


async def test_the_order_of_events_does_not_matter(analytics: ServiceUnderTest) -> None:
    await analytics.deliver(figures, status_changed(TaskStatus.OPEN, TaskStatus.DONE, "user_bo"))
    await analytics.deliver(figures, task_assigned("user_bo"))
    await analytics.deliver(figures, task_created())
    projects, people = await figures_of(analytics)
    assert (projects["proj_web"]["open"], projects["proj_web"]["done"]) == (0, 1)  # type: ignore[index]
    assert (people["user_bo"]["open"], people["user_bo"]["done"]) == (0, 1)  # type: ignore[index]


async def test_a_repeated_delivery_counts_once(analytics: ServiceUnderTest) -> None:
    event_id = await analytics.deliver(figures, task_created())
    await analytics.deliver(figures, task_created(), event_id=event_id, receive_count=2)
    projects, _ = await figures_of(analytics)
    assert projects["proj_web"]["created"] == 1  # type: ignore[index]


async def test_the_same_fact_under_another_id_counts_again(analytics: ServiceUnderTest) -> None:
    """The control of the test above: it is the event's id that makes a repetition, not its content."""
    await analytics.deliver(figures, task_created())
    await analytics.deliver(figures, task_created())
    projects, _ = await figures_of(analytics)
    assert projects["proj_web"]["created"] == 2  # type: ignore[index]


async def test_a_reopened_task_is_open_again(analytics: ServiceUnderTest) -> None:
    await analytics.deliver(figures, task_created())
    await analytics.deliver(figures, status_changed(TaskStatus.OPEN, TaskStatus.DONE))
    await analytics.deliver(figures, status_changed(TaskStatus.DONE, TaskStatus.IN_PROGRESS))
    projects, _ = await figures_of(analytics)
    assert projects["proj_web"]["open"] == 1  # type: ignore[index]
    assert projects["proj_web"]["done_on"] == {}  # type: ignore[index]


async def test_figures_of_another_organization_are_not_shown(analytics: ServiceUnderTest) -> None:
    await analytics.deliver(figures, task_created(), org_id="org_other")
    projects, _ = await figures_of(analytics)
    assert projects == {}


async def test_a_member_may_not_list_people(analytics: ServiceUnderTest) -> None:
    async with analytics.client("user_bo", Role.MEMBER) as client:
        answer = await client.get("/v1/analytics/people")
    assert answer.status_code == 403
    assert answer.json()["operation"] == "analytics.person.list"
