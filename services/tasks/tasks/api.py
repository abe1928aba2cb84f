"""HTTP routes of tasks: parse, authorize, call, render."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.http.route import Route
from chassis.http.schemas import Paged, PathId
from chassis.work.repository import Page
from chassis.work.scope import OrgScope
from contracts.common import ProjectId, UserId
from services.tasks.permissions import guard
from services.tasks.tasks import usecases
from services.tasks.tasks.schemas import NewStatus, NewTask, TaskView

router = APIRouter(prefix="/v1/tasks", tags=["tasks"], route_class=Route)


@router.post("", status_code=201)
async def create_task(scope: Annotated[OrgScope, Depends(guard("tasks.task.create"))], body: NewTask) -> TaskView:
    """A task, with the next number of its project, and its assignees."""
    task = await usecases.create_task(
        scope,
        project_id=body.project_id,
        title=body.title,
        description=body.description,
        priority=body.priority,
        due_on=body.due_on,
        labels=body.labels,
        assignee_ids=body.assignee_ids,
    )
    return TaskView.of(task)


@router.get("")
async def list_tasks(
    scope: Annotated[OrgScope, Depends(guard("tasks.task.list"))],
    page: Paged,
    project_id: ProjectId | None = None,
    assignee_id: UserId | None = None,
) -> Page[TaskView]:
    """A project's tasks by number, or a member's, oldest first."""
    tasks = await usecases.list_tasks(scope, page, project_id=project_id, assignee_id=assignee_id)
    return tasks.map(TaskView.of)


@router.get("/{task_id}")
async def read_task(scope: Annotated[OrgScope, Depends(guard("tasks.task.read"))], task_id: PathId) -> TaskView:
    """One task."""
    return TaskView.of(await usecases.read_task(scope, task_id))


@router.put("/{task_id}/assignees/{user_id}")
async def assign_task(
    scope: Annotated[OrgScope, Depends(guard("tasks.task.assign"))], task_id: PathId, user_id: PathId
) -> TaskView:
    """Assign a task to a member. If it is assigned to them already, nothing happens."""
    return TaskView.of(await usecases.assign_task(scope, task_id, user_id))


@router.delete("/{task_id}/assignees/{user_id}")
async def unassign_task(
    scope: Annotated[OrgScope, Depends(guard("tasks.task.unassign"))], task_id: PathId, user_id: PathId
) -> TaskView:
    """Take a task away from somebody. If they don't have it, nothing happens."""
    return TaskView.of(await usecases.unassign_task(scope, task_id, user_id))


@router.put("/{task_id}/status")
async def move_task(
    scope: Annotated[OrgScope, Depends(guard("tasks.task.move"))], task_id: PathId, body: NewStatus
) -> TaskView:
    """Move a task to a status. If it has that status already, nothing happens."""
    return TaskView.of(await usecases.move_task(scope, task_id, body.status))
