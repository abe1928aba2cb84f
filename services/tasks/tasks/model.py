"""Tasks: state, rules and events. Pure."""

from datetime import date, datetime

from pydantic import Field

from chassis.work.repository import Aggregate
from contracts.common import Priority, TaskStatus
from contracts.tasks import v1 as events

MAX_TITLE = 200
MAX_DESCRIPTION = 10_000
MAX_ASSIGNEES = 10
MAX_LABELS = 20
MAX_LABEL = 50


class Task(Aggregate):
    """Something to do. `number` counts from 1 in its project, without gaps."""

    project_id: str
    number: int
    title: str
    description: str = ""
    status: TaskStatus = TaskStatus.OPEN
    priority: Priority = Priority.MEDIUM
    due_on: date | None = None
    labels: list[str] = Field(default_factory=list)
    assignee_ids: list[str] = Field(default_factory=list)
    created_by: str
    import_id: str | None = None
    created_at: datetime
    updated_at: datetime

    def with_assignee(self, user_id: str, now: datetime) -> "Task":
        return self.model_copy(update={"assignee_ids": [*self.assignee_ids, user_id], "updated_at": now})

    def without_assignee(self, user_id: str, now: datetime) -> "Task":
        left = [each for each in self.assignee_ids if each != user_id]
        return self.model_copy(update={"assignee_ids": left, "updated_at": now})

    def with_status(self, status: TaskStatus, now: datetime) -> "Task":
        return self.model_copy(update={"status": status, "updated_at": now})

    def created_event(self) -> events.TaskCreated:
        return events.TaskCreated(
            task_id=self.id,
            project_id=self.project_id,
            number=self.number,
            title=self.title,
            status=self.status,
            priority=self.priority,
            due_on=self.due_on,
            import_id=self.import_id,
        )

    def assigned_event(self, user_id: str, *, by: str, import_id: str | None = None) -> events.TaskAssigned:
        """`import_id` only if the import itself assigned the task, not if somebody assigns an imported task later."""
        return events.TaskAssigned(
            task_id=self.id,
            project_id=self.project_id,
            title=self.title,
            status=self.status,
            priority=self.priority,
            due_on=self.due_on,
            assignee_id=user_id,
            assigned_by=by,
            import_id=import_id,
        )

    def unassigned_event(self, user_id: str) -> events.TaskUnassigned:
        return events.TaskUnassigned(
            task_id=self.id, project_id=self.project_id, title=self.title, status=self.status, assignee_id=user_id
        )

    def status_changed_event(self, previous: TaskStatus) -> events.TaskStatusChanged:
        return events.TaskStatusChanged(
            task_id=self.id,
            project_id=self.project_id,
            title=self.title,
            previous_status=previous,
            status=self.status,
            assignee_ids=self.assignee_ids,
        )
