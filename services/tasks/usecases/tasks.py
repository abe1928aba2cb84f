"""Making tasks, finding them, moving them."""

from collections.abc import Sequence
from datetime import date

from chassis.errors import FieldError, Invalid
from chassis.tenants.members import Members
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from contracts.common import Priority, TaskStatus
from services.tasks.concurrency import gathered, while_stale
from services.tasks.model import Task
from services.tasks.repository import NumbersRepository, ProjectRepository, TaskRepository


async def create_task(
    scope: OrgScope,
    *,
    project_id: str,
    title: str,
    description: str,
    priority: Priority,
    due_on: date | None,
    labels: Sequence[str],
    assignee_ids: Sequence[str],
) -> Task:
    """The task, its number, its assignments and their events, together or not at all.

    Raises NotFound for the project, Invalid for an assignee who is no active member.
    """
    await ProjectRepository(scope).get(project_id)
    await require_members(scope, assignee_ids)
    task_id = scope.new_id("task")

    async def attempt() -> Task:
        unit = scope.unit_of_work()
        task = Task(
            id=task_id,
            project_id=project_id,
            number=await NumbersRepository(scope).take(unit, project_id),
            title=title,
            description=description,
            priority=priority,
            due_on=due_on,
            labels=list(dict.fromkeys(labels)),
            assignee_ids=list(dict.fromkeys(assignee_ids)),
            created_by=scope.actor.person_id,
            created_at=scope.now(),
            updated_at=scope.now(),
        )
        return await unit.answer(store_new(scope, unit, task))

    return await while_stale(attempt)


def store_new(scope: OrgScope, unit: UnitOfWork, task: Task) -> Task:
    """Store a task with its assignments and publish both, in `unit`."""
    saved = TaskRepository(scope).add(unit, task)
    unit.publish(saved.created_event(), version=saved.version)
    for user_id in saved.assignee_ids:
        event = saved.assigned_event(user_id, by=saved.created_by, import_id=saved.import_id)
        unit.publish(event, version=saved.version)
    return saved


async def require_members(scope: OrgScope, user_ids: Sequence[str]) -> None:
    """Raises Invalid naming each of the body's assignees who is no active member."""
    members = Members(scope)
    found = await gathered([members.active(user_id) for user_id in user_ids])
    errors = [
        FieldError(f"body.assignee_ids.{position}", "This is no active member of the organization.")
        for position, member in enumerate(found)
        if member is None
    ]
    if errors:
        raise Invalid("Only active members can be assigned.", errors)


async def read_task(scope: OrgScope, task_id: str) -> Task:
    return await TaskRepository(scope).get(task_id)


async def list_tasks(
    scope: OrgScope, request: PageRequest, *, project_id: str | None, assignee_id: str | None
) -> Page[Task]:
    """A project's tasks by number, or a member's in the order in which they were made. Raises NotFound for the
    project, Invalid unless exactly one of the two is asked for."""
    tasks = TaskRepository(scope)
    match project_id, assignee_id:
        case str(), None:
            await ProjectRepository(scope).get(project_id)
            return await tasks.of_project(project_id, request)
        case None, str():
            return await tasks.of_assignee(assignee_id, request)
        case _:
            reason = "Give exactly one of project_id and assignee_id."
            raise Invalid(reason, [FieldError(f"query.{name}", reason) for name in ("project_id", "assignee_id")])


async def move_task(scope: OrgScope, task_id: str, status: TaskStatus) -> Task:
    """To any status from any other; to the one that it has already changes nothing and tells nobody."""
    tasks = TaskRepository(scope)

    async def attempt() -> Task:
        task = await tasks.get(task_id)
        scope.require_match(task)
        if task.status is status:
            return task
        unit = scope.unit_of_work()
        saved = tasks.save(unit, task.moved(status, scope.now()))
        unit.publish(saved.moved_event(task.status), version=saved.version)
        return await unit.answer(saved)

    return await while_stale(attempt)
