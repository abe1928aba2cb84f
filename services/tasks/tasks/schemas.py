"""Request bodies and views of tasks."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from chassis.http.schemas import RequestBody, Trimmed, View
from contracts.common import Priority, ProjectId, TaskStatus, UserId
from services.tasks.tasks.model import (
    MAX_ASSIGNEES,
    MAX_DESCRIPTION,
    MAX_LABEL,
    MAX_LABELS,
    MAX_TITLE,
    Task,
)

Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LABEL)]


class NewTask(RequestBody):
    project_id: ProjectId
    title: Annotated[str, Trimmed] = Field(min_length=1, max_length=MAX_TITLE)
    description: str = Field(default="", max_length=MAX_DESCRIPTION)
    priority: Priority = Priority.MEDIUM
    due_on: date | None = None
    labels: list[Label] = Field(default_factory=list, max_length=MAX_LABELS)
    assignee_ids: list[UserId] = Field(default_factory=list, max_length=MAX_ASSIGNEES)


class NewStatus(RequestBody):
    status: TaskStatus


class TaskView(View):
    """Something to do. `number` counts from 1 in its project, without gaps."""

    id: str
    version: int
    project_id: str
    number: int
    title: str
    description: str
    status: TaskStatus
    priority: Priority
    due_on: date | None
    labels: list[str]
    assignee_ids: list[str]
    created_by: str
    import_id: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, task: Task) -> Self:
        return cls.model_validate(task, from_attributes=True)
