"""The subscription `figures`: events of tasks change counters."""

from chassis.declare.subscription import Subscription
from chassis.work.scope import EventContext
from contracts.common import ProjectId, TaskStatus, UserId
from contracts.reads import Reads
from contracts.tasks import v1 as tasks
from services.analytics.figures import usecases


class NewProject(Reads[tasks.ProjectCreated]):
    project_id: ProjectId
    key: str
    name: str


class NewTask(Reads[tasks.TaskCreated]):
    project_id: ProjectId
    status: TaskStatus


class Assignment(Reads[tasks.TaskAssigned]):
    assignee_id: UserId
    status: TaskStatus


class Unassignment(Reads[tasks.TaskUnassigned]):
    assignee_id: UserId
    status: TaskStatus


class StatusChange(Reads[tasks.TaskStatusChanged]):
    project_id: ProjectId
    previous_status: TaskStatus
    status: TaskStatus
    assignee_ids: list[UserId]


figures = Subscription("figures", mode="every")


@figures.on(NewProject)
async def name_project(event: NewProject, ctx: EventContext) -> None:
    await usecases.name_project(ctx.scope, event.project_id, event.key, event.name)


@figures.on(NewTask)
async def count_created(event: NewTask, ctx: EventContext) -> None:
    await usecases.count_created(ctx.scope, event.project_id, event.status, ctx.time.date())


@figures.on(Assignment)
async def count_assigned(event: Assignment, ctx: EventContext) -> None:
    await usecases.count_assigned(ctx.scope, event.assignee_id, event.status)


@figures.on(Unassignment)
async def count_unassigned(event: Unassignment, ctx: EventContext) -> None:
    await usecases.count_unassigned(ctx.scope, event.assignee_id, event.status)


@figures.on(StatusChange)
async def count_moved(event: StatusChange, ctx: EventContext) -> None:
    await usecases.count_moved(
        ctx.scope, event.project_id, event.assignee_ids, event.previous_status, event.status, ctx.time.date()
    )
