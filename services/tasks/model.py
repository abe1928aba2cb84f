"""Projects, tasks, comments and imports: state, rules, and the events that tell of them. Pure."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from chassis.work.repository import Aggregate
from contracts.common import Priority, TaskStatus
from contracts.tasks import v1 as events

MAX_TITLE = 200
MAX_DESCRIPTION = 10_000
MAX_ASSIGNEES = 10
MAX_LABELS = 20
MAX_LABEL = 50
PROJECT_KEY = r"^[A-Z][A-Z0-9]{1,9}$"


class Project(Aggregate):
    key: str
    name: str
    lead_id: str
    status: Literal["active"] = "active"
    created_at: datetime

    def created_event(self) -> events.ProjectCreated:
        return events.ProjectCreated(project_id=self.id, key=self.key, name=self.name, lead_id=self.lead_id)


class Numbers(Aggregate):
    """The last number that a project gave to a task; `id` is the project's."""

    last: int = 0


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

    def moved(self, status: TaskStatus, now: datetime) -> "Task":
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
        """`import_id` only where the import itself assigned it, not whoever assigns an imported task later."""
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

    def moved_event(self, previous: TaskStatus) -> events.TaskStatusChanged:
        return events.TaskStatusChanged(
            task_id=self.id,
            project_id=self.project_id,
            title=self.title,
            previous_status=previous,
            status=self.status,
            assignee_ids=self.assignee_ids,
        )


class Comment(Aggregate):
    task_id: str
    author_id: str
    text: str
    mentioned_ids: list[str] = Field(default_factory=list)
    created_at: datetime

    def added_event(self, task: Task) -> events.CommentAdded:
        return events.CommentAdded(
            comment_id=self.id,
            task_id=task.id,
            project_id=task.project_id,
            task_title=task.title,
            author_id=self.author_id,
            text=self.text,
            mentioned_ids=self.mentioned_ids,
        )


class RowError(BaseModel):
    """A field of a data row (counted from 1) that is not as it should be, and what to do about it."""

    row: int
    field: str
    message: str


class PlannedTask(BaseModel):
    """A good row of an import with all that was decided about it."""

    row: int
    number: int = 0
    project_id: str
    title: str
    description: str
    priority: Priority
    due_on: date | None
    labels: list[str]
    assignee_id: str | None


class Plan(BaseModel):
    """What becomes of the rows of one chunk: tasks, or entries of the report."""

    tasks: list[PlannedTask]
    errors: list[RowError]

    @property
    def failed(self) -> int:
        """Bad rows; one row may have several errors."""
        return len({error.row for error in self.errors})


class Import(Aggregate):
    """Rows on their way to become tasks, `chunks` parcels of them, of which `done` are worked off."""

    requested_by: str
    status: Literal["running", "completed"] = "running"
    rows: int
    chunks: int
    done: int = 0
    created: int = 0
    failed: int = 0
    assigned: dict[str, int] = Field(default_factory=dict)
    created_at: datetime
    completed_at: datetime | None = None

    def advanced(self, plan: Plan) -> "Import":
        """With one more chunk worked off."""
        assigned = dict(self.assigned)
        for task in plan.tasks:
            if task.assignee_id is not None:
                assigned[task.assignee_id] = assigned.get(task.assignee_id, 0) + 1
        changes = {
            "done": self.done + 1,
            "created": self.created + len(plan.tasks),
            "failed": self.failed + plan.failed,
            "assigned": assigned,
        }
        return self.model_copy(update=changes)

    def completed(self, now: datetime) -> "Import":
        return self.model_copy(update={"status": "completed", "completed_at": now})

    def task_of(self, row: PlannedTask, now: datetime) -> Task:
        """The task of a row. Its id follows from the import and the row, so that a repetition finds it."""
        return Task(
            id=f"task_{self.id.removeprefix('imp_')}{row.row:05d}",
            project_id=row.project_id,
            number=row.number,
            title=row.title,
            description=row.description,
            priority=row.priority,
            due_on=row.due_on,
            labels=row.labels,
            assignee_ids=[row.assignee_id] if row.assignee_id else [],
            created_by=self.requested_by,
            import_id=self.id,
            created_at=now,
            updated_at=now,
        )

    def requested_event(self) -> events.ImportRequested:
        return events.ImportRequested(import_id=self.id, rows=self.rows, requested_by=self.requested_by)

    def completed_event(self) -> events.ImportCompleted:
        return events.ImportCompleted(
            import_id=self.id,
            requested_by=self.requested_by,
            created=self.created,
            failed=self.failed,
            assigned=self.assigned,
        )
