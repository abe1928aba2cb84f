"""HTTP: parse, authorize, call, render."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from chassis.errors import UnsupportedType
from chassis.http.guard import Guard
from chassis.http.route import Route
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from contracts.common import Priority, ProjectId, Role, TaskStatus, UserId
from services.tasks import model
from services.tasks.model import Comment, Import, Project, RowError, Task
from services.tasks.permissions import PERMISSIONS
from services.tasks.usecases import assignments, comments, imports, people, projects, tasks

router = APIRouter(prefix="/v1", tags=["tasks"], route_class=Route)
guard = Guard(PERMISSIONS)

PageOf = Annotated[PageRequest, Depends()]
Id = Annotated[str, Path(max_length=80)]
Trimmed = StringConstraints(strip_whitespace=True)
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=model.MAX_LABEL)]
CSV = "text/csv"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewProject(_Body):
    key: str = Field(pattern=model.PROJECT_KEY)
    name: Annotated[str, Trimmed] = Field(min_length=1, max_length=100)


class NewTask(_Body):
    project_id: ProjectId
    title: Annotated[str, Trimmed] = Field(min_length=1, max_length=model.MAX_TITLE)
    description: str = Field(default="", max_length=model.MAX_DESCRIPTION)
    priority: Priority = Priority.MEDIUM
    due_on: date | None = None
    labels: list[Label] = Field(default_factory=list, max_length=model.MAX_LABELS)
    assignee_ids: list[UserId] = Field(default_factory=list, max_length=model.MAX_ASSIGNEES)


class NewStatus(_Body):
    status: TaskStatus


class NewComment(_Body):
    text: Annotated[str, Trimmed] = Field(min_length=1, max_length=5000)


class Assignee(BaseModel):
    user_id: str
    name: str
    email: str
    role: Role


class ImportReport(BaseModel):
    """How far an import is. `failed` counts rows; a row with several errors stands in `errors` several times."""

    id: str
    status: Literal["running", "completed"]
    rows: int
    created: int
    failed: int
    errors: list[RowError]

    @classmethod
    def of(cls, imported: Import, errors: Sequence[RowError] = ()) -> Self:
        return cls(**imported.model_dump(), errors=list(errors))


@router.post("/projects", status_code=201)
async def create_project(
    scope: Annotated[OrgScope, Depends(guard("tasks.project.create"))], body: NewProject
) -> Project:
    """A project, led by whoever makes it. Its key is unique in the organization."""
    return await projects.create_project(scope, body.key, body.name)


@router.get("/projects")
async def list_projects(
    scope: Annotated[OrgScope, Depends(guard("tasks.project.list"))], page: PageOf
) -> Page[Project]:
    return await projects.list_projects(scope, page)


@router.get("/projects/{project_id}")
async def read_project(scope: Annotated[OrgScope, Depends(guard("tasks.project.read"))], project_id: Id) -> Project:
    return await projects.read_project(scope, project_id)


@router.get("/assignees")
async def list_assignees(
    scope: Annotated[OrgScope, Depends(guard("tasks.assignee.list"))], page: PageOf
) -> Page[Assignee]:
    """The members that tasks can be given to."""
    known = await people.list_assignees(scope, page)
    items = [Assignee(user_id=each.id, name=each.name, email=each.email, role=each.role) for each in known.items]
    return Page(items=items, next=known.next)


@router.post("/tasks", status_code=201)
async def create_task(scope: Annotated[OrgScope, Depends(guard("tasks.task.create"))], body: NewTask) -> Task:
    """A task, with the next number of its project, and its assignees."""
    return await tasks.create_task(
        scope,
        project_id=body.project_id,
        title=body.title,
        description=body.description,
        priority=body.priority,
        due_on=body.due_on,
        labels=body.labels,
        assignee_ids=body.assignee_ids,
    )


@router.get("/tasks")
async def list_tasks(
    scope: Annotated[OrgScope, Depends(guard("tasks.task.list"))],
    page: PageOf,
    project_id: ProjectId | None = None,
    assignee_id: UserId | None = None,
) -> Page[Task]:
    """A project's tasks by number, or a member's, oldest first."""
    return await tasks.list_tasks(scope, page, project_id=project_id, assignee_id=assignee_id)


@router.get("/tasks/{task_id}")
async def read_task(scope: Annotated[OrgScope, Depends(guard("tasks.task.read"))], task_id: Id) -> Task:
    return await tasks.read_task(scope, task_id)


@router.put("/tasks/{task_id}/assignees/{user_id}")
async def assign_task(
    scope: Annotated[OrgScope, Depends(guard("tasks.task.assign"))], task_id: Id, user_id: Id
) -> Task:
    """Give a task to a member. If they have it already, nothing happens."""
    return await assignments.assign(scope, task_id, user_id)


@router.delete("/tasks/{task_id}/assignees/{user_id}")
async def unassign_task(
    scope: Annotated[OrgScope, Depends(guard("tasks.task.unassign"))], task_id: Id, user_id: Id
) -> Task:
    """Take a task away from somebody. If they don't have it, nothing happens."""
    return await assignments.unassign(scope, task_id, user_id)


@router.put("/tasks/{task_id}/status")
async def move_task(
    scope: Annotated[OrgScope, Depends(guard("tasks.task.move"))], task_id: Id, body: NewStatus
) -> Task:
    return await tasks.move_task(scope, task_id, body.status)


@router.post("/tasks/{task_id}/comments", status_code=201)
async def add_comment(
    scope: Annotated[OrgScope, Depends(guard("tasks.comment.create"))], task_id: Id, body: NewComment
) -> Comment:
    """`@handle` mentions a member: the local part of their address, or all of it."""
    return await comments.add_comment(scope, task_id, body.text)


@router.get("/tasks/{task_id}/comments")
async def list_comments(
    scope: Annotated[OrgScope, Depends(guard("tasks.comment.list"))], task_id: Id, page: PageOf
) -> Page[Comment]:
    return await comments.list_comments(scope, task_id, page)


def _csv_only(request: Request) -> None:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.partition("charset=")[2].strip(' "') or "utf-8"
    if kind.strip() != CSV or charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedType(f"Send the file itself, as {CSV} in UTF-8.")


@router.post(
    "/imports",
    status_code=202,
    openapi_extra={"requestBody": {"required": True, "content": {CSV: {"schema": {"type": "string"}}}}},
)
async def request_import(
    scope: Annotated[OrgScope, Depends(guard("tasks.import.create"))], request: Request
) -> ImportReport:
    """A CSV file, UTF-8, of at most 1 MB and 5000 rows, with a header.

    Its columns, in any order: project (a key), title, and if wanted description, priority, assignee (an address),
    due_date (2027-01-31), labels (separated by semicolons).
    """
    _csv_only(request)
    imported = await imports.request_import(scope, await request.body())
    return ImportReport.of(imported)


@router.get("/imports/{import_id}")
async def read_import(scope: Annotated[OrgScope, Depends(guard("tasks.import.read"))], import_id: Id) -> ImportReport:
    imported, errors = await imports.read_import(scope, import_id)
    return ImportReport.of(imported, errors)
