"""Giving tasks to members and taking them away again. Both can be repeated: what is so already tells nobody."""

from chassis.errors import Conflict, FieldError, Invalid
from chassis.tenants.members import Members
from chassis.work.scope import OrgScope
from services.tasks.concurrency import while_stale
from services.tasks.model import MAX_ASSIGNEES, Task
from services.tasks.repository import TaskRepository


async def assign(scope: OrgScope, task_id: str, user_id: str) -> Task:
    """Raises NotFound for the task, Invalid for who is no active member, Conflict when it has ten assignees."""
    tasks = TaskRepository(scope)

    async def attempt() -> Task:
        task = await tasks.get(task_id)
        scope.require_match(task)
        if await Members(scope).active(user_id) is None:
            reason = "This is no active member of the organization."
            raise Invalid("Only active members can be assigned.", [FieldError("path.user_id", reason)])
        if user_id in task.assignee_ids:
            return task
        if len(task.assignee_ids) == MAX_ASSIGNEES:
            raise Conflict(f"The task has {MAX_ASSIGNEES} assignees already; take it away from one of them first.")
        unit = scope.unit_of_work()
        saved = tasks.save(unit, task.with_assignee(user_id, scope.now()))
        tasks.assign(unit, saved, user_id)
        unit.publish(saved.assigned_event(user_id, by=scope.actor.person_id), version=saved.version)
        return await unit.answer(saved)

    return await while_stale(attempt)


async def unassign(scope: OrgScope, task_id: str, user_id: str) -> Task:
    """Also for who is no member any longer. Raises NotFound for the task."""
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

    return await while_stale(attempt)
