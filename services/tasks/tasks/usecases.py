"""Creating, reading, moving and assigning tasks."""

from collections.abc import Sequence
from datetime import date

from chassis.errors import Conflict, FieldError, Invalid
from chassis.resilience.retry import gather_bounded, retry_on_stale
from chassis.tenants.members import MemberRepository
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from chassis.work.unit_of_work import UnitOfWork
from contracts.common import Priority, TaskStatus
from services.tasks.projects.repository import NumbersRepository, ProjectRepository
from services.tasks.tasks.model import MAX_ASSIGNEES, Task
from services.tasks.tasks.repository import TaskRepository

NOT_ACTIVE = "This person is not an active member of the organization."


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
    """Create the task, its number, its assignments and their events, together or not at all.

    Raises NotFound for the project, Invalid for an assignee who is not an active member.
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

    return await retry_on_stale(attempt)


def store_new(scope: OrgScope, unit: UnitOfWork, task: Task) -> Task:
    """Store a task with its assignments and publish both, in `unit`."""
    saved = TaskRepository(scope).add(unit, task)
    unit.publish(saved.created_event(), version=saved.version)
    for user_id in saved.assignee_ids:
        event = saved.assigned_event(user_id, by=saved.created_by, import_id=saved.import_id)
        unit.publish(event, version=saved.version)
    return saved


async def require_members(scope: OrgScope, user_ids: Sequence[str]) -> None:
    """Raises Invalid that names each of the body's assignees who is not an active member."""
    members = await gather_bounded(user_ids, MemberRepository(scope).active, at_once=MAX_ASSIGNEES, stop_on_error=True)
    errors = [
        FieldError(f"body.assignee_ids.{position}", NOT_ACTIVE)
        for position, member in enumerate(members)
        if member is None
    ]
    if errors:
        raise Invalid("Only active members can be assigned.", errors)


async def read_task(scope: OrgScope, task_id: str) -> Task:
    return await TaskRepository(scope).get(task_id)


async def list_tasks(
    scope: OrgScope, request: PageRequest, *, project_id: str | None, assignee_id: str | None
) -> Page[Task]:
    """A project's tasks by number, or a member's in the order in which they were created. Raises NotFound for the
    project, Invalid unless exactly one of the two is given."""
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
    """Move the task to any status from any other. The status that it already has changes and publishes nothing."""
    tasks = TaskRepository(scope)

    async def attempt() -> Task:
        task = await tasks.get(task_id)
        scope.require_match(task)
        if task.status is status:
            return task
        unit = scope.unit_of_work()
        saved = tasks.save(unit, task.with_status(status, scope.now()))
        unit.publish(saved.status_changed_event(task.status), version=saved.version)
        return await unit.answer(saved)

    return await retry_on_stale(attempt)


async def assign_task(scope: OrgScope, task_id: str, user_id: str) -> Task:
    """Assign the task to a member. If it is assigned to them already, nothing changes and nothing is published.

    Raises NotFound for the task, Invalid for a person who is not an active member, Conflict when it has ten assignees.
    """
    tasks = TaskRepository(scope)

    async def attempt() -> Task:
        task = await tasks.get(task_id)
        scope.require_match(task)
        if await MemberRepository(scope).active(user_id) is None:
            raise Invalid("Only active members can be assigned.", [FieldError("path.user_id", NOT_ACTIVE)])
        if user_id in task.assignee_ids:
            return task
        if len(task.assignee_ids) == MAX_ASSIGNEES:
            raise Conflict(f"The task has {MAX_ASSIGNEES} assignees already; take it away from one of them first.")
        unit = scope.unit_of_work()
        saved = tasks.save(unit, task.with_assignee(user_id, scope.now()))
        tasks.assign(unit, saved, user_id)
        unit.publish(saved.assigned_event(user_id, by=scope.actor.person_id), version=saved.version)
        return await unit.answer(saved)

    return await retry_on_stale(attempt)


async def unassign_task(scope: OrgScope, task_id: str, user_id: str) -> Task:
    """Take the task away from somebody, even if they have left the organization. If they do not have it, nothing
    changes and nothing is published. Raises NotFound for the task."""
    tasks = TaskRepository(scope)

    async def attempt() -> Task:
        task = await tasks.get(task_id)
        scope.require_match(task)
        if user_id not in task.assignee_ids:
            return task
        unit = scope.unit_of_work()
        saved = tasks.save(unit, task.without_assignee(user_id, scope.now()))
        tasks.unassign(unit, saved, user_id)
        unit.publish(saved.unassigned_event(user_id), version=saved.version)
        return await unit.answer(saved)

    return await retry_on_stale(attempt)
